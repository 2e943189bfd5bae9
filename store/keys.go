package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
)

// PutTenant implements Store.
func (s *SQLite) PutTenant(ctx context.Context, t earshot.Tenant) error {
	if !earshot.ValidTenantID(t.ID) {
		return earshot.Errorf(earshot.Invalid, "a tenant's id is 1 to 64 lower-case letters, digits, - and _")
	}
	return s.w.do(ctx, 0, true, func(w *writer) error {
		added, err := w.insertTenant.exec(t.ID, t.CreatedAt.UnixNano())
		if err == nil && added == 0 {
			err = earshot.Errorf(earshot.Conflict, "there is a tenant %s already", t.ID)
		}
		if err != nil {
			return err
		}
		var no [1]driver.Value
		if _, err := w.findTenant.row(no[:], t.ID); err != nil {
			return err
		}
		if no[0].(int64) > maxTenant {
			return fmt.Errorf("a store has room for %d tenants", maxTenant)
		}
		return nil
	})
}

// Tenants implements Store: oldest first.
func (s *SQLite) Tenants(ctx context.Context) ([]earshot.Tenant, error) {
	return collect(ctx, s.r.tenants, func(rows *sql.Rows) (t earshot.Tenant, err error) {
		var created int64
		err = rows.Scan(&t.ID, &created)
		t.CreatedAt = fromNano(created)
		return t, err
	})
}

// tenant gives the number of a tenant, which never changes.
func (s *SQLite) tenant(ctx context.Context, id string) (int64, error) {
	if no, ok := s.tenants.Load(id); ok {
		return no.(int64), nil
	}
	var no int64
	err := s.r.tenantNo.QueryRowContext(ctx, id).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, earshot.Errorf(earshot.NotFound, "there is no such tenant")
	}
	if err != nil {
		return 0, fmt.Errorf("read tenant: %w", err)
	}
	s.tenants.Store(id, no)
	return no, nil
}

// PutKey implements Store.
func (s *SQLite) PutKey(ctx context.Context, k earshot.Key) error {
	no, err := s.tenant(ctx, k.Tenant)
	if err != nil {
		return err
	}
	return s.w.do(ctx, 0, false, func(w *writer) error {
		root := int64(0)
		if k.Root {
			root = 1
		}
		added, err := w.insertKey.exec(k.ID, no, k.Hash[:], strings.Join(k.Scopes, " "), k.CreatedAt.UnixNano(),
			nano(k.ExpiresAt), nano(k.LastUsedAt), root)
		if err == nil && added == 0 {
			err = earshot.Errorf(earshot.Conflict, "there is such a key already")
		}
		return err
	})
}

// KeyByHash implements Store.
func (s *SQLite) KeyByHash(ctx context.Context, hash [32]byte) (earshot.Key, error) {
	keys, err := collect(ctx, s.r.keyByHash, scanKey, hash[:])
	if err != nil {
		return earshot.Key{}, err
	}
	if len(keys) == 0 {
		return earshot.Key{}, errNoKey
	}
	return keys[0], nil
}

// Keys implements Store.
func (s *SQLite) Keys(ctx context.Context, tenant string) ([]earshot.Key, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.keys, scanKey, no)
}

func scanKey(rows *sql.Rows) (k earshot.Key, err error) {
	var hash sql.RawBytes
	var scopes string
	var created int64
	var expires, used sql.NullInt64
	err = rows.Scan(&k.ID, &k.Tenant, &hash, &scopes, &created, &expires, &used, &k.Root)
	copy(k.Hash[:], hash)
	k.Scopes = strings.Fields(scopes)
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt = fromNano(created), fromNullNano(expires), fromNullNano(used)
	return k, err
}

// RevokeKey implements Store.
func (s *SQLite) RevokeKey(ctx context.Context, tenant, id string) error {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return s.w.do(ctx, 0, false, func(w *writer) error {
		gone, err := w.deleteKey.exec(no, id)
		if err == nil && gone == 0 {
			err = errNoKey
		}
		return err
	})
}

// TouchKey implements Store. A key that was revoked meanwhile is no error.
func (s *SQLite) TouchKey(ctx context.Context, id string, at time.Time) error {
	return s.w.do(ctx, 0, false, func(w *writer) error {
		_, err := w.touchKey.exec(id, at.UnixNano())
		return err
	})
}

// Secret implements Store.
func (s *SQLite) Secret(ctx context.Context, name string) (secret [32]byte, err error) {
	var kept []byte
	err = s.r.secret.QueryRowContext(ctx, name).Scan(&kept)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.w.do(ctx, 0, false, func(w *writer) error {
			var fresh [32]byte
			_, _ = rand.Read(fresh[:]) // never fails
			if _, err := w.insertSecret.exec(name, fresh[:]); err != nil {
				return err
			}
			var row [1]driver.Value
			_, err := w.findSecret.row(row[:], name)
			kept, _ = row[0].([]byte)
			return err
		})
	}
	if err != nil {
		return secret, fmt.Errorf("secret %s: %w", name, err)
	}
	copy(secret[:], kept)
	return secret, nil
}

var errNoKey = earshot.Errorf(earshot.NotFound, "there is no such key")

// Times are stored as nanoseconds since 1970 and read as UTC.

func nano(t *time.Time) driver.Value {
	if t == nil {
		return nil
	}
	return t.UnixNano()
}

func fromNano(n int64) time.Time { return time.Unix(0, n).UTC() }

func fromNullNano(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	t := fromNano(n.Int64)
	return &t
}
