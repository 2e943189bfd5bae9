package index

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/query"
)

// Bounds of a query. What passes them is QueryTooBroad.
const (
	maxDepth  = 100  // nodes within nodes
	maxLeaves = 1024 // terms, runs' parts included, and conditions
)

// Weights of what can match, before rarity.
const (
	tokenWeight  = 1.0 // a whole word
	insideWeight = 0.5 // a Chinese or Thai run inside longer words
	phraseWeight = 1.5
)

// A plan is a query made ready for every segment. Open gives what walks through the matches in one.
type plan interface {
	open(v *view) iter
}

// A condition is a plan that is cheaper asked of a document than walked through.
type condition interface {
	plan
	check(v *view) func(doc uint64) bool
}

// A weight turns how often a term is in a document into a score. Rarity is
// counted over all of the tenant's shards, so that a score does not depend on
// how documents are spread over them.
type weight struct {
	class  float64
	counts []uint64 // documents with each part
	factor float64  // class times rarity; set when all segments are open
}

// settle computes the factor; docs is how many documents there are. A run is as rare as its rarest part.
func (w *weight) settle(docs uint64) {
	n := float64(slices.Min(w.counts))
	w.factor = w.class * math.Log(1+(float64(docs)-n+0.5)/(n+0.5))
}

// score saturates: the tenth occurrence says little. It is below 2.2 times the factor.
func (w *weight) score(freq uint64) float64 {
	f := float64(freq)
	return w.factor * 2.2 * f / (f + 1.2)
}

// A compiler makes plans.
type compiler struct {
	tok     query.Tokenizer
	leaves  int
	weights []*weight
}

func (c *compiler) compile(n query.Node, depth int) (plan, error) {
	if depth > maxDepth || c.leaves > maxLeaves {
		return nil, tooBroad()
	}
	c.leaves++
	switch n := n.(type) {
	case nil, query.All:
		return allPlan{}, nil
	case query.And:
		return c.all(n, depth)
	case query.Or:
		var or orPlan
		for _, x := range n {
			p, err := c.compile(x, depth+1)
			if err != nil {
				return nil, err
			}
			or = append(or, p)
		}
		return or, nil
	case query.Not:
		p, err := c.compile(n.Node, depth+1)
		return notPlan{p}, err
	case query.Word:
		return c.word(n.Text)
	case query.Phrase:
		return c.run(query.Run(n.Text), phraseWeight)
	case query.Field:
		if !isKeyword(n.Name) {
			return nil, unknownField("/q", n.Name)
		}
		field, term := keyword(n.Name, n.Value)
		return termPlan{field: field, term: term}, nil
	case query.Any:
		if !isKeyword(n.Name) {
			return nil, unknownField("/q", n.Name)
		}
		var or orPlan
		for _, value := range n.Values {
			field, term := keyword(n.Name, value)
			or = append(or, termPlan{field: field, term: term})
		}
		return or, nil
	case query.Has:
		if !isKeyword(n.Name) && !isNumber(n.Name) {
			return nil, unknownField("/q", n.Name)
		}
		return termPlan{field: hasField, term: clean(n.Name)}, nil
	case query.Range:
		if !isNumber(n.Name) {
			return nil, unknownField("/q", n.Name)
		}
		return rangePlan(n), nil
	case query.Time:
		return timePlan(n), nil
	}
	return nil, earshot.Errorf(earshot.QueryInvalid, "the index does not know this kind of query")
}

func (c *compiler) all(nodes []query.Node, depth int) (plan, error) {
	var and andPlan
	for _, x := range nodes {
		p, err := c.compile(x, depth+1)
		if err != nil {
			return nil, err
		}
		and = append(and, p)
	}
	return and, nil
}

// word wants all terms of an unquoted word.
func (c *compiler) word(text string) (plan, error) {
	var and andPlan
	for _, t := range query.Terms(text, c.tok) {
		if t.Stem != "" {
			c.leaves++
			and = append(and, termPlan{wordsField, bounded(t.Stem), c.weigh(tokenWeight, 1)})
			continue
		}
		run, err := c.run(t.Units, insideWeight)
		if err != nil {
			return nil, err
		}
		if len(t.Units) == 0 {
			continue
		}
		var whole strings.Builder
		for _, u := range t.Units {
			whole.WriteString(u.Norm)
		}
		token := termPlan{wordsField, bounded(whole.String()), c.weigh(tokenWeight, 1)}
		and = append(and, betterPlan{run, token})
	}
	if c.leaves > maxLeaves {
		return nil, tooBroad()
	}
	return and, nil
}

// run wants units that follow one another. The empty run is everywhere.
func (c *compiler) run(units []nlp.Unit, class float64) (plan, error) {
	parts := runParts(units)
	if len(parts) == 0 {
		return allPlan{}, nil
	}
	if c.leaves += len(parts); c.leaves > maxLeaves {
		return nil, tooBroad()
	}
	w := c.weigh(class, len(parts))
	if len(units) == 1 && unspaced(units[0].Kind) {
		return termPlan{charsField, parts[0].term, w}, nil
	}
	if len(parts) == 1 {
		return termPlan{gramsField, parts[0].term, w}, nil
	}
	return runPlan{parts, w}, nil
}

