package server

import (
	"math"
	"net/http"
	"slices"

	"github.com/earshot-cx/earshot"
)

// toldByDefault are the events of a webhook that does not say which.
var toldByDefault = []string{"alert.fired", "alert.resolved"}

// plannedFormats are in the contract and not made yet.
var plannedFormats = []string{"slack", "line", "wecom", "dingtalk", "feishu", "teams", "alertmanager"}

func (s *Server) listWebhooks(c *call) error {
	limit, after, err := s.pageOf(c, "webhooks")
	if err != nil {
		return err
	}
	hooks, err := s.engine.Webhooks(c.ctx(), c.tenant)
	if err != nil {
		return err
	}
	answer := page[earshot.Webhook]{Items: []earshot.Webhook{}}
	for _, w := range hooks { // oldest first: their ids sort by age
		if w.ID <= after {
			continue
		}
		if len(answer.Items) == limit {
			answer.Next = s.cursors.seal(answer.Items[limit-1].ID, "webhooks", c.tenant)
			break
		}
		answer.Items = append(answer.Items, w)
	}
	return s.reply(c, http.StatusOK, answer)
}

// webhookOf reads what a body says of a webhook; what was left out is empty.
func (f *form) webhookOf() earshot.Webhook {
	w := earshot.Webhook{URL: f.string("url"), Events: f.some("events", earshot.EventTypes)}
	if f.has("events") && len(w.Events) == 0 && len(f.bad) == 0 {
		f.wrong("events", "required", "a webhook is told of something")
	}
	if name, ok := f.values["format"].(string); ok && slices.Contains(plannedFormats, name) {
		f.asked = append(f.asked, "format")
		f.wrong("format", "not_supported", "format "+name+" is not supported yet")
	} else {
		w.Format = f.oneOf("format", earshot.WebhookFormats)
	}
	return w
}

func (s *Server) postWebhook(c *call) error {
	f, err := s.formOf(c)
	if err != nil {
		return err
	}
	w := f.webhookOf()
	if !f.has("url") {
		f.wrong("url", "required", "url is missing")
	}
	if w.Events == nil {
		w.Events = toldByDefault
	}
	if w.Format == "" {
		w.Format = earshot.WebhookFormats[0]
	}
	if err := f.err(); err != nil {
		return err
	}
	if w, err = s.engine.AddWebhook(c.ctx(), c.tenant, w); err != nil {
		return err
	}
	return s.reply(c, http.StatusCreated, w)
}

func (s *Server) getWebhook(c *call) error {
	w, err := s.engine.Webhook(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, w)
}

// putWebhook changes what the body names; the rest stays.
func (s *Server) putWebhook(c *call) error {
	f, err := s.formOf(c)
	if err != nil {
		return err
	}
	to := f.webhookOf()
	enabled := f.bool("enabled")
	version := f.int("version", 1, math.MaxInt32, 0)
	if !f.has("version") {
		f.wrong("version", "required", "version is that of the webhook as you know it")
	}
	if err := f.err(); err != nil {
		return err
	}
	w, err := s.engine.ChangeWebhook(c.ctx(), c.tenant, c.Param("id"), func(w *earshot.Webhook) error {
		if w.Version != version {
			return earshot.Errorf(earshot.Stale, "the webhook was changed: its version is %d", w.Version)
		}
		if f.has("url") {
			w.URL = to.URL
		}
		if f.has("events") {
			w.Events = to.Events
		}
		if f.has("format") {
			w.Format = to.Format
		}
		if f.has("enabled") {
			w.Enabled = enabled
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, w)
}

func (s *Server) deleteWebhook(c *call) error {
	if err := s.engine.DeleteWebhook(c.ctx(), c.tenant, c.Param("id")); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) rotateWebhook(c *call) error {
	w, err := s.engine.RotateWebhook(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, w)
}

func (s *Server) testWebhook(c *call) error {
	d, err := s.engine.TestWebhook(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusCreated, d)
}

func (s *Server) listDeliveries(c *call) error {
	id := c.Param("id")
	limit, before, err := s.pageOf(c, "deliveries of "+id)
	if err != nil {
		return err
	}
	list, err := s.engine.Deliveries(c.ctx(), c.tenant, id, before, limit+1)
	if err != nil {
		return err
	}
	answer := page[earshot.Delivery]{Items: append([]earshot.Delivery{}, list[:min(len(list), limit)]...)}
	if len(list) > limit {
		answer.Next = s.cursors.seal(list[limit-1].ID, "deliveries of "+id, c.tenant)
	}
	return s.reply(c, http.StatusOK, answer)
}
