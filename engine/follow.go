package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/earshot-cx/earshot/index"
)

// followBatch is how many entries of the log the index absorbs at a time.
const followBatch = 500

// followLoop keeps a tenant's index up to its log. Whatever goes wrong with the
// index is tried again, and a damaged index is thrown away and built anew: the
// record has everything.
func (e *Engine) followLoop(ctx context.Context, t *tenant) {
	for failures := 0; ctx.Err() == nil; {
		err := e.follow(ctx, t)
		if ctx.Err() != nil {
			return
		}
		failures++
		e.log.Error("follow the log", "tenant", t.id, "failures", failures, "err", err)
		t.update(func() {
			t.fault = err.Error()
			t.damaged = t.damaged || failures%3 == 0
		})
		rest(ctx, min(time.Duration(failures)*pause, time.Minute))
	}
}

// follow absorbs the log from where the index stands, until ctx ends or something fails.
func (e *Engine) follow(ctx context.Context, t *tenant) error {
	after, err := e.begin(ctx, t)
	if err != nil {
		return err
	}
	for {
		entries, err := e.store.Log(ctx, t.id, after, followBatch)
		if err != nil {
			return fmt.Errorf("read log after %d: %w", after, err)
		}
		if len(entries) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-t.grown:
			}
			if t.isDamaged() {
				return errDamaged
			}
			continue
		}
		var b index.Batch
		latest := make(map[string]int, len(entries)) // a verbatim revised twice is put once, as it is now
		for i, entry := range entries {
			latest[entry.Verbatim] = i
		}
		for i, entry := range entries {
			switch {
			case entry.Verbatim == "" || latest[entry.Verbatim] != i:
			case entry.Record == nil:
				b.Gone = append(b.Gone, entry.Verbatim)
			case entry.Record.Analysis != nil:
				b.Put = append(b.Put, entry.Record)
			}
		}
		b.Seq = entries[len(entries)-1].Seq
		// A batch once begun is finished, also when ctx ends.
		if err := e.index.Put(context.WithoutCancel(ctx), t.id, b); err != nil {
			return fmt.Errorf("index entries %d to %d: %w", entries[0].Seq, b.Seq, err)
		}
		after = b.Seq
		t.update(func() { t.absorbed, t.fault = after, "" })
	}
}

var errDamaged = fmt.Errorf("the index is damaged")

// begin says from where to follow. The index must not be searched until it has
// caught up with the log as it is now: it may be one that was being rebuilt.
func (e *Engine) begin(ctx context.Context, t *tenant) (after uint64, err error) {
	if t.isDamaged() {
		if err := e.index.Reset(ctx, t.id); err != nil {
			return 0, fmt.Errorf("reset index: %w", err)
		}
	}
	if after, err = e.index.Absorbed(ctx, t.id); err != nil {
		return 0, fmt.Errorf("read position of index: %w", err)
	}
	last, err := e.store.LastSeq(ctx, t.id)
	if err != nil {
		return 0, fmt.Errorf("read end of log: %w", err)
	}
	if after > last { // an index of another record, or a record restored from a backup
		if err := e.index.Reset(ctx, t.id); err != nil {
			return 0, fmt.Errorf("reset index: %w", err)
		}
		after = 0
	}
	t.update(func() { t.damaged, t.absorbed, t.target = false, after, last })
	if after == 0 && last > 0 {
		e.log.Info("rebuilding the index", "tenant", t.id, "entries", last)
	}
	return after, nil
}

func (t *tenant) isDamaged() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.damaged
}

// Rebuild throws a tenant's index away and builds it again from the record, in
// the background; searches are refused until it is complete.
func (e *Engine) Rebuild(tenant string) {
	t := e.tenant(tenant)
	t.update(func() { t.damaged = true })
	signal(t.grown)
}
