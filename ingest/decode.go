// Package ingest turns strangers' bytes into verbatims, with a position for
// everything that is wrong.
//
// What it promises:
//
//   - Names are case-sensitive; an unknown name, a name given twice and a value of
//     the wrong type are errors that point at the place. All wrong fields of an
//     object are told at once.
//   - Text is taken as it is but for what no store can keep: invalid UTF-8, lone
//     surrogates, NUL and bidi controls are replaced, and Draft.Cleaned says so.
//   - Time is linear in the length and memory bounded by it; depth is bounded by
//     MaxDepth without recursion.
//   - No error holds a value that was sent, only names, cut to 64 characters.
//
// What a value may be (its length, a closed vocabulary) is judged by
// Verbatim.Validate; Complete joins both kinds of errors.
package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// MaxDepth is how deep objects and arrays may nest; the outermost is 1.
const MaxDepth = 32

// maxErrors is how many wrong fields of one object are told.
const maxErrors = 50

// A Draft is a verbatim as it was sent, cleaned and nothing else: what was left
// out is zero, so that a fingerprint can be taken of it.
type Draft struct {
	Verbatim earshot.Verbatim
	AsTurns  bool // sent as "turns", not as "text"
	Cleaned  bool // something was replaced: earshot.NoteTextCleaned is due
}

// Options say what else an object may hold. The zero value is the wire contract.
type Options struct {
	ID      bool // "id", which goes to Verbatim.ID
	Arrival bool // "received_at", which goes to Verbatim.ReceivedAt
}

// DecodeVerbatim reads one JSON object that is all of data. Its error is an
// *earshot.Error of code Malformed (not JSON, a name twice, too deep) or Invalid
// (wrong fields; the draft then holds the others).
func DecodeVerbatim(data []byte, o Options) (Draft, error) {
	d, err := decodeVerbatim(data, o)
	if errors.Is(err, errSyntax) {
		err = errors.Unwrap(err)
	}
	return d, err
}

// Complete adds to the error of DecodeVerbatim what Verbatim.Validate finds in
// the fields that could be read, so that a sender learns everything at once.
func Complete(d Draft, err error, now time.Time) error {
	e, ok := errors.AsType[*earshot.Error](err)
	if err != nil && (!ok || e.Code != earshot.Invalid) {
		return err
	}
	found, ok := errors.AsType[*earshot.Error](d.Verbatim.Validate(now, d.AsTurns))
	if !ok {
		return err
	}
	if e == nil {
		return found
	}
	told := map[string]bool{"": true} // a wrong text is not a missing one
	for _, f := range e.Fields {
		told[f.Pointer] = true
	}
	all := e.Fields[:len(e.Fields):len(e.Fields)]
	for _, f := range found.Fields {
		if !told[f.Pointer] {
			all = append(all, f)
		}
	}
	return invalid(all)
}

// errSyntax marks a fault after which nothing that follows can be read.
var errSyntax = errors.New("syntax")

type syntaxError struct{ error }

func (e syntaxError) Is(target error) bool { return target == errSyntax }
func (e syntaxError) Unwrap() error        { return e.error }

