package server

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/earshot-cx/earshot"
)

// offsets is the unit of the offsets in an answer: "" and "byte" are bytes,
// "utf16" code units, "rune" code points.
type offsets string

func (f *form) offsets() offsets {
	s := f.string("offsets")
	if s != "" && !slices.Contains([]string{"byte", "utf16", "rune"}, s) {
		f.wrong("offsets", "unknown_value", "offsets is byte, utf16 or rune")
	}
	return offsets(s)
}

func (o offsets) inBytes() bool { return o == "" || o == "byte" }

// of gives what to answer for a record: itself, or its wire form in another unit.
func (o offsets) of(rec *earshot.Record) any {
	if o.inBytes() || rec == nil {
		return rec
	}
	return converted{rec, o}
}

// ofHit converts the offsets of a hit, which point into text.
func (o offsets) ofHit(text string, h *hit) {
	if o.inBytes() {
		return
	}
	at := o.table(text)
	convert := func(s *earshot.Span) { s.Start, s.End = at[s.Start], at[s.End] }
	convert(&h.Fragment.Span)
	for i := range h.Marks {
		convert(&h.Marks[i])
	}
}

// table gives for each byte offset of text the offset in the unit.
func (o offsets) table(text string) []int {
	at := make([]int, len(text)+1)
	n, prev := 0, 0
	for i, r := range text {
		for ; prev <= i; prev++ { // an offset inside a character is that of its end
			at[prev] = n
		}
		n++
		if o == "utf16" && r >= 0x10000 {
			n++
		}
	}
	for ; prev <= len(text); prev++ {
		at[prev] = n
	}
	return at
}

// A converted record is one whose offsets are in another unit than bytes. Its
// wire form is rewritten token by token: every "start" and "end" is an offset
// into the text, but for what the sender calls so in "fields".
type converted struct {
	rec  *earshot.Record
	unit offsets
}

// MarshalJSON implements json.Marshaler.
func (c converted) MarshalJSON() ([]byte, error) {
	wire, err := c.rec.MarshalJSON()
	if err != nil {
		return nil, err
	}
	at := c.unit.table(c.rec.Verbatim.Text())
	var out bytes.Buffer
	dec, enc := jsontext.NewDecoder(bytes.NewReader(wire)), jsontext.NewEncoder(&out)
	for depth := -1; depth != 0; depth = dec.StackDepth() {
		token, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		name := ""
		if kind, n := dec.StackIndex(dec.StackDepth()); kind == '{' && n%2 == 1 {
			name = token.String() // an odd number of tokens so far: this one is a name
		}
		if err := enc.WriteToken(token); err != nil {
			return nil, err
		}
		switch kind := dec.PeekKind(); {
		case name == "fields" && dec.StackDepth() == 1:
			value, err := dec.ReadValue()
			if err != nil {
				return nil, err
			}
			if err := enc.WriteValue(value); err != nil {
				return nil, err
			}
		case (name == "start" || name == "end") && kind == '0':
			token, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			if i, err := strconv.Atoi(token.String()); err == nil && i >= 0 && i < len(at) {
				token = jsontext.Int(int64(at[i]))
			}
			if err := enc.WriteToken(token); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}
