package query

import (
	"unicode"

	"github.com/earshot-cx/earshot/nlp"
)

// A Tokenizer cuts a text into words; *nlp.Pipeline is the one.
type Tokenizer interface {
	Tokens(text string) []nlp.Token
}

// A Term is what an unquoted word asks for: a token of the same stem, or a
// run of units wherever it stands. A Word of several terms needs all of them,
// each in any turn.
type Term struct {
	Stem  string     // Norm of the token; "" for a run
	Units []nlp.Unit // the folded run, and of a stem term the units of its token; the first has no Space
}

// particles are Chinese words of one character, folded, that ask for nothing
// when they stand in a longer word: nearly every text has them.
var particles = map[string]bool{"的": true, "了": true, "吗": true, "呢": true, "吧": true, "啊": true,
	"嘅": true, "咗": true, "㗎": true, "呀": true, "喇": true}

// Terms cuts an unquoted word. Marks are left out unless there is nothing but
// marks, and particles unless there is nothing but them.
//
// A Chinese or Thai token of one character asks for next to nothing alone, and
// names are cut into such tokens. So it goes together with the token after it,
// or, at the end, with the one before it: 张小凡 and 没到 are one run.
func Terms(text string, tok Tokenizer) []Term {
	tokens := tok.Tokens(text)
	terms := cut(text, tokens, particles)
	if len(terms) == 0 {
		terms = cut(text, tokens, nil)
	}
	if len(terms) == 0 {
		terms = appendRuns(nil, text, []run{{start: 0, end: len(text)}})
	}
	return terms
}

// cut makes terms of tokens, without those whose Norm is in skip.
func cut(text string, tokens []nlp.Token, skip map[string]bool) []Term {
	var terms []Term
	var runs []run
	flush := func() {
		terms = appendRuns(terms, text, runs)
		runs = runs[:0]
	}
	for _, t := range tokens {
		switch {
		case t.Kind == nlp.Word || t.Kind == nlp.Number:
			flush()
			terms = append(terms, Term{Stem: t.Norm, Units: Run(text[t.Start:t.End])})
		case t.Kind == nlp.Punct || skip[t.Norm]:
			flush()
		case t.Kind == nlp.Emoji:
			flush()
			terms = appendRuns(terms, text, []run{{start: t.Start, end: t.End}})
		default:
			runs = addRun(runs, t, text)
		}
	}
	flush()
	return terms
}

// Run is the run of units that a phrase asks for. Space before the first is not asked for.
func Run(phrase string) []nlp.Unit {
	units := nlp.Units(nil, phrase)
	if len(units) > 0 {
		units[0].Space = false
	}
	return units
}

// A run is a piece of a word that becomes one term.
type run struct {
	start, end int
	kind       nlp.Kind
	one        bool // its last token is one character, and so it wants the next token
	single     bool // it is one character altogether
}

// addRun puts a token behind runs, which are the ones since the last mark or Latin word.
func addRun(runs []run, t nlp.Token, text string) []run {
	one := oneCharacter(text[t.Start:t.End])
	if n := len(runs); n > 0 && runs[n-1].end == t.Start && runs[n-1].kind == t.Kind &&
		(runs[n-1].one || t.Kind == nlp.Syl) {
		runs[n-1].end, runs[n-1].one, runs[n-1].single = t.End, one, false
		return runs
	}
	return append(runs, run{start: t.Start, end: t.End, kind: t.Kind, one: one, single: one})
}

// appendRuns turns runs into terms, a last one of one character together with the one before it.
func appendRuns(terms []Term, text string, runs []run) []Term {
	if n := len(runs); n > 1 && runs[n-1].single && runs[n-2].end == runs[n-1].start && runs[n-2].kind == runs[n-1].kind {
		runs[n-2].end = runs[n-1].end
		runs = runs[:n-1]
	}
	for _, r := range runs {
		if units := Run(text[r.start:r.end]); len(units) > 0 {
			terms = append(terms, Term{Units: units})
		}
	}
	return terms
}

// oneCharacter says whether s is one character with its marks.
func oneCharacter(s string) bool {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.M, r) {
			n++
		}
	}
	return n == 1
}
