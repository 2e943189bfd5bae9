package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/alert"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

const (
	wireExamples = 5
	wireSeries   = 7 * 24 // hours
)

// wireIssue is an issue as the contract gives it. now is the log's.
func wireIssue(st *state, i *issues.Issue) *earshot.Issue {
	titles, phrases := st.issues.Titles(i)
	w := &earshot.Issue{ID: i.ID(), State: i.State, Title: st.issues.Title(i), Titles: titles, Phrases: phrases,
		Count: i.Count, Customers: i.Customers, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen, Growth: st.issues.Growth(i, st.clock),
		Sentiment: i.Sentiment.Mean(), Effort: i.Effort.Mean(), Langs: copyCounts(i.Langs), Channels: copyCounts(i.Channels),
		Series: earshot.Points{Interval: "hour", Points: []earshot.Point{}}, Examples: i.Examples(wireExamples),
		History: slices.Clone(i.History), Version: i.Version}
	if w.History == nil {
		w.History = []earshot.Event{}
	}
	if tr := st.set[series.Issue(i.Number())]; tr != nil {
		end := series.HourOf(st.clock) + 1
		for h := max(end-wireSeries, series.HourOf(i.FirstSeen)); h < end; h++ {
			w.Series.Points = append(w.Series.Points, earshot.Point{T: time.Unix(h*3600, 0).UTC(), N: tr.Between(h, h+1)})
		}
	}
	return w
}

func copyCounts(m map[string]int) map[string]int {
	c := make(map[string]int, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// An IssueQuery says which issues to list.
type IssueQuery struct {
	States       []string // none: all
	Sort         string   // "-growth" (also ""), "-count", "-last_seen"
	MinCustomers int      // 0: those that were opened
	Limit        int
	After        string // id of the last issue of the page before
}

// IssueSorts are the orders of a list of issues.
var IssueSorts = []string{"-growth", "-count", "-last_seen"}

// Issues lists the issues of a tenant that are in memory. more says that there are others behind.
func (e *Engine) Issues(ctx context.Context, tenant string, q IssueQuery) (list []*earshot.Issue, total int, more bool, err error) {
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return nil, 0, false, err
	}
	var all []ranked
	for _, i := range st.issues.All() {
		if q.MinCustomers == 0 && !i.Opened || i.Customers < q.MinCustomers || i.Count == 0 {
			continue
		}
		if len(q.States) > 0 && !slices.Contains(q.States, i.State) {
			continue
		}
		r := ranked{issue: i}
		switch q.Sort {
		case "-count":
			r.by = float64(i.Count)
		case "-last_seen":
			r.by = float64(i.LastSeen.UnixNano())
		default:
			g := st.issues.Growth(i, st.clock)
			r.by = float64(g.Observed) - g.Expected
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.by, a.by), cmp.Compare(b.issue.Count, a.issue.Count), cmp.Compare(a.issue.Number(), b.issue.Number()))
	})
	from := 0
	if q.After != "" {
		if from = 1 + slices.IndexFunc(all, func(r ranked) bool { return r.issue.ID() == q.After }); from == 0 {
			return nil, len(all), false, nil // it has left the list meanwhile, and with it its place
		}
	}
	for _, r := range all[from:] {
		if len(list) == q.Limit {
			return list, len(all), true, nil
		}
		list = append(list, wireIssue(st, r.issue))
	}
	return list, len(all), false, nil
}

type ranked struct {
	issue *issues.Issue
	by    float64
}

var errNoIssue = earshot.Errorf(earshot.NotFound, "there is no issue of this id")

// Issue gives an issue, also one that was merged or retired.
func (e *Engine) Issue(ctx context.Context, tenant, id string) (*earshot.Issue, error) {
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	return e.issue(ctx, t, id)
}

