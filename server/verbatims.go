package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/store"
)

const (
	defaultWait = 10 * time.Second
	maxWait     = time.Minute
)

// rejected is the status of what was refused; the others are the store's.
const rejected store.Status = "rejected"

// A result is the answer to one verbatim of several. Index or Line is set.
type result struct {
	Index      *int           `json:"index,omitempty"`
	Line       int            `json:"line,omitempty"`
	Status     store.Status   `json:"status"`
	ID         string         `json:"id,omitempty"`
	ExternalID string         `json:"external_id,omitempty"`
	Notes      []earshot.Note `json:"notes,omitempty"`
	Error      *Problem       `json:"error,omitempty"`
}

// counts are how many verbatims had each status.
type counts struct {
	Accepted  int `json:"accepted"`
	Revised   int `json:"revised"`
	Duplicate int `json:"duplicate"`
	Rejected  int `json:"rejected"`
}

func (n *counts) add(s store.Status) {
	switch s {
	case store.Accepted:
		n.Accepted++
	case store.Revised:
		n.Revised++
	case store.Duplicate:
		n.Duplicate++
	case rejected:
		n.Rejected++
	}
}

// postOptions are the parameters of a post.
type postOptions struct {
	accept  engine.AcceptOptions
	wait    bool
	timeout time.Duration
	offsets offsets
}

func (c *call) postOptions() (o postOptions, err error) {
	f, err := queryOf(c)
	if err != nil {
		return o, err
	}
	o.accept.Replace = f.bool("replace")
	o.wait = f.bool("wait")
	o.offsets = f.offsets()
	o.timeout = defaultWait
	if s := f.string("timeout"); s != "" {
		o.timeout, err = time.ParseDuration(s)
		if err != nil || o.timeout < 0 || o.timeout > maxWait {
			f.wrong("timeout", "out_of_range", "timeout is 0s to 60s, such as 10s")
		}
	}
	if err := f.err(); err != nil {
		return o, err
	}
	if o.wait {
		err = c.need("read")
	}
	return o, err
}

func (s *Server) postVerbatims(c *call) error {
	o, err := c.postOptions()
	if err != nil {
		return err
	}
	media, err := c.mediaType(jsonType, ndjsonType)
	if err != nil {
		return err
	}
	if media == ndjsonType {
		if o.wait {
			return wrongParam("wait", "not_allowed", "wait works with one object only")
		}
		return s.postLines(c, o)
	}
	data, err := s.readBody(c, s.limits.BodyBytes)
	if err != nil {
		return err
	}
	if !isArray(data) {
		return s.postOne(c, data, o)
	}
	if o.wait {
		return wrongParam("wait", "not_allowed", "wait works with one object only")
	}
	return s.postArray(c, data, o)
}

func isArray(data []byte) bool {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	return len(data) > 0 && data[0] == '['
}

func (s *Server) postOne(c *call, data []byte, o postOptions) error {
	d, err := ingest.DecodeVerbatim(data, ingest.Options{})
	if err != nil {
		return ingest.Complete(d, err, s.now())
	}
	a := s.engine.Accept(c.ctx(), c.tenant, []ingest.Draft{d}, o.accept)[0]
	if a.Err != nil {
		return a.Err
	}
	if o.wait {
		rec, err := s.wait(c, a.ID, o.timeout)
		if err != nil {
			return err
		}
		if rec != nil {
			return s.reply(c, http.StatusOK, o.offsets.of(rec))
		}
	}
	status := http.StatusOK
	if a.Status == store.Accepted || o.wait {
		status = http.StatusAccepted
	}
	return s.reply(c, status, result{Status: a.Status, ID: a.ID, ExternalID: a.ExternalID, Notes: a.Notes})
}

// wait gives a verbatim when it can be found, or nil if that takes too long. Then
// it is accepted all the same, and so it is when something else goes wrong.
func (s *Server) wait(c *call, id string, timeout time.Duration) (*earshot.Record, error) {
	ctx, cancel := context.WithTimeout(c.ctx(), timeout)
	defer cancel()
	rec, err := s.engine.Wait(ctx, c.tenant, id)
	switch {
	case err == nil:
		return rec, nil
	case earshot.CodeOf(err) == earshot.NotFound: // erased while we waited
		return nil, err
	case ctx.Err() == nil:
		s.log.Error("wait", "request_id", c.GetString(requestIDKey), "verbatim", id, "err", err)
	}
	return nil, nil
}

