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

// The types of entries. Labels, rules, lexicons and models are not used yet; they have
// their place so that a log written today can be read by the versions that use them.
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

	n int64 // the row of the verbatim
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
	// at is when it was asked for. NotFound if there is none. Its external id is free again. What SetCounted wrote
	// stays until the entry is applied.
	Erase(ctx context.Context, tenant, id string, at time.Time) error

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

	State
	Outbox

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
	// Append gives an entry that never waited its place in the log: a command or a tick. Type, At and Payload count.
	Append(e *Entry) error

	// Put writes a document; a nil body removes it.
	Put(kind, id string, body []byte) error
	// SetCounted remembers what a verbatim was counted as; nil forgets it. A verbatim that is not there is passed over.
	SetCounted(verbatim string, body []byte) error
	// Join makes a verbatim a member of an issue. first says that it was none, newPerson that nobody of Person was one.
	Join(issue int64, m Member) (first, newPerson bool, err error)
	// Leave takes a verbatim out of an issue. left says that it was a member, lastOfPerson that its person now is none.
	Leave(issue int64, verbatim string) (left, lastOfPerson bool, err error)
	// MergeIssues makes all members of one issue members of another, and says how many verbatims and people that one then has.
	MergeIssues(from, into int64) (verbatims, people int, err error)
	// Bucket and PutBucket read and write one bucket of a series; nil is none.
	Bucket(key string, t int64) ([]byte, error)
	PutBucket(key string, t int64, body []byte) error
	// PutDelivery puts a message at the end of its webhook's queue. One that is there already is left as it is.
	PutDelivery(d earshot.Delivery) error
	// DropDeliveries forgets what waits for a webhook.
	DropDeliveries(webhook string) error
	// PruneDeliveries forgets messages that are done and were made before at.
	PruneDeliveries(at time.Time) error
}

// A State reads what was written by Tx beside the log.
type State interface {
	// Documents gives all documents of a kind, by id.
	Documents(ctx context.Context, tenant, kind string) ([]Document, error)
	// Document gives one; nil if there is none.
	Document(ctx context.Context, tenant, kind, id string) ([]byte, error)
	// Counted gives what SetCounted wrote; nil if nothing.
	Counted(ctx context.Context, tenant, verbatim string) ([]byte, error)
	// Members gives up to limit members of an issue, those said last first.
	Members(ctx context.Context, tenant string, issue int64, limit int) ([]Member, error)
	// CountMembers is how many verbatims, and how many people, are members of an issue.
	CountMembers(ctx context.Context, tenant string, issue int64) (verbatims, people int, err error)
	// MembersSince gives the members of all issues that were said at or after at, in the order of At, then of arrival.
	MembersSince(ctx context.Context, tenant string, at time.Time) ([]Member, error)
	// Buckets gives the buckets from t on of all series whose key begins with prefix, by key, then t.
	Buckets(ctx context.Context, tenant, prefix string, t int64) ([]Bucket, error)
}

// An Outbox is the messages to webhooks, waiting and done.
type Outbox interface {
	// Heads gives the oldest message that waits for each webhook of each tenant.
	Heads(ctx context.Context) ([]Head, error)
	// Attempted records what came of an attempt; a message that was dropped meanwhile stays dropped. Of one that is
	// done what was sent is forgotten: it may hold customers' words.
	Attempted(ctx context.Context, tenant string, d earshot.Delivery) error
	// Deliveries gives up to limit messages to a webhook, newest first, those before the message named, "" for the first.
	Deliveries(ctx context.Context, tenant, webhook, before string, limit int) ([]earshot.Delivery, error)
	// DeliveriesOf gives the messages about an alert, oldest first.
	DeliveriesOf(ctx context.Context, tenant, alert string) ([]earshot.Delivery, error)
}

// A Document is what a part that keeps state wrote about one thing.
type Document struct {
	ID   string
	Body []byte
}

// A Member is a verbatim in an issue.
type Member struct {
	Issue    int64
	Verbatim string
	Person   uint64 // hash of Verbatim.Person
	At       time.Time
	Tag      uint32 // the writer's own
}

// A Bucket is one bucket of a series.
type Bucket struct {
	Key  string
	T    int64
	Body []byte
}

// A Head is the message that a webhook is to get next.
type Head struct {
	Tenant   string
	Delivery earshot.Delivery
}
