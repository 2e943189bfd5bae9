package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/ingest"
)

const (
	// chunkLines are accepted together: a transaction and an fsync cost the same for one.
	chunkLines = 500
	// chunkWait is how long a line waits for others to be accepted with.
	chunkWait = 3 * time.Millisecond
)

// A numbered item is one line of the stream, read. Last is true when err is
// why nothing follows.
type numbered struct {
	line int
	item ingest.Item
	size int64
	last bool
}

// postLines accepts NDJSON while it arrives and answers while it accepts: one
// result a line, in order, and a summary. One goroutine reads ahead as far as
// memory allows; this one accepts what is there, so that a fast sender gets
// large transactions and a slow one quick answers. A line that was answered is
// durable, whatever becomes of the connection.
func (s *Server) postLines(c *call, o postOptions) error {
	body, compressed, err := s.body(c)
	if err != nil {
		return err
	}
	var guard *bombGuard
	if compressed {
		guard = &bombGuard{r: body, limit: s.limits.BodyBytes}
		body = guard
	}
	rc := http.NewResponseController(c.Writer)
	_ = rc.EnableFullDuplex()             // HTTP/2 is always
	defer rc.SetReadDeadline(time.Time{}) //nolint:errcheck // a writer without deadlines needs none
	extend := func() { _ = rc.SetReadDeadline(time.Now().Add(s.limits.IdleTimeout)) }
	extend()

	// The request's context ends as soon as reading fails, also when a client merely keeps silent for too
	// long. What was read by then is accepted and answered all the same.
	ctx, stop := context.WithCancel(context.WithoutCancel(c.ctx()))
	items := make(chan numbered, chunkLines)
	memory := semaphore.NewWeighted(2 * int64(s.limits.LineBytes))
	read := &lineReader{limit: s.limits.LineBytes, guard: guard, memory: memory, to: items}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(items)
		read.all(ctx, s.draining, ingest.Lines(body, s.limits.LineBytes))
	}()
	defer func() { // the body must not be read once we have returned
		stop()
		_ = rc.SetReadDeadline(time.Now())
		_ = rc.SetWriteDeadline(time.Now().Add(s.limits.IdleTimeout))
		<-done
	}()

	var total counts
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	flush := func() error {
		_ = rc.SetWriteDeadline(time.Now().Add(s.limits.IdleTimeout))
		if !c.Writer.Written() {
			c.Writer.Header().Set("Content-Type", ndjsonType)
			closeUnlessRead(c, done, read)
			c.Writer.WriteHeader(http.StatusOK)
		}
		if _, err := c.Writer.Write(out.Bytes()); err != nil {
			return err
		}
		out.Reset()
		return rc.Flush()
	}
	for {
		chunk := nextChunk(ctx, items)
		if len(chunk) == 0 {
			break
		}
		extend()
		list := make([]ingest.Item, len(chunk))
		var size int64
		for i, n := range chunk {
			list[i] = n.item
			size += n.size
		}
		results, err := s.accept(ctx, c, list, o.accept)
		memory.Release(size)
		if err != nil && !c.Writer.Written() {
			closeUnlessRead(c, done, read)
			return err // nothing was answered yet: a status says it better than a line
		}
		for i, r := range results {
			r.Line = chunk[i].line
			total.add(r.Status)
			_ = enc.Encode(r) // into memory, of strings and numbers
		}
		if flush() != nil {
			return nil // the client is gone; what was answered is durable
		}
	}
	<-done
	if !read.whole { // see discard
		extend()
		s.discard(c, s.limits.BodyBytes)
	}
	_ = enc.Encode(map[string]counts{"summary": total})
	_ = flush() // the client may be gone
	return nil
}

// closeUnlessRead has the connection closed after the answer unless the whole
// body was read before the answer begins. A full-duplex connection of HTTP/1.1
// must not be used again with a rest of a body in it: net/http would take that
// for the next request.
func closeUnlessRead(c *call, done <-chan struct{}, r *lineReader) {
	select {
	case <-done:
		if r.whole {
			return
		}
	default:
	}
	c.Writer.Header().Set("Connection", "close")
}

// nextChunk waits for a line and gives it with those that follow at once;
// nothing after the last.
func nextChunk(ctx context.Context, items <-chan numbered) []numbered {
	var chunk []numbered
	select {
	case n, ok := <-items:
		if !ok {
			return nil
		}
		chunk = append(chunk, n)
	case <-ctx.Done():
		return nil
	}
	timer := time.NewTimer(chunkWait)
	defer timer.Stop()
	for len(chunk) < chunkLines {
		select {
		case n, ok := <-items:
			if !ok {
				return chunk
			}
			chunk = append(chunk, n)
		case <-timer.C:
			return chunk
		case <-ctx.Done():
			return chunk
		}
	}
	return chunk
}

// A lineReader decodes lines and sends them on, as many as memory allows.
type lineReader struct {
	limit  int
	guard  *bombGuard // nil when the body is not compressed
	memory *semaphore.Weighted
	to     chan<- numbered
	whole  bool // the body was read to its end; valid when all has returned
}

// all ends with the body, with ctx, or after draining has ended.
func (r *lineReader) all(ctx, draining context.Context, lines func(func(ingest.Line, error) bool)) {
	for line, err := range lines {
		n := numbered{line: line.Number, size: min(int64(len(line.Data))+256, int64(r.limit))}
		switch {
		case err != nil && earshot.CodeOf(err) == earshot.TooLarge && line.Data == nil && !isBomb(r.guard):
			n.item.Err = err
		case err != nil:
			n.item.Err, n.last = brokenBody(err), true
		case draining.Err() != nil:
			n.item.Err, n.last = earshot.Errorf(earshot.Unavailable, "the service is stopping; send this line and those after it again"), true
		default:
			n.item.Draft, n.item.Err = ingest.DecodeVerbatim(line.Data, ingest.Options{})
			if r.guard != nil && n.item.Err == nil {
				r.guard.waste -= len(line.Data)
			}
		}
		if r.memory.Acquire(ctx, n.size) != nil {
			return
		}
		select {
		case r.to <- n:
		case <-ctx.Done():
			return
		}
		if n.last {
			return
		}
	}
	r.whole = true
}

func isBomb(g *bombGuard) bool { return g != nil && g.waste > g.limit }
