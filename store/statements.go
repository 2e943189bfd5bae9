package store

// statements are what the writer says to the database.
type statements struct {
	takeIDs *stmt

	insertVerbatim, findVerbatim, reviseVerbatim *stmt
	enqueueVerbatim, enqueue                     *stmt

	findForErasure, eraseVerbatim, eraseAnalysis             *stmt
	eraseEntry, eraseEntries, eraseDeadLetters               *stmt
	countErased                                              *stmt
	tenantSeq, setTenantSeq                                  *stmt
	log, dequeue, insertAnalysis, updateAnalysis             *stmt
	findEntry, insertDeadLetter                              *stmt
	insertTenant, findTenant, insertKey, deleteKey, touchKey *stmt
	insertSecret, findSecret                                 *stmt

	appendLog, putDocument, dropDocument                      *stmt
	findRow, putCounted, dropCounted                          *stmt
	personIn, addMember, findMember, dropMember               *stmt
	moveMembers, dropMembers, countMembers                    *stmt
	findBucket, putBucket, dropBucket                         *stmt
	putDelivery, setDelivery, dropDeliveries, pruneDeliveries *stmt
}

func (s *statements) prepare(c *conn) error {
	for st, query := range map[**stmt]string{
		&s.takeIDs: `UPDATE ids SET next = next + ? RETURNING next`,

		// A verbatim is new unless its external id (or its id) is known: then nothing is inserted.
		&s.insertVerbatim: `INSERT OR IGNORE INTO verbatims (n, tenant, id, revision, source, external_id, received, print, body)
			VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)`,
		&s.findVerbatim:    `SELECT n, id, print FROM verbatims WHERE tenant = ? AND source = ? AND external_id = ?`,
		&s.reviseVerbatim:  `UPDATE verbatims SET revision = revision + 1, print = ?2, body = ?3 WHERE n = ?1`,
		&s.enqueueVerbatim: `INSERT OR IGNORE INTO queue (key, type, n, at) VALUES (?, 'verbatim', ?, ?)`,
		&s.enqueue:         `INSERT OR IGNORE INTO queue (key, type, n, at, attempts, payload) VALUES (?, ?, ?, ?, ?, ?)`,

		&s.findForErasure: `SELECT n FROM verbatims WHERE tenant = ? AND id = ? AND body IS NOT NULL`,
		&s.eraseVerbatim: `UPDATE verbatims SET source = NULL, external_id = NULL, received = NULL, print = NULL, body = NULL
			WHERE n = ?`,
		&s.eraseAnalysis:    `DELETE FROM analyses WHERE n = ?`,
		&s.countErased:      `UPDATE tenants SET analysed = analysed - 1 WHERE no = ?`,
		&s.eraseEntry:       `DELETE FROM queue WHERE key = ?`,
		&s.eraseEntries:     `DELETE FROM queue WHERE n = ? AND (attempts > 0 OR type <> 'verbatim')`,
		&s.eraseDeadLetters: `DELETE FROM dead_letters WHERE n = ?`,

		// The entry is copied to the log, if it still waits, and the analysis of the verbatim
		// that the log says it is about is written, if it was made of what is stored.
		&s.tenantSeq:    `SELECT seq FROM tenants WHERE no = ?`,
		&s.setTenantSeq: `UPDATE tenants SET seq = ?2, analysed = analysed + ?3 WHERE no = ?1`,
		&s.log: `INSERT OR IGNORE INTO log (key, type, lane, n, at, payload)
			SELECT ?2, type, ?3, n, at, payload FROM queue WHERE key = ?1`,
		&s.dequeue: `DELETE FROM queue WHERE key = ?`,
		&s.insertAnalysis: `INSERT OR IGNORE INTO analyses (n, seq, revision, issues, body)
			SELECT v.n, ?2, v.revision, ?4, ?5 FROM log l JOIN verbatims v ON v.n = l.n
			WHERE l.key = ?1 AND v.revision = ?3 AND v.body IS NOT NULL`,
		&s.updateAnalysis: `UPDATE analyses SET seq = ?2, revision = ?3, issues = ?4, body = ?5
			WHERE n = (SELECT v.n FROM log l JOIN verbatims v ON v.n = l.n
				WHERE l.key = ?1 AND v.revision = ?3 AND v.body IS NOT NULL)`,

		&s.findEntry: `SELECT type, n, at, attempts, payload FROM queue WHERE key = ?`,
		&s.insertDeadLetter: `INSERT INTO dead_letters (key, type, lane, n, at, payload, attempts, failed, cause)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,

		&s.insertTenant: `INSERT OR IGNORE INTO tenants (id, created) VALUES (?, ?)`,
		&s.findTenant:   `SELECT no FROM tenants WHERE id = ?`,
		&s.insertKey: `INSERT OR IGNORE INTO keys (id, tenant, hash, scopes, created, expires, used, root)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.deleteKey:    `DELETE FROM keys WHERE tenant = ? AND id = ?`,
		&s.touchKey:     `UPDATE keys SET used = max(coalesce(used, 0), ?2) WHERE id = ?1`,
		&s.insertSecret: `INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)`,
		&s.findSecret:   `SELECT value FROM secrets WHERE name = ?`,

		&s.appendLog: `INSERT INTO log (key, type, lane, n, at, payload) VALUES (?, ?, 0, NULL, ?, ?)`,
		&s.putDocument: `INSERT INTO documents (tenant, kind, id, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body`,
		&s.dropDocument: `DELETE FROM documents WHERE tenant = ? AND kind = ? AND id = ?`,
		&s.findRow:      `SELECT n FROM verbatims WHERE tenant = ? AND id = ?`,
		&s.putCounted:   `INSERT OR REPLACE INTO counted (n, body) VALUES (?, ?)`,
		&s.dropCounted:  `DELETE FROM counted WHERE n = ?`,
		&s.personIn:     `SELECT 1 FROM members WHERE tenant = ? AND issue = ? AND person = ? LIMIT 1`,
		&s.addMember:    `INSERT OR IGNORE INTO members (tenant, issue, n, person, at, tag) VALUES (?, ?, ?, ?, ?, ?)`,
		&s.findMember:   `SELECT person FROM members WHERE tenant = ? AND issue = ? AND n = ?`,
		&s.dropMember:   `DELETE FROM members WHERE tenant = ? AND issue = ? AND n = ?`,
		&s.moveMembers: `INSERT OR IGNORE INTO members (tenant, issue, n, person, at, tag)
			SELECT tenant, ?3, n, person, at, tag FROM members WHERE tenant = ?1 AND issue = ?2`,
		&s.dropMembers:  `DELETE FROM members WHERE tenant = ? AND issue = ?`,
		&s.countMembers: `SELECT count(*), count(DISTINCT person) FROM members WHERE tenant = ? AND issue = ?`,
		&s.findBucket:   `SELECT body FROM series WHERE tenant = ? AND key = ? AND t = ?`,
		&s.putBucket: `INSERT INTO series (tenant, key, t, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, key, t) DO UPDATE SET body = excluded.body`,
		&s.dropBucket: `DELETE FROM series WHERE tenant = ? AND key = ? AND t = ?`,
		&s.putDelivery: `INSERT OR IGNORE INTO outbox (tenant, webhook, message, alert, state, created, body, payload)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.setDelivery: `UPDATE outbox SET state = ?3, body = ?4, payload = CASE ?3 WHEN 'pending' THEN payload END
			WHERE tenant = ?1 AND message = ?2`,
		&s.dropDeliveries:  `DELETE FROM outbox WHERE tenant = ? AND webhook = ?`,
		&s.pruneDeliveries: `DELETE FROM outbox WHERE tenant = ? AND created < ? AND state <> 'pending'`,
	} {
		var err error
		if *st, err = c.prepare(query); err != nil {
			return err
		}
	}
	return nil
}
