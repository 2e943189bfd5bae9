package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/earshot-cx/earshot"
)

// maxAnswer is how much of an answer's body is read, in bytes, and thrown away.
const maxAnswer = 64 << 10

// An answer is what came of one attempt. No reason means that it was delivered.
// class and reason never hold the path or query of the URL, a secret, or
// anything of the answer's body.
type answer struct {
	status     int           // 0 if there was none
	class      string        // one word for the log
	reason     string        // for the one who owns the webhook
	retryAfter time.Duration // what the receiver asks for; 0 if nothing
	final      bool          // trying again is of no use
}

// attempt makes one attempt to deliver h and records what came of it. It
// returns when the webhook may have its next turn.
func (s *Sender) attempt(ctx context.Context, h Head) {
	d := h.Delivery
	log := s.log.With("tenant", h.Tenant, "webhook", d.Webhook, "delivery", d.ID, "attempt", d.Attempts+1)
	hook, err := s.outbox.Webhook(ctx, h.Tenant, d.Webhook)
	if err != nil && earshot.CodeOf(err) != earshot.NotFound {
		if ctx.Err() == nil {
			log.Error("webhook: read", "error", err)
		}
		sleep(ctx, pause)
		return
	}
	if why := unwanted(hook, err); why != "" {
		log.Info("webhook: given up unsent", "class", why)
		s.record(ctx, log, h.Tenant, abandon(d, "the webhook "+why, s.now()))
		return
	}
	a := s.send(ctx, hook, d)
	if a.status == 0 && ctx.Err() != nil {
		return // cut off by the end of Run; nobody knows what the receiver made of it
	}
	d = judge(d, a, s.now(), s.rand())
	level := slog.LevelInfo
	if a.reason != "" {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "webhook: attempted", "status", a.status, "class", a.class, "state", d.State)
	s.record(ctx, log, h.Tenant, d)
}

// unwanted says why a webhook is sent nothing any more; "" if it is. err is what
// the outbox said when it was asked for the webhook: nil or NotFound.
func unwanted(hook earshot.Webhook, err error) string {
	switch {
	case err != nil:
		return "was deleted"
	case !hook.Enabled:
		return "is switched off"
	case hook.Format != "standard":
		return "has a format that this version does not know"
	}
	return ""
}

// record writes down what came of an attempt, and tries until it can: the
// message would otherwise be sent again and again. If it was deleted meanwhile,
// one failure is enough.
func (s *Sender) record(ctx context.Context, log *slog.Logger, tenant string, d earshot.Delivery) {
	for {
		err := s.outbox.Attempted(ctx, tenant, d)
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Error("webhook: record attempt", "error", err)
		sleep(ctx, pause)
		if earshot.CodeOf(err) == earshot.NotFound {
			return
		}
	}
}

// send makes one request and says what came of it.
func (s *Sender) send(ctx context.Context, hook earshot.Webhook, d earshot.Delivery) answer {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := s.request(ctx, hook, d)
	if err != nil {
		return answer{class: "request", reason: err.Error()}
	}
	// Not a Client: redirects are not followed, cookies not kept, and errors don't name the URL.
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return faultOf(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	// The answer has been given, whatever becomes of the rest of it.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	return answerOf(res, s.now())
}

// request makes the signed request of an attempt made now.
func (s *Sender) request(ctx context.Context, hook earshot.Webhook, d earshot.Delivery) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(d.Body))
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	now := s.now()
	signature := Sign(hook.Secret, d.ID, now, d.Body)
	if signature == "" {
		return nil, errors.New("the secret cannot be read; rotate it")
	}
	if hook.Previous != "" && now.Before(hook.Until) {
		if second := Sign(hook.Previous, d.ID, now, d.Body); second != "" {
			signature += " " + second
		}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header.Set("Webhook-Id", d.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature)
	return req, nil
}

// answerOf reads the head of a response.
func answerOf(res *http.Response, now time.Time) answer {
	a := answer{status: res.StatusCode, class: "status"}
	switch c := res.StatusCode; {
	case c >= 200 && c < 300:
		a.class = "ok"
	case c >= 300 && c < 400:
		a.class = "redirect"
		a.reason = fmt.Sprintf("receiver answered a redirect (%d); redirects are not followed", c)
	case c == http.StatusGone:
		a.reason, a.final = "receiver answered 410: it wants no more", true
	default:
		a.reason = fmt.Sprintf("receiver answered %d", c)
		if c == http.StatusTooManyRequests || c == http.StatusServiceUnavailable {
			a.retryAfter = retryAfter(res.Header.Get("Retry-After"), now)
		}
	}
	return a
}

// retryAfter reads the header of that name: seconds or a date. What cannot be
// read asks for nothing.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(v, 10, 32); err == nil {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
