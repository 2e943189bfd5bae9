package index

import (
	"bytes"
	"math"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// number encodes 64 bits as ten bytes below 0x80, since a doc value ends at 0xFF.
func number(bits uint64) string {
	var b [10]byte
	for i := range b {
		b[i] = byte(bits >> (7 * (9 - i)) & 0x7F)
	}
	return string(b[:])
}

func parseNumber(b []byte) (bits uint64) {
	for _, c := range b {
		bits = bits<<7 | uint64(c)
	}
	return bits
}

func floatBits(x float64) uint64 { return math.Float64bits(x) }

// values reads the doc values of one field of one segment. It is fast when doc numbers grow.
type values struct {
	v      *view
	fields []string
	state  segment.DocVisitState
	visit  func(field string, term []byte)
}

func (x *values) read(doc uint64) {
	var err error
	if x.state, err = x.v.docValues.VisitDocValues(doc, x.fields, x.visit, x.state); err != nil {
		x.v.search.fail(err)
	}
}

// numbers gives a reader of a number field: its 64 bits in a document, and whether the document has it.
func (v *view) numbers(field, prefix string) func(doc uint64) (uint64, bool) {
	var bits uint64
	var found bool
	x := &values{v: v, fields: []string{field}}
	x.visit = func(_ string, term []byte) {
		if len(term) == len(prefix)+10 && string(term[:len(prefix)]) == prefix {
			bits, found = parseNumber(term[len(prefix):]), true
		}
	}
	return func(doc uint64) (uint64, bool) {
		bits, found = 0, false
		x.read(doc)
		return bits, found
	}
}

// floats is numbers for a field of doubles.
func (v *view) floats(name string) func(doc uint64) (float64, bool) {
	field, prefix := numberField(name)
	read := v.numbers(field, prefix)
	return func(doc uint64) (float64, bool) {
		bits, ok := read(doc)
		return math.Float64frombits(bits), ok
	}
}

// keywords gives a reader that calls each with every value that a document has under a name, as it was sent.
func (v *view) keywords(name string, each func(value []byte)) func(doc uint64) {
	field, own := keywordField(name)
	prefix := []byte(own)
	var folded [][]byte            // of the document in hand
	shown := map[string]struct{}{} // folded forms that each has been told in another form
	x := &values{v: v, fields: []string{field}}
	x.visit = func(_ string, term []byte) {
		if len(term) == 0 || !bytes.HasPrefix(term[1:], prefix) {
			return
		}
		value := term[1+len(prefix):]
		if term[0] == shownMark {
			each(value)
			shown[fold(string(value))] = struct{}{}
			return
		}
		folded = append(folded, value)
	}
	return func(doc uint64) {
		folded = folded[:0]
		clear(shown)
		x.read(doc)
		for _, value := range folded {
			if len(shown) > 0 {
				if _, ok := shown[string(value)]; ok {
					continue
				}
			}
			each(value)
		}
	}
}
