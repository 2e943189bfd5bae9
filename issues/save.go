package issues

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

// Kinds of documents.
const (
	KindIssue    = "issue"
	KindRetired  = "issue_retired"
	KindExamples = "issue_examples"
	KindTracker  = "issues"
)

// An op is something to be done to members when the batch is saved.
type op struct {
	kind     opKind
	issue    *Issue // nil: it was retired
	other    *Issue // merged into issue
	number   int64
	said     Said
	troubled bool
}

type opKind uint8

const (
	joining opKind = iota
	leaving
	merging
)

// Tags of members, beside the channel in the lower bits.
const (
	tagLive     = 1 << 8
	tagTroubled = 1 << 9
)

// A Ledger is where a tracker writes. store.Tx is one.
type Ledger interface {
	Put(kind, id string, body []byte) error
	Join(issue int64, m store.Member) (first, newPerson bool, err error)
	Leave(issue int64, verbatim string) (left, lastOfPerson bool, err error)
	MergeIssues(from, into int64) (verbatims, people int, err error)
}

// Save writes what changed since the last Save. When it fails, or the
// transaction does, the tracker must be loaded again.
func (t *Tracker) Save(to Ledger) error {
	if err := t.saveMembers(to); err != nil {
		return fmt.Errorf("save members: %w", err)
	}
	for _, i := range t.Changed() {
		if err := saveIssue(to, KindIssue, i); err != nil {
			return fmt.Errorf("save %s: %w", i.ID(), err)
		}
	}
	for _, i := range t.retired {
		if err := to.Put(KindIssue, key(i.number), nil); err != nil {
			return err
		}
		if err := saveIssue(to, KindRetired, i); err != nil {
			return fmt.Errorf("save %s: %w", i.ID(), err)
		}
	}
	if t.counters != t.saved {
		t.saved = t.counters
		body, err := json.Marshal(&t.counters)
		if err != nil {
			return err
		}
		if err := to.Put(KindTracker, "1", body); err != nil {
			return err
		}
	}
	clear(t.changed)
	t.ops, t.retired = nil, nil
	return nil
}

