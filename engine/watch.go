package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/alert"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

// A watch is the alerts of one tenant under one rule about issues. It joins
// issues, series and the detectors of package alert.
type watch struct {
	rule      earshot.Rule
	loc       *time.Location
	season    alert.Season
	seasonAt  int64               // the hour for which it was counted
	last      int64               // number of the last alert
	incidents map[int64]*incident // by issue
	baselines map[int64]baseline  // by issue; a cache

	dirty       map[string]*incident // by alert
	old         []*incident          // earlier alerts of issues that were changed
	dirtySeason bool
}

// An incident is the latest alert of an issue and what is remembered beside it.
type incident struct {
	Alert  *earshot.Alert `json:"alert"`
	Memory alert.Memory   `json:"memory"`
	Folded []int64        `json:"folded,omitempty"` // issues whose spikes are part of it
}

func unpackIncident(d store.Document) (*incident, error) {
	in := &incident{}
	if err := json.Unmarshal(d.Body, in); err != nil {
		return nil, fmt.Errorf("alert %s: %d bytes are not what was written", d.ID, len(d.Body))
	}
	return in, nil
}

func (in *incident) open() bool { return in.Alert.State != earshot.Resolved }

type baseline struct {
	hour int64
	born time.Time
	alert.Baseline
}

// Kinds of documents.
const (
	kindAlert  = "alert"  // an incident each
	kindSeason = "season" // one
)

// foldAlike is how alike two issues must be for the spike of one to be part of
// the other's incident: one trouble in so many words that it is not yet one issue.
const foldAlike = 0.08

// troubledShare is which part of a spike must say that something is wrong. A
// promotion that everybody asks about is busy, and no reason to wake anyone.
const (
	troubledShare = 1.0 / 3
	troubledLeast = 3
)

// windows are what is judged, in buckets.
var windows = [3]int64{3, 12, 72}

func newWatch(loc *time.Location) *watch {
	if loc == nil {
		loc = time.UTC
	}
	return &watch{rule: earshot.IssuesDefault(), loc: loc, incidents: map[int64]*incident{}, baselines: map[int64]baseline{}, dirty: map[string]*incident{}}
}

// idle says whether time can pass without anything happening to an alert.
func (w *watch) idle() bool {
	for _, in := range w.incidents {
		if in.open() {
			return false
		}
	}
	return true
}

// arrive judges the issues that a live verbatim was put into.
func (w *watch) arrive(st *state, numbers []int64) {
	for _, n := range numbers {
		i := st.issues.Get(st.issues.Current(n))
		if i == nil {
			continue
		}
		if in := w.incidents[i.Number()]; in != nil && in.open() {
			continue // the next tick looks after it
		}
		w.judge(st, i, st.clock)
	}
}

// tick judges what is open or may be about to be, learns from issues that come
// of age and counts the season anew every hour.
func (w *watch) tick(st *state, now time.Time) {
	hour := series.HourOf(now)
	if hour != w.seasonAt {
		w.learn(st, hour)
		w.season.Count(st.set.Of(series.All).Hours, now)
		clear(w.baselines)
		w.seasonAt, w.dirtySeason = hour, true
	}
	for _, i := range st.issues.All() {
		tr := st.set[series.Issue(i.Number())]
		in := w.incidents[i.Number()]
		if in != nil && in.open() || tr != nil && len(tr.Recent) >= alert.MinVerbatims {
			w.judge(st, i, now)
		}
	}
}

// learn takes in how the issues grew whose first two days are over since the
// last time.
func (w *watch) learn(st *state, hour int64) {
	const childhood = int64(alert.Childhood / time.Hour)
	for _, i := range st.issues.All() {
		age := hour - series.HourOf(i.FirstSeen)
		if i.Opened && w.seasonAt > 0 && age >= childhood && age-(hour-w.seasonAt) < childhood {
			w.season.Learn(w.track(st, i))
		}
	}
}

func (w *watch) track(st *state, i *issues.Issue) alert.Track {
	return alert.Track{Born: i.FirstSeen.Truncate(series.Step), Hours: st.set.Of(series.Issue(i.Number())).Hours}
}

