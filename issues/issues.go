// Package issues gathers what customers say into issues as it is said: one
// pass, streaming, explainable.
//
// What it promises:
//
//   - The same mentions in the same order give the same issues, byte for byte,
//     also when the tracker was loaded again from what it had saved in between.
//   - An issue has a number from its first mention on, and keeps it for ever.
//     It is opened (shown, told of) when a second person says it in words of
//     their own: copies of one text and one author's repeats open none.
//   - What is saved is what changed, in the transaction of the batch. An
//     issue's count is how many verbatims are members of it.
//   - Two issues that turn out to be one are merged; the one that went answers
//     with the one it went into.
//   - Memory is bounded: of more than MaxIssues the least useful are retired.
//     They keep their number and members and take in no more.
//
// A [Reader] finds the mentions of a verbatim: neighbouring segments that bear a
// problem, with the words that tell one trouble from another. A [Tracker] holds
// the issues of one tenant: [Tracker.Place] assigns, [Tracker.Tick] merges and
// moves states as time goes by, [Tracker.Save] writes. For now an issue is of one
// family of languages (Chinese of all kinds, Thai, English); what joins
// languages goes into space.nearest.
//
// # Stored form
//
// Documents of kind "issue" (JSON, one an issue in memory), "issue_retired",
// "issue_examples" (the texts that show what it is about: erased with their
// verbatims) and "issues" (one: counters and clock). Members are rows of the store.
package issues

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// MaxIssues is how many issues of a tenant are kept in memory.
const MaxIssues = 20_000

const (
	mergeEvery = 500 // mentions between two merge passes, if no tick comes first

	// A mention so like a lone issue, and so long, is a copy of it. Copies that
	// go round open no issue, but when so many known customers send the same
	// words (a form has only so many), each of them has a trouble.
	copyLike   = 0.98
	copyTerms  = 6
	copiesOpen = 4
)

// An Issue is what is kept of one in memory. Its members are in the store.
type Issue struct {
	centroid
	doc
	examples []example

	dirtyExamples bool
	unlike        bool // changed since the last look for a twin
}

// doc is the part of an issue that is stored as it stands.
type doc struct {
	Family     string              `json:"family"`
	State      string              `json:"state"`
	Opened     bool                `json:"opened,omitzero"`
	Named      string              `json:"named,omitzero"`  // by a person
	Called     map[string]string   `json:"titles,omitzero"` // by language
	Phrases    map[string][]string `json:"phrases,omitzero"`
	Count      int                 `json:"count"`
	Customers  int                 `json:"customers"`
	FirstSeen  time.Time           `json:"first"`
	LastSeen   time.Time           `json:"last"`
	Sentiment  series.Sum          `json:"sentiment,omitzero"`
	Effort     series.Sum          `json:"effort,omitzero"`
	Langs      map[string]int      `json:"langs"`
	Channels   map[string]int      `json:"channels"`
	History    []earshot.Event     `json:"history,omitzero"`
	MergedInto int64               `json:"into,omitzero"`
	Version    int                 `json:"version"`
	First      uint64              `json:"person,omitzero"`  // until it is opened: of the first mention,
	Own        bool                `json:"own,omitzero"`     // somebody else said it in words of their own,
	Copiers    []uint64            `json:"copiers,omitzero"` // known customers who sent the same words
	Bears      bool                `json:"bears,omitzero"`   // a member says that something is wrong, or wants something
	Mentions   int                 `json:"mentions"`         // that shaped the centroid
	Look       int                 `json:"look,omitzero"`    // mentions at which a twin is looked for
	Swept      int64               `json:"swept,omitzero"`   // Tracker.mentions when one was looked for last
	Titled     int                 `json:"titled,omitzero"`  // mentions when it was given its titles
}

// Number is the issue's number; its id is "ISS-" and that.
func (i *Issue) Number() int64 { return i.number }

// ID is the issue's id.
func (i *Issue) ID() string { return IDOf(i.number) }

// IDOf gives the id of a number.
func IDOf(number int64) string { return "ISS-" + strconv.FormatInt(number, 10) }

