package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

// A world is a running sender with an outbox and a network, on a fake clock.
type world struct {
	*Sender
	memory
	network
	log  bytes.Buffer // of the sender; read it only after stop
	stop func()       // ends Run and waits for it
}

// inWorld runs f in a world of its own. Waits between attempts are not spread.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		var err error
		w.Sender, err = New(Options{
			Outbox: &w.memory, Dial: w.dial, UserAgent: "earshot/test",
			Rand:   func() float64 { return 0.5 },
			Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.start(t)
		f(t, w)
		w.stop()
	})
}

func (w *world) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err, ok := <-done; ok && err != nil {
			t.Errorf("Run: %v", err)
		}
		close(done)
		w.stop = func() {}
	}
}

// send puts a message, wakes the sender and waits until it rests.
func (w *world) send(hook string) string {
	id := w.put(hook)
	w.Wake()
	synctest.Wait()
	return id
}

func answers(statuses ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(n, len(statuses))-1])
	}
}

func hang(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// check says how a message stands.
func (w *world) check(t *testing.T, id, state string, attempts int, reason string) {
	t.Helper()
	d := w.get(id)
	if d.State != state || d.Attempts != attempts || d.Error != reason {
		t.Errorf("%s is %s after %d attempts, error %q; want %s, %d, %q", id, d.State, d.Attempts, d.Error, state, attempts, reason)
	}
	if (d.NextAt == nil) != (state != earshot.Pending) || (d.DoneAt != nil) != (state != earshot.Pending) {
		t.Errorf("%s is %s with NextAt %v and DoneAt %v", id, d.State, d.NextAt, d.DoneAt)
	}
}

func TestRetryIsFresh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{answer: func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader([]int{500, 503, 200}[n-1])
		}}
		w.serve(t, "shop.example", r)
		secret := w.hook("w_1", "http://shop.example/hook?key=k")
		begin := time.Now()
		id := w.send("w_1")
		w.check(t, id, earshot.Pending, 1, "receiver answered 500")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 3, "")

		got := r.requests()
		if len(got) != 3 {
			t.Fatalf("%d requests, want 3", len(got))
		}
		for i, at := range []time.Duration{0, 5 * time.Second, time.Hour + 5*time.Second} {
			q := got[i]
			if !q.at.Equal(begin.Add(at)) || q.id != id || q.body != string(w.get(id).Body) {
				t.Errorf("attempt %d: %s after %v with body %s", i+1, q.id, q.at.Sub(begin), q.body)
			}
			want := map[string]string{
				"Content-Type":      "application/json",
				"User-Agent":        "earshot/test",
				"Webhook-Timestamp": strconv.FormatInt(begin.Add(at).Unix(), 10),
				"Webhook-Signature": Sign(secret, id, begin.Add(at), w.get(id).Body),
			}
			for k, v := range want {
				if g := q.header.Get(k); g != v {
					t.Errorf("attempt %d: %s: %s, want %s", i+1, k, g, v)
				}
			}
		}
	})
}

// The library refuses what was signed more than five minutes before it looks.
func TestEveryAttemptVerifies(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var secret string
		r := &receiver{}
		r.answer = func(n int, res http.ResponseWriter, q *http.Request) {
			got := r.requests()
			verify(t, secret, q.Header, []byte(got[len(got)-1].body))
			answers(500, 500, 500, 500, 500, 200)(n, res, q)
		}
		w.serve(t, "shop.example", r)
		secret = w.hook("w_1", "http://shop.example/")
		id := w.send("w_1")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 6, "")
	})
}

func TestRotate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{}
		w.serve(t, "shop.example", r)
		old := w.hook("w_1", "http://shop.example/")
		w.memory.mu.Lock()
		h := w.hooks["w_1"]
		h.Previous, h.Secret, h.Until = old, NewSecret(), time.Now().Add(24*time.Hour)
		w.hooks["w_1"] = h
		w.memory.mu.Unlock()

		w.send("w_1")
		q := r.requests()[0]
		verify(t, h.Secret, q.header, []byte(q.body))
		verify(t, old, q.header, []byte(q.body))

		time.Sleep(24 * time.Hour)
		w.send("w_1")
		q = r.requests()[1]
		verify(t, h.Secret, q.header, []byte(q.body))
		if sig := q.header.Get("Webhook-Signature"); strings.Contains(sig, " ") {
			t.Errorf("signed with the old secret after its time: %s", sig)
		}
	})
}

