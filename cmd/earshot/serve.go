package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/server"
	"github.com/earshot-cx/earshot/store"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addFlags(cmd.Flags())
	return cmd
}

// serve runs the service until ctx ends. What is opened is closed in reverse
// after everything that uses it has finished.
func serve(ctx context.Context, c *config, stdout, stderr io.Writer) error {
	logger := newLogger(c.Log, stderr)
	unlock, err := lockFolder(c.Data)
	if err != nil {
		return err
	}
	defer unlock()

	// The dictionaries and the record take the longest to open; neither needs the other.
	var pipeline *nlp.Pipeline
	var record *store.SQLite
	var opening errgroup.Group
	opening.Go(func() (err error) { pipeline, err = nlp.New(); return err })
	opening.Go(func() (err error) { record, err = store.Open(c.Data); return err })
	err = opening.Wait()
	if record != nil {
		defer closing(logger, "store", record)
	}
	if err != nil {
		return err
	}
	notes, err := firstKey(ctx, c, record)
	if err != nil {
		return err
	}
	var eng *engine.Engine
	view, err := index.Open(filepath.Join(c.Data, "index"), pipeline, index.Options{
		Log:      logger,
		OnDamage: func(tenant string, _ error) { eng.Rebuild(tenant) },
	})
	if err != nil {
		return err
	}
	defer closing(logger, "index", view)
	eng, err = engine.New(ctx, engine.Options{Store: record, Index: view, NLP: pipeline, Logger: logger, Workers: c.Workers,
		AllowPrivate: c.Webhook.AllowPrivate, Location: c.location})
	if err != nil {
		return err
	}
	handler, err := server.New(ctx, server.Options{Store: record, Engine: eng, Logger: logger, Version: version, Limits: server.Limits{
		BodyBytes: c.Limits.BodyBytes, LineBytes: c.Limits.LineBytes, ArrayItems: c.Limits.ArrayItems, SearchTimeout: c.Limits.SearchTimeout}})
	if err != nil {
		return err
	}
	defer closing(logger, "server", handler)
	ln, err := listen(c)
	if err != nil {
		return err
	}
	if !isLoopback(c.Listen) && c.TLS.Cert == "" && !c.BehindProxy {
		logger.Warn("keys and texts travel unencrypted: set tls.cert and tls.key, or behind_proxy", "listen", c.Listen)
	}
	for _, note := range notes {
		fmt.Fprintln(stdout, "earshot:", note) //nolint:errcheck // nobody to tell
	}
	scheme := "http"
	if c.TLS.Cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(stdout, "earshot: listening on %s://%s\n", scheme, ln.Addr()) //nolint:errcheck // nobody to tell

	// Requests end before the engine does, so that one that waits for its verbatim gets it.
	engineCtx, stopEngine := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngine()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return eng.Run(engineCtx) })
	g.Go(func() error {
		defer stopEngine()
		return serveUntil(ctx, ln, handler, c.Limits.ShutdownTimeout)
	})
	return g.Wait()
}

// serveUntil answers requests until ctx ends, then lets those in hand finish.
func serveUntil(ctx context.Context, ln net.Listener, handler *server.Server, grace time.Duration) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	handler.Drain() // /readyz says no from here on
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		cancel()
		err = srv.Close()
	}
	if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
		err = errors.Join(err, failure)
	}
	return err
}

func listen(c *config) (net.Listener, error) {
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, usageError{err}
	}
	if c.TLS.Cert == "" {
		return ln, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		_ = ln.Close()
		return nil, usageError{fmt.Errorf("tls: %w", err)}
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

// firstKey sees to it that someone can use the service: on a first start it
// makes tenant default and an admin key in DATA/admin.key, or takes the one
// that was set. It gives the sentences to tell, never the key.
func firstKey(ctx context.Context, c *config, s store.Store) (notes []string, err error) {
	tenants, err := s.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	keys := 0
	for _, t := range tenants {
		list, err := s.Keys(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		keys += len(list)
	}
	if keys == 0 && c.AdminKey == "" && !isLoopback(c.Listen) {
		return nil, usageError{fmt.Errorf("%s can be reached from other machines and there is no key yet: set EARSHOT_ADMIN_KEY, or make one with `earshot keys create --scopes admin`", c.Listen)}
	}
	if keys > 0 && c.AdminKey == "" {
		return nil, nil
	}
	now := time.Now()
	err = s.PutTenant(ctx, earshot.Tenant{ID: earshot.DefaultTenant, CreatedAt: now.UTC()})
	if err != nil && earshot.CodeOf(err) != earshot.Conflict {
		return nil, err
	}
	if c.AdminKey != "" {
		return nil, putAdminKey(ctx, s, c.AdminKey, now)
	}
	plain, key := engine.NewKey(now)
	key.Tenant, key.Scopes, key.Root = earshot.DefaultTenant, []string{"admin"}, true
	path := filepath.Join(c.Data, "admin.key")
	if err := os.WriteFile(path, []byte(plain+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write admin key: %w", err)
	}
	if err := s.PutKey(ctx, key); err != nil {
		return nil, err
	}
	return []string{"made tenant default; its admin key is in " + path}, nil
}

func putAdminKey(ctx context.Context, s store.Store, plain string, now time.Time) error {
	key, err := engine.KeyFor(strings.TrimSpace(plain), now)
	if err != nil {
		return usageError{fmt.Errorf("admin_key: %w", err)}
	}
	if _, err := s.KeyByHash(ctx, key.Hash); err == nil {
		return nil // set before
	} else if earshot.CodeOf(err) != earshot.NotFound {
		return err
	}
	key.Tenant, key.Scopes, key.Root = earshot.DefaultTenant, []string{"admin"}, true
	return s.PutKey(ctx, key)
}

func newLogger(c logConfig, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked with the configuration
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func closing(logger *slog.Logger, what string, c io.Closer) {
	if err := c.Close(); err != nil {
		logger.Error("close "+what, "err", err)
	}
}