func (e *Engine) issue(ctx context.Context, t *tenant, id string) (*earshot.Issue, error) {
	n, ok := issues.NumberOf(id)
	if !ok {
		return nil, errNoIssue
	}
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if i := st.issues.Get(n); i != nil {
		return wireIssue(st, i), nil
	}
	i, err := issues.Stored(ctx, e.store, t.id, n)
	if err != nil {
		return nil, err
	}
	if i == nil {
		return nil, errNoIssue
	}
	w := wireIssue(st, i)
	if i.MergedInto != 0 {
		into := st.issues.Current(n)
		id := issues.IDOf(into)
		w.MergedInto = &id
		if i := st.issues.Get(into); i != nil { // it is called what that is called
			w.Title = st.issues.Title(i)
			w.Titles, w.Phrases = st.issues.Titles(i)
		}
	} else if w.Count, w.Customers, err = e.store.CountMembers(ctx, t.id, n); err != nil {
		return nil, err
	}
	return w, nil
}

// An issueCommand is the payload of its entry in the log.
type issueCommand struct {
	Issue string  `json:"issue"`
	Title *string `json:"title,omitempty"`
	State string  `json:"state,omitempty"`
	By    string  `json:"by"`
}

// PatchIssue names an issue or sets its state.
func (e *Engine) PatchIssue(ctx context.Context, tenant, id string, title *string, newState, by string) (*earshot.Issue, error) {
	n, ok := issues.NumberOf(id)
	if !ok {
		return nil, errNoIssue
	}
	t := e.tenant(tenant)
	var answer *earshot.Issue
	err := e.command(ctx, t, store.TypeIssueCommand, issueCommand{id, title, newState, by}, func(st *state, now time.Time) error {
		if st.issues.Get(n) == nil {
			if _, err := e.issue(ctx, t, id); err != nil {
				return err
			}
		}
		i, err := st.issues.Command(n, title, newState, by, now)
		if err != nil {
			return err
		}
		st.takeIssueEvents()
		answer = wireIssue(st, i)
		return nil
	})
	return answer, err
}

// command carries out what a person asked for, as an entry of the log.
func (e *Engine) command(ctx context.Context, t *tenant, kind store.Type, payload any, run func(*state, time.Time) error) error {
	t.applying.Lock()
	defer t.applying.Unlock()
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return err
	}
	now := e.now().UTC()
	st.advance(now)
	if err := run(st, st.clock); err != nil {
		if len(st.events) > 0 { // time has passed, and something came of it
			_ = e.write(context.WithoutCancel(ctx), t, st, func(store.Tx) error { return nil }, nil) // the next entry tries again
		}
		return err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	err = e.write(context.WithoutCancel(ctx), t, st, func(tx store.Tx) error {
		return tx.Append(&store.Entry{Type: kind, At: now, Payload: body})
	}, nil)
	t.update(func() {})
	signal(t.grown)
	return err
}

// tickLoop lets the time of every tenant pass: alerts end, and issues grow old,
// also while nothing is said.
func (e *Engine) tickLoop(ctx context.Context) {
	for {
		now := e.now()
		wait := now.Truncate(series.Step).Add(series.Step).Sub(now)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		e.mu.Lock()
		tenants := make([]*tenant, 0, len(e.tenants))
		for _, t := range e.tenants {
			tenants = append(tenants, t)
		}
		e.mu.Unlock()
		for _, t := range tenants {
			if err := e.tick(ctx, t); err != nil && ctx.Err() == nil {
				e.log.Error("tick", "tenant", t.id, "err", err)
			}
		}
	}
}

// tick is an entry that brings nothing but its time. A tenant without issues needs none.
func (e *Engine) tick(ctx context.Context, t *tenant) error {
	t.applying.Lock()
	quiet := t.state != nil && len(t.state.issues.All()) == 0
	t.applying.Unlock()
	if quiet {
		return nil
	}
	err := e.command(ctx, t, store.TypeTick, struct{}{}, func(*state, time.Time) error { return nil })
	if err == nil {
		err = e.store.Update(ctx, t.id, func(tx store.Tx) error { return tx.PruneDeliveries(e.now().Add(-keepDeliveries)) })
	}
	return err
}

// keepDeliveries is how long a message that is done is shown.
const keepDeliveries = 30 * 24 * time.Hour

var errNoAlert = earshot.Errorf(earshot.NotFound, "there is no alert of this id")

