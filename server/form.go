package server

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/ingest"
)

// maxForm is the size of a JSON body that is not a verbatim.
const maxForm = 1 << 20

// A form is the parameters of a request, from its query or from a JSON object
// of the same names. Each is asked for by name; err tells what was wrong and
// what nobody asked for.
type form struct {
	values map[string]any
	text   bool // from a query, where a number is written as text
	asked  []string
	bad    []earshot.FieldError
}

func queryForm(q url.Values) *form {
	f := &form{values: map[string]any{}, text: true}
	for name, values := range q {
		f.values[name] = values[0]
		if len(values) > 1 {
			f.wrong(name, "duplicate_name", name+" is given twice")
		}
	}
	return f
}

// queryOf reads the query of a request, strictly: "%zz" and ";" are errors.
func queryOf(c *call) (*form, error) {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, earshot.Errorf(earshot.Invalid, "the query of the address is not well-formed")
	}
	return queryForm(q), nil
}

// formOf reads the JSON body of a request.
func (s *Server) formOf(c *call) (*form, error) {
	if _, err := c.mediaType(jsonType); err != nil {
		return nil, err
	}
	data, err := s.readBody(c, maxForm)
	if err != nil {
		return nil, err
	}
	values, err := ingest.DecodeForm(data)
	if err != nil {
		return nil, err
	}
	return &form{values: values}, nil
}

func (f *form) wrong(name, code, detail string) {
	f.bad = append(f.bad, earshot.FieldError{Pointer: "/" + earshot.EscapePointer(name), Code: code, Detail: detail})
}

func (f *form) get(name string) (any, bool) {
	f.asked = append(f.asked, name)
	v, ok := f.values[name]
	return v, ok
}

// has says whether a parameter was given, of whatever kind.
func (f *form) has(name string) bool {
	_, ok := f.values[name]
	return ok
}

func (f *form) string(name string) string {
	v, ok := f.get(name)
	s, isString := v.(string)
	if ok && !isString {
		f.wrong(name, "wrong_type", name+" is not a string")
	}
	return s
}

func (f *form) bool(name string) bool {
	v, ok := f.get(name)
	if b, isBool := v.(bool); isBool {
		return b
	}
	switch {
	case !ok || f.text && (v == "false" || v == "0"):
		return false
	case f.text && (v == "true" || v == "1"):
		return true
	}
	f.wrong(name, "wrong_type", name+" is true or false")
	return false
}

func (f *form) int(name string, least, most, otherwise int) int {
	v, ok := f.get(name)
	if !ok {
		return otherwise
	}
	x, isNumber := v.(float64)
	if f.text {
		n, err := strconv.Atoi(fmt.Sprint(v))
		x, isNumber = float64(n), err == nil
	}
	switch {
	case !isNumber || x != float64(int(x)):
		f.wrong(name, "wrong_type", name+" is not a whole number")
	case int(x) < least || int(x) > most:
		f.wrong(name, "out_of_range", fmt.Sprintf("%s is %d to %d", name, least, most))
	default:
		return int(x)
	}
	return otherwise
}

// list is an array of strings, or one string with commas.
func (f *form) list(name string) []string {
	v, _ := f.get(name)
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	case string:
		if v == "" {
			return nil
		}
		return strings.Split(v, ",")
	}
	f.wrong(name, "wrong_type", name+" is not a list of strings")
	return nil
}

// some is a list of which each is one of known, and none is given twice.
func (f *form) some(name string, known []string) []string {
	list := f.list(name)
	for i, v := range list {
		fault := earshot.FieldError{Pointer: "/" + earshot.EscapePointer(name), Code: "unknown_value", Hint: ingest.Closest(v, known),
			Detail: fmt.Sprintf("%q is not one of %s", shown(v), strings.Join(known, ", "))}
		if slices.Contains(list[:i], v) {
			fault.Code, fault.Hint, fault.Detail = "duplicate_value", "", fmt.Sprintf("%q is given twice", shown(v))
		} else if slices.Contains(known, v) {
			continue
		}
		if !f.text {
			fault.Pointer += "/" + strconv.Itoa(i)
		}
		f.bad = append(f.bad, fault)
		return nil
	}
	return list
}

// oneOf is one of known; "" if none is given.
func (f *form) oneOf(name string, known []string) string {
	v, ok := f.get(name)
	s, isString := v.(string)
	switch {
	case !ok || f.text && s == "" || slices.Contains(known, s):
		return s
	case !isString:
		f.wrong(name, "wrong_type", name+" is not a string")
	default:
		f.bad = append(f.bad, earshot.FieldError{Pointer: "/" + earshot.EscapePointer(name), Code: "unknown_value", Hint: ingest.Closest(s, known),
			Detail: fmt.Sprintf("%s is one of %s", name, strings.Join(known, ", "))})
	}
	return ""
}

// shown is a name or value as sent, fit to be told.
func shown(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 64)], "\ufffd")
}

// time is an RFC 3339 time with an offset, or a day, which begins in zone.
func (f *form) time(name string, zone *time.Location) time.Time {
	s := f.string(name)
	var t time.Time
	if s == "" || t.UnmarshalText([]byte(s)) == nil {
		return t
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t
	}
	f.wrong(name, "invalid_time", name+" is not an RFC 3339 time with an offset, nor a day such as 2026-11-20")
	return time.Time{}
}

// zone is an IANA time zone; UTC if none is given.
func (f *form) zone(name string) *time.Location {
	s := f.string(name)
	if s == "" || s == "Local" {
		if s != "" {
			f.wrong(name, "unknown_value", name+" is not an IANA time zone")
		}
		return time.UTC
	}
	zone, err := time.LoadLocation(s)
	if err != nil {
		f.wrong(name, "unknown_value", name+" is not an IANA time zone")
		return time.UTC
	}
	return zone
}

// err is everything that was wrong, names that nobody asked for included.
func (f *form) err() error {
	var unknown []string
	for name := range f.values {
		if !slices.Contains(f.asked, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown[:min(len(unknown), 20)] {
		f.bad = append(f.bad, earshot.FieldError{Pointer: "/" + earshot.EscapePointer(shown(name)), Code: "unknown_field",
			Detail: fmt.Sprintf("unknown field %q", shown(name)), Hint: ingest.Closest(name, f.asked)})
	}
	switch len(f.bad) {
	case 0:
		return nil
	case 1:
		return &earshot.Error{Code: earshot.Invalid, Message: "1 field is wrong", Fields: f.bad}
	}
	return &earshot.Error{Code: earshot.Invalid, Message: fmt.Sprintf("%d fields are wrong", len(f.bad)), Fields: f.bad}
}
