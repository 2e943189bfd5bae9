package nlp

import (
	"fmt"
	"strings"
)

// A pattern is an entry that is more than a run of units: elements with gaps
// between them. The format is described in package lexicons.
type pattern struct {
	elements []element
	first    bool // only at the start of a sentence
	last     bool // only at the end of a sentence
	entry    entry
}

// An element of a pattern.
type element struct {
	kind  elementKind
	class int32 // of isClass
}

type elementKind uint8

const (
	isClass elementKind = iota // a literal of a class
	isNumber
	isTimes
	isDuration
	isGap
)

// gapReach is how far a gap reaches at most, in the units of cost.
const gapReach = 16

// cost is what a unit costs of a gap: 4 Latin words, 8 Chinese or 16 Thai characters.
func cost(k Kind) int {
	switch k {
	case Word, Number:
		return 4
	case Han, Syl:
		return 2
	}
	return 1
}

// A parsedPattern is an entry's text, taken apart but not yet compiled.
type parsedPattern struct {
	parts       []part
	first, last bool
}

type part struct {
	kind  elementKind
	name  string   // of a class
	texts [][]Unit // alternatives of a literal
}

// literals gives the alternatives of a pattern that is one literal; nil for any other.
func (p parsedPattern) literals() [][]Unit {
	if len(p.parts) == 1 && p.parts[0].kind == isClass && p.parts[0].name == "" {
		return p.parts[0].texts
	}
	return nil
}

func (l *lexicon) parsePattern(text string) (parsedPattern, error) {
	var p parsedPattern
	text, p.first = strings.CutPrefix(text, "^")
	text, p.last = strings.CutSuffix(text, "$")
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		switch inner, after, kind := nextPart(rest); kind {
		case '.':
			if len(p.parts) == 0 || strings.TrimSpace(after) == "" {
				return p, fmt.Errorf("a gap stands between two elements")
			}
			p.parts = append(p.parts, part{kind: isGap})
			rest = after
		case '<':
			p.parts = append(p.parts, namedPart(inner))
			rest = after
		case '(':
			var alt part
			for _, a := range strings.Split(inner, "|") {
				if units := Units(nil, a); len(units) > 0 {
					alt.texts = append(alt.texts, units)
				}
			}
			if len(alt.texts) == 0 {
				return p, fmt.Errorf("(%s) has no text", inner)
			}
			p.parts = append(p.parts, alt)
			rest = after
		default:
			units := Units(nil, inner)
			if len(units) == 0 {
				return p, fmt.Errorf("%q has nothing to match", inner)
			}
			p.parts = append(p.parts, part{texts: [][]Unit{units}})
			rest = after
		}
	}
	if len(p.parts) == 0 {
		return p, fmt.Errorf("the pattern is empty")
	}
	return p, nil
}

// nextPart cuts the first element from a pattern: what is inside it, what comes
// after, and by which character it is known; 0 for plain text.
func nextPart(s string) (inner, after string, kind byte) {
	for i := range len(s) {
		rest := s[i:]
		var end int
		switch {
		case strings.HasPrefix(rest, "..") && !strings.HasPrefix(rest, "..."):
			kind, end = '.', 2
		case rest[0] == '<':
			if j := strings.IndexByte(rest, '>'); j > 1 && isName(rest[1:j]) {
				kind, inner, end = '<', rest[1:j], j+1
			}
		case rest[0] == '(':
			if j := strings.IndexByte(rest, ')'); j > 0 && strings.Contains(rest[:j], "|") {
				kind, inner, end = '(', rest[1:j], j+1
			}
		}
		if kind == 0 {
			continue
		}
		if i > 0 {
			return s[:i], rest, 0
		}
		return inner, rest[end:], kind
	}
	return s, "", 0
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '\'':
		default:
			return false
		}
	}
	return s != ""
}

func namedPart(name string) part {
	switch name {
	case "n":
		return part{kind: isNumber}
	case "times":
		return part{kind: isTimes}
	case "dur":
		return part{kind: isDuration}
	}
	return part{kind: isClass, name: name}
}

// addPattern compiles a pattern and files it under its first element.
func (l *lexicon) addPattern(p parsedPattern, e entry) {
	c := pattern{first: p.first, last: p.last, entry: e}
	for _, part := range p.parts {
		el := element{kind: part.kind}
		switch {
		case part.kind != isClass:
		case part.name != "":
			el.class = l.class(part.name)
		default:
			el.class = l.newClass()
			for _, run := range part.texts {
				l.join(l.literal(run), el.class)
			}
		}
		c.elements = append(c.elements, el)
	}
	id := int32(len(l.patterns))
	l.patterns = append(l.patterns, c)
	if first := c.elements[0]; first.kind == isClass {
		l.starts[first.class] = append(l.starts[first.class], id)
	} else {
		l.numStart = append(l.numStart, id)
	}
}
