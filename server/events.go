package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/earshot-cx/earshot"
)

const (
	eventsPath = "/v1/stream"
	eventsType = "text/event-stream"

	// lastWords is how long a stream that ends may take to say so.
	lastWords = time.Second
	heartbeat = ":\n\n"
)

var errStopping = errors.New("the service is stopping")

// streamEvents tells what happens, as server-sent events, until the client
// goes away or does not read, its key is revoked or the service stops. A client
// that fell behind is let go; it comes back with Last-Event-ID.
func (s *Server) streamEvents(c *call) error {
	f, err := queryOf(c)
	if err == nil {
		err = f.err()
	}
	if err != nil {
		return err
	}
	if s.draining.Err() != nil {
		return earshot.Errorf(earshot.Unavailable, "the service is stopping")
	}
	events, stop := s.engine.Subscribe(c.tenant, c.GetHeader("Last-Event-ID"))
	defer stop()
	h := c.Writer.Header()
	h.Set("Content-Type", eventsType)
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	c.Writer.WriteHeader(http.StatusOK)
	w := newEventWriter(s.draining, c.Writer, s.limits.IdleTimeout)
	defer w.close()
	beat := time.NewTicker(s.limits.Heartbeat)
	defer beat.Stop()
	for err = w.write(heartbeat); err == nil; {
		select {
		case <-c.ctx().Done():
			return nil
		case <-s.draining.Done():
			return nil
		case ev, ok := <-events:
			if !ok {
				return nil
			}
			err = w.write("id: %s\nevent: %s\ndata: %s\n\n", ev.ID, ev.Type, ev.Data)
		case <-beat.C:
			if _, err := s.keyOf(c.ctx(), c.GetHeader("Authorization")); earshot.CodeOf(err) == earshot.Unauthenticated {
				return nil
			}
			err = w.write(heartbeat)
		}
	}
	return nil // nobody is left to be told
}

// An eventWriter writes at once, and gives a client that does not read only
// patience to take what is written; lastWords when the service stops.
type eventWriter struct {
	w        http.ResponseWriter
	rc       *http.ResponseController
	patience time.Duration
	draining context.Context
	unhook   func() bool
	hurried  chan struct{} // closed after a write in hand was told to hurry
}

func newEventWriter(draining context.Context, w http.ResponseWriter, patience time.Duration) *eventWriter {
	e := &eventWriter{w: w, rc: http.NewResponseController(w), patience: patience, draining: draining, hurried: make(chan struct{})}
	e.unhook = context.AfterFunc(draining, func() {
		e.within(lastWords)
		close(e.hurried)
	})
	return e
}

func (e *eventWriter) within(d time.Duration) { _ = e.rc.SetWriteDeadline(time.Now().Add(d)) }

func (e *eventWriter) write(format string, args ...any) error {
	e.within(e.patience)
	if e.draining.Err() != nil { // asked after the deadline was set: one who hurries us does so later
		return errStopping
	}
	if _, err := fmt.Fprintf(e.w, format, args...); err != nil {
		return err
	}
	if err := e.rc.Flush(); err != nil {
		return err
	}
	_ = e.rc.SetWriteDeadline(time.Time{}) // over HTTP/2 a deadline ends also a stream that is at rest
	return nil
}

// close leaves the writer to its owner, who has to write the end of the answer.
func (e *eventWriter) close() {
	if !e.unhook() {
		<-e.hurried
	}
	e.within(lastWords)
}
