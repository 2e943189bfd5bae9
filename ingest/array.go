package ingest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/earshot-cx/earshot"
)

// An Item is one element of an array: a draft, or what is wrong with it.
type Item struct {
	Draft Draft
	Err   error
}

// DecodeArray reads a JSON array of verbatims that is all of data. What is wrong
// inside one element is that element's error, with pointers into it. What is no
// JSON is an error of the whole, and so are more than limit elements.
func DecodeArray(data []byte, limit int) ([]Item, error) {
	s := splitter{rest: bytes.TrimPrefix(data, bom), size: len(data)}
	var items []Item
	for {
		element, ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return items, nil
		}
		if len(items) == limit {
			return nil, &earshot.Error{Code: earshot.Invalid, Message: "too many verbatims", Fields: []earshot.FieldError{{
				Code: "too_many", Limit: limit, Hint: "send NDJSON, which has no limit",
				Detail: fmt.Sprintf("an array has at most %d verbatims", limit)}}}
		}
		d, err := decodeVerbatim(element, Options{})
		if errors.Is(err, errSyntax) {
			return nil, &earshot.Error{Code: earshot.Malformed, Message: "malformed JSON", Fields: []earshot.FieldError{{
				Pointer: fmt.Sprintf("/%d", len(items)), Code: "syntax",
				Detail: fmt.Sprintf("element %d is not JSON", len(items))}}}
		}
		items = append(items, Item{d, err})
	}
}

// A splitter cuts an array into its elements by brackets and quotes alone, so
// that an element that nests too deep or gives a name twice stops only itself.
// Whether an element is JSON is for its decoder to say.
type splitter struct {
	rest []byte
	size int
	open bool // the opening bracket is behind us
	done bool // so is the first element
}

func (s *splitter) next() (element []byte, ok bool, err error) {
	s.space()
	if !s.open {
		if !s.take('[') {
			return nil, false, s.fault("an array does not begin")
		}
		s.open = true
		s.space()
	}
	if s.take(']') {
		s.space()
		if len(s.rest) > 0 {
			return nil, false, s.fault("something follows the array")
		}
		return nil, false, nil
	}
	if s.done && !s.take(',') {
		return nil, false, s.fault("a comma or the end of the array is missing")
	}
	s.done = true
	n := extent(s.rest)
	element, s.rest = s.rest[:n], s.rest[n:]
	if len(bytes.TrimSpace(element)) == 0 {
		return nil, false, s.fault("an element is missing")
	}
	return element, true, nil
}

func (s *splitter) space() { s.rest = bytes.TrimLeft(s.rest, " \t\r\n") }

func (s *splitter) take(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *splitter) fault(what string) error {
	return malformed(earshot.FieldError{Code: "syntax", Detail: fmt.Sprintf("%s at byte %d", what, s.size-len(s.rest))})
}

// extent is the length of the element that b begins with: up to the comma or
// bracket after it, or all of b.
func extent(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
