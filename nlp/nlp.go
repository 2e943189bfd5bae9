// Package nlp turns text into an earshot.Analysis and does nothing else: no
// I/O, no tenant, no clock, no network.
//
// What it promises:
//
//   - Every span is in bytes, half-open, and points into the text that was given;
//     nothing is copied, and tokens with what lies between them give the text back.
//   - No input makes it panic, and time is linear in the length of the text.
//   - The same text gives the same analysis, on every machine, whatever a Worker
//     has seen before.
//   - One tokenizer serves scoring, search, highlights and (later) issues.
//
// A Pipeline holds what was loaded, is read-only and safe for concurrent use. A
// Worker analyses one text at a time and reuses its buffers.
//
// Matching never looks at the text itself but at its folded form: see Units for
// characters and Tokens for words.
package nlp

import (
	"sync"

	"github.com/earshot-cx/earshot"
)

// A Kind is what a unit or token is made of.
type Kind uint8

// The kinds.
const (
	Word   Kind = iota // letters of an alphabet, with the digits and apostrophes inside them: "N95", "don't", "iPhone15"
	Number             // digits with the separators inside them: "3.5", "10:30", "1,200"
	Han                // one Chinese character (unit), a Chinese word (token)
	Thai               // one Thai character with its marks (unit), a Thai word (token)
	Syl                // one kana or hangul syllable, or a letter of another script that writes without spaces
	Emoji              // one emoji with its modifiers, or a kaomoji
	Punct              // one punctuation mark or symbol
)

// A Unit is the smallest piece of a text that matching knows: one Chinese
// character, one Thai character with its marks, one Latin word, one number, one
// emoji, one mark. Units cover everything but white space and what is invisible
// (zero-width and control characters). Two texts are the same to a quoted query
// when their units have the same Norm and the same Space.
type Unit struct {
	earshot.Span
	Norm  string // folded for case, width, script (Simplified), mark order and curly quotes
	Kind  Kind
	Space bool // white space stands before it
}

// A Token is a word. Norm is what words are compared by: folded like a unit,
// and for English also stemmed, so that "refunds" is "refund".
type Token struct {
	earshot.Span
	Norm string
	Kind Kind
}

// A Pipeline holds dictionaries, lexicons and models. It is safe for concurrent use.
type Pipeline struct {
	tok     *tokenizer
	lex     *lexicon
	workers sync.Pool
}

// New loads what is embedded: about 0.3 s and 40 MB, so make one and share it.
func New() (*Pipeline, error) {
	tok, err := newTokenizer()
	if err != nil {
		return nil, err
	}
	lex, err := newLexicon(tok)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{tok: tok, lex: lex}
	p.workers.New = func() any { return newWorker(p) }
	return p, nil
}

// Analyze analyses one verbatim, accepted or about to be. It does not change v.
func (p *Pipeline) Analyze(v *earshot.Verbatim) *earshot.Analysis {
	w := p.workers.Get().(*Worker)
	defer p.workers.Put(w)
	return w.Analyze(v)
}

// Tokens cuts a text into words: numbers, emoji and marks are tokens too, white
// space is not. They are in order and do not overlap.
func (p *Pipeline) Tokens(text string) []Token {
	return p.tok.tokens(nil, text)
}
