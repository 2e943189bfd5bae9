package nlp

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// thai reads one Thai character with its marks. Its norm has the marks in one
// order and once each. Sara am is a unit of its own however it is written: as one
// character, as ํ and า, with the tone mark before or after it.
func (s *unitScanner) thai(start int, r rune) {
	s.unit.Kind = Thai
	switch {
	case r == 'า' && s.am == start+1:
		s.unit.Norm = saraAm
		return
	case r == 'ำ':
		s.unit.Norm = saraAm
		for s.follows(isThaiTone) { // it stands in the norm of the unit before
		}
		return
	case r == 'เ' && s.follows(func(r rune) bool { return r == 'เ' }):
		s.unit.Norm = "แ"
		return
	}
	var marks [16]rune // each once, in order
	n := 0
	sorted := true
	add := func(m rune) {
		for i := range n {
			if marks[i] == m {
				sorted = false
				return
			}
		}
		i := n
		for i > 0 && markClass(marks[i-1]) > markClass(m) {
			marks[i] = marks[i-1]
			i--
			sorted = false
		}
		marks[i] = m
		n++
	}
	for s.at < len(s.text) && n < len(marks)-1 {
		m, size := utf8.DecodeRuneInString(s.text[s.at:])
		if !isThaiMark(m) {
			break
		}
		add(m)
		s.at += size
	}
	for s.follows(isThaiMark) { // more than any word has
		sorted = true
	}
	next, size := utf8.DecodeRuneInString(s.text[s.at:])
	switch {
	case next == 'า' && n > 0 && slices.Contains(marks[:n], nikhahit):
		i := slices.Index(marks[:n], nikhahit)
		copy(marks[i:], marks[i+1:n])
		n--
		sorted = false
		s.am = s.at + 1
	case next == 'ำ':
		if tone, _ := utf8.DecodeRuneInString(s.text[s.at+size:]); isThaiTone(tone) {
			add(tone)
			sorted = false
		}
	}
	if sorted {
		s.unit.Norm = s.text[start:s.at]
		return
	}
	s.unit.Norm = string(r) + string(marks[:n])
}

const (
	saraAm   = "ำ"
	nikhahit = '\u0e4d'
)

func isThaiMark(r rune) bool {
	return r == 0x0e31 || 0x0e34 <= r && r <= 0x0e3a || 0x0e47 <= r && r <= 0x0e4e
}

func isThaiTone(r rune) bool { return 0x0e48 <= r && r <= 0x0e4b }

// markClass is the place of a mark after its base: vowels, then tones, then the rest.
func markClass(r rune) int {
	switch {
	case isThaiTone(r):
		return 1
	case r == 0x0e4c || r == 0x0e4e:
		return 2
	}
	return 0
}

// thaiJoined says whether no word can end between two units, so that a cut never
// falls inside what a Thai reads as one: a vowel written before its consonant, a
// vowel after it, a consonant that closes a short vowel, a silent letter.
func thaiJoined(a, b string) bool {
	switch first, _ := utf8.DecodeRuneInString(a); first {
	case 'เ', 'แ', 'โ', 'ใ', 'ไ':
		return true
	}
	switch next, _ := utf8.DecodeRuneInString(b); next {
	case 'ะ', 'า', 'ำ', 'ๅ':
		return true
	case 'ๆ', 'ฯ':
		return false
	}
	if strings.HasSuffix(b, "์") {
		return true
	}
	if len(a) < 6 {
		return false
	}
	switch mark := a[3:6]; mark {
	case "ั", "ื": // ◌ั and ◌ื need a letter after them
		return true
	case "็":
		return a != "ก็"
	}
	return false
}

// A thaiDict finds the words of a list. It is a trie whose nodes are numbered
// breadth first: the children of a node lie side by side, from child[n] to
// child[n+1].
type thaiDict struct {
	label []byte   // of the edge to the node: the letter's place in the Thai block
	child []uint32 // the first child
	cost  []uint16 // of the word that ends here, 0 if none does
}

// Costs are eighths of bits.
const (
	bit = 8
	// unknownCost is for each cluster that no word covers, more than the rarest
	// word costs, so that words are preferred wherever they fit.
	unknownCost = 28 * bit
)

// A listWord is an entry of the list.
type listWord struct {
	text  string
	count float64
}

