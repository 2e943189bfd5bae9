package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

// A state is what is kept in memory of a tenant's issues and alerts, and what
// is worked out for a batch before it is written. Everything it decides follows
// from the entries it was given, in their order, and from their times: never
// from a clock. When a batch can't be written it is thrown away and loaded again.
type state struct {
	clock  time.Time // how far the log has come: the latest entry's time
	set    series.Set
	issues *issues.Tracker
	watch  *watch

	// Of the batch in hand.
	changes series.Changes
	counted map[string]*counted // nil: to be forgotten
	events  []event
}

// A ledger is where a state writes. store.Tx is one, and so is the memory of a replay.
type ledger interface {
	issues.Ledger
	series.Buckets
	SetCounted(verbatim string, body []byte) error
}

// kindState is the document that holds the clock.
const kindState = "state"

// A counted is what a verbatim was counted as, so that it can be taken back.
type counted struct {
	At        time.Time          `json:"at"`
	Person    uint64             `json:"person"`
	Source    string             `json:"source"`
	Channel   string             `json:"channel"`
	Lang      string             `json:"lang"`
	Sentiment *float64           `json:"sentiment,omitempty"`
	Effort    *float64           `json:"effort,omitempty"`
	Topics    []string           `json:"topics,omitempty"`
	Issues    []earshot.IssueRef `json:"issues,omitempty"`
	Placed    []issues.Placed    `json:"placed,omitempty"`
	Live      bool               `json:"live,omitempty"`
	Troubled  bool               `json:"troubled,omitempty"`
	Known     bool               `json:"known,omitempty"` // by a customer id
	Turns     int                `json:"turns"`
	Print     uint64             `json:"print"` // of the turns, to tell a longer one from another one
}

// An item is one verbatim of a batch, analysed.
type item struct {
	rec      *earshot.Record
	mentions []issues.Mention
	live     bool
}

func newState(r *issues.Reader, loc *time.Location) *state {
	set := series.Set{}
	st := &state{set: set, issues: issues.NewTracker(r, set), watch: newWatch(loc), counted: map[string]*counted{}}
	st.issues.Pinned = st.watch.pinned
	return st
}

// loadState reads a tenant's state as it was saved last.
func loadState(ctx context.Context, s store.State, tenant string, r *issues.Reader, loc *time.Location) (*state, error) {
	st := newState(r, loc)
	body, err := s.Document(ctx, tenant, kindState, "1")
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := json.Unmarshal(body, &st.clock); err != nil {
			return nil, fmt.Errorf("state of %s: %d bytes are not what was written", tenant, len(body))
		}
	}
	if st.issues, err = issues.Load(ctx, s, tenant, r, st.set, st.clock); err != nil {
		return nil, err
	}
	st.issues.Pinned = st.watch.pinned
	all, err := s.Buckets(ctx, tenant, series.All, series.Slot(st.clock.Add(-series.KeepHours)))
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		st.set.Of(series.All).AddHour(series.HourOf(series.SlotTime(b.T)), int32(series.DecodeN(b.Body)))
	}
	return st, st.watch.load(ctx, s, tenant, st.issues.Current)
}

// advance lets the time of the log pass up to at, five minutes at a time. Where
// nothing can happen meanwhile it takes longer strides.
func (st *state) advance(at time.Time) {
	at = at.UTC()
	if st.clock.IsZero() {
		st.clock = at
		return
	}
	for next := st.clock.Truncate(series.Step).Add(series.Step); !next.After(at); next = next.Add(series.Step) {
		if st.watch.idle() && at.Sub(next) > series.KeepRecent {
			next = next.Truncate(time.Hour).Add(time.Hour) // only issues grow old
		}
		st.clock = next
		st.tick(next)
	}
	if at.After(st.clock) {
		st.clock = at
	}
}

func (st *state) tick(now time.Time) {
	st.issues.Tick(now)
	st.takeIssueEvents()
	st.watch.tick(st, now)
}

// place puts an analysed verbatim into issues and series and looks whether an
// issue spikes. before is what it was counted as already, if it was.
func (st *state) place(it *item, before *counted, at time.Time) {
	st.advance(at)
	rec := it.rec
	c := countedOf(it)
	var known []earshot.IssueRef
	mentions := it.mentions
	if before != nil {
		longer := before.Turns <= len(rec.Verbatim.Turns) && printOf(rec.Verbatim.Turns[:before.Turns]) == before.Print
		if longer {
			st.take(rec.Verbatim.ID, before, nil)
			known, c.Placed = st.currentIssues(before.Issues), before.Placed
			mentions = slices.DeleteFunc(slices.Clone(mentions), func(m issues.Mention) bool {
				return rec.Analysis.Segments[m.Segment].Turn < before.Turns
			})
		} else {
			st.take(rec.Verbatim.ID, before, before.Placed)
		}
	}
	said := c.said(rec.Verbatim.ID)
	for _, n := range numbersOf(known) {
		st.issues.Rejoin(said, n, c.Troubled, st.clock)
	}
	refs, placed := st.issues.Place(said, rec.Verbatim.Text(), mentions, known, st.clock)
	c.Issues = append(slices.Clone(known), refs...)
	c.Placed = append(slices.Clone(c.Placed), placed...)
	rec.Issues = c.Issues
	st.count(c)
	st.counted[rec.Verbatim.ID] = c
	st.takeIssueEvents()
	if it.live {
		st.watch.arrive(st, numbersOf(c.Issues))
	}
}

