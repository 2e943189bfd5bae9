package webhook

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

var start = time.Date(2025, 11, 11, 8, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	at := func(d time.Duration) *time.Time { t := start.Add(d); return &t }
	no := answer{status: 500, reason: "receiver answered 500"}
	for _, tt := range []struct {
		name  string
		tries int // before this one
		age   time.Duration
		a     answer
		want  earshot.Delivery
	}{
		{"delivered", 0, time.Second, answer{status: 204},
			earshot.Delivery{State: earshot.Delivered, Attempts: 1, Status: 204, DoneAt: at(time.Second)}},
		{"first failure", 0, time.Second, no,
			earshot.Delivery{State: earshot.Pending, Attempts: 1, Status: 500, NextAt: at(6 * time.Second), Error: "receiver answered 500"}},
		{"fourth failure", 3, time.Minute, no,
			earshot.Delivery{State: earshot.Pending, Attempts: 4, Status: 500, NextAt: at(11 * time.Minute), Error: "receiver answered 500"}},
		{"tenth failure", 9, 6 * time.Hour, no,
			earshot.Delivery{State: earshot.Pending, Attempts: 10, Status: 500, NextAt: at(7 * time.Hour), Error: "receiver answered 500"}},
		{"no answer", 0, 0, answer{reason: "connection refused"},
			earshot.Delivery{State: earshot.Pending, Attempts: 1, NextAt: at(5 * time.Second), Error: "connection refused"}},
		{"just before a day", 27, 24*time.Hour - 1, no,
			earshot.Delivery{State: earshot.Pending, Attempts: 28, Status: 500, NextAt: at(25*time.Hour - 1), Error: "receiver answered 500"}},
		{"after a day", 28, 24*time.Hour + 12*time.Minute, no,
			earshot.Delivery{State: earshot.Failed, Attempts: 29, Status: 500, DoneAt: at(24*time.Hour + 12*time.Minute), Error: "gave up after 24 h and 29 attempts: receiver answered 500"}},
		{"waited behind another for a day", 0, 30 * time.Hour, no,
			earshot.Delivery{State: earshot.Failed, Attempts: 1, Status: 500, DoneAt: at(30 * time.Hour), Error: "gave up after 30 h and 1 attempt: receiver answered 500"}},
		{"delivered after a day", 28, 25 * time.Hour, answer{status: 200},
			earshot.Delivery{State: earshot.Delivered, Attempts: 29, Status: 200, DoneAt: at(25 * time.Hour)}},
		{"put off", 0, 0, answer{status: 429, reason: "receiver answered 429", retryAfter: time.Minute},
			earshot.Delivery{State: earshot.Pending, Attempts: 1, Status: 429, NextAt: at(time.Minute), Error: "receiver answered 429"}},
		{"put off less than we wait", 0, 0, answer{status: 429, reason: "receiver answered 429", retryAfter: time.Second},
			earshot.Delivery{State: earshot.Pending, Attempts: 1, Status: 429, NextAt: at(5 * time.Second), Error: "receiver answered 429"}},
		{"put off for too long", 0, 0, answer{status: 503, reason: "receiver answered 503", retryAfter: 100 * time.Hour},
			earshot.Delivery{State: earshot.Pending, Attempts: 1, Status: 503, NextAt: at(time.Hour), Error: "receiver answered 503"}},
		{"gone", 0, 0, answer{status: 410, reason: "receiver answered 410: it wants no more", final: true},
			earshot.Delivery{State: earshot.Failed, Attempts: 1, Status: 410, DoneAt: at(0), Error: "receiver answered 410: it wants no more"}},
	} {
		d := earshot.Delivery{CreatedAt: start, State: earshot.Pending, Attempts: tt.tries, NextAt: at(0), Status: 502, Error: "receiver answered 502"}
		tt.want.CreatedAt = start
		if diff := cmp.Diff(tt.want, judge(d, tt.a, start.Add(tt.age), 0.5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWait(t *testing.T) {
	for n := 1; n < 40; n++ {
		base := waits[min(n, len(waits))-1]
		least, most := base*9/10, base*11/10
		if got := wait(n, 0); got != least {
			t.Errorf("wait(%d, 0) = %v, want %v", n, got, least)
		}
		if got := wait(n, 1-1e-12); got < least || got > most {
			t.Errorf("wait(%d, 1) = %v, want at most %v", n, got, most)
		}
	}
}

func TestAnswerOf(t *testing.T) {
	for _, tt := range []struct {
		status     int
		retryAfter string
		want       answer
	}{
		{200, "", answer{status: 200, class: "ok"}},
		{299, "", answer{status: 299, class: "ok"}},
		{302, "9", answer{status: 302, class: "redirect", reason: "receiver answered a redirect (302); redirects are not followed"}},
		{404, "9", answer{status: 404, class: "status", reason: "receiver answered 404"}},
		{410, "", answer{status: 410, class: "status", reason: "receiver answered 410: it wants no more", final: true}},
		{429, "90", answer{status: 429, class: "status", reason: "receiver answered 429", retryAfter: 90 * time.Second}},
		{503, start.Add(time.Minute).Format(http.TimeFormat), answer{status: 503, class: "status", reason: "receiver answered 503", retryAfter: time.Minute}},
		{503, start.Add(-time.Minute).Format(http.TimeFormat), answer{status: 503, class: "status", reason: "receiver answered 503"}},
		{503, "-5", answer{status: 503, class: "status", reason: "receiver answered 503"}},
		{503, "99999999999999999999", answer{status: 503, class: "status", reason: "receiver answered 503"}},
		{503, "soon", answer{status: 503, class: "status", reason: "receiver answered 503"}},
		{500, "90", answer{status: 500, class: "status", reason: "receiver answered 500"}},
	} {
		res := &http.Response{StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.retryAfter}}}
		if got := answerOf(res, start); got != tt.want {
			t.Errorf("%d, Retry-After %q: %+v, want %+v", tt.status, tt.retryAfter, got, tt.want)
		}
	}
}