// NumberOf gives the number of an id.
func NumberOf(id string) (int64, bool) {
	digits, ok := strings.CutPrefix(id, "ISS-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && err == nil && n > 0 && IDOf(n) == id
}

// A Tracker is the issues of one tenant. It is not safe for concurrent use.
type Tracker struct {
	// Pinned says which issues are in use and are retired last; nil: none. It must
	// depend on what is saved alone.
	Pinned func(number int64) bool

	reader *Reader
	set    series.Set
	spaces map[string]*space
	issues map[int64]*Issue
	into   map[int64]int64 // where merged issues went

	pulse map[string]*pulse // by family

	counters
	ops     []op     // what is to be done to members, in order
	retired []*Issue // since the last Save
	wiped   []int64  // retired issues that lost a member since then
	saved   counters // as they were written last
	changed map[int64]*Issue
	events  []Event
	limit   int
}

// counters are the state of the tracker as a whole.
type counters struct {
	Next     int64     `json:"next"`     // the last number given
	Mentions int64     `json:"mentions"` // placed so far
	Passed   int64     `json:"passed"`   // Mentions at the last merge pass
	Clock    time.Time `json:"clock"`    // of the last Tick
}

// An Event is something that happened to an issue, for those who are told.
type Event struct {
	Type  string // "opened", "state" (also: renamed), "merged"
	Issue *Issue
	At    time.Time
}

// NewTracker makes the tracker of a tenant that has no issues. set is the
// tenant's series, which the tracker reads and, when it merges, merges.
func NewTracker(r *Reader, set series.Set) *Tracker {
	t := &Tracker{reader: r, set: set, spaces: map[string]*space{}, issues: map[int64]*Issue{}, into: map[int64]int64{},
		changed: map[int64]*Issue{}, limit: MaxIssues, pulse: map[string]*pulse{}}
	for _, f := range families {
		t.pulse[f] = &pulse{}
		t.spaces[f] = newSpace(r.usual[f])
	}
	return t
}

// A Said is who said a verbatim when, and how it was scored.
type Said struct {
	series.Value
	Verbatim string
	Lang     string
	Live     bool // may raise an alert
	Customer bool // the person is a customer the sender knows, not only a name
}

// A Placed is a mention that was put into an issue: what it takes to take it out again.
type Placed struct {
	Number int64    `json:"issue"`
	Terms  []string `json:"terms,omitzero"` // none if it did not shape the centroid
}

// Place finds the issue of each mention of a verbatim, or opens one, and makes
// the verbatim a member. now is how far the log has come. It returns one
// reference an issue, in order of segment, and where each mention went; known
// are the issues the verbatim is in already.
func (t *Tracker) Place(s *Said, text string, mentions []Mention, known []earshot.IssueRef, now time.Time) (refs []earshot.IssueRef, placed []Placed) {
	for k := range mentions {
		m := &mentions[k]
		i, sim, pulled := t.place(m, s, now)
		if i == nil {
			continue
		}
		p := Placed{Number: i.number}
		if pulled {
			p.Terms = m.Terms
		}
		placed = append(placed, p)
		has := func(r earshot.IssueRef) bool { n, _ := NumberOf(r.ID); return t.Current(n) == i.number }
		if slices.ContainsFunc(known, has) || slices.ContainsFunc(refs, has) {
			continue
		}
		refs = append(refs, earshot.IssueRef{ID: i.ID(), Segment: m.Segment, Similarity: float64(int(sim*1000+0.5)) / 1000})
		i.Bears = i.Bears || m.Bears
		t.join(i, s, m.Troubled, now)
		t.keepExample(i, s, m, text, sim)
		t.review(i, s, now)
	}
	return refs, placed
}

// place assigns one mention; pulled says that it shapes the centroid. nil: it
// belongs nowhere, and may not open an issue.
func (t *Tracker) place(m *Mention, s *Said, now time.Time) (_ *Issue, similarity float64, pulled bool) {
	t.Mentions++
	space := t.spaces[family(m.Lang)]
	v := space.vector(m.Terms)
	c, sim := space.nearest(v, rarest, nil)
	if c == nil || !c.joins(sim, t.share(t.issues[c.number], now)) {
		if !m.Opens {
			return nil, 0, false
		}
		i := t.open(m, s)
		space.add(&i.centroid, v, s.At)
		return i, 1, true
	}
	i := t.issues[c.number]
	if !i.Opened {
		if i.First == 0 {
			i.First = s.Person
		}
		other := s.Person != i.First
		if sim >= copyLike && len(m.Terms) >= copyTerms {
			if other && s.Customer && len(i.Copiers) < copiesOpen && !slices.Contains(i.Copiers, s.Person) {
				i.Copiers = append(i.Copiers, s.Person)
			}
			return i, sim, false
		}
		i.Own = i.Own || other
	}
	if i.First == s.Person && !i.Opened || t.saidBefore(i, s, now) {
		return i, sim, false // one person's repeats do not pull
	}
	space.add(c, v, s.At)
	i.Mentions++
	i.unlike = true
	t.touch(i)
	return i, sim, true
}

// share is the part of what was said lately in the issue's family that is in it;
// of one that is new in a surge, at least what the surge lets expect.
func (t *Tracker) share(i *Issue, now time.Time) float64 {
	tr := t.set[series.Issue(i.number)]
	if tr == nil {
		return 0
	}
	surge := 0.0
	if !i.FirstSeen.Before(now.Add(-lately)) {
		surge = surgeShare * t.surge(i.Family, now)
	}
	from, to := series.Slot(now.Add(-lately)), series.Slot(now)+1
	mine := len(tr.In(from, to)) - fewVoices
	if mine <= 0 {
		return surge
	}
	all, _ := t.pulse[i.Family].in(from, to)
	return max(surge, float64(mine)/(float64(all)+beside))
}

// surge is which part of what was said in a family in the last hour is more
// than the day before let expect, 0 … 1.
func (t *Tracker) surge(family string, now time.Time) float64 {
	to := series.Slot(now) + 1
	from := series.Slot(now.Add(-time.Hour))
	n, _ := t.pulse[family].in(from, to)
	if n <= surgeLeast {
		return 0
	}
	before, first := t.pulse[family].in(series.Slot(now.Add(-25*time.Hour)), from)
	hours := float64(from-first) / float64(time.Hour/series.Step)
	if hours < surgeDay {
		return 0 // without a day before it nothing is a surge
	}
	return max(0, (float64(n)-2*float64(before)/hours-surgeLeast)/float64(n))
}

// saidBefore says whether the person said it within the last day.
func (t *Tracker) saidBefore(i *Issue, s *Said, now time.Time) bool {
	tr := t.set[series.Issue(i.number)]
	if tr == nil {
		return false
	}
	const last = 200 // as far back as that is worth the time
	recent := tr.In(series.Slot(now.Add(-24*time.Hour)), math.MaxInt64)
	recent = recent[max(0, len(recent)-last):]
	return slices.ContainsFunc(recent, func(r series.Said) bool { return r.Person == s.Person })
}

func (t *Tracker) open(m *Mention, s *Said) *Issue {
	t.Next++
	i := &Issue{centroid: centroid{number: t.Next}, doc: doc{Family: family(m.Lang), State: earshot.Emerging, FirstSeen: s.At, LastSeen: s.At,
		Langs: map[string]int{}, Channels: map[string]int{}, First: s.Person, Mentions: 1, Look: 2, Swept: t.Mentions}}
	t.issues[i.number] = i
	i.unlike = true
	t.touch(i)
	return i
}

// touch has an issue saved.
func (t *Tracker) touch(i *Issue) { t.changed[i.number] = i }

// join makes a verbatim a member of an issue.
func (t *Tracker) join(i *Issue, s *Said, troubled bool, now time.Time) {
	i.Langs[s.Lang]++
	i.Channels[s.Channel]++
	i.Sentiment.Add(s.Sentiment, 1)
	i.Effort.Add(s.Effort, 1)
	if s.At.Before(i.FirstSeen) {
		i.FirstSeen = s.At
	}
	if s.At.After(i.LastSeen) {
		i.LastSeen = s.At
	}
	t.touch(i)
	t.ops = append(t.ops, op{kind: joining, number: i.number, issue: i, said: *s, troubled: troubled})
	t.pulse[i.Family].add(series.Slot(s.At), 1)
	t.set.Of(series.Issue(i.number)).Add(s.At, series.Said{Verbatim: s.Verbatim, Person: s.Person, Channel: s.Channel, Live: s.Live, Troubled: troubled}, now)
}

// Rejoin makes a verbatim a member again of an issue that it was put into
// before: what is known of the verbatim changed, where it belongs did not.
func (t *Tracker) Rejoin(s *Said, number int64, troubled bool, now time.Time) {
	i := t.issues[t.Current(number)]
	if i == nil { // retired: its row alone can say
		t.ops = append(t.ops, op{kind: joining, number: t.Current(number), said: *s})
		return
	}
	t.join(i, s, troubled, now)
}

// review looks at an issue that has a new member: is it an issue now, has it a
// twin, does it need a better title?
func (t *Tracker) review(i *Issue, s *Said, now time.Time) {
	if !i.Opened && i.Bears && (i.Own || len(i.Copiers) >= copiesOpen) {
		i.opens()
		t.note(i, now, "auto", "opened", "")
		if i.State == earshot.Emerging {
			i.State = t.stateAt(i, now) // what was imported may be over already
		}
		t.events = append(t.events, Event{"opened", i, now})
	}
	if i.State == earshot.Closed && i.Opened && s.At.After(now.Add(-closedAfter)) {
		t.setState(i, earshot.Emerging, now, "auto", "said again")
	}
	if i.Mentions >= i.Look {
		i.Look = i.Mentions + i.Mentions/2 + 1
		i = t.gather(t.mergeTwin(i, now), now)
	}
	t.retitle(i)
	if t.Mentions >= t.Passed+mergeEvery {
		t.mergePass(now)
	}
}

// opens makes an issue of a group.
func (i *Issue) opens() { i.Opened, i.First, i.Own, i.Copiers = true, 0, false, nil }

// note writes into the issue's history.
func (t *Tracker) note(i *Issue, at time.Time, by, action, text string) {
	const most = 100
	if len(i.History) >= most {
		i.History = slices.Delete(i.History, 1, len(i.History)-most+2)
	}
	i.History = append(i.History, earshot.Event{At: at, By: by, Action: action, Note: text})
	i.Version++
	t.touch(i)
}

// mergeTwin merges an issue with the one it turned out to be, if there is one,
// and gives the issue that remains.
func (t *Tracker) mergeTwin(i *Issue, now time.Time) *Issue {
	space := t.spaces[i.Family]
	i.unlike, i.Swept = false, t.Mentions
	t.touch(i)
	c := space.twin(&i.centroid, func(c *centroid) float64 { return t.share(t.issues[c.number], now) })
	if c == nil {
		return i
	}
	a, b := i, t.issues[c.number]
	if cmp.Or(cmp.Compare(a.mass, b.mass), cmp.Compare(b.number, a.number)) < 0 {
		a, b = b, a
	}
	if b.Named != "" || b.State == earshot.Muted { // what a person did stays
		if a.Named != "" || a.State == earshot.Muted {
			return i
		}
		a, b = b, a
	}
	t.merge(a, b, now)
	return a
}

// gather takes in the small issues that one that grows has come to be like.
func (t *Tracker) gather(i *Issue, now time.Time) *Issue {
	for _, c := range t.spaces[i.Family].strays(&i.centroid, t.share(i, now)) {
		if s := t.issues[c.number]; s.Named == "" && s.State != earshot.Muted {
			t.merge(i, s, now)
		}
	}
	return i
}

// merge puts b into a.
func (t *Tracker) merge(a, b *Issue, now time.Time) {
	t.spaces[a.Family].merge(&a.centroid, &b.centroid)
	t.touch(a)
	for lang, n := range b.Langs {
		a.Langs[lang] += n
	}
	for channel, n := range b.Channels {
		a.Channels[channel] += n
	}
	a.Sentiment = series.Sum{N: a.Sentiment.N + b.Sentiment.N, Milli: a.Sentiment.Milli + b.Sentiment.Milli}
	a.Effort = series.Sum{N: a.Effort.N + b.Effort.N, Milli: a.Effort.Milli + b.Effort.Milli}
	if b.FirstSeen.Before(a.FirstSeen) {
		a.FirstSeen = b.FirstSeen
	}
	if b.LastSeen.After(a.LastSeen) {
		a.LastSeen = b.LastSeen
	}
	a.Mentions += b.Mentions
	a.unlike = true
	a.examples = append(a.examples, b.examples...)
	b.examples = nil
	a.dirtyExamples, b.dirtyExamples = true, true
	trimExamples(a)
	for _, twice := range t.set.Merge(series.Issue(b.number), series.Issue(a.number)) {
		t.pulse[a.Family].add(twice.Slot, -1)
	}
	t.ops = append(t.ops, op{kind: merging, issue: a, other: b})
	t.into[b.number] = a.number
	delete(t.issues, b.number)
	b.MergedInto, b.vec, b.Called, b.Phrases = a.number, nil, nil, nil
	b.State = earshot.Closed
	t.note(b, now, "auto", "merged", "into "+a.ID())
	if b.Opened || a.Opened {
		t.note(a, now, "auto", "merged", "took in "+b.ID())
	}
	a.Bears = a.Bears || b.Bears
	if !a.Opened && a.Bears && (b.Opened || b.First != a.First) {
		a.opens()
		t.note(a, now, "auto", "opened", "")
		t.events = append(t.events, Event{"opened", a, now})
	}
	t.events = append(t.events, Event{"merged", b, now})
	t.retitle(a)
}

// mergePass looks for the twins of all issues that changed, and of small ones
// whenever the stream has doubled since they were looked at: meanwhile there
// may be an issue that would have taken them in.
func (t *Tracker) mergePass(now time.Time) {
	t.Passed = t.Mentions
	var look []*Issue
	for _, i := range t.issues {
		if i.unlike || i.mass < smallMass && t.Mentions >= 2*i.Swept {
			look = append(look, i)
		}
	}
	slices.SortFunc(look, byNumber)
	for _, i := range look {
		if t.issues[i.number] == i {
			t.mergeTwin(i, now)
		}
	}
	t.retire(now)
}

func byNumber(a, b *Issue) int { return cmp.Compare(a.number, b.number) }

// retire takes the least useful issues out of memory when there are too many:
// those never opened first, of those and then of the others the ones said last
// the longest ago.
func (t *Tracker) retire(now time.Time) {
	if len(t.issues) <= t.limit {
		return
	}
	all := slices.SortedFunc(maps.Values(t.issues), func(a, b *Issue) int {
		return cmp.Or(cmp.Compare(t.rank(a), t.rank(b)), a.LastSeen.Compare(b.LastSeen), cmp.Compare(a.number, b.number))
	})
	for _, i := range all[:len(all)-t.limit*9/10] {
		t.spaces[i.Family].drop(&i.centroid)
		i.vec = nil
		delete(t.issues, i.number)
		for _, s := range t.set.Of(series.Issue(i.number)).Recent {
			t.pulse[i.Family].add(s.Slot, -1)
		}
		delete(t.set, series.Issue(i.number))
		if i.Opened {
			i.State = earshot.Closed
			t.note(i, now, "auto", "retired", "")
		}
		t.retired = append(t.retired, i)
		delete(t.changed, i.number)
	}
}

func (t *Tracker) rank(i *Issue) int {
	switch {
	case t.Pinned != nil && t.Pinned(i.number):
		return 3
	case !i.Opened:
		return 0
	case i.State == earshot.Closed:
		return 1
	}
	return 2
}

// Current follows merges to the issue that a number means now.
func (t *Tracker) Current(number int64) int64 {
	for {
		next, ok := t.into[number]
		if !ok {
			return number
		}
		number = next
	}
}

// Get gives an issue in memory; nil if it was retired, merged or never there.
func (t *Tracker) Get(number int64) *Issue { return t.issues[number] }

// All gives the issues in memory, by number.
func (t *Tracker) All() []*Issue { return slices.SortedFunc(maps.Values(t.issues), byNumber) }

// Merged gives the numbers of the issues that went into others, in order.
func (t *Tracker) Merged() []int64 { return slices.Sorted(maps.Keys(t.into)) }

// Into gives the numbers that were merged into one, itself first.
func (t *Tracker) Into(number int64) []int64 {
	all := []int64{number}
	for from := range t.into {
		if t.Current(from) == number {
			all = append(all, from)
		}
	}
	slices.Sort(all[1:])
	return all
}

// Alike is the cosine of two issues; 0 if one is not in memory or they are of
// different families.
func (t *Tracker) Alike(a, b int64) float64 {
	x, y := t.issues[a], t.issues[b]
	if x == nil || y == nil || x.Family != y.Family || x.norm == 0 || y.norm == 0 {
		return 0
	}
	return x.dot(y.vector()) / x.norm
}

// Remove takes a verbatim out of the issues it was counted in, and what it
// placed out of their centroids. placed is empty if its words stay.
func (t *Tracker) Remove(s *Said, numbers []int64, placed []Placed, now time.Time) {
	var left []int64
	for _, n := range numbers {
		n = t.Current(n)
		if tr := t.set[series.Issue(n)]; tr != nil {
			tr.Remove(s.At, s.Verbatim)
		}
		if slices.Contains(left, n) {
			continue
		}
		left = append(left, n)
		if i := t.issues[n]; i != nil {
			t.pulse[i.Family].add(series.Slot(s.At), -1)
		}
	}
	for k := range placed {
		p := &placed[k]
		if i := t.issues[t.Current(p.Number)]; i != nil && len(p.Terms) > 0 && len(i.vec) > 0 {
			space := t.spaces[i.Family]
			space.subtract(&i.centroid, space.vector(p.Terms), s.At)
			t.touch(i)
		}
	}
	for _, n := range left {
		t.leave(n, s)
	}
}

func (t *Tracker) leave(number int64, s *Said) {
	t.ops = append(t.ops, op{kind: leaving, number: number, issue: t.issues[number], said: *s})
	i := t.issues[number]
	if i == nil {
		t.wiped = append(t.wiped, number)
		return // retired: its row says what it was
	}
	if !i.Opened && i.First == s.Person {
		i.First, i.Own, i.Copiers = 0, false, nil // whoever says it next is the first
	}
	take(i.Langs, s.Lang)
	take(i.Channels, s.Channel)
	i.Sentiment.Add(s.Sentiment, -1)
	i.Effort.Add(s.Effort, -1)
	before := len(i.examples)
	i.examples = slices.DeleteFunc(i.examples, func(e example) bool { return e.Verbatim == s.Verbatim })
	if len(i.examples) != before {
		i.dirtyExamples = true
	}
	if i.Titled > 0 {
		t.title(i)
	}
	i.Version++
	t.touch(i)
}

func take[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// Title is what an issue is called: as a person named it, else in the language
// that most of it is in.
func (t *Tracker) Title(i *Issue) string {
	if i.Named != "" {
		return i.Named
	}
	titles, _ := t.Titles(i)
	best, most := "", 0
	for _, lang := range slices.Sorted(maps.Keys(titles)) {
		if n := i.Langs[lang]; n > most || best == "" {
			best, most = titles[lang], n
		}
	}
	return best
}

// Wipe takes the words out of the retired issues that lost a member since it was
// last called: what they are called may be that member's. load reads an issue as
// it was saved; nil is none.
func (t *Tracker) Wipe(load func(number int64) (*Issue, error)) error {
	numbers := t.wiped
	t.wiped = nil
	for _, n := range numbers {
		k := slices.IndexFunc(t.retired, func(i *Issue) bool { return i.number == n })
		if k < 0 {
			i, err := load(n)
			if err != nil {
				return err
			}
			if i == nil || i.MergedInto != 0 {
				continue
			}
			t.retired = append(t.retired, i)
			k = len(t.retired) - 1
		}
		i := t.retired[k]
		i.Called, i.Phrases, i.examples, i.dirtyExamples = nil, nil, nil, true
	}
	return nil
}

// Events gives what happened since it was last asked.
func (t *Tracker) Events() []Event {
	e := t.events
	t.events = nil
	return e
}

// Changed gives the issues that changed since the last Save, by number.
func (t *Tracker) Changed() []*Issue { return slices.SortedFunc(maps.Values(t.changed), byNumber) }

// Command carries out what a person asked for: a new title ("" keeps it), a
// new state ("" keeps it).
func (t *Tracker) Command(number int64, title *string, state string, by string, now time.Time) (*Issue, error) {
	i := t.issues[number]
	if i == nil {
		return nil, earshot.Errorf(earshot.Conflict, "the issue was retired or merged and can't be changed")
	}
	if title != nil && *title != i.Named {
		i.Named = *title
		t.note(i, now, by, "renamed", *title)
		t.events = append(t.events, Event{"state", i, now})
	}
	if state != "" && state != i.State {
		t.setState(i, state, now, by, "")
	}
	return i, nil
}

func (t *Tracker) setState(i *Issue, state string, now time.Time, by, why string) {
	i.State = state
	t.note(i, now, by, state, why)
	t.events = append(t.events, Event{"state", i, now})
}
