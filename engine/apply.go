package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/issues"
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
	if err != nil && !ofTheStore(err) && !errors.Is(err, errMeanwhile) {
		err = e.oneByOne(ctx, t, good)
	}
	if errors.Is(err, errMeanwhile) {
		err = nil // the next Take sees what changed
	}
	t.update(func() {})
	signal(t.grown)
	return err
}

// errMeanwhile says that an entry of a batch was erased or revised since it was
// taken: what was worked out with it must not be kept.
var errMeanwhile = errors.New("a verbatim changed meanwhile")

// commit works out what follows from a batch, in order, and writes it with the
// batch in one transaction. When it can't be written the state is forgotten, to
// be loaded again as it was.
func (e *Engine) commit(ctx context.Context, t *tenant, good []work, bad []failure) error {
	t.applying.Lock()
	defer t.applying.Unlock()
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return err
	}
	entries := make([]*store.Entry, len(good))
	done := stopwatch()
	for i := range good {
		entries[i] = good[i].entry
		if err := e.apply(ctx, t, st, &good[i]); err != nil {
			t.state = nil
			return err
		}
	}
	done()
	return e.write(ctx, t, st, func(tx store.Tx) error {
		for _, f := range bad {
			if err := tx.Fail(f.entry, f.cause); err != nil {
				return err
			}
		}
		if err := tx.Apply(entries); err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.Seq == 0 || entry.Record != nil && entry.Record.Seq == 0 {
				return errMeanwhile
			}
		}
		return nil
	}, entries)
}

