package webhook

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

// A memory is an outbox. It holds one tenant.
type memory struct {
	mu       sync.Mutex
	hooks    map[string]earshot.Webhook
	waiting  []earshot.Delivery        // in the order in which they were put
	outcomes []earshot.Delivery        // of all attempts
	broken   func(method string) error // nil: never

	flying int // attempts between Webhook and Attempted
	most   int // the most there ever were

	recorded chan earshot.Delivery // gets every outcome too, unless nil
}

// hook adds a webhook called id at url and gives its secret.
func (m *memory) hook(id, url string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hooks == nil {
		m.hooks = map[string]earshot.Webhook{}
	}
	secret := NewSecret()
	m.hooks[id] = earshot.Webhook{ID: id, URL: url, Format: "standard", Secret: secret, Enabled: true}
	return secret
}

// put adds a message to a webhook and gives its id.
func (m *memory) put(hook string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := fmt.Sprintf("msg_%d", len(m.waiting)+1)
	now := time.Now()
	m.waiting = append(m.waiting, earshot.Delivery{ID: id, Webhook: hook, Type: "alert.fired", CreatedAt: now,
		NextAt: &now, State: earshot.Pending, Body: fmt.Appendf(nil, `{"type":"alert.fired","data":{"title":"words of %s"}}`, id)})
	return id
}

// get gives a message as it stands.
func (m *memory) get(id string) earshot.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting[slices.IndexFunc(m.waiting, func(d earshot.Delivery) bool { return d.ID == id })]
}

func (m *memory) fault(method string) error {
	if m.broken == nil {
		return nil
	}
	return m.broken(method)
}

func (m *memory) Webhook(_ context.Context, tenant, id string) (earshot.Webhook, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("Webhook"); err != nil {
		return earshot.Webhook{}, err
	}
	m.flying++
	m.most = max(m.most, m.flying)
	h, ok := m.hooks[id]
	if !ok || tenant != "acme" {
		return earshot.Webhook{}, earshot.Errorf(earshot.NotFound, "no webhook %s", id)
	}
	return h, nil
}

func (m *memory) Heads(context.Context) ([]Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("Heads"); err != nil {
		return nil, err
	}
	var heads []Head
	seen := map[string]bool{}
	for _, d := range m.waiting {
		if d.State == earshot.Pending && !seen[d.Webhook] {
			seen[d.Webhook] = true
			heads = append(heads, Head{Tenant: "acme", Delivery: d})
		}
	}
	return heads, nil
}

func (m *memory) Attempted(ctx context.Context, _ string, d earshot.Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("Attempted"); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	i := slices.IndexFunc(m.waiting, func(w earshot.Delivery) bool { return w.ID == d.ID })
	m.flying--
	m.waiting[i] = d
	m.outcomes = append(m.outcomes, d)
	if m.recorded != nil {
		m.recorded <- d
	}
	return nil
}

// A network joins the sender to receivers by host name through pipes, so that
// the real client and the real server speak on a fake clock.
type network struct {
	mu    sync.Mutex
	hosts map[string]chan net.Conn
	dials int
}

// A request is what a receiver got.
type request struct {
	at     time.Time
	id     string
	header http.Header
	body   string
}

// A receiver is a server on the network that writes down what it gets.
type receiver struct {
	mu     sync.Mutex
	got    []request
	answer func(n int, w http.ResponseWriter, r *http.Request) // n counts from 1
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, request{time.Now(), req.Header.Get("webhook-id"), req.Header, string(body)})
	n := len(r.got)
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(n, w, req)
	}
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) ids() (ids []string) {
	for _, q := range r.requests() {
		ids = append(ids, q.id)
	}
	return ids
}

// serve puts h at host until the test ends; http://host/ leads to it.
func (n *network) serve(t *testing.T, host string, h http.Handler) {
	t.Helper()
	l := listener{make(chan net.Conn), make(chan struct{})}
	n.mu.Lock()
	if n.hosts == nil {
		n.hosts = map[string]chan net.Conn{}
	}
	n.hosts[host+":80"] = l.conns
	n.mu.Unlock()
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials++
	conns, ok := n.hosts[address]
	n.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	select {
	case conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type listener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error   { close(l.closed); return nil }
func (l listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
