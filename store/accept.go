package store

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/earshot-cx/earshot"
)

// An incoming is an Item made ready for the writer, which then has nothing to
// encode.
type incoming struct {
	id               string
	source, external string
	received         int64
	lane             Lane
	print            Fingerprint
	packed           []byte // print; nil without an external id
	body             []byte
	replace          bool
}

// Accept implements Store.
func (s *SQLite) Accept(ctx context.Context, tenant string, items []Item) ([]Outcome, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	now := time.Now().UTC()
	in := make([]incoming, len(items))
	for i := range items {
		if in[i], err = makeReady(&items[i], now); err != nil {
			return nil, err
		}
	}
	out := make([]Outcome, len(items))
	err = s.w.do(ctx, len(items), false, func(w *writer) error {
		return w.accept(no, in, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func makeReady(it *Item, now time.Time) (incoming, error) {
	v := &it.Verbatim
	body, err := packBody(*v)
	in := incoming{
		id: v.ID, source: v.Source, external: v.ExternalID,
		received: v.ReceivedAt.UnixNano(),
		lane:     it.Lane,
		print:    it.Print,
		body:     body,
		replace:  it.Replace,
	}
	if v.ReceivedAt.IsZero() {
		in.received = now.UnixNano()
	}
	if in.external != "" {
		in.packed = in.print.pack()
	}
	return in, err
}

func (w *writer) accept(tenant int64, in []incoming, out []Outcome) error {
	for i := range in {
		it := &in[i]
		id, err := w.newID()
		if err != nil {
			return err
		}
		var external, packed driver.Value
		if it.external != "" {
			external, packed = it.external, it.packed
		}
		added, err := w.insertVerbatim.exec(id, tenant, it.id, it.source, external, it.received, packed, it.body)
		if err != nil {
			return err
		}
		if added == 0 {
			if out[i], err = w.again(tenant, it); err != nil {
				return err
			}
			continue
		}
		if _, err := w.enqueueVerbatim.exec(queueKey(tenant, it.lane, id), id, it.received); err != nil {
			return err
		}
		out[i] = Outcome{ID: it.id, Status: Accepted}
	}
	return nil
}

// again decides on an item whose external id is known: API.md, "Posting".
func (w *writer) again(tenant int64, it *incoming) (Outcome, error) {
	var stored [3]driver.Value // n, id, print
	found := false
	if it.external != "" {
		var err error
		if found, err = w.findVerbatim.row(stored[:], tenant, it.source, it.external); err != nil {
			return Outcome{}, err
		}
	}
	if !found {
		return Outcome{ID: it.id, Err: earshot.Errorf(earshot.Conflict, "there is a verbatim of this id already")}, nil
	}
	n, known := stored[0].(int64), stored[2].([]byte)
	o := Outcome{ID: stored[1].(string), Status: it.print.compare(known)}
	switch {
	case o.Status == Duplicate:
		return o, nil
	case o.Status == "" && !it.replace:
		o.Err = earshot.Errorf(earshot.Conflict, "this external_id was sent with other content")
		return o, nil
	}
	o.Status = Revised
	if _, err := w.reviseVerbatim.exec(n, it.packed, it.body); err != nil {
		return o, err
	}
	return o, w.put(tenant, it.lane, waiting{kind: TypeRevision, n: n, at: it.received})
}

// A waiting is a row of the queue.
type waiting struct {
	kind     Type
	n        driver.Value // of the verbatim it is about, or nil
	at       int64
	attempts int64
	payload  driver.Value // []byte, or nil
}

// put gives an entry of any type its place at the end of a lane.
func (w *writer) put(tenant int64, lane Lane, e waiting) error {
	id, err := w.newID()
	if err != nil {
		return err
	}
	_, err = w.enqueue.exec(queueKey(tenant, lane, id), string(e.kind), e.n, e.at, e.attempts, e.payload)
	return err
}

// Erase implements Store. A row with the verbatim's id stays, for the log.
func (s *SQLite) Erase(ctx context.Context, tenant, id string, at time.Time) error {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return s.w.do(ctx, 1, false, func(w *writer) error { return w.erase(no, id, at.UnixNano()) })
}

func (w *writer) erase(tenant int64, id string, at int64) error {
	var found [1]driver.Value
	if ok, err := w.findForErasure.row(found[:], tenant, id); err != nil {
		return err
	} else if !ok {
		return errNoVerbatim
	}
	n := found[0].(int64)
	analysed, err := w.eraseAnalysis.exec(n)
	if err != nil {
		return err
	}
	if analysed > 0 {
		if _, err := w.countErased.exec(tenant); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		stmt *stmt
		arg  int64
	}{
		{w.eraseVerbatim, n},
		{w.eraseEntry, queueKey(tenant, Live, n)}, // the entry that brought it has its number,
		{w.eraseEntry, queueKey(tenant, Backfill, n)},
		{w.eraseEntries, n}, // the others say so
		{w.eraseDeadLetters, n},
	} {
		if _, err := step.stmt.exec(step.arg); err != nil {
			return err
		}
	}
	w.erased = true
	return w.put(tenant, Live, waiting{kind: TypeErase, n: n, at: at})
}

var errNoVerbatim = earshot.Errorf(earshot.NotFound, "there is no such verbatim")