// judge looks at one issue.
func (w *watch) judge(st *state, i *issues.Issue, now time.Time) {
	in := w.incidents[i.Number()]
	running := in != nil && in.open()
	if !running && (!i.Opened || i.State == earshot.Muted) {
		return
	}
	counts := w.counts(st, i, now)
	if !running && !alert.Judgeable(counts) {
		return
	}
	b := w.baseline(st, i, now)
	v := w.verdict(st, i, b, counts, now)
	var said []series.Said
	if v.Fired || running && !v.Calm {
		// So many people as verbatims would be a spike. How many are there?
		if !running && sparse(counts[2].N) {
			return
		}
		v, said = w.peopled(st, i, b, counts, now)
	}
	if running {
		w.refresh(in, v)
		w.apply(st, i.Number(), in, alert.Look(in.Alert, &in.Memory, v, now, w.loc), now)
		return
	}
	if !v.Fired || !w.rule.Enabled || v.People < w.rule.MinCustomers || !troubled(said, v.Window) {
		return
	}
	var memory alert.Memory
	if in != nil {
		memory = in.Memory
	}
	if ok, _ := memory.Opens(v, now); !ok || w.fold(st, i, now) {
		return
	}
	w.last++
	subject := earshot.Subject{Type: "issue", ID: i.ID(), Title: st.issues.Title(i)}
	in = &incident{Memory: memory}
	in.Alert = alert.Open("ALR-"+strconv.FormatInt(w.last, 10), w.rule.ID, subject, &in.Memory, v, now, w.loc)
	dress(in.Alert, said, v.Window)
	w.incidents[i.Number()] = in
	w.apply(st, i.Number(), in, alert.Change{Changed: true, Event: alert.Fired}, now)
}

// refresh makes a running alert say how bad it has been so far. Whom that
// concerns is told by alert.Look alone, when it got materially worse.
func (w *watch) refresh(in *incident, v alert.Verdict) {
	if v.Fired && v.Observed > in.Alert.Observed {
		alert.Figures(in.Alert, v, w.loc)
	}
}

func (w *watch) verdict(st *state, i *issues.Issue, b *alert.Baseline, counts [3]alert.Count, now time.Time) alert.Verdict {
	return alert.Judge(now, w.track(st, i), b, counts, alert.Sensitivity(w.rule.Sensitivity))
}

// peopled is the verdict on how many people there are, with what was said in the longest window.
func (w *watch) peopled(st *state, i *issues.Issue, b *alert.Baseline, counts [3]alert.Count, now time.Time) (alert.Verdict, []series.Said) {
	end := series.Slot(now) + 1
	said := st.set.Of(series.Issue(i.Number())).In(end-windows[2], end)
	countPeople(&counts, said)
	return w.verdict(st, i, b, counts, now), said
}

// counts gives the trailing windows of an issue, with as many people as there are verbatims.
func (w *watch) counts(st *state, i *issues.Issue, now time.Time) (counts [3]alert.Count) {
	end := series.Slot(now) + 1
	tr := st.set.Of(series.Issue(i.Number()))
	for k, n := range windows {
		counts[k].Window = earshot.Window{From: series.SlotTime(end - n), To: series.SlotTime(end)}
		counts[k].N = tr.LiveIn(end-n, end)
		counts[k].People = counts[k].N
	}
	return counts
}

// countPeople sets how many people are behind the live verbatims of the windows;
// said is the longest of them.
func countPeople(counts *[3]alert.Count, said []series.Said) {
	people := make(map[uint64]bool, len(said))
	j := len(said) - 1
	for k := range counts { // the shorter windows are the ends of the longer ones
		for ; j >= 0 && said[j].Slot >= series.Slot(counts[k].Window.From); j-- {
			if said[j].Live {
				people[said[j].Person] = true
			}
		}
		counts[k].People = len(people)
	}
}

// sparse says whether an arrival may be left unjudged because there are so many:
// of more than 64 in the window, one in 32 parts of them is looked at. It does
// not depend on what was looked at before.
func sparse(n int) bool {
	return n > 64 && n%(1<<(bits.Len(uint(n))-6)) != 0
}

// live gives those of said that are live and in a window.
func live(said []series.Said, window earshot.Window) []series.Said {
	from, to := series.Slot(window.From), series.Slot(window.To)
	var in []series.Said
	for _, s := range said {
		if s.Live && s.Slot >= from && s.Slot < to {
			in = append(in, s)
		}
	}
	return in
}

func troubled(said []series.Said, window earshot.Window) bool {
	all := live(said, window)
	n := 0
	for _, s := range all {
		if s.Troubled {
			n++
		}
	}
	return n >= troubledLeast && float64(n) >= troubledShare*float64(len(all))
}

