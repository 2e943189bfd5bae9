package engine

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
)

// pause is how long a loop rests after a failure before it tries again.
const pause = 500 * time.Millisecond

// applyLoop applies what waits in a tenant's lanes, batch after batch.
func (e *Engine) applyLoop(ctx context.Context, t *tenant) {
	for ctx.Err() == nil {
		batch, err := e.store.Take(ctx, t.id, e.batch)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.log.Error("take entries", "tenant", t.id, "err", err)
			rest(ctx, pause)
		case len(batch) == 0:
			select {
			case <-ctx.Done():
			case <-t.waiting:
			}
		default:
			// A batch once begun is finished, also when ctx ends.
			if err := e.process(context.WithoutCancel(ctx), t, batch); err != nil {
				e.log.Error("process batch", "tenant", t.id, "entries", len(batch), "err", err)
				rest(ctx, pause)
			}
		}
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// process carries one tenant's batch through the service. Running the same
// batch twice changes nothing: an entry that was applied no longer waits. The
// index is not written here; it follows the log (follow.go), so that a slow
// index delays nothing.
func (e *Engine) process(ctx context.Context, t *tenant, batch []*store.Entry) error {
	good, bad := e.analyze(batch)
	err := e.commit(ctx, t, good, bad)
	if err != nil && !ofTheStore(err) {
		err = e.oneByOne(ctx, t, good)
	}
	t.update(func() {})
	signal(t.grown)
	return err
}

// commit writes a batch and all that follows from it in one transaction.
func (e *Engine) commit(ctx context.Context, t *tenant, good []*store.Entry, bad []failure) error {
	return e.store.Update(ctx, t.id, func(tx store.Tx) error {
		for _, f := range bad {
			if err := tx.Fail(f.entry, f.cause); err != nil {
				return err
			}
		}
		return tx.Apply(good)
	})
}

// ofTheStore says whether an error is the store's own trouble, for which no entry is to blame.
func ofTheStore(err error) bool {
	code := earshot.CodeOf(err)
	return code == earshot.StorageFull || code == earshot.Unavailable
}

// oneByOne finds the entry for which a batch fails, so that it alone is blamed.
func (e *Engine) oneByOne(ctx context.Context, t *tenant, batch []*store.Entry) error {
	for _, entry := range batch {
		err := e.commit(ctx, t, []*store.Entry{entry}, nil)
		if ofTheStore(err) {
			return err
		}
		if err != nil {
			e.log.Error("apply entry", "tenant", t.id, "verbatim", entry.Verbatim, "err", err)
			if err := e.commit(ctx, t, nil, []failure{{entry, err.Error()}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// A failure is an entry that could not be worked out.
type failure struct {
	entry *store.Entry
	cause string
}

// analyze works out the entries of a batch, several at once. It writes nothing.
func (e *Engine) analyze(batch []*store.Entry) (good []*store.Entry, bad []failure) {
	causes := make([]string, len(batch))
	step := max(1, min(64, (len(batch)+cap(e.slots)-1)/cap(e.slots)))
	var g errgroup.Group
	for from := 0; from < len(batch); from += step {
		g.Go(func() error {
			e.slots <- struct{}{}
			defer func() { <-e.slots }()
			for i := from; i < min(from+step, len(batch)); i++ {
				causes[i] = e.analyzeEntry(batch[i])
			}
			return nil
		})
	}
	_ = g.Wait() // the goroutines return no error
	for i, cause := range causes {
		if cause == "" {
			good = append(good, batch[i])
		} else {
			e.log.Error("analyse", "verbatim", batch[i].Verbatim, "attempt", batch[i].Attempts+1, "cause", cause)
			bad = append(bad, failure{batch[i], cause})
		}
	}
	return good, bad
}

// analyzeEntry analyses the verbatim of an entry; "" is success.
func (e *Engine) analyzeEntry(entry *store.Entry) (cause string) {
	defer func() {
		if p := recover(); p != nil {
			cause = fmt.Sprintf("panic: %v", p)
		}
	}()
	if entry.Record != nil {
		entry.Record.Analysis = e.nlp.Analyze(&entry.Record.Verbatim)
	}
	return ""
}
