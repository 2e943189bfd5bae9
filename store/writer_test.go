package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

func testStore(t *testing.T) *SQLite {
	t.Helper()
	return testStoreIn(t, t.TempDir())
}

func testStoreIn(t *testing.T, dir string) *SQLite {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.PutTenant(t.Context(), earshot.Tenant{ID: "t"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// onWriter runs f on the writer's goroutine, in a transaction.
func onWriter(t *testing.T, s *SQLite, f func(*writer) error) {
	t.Helper()
	if err := s.w.do(t.Context(), 0, false, f); err != nil {
		t.Fatal(err)
	}
}

func testItems(n int, text string) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{Verbatim: earshot.Verbatim{ID: fmt.Sprintf("v_%s%d", text, i), Turns: []earshot.Turn{{Text: text}}}}
	}
	return items
}

// hold stops the writer until release is called, so that calls pile up behind it.
func hold(s *SQLite) (release func()) {
	started, stop := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.w.do(context.Background(), 0, false, func(*writer) error {
			close(started)
			<-stop
			return nil
		})
	}()
	<-started
	return func() { close(stop) }
}

// queued waits until n calls are waiting for the writer.
func queued(s *SQLite, n int) {
	for len(s.w.calls) < n {
		time.Sleep(time.Millisecond)
	}
}

func TestEntriesOfOtherTypes(t *testing.T) {
	s := testStore(t)
	onWriter(t, s, func(w *writer) error {
		return w.put(1, Backfill, waiting{kind: TypeRule, at: 5, payload: []byte(`{"name":"r"}`)})
	})
	check := func(e *Entry) {
		t.Helper()
		if e.Type != TypeRule || e.Lane != Backfill || string(e.Payload) != `{"name":"r"}` ||
			e.Record != nil || e.Verbatim != "" || e.At.UnixNano() != 5 {
			t.Errorf("entry is %+v", e)
		}
	}
	entries, err := s.Take(t.Context(), "t", 1)
	if err != nil {
		t.Fatal(err)
	}
	check(entries[0])
	if err := s.Update(t.Context(), "t", func(tx Tx) error {
		return errors.Join(tx.Fail(entries[0], "once"), tx.Apply(entries))
	}); err != nil {
		t.Fatal(err)
	}
	log, err := s.Log(t.Context(), "t", 0, 10)
	if err != nil || len(log) != 1 {
		t.Fatalf("log is %v, %v", log, err)
	}
	check(log[0])
}

