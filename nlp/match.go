package nlp

import (
	"strconv"
	"strings"
)

// A found literal: units[from:to] of the text in hand.
type found struct {
	literal  int32
	from, to int32
}

// matcher finds the literals and patterns of a lexicon in a run of units. It is
// the scratch of one Worker.
type matcher struct {
	lex      *lexicon
	units    []Unit
	symbols  [][maxForms]uint32 // of each unit: its own and those of the words it may be an inflection of; 0 ends
	tokStart []bool             // a token begins at this unit
	tokEnd   []bool             // a token ends after this unit
	found    []found            // by from
	at       []int32            // found[at[i]:at[i+1]] begin at unit i
}

// maxForms is of how many words a word form may be an inflection, itself included.
const maxForms = 4

// maxLiteral is how many units a literal has at most; a longer one is never reached.
const maxLiteral = 24

// scan finds every literal in units. toks are the tokens of the same text.
func (m *matcher) scan(units []Unit, toks []Token) {
	m.units = units
	m.align(toks)
	m.symbols = grow(m.symbols, len(units))
	for i := range units {
		m.symbols[i] = m.forms(&units[i])
	}
	m.found, m.at = m.found[:0], grow(m.at, len(units)+1)
	for i := range units {
		m.at[i] = int32(len(m.found))
		m.walk(0, i, i)
	}
	m.at[len(units)] = int32(len(m.found))
}

// grow gives a slice of n elements, old or new; what is in it is not cleared.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}

func (m *matcher) align(toks []Token) {
	n := len(m.units)
	m.tokStart, m.tokEnd = grow(m.tokStart, n), grow(m.tokEnd, n)
	clear(m.tokStart)
	clear(m.tokEnd)
	t := 0
	for i := range m.units {
		u := &m.units[i]
		for t < len(toks) && toks[t].End <= u.Start {
			t++
		}
		inside := t < len(toks) && toks[t].Start <= u.Start
		m.tokStart[i] = !inside || toks[t].Start == u.Start
		m.tokEnd[i] = !inside || toks[t].End <= u.End
	}
}

// walk follows the trie from node over the units from i on, and notes the
// literals that end on the way. A letter drawn out (มากกก, sooo) may be passed over.
func (m *matcher) walk(node int32, from, i int) {
	if i >= len(m.units) || i-from >= maxLiteral {
		return
	}
	moved := false
	for _, sym := range m.symbols[i] {
		if sym == 0 {
			break
		}
		next, ok := m.lex.edges[edge{node, sym}]
		if !ok {
			continue
		}
		moved = true
		lit := m.lex.ends[next]
		if lit >= 0 && m.stands(lit, from, i+1) {
			m.found = append(m.found, found{lit, int32(from), int32(i + 1)})
		}
		m.walk(next, from, i+1)
		if lit >= 0 && m.units[i].Kind == Word {
			break // the form has an entry of its own: it is no inflection of another
		}
	}
	if !moved && i > from && m.units[i].Kind == Thai && m.units[i].Norm == m.units[i-1].Norm && !m.units[i].Space {
		m.walk(node, from, i+1)
	}
}

// stands says whether a literal may stand at units[from:to]: a single Chinese
// character is a whole token, a short Thai word begins and ends where words do.
func (m *matcher) stands(lit int32, from, to int) bool {
	switch l := &m.lex.literals[lit]; l.kind {
	case Han:
		return l.units > 1 || l.counts() || m.whole(from, to)
	case Thai:
		return m.tokStart[from] && (m.tokEnd[to-1] || m.drawnOut(to))
	}
	return true
}

// whole says whether units[from:to] begins and ends where tokens do.
func (m *matcher) whole(from, to int) bool { return m.tokStart[from] && m.tokEnd[to-1] }

// counts says whether a literal is part of numbers, durations or counts, where
// a single Chinese character need not be a token: 两个小时 is 两个 and 小时.
func (l *literal) counts() bool { return l.number != nil || l.minutes != nil || l.times }

// drawnOut says whether the unit at i repeats the one before it, as in มากก.
func (m *matcher) drawnOut(i int) bool {
	return i < len(m.units) && m.units[i].Norm == m.units[i-1].Norm
}

