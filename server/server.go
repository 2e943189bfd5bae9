// Package server is HTTP in and HTTP out: routes, keys, limits, problems. It
// decides nothing about verbatims; engine and store do.
//
// What it promises:
//
//   - The key of a request decides the tenant; nothing in a path, a query or a
//     body can name another one.
//   - Everything that goes wrong is an application/problem+json with a code of
//     the contract. A fault of ours is logged with the request's id and answered
//     as "internal error".
//   - No body, key or customer's word is logged.
//   - Bodies, decompressed sizes, lines and times are bounded by Limits.
//   - openapi.yaml describes every route; the tests hold every answer against it.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/store"
)

// An Engine carries verbatims. See engine.Engine, which is one.
type Engine interface {
	Accept(ctx context.Context, tenant string, drafts []ingest.Draft, o engine.AcceptOptions) []engine.Accepted
	// Wait returns a verbatim once it is analysed and can be found, or ctx's error.
	Wait(ctx context.Context, tenant, id string) (*earshot.Record, error)
	Record(ctx context.Context, tenant, id string) (*earshot.Record, error)
	Erase(ctx context.Context, tenant, id string) error
	Analyze(ctx context.Context, drafts []ingest.Draft) []engine.Analyzed
	Search(ctx context.Context, tenant string, r engine.SearchRequest) (*engine.SearchResult, error)
	Ready(ctx context.Context) []engine.Part

	Issues(ctx context.Context, tenant string, q engine.IssueQuery) (list []*earshot.Issue, total int, more bool, err error)
	Issue(ctx context.Context, tenant, id string) (*earshot.Issue, error)
	PatchIssue(ctx context.Context, tenant, id string, title *string, state, by string) (*earshot.Issue, error)
	Alerts(ctx context.Context, tenant string, states []string, after string, limit int) (list []*earshot.Alert, more bool, err error)
	Alert(ctx context.Context, tenant, id string) (*earshot.Alert, error)
	CommandAlert(ctx context.Context, tenant, id, action, args, by string) (*earshot.Alert, error)
	// Subscribe gives what happens after the event named. The channel is closed when its reader falls behind.
	Subscribe(tenant, last string) (events <-chan engine.FeedEvent, stop func())

	Webhooks(ctx context.Context, tenant string) ([]earshot.Webhook, error)
	Webhook(ctx context.Context, tenant, id string) (earshot.Webhook, error)
	AddWebhook(ctx context.Context, tenant string, w earshot.Webhook) (earshot.Webhook, error)
	ChangeWebhook(ctx context.Context, tenant, id string, change func(*earshot.Webhook) error) (earshot.Webhook, error)
	RotateWebhook(ctx context.Context, tenant, id string) (earshot.Webhook, error)
	DeleteWebhook(ctx context.Context, tenant, id string) error
	TestWebhook(ctx context.Context, tenant, id string) (earshot.Delivery, error)
	Deliveries(ctx context.Context, tenant, id, before string, limit int) ([]earshot.Delivery, error)
}

// Limits on what a client may ask. Zero is the default.
type Limits struct {
	BodyBytes     int           // a body, decompressed; 32 MiB. An NDJSON body has no limit, its lines have
	LineBytes     int           // a line of NDJSON; 4 MiB
	ArrayItems    int           // verbatims in one array; 1000
	SearchTimeout time.Duration // 5 s
	IdleTimeout   time.Duration // how long a client may keep silent within a body, or not read its answer; 60 s
	Heartbeat     time.Duration // how often a stream of events says that it lives, and asks whether its key does; 15 s
}

// Options are what a Server is made of. Engine and Store are required.
type Options struct {
	Engine  Engine
	Store   store.Store
	Logger  *slog.Logger // nil: discard
	Limits  Limits
	Version string           // for /version
	Now     func() time.Time // nil: time.Now
}

// A Server is an http.Handler. The http.Server around it needs no read or write
// timeout, only one for headers: bodies and answers have their deadlines here.
type Server struct {
	engine  Engine
	store   store.Store
	log     *slog.Logger
	limits  Limits
	version string
	now     func() time.Time

	router  *gin.Engine
	keys    keyCache
	cursors cursors
	touches sync.WaitGroup // writes of when a key was last used

	draining context.Context // ends with Drain
	drain    context.CancelFunc
}

// New makes a server. It reads the installation's secret for cursors from the store.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Engine == nil || o.Store == nil {
		return nil, errors.New("server: Engine and Store are required")
	}
	secret, err := o.Store.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	s := &Server{engine: o.Engine, store: o.Store, log: o.Logger, limits: o.Limits, version: o.Version, now: o.Now,
		keys: keyCache{known: map[[32]byte]knownKey{}}, cursors: cursors{secret: secret[:]}}
	s.draining, s.drain = context.WithCancel(context.WithoutCancel(ctx))
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	setDefault(&s.limits.BodyBytes, 32<<20)
	setDefault(&s.limits.LineBytes, 4<<20)
	setDefault(&s.limits.ArrayItems, 1000)
	setDefault(&s.limits.SearchTimeout, 5*time.Second)
	setDefault(&s.limits.IdleTimeout, time.Minute)
	setDefault(&s.limits.Heartbeat, 15*time.Second)
	s.route()
	return s, nil
}