// write writes what a state worked out, with what first does, and tells of it.
func (e *Engine) write(ctx context.Context, t *tenant, st *state, first func(store.Tx) error, entries []*store.Entry) error {
	events := st.takeEvents()
	messages, err := e.messages(ctx, t, st, events)
	if err == nil {
		err = e.store.Update(ctx, t.id, func(tx store.Tx) error {
			if err := first(tx); err != nil {
				return err
			}
			done := stopwatch()
			if err := st.save(tx); err != nil {
				return err
			}
			done()
			for _, m := range messages {
				if err := tx.PutDelivery(m.delivery(st)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.state = nil
		return err
	}
	e.publish(t, st, events, entries)
	if len(messages) > 0 {
		e.sender.Wake()
	}
	return nil
}

// stopwatch measures, in the benchmark, what issues, series and alerts take.
var stopwatch = func() (stop func()) { return func() {} }

// apply works out what follows from one entry.
func (e *Engine) apply(ctx context.Context, t *tenant, st *state, w *work) error {
	entry := w.entry
	switch {
	case entry.Record != nil:
		before, err := e.countedAs(ctx, t, st, entry)
		if err != nil {
			return err
		}
		it := item{rec: entry.Record, mentions: w.mentions, live: entry.Lane == store.Live}
		st.place(&it, before, entry.At)
	case entry.Type == store.TypeErase:
		before, err := e.countedAs(ctx, t, st, entry)
		if err != nil {
			return err
		}
		st.erase(entry.Verbatim, before, entry.At)
		if err := e.forget(ctx, t, st, entry.Verbatim, before); err != nil {
			return err
		}
	default:
		st.advance(entry.At)
	}
	return st.issues.Wipe(func(number int64) (*issues.Issue, error) { return issues.Stored(ctx, e.store, t.id, number) })
}

// forget takes an erased verbatim out of the alerts of its issues, those of
// earlier incidents too.
func (e *Engine) forget(ctx context.Context, t *tenant, st *state, verbatim string, before *counted) error {
	if before == nil || len(before.Issues) == 0 {
		return nil
	}
	docs, err := e.store.Documents(ctx, t.id, kindAlert)
	if err != nil {
		return err
	}
	about := map[int64]bool{}
	for _, n := range numbersOf(before.Issues) {
		about[st.issues.Current(n)] = true
	}
	alerts := map[string]*incident{} // as they are now
	for _, d := range docs {
		in, err := unpackIncident(d)
		if err != nil {
			return err
		}
		alerts[in.Alert.ID] = in
	}
	st.watch.inMemory(alerts)
	for _, id := range slices.Sorted(maps.Keys(alerts)) {
		in := alerts[id]
		n, _ := issues.NumberOf(in.Alert.Subject.ID)
		if n = st.issues.Current(n); about[n] {
			in.forget(st, verbatim, n)
			st.watch.old = append(st.watch.old, in)
		}
	}
	return nil
}

// countedAs reads what a verbatim was counted as; nil if it was not.
func (e *Engine) countedAs(ctx context.Context, t *tenant, st *state, entry *store.Entry) (*counted, error) {
	if c, ok := st.counted[entry.Verbatim]; ok {
		return c, nil
	}
	if entry.Type == store.TypeVerbatim && entry.Record.Verbatim.Revision <= 1 {
		return nil, nil // it is new
	}
	body, err := e.store.Counted(ctx, t.id, entry.Verbatim)
	if err != nil || body == nil {
		return nil, err
	}
	c := &counted{}
	if err := json.Unmarshal(body, c); err != nil {
		return nil, fmt.Errorf("what %s was counted as: %d bytes are not what was written", entry.Verbatim, len(body))
	}
	return c, nil
}

// stateOf gives a tenant's state, loaded at first use. t.applying is held.
func (e *Engine) stateOf(ctx context.Context, t *tenant) (*state, error) {
	if t.state != nil {
		return t.state, nil
	}
	st, err := loadState(ctx, e.store, t.id, e.reader, e.location)
	if err != nil {
		return nil, fmt.Errorf("load issues and alerts: %w", err)
	}
	t.state = st
	return st, nil
}

// ofTheStore says whether an error is the store's own trouble, for which no entry is to blame.
func ofTheStore(err error) bool {
	code := earshot.CodeOf(err)
	return code == earshot.StorageFull || code == earshot.Unavailable
}

// oneByOne finds the entry for which a batch fails, so that it alone is blamed.
func (e *Engine) oneByOne(ctx context.Context, t *tenant, batch []work) error {
	for i := range batch {
		entry := batch[i].entry
		err := e.commit(ctx, t, batch[i:i+1], nil)
		if ofTheStore(err) || errors.Is(err, errMeanwhile) {
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

// A work is an entry with what was found in it.
type work struct {
	entry    *store.Entry
	mentions []issues.Mention
}

// analyze works out the entries of a batch, several at once. It writes nothing.
func (e *Engine) analyze(batch []*store.Entry) (good []work, bad []failure) {
	mentions := make([][]issues.Mention, len(batch))
	causes := make([]string, len(batch))
	step := max(1, min(64, (len(batch)+cap(e.slots)-1)/cap(e.slots)))
	var g errgroup.Group
	for from := 0; from < len(batch); from += step {
		g.Go(func() error {
			e.slots <- struct{}{}
			defer func() { <-e.slots }()
			for i := from; i < min(from+step, len(batch)); i++ {
				mentions[i], causes[i] = e.analyzeEntry(batch[i])
			}
			return nil
		})
	}
	_ = g.Wait() // the goroutines return no error
	for i, cause := range causes {
		if cause == "" {
			good = append(good, work{batch[i], mentions[i]})
		} else {
			e.log.Error("analyse", "verbatim", batch[i].Verbatim, "attempt", batch[i].Attempts+1, "cause", cause)
			bad = append(bad, failure{batch[i], cause})
		}
	}
	return good, bad
}

// analyzeEntry analyses the verbatim of an entry; "" is success.
func (e *Engine) analyzeEntry(entry *store.Entry) (mentions []issues.Mention, cause string) {
	defer func() {
		if p := recover(); p != nil {
			cause = fmt.Sprintf("panic: %v", p)
		}
	}()
	if entry.Record != nil {
		entry.Record.Analysis = e.nlp.Analyze(&entry.Record.Verbatim)
		mentions = e.reader.Mentions(entry.Record)
	}
	return mentions, ""
}