// forms gives the symbols of a unit: its own, then those of the words it may be a form of.
func (m *matcher) forms(u *Unit) (syms [maxForms]uint32) {
	n := 0
	add := func(word string) {
		if sym := m.lex.symbols[word]; sym != 0 && n < maxForms {
			for _, s := range syms[:n] {
				if s == sym {
					return
				}
			}
			syms[n] = sym
			n++
		}
	}
	add(u.Norm)
	if u.Kind != Word || len(u.Norm) < 4 || len(u.Norm) > 40 {
		return syms
	}
	w := u.Norm
	if short := squeeze(w); short != w {
		w = short
		add(w)
	}
	for _, suffix := range [...]string{"'s", "s", "es", "ed", "d", "ing", "ly", "in"} {
		stem, ok := strings.CutSuffix(w, suffix)
		if !ok || len(stem) < 3 {
			continue
		}
		add(stem)
		switch suffix {
		case "ed", "ing":
			add(stem + "e")
			if k := len(stem); stem[k-1] == stem[k-2] {
				add(stem[:k-1])
			}
			if suffix == "ed" && stem[len(stem)-1] == 'i' {
				add(stem[:len(stem)-1] + "y")
			}
		case "es":
			if stem[len(stem)-1] == 'i' {
				add(stem[:len(stem)-1] + "y")
			}
		}
	}
	return syms
}

// beginning gives the literals that begin at unit i.
func (m *matcher) beginning(i int) []found {
	return m.found[m.at[i]:m.at[i+1]]
}

// number reads a number at unit i: digits, or number words one after another
// ("二十", "twenty five"). to is i if there is none.
func (m *matcher) number(i int) (value float64, to int) {
	if i >= len(m.units) {
		return 0, i
	}
	if u := &m.units[i]; u.Kind == Number {
		if v, err := strconv.ParseFloat(strings.ReplaceAll(u.Norm, ",", ""), 64); err == nil {
			return v, i + 1
		}
		return 0, i
	}
	to = i
	for to < len(m.units) {
		v, end := m.numberWord(to)
		if end == to {
			break
		}
		switch {
		case to == i:
			value = v
		case v >= 10 && value < v:
			value *= v
		case value >= 10 && v < 10:
			value += v
		default:
			value = max(value, v)
		}
		to = end
	}
	return value, to
}

func (m *matcher) numberWord(i int) (value float64, to int) {
	to = i
	for _, f := range m.beginning(i) {
		if n := m.lex.literals[f.literal].number; n != nil && int(f.to) > to {
			value, to = *n, int(f.to)
		}
	}
	return value, to
}

// times reads a count of repetitions at unit i: "3 times", "สามรอบ".
func (m *matcher) times(i int) (count float64, to int) {
	n, at := m.number(i)
	if at == i || at >= len(m.units) {
		return 0, i
	}
	to = i
	for _, f := range m.beginning(at) {
		if m.lex.literals[f.literal].times && int(f.to) > to {
			count, to = n, int(f.to)
		}
	}
	return count, to
}

// duration reads a length of time at unit i, in minutes: "半小时", "2 ชม.", "40mins".
func (m *matcher) duration(i int) (minutes float64, to int) {
	if i >= len(m.units) {
		return 0, i
	}
	to = i
	for _, f := range m.beginning(i) {
		if d := m.lex.literals[f.literal].whole; d != nil && int(f.to) > to {
			minutes, to = *d, int(f.to)
		}
	}
	if u := &m.units[i]; u.Kind == Word && u.Norm[0] >= '0' && u.Norm[0] <= '9' {
		if v, ok := m.glued(u.Norm); ok {
			return v, i + 1
		}
	}
	n, at := m.number(i)
	if at == i || at >= len(m.units) {
		return minutes, to
	}
	for _, f := range m.beginning(at) {
		if d := m.lex.literals[f.literal].minutes; d != nil && int(f.to) > to {
			minutes, to = n**d, int(f.to)
		}
	}
	return minutes, to
}

