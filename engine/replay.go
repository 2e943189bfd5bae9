package engine

import (
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/alert"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/store"
)

// A Replay carries a stream through issues and alerts in memory, on the
// stream's own clock: the same code as the service, without a record. It is
// not safe for concurrent use.
type Replay struct {
	*Analyzer
	reader *issues.Reader
	state  *state
	memory *memory
}

// NewReplay makes an empty one under a rule. The reasons of alerts give times in loc.
func NewReplay(a *Analyzer, rule earshot.Rule, loc *time.Location) (*Replay, error) {
	r, err := issues.NewReader(a.nlp)
	if err != nil {
		return nil, err
	}
	st := newState(r, loc)
	st.watch.rule = rule
	return &Replay{Analyzer: a, reader: r, state: st, memory: newMemory()}, nil
}

// A ReplayItem is a verbatim of a replay, analysed and not yet placed.
type ReplayItem struct {
	ID string // as it is told
	w  item
	at time.Time
}

// Prepare analyses a draft; several may be prepared at once. id names it if it
// names itself not.
func (r *Replay) Prepare(d ingest.Draft, id string) (*ReplayItem, error) {
	v := d.Verbatim
	at := v.ReceivedAt
	if at.IsZero() {
		at = v.At
	}
	if v.At.IsZero() {
		return nil, &earshot.Error{Code: earshot.Invalid, Message: "1 field is wrong",
			Fields: []earshot.FieldError{{Pointer: "/at", Code: "required", Detail: "at is required: a replay has no clock of its own"}}}
	}
	if err := v.Validate(at, d.AsTurns); err != nil {
		return nil, err
	}
	r.complete(&v, &d, at)
	switch {
	case v.ID != "":
	case v.ExternalID != "":
		v.ID = v.ExternalID
	default:
		v.ID = id
	}
	v.ReceivedAt, v.Revision = at.UTC(), 1
	rec := &earshot.Record{Verbatim: v, Analysis: r.nlp.Analyze(&v)}
	return &ReplayItem{ID: v.ID, at: at.UTC(), w: item{rec: rec, mentions: r.reader.Mentions(rec), live: at.Sub(v.At) < LiveFor}}, nil
}

// Place lets time pass up to a prepared verbatim and puts it into issues. It
// gives the alerts that changed before it was said, its issues, and the alerts
// that changed by it. An id that was there already is a Conflict.
func (r *Replay) Place(it *ReplayItem) (before []*earshot.Alert, names []string, after []*earshot.Alert, err error) {
	if r.memory.seen[it.ID] {
		return nil, nil, nil, earshot.Errorf(earshot.Conflict, "there is a verbatim of this id already")
	}
	r.memory.seen[it.ID] = true
	r.state.advance(it.at)
	before = alertsOf(r.state.takeEvents())
	r.state.place(&it.w, nil, it.at)
	after = alertsOf(r.state.takeEvents())
	names = []string{}
	for _, ref := range it.w.rec.Issues {
		names = append(names, ref.ID)
	}
	return before, names, after, r.state.save(r.memory)
}

// alertsOf gives the alerts that changed their state.
func alertsOf(events []event) []*earshot.Alert {
	var alerts []*earshot.Alert
	for _, ev := range events {
		if ev.alert != nil && (ev.kind == alert.Fired || ev.kind == alert.Resolved) {
			alerts = append(alerts, ev.alert)
		}
	}
	return alerts
}

// Issues gives the issues that were opened, by number, and after them which
// went into which.
func (r *Replay) Issues() []*earshot.Issue {
	list := []*earshot.Issue{}
	for _, i := range r.state.issues.All() {
		if i.Opened && i.Count > 0 {
			list = append(list, wireIssue(r.state, i))
		}
	}
	for _, n := range r.state.issues.Merged() {
		into := issues.IDOf(r.state.issues.Current(n))
		list = append(list, &earshot.Issue{ID: issues.IDOf(n), State: earshot.Closed, Titles: map[string]string{}, Phrases: map[string][]string{},
			Langs: map[string]int{}, Channels: map[string]int{}, Series: earshot.Points{Interval: "hour", Points: []earshot.Point{}},
			Examples: []earshot.Example{}, History: []earshot.Event{}, MergedInto: &into})
	}
	return list
}

// Current gives an issue's id after merges.
func (r *Replay) Current(id string) string {
	n, _ := issues.NumberOf(id)
	return issues.IDOf(r.state.issues.Current(n))
}

// A memory is the ledger of a replay. Documents and buckets are of no use to it.
type memory struct {
	seen    map[string]bool
	members map[int64]map[string]uint64 // issue, verbatim: person
	people  map[int64]map[uint64]int    // issue, person: verbatims
}

func newMemory() *memory {
	return &memory{seen: map[string]bool{}, members: map[int64]map[string]uint64{}, people: map[int64]map[uint64]int{}}
}

func (m *memory) Put(string, string, []byte) error      { return nil }
func (m *memory) SetCounted(string, []byte) error       { return nil }
func (m *memory) Bucket(string, int64) ([]byte, error)  { return nil, nil }
func (m *memory) PutBucket(string, int64, []byte) error { return nil }

// Join implements issues.Ledger.
func (m *memory) Join(issue int64, v store.Member) (first, newPerson bool, err error) {
	if m.members[issue] == nil {
		m.members[issue], m.people[issue] = map[string]uint64{}, map[uint64]int{}
	}
	if _, in := m.members[issue][v.Verbatim]; in {
		return false, false, nil
	}
	m.members[issue][v.Verbatim] = v.Person
	m.people[issue][v.Person]++
	return true, m.people[issue][v.Person] == 1, nil
}

// Leave implements issues.Ledger.
func (m *memory) Leave(issue int64, verbatim string) (left, lastOfPerson bool, err error) {
	person, in := m.members[issue][verbatim]
	if !in {
		return false, false, nil
	}
	delete(m.members[issue], verbatim)
	m.people[issue][person]--
	if m.people[issue][person] > 0 {
		return true, false, nil
	}
	delete(m.people[issue], person)
	return true, true, nil
}

// MergeIssues implements issues.Ledger.
func (m *memory) MergeIssues(from, into int64) (verbatims, people int, err error) {
	for verbatim, person := range m.members[from] {
		if _, _, err := m.Join(into, store.Member{Verbatim: verbatim, Person: person}); err != nil {
			return 0, 0, err
		}
	}
	delete(m.members, from)
	delete(m.people, from)
	return len(m.members[into]), len(m.people[into]), nil
}
