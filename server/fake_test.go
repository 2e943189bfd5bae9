package server

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
)

// fakeWatch is the part of fakeEngine that is about issues, alerts and
// webhooks. What it gives to one tenant it gives to no other.
type fakeWatch struct {
	issues   map[string][]*earshot.Issue // by tenant
	query    engine.IssueQuery
	alerts   map[string][]*earshot.Alert
	command  string // the last one: action, argument and whether the key was named
	wrong    error  // what commands answer
	webhooks map[string][]earshot.Webhook
	sent     map[string][]earshot.Delivery // by webhook

	events chan engine.FeedEvent // nil: streams end at once
	last   string                // Last-Event-ID of the last one who came
	left   sync.WaitGroup        // those who listen
}

func (w *fakeWatch) Issues(_ context.Context, tenant string, q engine.IssueQuery) (list []*earshot.Issue, total int, more bool, err error) {
	w.query = q
	all := w.issues[tenant]
	from := 1 + slices.IndexFunc(all, func(i *earshot.Issue) bool { return i.ID == q.After })
	to := min(from+q.Limit, len(all))
	return all[from:to], len(all), to < len(all), nil
}

func (w *fakeWatch) Issue(_ context.Context, tenant, id string) (*earshot.Issue, error) {
	for _, i := range w.issues[tenant] {
		if i.ID == id {
			return i, nil
		}
	}
	return nil, earshot.Errorf(earshot.NotFound, "there is no issue of this id")
}