func TestDownForADay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hook("w_1", "http://shop.example/")
		begin := time.Now()
		first := w.send("w_1")
		time.Sleep(23 * time.Hour)
		second := w.send("w_1")
		w.check(t, second, earshot.Pending, 0, "")
		time.Sleep(time.Hour)
		synctest.Wait()
		w.check(t, first, earshot.Pending, 28, "connection refused")
		time.Sleep(13 * time.Minute)
		synctest.Wait()
		w.check(t, first, earshot.Failed, 29, "gave up after 24 h and 29 attempts: connection refused")
		if at, want := w.get(first).DoneAt.Sub(begin), 24*time.Hour+12*time.Minute+35*time.Second; at != want {
			t.Errorf("given up after %v, want %v", at, want)
		}
		w.check(t, second, earshot.Pending, 2, "connection refused")

		r := &receiver{}
		w.serve(t, "shop.example", r)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.check(t, second, earshot.Delivered, 3, "")
		if diff := cmp.Diff([]string{second}, r.ids()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

// What waits behind a message that was given up is sent as soon as somebody is there.
func TestComesBackAfter20Hours(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hook("w_1", "http://shop.example/")
		ids := []string{w.send("w_1")}
		for range 3 {
			time.Sleep(5 * time.Hour)
			ids = append(ids, w.send("w_1"))
		}
		time.Sleep(5 * time.Hour)
		r := &receiver{}
		w.serve(t, "shop.example", r)
		time.Sleep(time.Hour)
		synctest.Wait()
		for i, id := range ids {
			w.check(t, id, earshot.Delivered, []int{25, 1, 1, 1}[i], "")
		}
		if diff := cmp.Diff(ids, r.ids()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

func TestRestartKeepsSchedule(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{answer: answers(500, 200)}
		w.serve(t, "shop.example", r)
		w.hook("w_1", "http://shop.example/")
		id := w.send("w_1")
		w.stop()
		time.Sleep(4 * time.Second)
		w.start(t)
		synctest.Wait()
		w.check(t, id, earshot.Pending, 1, "receiver answered 500")
		time.Sleep(time.Second)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 2, "")
	})
}

func TestOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var accepted []string
		r := &receiver{answer: func(n int, res http.ResponseWriter, q *http.Request) {
			if n%3 == 0 {
				res.WriteHeader(http.StatusInternalServerError)
				return
			}
			time.Sleep(time.Duration(n%4) * time.Second)
			accepted = append(accepted, q.Header.Get("webhook-id"))
		}}
		w.serve(t, "shop.example", r)
		w.hook("w_1", "http://shop.example/")
		var want []string
		for range 30 {
			want = append(want, w.put("w_1"))
			w.Wake()
			time.Sleep(700 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if diff := cmp.Diff(want, accepted); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if w.most != 1 {
			t.Errorf("%d attempts in flight at once for one webhook", w.most)
		}
	})
}

func TestHangingDelaysNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dead := &receiver{answer: hang}
		w.serve(t, "dead.example", dead)
		alive := &receiver{}
		w.serve(t, "alive.example", alive)
		w.hook("w_alive", "http://alive.example/")
		for i := range 200 {
			hook := fmt.Sprintf("w_dead%d", i)
			w.hook(hook, "http://dead.example/")
			w.put(hook)
			w.put(hook)
		}
		w.Wake()
		time.Sleep(2 * time.Minute) // every first attempt has been made; from now on the dead ones are retries
		for range 50 {
			time.Sleep(7 * time.Second)
			id := w.send("w_alive")
			w.check(t, id, earshot.Delivered, 1, "")
		}
		if w.most != MaxInFlight {
			t.Errorf("at most %d attempts in flight, want %d", w.most, MaxInFlight)
		}
		if len(alive.got) != 50 {
			t.Errorf("%d messages received, want 50", len(alive.got))
		}
		for _, d := range w.outcomes {
			if d.Webhook != "w_alive" && d.Error != "no answer within 15s" {
				t.Fatalf("a hanging receiver: %q", d.Error)
			}
		}
	})
}

func TestHanging(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{answer: func(n int, res http.ResponseWriter, q *http.Request) {
			if n == 1 {
				hang(n, res, q)
			}
			res.WriteHeader(http.StatusOK) // the answer is known, whatever becomes of its body
			_ = http.NewResponseController(res).Flush()
			hang(n, res, q)
		}}
		w.serve(t, "shop.example", r)
		w.hook("w_1", "http://shop.example/")
		id := w.send("w_1")
		time.Sleep(Timeout - 1)
		synctest.Wait()
		w.check(t, id, earshot.Pending, 0, "")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		w.check(t, id, earshot.Pending, 1, "no answer within 15s")
		time.Sleep(5*time.Second + Timeout)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 2, "")
	})
}