func newThaiDict(words []listWord) *thaiDict {
	slices.SortFunc(words, func(a, b listWord) int {
		if c := strings.Compare(a.text, b.text); c != 0 {
			return c
		}
		return int(b.count - a.count)
	})
	words = slices.CompactFunc(words, func(a, b listWord) bool { return a.text == b.text })
	total := 0.0
	for _, w := range words {
		total += w.count
	}
	d := &thaiDict{label: []byte{0}, cost: []uint16{0}}
	type node struct{ lo, hi, depth int } // words[lo:hi] share depth letters
	queue := []node{{0, len(words), 0}}
	for i := 0; i < len(queue); i++ {
		n := queue[i]
		if n.depth > 0 && n.lo < n.hi && len(words[n.lo].text) == 3*n.depth {
			d.cost[i] = uint16(1 + bit*math.Log2(total/words[n.lo].count))
			n.lo++
		}
		d.child = append(d.child, uint32(len(queue)))
		for n.lo < n.hi {
			l := thaiLabel(words[n.lo].text[3*n.depth:])
			hi := n.lo + 1
			for hi < n.hi && thaiLabel(words[hi].text[3*n.depth:]) == l {
				hi++
			}
			d.label, d.cost = append(d.label, l), append(d.cost, 0)
			queue = append(queue, node{n.lo, hi, n.depth + 1})
			n.lo = hi
		}
	}
	d.child = append(d.child, uint32(len(queue)))
	return d
}

// thaiLabel is the place in the Thai block of the character that s, not empty, begins with.
func thaiLabel(s string) byte { return (s[1]-0xb8)<<6 | s[2]&0x3f }

// step follows one letter; 0 means that no word goes on so.
func (d *thaiDict) step(node uint32, label byte) uint32 {
	for i, end := d.child[node], d.child[node+1]; i < end; i++ {
		if d.label[i] == label {
			return i
		}
	}
	return 0
}

// A thaiPath is the buffers of one cut.
type thaiPath struct {
	labels []byte
	at     []int32 // where the labels of each unit begin
	joined []bool  // no word ends before this unit
	best   []thaiStep
	ends   []int
}

// A thaiStep is the cheapest way to the end of a unit.
type thaiStep struct {
	cost    int32
	from    int32
	unknown bool
}

// cut gives the ends of the words of a run of Thai units: of all ways to cut it
// into words and, where no word fits, clusters, the cheapest. No word has more
// than a bounded number of letters, so the time is linear.
func (d *thaiDict) cut(p *thaiPath, units []Unit) []int {
	n := len(units)
	p.labels, p.at, p.joined = p.labels[:0], p.at[:0], p.joined[:0]
	for i, u := range units {
		p.at = append(p.at, int32(len(p.labels)))
		p.joined = append(p.joined, i > 0 && thaiJoined(units[i-1].Norm, u.Norm))
		for s := u.Norm; len(s) >= 3; s = s[3:] {
			p.labels = append(p.labels, thaiLabel(s))
		}
	}
	p.at, p.joined = append(p.at, int32(len(p.labels))), append(p.joined, false)
	if cap(p.best) < n+1 {
		p.best = make([]thaiStep, n+1)
	}
	p.best = p.best[:n+1]
	for i := range p.best {
		p.best[i] = thaiStep{cost: math.MaxInt32}
	}
	p.best[0].cost = 0
	for i := 0; i < n; i++ {
		if p.best[i].cost == math.MaxInt32 {
			continue
		}
		base := p.best[i].cost
		end := i + 1
		for p.joined[end] {
			end++
		}
		p.relax(end, base+unknownCost, i, true)
		node := uint32(0)
		for j := i; j < n; j++ {
			for _, l := range p.labels[p.at[j]:p.at[j+1]] {
				if node = d.step(node, l); node == 0 {
					break
				}
			}
			if node == 0 {
				break
			}
			if c := d.cost[node]; c != 0 && !p.joined[j+1] {
				p.relax(j+1, base+int32(c), i, false)
			}
		}
	}
	return p.trace(n)
}

func (p *thaiPath) relax(to int, cost int32, from int, unknown bool) {
	if cost < p.best[to].cost {
		p.best[to] = thaiStep{cost, int32(from), unknown}
	}
}

// trace follows the cheapest way back. Clusters side by side that no word covers are one word.
func (p *thaiPath) trace(n int) []int {
	p.ends = p.ends[:0]
	for at := n; at > 0; {
		step := p.best[at]
		p.ends = append(p.ends, at)
		for step.unknown && step.from > 0 && p.best[step.from].unknown {
			step = p.best[step.from]
		}
		at = int(step.from)
	}
	slices.Reverse(p.ends)
	return p.ends
}
