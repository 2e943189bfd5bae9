package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
	"github.com/earshot-cx/earshot/webhook"
)

// kindWebhook is the documents of webhooks, by their id.
const kindWebhook = "webhook"

// A storedWebhook is a webhook with what the wire never shows.
type storedWebhook struct {
	earshot.Webhook
	Secret   string    `json:"secret"`
	Previous string    `json:"previous,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

func packWebhook(w earshot.Webhook) ([]byte, error) {
	return json.Marshal(storedWebhook{w, w.Secret, w.Previous, w.Until})
}

func unpackWebhook(body []byte) (earshot.Webhook, error) {
	var s storedWebhook
	if err := json.Unmarshal(body, &s); err != nil {
		return earshot.Webhook{}, fmt.Errorf("webhook: %d bytes are not what was written", len(body))
	}
	s.Webhook.Secret, s.Webhook.Previous, s.Webhook.Until = s.Secret, s.Previous, s.Until
	return s.Webhook, nil
}

// An outbox is the store as the sender of webhooks sees it.
type outbox struct{ store.Store }

// Webhook implements webhook.Outbox.
func (o outbox) Webhook(ctx context.Context, tenant, id string) (earshot.Webhook, error) {
	body, err := o.Document(ctx, tenant, kindWebhook, id)
	if err != nil {
		return earshot.Webhook{}, err
	}
	if body == nil {
		return earshot.Webhook{}, earshot.Errorf(earshot.NotFound, "there is no webhook of this id")
	}
	return unpackWebhook(body)
}

// A message is an event for one webhook.
type message struct {
	webhook string
	event   event
	alert   string
}

// messages gives what webhooks are to be told of the events of a batch.
func (e *Engine) messages(ctx context.Context, t *tenant, st *state, events []event) ([]message, error) {
	var all []message
	var hooks []earshot.Webhook
	for _, ev := range events {
		if !slices.Contains(earshot.EventTypes, ev.kind) {
			continue
		}
		if hooks == nil {
			docs, err := e.store.Documents(ctx, t.id, kindWebhook)
			if err != nil || len(docs) == 0 {
				return nil, err
			}
			for _, d := range docs {
				w, err := unpackWebhook(d.Body)
				if err != nil {
					return nil, err
				}
				hooks = append(hooks, w)
			}
		}
		for _, w := range hooks {
			if w.Enabled && slices.Contains(w.Events, ev.kind) {
				m := message{webhook: w.ID, event: ev}
				if ev.alert != nil {
					m.alert = ev.alert.ID
				}
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// delivery is the message as it waits in the outbox.
func (m *message) delivery(st *state) earshot.Delivery {
	var data any = m.event.alert
	if m.event.alert == nil {
		data = nil
		if i := st.issues.Get(st.issues.Current(m.event.issue)); i != nil {
			w := wireIssue(st, i)
			for k := range w.Examples {
				w.Examples[k].Text = "" // a message is no place for customers' words: their ids are enough
			}
			w.Phrases = map[string][]string{}
			data = w
		}
	}
	return newDelivery(m.webhook, m.event.kind, m.alert, m.event.at, data)
}

// newDelivery makes a message in the standard format.
func newDelivery(hook, kind, alert string, at time.Time, data any) earshot.Delivery {
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, at.UTC(), data})
	if err != nil {
		body = []byte("{}") // cannot be: these are values of ours
	}
	return earshot.Delivery{ID: "msg_" + ulid.Make().String(), Webhook: hook, Type: kind, Alert: alert, CreatedAt: at.UTC(),
		State: earshot.Pending, Body: body}
}

// Webhooks gives the webhooks of a tenant, oldest first, without their secrets.
func (e *Engine) Webhooks(ctx context.Context, tenant string) ([]earshot.Webhook, error) {
	docs, err := e.store.Documents(ctx, tenant, kindWebhook)
	if err != nil {
		return nil, err
	}
	list := make([]earshot.Webhook, 0, len(docs))
	for _, d := range docs {
		w, err := unpackWebhook(d.Body)
		if err != nil {
			return nil, err
		}
		w.Secret = ""
		list = append(list, w)
	}
	return list, nil
}

// Webhook gives one, without its secret.
func (e *Engine) Webhook(ctx context.Context, tenant, id string) (earshot.Webhook, error) {
	w, err := outbox{e.store}.Webhook(ctx, tenant, id)
	w.Secret = ""
	return w, err
}

// maxWebhooks is how many a tenant may have.
const maxWebhooks = 50

// AddWebhook makes a webhook of URL, Events and Format. The answer alone holds its secret.
func (e *Engine) AddWebhook(ctx context.Context, tenant string, w earshot.Webhook) (earshot.Webhook, error) {
	if err := webhook.CheckURL(w.URL, e.allowPrivate); err != nil {
		return w, err
	}
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	have, err := e.Webhooks(ctx, tenant)
	if err != nil {
		return w, err
	}
	if len(have) >= maxWebhooks {
		return w, earshot.Errorf(earshot.Invalid, "there are %d webhooks; the limit is %d", len(have), maxWebhooks)
	}
	w.ID, w.CreatedAt, w.Secret, w.Enabled, w.Version = "w_"+ulid.Make().String(), e.now().UTC(), webhook.NewSecret(), true, 1
	return w, e.putWebhook(ctx, tenant, w)
}

func (e *Engine) putWebhook(ctx context.Context, tenant string, w earshot.Webhook) error {
	body, err := packWebhook(w)
	if err != nil {
		return err
	}
	return e.store.Update(ctx, tenant, func(tx store.Tx) error { return tx.Put(kindWebhook, w.ID, body) })
}

// ChangeWebhook changes a webhook; change gets it with its secret. The answer has none.
func (e *Engine) ChangeWebhook(ctx context.Context, tenant, id string, change func(*earshot.Webhook) error) (earshot.Webhook, error) {
	t := e.tenant(tenant)
	t.applying.Lock() // two changes at once must not undo each other
	defer t.applying.Unlock()
	w, err := outbox{e.store}.Webhook(ctx, tenant, id)
	if err != nil {
		return w, err
	}
	if err := change(&w); err != nil {
		return w, err
	}
	if err := webhook.CheckURL(w.URL, e.allowPrivate); err != nil {
		return w, err
	}
	w.Version++
	err = e.putWebhook(ctx, tenant, w)
	w.Secret = ""
	return w, err
}

// rotationGrace is how long the old secret signs too.
const rotationGrace = 24 * time.Hour

// RotateWebhook gives a webhook a new secret, which the answer alone holds. The
// old one signs too for a day.
func (e *Engine) RotateWebhook(ctx context.Context, tenant, id string) (earshot.Webhook, error) {
	secret := webhook.NewSecret()
	w, err := e.ChangeWebhook(ctx, tenant, id, func(w *earshot.Webhook) error {
		w.Previous, w.Until, w.Secret = w.Secret, e.now().Add(rotationGrace), secret
		return nil
	})
	w.Secret = secret
	return w, err
}

// DeleteWebhook removes a webhook and what waits for it.
func (e *Engine) DeleteWebhook(ctx context.Context, tenant, id string) error {
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	if _, err := (outbox{e.store}).Webhook(ctx, tenant, id); err != nil {
		return err
	}
	return e.store.Update(ctx, tenant, func(tx store.Tx) error {
		if err := tx.Put(kindWebhook, id, nil); err != nil {
			return err
		}
		return tx.DropDeliveries(id)
	})
}

// TestWebhook sends a message of type "test", behind what waits already.
func (e *Engine) TestWebhook(ctx context.Context, tenant, id string) (earshot.Delivery, error) {
	if _, err := (outbox{e.store}).Webhook(ctx, tenant, id); err != nil {
		return earshot.Delivery{}, err
	}
	d := newDelivery(id, "test", "", e.now(), map[string]string{"message": "This is a test from Earshot."})
	err := e.store.Update(ctx, tenant, func(tx store.Tx) error { return tx.PutDelivery(d) })
	e.sender.Wake()
	return d, err
}

// Deliveries gives the messages to a webhook, newest first, those before the one named.
func (e *Engine) Deliveries(ctx context.Context, tenant, id, before string, limit int) ([]earshot.Delivery, error) {
	if _, err := (outbox{e.store}).Webhook(ctx, tenant, id); err != nil {
		return nil, err
	}
	return e.store.Deliveries(ctx, tenant, id, before, limit)
}
