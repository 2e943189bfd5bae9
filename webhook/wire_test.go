package webhook

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

// These tests speak over real sockets. Waits between attempts are cut short by
// a clock that each of them may move.

// A line is a running sender on the real network and a real outbox.
type line struct {
	*Sender
	*memory
	mu    sync.Mutex
	ahead time.Duration // of the sender's clock
}

func newLine(t *testing.T, o Options) *line {
	t.Helper()
	l := &line{memory: &memory{recorded: make(chan earshot.Delivery, 100)}}
	o.Outbox = l.memory
	o.Now = func() time.Time {
		l.mu.Lock()
		defer l.mu.Unlock()
		return time.Now().Add(l.ahead)
	}
	var err error
	if l.Sender, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l
}

// skip moves the sender's clock.
func (l *line) skip(d time.Duration) {
	l.mu.Lock()
	l.ahead += d
	l.mu.Unlock()
	l.Wake()
}

// outcome waits for what came of the next attempt.
func (l *line) outcome(t *testing.T) earshot.Delivery {
	t.Helper()
	select {
	case d := <-l.recorded:
		return d
	case <-time.After(time.Minute):
		t.Fatal("no attempt was made")
		panic("unreachable")
	}
}

// send puts a message for a webhook at url and gives what came of its first attempt.
func (l *line) send(t *testing.T, url string) earshot.Delivery {
	t.Helper()
	l.hook("w_1", url)
	l.put("w_1")
	l.Wake()
	return l.outcome(t)
}

func TestWire(t *testing.T) {
	type got struct {
		header http.Header
		body   []byte
	}
	var all []got
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, got{r.Header, body})
		if len(all) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer srv.Close()
	l := newLine(t, Options{AllowPrivate: true})
	secret := l.hook("w_1", srv.URL+"/hook?a=b")
	id := l.put("w_1")
	l.Wake()
	for n, want := range []string{earshot.Pending, earshot.Pending, earshot.Delivered} {
		if d := l.outcome(t); d.State != want || d.Attempts != n+1 {
			t.Fatalf("attempt %d: %+v, want %s", n+1, d, want)
		}
		l.skip(time.Minute)
	}
	for n, g := range all {
		verify(t, secret, g.header, g.body)
		if g.header.Get("webhook-id") != id || string(g.body) != string(l.get(id).Body) {
			t.Errorf("attempt %d: %s with body %s", n+1, g.header.Get("webhook-id"), g.body)
		}
		if n > 0 && g.header.Get("webhook-timestamp") == all[n-1].header.Get("webhook-timestamp") {
			t.Errorf("attempt %d has the timestamp of the one before", n+1)
		}
	}
}

