package store

import "fmt"

// migrations[i] takes a database from version i to i+1; SQLite's user_version
// says which one it is. A migration that was released is never changed.
//
// Rows are reached by integers, since a b-tree keyed by them is by far the
// cheapest: verbatims.n is the id of the entry that brought the verbatim, and
// the keys of queue, log and dead_letters hold the tenant above the id or seq
// (see queueKey, logKey), so that a tenant's lane or log is one range. The text
// of a verbatim stands in verbatims.body alone, what was understood of it in
// analyses alone. An erased verbatim keeps n, tenant, id and revision.
var migrations = []string{`
CREATE TABLE tenants (
	no       INTEGER PRIMARY KEY,         -- 1 … maxTenant
	id       TEXT NOT NULL UNIQUE,
	created  INTEGER NOT NULL,            -- this and all other times: ns since 1970
	seq      INTEGER NOT NULL DEFAULT 0,  -- of the last applied entry
	analysed INTEGER NOT NULL DEFAULT 0   -- rows of analyses
);
CREATE TABLE keys (
	id      TEXT PRIMARY KEY,
	tenant  INTEGER NOT NULL,
	hash    BLOB NOT NULL UNIQUE,
	scopes  TEXT NOT NULL,                -- joined by spaces
	created INTEGER NOT NULL,
	expires INTEGER,
	used    INTEGER,
	root    INTEGER NOT NULL
);
CREATE INDEX keys_of_tenant ON keys (tenant, created);
CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
);
CREATE TABLE ids (next INTEGER NOT NULL); -- one row: the first id that no block holds yet
INSERT INTO ids VALUES (1);

CREATE TABLE verbatims (
	n           INTEGER PRIMARY KEY,
	tenant      INTEGER,
	id          TEXT,
	revision    INTEGER,
	source      TEXT,
	external_id TEXT,                     -- NULL: none, or erased
	received    INTEGER,
	print       BLOB,                     -- Fingerprint.pack, if there is an external id
	body        BLOB                      -- JSON of what the columns do not hold; NULL: erased
);
CREATE UNIQUE INDEX verbatims_by_id ON verbatims (tenant, id);
CREATE UNIQUE INDEX verbatims_by_external_id ON verbatims (tenant, source, external_id)
	WHERE external_id IS NOT NULL;
CREATE TABLE analyses (
	n        INTEGER PRIMARY KEY,         -- of the verbatim
	seq      INTEGER,                     -- of the entry that wrote it
	revision INTEGER,                     -- of the verbatim it was made of
	issues   BLOB,                        -- JSON; NULL: none
	body     BLOB                         -- JSON
);

CREATE TABLE queue (
	key      INTEGER PRIMARY KEY,         -- queueKey
	type     TEXT,
	n        INTEGER,                     -- the verbatim it is about
	at       INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	payload  BLOB
);
-- An entry that brings a verbatim and has not failed is found by n itself.
CREATE INDEX queue_about ON queue (n) WHERE attempts > 0 OR type <> 'verbatim';
CREATE TABLE log (
	key     INTEGER PRIMARY KEY,          -- logKey
	type    TEXT,
	lane    INTEGER,
	n       INTEGER,
	at      INTEGER,
	payload BLOB
);
CREATE TABLE dead_letters (
	key      INTEGER PRIMARY KEY,         -- logKey, of an id
	type     TEXT,
	lane     INTEGER,
	n        INTEGER,
	at       INTEGER,
	payload  BLOB,
	attempts INTEGER,
	failed   INTEGER,
	cause    TEXT
);
CREATE INDEX dead_letters_about ON dead_letters (n);
`, `
CREATE TABLE documents (                  -- what the parts that keep state write, one row a thing
	tenant INTEGER,
	kind   TEXT,
	id     TEXT,
	body   BLOB
);
CREATE UNIQUE INDEX documents_by_id ON documents (tenant, kind, id);
CREATE TABLE counted (
	n    INTEGER PRIMARY KEY,             -- of the verbatim
	body BLOB                             -- what it was counted as; no text
);
CREATE TABLE members (
	tenant INTEGER,
	issue  INTEGER,
	n      INTEGER,                       -- of the verbatim
	person INTEGER,                       -- hash
	at     INTEGER,                       -- when it was said
	tag    INTEGER,
	PRIMARY KEY (tenant, issue, n)
) WITHOUT ROWID;
CREATE INDEX members_by_person ON members (tenant, issue, person);
CREATE INDEX members_by_at ON members (tenant, at);
CREATE TABLE series (
	tenant INTEGER,
	key    TEXT,
	t      INTEGER,                       -- which bucket
	body   BLOB,
	PRIMARY KEY (tenant, key, t)
) WITHOUT ROWID;
CREATE TABLE outbox (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant  INTEGER,
	webhook TEXT,
	message TEXT UNIQUE,                  -- earshot.Delivery.ID
	alert   TEXT,
	state   TEXT,
	created INTEGER,
	body    BLOB,                         -- JSON of the rest
	payload BLOB                          -- what is sent
);
CREATE INDEX outbox_pending ON outbox (tenant, webhook, id) WHERE state = 'pending';
CREATE INDEX outbox_of_webhook ON outbox (tenant, webhook, id);
CREATE INDEX outbox_of_alert ON outbox (tenant, alert) WHERE alert <> '';
`}

// How a key is made: 20 bits of tenant, one of lane, 42 of id. A service that
// takes ten thousand entries a second reaches the last id in fourteen years.
const (
	idBits    = 42
	maxTenant = 1<<20 - 1
)

// queueKey is where an entry waits: by tenant, then lane, then id.
func queueKey(tenant int64, lane Lane, id int64) int64 {
	return tenant<<(idBits+1) | int64(lane)<<idBits | id
}

// logKey is where an entry of the log (by seq) or a dead letter (by id) stands.
func logKey(tenant, n int64) int64 { return tenant<<(idBits+1) | n }

// queueID and logSeq give back what a key was made of.
func queueID(key int64) int64 { return key & (1<<idBits - 1) }
func logSeq(key int64) int64  { return key & (1<<(idBits+1) - 1) }

// migrate brings the database to the version of this program. Two processes
// may do so at once: the second finds nothing left to do.
func migrate(c *conn) error {
	version, err := c.pragma("user_version")
	if err != nil {
		return err
	}
	if version == int64(len(migrations)) {
		return nil
	}
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrateFrom(c); err != nil {
		_ = c.run("ROLLBACK") // err says more
		return err
	}
	return c.run("COMMIT")
}

func migrateFrom(c *conn) error {
	version, err := c.pragma("user_version")
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	for ; version < int64(len(migrations)); version++ {
		if err := c.run(migrations[version]); err != nil {
			return fmt.Errorf("to version %d: %w", version+1, err)
		}
	}
	return c.run(fmt.Sprintf("PRAGMA user_version = %d", version))
}

// checkVersion refuses what a newer program wrote: this one could damage it.
func checkVersion(version int64) error {
	if version > int64(len(migrations)) {
		return fmt.Errorf("the data folder is of version %d and this program reads up to version %d: run a newer earshot, or restore a backup",
			version, len(migrations))
	}
	return nil
}