func (s *Server) postArray(c *call, data []byte, o postOptions) error {
	items, err := ingest.DecodeArray(data, s.limits.ArrayItems)
	if err != nil {
		return err
	}
	results, err := s.accept(c.ctx(), c, items, o.accept)
	if err != nil {
		return err
	}
	var answer struct {
		counts
		Items []result `json:"items"`
	}
	answer.Items = results
	for i := range results {
		results[i].Index = &i
		answer.add(results[i].Status)
	}
	return s.reply(c, http.StatusOK, answer)
}

// accept takes in the items that could be read and gives a result for each, in
// order. If every one of them failed by a fault that is not theirs, that is the
// error, so that the sender sends them again.
func (s *Server) accept(ctx context.Context, c *call, items []ingest.Item, o engine.AcceptOptions) ([]result, error) {
	results := make([]result, len(items))
	drafts := make([]ingest.Draft, 0, len(items))
	places := make([]int, 0, len(items))
	now := s.now()
	for i, item := range items {
		if item.Err != nil {
			results[i] = s.reject(c, ingest.Complete(item.Draft, item.Err, now))
			continue
		}
		drafts = append(drafts, item.Draft)
		places = append(places, i)
	}
	if len(drafts) == 0 {
		return results, nil
	}
	var fault error
	faults := 0
	for k, a := range s.engine.Accept(ctx, c.tenant, drafts, o) {
		r := result{Status: a.Status, ID: a.ID, ExternalID: a.ExternalID, Notes: a.Notes}
		if a.Err != nil {
			p := ProblemOf(a.Err, c.GetString(requestIDKey))
			if p.Status >= 500 {
				faults++
				fault = a.Err
			}
			r = result{Status: rejected, ExternalID: a.ExternalID, Error: &p}
		}
		results[places[k]] = r
	}
	if faults == len(drafts) {
		return results, fault
	}
	if fault != nil {
		s.problem(c.Context, fault) // for the log, once
	}
	return results, nil
}

func (s *Server) reject(c *call, err error) result {
	p := s.problem(c.Context, err)
	return result{Status: rejected, Error: &p}
}

func (s *Server) getVerbatim(c *call) error {
	f, err := queryOf(c)
	if err != nil {
		return err
	}
	off := f.offsets()
	if err := f.err(); err != nil {
		return err
	}
	rec, err := s.engine.Record(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, off.of(rec))
}

func (s *Server) deleteVerbatim(c *call) error {
	if err := s.engine.Erase(c.ctx(), c.tenant, c.Param("id")); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// An analysisError stands where an analysis would, for an element of an array that has none.
type analysisError struct {
	Index int     `json:"index"`
	Error Problem `json:"error"`
}

func (s *Server) analyze(c *call) error {
	f, err := queryOf(c)
	if err != nil {
		return err
	}
	off := f.offsets()
	if err := f.err(); err != nil {
		return err
	}
	if _, err := c.mediaType(jsonType); err != nil {
		return err
	}
	data, err := s.readBody(c, s.limits.BodyBytes)
	if err != nil {
		return err
	}
	if !isArray(data) {
		d, err := ingest.DecodeVerbatim(data, ingest.Options{})
		if err != nil {
			return ingest.Complete(d, err, s.now())
		}
		a := s.engine.Analyze(c.ctx(), []ingest.Draft{d})[0]
		if a.Err != nil {
			return a.Err
		}
		return s.reply(c, http.StatusOK, off.of(a.Record))
	}
	items, err := ingest.DecodeArray(data, s.limits.ArrayItems)
	if err != nil {
		return err
	}
	answer := make([]any, len(items))
	for i, item := range items {
		err := ingest.Complete(item.Draft, item.Err, s.now())
		if err == nil {
			a := s.engine.Analyze(c.ctx(), []ingest.Draft{item.Draft})[0]
			answer[i], err = off.of(a.Record), a.Err
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			answer[i] = analysisError{i, s.problem(c.Context, err)}
		}
	}
	return s.reply(c, http.StatusOK, answer)
}
