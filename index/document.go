package index

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/blevesearch/bleve/v2/document"
	blevindex "github.com/blevesearch/bleve_index_api"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/query"
)

// The fields of schema 1. Beside them every name of query.Fields is a field of
// keywords and every name of query.Numbers one of numbers. The set is fixed:
// what senders name themselves are terms of ownField and ownNumberField, never
// fields, so that no sender can make an index of a million fields.
const (
	wordsField     = "words"  // norms of tokens, with position and offsets
	gramsField     = "grams"  // norms of units and pairs of units, with position: see grams.go
	charsField     = "chars"  // norms of units of scripts without word spaces, without position
	hasField       = "has"    // names of what the record has a value for
	atField        = "at"     // nanoseconds since 1970
	ownField       = "own"    // keywords NAME, ownSep, value
	ownNumberField = "number" // NAME, ownSep, number
)

// A keyword is indexed folded, behind foldedMark, to be matched. Where folding
// changed it, it is there a second time as it was sent, behind shownMark, to be
// counted by facets.
const (
	foldedMark = '='
	shownMark  = '~'
	ownSep     = "\x00"
)

// turnGap is how many positions lie between two turns, so that nothing that asks for neighbours matches across them.
const turnGap = 100

const (
	textOptions  = blevindex.IndexField | blevindex.IncludeTermVectors
	valueOptions = blevindex.IndexField | blevindex.DocValues | blevindex.SkipFreqNorm
	termOptions  = blevindex.IndexField | blevindex.SkipFreqNorm
)

// newDocument makes what bleve indexes of a record. All terms are ours: bleve analyses nothing.
func newDocument(r *earshot.Record, tok query.Tokenizer) *document.Document {
	d := document.NewDocument(r.Verbatim.ID)
	for _, f := range textFields(r, tok) {
		d.AddField(f)
	}

	at := newField(atField, valueOptions, 1)
	at.add(number(uint64(r.Verbatim.At.UnixNano())))
	d.AddField(at)

	has := newField(hasField, termOptions, 0)
	own := newField(ownField, valueOptions, 0)
	ownNumbers := newField(ownNumberField, valueOptions, 0)
	for _, name := range query.Fields {
		if values := query.FieldValues(r, name); len(values) > 0 {
			f := newField(name, valueOptions, len(values))
			for _, v := range values {
				f.addKeyword("", v)
			}
			d.AddField(f)
			has.add(name)
		}
	}
	for _, name := range query.Numbers {
		if x, ok := query.NumberValue(r, name); ok {
			f := newField(name, valueOptions, 1)
			f.add(number(floatBits(x)))
			d.AddField(f)
			has.add(name)
		}
	}
	for name := range r.Verbatim.Fields {
		full := query.FieldPrefix + name
		if !query.HasValue(r, full) {
			continue
		}
		has.add(clean(full))
		for _, v := range query.FieldValues(r, full) {
			own.addKeyword(ownPrefix(name), v)
		}
		if x, ok := query.NumberValue(r, full); ok {
			ownNumbers.add(ownPrefix(name) + number(floatBits(x)))
		}
	}
	for _, f := range []*field{has, own, ownNumbers} {
		if len(f.freqs) > 0 {
			d.AddField(f)
		}
	}
	return d
}

// textFields makes the words and the grams of all turns.
func textFields(r *earshot.Record, tok query.Tokenizer) []*field {
	size := 0
	for i := range r.Verbatim.Turns {
		size += len(r.Verbatim.Turns[i].Text)
	}
	words := newField(wordsField, textOptions, size/6)
	grams := newField(gramsField, textOptions, size/3)
	chars := newField(charsField, termOptions, size/6)
	wordPos, gramPos := 0, 0
	for i, span := range r.Verbatim.TurnSpans() {
		text := r.Verbatim.Turns[i].Text
		for _, t := range tok.Tokens(text) {
			if t.Kind == nlp.Punct || t.Kind == nlp.Emoji {
				continue
			}
			wordPos++
			words.addAt(bounded(t.Norm), wordPos, span.Start+t.Start, span.Start+t.End)
		}
		gramPos = addGrams(grams, chars, query.Run(text), gramPos)
		wordPos += turnGap
		gramPos += turnGap
	}
	return []*field{words, grams, chars}
}

