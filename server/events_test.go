package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot/engine"
)

// soon is far more than anything here takes; what never happens takes as long.
const soon = 30 * time.Second

// A listener reads a stream of events.
type listener struct {
	s      *service
	header http.Header
	in     *bufio.Reader
	close  func()
}

// listen opens the stream; last is Last-Event-ID.
func (s *service) listen(key, last string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+eventsPath, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.keys[key])
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("the stream answers %d", resp.StatusCode)
	}
	return &listener{s, resp.Header, bufio.NewReader(resp.Body), cancel}
}

// next is the next event, held against the description.
func (l *listener) next() engine.FeedEvent {
	l.s.t.Helper()
	ev, err := nextEvent(l.in)
	if err == nil {
		err = l.s.spec.event(ev)
	}
	if err != nil {
		l.s.t.Fatalf("%v: event %s %s %.1000s", err, ev.ID, ev.Type, ev.Data)
	}
	return ev
}

// ended waits for the end of the stream, over events.
func (l *listener) ended() {
	l.s.t.Helper()
	if _, err := io.Copy(io.Discard, l.in); err != nil {
		l.s.t.Errorf("the stream ends by %v", err)
	}
}

// mute opens the stream with a client that never reads.
func (s *service) mute(key string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", eventsPath, s.keys[key])
}

// within fails unless wait returns soon.
func within(t *testing.T, what string, wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); wait() }()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatalf("%s: not within %v", what, soon)
	}
}

func issueEvent(n int) engine.FeedEvent {
	data, _ := marshal(fakeIssue(n, "<ช้า>"))
	return engine.FeedEvent{ID: fmt.Sprint(n), Type: "issue", Data: bytes.TrimSpace(data)}
}

func TestStream(t *testing.T) {
	s := newService(t, Limits{})
	s.engine.events = make(chan engine.FeedEvent, 3)
	s.engine.events <- issueEvent(7)
	l := s.listen("a/read", "6")
	if l.header.Get("Content-Type") != eventsType || l.header.Get("Cache-Control") != "no-store" || l.header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("headers %v", l.header)
	}
	if ev := l.next(); ev.ID != "7" || ev.Type != "issue" || s.engine.last != "6" {
		t.Errorf("got event %s %s after %q", ev.ID, ev.Type, s.engine.last)
	}
	large := engine.FeedEvent{ID: "8", Type: "issue", Data: bytes.Replace(issueEvent(8).Data, []byte("<"), bytes.Repeat([]byte("ก"), 400_000), 1)}
	s.engine.events <- large
	if ev := l.next(); !bytes.Equal(ev.Data, large.Data) {
		t.Errorf("%d bytes of %d came", len(ev.Data), len(large.Data))
	}
	close(s.engine.events) // it fell behind
	within(t, "the end", l.ended)
	within(t, "stop", s.engine.left.Wait)
	s.want(s.send("GET", eventsPath+"?since=1", "a/read", ""), "422 invalid /since:unknown_field")
	if status, err := httpHead(t, s.url+eventsPath); status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD answers %d, %v", status, err)
	}
}

func TestStreamHeartbeat(t *testing.T) {
	s := newService(t, Limits{Heartbeat: 5 * time.Millisecond})
	s.engine.events = make(chan engine.FeedEvent)
	l := s.listen("a/read", "")
	for range 3 {
		if line, err := l.in.ReadString('\n'); line != ":\n" || err != nil {
			t.Errorf("got %q, %v", line, err)
		}
		if line, _ := l.in.ReadString('\n'); line != "\n" {
			t.Errorf("got %q", line)
		}
	}
	l.close()
	within(t, "stop", s.engine.left.Wait)
}

func TestStreamEndsWithItsKey(t *testing.T) {
	s := newService(t, Limits{Heartbeat: 5 * time.Millisecond})
	s.engine.events = make(chan engine.FeedEvent)
	key := s.want(s.send("POST", "/v1/keys", "a/admin", `{"scopes":["read"]}`), "201").json(t)
	s.keys["new"] = key["key"].(string)
	l := s.listen("new", "")
	s.want(s.send("DELETE", "/v1/keys/"+key["id"].(string), "a/admin", ""), "204")
	within(t, "the end", l.ended)
	within(t, "stop", s.engine.left.Wait)
}

// feed hands out large events until everybody has left.
func (s *service) feed() {
	large := engine.FeedEvent{ID: "1", Type: "verbatim", Data: bytes.Repeat([]byte("x"), 1<<20)}
	left := make(chan struct{})
	go func() { defer close(left); s.engine.left.Wait() }()
	for {
		select {
		case s.engine.events <- large:
		case <-left:
			return
		}
	}
}

func TestStreamUnread(t *testing.T) {
	s := newService(t, Limits{IdleTimeout: 200 * time.Millisecond})
	s.engine.events = make(chan engine.FeedEvent)
	s.mute("a/read")
	s.engine.events <- issueEvent(1) // it is there
	within(t, "the cut", s.feed)
}

// Streams end when the service stops, also one that is in the midst of writing to a client that does not read.
func TestDrainEndsEventStreams(t *testing.T) {
	s := newService(t, Limits{})
	s.engine.events = make(chan engine.FeedEvent)
	var listeners []*listener
	for range 10 {
		listeners = append(listeners, s.listen("a/read", ""))
	}
	within(t, "the end of ten", func() {
		s.server.Drain()
		for _, l := range listeners {
			l.ended()
		}
		s.engine.left.Wait()
	})
	s.want(s.send("GET", eventsPath, "a/read", ""), "503 unavailable")
}

func TestDrainCutsUnread(t *testing.T) {
	s := newService(t, Limits{}) // with all the patience of a minute
	s.engine.events = make(chan engine.FeedEvent)
	s.mute("a/read")
	s.engine.events <- issueEvent(1)
	large := engine.FeedEvent{ID: "1", Type: "verbatim", Data: bytes.Repeat([]byte("x"), 1<<20)}
	for stuck := false; !stuck; {
		select {
		case s.engine.events <- large:
		case <-time.After(300 * time.Millisecond):
			stuck = true
		}
	}
	s.server.Drain()
	within(t, "the cut", s.engine.left.Wait)
}