func (c *compiler) weigh(class float64, parts int) *weight {
	w := &weight{class: class, counts: make([]uint64, parts)}
	c.weights = append(c.weights, w)
	return w
}

func isKeyword(name string) bool {
	return slices.Contains(query.Fields, name) || strings.HasPrefix(name, query.FieldPrefix)
}

func isNumber(name string) bool {
	return slices.Contains(query.Numbers, name) || strings.HasPrefix(name, query.FieldPrefix)
}

func tooBroad() error {
	return earshot.Errorf(earshot.QueryTooBroad, "the query has more than %d words and conditions or %d levels", maxLeaves, maxDepth)
}

func unknownField(pointer, name string) error {
	return invalid(pointer, "unknown_field", "there is no field of this name; the sender's own are "+query.FieldPrefix+"NAME")
}

func invalid(pointer, code, detail string) error {
	return &earshot.Error{Code: earshot.QueryInvalid, Message: "the search is wrong",
		Fields: []earshot.FieldError{{Pointer: pointer, Code: code, Detail: detail}}}
}

type (
	allPlan  struct{}
	andPlan  []plan // of nothing is everything
	orPlan   []plan
	notPlan  struct{ plan plan }
	termPlan struct {
		field, term string
		w           *weight // nil: it has no score
	}
	runPlan struct {
		parts []part
		w     *weight
	}
	betterPlan struct{ match, also plan } // matches like match; scores like the better of the two
	rangePlan  query.Range
	timePlan   query.Time
)

func (allPlan) open(v *view) iter { return &allIter{v: v} }

func (p andPlan) open(v *view) iter {
	it := &andIter{v: v}
	for _, x := range p {
		switch x := x.(type) {
		case allPlan:
		case condition:
			it.checks = append(it.checks, x.check(v))
		default:
			it.must = append(it.must, x.open(v))
		}
	}
	if len(it.must) == 0 {
		it.must = append(it.must, &allIter{v: v})
	}
	if len(it.must) == 1 && len(it.checks) == 0 {
		return it.must[0]
	}
	it.order = slices.Clone(it.must)
	slices.SortStableFunc(it.order, func(a, b iter) int { return int(min(a.size(), 1<<40)) - int(min(b.size(), 1<<40)) })
	return it
}

func (p orPlan) open(v *view) iter {
	it := &orIter{}
	for _, x := range p {
		it.any = append(it.any, x.open(v))
	}
	return it
}

func (p notPlan) check(v *view) func(uint64) bool {
	it := p.plan.open(v)
	return func(doc uint64) bool { return it.seek(doc) != doc }
}

func (p termPlan) open(v *view) iter { return v.term(p.field, p.term, p.w) }

func (p runPlan) open(v *view) iter {
	it := &runIter{w: p.w}
	for i, x := range p.parts {
		t := v.places(gramsField, x.term)
		p.w.counts[i] += t.count
		it.parts = append(it.parts, runPart{t, uint64(x.offset)})
	}
	slices.SortStableFunc(it.parts, func(a, b runPart) int { return int(a.count) - int(b.count) })
	return it
}

func (p betterPlan) open(v *view) iter {
	return &betterIter{iter: p.match.open(v), also: p.also.open(v)}
}

func (p rangePlan) check(v *view) func(uint64) bool {
	read := v.floats(p.Name)
	return func(doc uint64) bool {
		x, ok := read(doc)
		return ok && p.contains(x)
	}
}

func (p rangePlan) contains(x float64) bool {
	if p.Min != nil && (x < *p.Min || p.OverMin && x == *p.Min) {
		return false
	}
	if p.Max != nil && (x > *p.Max || p.BelowMax && x == *p.Max) {
		return false
	}
	return !math.IsNaN(x)
}

// check reads no time in a shard of which all or nothing is within.
func (p timePlan) check(v *view) func(uint64) bool {
	afterFrom := p.From.IsZero() || !v.from.Before(p.From)
	beforeTo := p.To.IsZero() || !v.to.After(p.To)
	switch {
	case afterFrom && beforeTo:
		return func(uint64) bool { return true }
	case !p.From.IsZero() && !p.From.Before(v.to), !p.To.IsZero() && !v.from.Before(p.To):
		return func(uint64) bool { return false }
	}
	read := v.numbers(atField, "")
	return func(doc uint64) bool {
		ns, _ := read(doc)
		at := time.Unix(0, int64(ns))
		return (p.From.IsZero() || !at.Before(p.From)) && (p.To.IsZero() || at.Before(p.To))
	}
}

func (p notPlan) open(v *view) iter   { return andPlan{p}.open(v) }
func (p rangePlan) open(v *view) iter { return andPlan{p}.open(v) }
func (p timePlan) open(v *view) iter  { return andPlan{p}.open(v) }
