// Package engine carries a verbatim from acceptance to search hit, issue and
// alert.
//
// What it promises:
//
//   - What Accept answered is on disk, redacted. It is analysed and searchable
//     soon after, also if the process is killed in between.
//   - The entries of one tenant are applied one after another, and all that
//     follows from a batch is one transaction. A batch seen twice changes nothing.
//   - What issues and alerts decide follows from the entries of the log, in their
//     order, and from their times: a crash, a replay and a second run agree.
//   - The index follows the log by itself: a slow or damaged index delays
//     neither acceptance nor analysis, and is built again from the record.
//   - An entry that fails five times is set aside and holds up nothing.
//   - When Run's context ends, the batch in hand is finished and nothing is lost.
//
// Each tenant has two goroutines, owned by Run: one applies what waits in its
// lanes, the other brings the index up to the log. Two more serve all tenants:
// one sends webhooks, one lets the time of quiet tenants pass.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/store"
	"github.com/earshot-cx/earshot/webhook"
)

// Options are what an Engine is made of. Store, Index and NLP are required.
type Options struct {
	Store   store.Store
	Index   index.Index
	NLP     *nlp.Pipeline
	Logger  *slog.Logger     // nil: discard
	Now     func() time.Time // nil: time.Now
	Workers int              // analyses at once; 0: GOMAXPROCS
	Batch   int              // entries applied together; 0: 500

	// AllowPrivate lets webhooks go to loopback and private addresses.
	AllowPrivate bool
	// Location is where the times in the reasons of alerts are read; nil: UTC.
	Location *time.Location
}

// An Engine is safe for concurrent use. Run must be running for anything that
// was accepted to be analysed.
type Engine struct {
	*Analyzer
	store store.Store
	index index.Index
	log   *slog.Logger
	batch int
	slots chan struct{} // one for each analysis at once, over all tenants

	reader       *issues.Reader
	sender       *webhook.Sender
	allowPrivate bool
	location     *time.Location

	mu      sync.Mutex
	tenants map[string]*tenant
	started func(*tenant) // starts the goroutines of a new tenant; nil until Run
}

// A tenant is what the engine remembers of one while it runs.
type tenant struct {
	id      string
	waiting chan struct{} // holds one signal: something may wait in a lane
	grown   chan struct{} // holds one signal: the log may have grown
	feed    feed          // those who listen to what happens

	applying sync.Mutex // held while something is applied; guards state
	state    *state     // issues and alerts; nil until they are needed, and after a failure

	mu       sync.Mutex
	changed  chan struct{} // closed and renewed whenever something was applied or absorbed
	absorbed uint64        // the last seq in the index
	target   uint64        // while absorbed is below it the index is being rebuilt and must not be searched
	damaged  bool          // the index must be thrown away
	fault    string        // why the index does not advance, for /readyz
}

// New makes an engine. It reads the installation's secret from the store.
func New(ctx context.Context, o Options) (*Engine, error) {
	if o.Store == nil || o.Index == nil || o.NLP == nil {
		return nil, errors.New("engine: Store, Index and NLP are required")
	}
	secret, err := o.Store.Secret(ctx, "fingerprint")
	if err != nil {
		return nil, fmt.Errorf("engine: read secret: %w", err)
	}
	analyzer, err := NewAnalyzer(o.NLP, secret, o.Now)
	if err != nil {
		return nil, err
	}
	e := &Engine{Analyzer: analyzer, store: o.Store, index: o.Index, log: o.Logger, batch: o.Batch, tenants: map[string]*tenant{}}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.batch == 0 {
		e.batch = 500
	}
	if e.reader, err = issues.NewReader(o.NLP); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e.allowPrivate, e.location = o.AllowPrivate, o.Location
	e.sender, err = webhook.New(webhook.Options{Outbox: outbox{o.Store}, AllowPrivate: o.AllowPrivate, Logger: e.log, Now: e.now})
	if err != nil {
		return nil, err
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	e.slots = make(chan struct{}, o.Workers)
	return e, nil
}

// Run applies what waits and keeps the index up to date until ctx ends; then it
// finishes the batches in hand and returns nil.
func (e *Engine) Run(ctx context.Context) error {
	known, err := e.store.Tenants(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("engine: list tenants: %w", err)
	}
	g := new(errgroup.Group)
	e.mu.Lock()
	e.started = func(t *tenant) {
		g.Go(func() error { e.applyLoop(ctx, t); return nil })
		g.Go(func() error { e.followLoop(ctx, t); return nil })
	}
	g.Go(func() error { return e.sender.Run(ctx) })
	g.Go(func() error { e.tickLoop(ctx); return nil })
	for _, t := range e.tenants {
		e.started(t)
	}
	e.mu.Unlock()
	for _, t := range known {
		e.tenant(t.ID).wake()
	}
	<-ctx.Done()
	e.mu.Lock()
	e.started = nil // a tenant met from now on is served by the next Run
	e.mu.Unlock()
	return g.Wait()
}

// tenant gives the engine's memory of a tenant, made on first use.
func (e *Engine) tenant(id string) *tenant {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.tenants[id]
	if !ok {
		t = &tenant{id: id, waiting: make(chan struct{}, 1), grown: make(chan struct{}, 1), changed: make(chan struct{})}
		e.tenants[id] = t
		if e.started != nil {
			e.started(t)
		}
	}
	return t
}

// wake says that something may wait in a lane.
func (t *tenant) wake() { signal(t.waiting) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// update changes what is remembered and tells those who wait for it.
func (t *tenant) update(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	close(t.changed)
	t.changed = make(chan struct{})
}

// view reads what is remembered, with a channel that is closed at the next change.
func (t *tenant) view() (absorbed, target uint64, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.absorbed, t.target, t.changed
}
