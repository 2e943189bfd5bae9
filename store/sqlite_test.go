package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
	"github.com/earshot-cx/earshot/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s := open(t, t.TempDir())
		t.Cleanup(func() { shut(t, s) })
		return s
	})
}

func open(t *testing.T, dir string) *store.SQLite {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t *testing.T, s *store.SQLite) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func tenant(t *testing.T, s *store.SQLite) {
	t.Helper()
	if err := s.PutTenant(t.Context(), earshot.Tenant{ID: "t"}); err != nil {
		t.Fatal(err)
	}
}

func accept(t *testing.T, s *store.SQLite, id, text string) {
	t.Helper()
	it := store.Item{Verbatim: earshot.Verbatim{ID: id, Turns: []earshot.Turn{{Text: text}}}}
	if _, err := s.Accept(t.Context(), "t", []store.Item{it}); err != nil {
		t.Fatal(err)
	}
}

// apply gives n entries that wait their places in the log.
func apply(t *testing.T, s *store.SQLite, n int) {
	t.Helper()
	entries, err := s.Take(t.Context(), "t", n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Record != nil {
			e.Record.Analysis = &earshot.Analysis{Model: "m"}
		}
	}
	if err := s.Update(t.Context(), "t", func(tx store.Tx) error { return tx.Apply(entries) }); err != nil {
		t.Fatal(err)
	}
}

// state is all that a tenant's readers can see.
func state(t *testing.T, s *store.SQLite) map[string]any {
	t.Helper()
	all := map[string]any{}
	note := func(name string, x any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = x
	}
	ctx := t.Context()
	tenants, err := s.Tenants(ctx)
	note("tenants", tenants, err)
	secret, err := s.Secret(ctx, "s")
	note("secret", secret, err)
	taken, err := s.Take(ctx, "t", 100)
	note("queue", taken, err)
	log, err := s.Log(ctx, "t", 0, 100)
	note("log", log, err)
	n, err := s.Count(ctx, "t")
	note("count", n, err)
	seq, err := s.LastSeq(ctx, "t")
	note("seq", seq, err)
	return all
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data ?#%41")
	s := open(t, dir)
	tenant(t, s)
	accept(t, s, "v_1", "a")
	accept(t, s, "v_2", "b")
	apply(t, s, 1)
	before := state(t, s)
	shut(t, s)
	shut(t, s) // twice is harmless
	if _, err := s.Accept(t.Context(), "t", []store.Item{{}}); earshot.CodeOf(err) != earshot.Unavailable {
		t.Errorf("accept after close gives %v", err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, store.FileName): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, want)
		}
	}

	s = open(t, dir)
	defer shut(t, s)
	if d := cmp.Diff(before, state(t, s), cmpopts.IgnoreUnexported(store.Entry{})); d != "" {
		t.Errorf("after opening again (-before +after):\n%s", d)
	}
	accept(t, s, "v_3", "c")
	apply(t, s, 10)
	if seq, err := s.LastSeq(t.Context(), "t"); seq != 3 || err != nil {
		t.Errorf("last seq is %d, %v; want 3", seq, err)
	}
}

func TestNewerIsRefused(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir))
	db, err := sql.Open("sqlite", filepath.Join(dir, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var ours int
	if err := db.QueryRow("PRAGMA user_version").Scan(&ours); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 4711"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(dir)
	if err == nil || !strings.Contains(err.Error(), "version 4711") || !strings.Contains(err.Error(), fmt.Sprintf("version %d:", ours)) {
		t.Errorf("got %v, want a sentence with both versions", err)
	}
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), bytes.Repeat([]byte("no"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(dir); err == nil {
		t.Error("a file that is no database was opened")
	}
}

// TestTwoStores opens one folder several times, as processes do: all make it,
// and then all write to it.
func TestTwoStores(t *testing.T) {
	dir := t.TempDir()
	stores := make([]*store.SQLite, 3)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() {
			var err error
			if stores[i], err = store.Open(dir); err != nil {
				t.Errorf("open: %v", err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	tenant(t, stores[0])
	const each = 50
	for i, s := range stores {
		defer shut(t, s)
		wg.Go(func() {
			for j := range each {
				it := store.Item{Verbatim: earshot.Verbatim{ID: fmt.Sprintf("v_%d_%d", i, j), Turns: []earshot.Turn{{Text: "a"}}}}
				if _, err := s.Accept(context.Background(), "t", []store.Item{it}); err != nil {
					t.Errorf("accept: %v", err)
				}
			}
		})
	}
	wg.Wait()
	ids := map[int64]bool{}
	for _, s := range stores {
		entries, err := s.Take(t.Context(), "t", 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != each*len(stores) {
			t.Errorf("a store sees %d entries, want %d", len(entries), each*len(stores))
		}
		for _, e := range entries {
			ids[e.ID] = true
		}
	}
	if len(ids) != each*len(stores) {
		t.Errorf("%d ids for %d entries", len(ids), each*len(stores))
	}
	key := earshot.Key{ID: "k_1", Tenant: "t", Hash: [32]byte{1}}
	if err := stores[1].PutKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := stores[0].KeyByHash(t.Context(), key.Hash); err != nil {
		t.Errorf("a key that another process made: %v", err)
	}
	secrets := map[[32]byte]bool{}
	for _, s := range stores {
		secret, err := s.Secret(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		secrets[secret] = true
	}
	if len(secrets) != 1 {
		t.Errorf("%d secrets of one name", len(secrets))
	}
}

// TestErasedIsOffTheDisk looks for the words in the files themselves.
func TestErasedIsOffTheDisk(t *testing.T) {
	const small, large = "unforgettable-words", "unforgettable-speech"
	dir := t.TempDir()
	holds := func(words string) bool {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, store.FileName+"*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(words)) {
				return true
			}
		}
		return false
	}
	s := open(t, dir)
	tenant(t, s)
	accept(t, s, "v_1", small)
	accept(t, s, "v_2", strings.Repeat(large, 2000)) // over many pages
	apply(t, s, 10)
	shut(t, s)
	if !holds(small) || !holds(large) {
		t.Fatal("the words are not in the files to begin with")
	}
	s = open(t, dir)
	for _, id := range []string{"v_1", "v_2"} {
		if err := s.Erase(t.Context(), "t", id, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	if holds(small) || holds(large) {
		t.Error("erased words are still in the files")
	}
}
