package ingest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// maxShown is how many characters of a sender's name for something an error shows.
const maxShown = 64

// wrong adds a wrong field.
func (d *decoder) wrong(at, code, detail string) {
	d.fault(earshot.FieldError{Pointer: at, Code: code, Detail: detail})
}

func (d *decoder) fault(f earshot.FieldError) {
	if len(d.bad) < maxErrors {
		d.bad = append(d.bad, f)
	}
}

// wrongType passes over a value that is not a noun ("a string"). Null is absent, not wrong.
func (d *decoder) wrongType(at, what, noun string) error {
	switch d.json.PeekKind() {
	case 0: // the end, or no value at all: let the parser say it
	case 'n':
	default:
		d.wrong(at, "wrong_type", what+" is not "+noun)
	}
	return d.skip()
}

// unknown passes over the value of a name that is not among known.
func (d *decoder) unknown(at, name string, known []string) error {
	name, _ = nlp.Clean(name)
	hint := Closest(name, known)
	if hint == "" && at == "" {
		hint = `labels of your own go into "fields"`
	}
	d.fault(earshot.FieldError{Pointer: pointer(at, name), Code: "unknown_field",
		Detail: fmt.Sprintf("unknown field %q", shown(name)), Hint: hint})
	return d.skip()
}

// malformed turns an error of the parser, whose words may be a customer's, into one of ours.
func (d *decoder) malformed(err error) error {
	e, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case ok && errors.Is(err, jsontext.ErrDuplicateName):
		name, _ := nlp.Clean(e.JSONPointer.LastToken())
		parent, _ := nlp.Clean(string(e.JSONPointer.Parent()))
		return malformed(earshot.FieldError{Pointer: pointer(shown(parent), name), Code: "duplicate_name",
			Detail: fmt.Sprintf("the name %q is given twice", shown(name))})
	case ok:
		return syntaxError{malformed(earshot.FieldError{Code: "syntax",
			Detail: fmt.Sprintf("this is not JSON from byte %d on", e.ByteOffset)})}
	}
	return syntaxError{malformed(earshot.FieldError{Code: "syntax", Detail: "the JSON ends too early"})} // io.EOF and io.ErrUnexpectedEOF
}

func malformed(f earshot.FieldError) error {
	return &earshot.Error{Code: earshot.Malformed, Message: "malformed JSON", Fields: []earshot.FieldError{f}}
}

func invalid(bad []earshot.FieldError) error {
	message := "1 field is wrong"
	if len(bad) != 1 {
		message = fmt.Sprintf("%d fields are wrong", len(bad))
	}
	return &earshot.Error{Code: earshot.Invalid, Message: message, Fields: bad}
}

func pointer(at, name string) string {
	name = shown(name)
	if strings.ContainsAny(name, "~/") {
		name = earshot.EscapePointer(name)
	}
	return at + "/" + name
}

func shown(name string) string {
	n := 0
	for i := range name {
		if n == maxShown {
			return name[:i] + "…"
		}
		n++
	}
	return name
}

// Closest is the known name that name was probably meant to be: the same but
// for case, or at most two letters away; "" if there is none.
func Closest(name string, known []string) string {
	best, least := "", 3
	if len(name) > maxShown {
		return ""
	}
	for _, k := range known {
		if strings.EqualFold(name, k) {
			return k
		}
		if n := earshot.Edits(strings.ToLower(name), k); n < least && n < len(k)/2 {
			best, least = k, n
		}
	}
	return best
}
