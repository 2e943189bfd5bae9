package nlp

import (
	"strings"
	"sync"
	"unicode"

	"github.com/jdkato/prose/v2"

	"github.com/earshot-cx/earshot"
)

// maxTagged is how long a text may be to be tagged, in bytes.
const maxTagged = 2000

// tagger is prose's part-of-speech model, loaded at first use: 0.3 s and 20 MB
// that a service without English issues never spends.
var tagger = sync.OnceValue(func() (m *prose.Model) {
	defer func() { _ = recover() }() // a damaged model: no tags
	d, err := prose.NewDocument("", prose.WithExtraction(false), prose.WithSegmentation(false))
	if err != nil {
		return nil
	}
	return d.Model // without the entity model, which we have no use for
})

// NounPhrases gives the noun phrases of a short English text: adjectives and
// nouns that stand together and end with a noun, at most four words. Other
// texts, and those that prose can't be trusted with, have none.
func NounPhrases(text string) (spans []earshot.Span) {
	if len(text) > maxTagged || !taggable(text) {
		return nil
	}
	m := tagger()
	if m == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			spans = nil
		}
	}()
	doc, err := prose.NewDocument(text, prose.UsingModel(m), prose.WithExtraction(false), prose.WithSegmentation(false))
	if err != nil {
		return nil
	}
	// prose gives no offsets: its tokens are found again in their order.
	at := 0
	var run []earshot.Span // words that may stand in a phrase
	nouns := 0             // how many of them reach up to the last noun
	flush := func() {
		if nouns > 0 {
			first := max(0, nouns-4)
			spans = append(spans, earshot.Span{Start: run[first].Start, End: run[nouns-1].End})
		}
		run, nouns = run[:0], 0
	}
	for _, t := range doc.Tokens() {
		i := strings.Index(text[at:], t.Text)
		if i < 0 {
			flush()
			continue
		}
		if strings.ContainsAny(text[at:at+i], ".,;:!?\n") {
			flush()
		}
		span := earshot.Span{Start: at + i, End: at + i + len(t.Text)}
		at = span.End
		switch {
		case strings.HasPrefix(t.Tag, "NN"):
			run = append(run, span)
			nouns = len(run)
		case strings.HasPrefix(t.Tag, "JJ") || t.Tag == "VBN":
			run = append(run, span)
		default:
			flush()
		}
	}
	flush()
	return spans
}

// taggable says whether prose can be trusted with a text: it panics on letters
// whose lower case is longer, and takes quadratic time on runs of marks.
func taggable(text string) bool {
	marks := 0
	for _, r := range text {
		switch {
		case r >= unicode.MaxASCII || r < ' ' && r != '\n' && r != '\t':
			return false
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ':
			marks = 0
		default:
			if marks++; marks > 8 {
				return false
			}
		}
	}
	return true
}