func TestBadReceivers(t *testing.T) {
	var forbidden int
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { forbidden++ }))
	defer inside.Close()
	hijack := func(write string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // closing with bytes unread would reset the connection
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(c, write)
			c.Close()
		}
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		status  int
		state   string
		reason  string
	}{
		"closes early":      {hijack(""), 0, earshot.Pending, "connection closed before an answer"},
		"closes in header":  {hijack("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), 0, earshot.Pending, "connection closed before an answer"},
		"speaks no HTTP":    {hijack("220 mail.example ESMTP\r\n"), 0, earshot.Pending, "no valid HTTP answer"},
		"closes in body":    {hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal"), 200, earshot.Delivered, ""},
		"header never ends": {hijack("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 1<<20)), 0, earshot.Pending, "no valid HTTP answer"},
		"body never ends": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, 200, earshot.Delivered, ""},
		"redirects inside": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
		}, 307, earshot.Pending, "receiver answered a redirect (307); redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(tt.handler)
			defer srv.Close()
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			d := newLine(t, Options{AllowPrivate: true}).send(t, srv.URL)
			if d.Status != tt.status || d.State != tt.state || d.Error != tt.reason {
				t.Errorf("status %d, %s, %q; want %d, %s, %q", d.Status, d.State, d.Error, tt.status, tt.state, tt.reason)
			}
		})
	}
	if forbidden != 0 {
		t.Errorf("a redirect was followed")
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	d := newLine(t, Options{AllowPrivate: true}).send(t, "http://"+ln.Addr().String())
	if d.State != earshot.Pending || d.Error != "connection refused" {
		t.Errorf("%s, %q", d.State, d.Error)
	}
}

func TestCertificates(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()

	d := newLine(t, Options{AllowPrivate: true}).send(t, srv.URL)
	if want := "the receiver's certificate is signed by an unknown authority"; d.Error != want {
		t.Errorf("unknown authority: %q, want %q", d.Error, want)
	}

	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	trusting := func(o Options) *line {
		l := newLine(t, o)
		l.transport.TLSClientConfig.RootCAs = roots
		return l
	}
	if d := trusting(Options{AllowPrivate: true}).send(t, srv.URL); d.State != earshot.Delivered {
		t.Errorf("known authority: %s, %q", d.State, d.Error)
	}
	u, _ := url.Parse(srv.URL)
	resolver := names{"other.test": "127.0.0.1"}.resolver()
	d = trusting(Options{AllowPrivate: true, Resolver: resolver}).send(t, "https://other.test:"+u.Port())
	if want := "the receiver's certificate is for another host"; d.Error != want {
		t.Errorf("other name: %q, want %q", d.Error, want)
	}
}

// Something listens inside, and names lead to it, but nothing arrives.
func TestNoPrivateTarget(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		if c, err := ln.Accept(); err == nil {
			c.Close()
			t.Error("a connection was made")
		}
	}()
	port := ln.Addr().(*net.TCPAddr).AddrPort().Port()
	at := func(host string) string {
		return "http://" + netip.AddrPortFrom(netip.MustParseAddr(host), port).String()
	}
	named := func(name string) string {
		return "http://" + net.JoinHostPort(name, at("127.0.0.1")[len("http://127.0.0.1:"):])
	}
	resolver := names{"private.test": "10.0.0.1", "mapped.test": "::ffff:127.0.0.1", "loop.test": "127.0.0.1"}.resolver()
	t.Setenv("HTTP_PROXY", at("127.0.0.1"))
	for target, reason := range map[string]string{
		at("127.0.0.1"):        "target_not_allowed: 127.0.0.1 is a loopback address",
		at("::ffff:127.0.0.1"): "target_not_allowed: 127.0.0.1 is a loopback address",
		at("0.0.0.0"):          "target_not_allowed: 0.0.0.0 is an unspecified address",
		named("loop.test"):     "target_not_allowed: 127.0.0.1 is a loopback address",
		named("mapped.test"):   "target_not_allowed: 127.0.0.1 is a loopback address",
		named("private.test"):  "target_not_allowed: 10.0.0.1 is a private address",
		named("nobody.test"):   "the name of the host was not found",
	} {
		d := newLine(t, Options{Resolver: resolver}).send(t, target)
		if d.State != earshot.Pending || d.NextAt == nil || d.Error != reason {
			t.Errorf("%s: %s, %q; want %q and to be tried again", target, d.State, d.Error, reason)
		}
	}
	ln.Close()
	<-arrived

	open := newLine(t, Options{AllowPrivate: true, Resolver: resolver})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	if d := open.send(t, strings.Replace(srv.URL, "127.0.0.1", "loop.test", 1)); d.State != earshot.Delivered {
		t.Errorf("with AllowPrivate: %s, %q", d.State, d.Error)
	}
}

// names is a name server: it knows one address for each name.
type names map[string]string

func (n names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serve(theirs)
		return ours, nil
	}}
}

// serve answers one connection as DNS over TCP does (RFC 1035 §4): messages
// after their length.
func (n names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size uint16
		if binary.Read(c, binary.BigEndian, &size) != nil {
			return
		}
		q := make([]byte, size)
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		var name []string
		end := 12
		for ; q[end] != 0; end += 1 + int(q[end]) {
			name = append(name, string(q[end+1:end+1+int(q[end])]))
		}
		question := q[12 : end+5]
		kind := binary.BigEndian.Uint16(q[end+1:])

		addr, err := netip.ParseAddr(n[strings.Join(name, ".")])
		flags, count := uint16(0x8180), uint16(0) // an answer, recursion
		var record []byte
		switch {
		case err != nil:
			flags |= 3 // no such name
		case kind == 1 && addr.Is4() || kind == 28 && addr.Is6():
			count = 1
			record = binary.BigEndian.AppendUint16([]byte{0xc0, 12}, kind) // the name is the question's
			record = append(record, 0, 1, 0, 0, 0, 60)
			record = binary.BigEndian.AppendUint16(record, uint16(len(addr.AsSlice())))
			record = append(record, addr.AsSlice()...)
		}
		a := append([]byte{}, q[:2]...)
		for _, v := range []uint16{flags, 1, count, 0, 0} {
			a = binary.BigEndian.AppendUint16(a, v)
		}
		a = append(append(a, question...), record...)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
			return
		}
	}
}