// A decoder reads one value. A field that is wrong goes to bad and reading goes
// on; an error that is returned ends it.
type decoder struct {
	json    jsontext.Decoder
	src     bytes.Buffer
	scratch []byte
	cleaned bool
	bad     []earshot.FieldError
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Invalid UTF-8 is cleaned by us and noted; names given twice are errors by default.
var jsonOptions = jsontext.AllowInvalidUTF8(true)

func decodeVerbatim(data []byte, o Options) (Draft, error) {
	return decode(data, func(d *decoder, draft *Draft) error { return d.verbatim(draft, o) })
}

// decode lets read read one value that is all of data.
func decode(data []byte, read func(*decoder, *Draft) error) (Draft, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	// The decoder reads a bytes.Buffer in place, without copying it.
	d.src = *bytes.NewBuffer(bytes.TrimPrefix(data, bom))
	d.json.Reset(&d.src, jsonOptions)
	d.cleaned, d.bad = false, nil

	var draft Draft
	err := read(d, &draft)
	if err == nil {
		err = d.end()
	}
	if err == nil && len(d.bad) > 0 {
		err = invalid(d.bad)
	}
	draft.Cleaned = d.cleaned
	d.src = bytes.Buffer{} // a pooled decoder holds no text
	d.json.Reset(&d.src)
	if cap(d.scratch) > 64<<10 {
		d.scratch = nil
	}
	return draft, err
}

// verbatimNames are those of the wire contract, in its order.
var verbatimNames = []string{"external_id", "source", "channel", "at", "text", "turns", "customer", "author",
	"conversation", "url", "rating", "fields", "lang"}

func (d *decoder) verbatim(draft *Draft, o Options) error {
	v := &draft.Verbatim
	asText := false
	err := d.object("", "the verbatim", func(name string) error {
		switch name {
		case "external_id":
			return d.string("/external_id", name, &v.ExternalID)
		case "source":
			return d.string("/source", name, &v.Source)
		case "channel":
			return d.string("/channel", name, &v.Channel)
		case "at":
			return d.time("/at", name, &v.At)
		case "text":
			asText = d.json.PeekKind() == '"'
			var text string
			err := d.string("/text", name, &text)
			if asText && !draft.AsTurns {
				v.Turns = []earshot.Turn{{Speaker: "customer", Text: text}}
			}
			return err
		case "turns":
			draft.AsTurns = d.json.PeekKind() == '['
			if draft.AsTurns {
				v.Turns = nil
			}
			return d.turns(v)
		case "customer":
			return d.string("/customer", name, &v.Customer)
		case "author":
			return d.string("/author", name, &v.Author)
		case "conversation":
			return d.string("/conversation", name, &v.Conversation)
		case "url":
			return d.string("/url", name, &v.URL)
		case "rating":
			return d.rating(v)
		case "fields":
			return d.fields(v)
		case "lang":
			return d.string("/lang", name, &v.Hint)
		case "received_at":
			if o.Arrival {
				return d.time("/received_at", name, &v.ReceivedAt)
			}
		case "id":
			if o.ID {
				return d.string("/id", name, &v.ID)
			}
		}
		return d.unknown("", name, verbatimNames)
	})
	if err == nil && asText && draft.AsTurns {
		d.wrong("/turns", "exclusive", "text and turns exclude each other")
	}
	return err
}

var turnNames = []string{"speaker", "text", "start_s", "end_s"}

func (d *decoder) turns(v *earshot.Verbatim) error {
	if ok, err := d.open('[', "/turns", "turns"); !ok {
		return err
	}
	n := 0
	for ; d.json.PeekKind() != ']'; n++ {
		at := "/turns/" + strconv.Itoa(n)
		var t earshot.Turn
		has := false
		whole := d.json.PeekKind() == '{'
		err := d.object(at, "a turn", func(name string) error {
			switch name {
			case "speaker":
				return d.string(at+"/speaker", name, &t.Speaker)
			case "text":
				has = true
				return d.string(at+"/text", name, &t.Text)
			case "start_s":
				return d.number(at+"/start_s", name, &t.StartS)
			case "end_s":
				return d.number(at+"/end_s", name, &t.EndS)
			}
			return d.unknown(at, name, turnNames)
		})
		if err != nil {
			return err
		}
		if whole && !has {
			d.wrong(at+"/text", "required", "a turn needs text")
		}
		if n < earshot.MaxTurns { // the others are only counted
			v.Turns = append(v.Turns, t)
		}
	}
	if n > earshot.MaxTurns {
		d.fault(earshot.FieldError{Pointer: "/turns", Code: "too_many", Limit: earshot.MaxTurns,
			Detail: fmt.Sprintf("there are %d turns; the limit is %d", n, earshot.MaxTurns)})
	}
	_, err := d.token()
	return err
}

var ratingNames = []string{"value", "scale", "min", "max"}

func (d *decoder) rating(v *earshot.Verbatim) error {
	if d.json.PeekKind() != '{' {
		return d.object("/rating", "rating", nil)
	}
	var r earshot.Rating
	var value *float64
	before := len(d.bad)
	err := d.object("/rating", "rating", func(name string) error {
		switch name {
		case "value":
			return d.number("/rating/value", name, &value)
		case "scale":
			return d.string("/rating/scale", name, &r.Scale)
		case "min":
			return d.number("/rating/min", name, &r.Min)
		case "max":
			return d.number("/rating/max", name, &r.Max)
		}
		return d.unknown("/rating", name, ratingNames)
	})
	if err != nil || len(d.bad) > before {
		return err
	}
	if value == nil {
		d.wrong("/rating/value", "required", "a rating needs a value")
		return nil
	}
	r.Value = *value
	v.Rating = &r
	return nil
}

// fields reads the sender's own labels.
func (d *decoder) fields(v *earshot.Verbatim) error {
	n := 0
	err := d.object("/fields", "fields", func(name string) error {
		name = d.clean(name)
		at := pointer("/fields", name)
		if _, twice := v.Fields[name]; twice {
			d.wrong(at, "duplicate_name", "two fields have the same name once it is cleaned")
			return d.skip()
		}
		value, err := d.scalar(at)
		if err != nil || value == nil {
			return err
		}
		if n++; n > earshot.MaxFields { // the others are only counted
			return nil
		}
		if v.Fields == nil {
			v.Fields = map[string]any{}
		}
		v.Fields[name] = value
		return nil
	})
	if n > earshot.MaxFields {
		d.fault(earshot.FieldError{Pointer: "/fields", Code: "too_many", Limit: earshot.MaxFields,
			Detail: fmt.Sprintf("there are %d fields; the limit is %d", n, earshot.MaxFields)})
	}
	return err
}

// scalar reads a string, number or boolean; nil for null and for what is wrong.
func (d *decoder) scalar(at string) (any, error) {
	switch d.json.PeekKind() {
	case '"':
		var s string
		err := d.string(at, "", &s)
		return s, err
	case '0':
		var f *float64
		if err := d.number(at, "the field", &f); err != nil || f == nil {
			return nil, err
		}
		return *f, nil
	case 't', 'f':
		t, err := d.token()
		return t.Kind() == 't', err
	case 'n':
		return nil, d.skip()
	}
	return nil, d.wrongType(at, "the field", "a string, a number, true or false")
}

// object reads an object and calls field for each name; field reads the value.
// What is not an object is wrong, but null is absent.
func (d *decoder) object(at, what string, field func(name string) error) error {
	if ok, err := d.open('{', at, what); !ok {
		return err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.token()
		if err != nil {
			return err
		}
		if err := field(name.String()); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// open reads the beginning of an object or array and says whether there was one.
func (d *decoder) open(kind jsontext.Kind, at, what string) (bool, error) {
	if d.json.PeekKind() == kind {
		_, err := d.token()
		return err == nil, err
	}
	noun := "an object"
	if kind == '[' {
		noun = "an array"
	}
	if at == "" && d.json.PeekKind() == 'n' { // there is nothing for it to be absent from
		d.wrong(at, "wrong_type", what+" is not "+noun)
		return false, d.skip()
	}
	return false, d.wrongType(at, what, noun)
}

func (d *decoder) string(at, what string, to *string) error {
	if d.json.PeekKind() != '"' {
		return d.wrongType(at, what, "a string")
	}
	raw, err := d.json.ReadValue()
	if err != nil {
		return d.malformed(err)
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		*to = d.clean(string(inner))
		return nil
	}
	// The only error left to AppendUnquote is about UTF-8, which it has replaced by then.
	d.scratch, err = jsontext.AppendUnquote(d.scratch[:0], raw)
	if err != nil {
		d.cleaned = true
	}
	*to = d.clean(string(d.scratch))
	return nil
}

func (d *decoder) clean(s string) string {
	s, changed := nlp.Clean(s)
	d.cleaned = d.cleaned || changed
	return s
}

// number reads a number. A whole number that a double cannot hold is refused:
// it is an identifier, and would come back with other digits.
func (d *decoder) number(at, what string, to **float64) error {
	if d.json.PeekKind() != '0' {
		return d.wrongType(at, what, "a number")
	}
	raw, err := d.json.ReadValue()
	if err != nil {
		return d.malformed(err)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		d.wrong(at, "out_of_range", what+" is too large for a number")
	case (f > 1<<53 || f < -1<<53) && !bytes.ContainsAny(raw, ".eE") && strconv.FormatFloat(f, 'f', -1, 64) != string(raw):
		d.fault(earshot.FieldError{Pointer: at, Code: "out_of_range",
			Detail: what + " has more digits than a number can keep", Hint: "send it as a string"})
	default:
		*to = &f
	}
	return nil
}

func (d *decoder) time(at, what string, to *time.Time) error {
	if d.json.PeekKind() != '"' {
		return d.wrongType(at, what, "a string")
	}
	var s string
	if err := d.string(at, what, &s); err != nil {
		return err
	}
	// UnmarshalText is strict where time.Parse is not, as with one-digit hours.
	if err := to.UnmarshalText([]byte(s)); err != nil {
		*to = time.Time{}
		d.fault(earshot.FieldError{Pointer: at, Code: "invalid_time",
			Detail: what + " is not an RFC 3339 time with an offset", Hint: "2026-11-20T09:15:00+07:00"})
	}
	return nil
}

// end makes sure that nothing follows the value.
func (d *decoder) end() error {
	offset := d.json.InputOffset()
	rest := bytes.TrimLeft(d.json.UnreadBuffer(), " \t\r\n")
	if len(rest) == 0 {
		return nil
	}
	return syntaxError{malformed(earshot.FieldError{Code: "trailing_data",
		Detail: fmt.Sprintf("something follows the value that ends at byte %d", offset)})}
}

// skip passes over a value, however deep, without recursion.
func (d *decoder) skip() error {
	base := d.json.StackDepth()
	for {
		if _, err := d.token(); err != nil {
			return err
		}
		if d.json.StackDepth() <= base {
			return nil
		}
	}
}

func (d *decoder) token() (jsontext.Token, error) {
	t, err := d.json.ReadToken()
	if err != nil {
		return t, d.malformed(err)
	}
	if d.json.StackDepth() > MaxDepth {
		return t, malformed(earshot.FieldError{Code: "too_deep", Limit: MaxDepth,
			Detail: fmt.Sprintf("objects and arrays nest deeper than %d", MaxDepth)})
	}
	return t, nil
}