// Alerts lists alerts, those fired last first, of these states (none: all), after the id named.
func (e *Engine) Alerts(ctx context.Context, tenant string, states []string, after string, limit int) (list []*earshot.Alert, more bool, err error) {
	docs, err := e.store.Documents(ctx, tenant, kindAlert)
	if err != nil {
		return nil, false, err
	}
	begun := after == ""
	for _, d := range slices.Backward(docs) {
		if !begun {
			begun = d.ID == alertKey(after)
			continue
		}
		in, err := unpackIncident(d)
		if err != nil {
			return nil, false, err
		}
		if len(states) > 0 && !slices.Contains(states, in.Alert.State) {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		if err := e.deliveriesOf(ctx, tenant, in.Alert); err != nil {
			return nil, false, err
		}
		list = append(list, in.Alert)
	}
	return list, false, nil
}

// deliveriesOf says of an alert how far each webhook was told of it.
func (e *Engine) deliveriesOf(ctx context.Context, tenant string, a *earshot.Alert) error {
	sent, err := e.store.DeliveriesOf(ctx, tenant, a.ID)
	if err != nil {
		return err
	}
	a.Deliveries = []earshot.DeliveryState{}
	for _, d := range sent { // the last message to a webhook speaks for it
		state := earshot.DeliveryState{Webhook: d.Webhook, State: d.State, Attempts: d.Attempts}
		if k := slices.IndexFunc(a.Deliveries, func(s earshot.DeliveryState) bool { return s.Webhook == d.Webhook }); k >= 0 {
			a.Deliveries[k] = state
		} else {
			a.Deliveries = append(a.Deliveries, state)
		}
	}
	return nil
}

// Alert gives an alert.
func (e *Engine) Alert(ctx context.Context, tenant, id string) (*earshot.Alert, error) {
	in, err := e.incident(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return in.Alert, e.deliveriesOf(ctx, tenant, in.Alert)
}

func (e *Engine) incident(ctx context.Context, tenant, id string) (*incident, error) {
	if !strings.HasPrefix(id, "ALR-") {
		return nil, errNoAlert
	}
	body, err := e.store.Document(ctx, tenant, kindAlert, alertKey(id))
	if err != nil {
		return nil, err
	}
	in := &incident{}
	if body == nil || json.Unmarshal(body, in) != nil || in.Alert.ID != id {
		return nil, errNoAlert
	}
	return in, nil
}

// An alertCommand is the payload of its entry in the log.
type alertCommand struct {
	Alert  string `json:"alert"`
	Action string `json:"action"`
	Args   string `json:"args,omitempty"`
	By     string `json:"by"`
}

// CommandAlert carries out what a person asked of an alert: acknowledge,
// snooze, resolve, vote or note.
func (e *Engine) CommandAlert(ctx context.Context, tenant, id, action, args, by string) (*earshot.Alert, error) {
	t := e.tenant(tenant)
	var answer *earshot.Alert
	err := e.command(ctx, t, store.TypeAlertCommand, alertCommand{id, action, args, by}, func(st *state, now time.Time) (err error) {
		if answer, err = st.watch.command(st, id, action, args, by, now); answer != nil || err != nil {
			return err
		}
		in, err := e.incident(ctx, tenant, id) // not the latest of its issue
		if err != nil {
			return err
		}
		c, err := alert.Command(in.Alert, &in.Memory, action, args, by, now)
		if err != nil {
			return err
		}
		if c.Changed {
			st.watch.old = append(st.watch.old, in)
		}
		answer = copyOf(in.Alert)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, e.deliveriesOf(ctx, tenant, answer)
}

// currentIssues gives references to issues as they are called now.
func (st *state) currentIssues(refs []earshot.IssueRef) []earshot.IssueRef {
	var now []earshot.IssueRef
	for _, r := range refs {
		if n, ok := issues.NumberOf(r.ID); ok {
			r.ID = issues.IDOf(st.issues.Current(n))
		}
		if !slices.ContainsFunc(now, func(o earshot.IssueRef) bool { return o.ID == r.ID }) {
			now = append(now, r)
		}
	}
	return now
}
