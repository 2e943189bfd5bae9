package index

import (
	"cmp"
	"container/heap"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A page collects the hits of a request that come after its cursor, best first.
type page struct {
	sort   Sort
	limit  int
	after  *hit // nil: from the beginning
	behind int  // matches after the cursor
	worst  hits // a heap, the worst hit on top
}

// A hit is a match with what it is ordered by. What costs reading is read when it is needed.
type hit struct {
	score float64
	key   float64 // sentiment or effort
	keyed bool    // it has a key
	at    int64   // ns
	atSet bool
	id    string

	v      *view
	doc    uint64
	readAt func(uint64) (uint64, bool)
}

func (h *hit) time() int64 {
	if !h.atSet {
		ns, _ := h.readAt(h.doc)
		h.at, h.atSet = int64(ns), true
	}
	return h.at
}

func (h *hit) name() string {
	if h.id == "" {
		id, err := h.v.segment.DocID(h.doc)
		if err != nil {
			h.v.search.fail(err)
		}
		h.id = string(id)
	}
	return h.id
}

// newPage checks the order and the cursor of a request.
func newPage(r Request) (*page, error) {
	p := &page{sort: cmp.Or(r.Sort, ByRelevance), limit: max(0, r.Limit)}
	if !slices.Contains(Sorts, p.sort) {
		return nil, invalid("/sort", "unknown_value", "sort is not one of relevance, at, -at, sentiment, -sentiment, effort, -effort")
	}
	if r.After != "" {
		h, ok := parseCursor(p.sort, r.After)
		if !ok {
			return nil, invalid("/cursor", "invalid", "the cursor is not one that this search gave")
		}
		p.after = h
	}
	return p, nil
}

// compare is negative if a comes before b.
func (p *page) compare(a, b *hit) int {
	c := 0
	switch p.sort {
	case ByRelevance:
		c = cmp.Compare(b.score, a.score)
	case ByAt:
		c = cmp.Compare(a.time(), b.time())
	case BySentiment, ByEffort, BySentimentDesc, ByEffortDesc:
		switch {
		case a.keyed != b.keyed:
			if a.keyed {
				return -1
			}
			return 1
		case p.sort == BySentiment || p.sort == ByEffort:
			c = cmp.Compare(a.key, b.key)
		default:
			c = cmp.Compare(b.key, a.key)
		}
	}
	if c == 0 {
		c = cmp.Compare(b.time(), a.time())
	}
	if c == 0 {
		c = strings.Compare(a.name(), b.name())
	}
	return c
}

// in gives what takes the matches of one segment, in the order of document numbers.
func (p *page) in(v *view) func(doc uint64) {
	readAt := v.numbers(atField, "")
	var readKey func(uint64) (float64, bool)
	switch p.sort {
	case BySentiment, BySentimentDesc:
		readKey = v.floats("sentiment")
	case ByEffort, ByEffortDesc:
		readKey = v.floats("effort")
	}
	return func(doc uint64) {
		if p.limit == 0 {
			return
		}
		h := hit{v: v, doc: doc, readAt: readAt}
		if p.sort == ByRelevance {
			h.score = v.it.score()
		}
		if readKey != nil {
			h.key, h.keyed = readKey(doc)
		}
		p.offer(&h)
	}
}

func (p *page) offer(h *hit) {
	if p.after != nil && p.compare(h, p.after) <= 0 {
		return
	}
	p.behind++
	full := len(p.worst.list) == p.limit
	if full && p.compare(h, &p.worst.list[0]) > 0 {
		return
	}
	h.time() // now, while the segment is at this document
	if p.sort != ByRelevance {
		h.score = h.v.it.score()
	}
	p.worst.compare = p.compare
	if full {
		p.worst.list[0] = *h
		heap.Fix(&p.worst, 0)
		return
	}
	heap.Push(&p.worst, *h)
}

// finish puts the hits in order.
func (p *page) finish() error {
	list := p.worst.list
	slices.SortFunc(list, func(a, b hit) int { return p.compare(&a, &b) })
	for i := range list {
		list[i].name()
		if err := list[i].v.search.err; err != nil {
			return err
		}
	}
	return nil
}

func (p *page) hits() []Hit {
	out := make([]Hit, len(p.worst.list))
	for i, h := range p.worst.list {
		out[i] = Hit{ID: h.id, Relevance: h.score}
	}
	return out
}

// next is the cursor behind the last hit, or "".
func (p *page) next() string {
	n := len(p.worst.list)
	if n == 0 || p.behind <= n {
		return ""
	}
	return cursor(p.sort, &p.worst.list[n-1])
}

// cursor writes what a hit is ordered by: the next page begins behind it. It
// is exact, so pages of an index that does not change neither overlap nor leave
// anything out.
func cursor(sort Sort, h *hit) string {
	key, keyed := h.key, 0
	if sort == ByRelevance {
		key = h.score
	}
	if h.keyed {
		keyed = 1
	}
	s := fmt.Sprintf("%s %x %d %d %s", sort, math.Float64bits(key), keyed, h.at, h.id)
	return base64.RawURLEncoding.EncodeToString([]byte(s))
}

func parseCursor(sort Sort, s string) (*hit, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, false
	}
	var name, id string
	var bits uint64
	var keyed int
	h := &hit{atSet: true}
	if n, err := fmt.Sscanf(string(b), "%s %x %d %d %s", &name, &bits, &keyed, &h.at, &id); err != nil || n != 5 {
		return nil, false
	}
	h.key, h.keyed, h.id = math.Float64frombits(bits), keyed == 1, id
	if sort == ByRelevance {
		h.score = h.key
	}
	return h, Sort(name) == sort && !math.IsNaN(h.key) && cursor(sort, h) == s
}

// hits is a heap with the worst on top.
type hits struct {
	list    []hit
	compare func(a, b *hit) int
}

func (h *hits) Len() int           { return len(h.list) }
func (h *hits) Less(i, j int) bool { return h.compare(&h.list[i], &h.list[j]) > 0 }
func (h *hits) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *hits) Push(x any)         { h.list = append(h.list, x.(hit)) }
func (h *hits) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}
