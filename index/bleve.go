package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/query"
)

// Bleve keeps a tenant's index in one folder on disk:
//
//	DIR/TENANT/position         schema, seq and shards, as JSON: see position
//	DIR/TENANT/2026-11/         a bleve (scorch) index of the verbatims said in a month, UTC
//	DIR/_quarantine/TENANT-…/   a tenant's folder that was not sound when it was opened; the newest two
//
// bleve keeps terms, places and doc values on disk and merges them. Searching
// them is ours (plan.go, iter.go, search.go): relevance is from our own
// statistics, totals and facets are exact, and a shard that can't answer makes
// an error. bleve's alias would count it as no hits, and would search it in
// goroutines of its own, where a panic over a damaged file ends the process.
//
// A Put is in memory when it returns, and searchable; bleve writes it within
// half a second or so. The position follows only what was written, so it is
// never ahead of any shard.
type Bleve struct {
	dir      string
	tok      query.Tokenizer
	log      *slog.Logger
	onDamage func(tenant string, err error)
	budget   verifyBudget

	mu      sync.RWMutex // guards tenants and closed
	tenants map[string]*tenant
	closed  bool

	stop    context.CancelFunc
	stopped chan struct{}
}

// Options of Open. The zero value works.
type Options struct {
	Log *slog.Logger // slog.Default if nil

	// OnDamage is told when a tenant's index turns out to be damaged while it is open. Until Reset, Search and
	// Put of that tenant are PartialIndex. It must return at once and not call the Index.
	OnDamage func(tenant string, err error)
}

const (
	quarantineDir = "_quarantine" // no tenant can have this name
	quarantined   = 2             // how many folders of a tenant are kept there
	savePeriod    = 500 * time.Millisecond
)

// Open opens what is in dir, which need not exist. A tenant whose index is not
// sound is moved aside and begins again, with Absorbed 0; Open does not fail for it.
func Open(dir string, tok query.Tokenizer, o Options) (*Bleve, error) {
	b := &Bleve{dir: dir, tok: tok, log: o.Log, onDamage: o.OnDamage, tenants: map[string]*tenant{}, stopped: make(chan struct{})}
	b.budget.left.Store(maxVerify)
	if b.log == nil {
		b.log = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make index folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read index folder: %w", err)
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range entries {
		if e.IsDir() && earshot.ValidTenantID(e.Name()) {
			g.Go(func() error { return b.openTenant(e.Name()) })
		}
	}
	err = g.Wait()
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go b.savePositions(ctx)
	if err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

// openTenant opens a tenant's folder or moves it aside.
func (b *Bleve) openTenant(name string) error {
	t := b.newTenant(name)
	err := t.open()
	if errors.Is(err, errInUse) {
		_ = t.closeShards()
		return fmt.Errorf("open index of tenant %s: %w", name, err)
	}
	if err != nil {
		_ = t.closeShards()
		b.log.Warn("index is not sound: it is set aside and will be built again", "tenant", name, "cause", err)
		if err := b.quarantine(name); err != nil {
			return fmt.Errorf("set index of tenant %s aside: %w", name, err)
		}
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenants[name] = t
	return nil
}

// quarantine moves a tenant's folder aside and keeps the newest few.
func (b *Bleve) quarantine(name string) error {
	aside := filepath.Join(b.dir, quarantineDir)
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	stamp := time.Now().UTC().Format("20060102T150405.000000000")
	if err := os.Rename(filepath.Join(b.dir, name), filepath.Join(aside, name+"-"+stamp)); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(aside, name+"-[0-9]*T[0-9]*.[0-9]*")) // sorted by name, so by time
	if err != nil {
		return err
	}
	for len(old) > quarantined {
		if err := os.RemoveAll(old[0]); err != nil {
			return err
		}
		old = old[1:]
	}
	return syncDir(b.dir)
}

// tenant gives a tenant that has been opened or put to; nil if there is none.
func (b *Bleve) tenant(name string) (*tenant, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return nil, errClosed()
	}
	return b.tenants[name], nil
}

func errClosed() error { return earshot.Errorf(earshot.Unavailable, "the index is closed") }

// ensure gives a tenant, new if need be. A new one has no folder before the first shard.
func (b *Bleve) ensure(name string) (*tenant, error) {
	if !earshot.ValidTenantID(name) {
		return nil, earshot.Errorf(earshot.NotFound, "there is no such tenant")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed()
	}
	t := b.tenants[name]
	if t == nil {
		t = b.newTenant(name)
		b.tenants[name] = t
	}
	return t, nil
}

// Put implements Index.
func (b *Bleve) Put(ctx context.Context, tenant string, batch Batch) error {
	t, err := b.ensure(tenant)
	if err != nil {
		return err
	}
	return t.put(ctx, batch)
}

// Absorbed implements Index. While the index is open it is what Put was given last.
func (b *Bleve) Absorbed(_ context.Context, tenant string) (uint64, error) {
	t, err := b.tenant(tenant)
	if t == nil {
		return 0, err
	}
	return t.absorbed(), nil
}

// Count implements Index.
func (b *Bleve) Count(ctx context.Context, tenant string) (int, error) {
	res, err := b.Search(ctx, tenant, Request{})
	if err != nil {
		return 0, err
	}
	return res.Total, nil
}

// Reset implements Index.
func (b *Bleve) Reset(_ context.Context, tenant string) error {
	t, err := b.ensure(tenant)
	if err != nil {
		return err
	}
	return t.reset()
}

// Close waits until what was put is on disk, at most ten seconds, and writes the positions.
func (b *Bleve) Close() error {
	b.stop()
	<-b.stopped
	b.mu.Lock()
	tenants := b.tenants
	b.tenants, b.closed = nil, true
	b.mu.Unlock()
	var errs []error
	for _, t := range tenants {
		errs = append(errs, t.close())
	}
	return errors.Join(errs...)
}

// savePositions writes positions that have moved, until ctx ends.
func (b *Bleve) savePositions(ctx context.Context) {
	defer close(b.stopped)
	tick := time.NewTicker(savePeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b.mu.RLock()
		tenants := make([]*tenant, 0, len(b.tenants))
		for _, t := range b.tenants {
			tenants = append(tenants, t)
		}
		b.mu.RUnlock()
		for _, t := range tenants {
			if err := t.save(); err != nil {
				b.log.Error("index position is not written", "tenant", t.name, "cause", err)
			}
		}
	}
}

// guard runs what calls bleve. A panic there is an error, and so is a fault
// while reading a mapped file that has become shorter. The panic's own text is
// told only if it is the runtime's: another might quote a document.
func guard(f func() error) (err error) {
	defer setPanicOnFault()()
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("panic: %s", p.Error())
		default:
			err = fmt.Errorf("panic with a %T", p)
		}
	}()
	return f()
}
