// Package webhook tells the receivers outside what happened. A message waits
// in an [Outbox] until a [Sender] has delivered it or has given it up.
//
// What it promises:
//
//   - At least once. The id of a message (webhook-id) is the same in every
//     attempt, so that a receiver can drop doubles; its timestamp and signature
//     are made afresh for each attempt, because receivers refuse old ones.
//   - In order per webhook: a message is not sent before the one in front of it
//     was delivered or given up.
//   - A dead receiver delays nobody else: a webhook has one attempt in flight at
//     most, an attempt ends after [Timeout], and retries never take up more
//     than half of the attempts in flight.
//   - No connection is made to an address that is not public, whatever name or
//     answer leads there, unless Options.AllowPrivate.
//   - Nothing is kept here: when and how often to try again stands in the
//     Delivery, so it survives a restart.
//
// Messages are signed as Standard Webhooks wants it (https://www.standardwebhooks.com).
package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
)

const (
	// Timeout is how long one attempt may take, from looking up the name to the end of the answer.
	Timeout = 15 * time.Second
	// MaxInFlight is how many attempts are made at once, over all tenants.
	MaxInFlight = 64
	// MaxRetrying is how many of them may be retries.
	MaxRetrying = MaxInFlight / 2

	// grace is how long attempts in flight may go on once Run's context has ended.
	grace = 3 * time.Second
	// maxNap is how long the outbox is left alone at most: a timer knows nothing of a clock that was set.
	maxNap = time.Minute
	// pause is how long to wait after the outbox failed.
	pause = 5 * time.Second
)

// An Outbox is where messages wait. It gives those of one webhook in the order
// in which they were put there. It is safe for concurrent use.
type Outbox interface {
	// Webhook gives a webhook with its secrets; NotFound if it was deleted.
	Webhook(ctx context.Context, tenant, id string) (earshot.Webhook, error)
	// Heads gives, for every webhook of every tenant, the oldest of its deliveries that are pending, due or not.
	Heads(ctx context.Context) ([]Head, error)
	// Attempted records what came of an attempt. Once a delivery is no longer pending, the one behind it is the head.
	Attempted(ctx context.Context, tenant string, d earshot.Delivery) error
}

// A Head is the message that a webhook is to get next.
type Head = store.Head

// Options say how to send. Only Outbox has no default.
type Options struct {
	Outbox       Outbox
	AllowPrivate bool             // also to addresses that are not public
	UserAgent    string           // "": earshot
	Logger       *slog.Logger     // nil: discard
	Now          func() time.Time // nil: time.Now
	Rand         func() float64   // in [0, 1), spreads the retries; safe for concurrent use; nil: math/rand
	Resolver     *net.Resolver    // nil: net.DefaultResolver

	// Dial makes the connections of a test instead of the network; no address is checked then.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Sender sends what waits in an outbox while Run is running.
type Sender struct {
	outbox    Outbox
	transport *http.Transport
	agent     string
	log       *slog.Logger
	now       func() time.Time
	rand      func() float64
	wake      chan struct{} // holds one when there may be something new
}

// New makes a Sender; it sends nothing before Run.
func New(o Options) (*Sender, error) {
	if o.Outbox == nil {
		return nil, errors.New("webhook: no outbox")
	}
	s := &Sender{
		outbox:    o.Outbox,
		transport: newTransport(o),
		agent:     o.UserAgent,
		log:       o.Logger,
		now:       o.Now,
		rand:      o.Rand,
		wake:      make(chan struct{}, 1),
	}
	if s.agent == "" {
		s.agent = "earshot"
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Float64
	}
	return s, nil
}

// Wake says that there may be something new in the outbox. It does not block.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends and then returns nil, at most three seconds later.
// An attempt cut off by that is made again by the next Run. It is called once
// at a time for an outbox.
func (s *Sender) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx)) // of the attempts: they may outlive ctx by grace
	defer stop()
	done := make(chan Head)
	q := queue{busy: map[turn]bool{}}
	stale := true // the outbox may hold what the last look did not see
	var nap time.Duration
	for ctx.Err() == nil {
		for h, ok := q.take(); ok; h, ok = q.take() {
			go func() {
				s.attempt(work, h)
				done <- h
			}()
		}
		if stale && len(q.busy) < MaxInFlight {
			nap, stale = s.look(ctx, &q), false
			continue
		}
		var alarm <-chan time.Time
		if !stale {
			alarm = time.After(nap)
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
			stale = true
		case h := <-done:
			q.release(h)
			stale = true
		case <-alarm:
			stale = true
		}
	}
	late := time.After(grace)
	for len(q.busy) > 0 {
		select {
		case h := <-done:
			q.release(h)
		case <-late:
			stop()
		}
	}
	return nil
}

// look fills the queue from the outbox and says how long to wait before the
// next look if nothing happens until then.
func (s *Sender) look(ctx context.Context, q *queue) time.Duration {
	heads, err := s.outbox.Heads(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("webhook: look into the outbox", "error", err)
		}
		return pause
	}
	return min(maxNap, q.fill(heads, s.now()))
}
