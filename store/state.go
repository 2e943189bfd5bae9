package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/earshot-cx/earshot"
)

// Append implements Tx.
func (t *tx) Append(e *Entry) error {
	w := t.w
	if w == nil {
		return errTxOver
	}
	var row [1]driver.Value
	if _, err := w.tenantSeq.row(row[:], t.tenant); err != nil {
		return err
	}
	seq := row[0].(int64) + 1
	var payload driver.Value
	if e.Payload != nil {
		payload = e.Payload
	}
	if _, err := w.appendLog.exec(logKey(t.tenant, seq), string(e.Type), e.At.UnixNano(), payload); err != nil {
		return err
	}
	e.Seq = uint64(seq)
	_, err := w.setTenantSeq.exec(t.tenant, seq, int64(0))
	return err
}

// exec runs a statement of the writer for this tenant.
func (t *tx) exec(of func(*writer) *stmt, args ...driver.Value) (int64, error) {
	if t.w == nil {
		return 0, errTxOver
	}
	return of(t.w).exec(append([]driver.Value{t.tenant}, args...)...)
}

// Put implements Tx.
func (t *tx) Put(kind, id string, body []byte) (err error) {
	if body == nil {
		_, err = t.exec(func(w *writer) *stmt { return w.dropDocument }, kind, id)
	} else {
		_, err = t.exec(func(w *writer) *stmt { return w.putDocument }, kind, id, body)
	}
	return err
}

// SetCounted implements Tx.
func (t *tx) SetCounted(verbatim string, body []byte) error {
	if t.w == nil {
		return errTxOver
	}
	n, err := t.row(verbatim)
	switch {
	case err != nil || n == 0:
	case body == nil:
		_, err = t.w.dropCounted.exec(n)
	default:
		_, err = t.w.putCounted.exec(n, body)
	}
	return err
}

// Join implements Tx.
func (t *tx) Join(issue int64, m Member) (first, newPerson bool, err error) {
	w := t.w
	if w == nil {
		return false, false, errTxOver
	}
	n, err := t.row(m.Verbatim)
	if err != nil || n == 0 {
		return false, false, err
	}
	var row [1]driver.Value
	known, err := w.personIn.row(row[:], t.tenant, issue, int64(m.Person))
	if err != nil {
		return false, false, err
	}
	added, err := w.addMember.exec(t.tenant, issue, n, int64(m.Person), m.At.UnixNano(), int64(m.Tag))
	return added > 0, added > 0 && !known, err
}

// Leave implements Tx.
func (t *tx) Leave(issue int64, verbatim string) (left, lastOfPerson bool, err error) {
	w := t.w
	if w == nil {
		return false, false, errTxOver
	}
	n, err := t.row(verbatim)
	if err != nil || n == 0 {
		return false, false, err
	}
	var person [1]driver.Value
	found, err := w.findMember.row(person[:], t.tenant, issue, n)
	if err != nil || !found {
		return false, false, err
	}
	if _, err := w.dropMember.exec(t.tenant, issue, n); err != nil {
		return false, false, err
	}
	var row [1]driver.Value
	known, err := w.personIn.row(row[:], t.tenant, issue, person[0])
	return true, !known, err
}

// MergeIssues implements Tx.
func (t *tx) MergeIssues(from, into int64) (verbatims, people int, err error) {
	w := t.w
	if w == nil {
		return 0, 0, errTxOver
	}
	if _, err := w.moveMembers.exec(t.tenant, from, into); err != nil {
		return 0, 0, err
	}
	if _, err := w.dropMembers.exec(t.tenant, from); err != nil {
		return 0, 0, err
	}
	var row [2]driver.Value
	if _, err := w.countMembers.row(row[:], t.tenant, into); err != nil {
		return 0, 0, err
	}
	return int(row[0].(int64)), int(row[1].(int64)), nil
}

// Bucket implements Tx.
func (t *tx) Bucket(key string, at int64) ([]byte, error) {
	if t.w == nil {
		return nil, errTxOver
	}
	var row [1]driver.Value
	found, err := t.w.findBucket.row(row[:], t.tenant, key, at)
	if err != nil || !found {
		return nil, err
	}
	body, _ := row[0].([]byte)
	return body, nil
}

// PutBucket implements Tx.
func (t *tx) PutBucket(key string, at int64, body []byte) (err error) {
	if body == nil {
		_, err = t.exec(func(w *writer) *stmt { return w.dropBucket }, key, at)
	} else {
		_, err = t.exec(func(w *writer) *stmt { return w.putBucket }, key, at, body)
	}
	return err
}

// PutDelivery implements Tx.
func (t *tx) PutDelivery(d earshot.Delivery) error {
	body, err := packDelivery(d)
	if err != nil {
		return err
	}
	_, err = t.exec(func(w *writer) *stmt { return w.putDelivery }, d.Webhook, d.ID, d.Alert, d.State, d.CreatedAt.UnixNano(), body, d.Body)
	return err
}

