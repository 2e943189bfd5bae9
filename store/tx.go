package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/earshot-cx/earshot"
)

// Update implements Store.
func (s *SQLite) Update(ctx context.Context, tenant string, f func(Tx) error) error {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return s.w.do(ctx, 0, true, func(w *writer) error {
		tx := &tx{w: w, tenant: no}
		defer func() { tx.w = nil }()
		return f(tx)
	})
}

// A tx is what an Update sees of the writer. w is nil once it is over.
type tx struct {
	w      *writer
	tenant int64
	rows   map[string]int64 // of the verbatims of entries that were applied
}

var errTxOver = errors.New("the transaction is over")

// Apply implements Tx. The entry of a verbatim that was erased or revised since
// it was taken still gets its place in the log; a revision's own entry waits
// and brings the analysis.
func (t *tx) Apply(entries []*Entry) error {
	w := t.w
	if w == nil {
		return errTxOver
	}
	var row [1]driver.Value
	if _, err := w.tenantSeq.row(row[:], t.tenant); err != nil {
		return err
	}
	seq := row[0].(int64)
	analysed := int64(0)
	for _, e := range entries {
		e.Seq = 0
		if e.Record != nil {
			e.Record.Seq = 0
		}
		key := queueKey(t.tenant, e.Lane, e.ID)
		logged, err := w.log.exec(key, logKey(t.tenant, seq+1), int64(e.Lane))
		if err != nil {
			return err
		}
		if logged == 0 {
			continue // it no longer waits
		}
		seq++
		w.entries++
		if _, err := w.dequeue.exec(key); err != nil {
			return err
		}
		e.Seq = uint64(seq)
		t.remember(e)
		if e.Type == TypeErase {
			w.erased = true // what it was counted as goes now
		}
		if e.Record == nil || e.Record.Analysis == nil {
			continue
		}
		added, err := t.putAnalysis(seq, e.Record)
		if err != nil {
			return err
		}
		analysed += added
	}
	_, err := w.setTenantSeq.exec(t.tenant, seq, analysed)
	return err
}

func (t *tx) remember(e *Entry) {
	if t.rows == nil {
		t.rows = map[string]int64{}
	}
	if e.n != 0 {
		t.rows[e.Verbatim] = e.n
	}
}

// row finds the row of a verbatim; 0 if there is none.
func (t *tx) row(verbatim string) (int64, error) {
	if n, ok := t.rows[verbatim]; ok {
		return n, nil
	}
	var n [1]driver.Value
	found, err := t.w.findRow.row(n[:], t.tenant, verbatim)
	if err != nil || !found {
		return 0, err
	}
	return n[0].(int64), nil
}

// putAnalysis writes what was understood of the verbatim that entry seq of the
// log is about. added is 1 if it is the first analysis of it.
func (t *tx) putAnalysis(seq int64, r *earshot.Record) (added int64, err error) {
	body, err := json.Marshal(r.Analysis, jsonOptions)
	if err != nil {
		return 0, errors.New("encode analysis: a value that JSON does not have") // err may quote
	}
	var issues driver.Value
	if len(r.Issues) > 0 {
		if issues, err = json.Marshal(r.Issues, jsonOptions); err != nil {
			return 0, errors.New("encode issues: a value that JSON does not have")
		}
	}
	args := []driver.Value{logKey(t.tenant, seq), seq, int64(r.Verbatim.Revision), issues, body}
	added, err = t.w.insertAnalysis.exec(args...)
	if err != nil {
		return 0, err
	}
	written := added
	if written == 0 {
		if written, err = t.w.updateAnalysis.exec(args...); err != nil {
			return 0, err
		}
	}
	if written > 0 {
		r.Seq = uint64(seq)
	}
	return added, nil
}

// Fail implements Tx. An entry that waits again has a new ID.
func (t *tx) Fail(e *Entry, cause string) error {
	w := t.w
	if w == nil {
		return errTxOver
	}
	key := queueKey(t.tenant, e.Lane, e.ID)
	var row [5]driver.Value // type, n, at, attempts, payload
	found, err := w.findEntry.row(row[:], key)
	if err != nil || !found {
		return err
	}
	if _, err := w.dequeue.exec(key); err != nil {
		return err
	}
	id, err := w.newID()
	if err != nil {
		return err
	}
	kind, n, at, attempts, payload := row[0], row[1], row[2], row[3].(int64)+1, row[4]
	e.ID, e.Attempts = id, int(attempts)
	if attempts < MaxAttempts {
		_, err = w.enqueue.exec(queueKey(t.tenant, e.Lane, id), kind, n, at, attempts, payload)
		return err
	}
	_, err = w.insertDeadLetter.exec(logKey(t.tenant, id), kind, int64(e.Lane), n, at, payload, attempts,
		time.Now().UnixNano(), cause)
	return err
}
