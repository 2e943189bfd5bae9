package index

import (
	"slices"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// end is the document behind the last.
const end = ^uint64(0)

// An iter walks through the matches of one segment, in the order of document
// numbers. After an error it is at its end and the search has the error.
type iter interface {
	// seek gives the first match that is not before doc, or end. doc never gets smaller.
	seek(doc uint64) uint64
	// score is that of the match that seek gave last.
	score() float64
	// size is how many documents it may give, roughly.
	size() uint64
}

// An allIter gives every document.
type allIter struct{ v *view }

func (it *allIter) seek(doc uint64) uint64 {
	for doc < it.v.docs && it.v.deleted != nil && it.v.deleted.Contains(uint32(doc)) {
		doc++
	}
	if doc >= it.v.docs {
		return end
	}
	return doc
}

func (it *allIter) score() float64 { return 0 }
func (it *allIter) size() uint64   { return it.v.docs }

// A termIter gives the documents with a term.
type termIter struct {
	v       *view
	list    segment.PostingsIterator
	at      segment.Posting
	doc     uint64
	started bool
	count   uint64
	w       *weight
}

func (it *termIter) seek(doc uint64) uint64 {
	if it.started && it.doc >= doc {
		return it.doc
	}
	var err error
	if !it.started && doc == 0 || it.started && it.doc+1 == doc {
		it.at, err = it.list.Next()
	} else {
		it.at, err = it.list.Advance(doc)
	}
	it.started = true
	it.doc = end
	switch {
	case err != nil:
		it.v.search.fail(err)
	case it.at != nil:
		it.doc = it.at.Number()
	}
	return it.doc
}

func (it *termIter) score() float64 {
	if it.w == nil {
		return 0
	}
	return it.w.score(max(1, it.at.Frequency())) // charsField does not count
}

func (it *termIter) size() uint64 { return it.count }

// A runIter gives the documents in which terms stand at given distances.
type runIter struct {
	w      *weight
	parts  []runPart // the rarest first
	starts []uint64  // where the run begins in the document in hand
	doc    uint64
	begun  bool
}

type runPart struct {
	*termIter
	offset uint64
}

func (it *runIter) seek(doc uint64) uint64 {
	if it.begun && it.doc >= doc {
		return it.doc
	}
	it.begun = true
	for {
		if doc = it.together(doc); doc == end || it.follows() {
			it.doc = doc
			return doc
		}
		doc++
	}
}

// together gives the first document, not before doc, that has all parts.
func (it *runIter) together(doc uint64) uint64 {
	for i := 0; i < len(it.parts); i++ {
		if d := it.parts[i].seek(doc); d != doc {
			if d == end {
				return end
			}
			doc, i = d, -1
		}
	}
	return doc
}

// follows finds the places in the document in hand where every part stands at its offset.
func (it *runIter) follows() bool {
	starts := it.starts[:0]
	for i, p := range it.parts {
		places := p.at.Locations()
		if i == 0 {
			for _, l := range places {
				if l.Pos() >= p.offset {
					starts = append(starts, l.Pos()-p.offset)
				}
			}
			if !slices.IsSorted(starts) {
				slices.Sort(starts)
			}
			continue
		}
		kept, next := starts[:0], 0
		for _, s := range starts {
			for next < len(places) && places[next].Pos() < s+p.offset {
				next++
			}
			if next < len(places) && places[next].Pos() == s+p.offset {
				kept = append(kept, s)
			}
		}
		if starts = kept; len(starts) == 0 {
			break
		}
	}
	it.starts = starts
	return len(starts) > 0
}

func (it *runIter) score() float64 { return it.w.score(uint64(len(it.starts))) }
func (it *runIter) size() uint64   { return it.parts[0].count }

// A betterIter matches like its iter and scores like the better of the two.
type betterIter struct {
	iter
	also iter
	doc  uint64
}

func (it *betterIter) seek(doc uint64) uint64 {
	it.doc = it.iter.seek(doc)
	return it.doc
}

func (it *betterIter) score() float64 {
	s := it.iter.score()
	if it.also.seek(it.doc) == it.doc {
		s = max(s, it.also.score())
	}
	return s
}

// An andIter gives what all give, if it passes the checks. Its score is the sum.
type andIter struct {
	v      *view
	must   []iter // as in the query, so that scores add up in the same order everywhere
	order  []iter // the same, the smallest first
	checks []func(doc uint64) bool
	doc    uint64
	begun  bool
}

// seek asks the checks about each document once, in order.
func (it *andIter) seek(doc uint64) uint64 {
	if !it.begun || it.doc < doc {
		it.begun = true
		it.doc = it.next(doc)
	}
	return it.doc
}

func (it *andIter) next(doc uint64) uint64 {
next:
	for doc != end && it.v.search.goOn() {
		for _, x := range it.order {
			if d := x.seek(doc); d != doc {
				doc = d
				continue next
			}
		}
		for _, holds := range it.checks {
			if !holds(doc) {
				doc++
				continue next
			}
		}
		return doc
	}
	return end
}

func (it *andIter) score() float64 {
	sum := 0.0
	for _, x := range it.must {
		sum += x.score()
	}
	return sum
}

func (it *andIter) size() uint64 { return it.order[0].size() }

// An orIter gives what any gives. Its score is the sum of those that do.
type orIter struct {
	any []iter
	doc uint64
}

func (it *orIter) seek(doc uint64) uint64 {
	it.doc = end
	for _, x := range it.any {
		it.doc = min(it.doc, x.seek(doc))
	}
	return it.doc
}

func (it *orIter) score() float64 {
	sum := 0.0
	for _, x := range it.any {
		if x.seek(it.doc) == it.doc {
			sum += x.score()
		}
	}
	return sum
}

func (it *orIter) size() uint64 {
	sum := uint64(0)
	for _, x := range it.any {
		sum += x.size()
	}
	return sum
}