// saveMembers also settles how many verbatims and people an issue has: only the
// record knows whether a person is a new one.
func (t *Tracker) saveMembers(to Ledger) error {
	for k := range t.ops {
		o := &t.ops[k]
		switch o.kind {
		case joining:
			m := store.Member{Verbatim: o.said.Verbatim, Person: o.said.Person, At: o.said.At, Tag: tagOf(o)}
			first, newPerson, err := to.Join(o.number, m)
			if err != nil {
				return err
			}
			if o.issue != nil {
				o.issue.Count += bit(first)
				o.issue.Customers += bit(newPerson)
			}
		case leaving:
			left, last, err := to.Leave(o.number, o.said.Verbatim)
			if err != nil {
				return err
			}
			if o.issue != nil {
				o.issue.Count -= bit(left)
				o.issue.Customers -= bit(last)
			}
		case merging:
			verbatims, people, err := to.MergeIssues(o.other.number, o.issue.number)
			if err != nil {
				return err
			}
			o.issue.Count, o.issue.Customers = verbatims, people
		}
	}
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func tagOf(o *op) uint32 {
	tag := series.ChannelCode(o.said.Channel)
	if o.said.Live {
		tag |= tagLive
	}
	if o.troubled {
		tag |= tagTroubled
	}
	return tag
}

// key is an issue's id in the store: numbers in their order.
func key(number int64) string { return fmt.Sprintf("%012d", number) }

// A row is the stored form of an issue.
type row struct {
	doc
	Terms   string    `json:"terms"`   // joined by newlines
	Weights []byte    `json:"weights"` // float64, big-endian
	Mass    float64   `json:"mass"`
	Ref     time.Time `json:"ref,omitzero"`
	Unlike  bool      `json:"unlike,omitzero"`
}

func saveIssue(to Ledger, kind string, i *Issue) error {
	r := row{doc: i.doc, Mass: i.mass, Ref: i.ref, Unlike: i.unlike, Weights: make([]byte, 0, 8*len(i.vec))}
	var terms strings.Builder
	for k, x := range i.vec {
		if k > 0 {
			terms.WriteByte('\n')
		}
		terms.WriteString(x.term.name)
		r.Weights = binary.BigEndian.AppendUint64(r.Weights, math.Float64bits(x.w))
	}
	r.Terms = terms.String()
	body, err := json.Marshal(&r, json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := to.Put(kind, key(i.number), body); err != nil {
		return err
	}
	if !i.dirtyExamples {
		return nil
	}
	i.dirtyExamples = false
	if len(i.examples) == 0 {
		return to.Put(KindExamples, key(i.number), nil)
	}
	if body, err = json.Marshal(i.examples); err != nil {
		return err
	}
	return to.Put(KindExamples, key(i.number), body)
}

// Load reads a tracker and the tracks of its issues as they were saved. now is
// how far the log has come.
func Load(ctx context.Context, s store.State, tenant string, r *Reader, set series.Set, now time.Time) (*Tracker, error) {
	t := NewTracker(r, set)
	body, err := s.Document(ctx, tenant, KindTracker, "1")
	if err != nil || body == nil {
		return t, err
	}
	if err := json.Unmarshal(body, &t.counters); err != nil {
		return nil, fmt.Errorf("issues: %d bytes are not what was written", len(body))
	}
	t.saved = t.counters
	rows, err := s.Documents(ctx, tenant, KindIssue)
	if err != nil {
		return nil, err
	}
	for _, d := range rows {
		if err := t.restore(d); err != nil {
			return nil, err
		}
	}
	examples, err := s.Documents(ctx, tenant, KindExamples)
	if err != nil {
		return nil, err
	}
	for _, d := range examples {
		number, _ := strconv.ParseInt(d.ID, 10, 64)
		if i := t.issues[number]; i != nil {
			if err := json.Unmarshal(d.Body, &i.examples); err != nil {
				return nil, fmt.Errorf("examples of %s: %d bytes are not what was written", i.ID(), len(d.Body))
			}
		}
	}
	return t, t.loadTracks(ctx, s, tenant, now)
}

// Stored reads an issue that is not in memory; nil if there is none.
func Stored(ctx context.Context, s store.State, tenant string, number int64) (*Issue, error) {
	for _, kind := range []string{KindIssue, KindRetired} {
		body, err := s.Document(ctx, tenant, kind, key(number))
		if err != nil {
			return nil, err
		}
		if body != nil {
			_, r, err := readRow(store.Document{ID: key(number), Body: body})
			return &Issue{centroid: centroid{number: number}, doc: r.doc}, err
		}
	}
	return nil, nil
}

func readRow(d store.Document) (number int64, r row, err error) {
	if number, err = strconv.ParseInt(d.ID, 10, 64); err == nil {
		err = json.Unmarshal(d.Body, &r)
	}
	if err != nil {
		return 0, r, fmt.Errorf("issue %s: %d bytes are not what was written", d.ID, len(d.Body))
	}
	return number, r, nil
}

func (t *Tracker) restore(d store.Document) error {
	number, r, err := readRow(d)
	if err != nil {
		return err
	}
	if r.MergedInto != 0 {
		t.into[number] = r.MergedInto
		return nil
	}
	i := &Issue{centroid: centroid{number: number, mass: r.Mass, ref: r.Ref}, doc: r.doc, unlike: r.Unlike}
	t.issues[number] = i
	if t.spaces[i.Family] == nil {
		return fmt.Errorf("issue %s is of the unknown family %q", d.ID, i.Family)
	}
	var terms []string
	if r.Terms != "" {
		terms = strings.Split(r.Terms, "\n")
	}
	if len(r.Weights) != 8*len(terms) {
		return fmt.Errorf("issue %s has %d terms and %d bytes of weights", d.ID, len(terms), len(r.Weights))
	}
	weights := make([]float64, len(terms))
	for k := range weights {
		weights[k] = math.Float64frombits(binary.BigEndian.Uint64(r.Weights[8*k:]))
	}
	t.spaces[i.Family].restore(&i.centroid, terms, weights)
	return nil
}

// loadTracks reads the series of the issues in memory, and who is recent in them.
func (t *Tracker) loadTracks(ctx context.Context, s store.State, tenant string, now time.Time) error {
	buckets, err := s.Buckets(ctx, tenant, "issue:", series.Slot(now.Add(-series.KeepHours)))
	if err != nil {
		return err
	}
	for _, b := range buckets {
		number, ok := series.IssueOf(b.Key)
		if n := t.Current(number); ok && t.issues[n] != nil {
			t.set.Of(series.Issue(n)).AddHour(series.HourOf(series.SlotTime(b.T)), int32(series.DecodeN(b.Body)))
		}
	}
	members, err := s.MembersSince(ctx, tenant, now.Add(-series.KeepRecent))
	if err != nil {
		return err
	}
	for _, m := range members {
		if i := t.issues[m.Issue]; i != nil {
			t.pulse[i.Family].add(series.Slot(m.At), 1)
			t.set.Of(series.Issue(m.Issue)).Recall(m.At, series.Said{Verbatim: m.Verbatim, Person: m.Person,
				Channel: series.ChannelOf(m.Tag & 15), Live: m.Tag&tagLive != 0, Troubled: m.Tag&tagTroubled != 0})
		}
	}
	for _, tr := range t.set {
		slices.SortFunc(tr.Recent, series.CompareSaid)
	}
	return nil
}
