package nlp

import (
	"bufio"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/lexicons"
)

// A role is what an entry of a lexicon does where it stands.
type role uint8

const (
	rolePolarity role = iota
	roleNeutral
	roleNegator
	roleNegatorAfter
	roleIntensifier // above 1 strengthens, below 1 weakens
	roleFrame
	roleIntent
	roleEmotion
	roleFlag
)

// An entry is what a literal or pattern means.
type entry struct {
	role   role
	label  string  // of a frame, intent, emotion or flag
	weight float64 // in the unit of its section
	source string  // "lexicon:th/polarity", for evidence
}

// A lexicon is the word lists of all languages compiled into one trie of unit
// norms, and the patterns that are more than a run of units. It is read-only
// after newLexicon.
type lexicon struct {
	version  string
	symbols  map[string]uint32 // unit norm → symbol, from 1
	edges    map[edge]int32    // trie; node 0 is the root
	ends     []int32           // node → literal that ends there, −1
	literals []literal
	patterns []pattern
	starts   [][]int32 // class → patterns whose first element is it
	numStart []int32   // patterns that begin with a number, count or duration
	classes  map[string]int32
	contrast map[string]bool // norms of tokens that turn a sentence
}

type edge struct {
	node   int32
	symbol uint32
}

// A literal is a run of units that stands in a list.
type literal struct {
	entries []entry  // what it means by itself
	classes []int32  // of which classes it is a member, as part of patterns
	number  *float64 // its value as a number word
	minutes *float64 // its length as a [unit]
	whole   *float64 // its length as a [duration]
	times   bool
	units   int
	kind    Kind // of its first unit
}

// newLexicon compiles the embedded lists.
func newLexicon(*tokenizer) (*lexicon, error) {
	return compileLexicon(lexicons.FS)
}

// compileLexicon reads every .txt file of fsys. An error names file and line.
func compileLexicon(fsys fs.FS) (*lexicon, error) {
	l := &lexicon{symbols: map[string]uint32{}, edges: map[edge]int32{}, ends: []int32{-1},
		classes: map[string]int32{}, contrast: map[string]bool{}}
	names, err := fs.Glob(fsys, "*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := l.read(fsys, name); err != nil {
			return nil, err
		}
	}
	used := make([]bool, len(l.starts))
	for _, lit := range l.literals {
		for _, c := range lit.classes {
			used[c] = true
		}
	}
	for name, c := range l.classes {
		if !used[c] {
			return nil, fmt.Errorf("lexicon: a pattern names <%s>, and no list has [class %s]", name, name)
		}
	}
	return l, nil
}

