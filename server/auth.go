package server

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
)

const (
	keyFresh   = 500 * time.Millisecond // a revoked key is refused within a second
	touchEvery = time.Minute            // when a key was last used may lag by this
	maxKnown   = 10_000                 // keys remembered at once
)

// A keyCache spares the store a look-up for each request of a busy client. It
// knows keys by their hash, so that finding one takes the same time whatever
// part of it is right.
type keyCache struct {
	mu    sync.Mutex // guards known
	known map[[32]byte]knownKey
}

type knownKey struct {
	key     earshot.Key
	read    time.Time // when it was read from the store
	touched time.Time // when its last use was last written
}

// authenticate finds out who calls and whether they may.
func (s *Server) authenticate(c *call, scope string) error {
	if scope == "" {
		return nil
	}
	key, err := s.keyOf(c.ctx(), c.GetHeader("Authorization"))
	if err != nil {
		return err
	}
	c.key, c.tenant = key, key.Tenant
	c.Set(tenantKey, key.Tenant)
	return c.need(scope)
}

// need says Forbidden unless the key has the scope.
func (c *call) need(scope string) error {
	if !c.key.Allows(scope) {
		return earshot.Errorf(earshot.Forbidden, "this needs a key with scope %s", scope)
	}
	return nil
}

var errUnknownKey = earshot.Errorf(earshot.Unauthenticated, "the key is not known, was revoked or has expired")

func (s *Server) keyOf(ctx context.Context, header string) (earshot.Key, error) {
	scheme, plain, _ := strings.Cut(header, " ")
	if plain = strings.TrimSpace(plain); !strings.EqualFold(scheme, "Bearer") || plain == "" {
		return earshot.Key{}, earshot.Errorf(earshot.Unauthenticated, "send a key: Authorization: Bearer esk_…")
	}
	if engine.CheckKey(plain) != nil {
		return earshot.Key{}, errUnknownKey
	}
	hash := engine.HashKey(plain)
	now := s.now()
	s.keys.mu.Lock()
	known, ok := s.keys.known[hash]
	s.keys.mu.Unlock()
	if age := now.Sub(known.read); !ok || age < 0 || age > keyFresh {
		key, err := s.store.KeyByHash(ctx, hash)
		if err != nil {
			s.keys.forget(hash)
			if earshot.CodeOf(err) == earshot.NotFound {
				err = errUnknownKey
			}
			return earshot.Key{}, err
		}
		known.key, known.read = key, now
		if touched := key.LastUsedAt; touched != nil && touched.After(known.touched) {
			known.touched = *touched
		}
		if now.Sub(known.touched) >= touchEvery {
			known.touched = now
			s.touch(ctx, key.ID, now)
		}
		s.keys.remember(hash, known)
	}
	if e := known.key.ExpiresAt; e != nil && !now.Before(*e) {
		return earshot.Key{}, errUnknownKey
	}
	return known.key, nil
}

// touch writes when a key was used, without keeping the request waiting for the disk.
func (s *Server) touch(ctx context.Context, id string, now time.Time) {
	s.touches.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := s.store.TouchKey(ctx, id, now); err != nil && earshot.CodeOf(err) != earshot.NotFound {
			s.log.Warn("touch key", "key", id, "err", err)
		}
	})
}

func (k *keyCache) remember(hash [32]byte, known knownKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= maxKnown {
		clear(k.known)
	}
	k.known[hash] = known
}

func (k *keyCache) forget(hash [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, hash)
}

// forgetID drops a key that was revoked through this server at once.
func (k *keyCache) forgetID(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for hash, known := range k.known {
		if known.key.ID == id {
			delete(k.known, hash)
		}
	}
}