func (w *fakeWatch) PatchIssue(ctx context.Context, tenant, id string, title *string, state, by string) (*earshot.Issue, error) {
	i, err := w.Issue(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if title != nil {
		i.Title = *title
		i.History = append(i.History, earshot.Event{By: by, Action: "renamed", Note: *title})
	}
	if state != "" {
		i.State = state
		i.History = append(i.History, earshot.Event{By: by, Action: state})
	}
	return i, nil
}

func (w *fakeWatch) Alerts(_ context.Context, tenant string, states []string, after string, limit int) (list []*earshot.Alert, more bool, err error) {
	all := w.alerts[tenant]
	for _, a := range all[1+slices.IndexFunc(all, func(a *earshot.Alert) bool { return a.ID == after }):] {
		if len(states) > 0 && !slices.Contains(states, a.State) {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		list = append(list, a)
	}
	return list, false, nil
}

func (w *fakeWatch) Alert(_ context.Context, tenant, id string) (*earshot.Alert, error) {
	for _, a := range w.alerts[tenant] {
		if a.ID == id {
			return a, nil
		}
	}
	return nil, earshot.Errorf(earshot.NotFound, "there is no alert of this id")
}

func (w *fakeWatch) CommandAlert(ctx context.Context, tenant, id, action, args, by string) (*earshot.Alert, error) {
	a, err := w.Alert(ctx, tenant, id)
	if err == nil {
		w.command = fmt.Sprintf("%s %q %t", action, args, by != "")
		err = w.wrong
	}
	return a, err
}

// Subscribe gives everybody the same channel.
func (w *fakeWatch) Subscribe(_, last string) (<-chan engine.FeedEvent, func()) {
	w.last = last
	w.left.Add(1)
	if w.events != nil {
		return w.events, w.left.Done
	}
	none := make(chan engine.FeedEvent)
	close(none)
	return none, w.left.Done
}

func (w *fakeWatch) Webhooks(_ context.Context, tenant string) ([]earshot.Webhook, error) {
	return w.webhooks[tenant], nil
}

func (w *fakeWatch) find(tenant, id string) (*earshot.Webhook, error) {
	for i := range w.webhooks[tenant] {
		if h := &w.webhooks[tenant][i]; h.ID == id {
			return h, nil
		}
	}
	return &earshot.Webhook{}, earshot.Errorf(earshot.NotFound, "there is no webhook of this id")
}

func (w *fakeWatch) Webhook(_ context.Context, tenant, id string) (earshot.Webhook, error) {
	h, err := w.find(tenant, id)
	return *h, err
}

func (w *fakeWatch) AddWebhook(_ context.Context, tenant string, h earshot.Webhook) (earshot.Webhook, error) {
	h.ID, h.CreatedAt, h.Enabled, h.Version = fmt.Sprintf("w_%s%d", tenant, len(w.webhooks[tenant])+1), time.Now().UTC(), true, 1
	w.webhooks[tenant] = append(w.webhooks[tenant], h)
	h.Secret = "whsec_new"
	return h, nil
}

func (w *fakeWatch) ChangeWebhook(_ context.Context, tenant, id string, change func(*earshot.Webhook) error) (earshot.Webhook, error) {
	h, err := w.find(tenant, id)
	if err == nil {
		if err = change(h); err == nil {
			h.Version++
		}
	}
	return *h, err
}

func (w *fakeWatch) RotateWebhook(ctx context.Context, tenant, id string) (earshot.Webhook, error) {
	h, err := w.ChangeWebhook(ctx, tenant, id, func(*earshot.Webhook) error { return nil })
	h.Secret = "whsec_rotated"
	return h, err
}

func (w *fakeWatch) DeleteWebhook(_ context.Context, tenant, id string) error {
	_, err := w.find(tenant, id)
	w.webhooks[tenant] = slices.DeleteFunc(w.webhooks[tenant], func(h earshot.Webhook) bool { return h.ID == id })
	return err
}

func (w *fakeWatch) TestWebhook(_ context.Context, tenant, id string) (earshot.Delivery, error) {
	if _, err := w.find(tenant, id); err != nil {
		return earshot.Delivery{}, err
	}
	d := earshot.Delivery{ID: fmt.Sprintf("msg_%s%d", tenant, len(w.sent[id])+1), Webhook: id, Type: "test", CreatedAt: time.Now().UTC(), State: earshot.Pending}
	w.sent[id] = slices.Insert(w.sent[id], 0, d)
	return d, nil
}

func (w *fakeWatch) Deliveries(_ context.Context, tenant, id, before string, limit int) ([]earshot.Delivery, error) {
	if _, err := w.find(tenant, id); err != nil {
		return nil, err
	}
	rest := w.sent[id][1+slices.IndexFunc(w.sent[id], func(d earshot.Delivery) bool { return d.ID == before }):]
	return rest[:min(limit, len(rest))], nil
}

// newFakeWatch has an issue and an alert of each tenant.
func newFakeWatch() *fakeWatch {
	w := &fakeWatch{issues: map[string][]*earshot.Issue{}, alerts: map[string][]*earshot.Alert{}, webhooks: map[string][]earshot.Webhook{},
		sent: map[string][]earshot.Delivery{}}
	for i, tenant := range []string{"a", "b"} {
		w.issues[tenant] = append(w.issues[tenant], fakeIssue(i+1, "only-"+tenant))
		w.alerts[tenant] = append(w.alerts[tenant], fakeAlert(i+1, "only-"+tenant, earshot.Firing))
	}
	return w
}

func fakeIssue(n int, title string) *earshot.Issue {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return &earshot.Issue{ID: fmt.Sprintf("ISS-%d", n), State: earshot.Emerging, Title: title, Titles: map[string]string{"th": title},
		Phrases: map[string][]string{"th": {title}}, Count: 2, Customers: 2, FirstSeen: at, LastSeen: at.Add(time.Hour),
		Langs: map[string]int{"th": 2}, Channels: map[string]int{"chat": 2},
		Series:   earshot.Points{Interval: "hour", Points: []earshot.Point{{T: at, N: 1}}},
		Examples: []earshot.Example{{ID: "v_1", Lang: "th", Text: title}}, History: []earshot.Event{{At: at, By: "auto", Action: "opened"}}, Version: 1}
}

func fakeAlert(n int, title, state string) *earshot.Alert {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return &earshot.Alert{ID: fmt.Sprintf("ALR-%d", n), Rule: earshot.DefaultRule, Detector: "sudden", State: state,
		Subject: earshot.Subject{Type: "issue", ID: fmt.Sprintf("ISS-%d", n), Title: title}, FiredAt: at, Observed: 37, Expected: 4.2, Ratio: 8.8,
		Window: earshot.Window{From: at.Add(-time.Hour), To: at}, Customers: 33, FirstVerbatim: "v_1", Examples: []string{"v_1"},
		Reason: "37 in the hour to 14:35, 4 expected at this hour of the week", Slice: map[string]string{"channel": "chat"},
		History: []earshot.Event{{At: at, By: "system", Action: "fired"}}, Deliveries: []earshot.DeliveryState{{Webhook: "w_1", State: earshot.Delivered, Attempts: 1}}, Version: 1}
}