// A field is a field of a document whose terms are ready. It is a document.Field.
type field struct {
	name    string
	options blevindex.FieldIndexingOptions
	freqs   blevindex.TokenFrequencies
	locs    []blevindex.TokenLocation // room for places
	refs    []*blevindex.TokenLocation
}

// newField makes a field with room for about n terms.
func newField(name string, options blevindex.FieldIndexingOptions, n int) *field {
	return &field{name: name, options: options, freqs: make(blevindex.TokenFrequencies, n)}
}

func (f *field) add(term string) {
	if _, ok := f.freqs[term]; !ok {
		f.freqs[term] = &blevindex.TokenFreq{Term: []byte(term)}
	}
}

func (f *field) addKeyword(prefix, value string) {
	value = clean(value)
	folded := fold(value)
	f.add(string(foldedMark) + prefix + folded)
	if folded != value {
		f.add(string(shownMark) + prefix + value)
	}
}

// addAt adds one occurrence of a term, at a position from 1 and byte offsets.
func (f *field) addAt(term string, pos, start, end int) {
	if len(f.locs) == cap(f.locs) {
		f.locs = make([]blevindex.TokenLocation, 0, 64)
	}
	f.locs = append(f.locs, blevindex.TokenLocation{Start: start, End: end, Position: pos})
	t := f.freqs[term]
	if t == nil {
		t = &blevindex.TokenFreq{Term: []byte(term), Locations: f.oneRef()}
		f.freqs[term] = t
	}
	t.Locations = append(t.Locations, &f.locs[len(f.locs)-1])
	t.SetFrequency(t.Frequency() + 1)
}

// oneRef gives an empty slice with room for one, cut from a larger one: most terms occur once.
func (f *field) oneRef() []*blevindex.TokenLocation {
	if len(f.refs) == 0 {
		f.refs = make([]*blevindex.TokenLocation, 64)
	}
	one := f.refs[:0:1]
	f.refs = f.refs[1:]
	return one
}

func (f *field) Name() string                                         { return f.name }
func (f *field) ArrayPositions() []uint64                             { return nil }
func (f *field) Options() blevindex.FieldIndexingOptions              { return f.options }
func (f *field) Analyze()                                             {}
func (f *field) Value() []byte                                        { return nil }
func (f *field) NumPlainTextBytes() uint64                            { return 0 }
func (f *field) Size() int                                            { return 64 * len(f.freqs) }
func (f *field) EncodedFieldType() byte                               { return 't' }
func (f *field) AnalyzedLength() int                                  { return 1 } // our scores know no length
func (f *field) AnalyzedTokenFrequencies() blevindex.TokenFrequencies { return f.freqs }

// keyword gives the field and the term by which a value is matched.
func keyword(name, value string) (fieldName, term string) {
	fieldName, prefix := keywordField(name)
	return fieldName, string(foldedMark) + prefix + fold(clean(value))
}

// keywordField gives the field that holds the keywords of a name, and what they begin with there.
func keywordField(name string) (fieldName, prefix string) {
	if own, ok := strings.CutPrefix(name, query.FieldPrefix); ok {
		return ownField, ownPrefix(own)
	}
	return name, ""
}

// numberField gives the field that holds the numbers of a name, and what they begin with there.
func numberField(name string) (fieldName, prefix string) {
	if own, ok := strings.CutPrefix(name, query.FieldPrefix); ok {
		return ownNumberField, ownPrefix(own)
	}
	return name, ""
}

func ownPrefix(name string) string { return clean(name) + ownSep }

// clean keeps out of a term what the index uses itself: ownSep, and the byte 0xFF that ends a doc value.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), ownSep, "\uFFFD")
}

// maxTerm is the length in bytes up to which a term of the text is indexed as it is. A dictionary holds every
// byte of its terms, and one word of a million letters would be most of it.
const maxTerm = 256

// bounded gives a term, or what stands for one that is too long.
func bounded(term string) string {
	if len(term) <= maxTerm {
		return term
	}
	sum := sha256.Sum256([]byte(term))
	return term[:32] + "\x1e" + hex.EncodeToString(sum[:])
}

func fold(value string) string { return clean(nlp.FoldField(value)) }
