// Package store is the durable record of Earshot: tenants and keys, verbatims
// with what was understood of them, and one log of typed entries per tenant.
//
// What it promises:
//
//   - What Accept, Erase and Update have answered is on disk: a power cut or a
//     kill −9 afterwards loses none of it.
//   - An accepted entry waits in its lane. It gets its place in the tenant's log
//     (seq: 1, 2, 3, … without gaps) when it is applied, so seq is the order of
//     what happened. Apply writes the seq, what came of the entry and the
//     entry's removal from the queue in one transaction: an entry is applied once.
//   - One writer commits; what waits for it is committed together, at most
//     MaxGroup verbatims at a time. A call that fails leaves nothing behind and
//     does not disturb its neighbours in the group.
//   - Readers never wait for the writer.
//   - A data folder written by a newer version is refused with a sentence.
//
// Implementations pass storetest.Run.
package store

import (
	"context"
	"time"

	"github.com/earshot-cx/earshot"
)

// MaxGroup is how many verbatims one transaction takes at most.
const MaxGroup = 2000

// MaxAttempts is after how many failures an entry becomes a dead letter.
const MaxAttempts = 5

// A Type says what an entry of the log is about.
type Type string

// The types of entries. The first three are used so far; the others have their
// place so that a log written today can be read by the versions that use them.
const (
	TypeVerbatim     Type = "verbatim"
	TypeRevision     Type = "revision"
	TypeErase        Type = "erase"
	TypeLabel        Type = "label"
	TypeIssueCommand Type = "issue_command"
	TypeAlertCommand Type = "alert_command"
	TypeRule         Type = "rule"
	TypeLexicon      Type = "lexicon"
	TypeModel        Type = "model"
	TypeTick         Type = "tick"
)

// A Lane is where an entry waits. Workers take nine of Live for one of Backfill.
type Lane int

// The lanes.
const (
	Live     Lane = iota // said less than 48 h ago and not imported
	Backfill             // never raises an alert, never delays Live
)

// An Item is a verbatim on its way in: validated, redacted, with its ID and
// defaults filled in.
type Item struct {
	Verbatim earshot.Verbatim
	Lane     Lane
	Print    Fingerprint
	Replace  bool // what is stored under the same external id gives way
}

// A Fingerprint is made of keyed hashes of what was sent, before redaction and
// defaults. It tells a duplicate from a revision from a conflict without
// keeping what was sent.
type Fingerprint struct {
	Body  [16]byte   // everything but the turns
	Turns [][16]byte // Turns[i] covers turns 0 … i, and whether they were sent as text or as turns
}

// A Status says what became of an Item.
type Status string

// What becomes of an Item that is not refused.
const (
	Accepted  Status = "accepted"  // new
	Revised   Status = "revised"   // the stored one was extended or replaced
	Duplicate Status = "duplicate" // nothing was changed
)

// An Outcome is the answer to one Item. Err is an earshot.Error of code
// Conflict when the same external id was sent with other content.
type Outcome struct {
	ID     string // of the stored verbatim: for a duplicate or revision the one it already had
	Status Status
	Err    error
}

// An Entry is something that waits to be applied, or was.
type Entry struct {
	ID       int64           // its place in the queue; larger is later
	Seq      uint64          // its place in the log; 0 while it waits
	Type     Type            //
	Lane     Lane            //
	At       time.Time       // when it was accepted
	Verbatim string          // id of the verbatim it is about, if it is about one
	Record   *earshot.Record // for verbatim and revision: as stored now, nil if it was erased since
	Payload  []byte          // for other types: their own JSON
	Attempts int             // how often applying it has failed
}

// A DeadLetter is an entry that failed MaxAttempts times.
type DeadLetter struct {
	ID       int64
	Type     Type
	Verbatim string
	At       time.Time // when it was accepted
	FailedAt time.Time // the last time it failed
	Attempts int
	Cause    string // never customers' words
}

// A Store is safe for concurrent use. A thing of another tenant is not found.
type Store interface {
	// PutTenant makes a tenant; Conflict if it exists.
	PutTenant(ctx context.Context, t earshot.Tenant) error
	Tenants(ctx context.Context) ([]earshot.Tenant, error)

	// PutKey makes a key; the tenant must exist.
	PutKey(ctx context.Context, k earshot.Key) error
	// KeyByHash finds a key by the SHA-256 of the whole of it; NotFound if there is none. It may be expired.
	KeyByHash(ctx context.Context, hash [32]byte) (earshot.Key, error)
	// Keys lists the keys of a tenant, oldest first.
	Keys(ctx context.Context, tenant string) ([]earshot.Key, error)
	// RevokeKey removes a key; NotFound if the tenant has none of that id.
	RevokeKey(ctx context.Context, tenant, id string) error
	// TouchKey remembers when a key was last used.
	TouchKey(ctx context.Context, id string, at time.Time) error

	// Secret is 32 random bytes of this installation, made on first use and kept for ever.
	Secret(ctx context.Context, name string) ([32]byte, error)

	// Accept stores items and puts them in their lanes, in order, in one transaction.
	// Within one call, items of the same external id are treated as if sent one after the other.
	// The outcomes are in the order of the items.
	Accept(ctx context.Context, tenant string, items []Item) ([]Outcome, error)
	// Erase removes the text and the analysis of a verbatim at once and puts an erase entry in the live lane.
	// NotFound if there is none. Its external id is free again.
	Erase(ctx context.Context, tenant, id string) error

	// Waiting names the tenants that have entries waiting.
	Waiting(ctx context.Context) ([]string, error)
	// Take gives up to limit waiting entries of a tenant, oldest first within a lane, nine of Live for one of
	// Backfill while both wait. It changes nothing: an entry waits until it is applied or set aside.
	Take(ctx context.Context, tenant string, limit int) ([]*Entry, error)
	// Update runs f in a transaction of the one writer. If f returns an error nothing of it is kept. f is called
	// once and must not block on anything but tx.
	Update(ctx context.Context, tenant string, f func(Tx) error) error

	// Record gives a verbatim with its analysis; NotFound if there is none or it was erased.
	// The analysis is nil while the latest revision waits.
	Record(ctx context.Context, tenant, id string) (*earshot.Record, error)
	// Records gives those of ids that exist, in the order of ids.
	Records(ctx context.Context, tenant string, ids []string) ([]*earshot.Record, error)
	// Log gives up to limit applied entries with seq > after, in order, Record filled in as it is now.
	Log(ctx context.Context, tenant string, after uint64, limit int) ([]*Entry, error)
	// LastSeq is the seq of the last applied entry; 0 if there is none.
	LastSeq(ctx context.Context, tenant string) (uint64, error)
	// Count is how many verbatims of the tenant are analysed and not erased.
	Count(ctx context.Context, tenant string) (int, error)

	// DeadLetters lists entries that were set aside with id > after, oldest first.
	DeadLetters(ctx context.Context, tenant string, after int64, limit int) ([]DeadLetter, error)

	// Ping says whether the store can be read.
	Ping(ctx context.Context) error
	Close() error
}

// A Tx is a transaction of the one writer, for one tenant.
type Tx interface {
	// Apply gives entries their places in the log, in order, and takes them from the queue, with Record.Analysis
	// and Record.Issues of each written and Seq set in both. An entry that no longer waits is passed over, its Seq
	// left 0; so is the record of one whose verbatim was erased or revised since it was taken.
	Apply(entries []*Entry) error
	// Fail counts a failure of an entry and puts it behind the others; after MaxAttempts it becomes a dead letter.
	Fail(e *Entry, cause string) error
}