func TestGroups(t *testing.T) {
	s := testStore(t)
	release := hold(s)
	sizes := []int{1, 1, MaxGroup + 1, 1, MaxGroup - 1, 2}
	ids := make([]int64, len(sizes))
	answers := make(chan error, len(sizes))
	for i, size := range sizes {
		queued(s, i)
		go func() {
			answers <- s.w.do(context.Background(), size, false, func(w *writer) error {
				ids[i] = w.groups
				return nil
			})
		}()
		queued(s, i+1)
	}
	release()
	for range sizes {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	first := ids[0]
	for i := range ids {
		ids[i] -= first
	}
	if got, want := fmt.Sprint(ids), "[0 0 1 2 2 3]"; got != want {
		t.Errorf("calls of sizes %v went into groups %s, want %s", sizes, got, want)
	}
}

func TestFailingCallsLeaveNeighboursAlone(t *testing.T) {
	s := testStore(t)
	release := hold(s)
	type result struct {
		name string
		err  error
	}
	calls := []struct {
		name string
		code earshot.Code
		run  func() error
	}{
		{"accept", "", func() error { _, err := s.Accept(context.Background(), "t", testItems(2, "a")); return err }},
		{"error", earshot.Internal, func() error {
			return s.Update(context.Background(), "t", func(x Tx) error {
				return errors.Join(x.(*tx).w.put(1, Live, waiting{kind: TypeTick}), errors.New("no"))
			})
		}},
		{"erase what is not there", earshot.NotFound, func() error { return s.Erase(context.Background(), "t", "v_none", time.Now()) }},
		{"panic", earshot.Internal, func() error {
			return s.Update(context.Background(), "t", func(x Tx) error {
				_ = x.(*tx).w.put(1, Live, waiting{kind: TypeTick})
				panic("oh")
			})
		}},
		{"accept more", "", func() error { _, err := s.Accept(context.Background(), "t", testItems(2, "b")); return err }},
	}
	results := make(chan result, len(calls))
	for i, c := range calls {
		go func() { results <- result{c.name, c.run()} }()
		queued(s, i+1)
	}
	release()
	for range calls {
		r := <-results
		for _, c := range calls {
			if c.name == r.name && earshot.CodeOf(r.err) != c.code {
				t.Errorf("%s: got %v, want code %q", r.name, r.err, c.code)
			}
		}
	}
	entries, err := s.Take(t.Context(), "t", 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("%d entries wait, want the 4 that were accepted", len(entries))
	}
}

func TestDiskFull(t *testing.T) {
	s := testStore(t)
	onWriter(t, s, func(w *writer) error {
		if _, err := w.insertSecret.exec("x", make([]byte, 1)); err != nil {
			return err
		}
		pages, err := w.pragma("page_count")
		if err != nil {
			return err
		}
		_, err = w.pragma(fmt.Sprintf("max_page_count = %d", pages+20))
		return err
	})
	if _, err := s.Accept(t.Context(), "t", testItems(10, "few")); err != nil {
		t.Fatal(err)
	}
	release := hold(s)
	answers := make(chan error, 2)
	go func() {
		answers <- s.PutKey(context.Background(), earshot.Key{ID: "k_1", Tenant: "t"}) // in the same group: fails with it
	}()
	queued(s, 1)
	go func() {
		_, err := s.Accept(context.Background(), "t", testItems(MaxGroup-1, "many"))
		answers <- err
	}()
	queued(s, 2)
	release()
	for range 2 {
		if err := <-answers; earshot.CodeOf(err) != earshot.StorageFull {
			t.Errorf("got %v, want storage_full", err)
		}
	}
	if keys, err := s.Keys(t.Context(), "t"); len(keys) != 0 || err != nil {
		t.Errorf("keys are %v, %v", keys, err)
	}
	entries, err := s.Take(t.Context(), "t", 100)
	if err != nil || len(entries) != 10 {
		t.Errorf("%d entries wait, %v; want the 10 of before", len(entries), err)
	}
	onWriter(t, s, func(w *writer) error {
		_, err := w.pragma("max_page_count = 1000000")
		return err
	})
	if _, err := s.Accept(t.Context(), "t", testItems(MaxGroup, "many")); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

// TestIDsAreNotReused undoes a transaction that took blocks of ids.
func TestIDsAreNotReused(t *testing.T) {
	dir := t.TempDir()
	s := testStoreIn(t, dir)
	last := int64(0)
	for range 3 {
		onWriter(t, s, func(w *writer) error {
			id, err := w.newID()
			if err == nil && id <= last {
				err = fmt.Errorf("id %d after %d", id, last)
			}
			last = id
			return err
		})
		_ = s.w.do(t.Context(), 0, true, func(w *writer) error {
			for range idBlock + 1 {
				if _, err := w.newID(); err != nil {
					return err
				}
			}
			return errors.New("undo")
		})
	}
	other, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	onWriter(t, other, func(w *writer) error {
		id, err := w.newID()
		if err == nil && id <= last {
			err = fmt.Errorf("another process gave id %d after %d", id, last)
		}
		return err
	})
}

func TestErasedTextLeavesTheLog(t *testing.T) {
	dir := t.TempDir()
	s := testStoreIn(t, dir)
	if _, err := s.Accept(t.Context(), "t", testItems(1, "a")); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), "t", "v_a0", time.Now()); err != nil {
		t.Fatal(err)
	}
	for { // the writer comes to it when it is idle
		info, err := os.Stat(filepath.Join(dir, FileName+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestCompareDamagedFingerprint(t *testing.T) {
	f := Fingerprint{Turns: make([][16]byte, 2)}
	for n := range len(f.pack()) {
		if got := f.compare(f.pack()[:n]); got == Duplicate {
			t.Errorf("the first %d bytes are taken for the whole", n)
		}
	}
	if got := f.compare(f.pack()); got != Duplicate {
		t.Errorf("the whole is %q", got)
	}
}