func (l *lexicon) read(fsys fs.FS, name string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	in := bufio.NewScanner(f)
	var header []string
	var section, label string
	for line := 1; in.Scan(); line++ {
		text := strings.TrimSpace(in.Text())
		switch {
		case line == 1:
			header = strings.Fields(text)
			if len(header) != 3 || header[0] != "earshot-lexicon" {
				return fmt.Errorf("lexicon %s: the first line is not \"earshot-lexicon VERSION LANGUAGE\"", name)
			}
			if l.version != "" && l.version != header[1] {
				return fmt.Errorf("lexicon %s: version %s beside %s", name, header[1], l.version)
			}
			l.version = header[1]
		case text == "" || text[0] == '#':
		case text[0] == '[' && strings.HasSuffix(text, "]"):
			section, label, _ = strings.Cut(text[1:len(text)-1], " ")
			if err := checkSection(section, label); err != nil {
				return fmt.Errorf("lexicon %s:%d: %w", name, line, err)
			}
		default:
			if err := l.add(header[2], section, label, text); err != nil {
				return fmt.Errorf("lexicon %s:%d: %w", name, line, err)
			}
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("lexicon %s: %w", name, err)
	}
	return nil
}

// sections says which sections there are and the bounds of their numbers; none where lo == hi.
var sections = map[string]struct {
	role   role
	lo, hi float64
	labels []string
}{
	"polarity":    {rolePolarity, -2, 2, nil},
	"neutral":     {roleNeutral, 0, 0, nil},
	"negator":     {roleNegator, 0, 0, []string{"", "after"}},
	"intensifier": {roleIntensifier, 1, 3, nil},
	"diminisher":  {roleIntensifier, 0, 1, nil},
	"frame":       {roleFrame, -1, 1, earshot.Frames},
	"intent":      {roleIntent, 0, 1, earshot.Intents},
	"emotion":     {roleEmotion, 0, 1, earshot.Emotions},
	"flag":        {roleFlag, 0, 1, earshot.Flags},
	"contrast":    {},
	"number":      {lo: 0, hi: 1e9},
	"unit":        {lo: 0, hi: 1e7},
	"duration":    {lo: 0, hi: 1e7},
	"times":       {},
	"class":       {},
}

func checkSection(section, label string) error {
	s, ok := sections[section]
	if !ok {
		return fmt.Errorf("unknown section %q", section)
	}
	if s.labels != nil && !slices.Contains(s.labels, label) {
		return fmt.Errorf("[%s %s]: the label is not one of %s", section, label, strings.Join(s.labels, ", "))
	}
	if section == "class" && label == "" {
		return fmt.Errorf("[class] needs a name")
	}
	return nil
}

// add reads one entry.
func (l *lexicon) add(lang, section, label, line string) error {
	s, ok := sections[section]
	if !ok {
		return fmt.Errorf("an entry before the first section")
	}
	text, number, has := strings.Cut(line, "\t")
	text = strings.TrimSpace(text)
	var value float64
	if s.lo != s.hi {
		var err error
		if value, err = strconv.ParseFloat(strings.TrimSpace(number), 64); err != nil || !has {
			return fmt.Errorf("%q needs a tab and a number", text)
		}
		if value < s.lo || value > s.hi {
			return fmt.Errorf("%q: %v is outside %v … %v", text, value, s.lo, s.hi)
		}
	}
	elems, err := l.parsePattern(text)
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	switch section {
	case "contrast":
		l.contrast[foldWord(text)] = true
		return nil
	case "number", "unit", "duration", "times", "class":
		for _, run := range elems.literals() {
			lit := l.literal(run)
			switch section {
			case "number":
				lit.number = &value
			case "unit":
				lit.minutes = &value
			case "duration":
				lit.whole = &value
			case "times":
				lit.times = true
			case "class":
				l.join(lit, l.class(label))
			}
		}
		if len(elems.literals()) == 0 {
			return fmt.Errorf("%q: a [%s] entry is a plain text or (a|b)", text, section)
		}
		return nil
	}
	e := entry{role: s.role, label: label, weight: value, source: "lexicon:" + lang + "/" + section}
	if s.role == roleFrame {
		e.source = "rule:" + label
	}
	if section == "negator" && label == "after" {
		e.role, e.label = roleNegatorAfter, ""
	}
	if runs := elems.literals(); len(runs) > 0 && !elems.first && !elems.last {
		for _, run := range runs {
			lit := l.literal(run)
			lit.entries = append(lit.entries, e)
		}
		return nil
	}
	if s.role <= roleIntensifier {
		return fmt.Errorf("%q: a [%s] entry is a plain text or (a|b)", text, section)
	}
	l.addPattern(elems, e)
	return nil
}

// literal gives the literal of a run of units, made if it is new. The pointer
// is good until the next call.
func (l *lexicon) literal(run []Unit) *literal {
	node := int32(0)
	for _, u := range run {
		sym, ok := l.symbols[u.Norm]
		if !ok {
			sym = uint32(len(l.symbols) + 1)
			l.symbols[strings.Clone(u.Norm)] = sym
		}
		next, ok := l.edges[edge{node, sym}]
		if !ok {
			next = int32(len(l.ends))
			l.ends = append(l.ends, -1)
			l.edges[edge{node, sym}] = next
		}
		node = next
	}
	if l.ends[node] < 0 {
		l.ends[node] = int32(len(l.literals))
		l.literals = append(l.literals, literal{units: len(run), kind: run[0].Kind})
	}
	return &l.literals[l.ends[node]]
}

// class gives the number of a named class, made if it is new.
func (l *lexicon) class(name string) int32 {
	id, ok := l.classes[name]
	if !ok {
		id = l.newClass()
		l.classes[name] = id
	}
	return id
}

func (l *lexicon) newClass() int32 {
	l.starts = append(l.starts, nil)
	return int32(len(l.starts) - 1)
}

func (l *lexicon) join(lit *literal, class int32) {
	if !slices.Contains(lit.classes, class) {
		lit.classes = append(lit.classes, class)
	}
}
