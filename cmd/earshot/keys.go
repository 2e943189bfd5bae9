package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/store"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make, list and revoke keys, also beside a running service", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(keysCreateCommand(), keysListCommand(), keysRevokeCommand())
	return cmd
}

// withStore gives a command the record of its data folder.
func withStore(cmd *cobra.Command, f func(ctx context.Context, s store.Store) error) error {
	c, err := loadConfig(cmd.Flags())
	if err != nil {
		return usageError{err}
	}
	s, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // every write was answered before
	return f(cmd.Context(), s)
}

func keysCreateCommand() *cobra.Command {
	var tenant string
	var scopes []string
	var valid time.Duration
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a key and print it, alone; the tenant is made if it is new",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !earshot.ValidTenantID(tenant) {
				return usageError{fmt.Errorf("--tenant %q: a tenant's name is lower-case letters, digits, - and _", tenant)}
			}
			for _, s := range scopes {
				if !slices.Contains(earshot.Scopes, s) {
					return usageError{fmt.Errorf("--scopes: %q is not one of %s", s, strings.Join(earshot.Scopes, ", "))}
				}
			}
			if valid < 0 {
				return usageError{fmt.Errorf("--valid %v is below 0", valid)}
			}
			return withStore(cmd, func(ctx context.Context, s store.Store) error {
				now := time.Now().UTC()
				err := s.PutTenant(ctx, earshot.Tenant{ID: tenant, CreatedAt: now})
				if err != nil && earshot.CodeOf(err) != earshot.Conflict {
					return err
				}
				plain, key := engine.NewKey(now)
				key.Tenant, key.Scopes = tenant, scopes
				if valid > 0 {
					expires := now.Add(valid)
					key.ExpiresAt = &expires
				}
				if err := s.PutKey(ctx, key); err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), plain)
				return err
			})
		},
	}
	addFlags(cmd.Flags(), "data")
	cmd.Flags().StringVar(&tenant, "tenant", earshot.DefaultTenant, "whose key")
	cmd.Flags().StringSliceVar(&scopes, "scopes", []string{"ingest", "read"}, "what it may do: "+strings.Join(earshot.Scopes, ", "))
	cmd.Flags().DurationVar(&valid, "valid", 0, "for how long; 0 is for ever")
	return cmd
}

func keysListCommand() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys of a tenant, or of all",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, s store.Store) error {
				tenants, err := s.Tenants(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tTENANT\tSCOPES\tCREATED\tEXPIRES\tLAST USED") //nolint:errcheck // Flush tells
				for _, t := range tenants {
					if tenant != "" && t.ID != tenant {
						continue
					}
					keys, err := s.Keys(ctx, t.ID)
					if err != nil {
						return err
					}
					for _, k := range keys {
						//nolint:errcheck // Flush tells
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Tenant, strings.Join(k.Scopes, ","), when(&k.CreatedAt), when(k.ExpiresAt), when(k.LastUsedAt))
					}
				}
				return w.Flush()
			})
		},
	}
	addFlags(cmd.Flags(), "data")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return cmd
}

func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func keysRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a key; a running service refuses it within a second",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, s store.Store) error {
				tenants, err := s.Tenants(ctx)
				if err != nil {
					return err
				}
				for _, t := range tenants {
					err := s.RevokeKey(ctx, t.ID, args[0])
					if earshot.CodeOf(err) != earshot.NotFound {
						return err
					}
				}
				return earshot.Errorf(earshot.NotFound, "there is no key %s", args[0])
			})
		},
	}
	addFlags(cmd.Flags(), "data")
	return cmd
}