// DropDeliveries implements Tx.
func (t *tx) DropDeliveries(webhook string) error {
	_, err := t.exec(func(w *writer) *stmt { return w.dropDeliveries }, webhook)
	return err
}

// PruneDeliveries implements Tx.
func (t *tx) PruneDeliveries(at time.Time) error {
	_, err := t.exec(func(w *writer) *stmt { return w.pruneDeliveries }, at.UnixNano())
	return err
}

func packDelivery(d earshot.Delivery) ([]byte, error) {
	b, err := json.Marshal(&d, jsonOptions)
	if err != nil {
		return nil, errors.New("encode delivery: a value that JSON does not have")
	}
	return b, nil
}

// Documents implements State.
func (s *SQLite) Documents(ctx context.Context, tenant, kind string) ([]Document, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.documents, func(rows *sql.Rows) (d Document, err error) {
		return d, rows.Scan(&d.ID, &d.Body)
	}, no, kind)
}

// Document implements State.
func (s *SQLite) Document(ctx context.Context, tenant, kind, id string) ([]byte, error) {
	return s.blob(ctx, s.r.document, tenant, kind, id)
}

// Counted implements State.
func (s *SQLite) Counted(ctx context.Context, tenant, verbatim string) ([]byte, error) {
	return s.blob(ctx, s.r.counted, tenant, verbatim)
}

func (s *SQLite) blob(ctx context.Context, st *sql.Stmt, tenant string, args ...any) ([]byte, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	found, err := collect(ctx, st, func(rows *sql.Rows) (b []byte, err error) {
		return b, rows.Scan(&b)
	}, append([]any{no}, args...)...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Members implements State.
func (s *SQLite) Members(ctx context.Context, tenant string, issue int64, limit int) ([]Member, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.members, scanMember, no, issue, limit)
}

// CountMembers implements State.
func (s *SQLite) CountMembers(ctx context.Context, tenant string, issue int64) (verbatims, people int, err error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return 0, 0, err
	}
	if err := s.r.countMembers.QueryRowContext(ctx, no, issue).Scan(&verbatims, &people); err != nil {
		return 0, 0, fmt.Errorf("count members: %w", storageError(err))
	}
	return verbatims, people, nil
}

// MembersSince implements State.
func (s *SQLite) MembersSince(ctx context.Context, tenant string, at time.Time) ([]Member, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.membersSince, scanMember, no, at.UnixNano())
}

func scanMember(rows *sql.Rows) (m Member, err error) {
	var person, at, tag int64
	err = rows.Scan(&m.Issue, &m.Verbatim, &person, &at, &tag)
	m.Person, m.At, m.Tag = uint64(person), fromNano(at), uint32(tag)
	return m, err
}

// Buckets implements State.
func (s *SQLite) Buckets(ctx context.Context, tenant, prefix string, t int64) ([]Bucket, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	// U+10FFFF is above every character of a key.
	return collect(ctx, s.r.buckets, func(rows *sql.Rows) (b Bucket, err error) {
		return b, rows.Scan(&b.Key, &b.T, &b.Body)
	}, no, prefix, prefix+"\U0010ffff", t)
}

// Heads implements Outbox.
func (s *SQLite) Heads(ctx context.Context) ([]Head, error) {
	return collect(ctx, s.r.heads, func(rows *sql.Rows) (h Head, err error) {
		h.Delivery, err = scanDelivery(rows, &h.Tenant)
		return h, err
	})
}

func scanDelivery(rows *sql.Rows, before ...any) (d earshot.Delivery, err error) {
	var body sql.RawBytes
	var payload []byte
	if err := rows.Scan(append(before, &body, &payload)...); err != nil {
		return d, err
	}
	err = unpack(body, "delivery", &d)
	d.Body = payload
	return d, err
}

// Attempted implements Outbox.
func (s *SQLite) Attempted(ctx context.Context, tenant string, d earshot.Delivery) error {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	body, err := packDelivery(d)
	if err != nil {
		return err
	}
	return s.w.do(ctx, 0, false, func(w *writer) error {
		_, err := w.setDelivery.exec(no, d.ID, d.State, body)
		return err
	})
}

// Deliveries implements Outbox.
func (s *SQLite) Deliveries(ctx context.Context, tenant, webhook, before string, limit int) ([]earshot.Delivery, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.deliveries, func(rows *sql.Rows) (earshot.Delivery, error) { return scanDelivery(rows) }, no, webhook, before, limit)
}

// DeliveriesOf implements Outbox.
func (s *SQLite) DeliveriesOf(ctx context.Context, tenant, alert string) ([]earshot.Delivery, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.r.deliveriesOf, func(rows *sql.Rows) (earshot.Delivery, error) { return scanDelivery(rows) }, no, alert)
}