func setDefault[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// Drain makes /readyz say no and ends streams after the lines in hand, before the listener is shut.
func (s *Server) Drain() { s.drain() }

// Close waits for what the server still writes to the store, after the listener was shut.
func (s *Server) Close() error {
	s.drain()
	s.touches.Wait()
	return nil
}

// A route is one line of the contract. Scope "" is open to all.
type route struct {
	method, path, scope string
	handle              func(*Server, *call) error
}

var routes = []route{
	{"POST", "/v1/verbatims", "ingest", (*Server).postVerbatims},
	{"GET", "/v1/verbatims/:id", "read", (*Server).getVerbatim},
	{"DELETE", "/v1/verbatims/:id", "admin", (*Server).deleteVerbatim},
	{"POST", "/v1/analyze", "read", (*Server).analyze},
	{"GET", "/v1/search", "read", (*Server).search},
	{"POST", "/v1/search", "read", (*Server).search},
	{"GET", "/v1/issues", "read", (*Server).listIssues},
	{"GET", "/v1/issues/:id", "read", (*Server).getIssue},
	{"PATCH", "/v1/issues/:id", "manage", (*Server).patchIssue},
	{"GET", "/v1/alerts", "read", (*Server).listAlerts},
	{"GET", "/v1/alerts/:id", "read", (*Server).getAlert},
	{"POST", "/v1/alerts/:id/acknowledge", "manage", commandAlert("acknowledge", "")},
	{"POST", "/v1/alerts/:id/snooze", "manage", commandAlert("snooze", "for")},
	{"POST", "/v1/alerts/:id/resolve", "manage", commandAlert("resolve", "")},
	{"POST", "/v1/alerts/:id/vote", "manage", commandAlert("vote", "value")},
	{"POST", "/v1/alerts/:id/note", "manage", commandAlert("note", "text")},
	{"GET", "/v1/rules", "read", (*Server).listRules},
	{"GET", "/v1/rules/:id", "read", (*Server).getRule},
	{"GET", "/v1/webhooks", "read", (*Server).listWebhooks},
	{"POST", "/v1/webhooks", "manage", (*Server).postWebhook},
	{"GET", "/v1/webhooks/:id", "read", (*Server).getWebhook},
	{"PUT", "/v1/webhooks/:id", "manage", (*Server).putWebhook},
	{"DELETE", "/v1/webhooks/:id", "manage", (*Server).deleteWebhook},
	{"POST", "/v1/webhooks/:id/test", "manage", (*Server).testWebhook},
	{"POST", "/v1/webhooks/:id/rotate", "manage", (*Server).rotateWebhook},
	{"GET", "/v1/webhooks/:id/deliveries", "read", (*Server).listDeliveries},
	{"GET", eventsPath, "read", (*Server).streamEvents},
	{"GET", "/v1/keys", "admin", (*Server).listKeys},
	{"POST", "/v1/keys", "admin", (*Server).postKey},
	{"DELETE", "/v1/keys/:id", "admin", (*Server).deleteKey},
	{"POST", "/v1/tenants", "admin", (*Server).postTenant},
	{"GET", "/v1/dead-letters", "admin", (*Server).deadLetters},
	{"GET", "/livez", "", (*Server).livez},
	{"GET", "/readyz", "", (*Server).readyz},
	{"GET", "/version", "", (*Server).getVersion},
	{"GET", "/openapi.json", "", (*Server).openapi},
}

func (s *Server) route() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	r.Use(s.observe)
	for _, rt := range routes {
		r.Handle(rt.method, rt.path, func(c *gin.Context) {
			call := &call{Context: c}
			err := s.authenticate(call, rt.scope)
			if err == nil {
				err = rt.handle(s, call)
			}
			if err != nil {
				s.fail(c, err)
			}
		})
	}
	r.NoRoute(func(c *gin.Context) { s.fail(c, earshot.Errorf(earshot.NotFound, "there is nothing at this address")) })
	r.NoMethod(func(c *gin.Context) {
		s.fail(c, earshot.Errorf(earshot.MethodNotAllowed, "this address answers %s", c.Writer.Header().Get("Allow")))
	})
	s.router = r
}

// ServeHTTP answers one request. HEAD is GET without the body; a stream of
// events is nothing but its body, and has none.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead && r.URL.Path != eventsPath {
		get := *r // net/http still knows that it was HEAD, and drops the body
		get.Method = http.MethodGet
		r = &get
	}
	s.router.ServeHTTP(w, r)
}

// A call is one request and who makes it.
type call struct {
	*gin.Context
	key    earshot.Key // zero on a route that is open to all
	tenant string      // the key's
}

// ctx ends when the client goes away.
func (c *call) ctx() context.Context { return c.Request.Context() }
