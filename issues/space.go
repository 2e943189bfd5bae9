package issues

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// The constants of clustering. Similarities are cosines of TF-IDF vectors. The
// values are those at which the tweets of `make eval-issues` and, by eye, one
// half of our own paraphrases came out best together; docs/issues.md says how
// little the result depends on each.
const (
	// joinShare is the share of an issue's own cohesion (the mean similarity of
	// its mentions to its centroid) that a mention must reach to join it, and
	// joinExtra what is asked on top of a small one: divided by its mass. A lone
	// mention is joined from 0.25 on, a large issue from half of what is usual there.
	joinShare = 0.15
	joinExtra = 0.10
	leastJoin = 0.10 // nothing joins below

	// When many people speak at once, what they say is more probably one thing:
	// what is asked of a mention shrinks with the issue's share of all that was
	// said in the family lately. fewVoices and beside keep a few from being a share.
	pulseShare = 6.0
	fewVoices  = 3
	beside     = 10.0
	lately     = 3 * time.Hour

	// surgeShare is the share that a new issue is given when all of what is said
	// in the last hour is more than usual; so many above twice the usual are none.
	// What is usual must be known from surgeDay hours.
	surgeShare = 0.2
	surgeLeast = 5
	surgeDay   = 6.0

	mergeAt    = 0.32 // cosine of two centroids from which they are one issue
	smallMass  = 4    // an issue as small as that is taken in by one four times its mass as a mention would be
	background = 300  // issues that the background counts for
	maxVector  = 100  // terms of a centroid

	rarest    = 12  // terms of a mention whose issues are looked at
	heaviest  = 8   // terms of a centroid whose issues are looked at
	shortlist = 32  // issues whose similarity is worked out
	common    = 500 // issues that have a term, from which on it finds no new ones beside rarer terms

	memory = 14 * 24 * time.Hour // a mention weighs e times one said so long before
)

// A space is the issues of one family and an inverted index of their terms.
// What it decides depends on the centroids in it alone, whatever the order in
// which they were put there.
type space struct {
	usual map[string]float64 // share of texts that have a term, in the background
	terms map[string]*term
	size  int // centroids
}

// A term knows the centroids that have it, by number.
type term struct {
	name string
	in   []*centroid
}

// A centroid is the sum of the unit vectors of an issue's mentions; those said
// later weigh more (forward decay, so that nothing has to be touched as time goes by).
type centroid struct {
	number int64
	vec    []weight  // by name of the term
	mass   float64   // sum of the weights of the mentions
	ref    time.Time // a mention said then weighs 1
	norm   float64   // length of vec
	seen   float64   // scratch of nearest: the weight of the terms shared
}

type weight struct {
	term *term
	w    float64
}

// A vector is a mention's unit vector, heaviest term first.
type vector []component

type component struct {
	name string
	w    float64
}

func newSpace(usual map[string]float64) *space {
	return &space{usual: usual, terms: map[string]*term{}}
}

// idf is how much a term tells: the logarithm of how many issues there are for
// each that has it. Counting issues and not verbatims, what everyone says about
// one trouble still tells it from others. The background counts like so many
// issues, so that the first verbatims of a tenant are judged by what is usual.
func (s *space) idf(name string) float64 {
	in := 0
	if t := s.terms[name]; t != nil {
		in = len(t.in)
	}
	const least = 0.05
	return max(least, math.Log((float64(s.size)+background)/(float64(in)+background*s.usual[name]+0.5)))
}

func (s *space) vector(terms []string) vector {
	v := make(vector, 0, len(terms))
	sum := 0.0
	for _, name := range terms {
		w := s.idf(name)
		v = append(v, component{name, w})
		sum += w * w
	}
	norm := math.Sqrt(sum)
	for i := range v {
		v[i].w /= norm
	}
	slices.SortFunc(v, func(a, b component) int { return cmp.Or(cmp.Compare(b.w, a.w), cmp.Compare(a.name, b.name)) })
	return v
}