// dress fills in what the verbatims of a spike show.
func dress(a *earshot.Alert, said []series.Said, window earshot.Window) {
	const examples = 5
	all := live(said, window)
	if len(all) == 0 {
		return
	}
	a.FirstVerbatim = all[0].Verbatim
	for k := range min(examples, len(all)) {
		a.Examples = append(a.Examples, all[k*len(all)/min(examples, len(all))].Verbatim)
	}
	// Said where? Worth telling if most of it is in one channel and not all of it.
	channels := map[string]int{}
	for _, s := range all {
		channels[s.Channel]++
	}
	for _, c := range slices.Sorted(maps.Keys(channels)) {
		if n := channels[c]; n*10 >= len(all)*7 {
			a.Slice = map[string]string{"channel": c}
		}
	}
}

// fold says whether a spike is part of an incident that is running.
func (w *watch) fold(st *state, i *issues.Issue, now time.Time) bool {
	for _, n := range slices.Sorted(maps.Keys(w.incidents)) {
		in := w.incidents[n]
		if !in.open() || n == i.Number() || st.issues.Alike(n, i.Number()) < foldAlike {
			continue
		}
		if !slices.Contains(in.Folded, i.Number()) {
			in.Folded = append(in.Folded, i.Number())
			alert.Note(in.Alert, now, "system", "folded", i.ID()+" spikes too and is about much the same")
			w.apply(st, n, in, alert.Change{Changed: true}, now)
		}
		return true
	}
	return false
}

// apply notes what became of an incident.
func (w *watch) apply(st *state, number int64, in *incident, c alert.Change, now time.Time) {
	w.dirty[in.Alert.ID] = in // its memory may have changed at least
	if !c.Changed {
		return
	}
	if i := st.issues.Get(number); i != nil && in.open() {
		in.Alert.Subject.Title = st.issues.Title(i)
	}
	kind := c.Event
	if kind == "" {
		kind = "alert"
	}
	st.events = append(st.events, event{kind: kind, alert: copyOf(in.Alert), at: now})
}

func copyOf(a *earshot.Alert) *earshot.Alert {
	c := *a
	c.Examples, c.History, c.Deliveries = slices.Clone(a.Examples), slices.Clone(a.History), slices.Clone(a.Deliveries)
	c.Slice, c.Votes = maps.Clone(a.Slice), maps.Clone(a.Votes)
	return &c
}

// merged moves the incident of an issue that went into another.
func (w *watch) merged(st *state, from, into int64, now time.Time) {
	delete(w.baselines, from)
	delete(w.baselines, into)
	in := w.incidents[from]
	if in == nil {
		return
	}
	delete(w.incidents, from)
	other := w.incidents[into]
	i := st.issues.Get(into)
	switch {
	case !in.open():
		if other == nil {
			w.incidents[into] = in // what it holds back stays held back
			break
		}
		stays := later(other, in)
		for _, o := range []*incident{in, other} {
			if !stays.open() && o.Memory.Holds.After(stays.Memory.Holds) {
				stays.Memory.Holds = o.Memory.Holds
			}
		}
		w.incidents[into] = stays
		w.dirty[stays.Alert.ID] = stays
	case i == nil || other != nil && other.open(): // gone, or two incidents turn out to be one
		c, _ := alert.Command(in.Alert, &in.Memory, "resolve", "", "system", now)
		w.apply(st, from, in, c, now)
	default:
		in.Alert.Subject = earshot.Subject{Type: "issue", ID: i.ID(), Title: st.issues.Title(i)}
		alert.Note(in.Alert, now, "system", "merged", issues.IDOf(from)+" went into "+i.ID())
		w.incidents[into] = in
		w.apply(st, into, in, alert.Change{Changed: true}, now)
	}
}

// later says which of two incidents of one issue speaks for it: the one that
// runs, else the one that ended last.
func later(a, b *incident) *incident {
	switch {
	case a.open() != b.open():
		if a.open() {
			return a
		}
		return b
	case a.open():
		// Two that run are not possible; the order is that of their numbers.
	case !a.Alert.ResolvedAt.Equal(*b.Alert.ResolvedAt):
		if a.Alert.ResolvedAt.After(*b.Alert.ResolvedAt) {
			return a
		}
		return b
	}
	if alertKey(a.Alert.ID) > alertKey(b.Alert.ID) {
		return a
	}
	return b
}

// pinned says whether an issue has an incident that is running.
func (w *watch) pinned(number int64) bool {
	in := w.incidents[number]
	return in != nil && in.open()
}

// forget takes an erased verbatim out of an alert of one of its issues, and its
// words, which the title may be.
func (in *incident) forget(st *state, verbatim string, number int64) {
	is := func(id string) bool { return id == verbatim }
	in.Alert.Examples = slices.DeleteFunc(in.Alert.Examples, is)
	if is(in.Alert.FirstVerbatim) {
		in.Alert.FirstVerbatim = ""
	}
	in.Alert.Subject.Title = ""
	if i := st.issues.Get(number); i != nil {
		in.Alert.Subject.Title = st.issues.Title(i)
	}
}

