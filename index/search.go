package index

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"github.com/earshot-cx/earshot"
)

// Search implements Index.
func (b *Bleve) Search(ctx context.Context, tenant string, r Request) (*Result, error) {
	s, err := b.newSearch(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, timeout()
	}
	t, err := b.tenant(tenant)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return s.result(), nil
	}
	if err := t.broken(); err != nil {
		return nil, err
	}
	closeViews, err := t.openViews(s)
	defer closeViews()
	if err == nil {
		err = guard(s.run)
	}
	switch {
	case err == nil:
		return s.result(), nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, timeout()
	case earshot.CodeOf(err) != earshot.Internal:
		return nil, err
	case t.isReset(s):
		return nil, partial()
	}
	return nil, t.failed(err)
}

func timeout() error {
	return earshot.Errorf(earshot.QueryTimeout, "the search took too long")
}

// A search is one request on its way through the segments of a tenant.
type search struct {
	ctx     context.Context
	r       Request
	plan    plan
	weights []*weight
	facets  []*tally
	page    *page
	views   []*view
	shards  map[string]*shard // that the views are of
	total   int
	steps   uint
	err     error // the first
}

// A view is one segment as it was when the search began.
type view struct {
	search    *search
	from, to  time.Time // the month of its shard
	segment   segment.Segment
	docValues segment.DocValueVisitable
	deleted   *roaring.Bitmap // nil: none
	docs      uint64          // deleted ones too
	dicts     map[string]segment.TermDictionary
	it        iter // the matches
}

// newSearch checks a request and plans it.
func (b *Bleve) newSearch(ctx context.Context, r Request) (*search, error) {
	s := &search{ctx: ctx, r: r}
	c := compiler{tok: b.tok}
	p, err := c.compile(r.Query, 0)
	if err != nil {
		return nil, err
	}
	if !r.From.IsZero() || !r.To.IsZero() {
		p = andPlan{p, timePlan{From: r.From, To: r.To}}
	}
	s.plan, s.weights = p, c.weights
	for _, name := range r.Facets {
		if !isKeyword(name) {
			return nil, unknownField("/facets", name)
		}
		s.facets = append(s.facets, &tally{name: name, counts: map[string]*int{}})
	}
	if s.page, err = newPage(r); err != nil {
		return nil, err
	}
	return s, nil
}

// openViews takes a snapshot of every shard. What it gives must be called in any case.
func (t *tenant) openViews(s *search) (closeAll func(), err error) {
	var closers []func() error
	closeAll = func() {
		for _, c := range closers {
			_ = guard(c)
		}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s.shards = maps.Clone(t.shards)
	err = guard(func() error {
		for _, month := range slices.Sorted(maps.Keys(t.shards)) {
			shard := t.shards[month]
			snap, err := shard.snapshot()
			if err != nil {
				return err
			}
			closers = append(closers, snap.Close)
			for _, seg := range snap.Segments() {
				dv, ok := seg.Segment().(segment.DocValueVisitable)
				if !ok {
					return errors.New("a segment has no doc values")
				}
				s.views = append(s.views, &view{search: s, from: shard.from, to: shard.to, segment: seg.Segment(), docValues: dv,
					deleted: seg.Deleted(), docs: seg.Segment().Count(), dicts: map[string]segment.TermDictionary{}})
			}
		}
		return nil
	})
	return closeAll, err
}

// isReset says whether the shards of a search have been closed since by Reset or Close: then its error says nothing.
func (t *tenant) isReset(s *search) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for month, shard := range s.shards {
		if t.shards[month] != shard {
			return true
		}
	}
	return false
}

// run opens the plan in all segments, which counts what scores need, and then collects.
func (s *search) run() error {
	docs := uint64(0)
	for _, v := range s.views {
		docs += v.docs
		if v.deleted != nil {
			docs -= v.deleted.GetCardinality()
		}
		v.it = s.plan.open(v)
	}
	for _, w := range s.weights {
		w.settle(docs)
	}
	for _, v := range s.views {
		if s.err != nil {
			break
		}
		s.collect(v)
	}
	if s.err != nil {
		return s.err
	}
	return s.page.finish()
}

func (s *search) collect(v *view) {
	offer := s.page.in(v)
	counts := make([]func(uint64), len(s.facets))
	for i, f := range s.facets {
		counts[i] = v.keywords(f.name, f.count)
	}
	for doc := v.it.seek(0); doc != end && s.goOn(); doc = v.it.seek(doc + 1) {
		s.total++
		for _, count := range counts {
			count(doc)
		}
		offer(doc)
	}
}

// goOn says whether to go on: there was no error and the caller still waits.
func (s *search) goOn() bool {
	if s.steps++; s.steps%1024 == 0 {
		if err := s.ctx.Err(); err != nil {
			s.fail(err)
		}
	}
	return s.err == nil
}

func (s *search) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *search) result() *Result {
	res := &Result{Total: s.total, Hits: s.page.hits(), Next: s.page.next(), Facets: map[string][]FacetCount{}}
	for _, f := range s.facets {
		res.Facets[f.name] = f.top()
	}
	return res
}

// term gives the documents with a term; w may be nil.
func (v *view) term(field, term string, w *weight) iter {
	t := v.postings(field, term, w != nil && field != charsField, false)
	t.w = w
	if w != nil {
		w.counts[0] += t.count
	}
	return t
}

// places is term with the positions.
func (v *view) places(field, term string) *termIter { return v.postings(field, term, true, true) }

func (v *view) postings(field, term string, freq, places bool) *termIter {
	t := &termIter{v: v, started: true, doc: end} // of no document, until it is known
	dict := v.dicts[field]
	if dict == nil {
		var err error
		if dict, err = v.segment.Dictionary(field); err != nil {
			v.search.fail(err)
			return t
		}
		v.dicts[field] = dict
	}
	list, err := dict.PostingsList([]byte(term), v.deleted, nil)
	if err != nil {
		v.search.fail(err)
		return t
	}
	if t.count = list.Count(); t.count > 0 {
		t.list = list.Iterator(freq, false, places, nil)
		t.started = false
	}
	return t
}

// A tally counts the values of a facet.
type tally struct {
	name   string
	counts map[string]*int
}

func (t *tally) count(value []byte) {
	n := t.counts[string(value)]
	if n == nil {
		n = new(int)
		t.counts[string(value)] = n
	}
	*n++
}

func (t *tally) top() []FacetCount {
	all := make([]FacetCount, 0, len(t.counts))
	for value, n := range t.counts {
		all = append(all, FacetCount{value, *n})
	}
	slices.SortFunc(all, func(a, b FacetCount) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Value, b.Value)
	})
	return all[:min(len(all), MaxFacetValues)]
}