// vectorOf is the centroid as a unit vector, heaviest term first.
func (c *centroid) vector() vector {
	v := make(vector, 0, len(c.vec))
	for _, x := range c.vec {
		v = append(v, component{x.term.name, x.w / c.norm})
	}
	slices.SortFunc(v, func(a, b component) int { return cmp.Or(cmp.Compare(b.w, a.w), cmp.Compare(a.name, b.name)) })
	return v
}

// find gives the place of a term in a centroid.
func (c *centroid) find(name string) (int, bool) {
	i := sort.Search(len(c.vec), func(i int) bool { return c.vec[i].term.name >= name })
	return i, i < len(c.vec) && c.vec[i].term.name == name
}

func (c *centroid) dot(v vector) float64 {
	sum := 0.0
	for _, x := range v {
		if i, ok := c.find(x.name); ok {
			sum += x.w * c.vec[i].w
		}
	}
	return sum
}

// cohesion is the mean cosine of a centroid's mentions with it, in (0, 1].
func (c *centroid) cohesion() float64 { return c.norm / c.mass }

// joins says whether something of that similarity belongs to c, of which share
// of all that was said lately is (0 … 1).
func (c *centroid) joins(similarity, share float64) bool {
	asked := max(leastJoin, (joinShare+joinExtra/max(c.mass, 1))*c.cohesion())
	return similarity >= asked/(1+pulseShare*share)
}

// nearest gives the centroid, not self, that is most like a vector, and how
// much. Candidates are those that have one of its first so many terms; of them
// those that share the most weight are worked out. This and [centroid.joins] are what an
// embedding will widen.
func (s *space) nearest(v vector, first int, self *centroid) (*centroid, float64) {
	var touched []*centroid
	for _, x := range v[:min(len(v), first)] {
		t := s.terms[x.name]
		if t == nil || len(t.in) > common && len(touched) >= shortlist {
			continue // it would add many that share nothing rarer
		}
		for _, c := range t.in {
			if c.seen == 0 {
				touched = append(touched, c)
			}
			c.seen += x.w
		}
	}
	if len(touched) > shortlist {
		pick(touched)
	}
	var best *centroid
	most := 0.0
	for i, c := range touched {
		c.seen = 0
		if i >= shortlist || c == self {
			continue
		}
		sim := c.dot(v) / c.norm
		if sim > most || sim == most && best != nil && c.number < best.number {
			best, most = c, sim
		}
	}
	return best, most
}

// pick brings the shortlist of those that share the most to the front.
func pick(touched []*centroid) {
	more := func(a, b *centroid) bool {
		return a.seen > b.seen || a.seen == b.seen && a.number < b.number
	}
	top := touched[:0:shortlist]
	for i, c := range touched {
		if len(top) == shortlist && !more(c, top[shortlist-1]) {
			continue
		}
		// c takes its place in order; who falls out goes where c was.
		if len(top) < shortlist {
			top = touched[:len(top)+1]
		}
		k := len(top) - 1
		touched[i] = top[k]
		for ; k > 0 && more(c, top[k-1]); k-- {
			top[k] = top[k-1]
		}
		top[k] = c
	}
}

// add puts a mention into a centroid of the space.
func (s *space) add(c *centroid, v vector, at time.Time) {
	if c.mass == 0 {
		c.ref = at
		s.size++
	}
	const far = 16 // e-folds
	e := float64(at.Sub(c.ref)) / float64(memory)
	if e > far {
		c.scale(math.Exp(-e))
		c.ref, e = at, 0
	}
	g := math.Exp(max(e, -far))
	for _, x := range v {
		s.put(c, x.name, g*x.w)
	}
	c.mass += g
	s.trim(c)
	c.renorm()
}

func (c *centroid) scale(f float64) {
	for i := range c.vec {
		c.vec[i].w *= f
	}
	c.mass *= f
}

// subtract takes a mention out as far as that can be told: its vector was made
// with the idf of then. A term that hardly anybody else brought goes with it.
func (s *space) subtract(c *centroid, v vector, at time.Time) {
	g := math.Exp(max(float64(at.Sub(c.ref))/float64(memory), -16))
	for _, x := range v {
		i, ok := c.find(x.name)
		if !ok {
			continue
		}
		if c.vec[i].w -= g * x.w; c.vec[i].w < 0.6*g*x.w {
			s.forget(c.vec[i].term, c)
			c.vec = slices.Delete(c.vec, i, i+1)
		}
	}
	c.mass = max(c.mass-g, c.mass/16)
	c.renorm()
}