func TestUnwanted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for id, why := range map[string]string{
			"w_deleted": "the webhook was deleted", "w_off": "the webhook is switched off", "w_new": "the webhook has a format that this version does not know",
		} {
			if id != "w_deleted" {
				w.hook(id, "http://shop.example/")
			}
			w.memory.mu.Lock()
			h := w.hooks[id]
			switch id {
			case "w_off":
				h.Enabled = false
				w.hooks[id] = h
			case "w_new":
				h.Format = "carrier-pigeon"
				w.hooks[id] = h
			}
			w.memory.mu.Unlock()
			w.check(t, w.send(id), earshot.Failed, 0, why)
		}
		if w.dials != 0 {
			t.Errorf("%d connections", w.dials)
		}
	})
}

// The message was delivered but that could not be recorded: it is not sent again.
func TestRecordFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{}
		w.serve(t, "shop.example", r)
		w.hook("w_1", "http://shop.example/")
		failures := 0
		w.broken = func(method string) error {
			if method == "Attempted" && failures < 3 {
				failures++
				return errors.New("disk full")
			}
			return nil
		}
		id := w.send("w_1")
		w.check(t, id, earshot.Pending, 0, "")
		time.Sleep(3 * pause)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 1, "")
		if n := len(r.requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

func TestOutboxFails(t *testing.T) {
	for _, method := range []string{"Heads", "Webhook"} {
		inWorld(t, func(t *testing.T, w *world) {
			w.serve(t, "shop.example", &receiver{})
			w.hook("w_1", "http://shop.example/")
			failures := 0
			w.broken = func(m string) error {
				if m == method && failures < 3 {
					failures++
					return errors.New("disk unplugged")
				}
				return nil
			}
			id := w.send("w_1")
			time.Sleep(3 * pause)
			synctest.Wait()
			w.check(t, id, earshot.Delivered, 1, "")
			if failures != 3 {
				t.Errorf("%s was asked %d times while it failed, want 3", method, failures)
			}
		})
	}
}

// The clock stands in the delivery: somebody else may have moved it.
func TestNoWakeNeeded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.serve(t, "shop.example", &receiver{})
		w.hook("w_1", "http://shop.example/")
		synctest.Wait()
		id := w.put("w_1")
		time.Sleep(maxNap)
		synctest.Wait()
		w.check(t, id, earshot.Delivered, 1, "")
	})
}

func TestShutdown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		slow := &receiver{answer: func(int, http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Second) }}
		w.serve(t, "slow.example", slow)
		dead := &receiver{answer: func(n int, res http.ResponseWriter, q *http.Request) {
			if n == 1 {
				hang(n, res, q)
			}
		}}
		w.serve(t, "dead.example", dead)
		w.hook("w_slow", "http://slow.example/")
		w.hook("w_dead", "http://dead.example/")
		first, second, cut := w.put("w_slow"), w.put("w_slow"), w.put("w_dead")
		w.Wake()
		synctest.Wait()

		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != grace {
			t.Errorf("Run ended after %v, want %v", took, grace)
		}
		w.check(t, first, earshot.Delivered, 1, "")
		w.check(t, second, earshot.Pending, 0, "")
		w.check(t, cut, earshot.Pending, 0, "")

		w.start(t)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.check(t, second, earshot.Delivered, 1, "")
		w.check(t, cut, earshot.Delivered, 1, "")
		if diff := cmp.Diff([]string{cut, cut}, dead.ids()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}

		begin = time.Now()
		w.stop()
		if took := time.Since(begin); took != 0 {
			t.Errorf("with nothing in flight Run ended after %v", took)
		}
	})
}

func TestLogTellsNoSecrets(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := &receiver{answer: func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 2 {
				http.Redirect(w, r, "http://elsewhere.example/word-of-receiver", http.StatusFound)
				return
			}
			http.Error(w, "word-of-receiver", []int{500, 0, 200}[n-1])
		}}
		w.serve(t, "shop.example", r)
		secret := w.hook("w_1", "http://shop.example/path?query")
		w.hook("w_2", "http://nobody.example/path?query")
		w.put("w_2")
		id := w.send("w_1")
		time.Sleep(time.Minute)
		w.stop()
		log := w.log.String()
		for _, must := range []string{"w_1", "w_2", id, "attempt=3", "status=500", "class=redirect", "class=refused", "state=delivered"} {
			if !strings.Contains(log, must) {
				t.Errorf("log lacks %s:\n%s", must, log)
			}
		}
		for _, d := range w.outcomes {
			log += d.Error + "\n"
		}
		for _, never := range []string{"path", "query", "words of", "word-of-receiver", secret, "example"} {
			if strings.Contains(log, never) {
				t.Errorf("log or error holds %s:\n%s", never, log)
			}
		}
	})
}

func TestNewWantsOutbox(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("New without an outbox: no error")
	}
}
