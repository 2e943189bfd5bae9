package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones also where the machine has none

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/index"
)

const (
	defaultHits = 20
	maxHits     = 200
	maxFacets   = 20
)

func (s *Server) search(c *call) error {
	f, err := queryOf(c)
	if err == nil && c.Request.Method == http.MethodPost {
		if err = f.err(); err == nil { // a POST has its parameters in the body
			f, err = s.formOf(c)
		}
	}
	if err != nil {
		return err
	}
	r, off, err := s.searchRequest(c, f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx(), s.limits.SearchTimeout)
	defer cancel()
	found, err := s.engine.Search(ctx, c.tenant, r)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && c.ctx().Err() == nil:
		return earshot.Errorf(earshot.QueryTimeout, "the search took longer than %v", s.limits.SearchTimeout)
	case err != nil:
		return err
	}
	answer := searchAnswer{Items: make([]hit, len(found.Items)), Total: found.Total, Facets: found.Facets,
		Took: float64(found.Took.Microseconds()) / 1000, Next: s.cursors.seal(found.Next, c.binding(r)...)}
	if answer.Facets == nil {
		answer.Facets = map[string][]index.FacetCount{}
	}
	for i := range found.Items {
		answer.Items[i] = hitOf(&found.Items[i], off)
	}
	return s.reply(c, http.StatusOK, answer)
}

func (s *Server) searchRequest(c *call, f *form) (r engine.SearchRequest, off offsets, err error) {
	r.Q = f.string("q")
	r.Sort = index.Sort(f.string("sort"))
	r.Limit = f.int("limit", 1, maxHits, defaultHits)
	cursor := f.string("cursor")
	r.Facets = f.list("facets")
	r.Location = f.zone("tz")
	r.From = f.time("from", r.Location)
	r.To = f.time("to", r.Location)
	r.Partial = f.bool("partial")
	off = f.offsets()
	if r.Sort == "" {
		r.Sort = index.ByRelevance
		if strings.TrimSpace(r.Q) == "" {
			r.Sort = index.ByAtDesc
		}
	}
	if !slices.Contains(index.Sorts, r.Sort) {
		f.wrong("sort", "unknown_value", "sort is not one of "+joinSorts())
	}
	if len(r.Facets) > maxFacets {
		f.wrong("facets", "too_many", "at most 20 facets are counted at once")
	}
	if err := f.err(); err != nil {
		return r, off, err
	}
	r.Cursor, err = s.cursors.open(cursor, c.binding(r)...)
	return r, off, err
}

// binding is what a cursor of a search belongs to.
func (c *call) binding(r engine.SearchRequest) []string {
	return []string{"search", c.tenant, r.Q, string(r.Sort), r.From.UTC().Format(time.RFC3339Nano), r.To.UTC().Format(time.RFC3339Nano), r.Location.String()}
}

func joinSorts() string {
	names := make([]string, len(index.Sorts))
	for i, s := range index.Sorts {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

type searchAnswer struct {
	Items  []hit                         `json:"items"`
	Total  int                           `json:"total"`
	Facets map[string][]index.FacetCount `json:"facets"`
	Took   float64                       `json:"took_ms"`
	Next   *string                       `json:"next_cursor"`
}

// A hit is a verbatim that was found, without what only its own page shows.
type hit struct {
	ID        string             `json:"id"`
	At        time.Time          `json:"at"`
	Source    string             `json:"source"`
	Channel   string             `json:"channel"`
	Lang      *string            `json:"lang"`
	Relevance float64            `json:"relevance"`
	Fragment  engine.Fragment    `json:"fragment"`
	Marks     []earshot.Span     `json:"marks"`
	Sentiment *earshot.Sentiment `json:"sentiment"`
	Effort    *hitEffort         `json:"effort"`
	Intents   []earshot.Label    `json:"intents"`
	Issues    []earshot.IssueRef `json:"issues"`
	URL       *string            `json:"url"`
}

type hitEffort struct {
	Score      float64 `json:"score"`
	Label      string  `json:"label"`
	Confidence float64 `json:"confidence"`
}

func hitOf(item *engine.SearchItem, off offsets) hit {
	v := &item.Record.Verbatim
	h := hit{ID: v.ID, At: v.At, Source: v.Source, Channel: v.Channel, Relevance: item.Relevance,
		Fragment: item.Fragment, Marks: append([]earshot.Span{}, item.Marks...),
		Intents: []earshot.Label{}, Issues: append([]earshot.IssueRef{}, item.Record.Issues...)}
	if a := item.Record.Analysis; a != nil {
		h.Lang, h.Sentiment = &a.Lang, a.Sentiment
		h.Intents = append(h.Intents, a.Intents...)
		if e := a.Effort; e != nil {
			h.Effort = &hitEffort{e.Score, e.Label, e.Confidence}
		}
	}
	if v.URL != "" {
		h.URL = &v.URL
	}
	off.ofHit(v.Text(), &h)
	return h
}
