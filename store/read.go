package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/earshot-cx/earshot"
)

// readers are what is asked of the pool of read-only connections.
type readers struct {
	tenants, tenantNo, keyByHash, keys, secret *sql.Stmt

	waiting, count, lastSeq, queued, take *sql.Stmt
	record, records, log, deadLetters     *sql.Stmt

	documents, document, counted, members, membersSince, buckets, countMembers *sql.Stmt
	heads, deliveries, deliveriesOf                                            *sql.Stmt
}

// recordColumns are what scanRecord reads, with verbatims as v and analyses as a.
const recordColumns = `v.id, v.revision, v.source, v.external_id, v.received, v.body, a.seq, a.revision, a.issues, a.body`

const keyColumns = `k.id, t.id, k.hash, k.scopes, k.created, k.expires, k.used, k.root FROM keys k JOIN tenants t ON t.no = k.tenant`

func (r *readers) prepare(db *sql.DB) error {
	for st, query := range map[**sql.Stmt]string{
		&r.tenants:   `SELECT id, created FROM tenants ORDER BY created, no`,
		&r.tenantNo:  `SELECT no FROM tenants WHERE id = ?`,
		&r.keyByHash: `SELECT ` + keyColumns + ` WHERE k.hash = ?`,
		&r.keys:      `SELECT ` + keyColumns + ` WHERE k.tenant = ? ORDER BY k.created, k.id`,
		&r.secret:    `SELECT value FROM secrets WHERE name = ?`,

		&r.waiting: `SELECT id FROM tenants t WHERE EXISTS
			(SELECT 1 FROM queue WHERE key BETWEEN t.no << 43 AND (t.no << 43) + (1 << 43) - 1) ORDER BY id`,
		&r.count:   `SELECT analysed FROM tenants WHERE no = ?`,
		&r.lastSeq: `SELECT seq FROM tenants WHERE no = ?`,
		&r.queued:  `SELECT count(*) FROM (SELECT 1 FROM queue WHERE key BETWEEN ? AND ? LIMIT ?)`,
		&r.take: `SELECT q.key, q.type, coalesce(q.n, 0), q.at, q.attempts, q.payload, ` + recordColumns + `
			FROM queue q LEFT JOIN verbatims v ON v.n = q.n LEFT JOIN analyses a ON a.n = q.n
			WHERE q.key BETWEEN ? AND ? ORDER BY q.key LIMIT ?`,

		&r.record: `SELECT ` + recordColumns + ` FROM verbatims v LEFT JOIN analyses a ON a.n = v.n
			WHERE v.tenant = ? AND v.id = ?`,
		&r.records: `SELECT ` + recordColumns + ` FROM json_each(?2) j
			CROSS JOIN verbatims v ON v.tenant = ?1 AND v.id = j.value LEFT JOIN analyses a ON a.n = v.n`,
		&r.log: `SELECT l.key, l.type, l.at, l.lane, l.payload, ` + recordColumns + `
			FROM log l LEFT JOIN verbatims v ON v.n = l.n LEFT JOIN analyses a ON a.n = l.n
			WHERE l.key > ? AND l.key <= ? ORDER BY l.key LIMIT ?`,
		&r.documents: `SELECT id, body FROM documents WHERE tenant = ? AND kind = ? ORDER BY id`,
		&r.document:  `SELECT body FROM documents WHERE tenant = ? AND kind = ? AND id = ?`,
		&r.counted:   `SELECT c.body FROM verbatims v JOIN counted c ON c.n = v.n WHERE v.tenant = ? AND v.id = ?`,
		&r.members: `SELECT m.issue, v.id, m.person, m.at, m.tag FROM members m JOIN verbatims v ON v.n = m.n
			WHERE m.tenant = ? AND m.issue = ? ORDER BY m.at DESC, m.n DESC LIMIT ?`,
		&r.membersSince: `SELECT m.issue, v.id, m.person, m.at, m.tag FROM members m JOIN verbatims v ON v.n = m.n
			WHERE m.tenant = ? AND m.at >= ? ORDER BY m.at, m.n, m.issue`,
		&r.countMembers: `SELECT count(*), count(DISTINCT person) FROM members WHERE tenant = ? AND issue = ?`,
		&r.buckets:      `SELECT key, t, body FROM series WHERE tenant = ? AND key >= ? AND key < ? AND t >= ? ORDER BY key, t`,
		&r.heads: `SELECT t.id, o.body, o.payload FROM
			(SELECT min(id) AS id FROM outbox WHERE state = 'pending' GROUP BY tenant, webhook) h
			JOIN outbox o ON o.id = h.id JOIN tenants t ON t.no = o.tenant ORDER BY o.id`,
		&r.deliveries: `SELECT body, payload FROM outbox WHERE tenant = ?1 AND webhook = ?2
			AND id < coalesce((SELECT id FROM outbox WHERE message = ?3), 1 << 62) ORDER BY id DESC LIMIT ?4`,
		&r.deliveriesOf: `SELECT body, payload FROM outbox WHERE tenant = ? AND alert = ? AND alert <> '' ORDER BY id`,

		&r.deadLetters: `SELECT d.key, d.type, coalesce(v.id, ''), d.at, d.failed, d.attempts, d.cause
			FROM dead_letters d LEFT JOIN verbatims v ON v.n = d.n
			WHERE d.key > ? AND d.key <= ? ORDER BY d.key LIMIT ?`,
	} {
		var err error
		if *st, err = db.Prepare(query); err != nil { //nolint:sqlclosecheck // lives as long as db
			return fmt.Errorf("prepare %q: %w", query, err)
		}
	}
	return nil
}