// erase takes a verbatim out of everything.
func (st *state) erase(id string, before *counted, at time.Time) {
	st.advance(at)
	if before == nil {
		return
	}
	st.take(id, before, before.Placed)
	st.counted[id] = nil
}

// take takes a verbatim out of series and issues, as it was counted.
func (st *state) take(id string, c *counted, placed []issues.Placed) {
	for _, key := range c.keys() {
		st.changes.Remove(key, c.value())
	}
	st.set.Of(series.All).AddHour(series.HourOf(c.At), -1)
	st.issues.Remove(c.said(id), numbersOf(c.Issues), placed, st.clock)
	st.watch.disturbed(st, c)
}

func (st *state) count(c *counted) {
	for _, key := range c.keys() {
		st.changes.Add(key, c.value())
	}
	st.set.Of(series.All).AddHour(series.HourOf(c.At), 1)
	st.watch.disturbed(st, c)
}

// keys are the series in which a verbatim is counted.
func (c *counted) keys() []string {
	keys := make([]string, 0, 2+len(c.Topics)+len(c.Issues))
	keys = append(keys, series.All, series.Source(c.Source))
	for _, topic := range c.Topics {
		keys = append(keys, series.Topic(topic))
	}
	for _, n := range numbersOf(c.Issues) {
		keys = append(keys, series.Issue(n))
	}
	return keys
}

func (c *counted) value() series.Value {
	return series.Value{At: c.At, Person: c.Person, Channel: c.Channel, Sentiment: c.Sentiment, Effort: c.Effort}
}

func (c *counted) said(id string) *issues.Said {
	return &issues.Said{Value: c.value(), Verbatim: id, Lang: c.Lang, Live: c.Live, Customer: c.Known}
}

func countedOf(it *item) *counted {
	v, a := &it.rec.Verbatim, it.rec.Analysis
	c := &counted{At: v.At, Person: hash64(v.Person()), Source: v.Source, Channel: v.Channel, Lang: a.Lang, Live: it.live, Known: v.Customer != "",
		Turns: len(v.Turns), Print: printOf(v.Turns)}
	if a.Sentiment != nil {
		c.Sentiment = &a.Sentiment.Score
	}
	if a.Effort != nil {
		c.Effort = &a.Effort.Score
	}
	for _, aspect := range a.Aspects {
		if !slices.Contains(c.Topics, aspect.Topic) {
			c.Topics = append(c.Topics, aspect.Topic)
		}
	}
	for _, m := range it.mentions {
		c.Troubled = c.Troubled || m.Troubled
	}
	return c
}

func numbersOf(refs []earshot.IssueRef) []int64 {
	var numbers []int64
	for _, r := range refs {
		if n, ok := issues.NumberOf(r.ID); ok && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func hash64(s string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, s) // never fails
	return h.Sum64()
}

func printOf(turns []earshot.Turn) uint64 {
	h := fnv.New64a()
	for _, t := range turns {
		_, _ = io.WriteString(h, t.Speaker+"\x00"+t.Text+"\x00") // never fails
	}
	return h.Sum64()
}

// save writes what the batch changed.
func (st *state) save(to ledger) error {
	if err := st.issues.Save(to); err != nil {
		return err
	}
	if err := st.changes.Save(to); err != nil {
		return fmt.Errorf("save series: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(st.counted)) { // ids grow as rows do
		c := st.counted[id]
		var body []byte
		if c != nil {
			var err error
			if body, err = json.Marshal(c); err != nil {
				return err
			}
		}
		if err := to.SetCounted(id, body); err != nil {
			return fmt.Errorf("save what %s was counted as: %w", id, err)
		}
	}
	if err := st.watch.save(to); err != nil {
		return fmt.Errorf("save alerts: %w", err)
	}
	clock, err := json.Marshal(st.clock)
	if err != nil {
		return err
	}
	if err := to.Put(kindState, "1", clock); err != nil {
		return err
	}
	st.changes = series.Changes{}
	clear(st.counted)
	return nil
}

// takeEvents gives what happened in the batch.
func (st *state) takeEvents() []event {
	e := st.events
	st.events = nil
	return e
}

// takeIssueEvents turns what happened to issues into events, and moves the
// incidents of issues that went into others.
func (st *state) takeIssueEvents() {
	for _, e := range st.issues.Events() {
		switch e.Type {
		case "opened":
			st.events = append(st.events, event{kind: "issue.opened", issue: e.Issue.Number(), at: e.At})
		case "state":
			st.events = append(st.events, event{kind: "issue", issue: e.Issue.Number(), at: e.At})
		case "merged":
			st.watch.merged(st, e.Issue.Number(), st.issues.Current(e.Issue.Number()), e.At)
		}
	}
}

// An event is something to tell: webhooks of some, streams of all.
type event struct {
	kind  string         // issue.opened, alert.fired, …; "issue" and "alert" for a change that streams alone are told of
	issue int64          // of issue.opened and issue
	alert *earshot.Alert // a copy as it was then
	at    time.Time
}