// glued reads "40mins": a number and a unit of time without a space.
func (m *matcher) glued(w string) (minutes float64, ok bool) {
	k := strings.IndexFunc(w, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if k <= 0 {
		return 0, false
	}
	n, err := strconv.ParseFloat(w[:k], 64)
	sym := m.lex.symbols[w[k:]]
	if err != nil || sym == 0 {
		return 0, false
	}
	node, ok := m.lex.edges[edge{0, sym}]
	if !ok || m.lex.ends[node] < 0 {
		return 0, false
	}
	d := m.lex.literals[m.lex.ends[node]].minutes
	if d == nil {
		return 0, false
	}
	return n * *d, true
}

// A hit is a pattern or literal with a meaning, where it stands.
type hit struct {
	entry    *entry
	from, to int     // units
	count    float64 // of a <times> in the pattern, else 0
	minutes  float64 // of a <dur> in the pattern, else 0
}

// hits appends what the lexicon finds in units[from:to], one sentence.
func (m *matcher) hits(dst []hit, from, to int) []hit {
	for i := from; i < to; i++ {
		for _, f := range m.beginning(i) {
			if int(f.to) > to {
				continue
			}
			lit := &m.lex.literals[f.literal]
			if lit.kind == Han && lit.units == 1 && !m.whole(i, int(f.to)) {
				continue
			}
			for k := range lit.entries {
				dst = append(dst, hit{entry: &lit.entries[k], from: i, to: int(f.to)})
			}
			for _, c := range lit.classes {
				for _, p := range m.lex.starts[c] {
					dst = m.try(dst, &m.lex.patterns[p], i, int(f.to), from, to)
				}
			}
		}
		if m.lex.numStart != nil && m.numeric(i) {
			for _, p := range m.lex.numStart {
				dst = m.try(dst, &m.lex.patterns[p], i, -1, from, to)
			}
		}
	}
	return dst
}

// numeric says whether a number, count or duration may begin at unit i.
func (m *matcher) numeric(i int) bool {
	if u := &m.units[i]; u.Kind == Number || u.Kind == Word && u.Norm[0] >= '0' && u.Norm[0] <= '9' {
		return true
	}
	for _, f := range m.beginning(i) {
		if l := &m.lex.literals[f.literal]; l.number != nil || l.whole != nil {
			return true
		}
	}
	return false
}

// try follows a pattern whose first element begins at unit i; if that is a
// class, it ends at firstEnd. The shortest way through the gaps wins.
func (m *matcher) try(dst []hit, p *pattern, i, firstEnd, from, to int) []hit {
	if p.first && !m.opens(from, i) {
		return dst
	}
	h := hit{entry: &p.entry, from: i}
	end, ok := firstEnd, true
	rest := p.elements[1:]
	if firstEnd < 0 {
		end, ok = m.element(&h, p.elements[0], i, to)
	}
	if ok {
		if h.to, ok = m.follow(&h, rest, end, to); ok && (!p.last || m.closes(h.to, to)) {
			dst = append(dst, h)
		}
	}
	return dst
}

// follow matches elements from unit i on, and says where they end.
func (m *matcher) follow(h *hit, elements []element, i, to int) (int, bool) {
	if len(elements) == 0 {
		return i, true
	}
	if elements[0].kind != isGap {
		return m.next(h, elements, i, to)
	}
	for left := gapReach; i < to && left >= 0; i++ {
		if end, ok := m.next(h, elements[1:], i, to); ok {
			return end, true
		}
		left -= cost(m.units[i].Kind)
	}
	return 0, false
}

// next matches elements[0], which is no gap, at unit i, and what follows it.
func (m *matcher) next(h *hit, elements []element, i, to int) (int, bool) {
	if i >= to {
		return 0, false
	}
	if elements[0].kind == isClass {
		for _, f := range m.beginning(i) {
			if int(f.to) > to || !m.member(f.literal, elements[0].class) {
				continue
			}
			if end, ok := m.follow(h, elements[1:], int(f.to), to); ok {
				return end, true
			}
		}
		return 0, false
	}
	end, ok := m.element(h, elements[0], i, to)
	if !ok {
		return 0, false
	}
	return m.follow(h, elements[1:], end, to)
}

func (m *matcher) member(lit, class int32) bool {
	for _, c := range m.lex.literals[lit].classes {
		if c == class {
			return true
		}
	}
	return false
}

// element matches a number, count or duration at unit i.
func (m *matcher) element(h *hit, e element, i, to int) (end int, ok bool) {
	switch e.kind {
	case isNumber:
		_, end = m.number(i)
	case isTimes:
		var n float64
		if n, end = m.times(i); end > i {
			h.count = n
		}
	case isDuration:
		var d float64
		if d, end = m.duration(i); end > i {
			h.minutes = d
		}
	}
	return end, end > i && end <= to
}

// opens says whether only marks stand between the start of a sentence and unit i.
func (m *matcher) opens(from, i int) bool {
	for ; from < i; from++ {
		if k := m.units[from].Kind; k != Punct && k != Emoji {
			return false
		}
	}
	return true
}

func (m *matcher) closes(i, to int) bool { return m.opens(i, to) }
