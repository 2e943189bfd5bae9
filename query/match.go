package query

import (
	"cmp"
	"slices"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// Match says whether n matches d; nil matches everything. Time is linear in
// the length of the text for each word and phrase.
func Match(n Node, d *Document) bool {
	m := matcher{d: d}
	return m.match(n)
}

// Highlight gives the places that make n match d, as spans of Verbatim.Text, in
// order, merged where they overlap or touch. Only words and phrases have
// places, not those under a NOT and not those of a branch of an OR that does
// not match. There are none if n does not match.
func Highlight(n Node, d *Document) []earshot.Span {
	m := matcher{d: d, mark: true}
	m.match(n)
	return merge(m.marks)
}

// A matcher judges one document. Where mark is false it stops at the first place.
type matcher struct {
	d     *Document
	mark  bool
	marks []earshot.Span
}

func (m *matcher) match(n Node) bool {
	before := len(m.marks)
	if m.holds(n) {
		return true
	}
	m.marks = m.marks[:before] // what matched in a part of it counts for nothing
	return false
}

func (m *matcher) holds(n Node) bool {
	switch n := n.(type) {
	case nil, All:
		return true
	case And:
		for _, x := range n {
			if !m.match(x) {
				return false
			}
		}
		return true
	case Or:
		found := false
		for _, x := range n {
			found = m.match(x) || found
			if found && !m.mark {
				return true
			}
		}
		return found
	case Not:
		return !Match(n.Node, m.d)
	case Word:
		for _, t := range Terms(n.Text, m.d.tok) {
			if !m.term(t) {
				return false
			}
		}
		return true
	case Phrase:
		return m.run(Run(n.Text))
	case Field:
		return m.has(n.Name, n.Value)
	case Any:
		return slices.ContainsFunc(n.Values, func(v string) bool { return m.has(n.Name, v) })
	case Range:
		x, ok := NumberValue(m.d.rec, n.Name)
		return ok && n.contains(x)
	case Time:
		return n.contains(m.d.rec.Verbatim.At)
	case Has:
		return HasValue(m.d.rec, n.Name)
	}
	return false
}

func (m *matcher) has(name, value string) bool {
	want := nlp.FoldField(value)
	return slices.ContainsFunc(FieldValues(m.d.rec, name), func(v string) bool { return nlp.FoldField(v) == want })
}

func (m *matcher) term(t Term) bool {
	if t.Stem == "" {
		return m.run(t.Units)
	}
	found := false
	for i := range m.d.turns {
		turn := &m.d.turns[i]
		for _, token := range turn.tokens {
			if token.Norm != t.Stem || token.Kind != nlp.Word && token.Kind != nlp.Number {
				continue
			}
			found = true
			if !m.mark {
				return true
			}
			m.marks = append(m.marks, earshot.Span{Start: turn.start + token.Start, End: turn.start + token.End})
		}
	}
	return found
}

// run looks for a run of units in every turn. The empty run is everywhere and has no place.
func (m *matcher) run(want []nlp.Unit) bool {
	if len(want) == 0 {
		return true
	}
	found := false
	back := borders(want[1:])
	for i := range m.d.turns {
		turn := &m.d.turns[i]
		find(turn.units, want, back, func(first, last int) bool {
			found = true
			if m.mark {
				m.marks = append(m.marks, earshot.Span{Start: turn.start + turn.units[first].Start, End: turn.start + turn.units[last].End})
			}
			return m.mark
		})
		if found && !m.mark {
			return true
		}
	}
	return found
}

// find calls each for every place of want in units, as the indexes of the first
// and last unit, until it returns false. It is the algorithm of Knuth, Morris
// and Pratt on want[1:], whose borders are back; the first unit, of which the
// Space does not count, is compared at each place found.
func find(units, want []nlp.Unit, back []int, each func(first, last int) bool) {
	rest := want[1:]
	if len(rest) == 0 {
		for i := range units {
			if units[i].Norm == want[0].Norm && !each(i, i) {
				return
			}
		}
		return
	}
	n := 0 // how much of rest stands before units[i]
	for i := range units {
		for n > 0 && (n == len(rest) || !same(units[i], rest[n])) {
			n = back[n-1]
		}
		if same(units[i], rest[n]) {
			n++
		}
		first := i - len(rest)
		if n == len(rest) && first >= 0 && units[first].Norm == want[0].Norm && !each(first, i) {
			return
		}
	}
}

// borders gives for each prefix of run how long its longest proper prefix is that also ends it.
func borders(run []nlp.Unit) []int {
	back := make([]int, len(run))
	n := 0
	for i := 1; i < len(run); i++ {
		for n > 0 && !same(run[i], run[n]) {
			n = back[n-1]
		}
		if same(run[i], run[n]) {
			n++
		}
		back[i] = n
	}
	return back
}

func same(a, b nlp.Unit) bool { return a.Norm == b.Norm && a.Space == b.Space }

func (r Range) contains(x float64) bool {
	if r.Min != nil && (x < *r.Min || r.OverMin && x == *r.Min) {
		return false
	}
	if r.Max != nil && (x > *r.Max || r.BelowMax && x == *r.Max) {
		return false
	}
	return x == x // NaN is in no range
}

func (t Time) contains(at time.Time) bool {
	return (t.From.IsZero() || !at.Before(t.From)) && (t.To.IsZero() || at.Before(t.To))
}

// merge sorts spans and joins those that overlap or touch.
func merge(spans []earshot.Span) []earshot.Span {
	slices.SortFunc(spans, func(a, b earshot.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
		} else {
			out = append(out, s)
		}
	}
	return out
}