func (s *space) put(c *centroid, name string, w float64) {
	i, ok := c.find(name)
	if ok {
		c.vec[i].w += w
		return
	}
	t := s.terms[name]
	if t == nil {
		t = &term{name: name}
		s.terms[name] = t
	}
	c.vec = slices.Insert(c.vec, i, weight{t, w})
	j := sort.Search(len(t.in), func(j int) bool { return t.in[j].number >= c.number })
	t.in = slices.Insert(t.in, j, c)
}

func (s *space) forget(t *term, c *centroid) {
	j := sort.Search(len(t.in), func(j int) bool { return t.in[j].number >= c.number })
	t.in = slices.Delete(t.in, j, j+1)
	if len(t.in) == 0 {
		delete(s.terms, t.name)
	}
}

// trim drops the lightest terms of a centroid that has half as many again as it may.
func (s *space) trim(c *centroid) {
	if len(c.vec) <= maxVector*3/2 {
		return
	}
	ws := make([]float64, len(c.vec))
	for i := range c.vec {
		ws[i] = c.vec[i].w
	}
	slices.Sort(ws)
	least := ws[len(ws)-maxVector]
	c.vec = slices.DeleteFunc(c.vec, func(x weight) bool {
		if x.w < least {
			s.forget(x.term, c)
		}
		return x.w < least
	})
}

func (c *centroid) renorm() {
	sum := 0.0
	for _, x := range c.vec {
		sum += x.w * x.w
	}
	c.norm = math.Sqrt(sum)
}

// restore puts a centroid that was stored back into the space.
func (s *space) restore(c *centroid, terms []string, weights []float64) {
	s.size++
	for i, name := range terms {
		s.put(c, name, weights[i])
	}
	c.renorm()
}

// merge puts all of b into a; b is then in no space.
func (s *space) merge(a, b *centroid) {
	s.drop(b)
	if b.ref.After(a.ref) {
		a.scale(math.Exp(-min(float64(b.ref.Sub(a.ref))/float64(memory), 16)))
		a.ref = b.ref
	}
	f := math.Exp(-min(float64(a.ref.Sub(b.ref))/float64(memory), 16))
	for _, x := range b.vec {
		s.put(a, x.term.name, f*x.w)
	}
	a.mass += f * b.mass
	s.trim(a)
	a.renorm()
}

// drop takes a centroid out of the space.
func (s *space) drop(c *centroid) {
	for _, x := range c.vec {
		s.forget(x.term, c)
	}
	s.size--
}

// twin says into which other centroid c should be merged; nil if into none.
// share gives the part of what was said lately that an issue is.
func (s *space) twin(c *centroid, share func(*centroid) float64) *centroid {
	if len(c.vec) == 0 {
		return nil
	}
	o, sim := s.nearest(c.vector(), heaviest, c)
	switch {
	case o == nil:
		return nil
	case sim >= mergeAt/(1+2*pulseShare*min(share(c), share(o))):
		return o
	case c.isSmallBeside(o) && o.joins(sim, 0):
		return o
	}
	return nil
}

// isSmallBeside says whether o may take c in as it would a mention.
func (c *centroid) isSmallBeside(o *centroid) bool {
	return c.mass < smallMass && o.mass > smallMass*c.mass
}

// strays gives the small centroids that c would take in now, by number: as c
// grew it may have come to be like what was said before it was there.
func (s *space) strays(c *centroid, share float64) []*centroid {
	var found []*centroid
	v := c.vector()
	for _, x := range v[:min(len(v), heaviest)] {
		for _, o := range s.terms[x.name].in {
			if o == c || slices.Contains(found, o) || !o.isSmallBeside(c) {
				continue
			}
			if sim := o.dot(v) / o.norm; sim >= mergeAt/(1+pulseShare*share) && c.joins(sim, share) {
				found = append(found, o)
			}
		}
	}
	slices.SortFunc(found, func(a, b *centroid) int { return cmp.Compare(a.number, b.number) })
	return found
}