// inMemory puts the alerts that are in memory, as they are now, in the place of
// those that were read.
func (w *watch) inMemory(alerts map[string]*incident) {
	for _, in := range w.old {
		alerts[in.Alert.ID] = in
	}
	for _, in := range w.incidents {
		alerts[in.Alert.ID] = in
	}
	maps.Copy(alerts, w.dirty)
}

// baseline gives what is expected of an issue in this hour.
func (w *watch) baseline(st *state, i *issues.Issue, now time.Time) *alert.Baseline {
	hour := series.HourOf(now)
	b, ok := w.baselines[i.Number()]
	if !ok || b.hour != hour || !b.born.Equal(i.FirstSeen) {
		b = baseline{hour, i.FirstSeen, alert.NewBaseline(w.track(st, i), &w.season, now)}
		w.baselines[i.Number()] = b
	}
	return &b.Baseline
}

// disturbed says that a verbatim was counted or taken back: expectations that
// rest on its hour are void. So they depend on what was counted alone, not on
// when they were worked out.
func (w *watch) disturbed(st *state, c *counted) {
	if series.HourOf(c.At) >= series.HourOf(st.clock)-alert.Lookback {
		return // too young to feed one
	}
	for _, n := range numbersOf(c.Issues) {
		delete(w.baselines, st.issues.Current(n))
	}
}

// command carries out what a person asked of an alert.
func (w *watch) command(st *state, id, action, args, by string, now time.Time) (*earshot.Alert, error) {
	for n, in := range w.incidents {
		if in.Alert.ID == id {
			if i := st.issues.Get(n); i != nil && in.open() {
				// A person who ends it ends what is there now, not what it was when it fired.
				if v, _ := w.peopled(st, i, w.baseline(st, i, now), w.counts(st, i, now), now); v.Fired {
					w.refresh(in, v)
					if action == "resolve" {
						in.Memory.Observed, in.Memory.Span = v.Observed, v.Window.To.Sub(v.Window.From)
					}
				}
			}
			c, err := alert.Command(in.Alert, &in.Memory, action, args, by, now)
			if err != nil {
				return nil, err
			}
			if c.Changed {
				w.apply(st, n, in, c, now)
			}
			return copyOf(in.Alert), nil
		}
	}
	return nil, nil
}

// A savedSeason is the stored form of what is not an incident's.
type savedSeason struct {
	Season alert.Season `json:"season"`
	Hour   int64        `json:"hour"`
	Last   int64        `json:"last"`
}

func (w *watch) save(to interface {
	Put(kind, id string, body []byte) error
}) error {
	changed := w.old
	for _, n := range slices.Sorted(maps.Keys(w.dirty)) {
		changed = append(changed, w.dirty[n])
	}
	for _, in := range changed {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		if err := to.Put(kindAlert, alertKey(in.Alert.ID), body); err != nil {
			return err
		}
	}
	if w.dirtySeason || len(w.dirty) > 0 {
		body, err := json.Marshal(savedSeason{w.season, w.seasonAt, w.last})
		if err != nil {
			return err
		}
		if err := to.Put(kindSeason, "1", body); err != nil {
			return err
		}
	}
	clear(w.dirty)
	w.old, w.dirtySeason = nil, false
	return nil
}

// alertKey is an alert's id in the store: numbers in their order.
func alertKey(id string) string {
	n, _ := strconv.ParseInt(strings.TrimPrefix(id, "ALR-"), 10, 64)
	return fmt.Sprintf("%012d", n)
}

func (w *watch) load(ctx context.Context, s store.State, tenant string, current func(int64) int64) error {
	body, err := s.Document(ctx, tenant, kindSeason, "1")
	if err != nil || body == nil {
		return err
	}
	var saved savedSeason
	if err := json.Unmarshal(body, &saved); err != nil {
		return fmt.Errorf("season: %d bytes are not what was written", len(body))
	}
	w.season, w.seasonAt, w.last = saved.Season, saved.Hour, saved.Last
	rows, err := s.Documents(ctx, tenant, kindAlert)
	if err != nil {
		return err
	}
	for _, d := range rows { // oldest first: of an issue the one that runs remains, else the latest
		in, err := unpackIncident(d)
		if err != nil {
			return err
		}
		n, ok := issues.NumberOf(in.Alert.Subject.ID)
		n = current(n)
		switch before := w.incidents[n]; {
		case !ok:
		case before == nil:
			w.incidents[n] = in
		default:
			w.incidents[n] = later(before, in)
		}
	}
	return nil
}