// collect reads all rows of a result.
func collect[T any](ctx context.Context, st *sql.Stmt, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("read: %w", storageError(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err has it
	var all []T
	for rows.Next() {
		x, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		all = append(all, x)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read: %w", storageError(err))
	}
	return all, nil
}

// A recordRow is what recordColumns give. Its bytes are good until the next row.
type recordRow struct {
	id                 sql.NullString
	revision, received sql.NullInt64
	source, external   sql.NullString
	body               sql.RawBytes
	seq, of            sql.NullInt64 // of the analysis
	issues, analysis   sql.RawBytes
}

func (r *recordRow) dest(before ...any) []any {
	return append(before, &r.id, &r.revision, &r.source, &r.external, &r.received, &r.body,
		&r.seq, &r.of, &r.issues, &r.analysis)
}

// record gives nil if there is no verbatim or it was erased.
func (r *recordRow) record() (*earshot.Record, error) {
	if r.body == nil {
		return nil, nil
	}
	rec := &earshot.Record{}
	v := &rec.Verbatim
	if err := unpack(r.body, "verbatim "+r.id.String, v); err != nil {
		return nil, err
	}
	v.ID, v.Source, v.ExternalID = r.id.String, r.source.String, r.external.String
	v.Revision, v.ReceivedAt = int(r.revision.Int64), fromNano(r.received.Int64)
	if r.issues != nil {
		if err := unpack(r.issues, "issues of "+v.ID, &rec.Issues); err != nil {
			return nil, err
		}
	}
	if r.analysis != nil && r.of.Int64 == r.revision.Int64 {
		rec.Analysis = &earshot.Analysis{}
		rec.Seq = uint64(r.seq.Int64)
		if err := unpack(r.analysis, "analysis of "+v.ID, rec.Analysis); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

func scanRecord(rows *sql.Rows) (*earshot.Record, error) {
	var r recordRow
	if err := rows.Scan(r.dest()...); err != nil {
		return nil, err
	}
	return r.record()
}

// Record implements Store.
func (s *SQLite) Record(ctx context.Context, tenant, id string) (*earshot.Record, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	recs, err := collect(ctx, s.r.record, scanRecord, no, id)
	if err != nil {
		return nil, err
	}
	if len(recs) == 0 || recs[0] == nil {
		return nil, errNoVerbatim
	}
	return recs[0], nil
}

// Records implements Store.
func (s *SQLite) Records(ctx context.Context, tenant string, ids []string) ([]*earshot.Record, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	recs, err := collect(ctx, s.r.records, scanRecord, no, string(list))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*earshot.Record, len(recs))
	for _, r := range recs {
		if r != nil {
			byID[r.Verbatim.ID] = r
		}
	}
	recs = recs[:0]
	for _, id := range ids {
		if r := byID[id]; r != nil {
			recs = append(recs, r)
		}
	}
	return recs, nil
}

// Waiting implements Store.
func (s *SQLite) Waiting(ctx context.Context) ([]string, error) {
	return collect(ctx, s.r.waiting, func(rows *sql.Rows) (id string, err error) {
		return id, rows.Scan(&id)
	})
}

// Take implements Store. While both lanes wait, Backfill has a tenth of limit,
// but one place at least if limit is two or more.
func (s *SQLite) Take(ctx context.Context, tenant string, limit int) ([]*Entry, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil || limit <= 0 {
		return nil, err
	}
	live, err := s.queued(ctx, no, Live, limit)
	if err != nil {
		return nil, err
	}
	backfill, err := s.queued(ctx, no, Backfill, limit)
	if err != nil {
		return nil, err
	}
	live, backfill = shares(live, backfill, limit)
	var first, second []*Entry
	if live > 0 {
		if first, err = s.takeLane(ctx, no, Live, live); err != nil {
			return nil, err
		}
	}
	if backfill > 0 {
		if second, err = s.takeLane(ctx, no, Backfill, backfill); err != nil {
			return nil, err
		}
	}
	return interleave(first, second), nil
}

// livePerBackfill is how many of Live go before one of Backfill.
const livePerBackfill = 9

// shares divides max places between so many that wait in each lane.
func shares(live, backfill, limit int) (int, int) {
	part := limit / (livePerBackfill + 1)
	if part == 0 && limit > 1 {
		part = 1
	}
	backfill = min(backfill, max(part, limit-live))
	return min(live, limit-backfill), backfill
}

// interleave puts one of backfill behind every nine of live.
func interleave(live, backfill []*Entry) []*Entry {
	if len(live) == 0 || len(backfill) == 0 {
		return append(live, backfill...)
	}
	all := make([]*Entry, 0, len(live)+len(backfill))
	for len(live) > 0 {
		n := min(livePerBackfill, len(live))
		all = append(all, live[:n]...)
		live = live[n:]
		if len(backfill) > 0 {
			all = append(all, backfill[0])
			backfill = backfill[1:]
		}
	}
	return append(all, backfill...)
}

func (s *SQLite) queued(ctx context.Context, tenant int64, lane Lane, limit int) (n int, err error) {
	err = s.r.queued.QueryRowContext(ctx, queueKey(tenant, lane, 0), queueKey(tenant, lane, 1<<idBits-1), limit).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read queue: %w", storageError(err))
	}
	return n, nil
}

func (s *SQLite) takeLane(ctx context.Context, tenant int64, lane Lane, n int) ([]*Entry, error) {
	return collect(ctx, s.r.take, func(rows *sql.Rows) (*Entry, error) {
		e := &Entry{Lane: lane}
		var key, at int64
		var r recordRow
		if err := rows.Scan(r.dest(&key, &e.Type, &e.n, &at, &e.Attempts, &e.Payload)...); err != nil {
			return nil, err
		}
		e.ID, e.At = queueID(key), fromNano(at)
		return e, e.fill(&r)
	}, queueKey(tenant, lane, 0), queueKey(tenant, lane, 1<<idBits-1), n)
}

// fill adds the verbatim that an entry is about.
func (e *Entry) fill(r *recordRow) (err error) {
	e.Verbatim = r.id.String
	if e.Type == TypeVerbatim || e.Type == TypeRevision {
		e.Record, err = r.record()
	}
	return err
}

// Log implements Store.
func (s *SQLite) Log(ctx context.Context, tenant string, after uint64, limit int) ([]*Entry, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil || limit <= 0 || after >= 1<<(idBits+1) {
		return nil, err
	}
	return collect(ctx, s.r.log, func(rows *sql.Rows) (*Entry, error) {
		e := &Entry{}
		var key, at int64
		var r recordRow
		if err := rows.Scan(r.dest(&key, &e.Type, &at, &e.Lane, &e.Payload)...); err != nil {
			return nil, err
		}
		e.Seq, e.At = uint64(logSeq(key)), fromNano(at)
		return e, e.fill(&r)
	}, logKey(no, int64(after)), logKey(no+1, 0)-1, limit)
}

// LastSeq implements Store.
func (s *SQLite) LastSeq(ctx context.Context, tenant string) (uint64, error) {
	n, err := s.figure(ctx, s.r.lastSeq, tenant)
	return uint64(n), err
}

// Count implements Store. A verbatim whose revision waits counts: it was analysed.
func (s *SQLite) Count(ctx context.Context, tenant string) (int, error) {
	n, err := s.figure(ctx, s.r.count, tenant)
	return int(n), err
}

func (s *SQLite) figure(ctx context.Context, st *sql.Stmt, tenant string) (n int64, err error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil {
		return 0, err
	}
	if err := st.QueryRowContext(ctx, no).Scan(&n); err != nil {
		return 0, fmt.Errorf("read tenant: %w", storageError(err))
	}
	return n, nil
}

// DeadLetters implements Store.
func (s *SQLite) DeadLetters(ctx context.Context, tenant string, after int64, limit int) ([]DeadLetter, error) {
	no, err := s.tenant(ctx, tenant)
	if err != nil || limit <= 0 || after >= 1<<idBits {
		return nil, err
	}
	return collect(ctx, s.r.deadLetters, func(rows *sql.Rows) (d DeadLetter, err error) {
		var key, at, failed int64
		err = rows.Scan(&key, &d.Type, &d.Verbatim, &at, &failed, &d.Attempts, &d.Cause)
		d.ID, d.At, d.FailedAt = queueID(key), fromNano(at), fromNano(failed)
		return d, err
	}, logKey(no, max(after, 0)), logKey(no+1, 0)-1, limit)
}
