package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/earshot-cx/earshot"
)

// fieldPrefix reads a name and the colon behind it, as in channel:chat, and
// gives the length of both; 0 if there is none, or if white space or nothing
// follows: "note: late" are words.
func fieldPrefix(s string) (name string, size int) {
	i := 0
	for i < len(s) && (isASCIILetter(s[i]) || s[i] == '_') {
		i++
	}
	name = strings.ToLower(s[:i])
	if name == "field" && i < len(s) && s[i] == '.' {
		own, n := ownName(s[i+1:])
		if n == 0 {
			return "", 0
		}
		name, i = FieldPrefix+own, i+1+n
	}
	if i == 0 {
		return "", 0
	}
	colon, n := utf8.DecodeRuneInString(s[i:])
	after := s[i+n:]
	if !isColon(colon) || after == "" || unicode.IsSpace(firstRune(after)) {
		return "", 0
	}
	return name, i + n
}

// ownName reads the name of a field of the sender's own, plain or in quotes, up to the colon.
func ownName(s string) (name string, size int) {
	if r, n := utf8.DecodeRuneInString(s); n > 0 && isQuote(r) {
		name, size = unquote(r, s[n:])
		if size < 0 || name == "" {
			return "", 0
		}
		return name, n + size
	}
	size = strings.IndexFunc(s, func(r rune) bool {
		return isColon(r) || unicode.IsSpace(r) || isQuote(r) || isOpening(r) || isClosing(r) || r == '\\'
	})
	if size <= 0 {
		return "", 0
	}
	return s[:size], size
}

// field reads the leaf whose name and colon, size bytes, are at p.at. It is no
// field, and the parser stays where it is, where somebody typed an address or a face.
func (p *parser) field(name string, size int) (n Node, ok bool) {
	from := p.at
	rest := p.q[from+size:]
	first := firstRune(rest)
	if isOpening(first) && ends(strings.TrimLeft(rest, string(first))) || isClosing(first) || strings.HasPrefix(rest, `\`) {
		return nil, false // "topic:(" is a face
	}
	if !known(name) {
		if strings.HasPrefix(rest, "//") || !beginsValue(first) {
			return nil, false
		}
		p.fail(from, "unknown_field", fieldHint(name), "there is no such field")
		return nil, false
	}
	if isOpening(first) {
		p.fail(from+size, "syntax", "write the field before each value: (channel:chat OR channel:call)", "a field takes one value")
		return nil, false
	}
	p.at += size
	var value string
	quoted := isQuote(first)
	if quoted {
		if value, ok = p.quoted(); !ok {
			p.badQuote(from+size, false)
			return nil, false
		}
	} else {
		value = p.plainValue()
	}
	if strings.TrimSpace(value) == "" {
		p.fail(from+size, "empty_value", "write a value behind the colon", "the field has no value")
		return nil, false
	}
	return p.filter(name, value, quoted, from, from+size), p.err == nil
}

// plainValue reads a value without quotes, to the next white space or parenthesis.
func (p *parser) plainValue() string {
	n := strings.IndexFunc(p.q[p.at:], func(r rune) bool { return unicode.IsSpace(r) || isOpening(r) || isClosing(r) })
	if n < 0 {
		n = len(p.q) - p.at
	}
	value := p.q[p.at : p.at+n]
	p.at += n
	return value
}

// filter makes the leaf of a known name. at is the offset of the value.
func (p *parser) filter(name, value string, quoted bool, from, at int) Node {
	switch {
	case name == "similar":
		p.fail(from, "not_supported", "search for its words", "similar: is not available yet")
	case name == "at":
		return p.time(value, at)
	case name == "has":
		return p.has(value, at)
	case slices.Contains(Numbers, name):
		return p.number(name, value, at)
	case quoted:
	case strings.HasPrefix(name, FieldPrefix) && looksLikeRange(value):
		return p.number(name, value, at)
	case name == "lang" && strings.EqualFold(value, "zh"):
		p.enter(from)
		p.depth--
		p.count(from)
		p.count(from)
		return Or{Field{name, "zh-Hans"}, Field{name, "zh-Hant"}, Field{name, "yue"}}
	}
	return Field{name, value}
}

func (p *parser) has(value string, at int) Node {
	name := value
	if !strings.HasPrefix(name, FieldPrefix) || name == FieldPrefix {
		if name = strings.ToLower(value); !slices.Contains(Fields, name) && !slices.Contains(Numbers, name) {
			p.fail(at, "unknown_field", "has:"+closest(name, slices.Concat(Fields, Numbers)), "there is no such field to have")
		}
	}
	return Has{name}
}

// number reads a range of numbers: 3, <3, <=3, >3, >=3, 1..3, 1.., ..3, >1..<3.
func (p *parser) number(name, value string, at int) Node {
	r := Range{Name: name}
	lo, hi, ok := bounds(value)
	var good [2]bool
	r.Min, r.OverMin, good[0] = lo.number()
	r.Max, r.BelowMax, good[1] = hi.number()
	switch {
	case !ok || !good[0] || !good[1]:
		p.fail(at, "invalid_number", name+":1..3, "+name+":>=0.5", "the value is no number and no range of numbers")
	case r.Min != nil && r.Max != nil && (*r.Min > *r.Max || *r.Min == *r.Max && (r.OverMin || r.BelowMax)):
		p.fail(at, "empty_range", "write the lower bound first", "nothing lies between the bounds")
	}
	return r
}

// time reads a range of times, like number.
func (p *parser) time(value string, at int) Node {
	var t Time
	lo, hi, ok := bounds(value)
	if lo.text != "" {
		first, after, good := p.moment(lo.text)
		ok = ok && good
		if t.From = first; lo.strict {
			t.From = after
		}
	}
	if hi.text != "" {
		first, after, good := p.moment(hi.text)
		ok = ok && good
		switch {
		case hi.strict:
			t.To = first
		case hi.sign || lo == hi || isDate(hi.text):
			t.To = after
		default: // …..instant: half-open
			t.To = first
		}
	}
	switch {
	case !ok:
		p.fail(at, "invalid_time", "at:2026-11-01..2026-11-07, at:>2026-11-01T09:00:00+07:00, at:>-24h", "the value is no time and no range of times")
	case lo == hi && lo.text != "" && t.From.Equal(t.To):
		p.fail(at, "empty_range", "at:>-24h is since then, at:<-24h until then", "a time before now is an instant, at which nothing is said")
	case !t.From.IsZero() && !t.To.IsZero() && !t.From.Before(t.To):
		p.fail(at, "empty_range", "write the earlier time first", "nothing lies between the bounds")
	}
	return t
}

// moment reads a date, an instant or a time before now. It gives its first
// instant and the first one after it, in UTC.
func (p *parser) moment(s string) (first, after time.Time, ok bool) {
	if isDate(s) {
		day, err := time.ParseInLocation(time.DateOnly, s, p.o.Location)
		return day.UTC(), day.AddDate(0, 0, 1).UTC(), err == nil && day.Year() > 0
	}
	if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err == nil {
		t = t.UTC()
		return t, t.Add(1), t.Year() > 0 && t.Year() < 10000
	}
	ago, ok := ago(s)
	t := p.o.Now.Add(-ago).UTC().Round(0)
	return t, t, ok
}

func isDate(s string) bool { return len(s) == len(time.DateOnly) }

// ago reads "now" or a time before it: -90m, -24h, -7d, -2w.
func ago(s string) (time.Duration, bool) {
	if strings.EqualFold(s, "now") {
		return 0, true
	}
	if len(s) < 3 || s[0] != '-' {
		return 0, false
	}
	unit, ok := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[s[len(s)-1]|0x20]
	n, err := strconv.ParseUint(s[1:len(s)-1], 10, 32)
	if !ok || err != nil || time.Duration(n) > 100*365*24*time.Hour/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// A bound is one end of a range as it was typed. An empty text is open.
type bound struct {
	text   string
	sign   bool // < <= > >= stood before it
	strict bool // < or >: the bound itself is out
}

// bounds cuts the value of a range into its ends. A value alone is both.
func bounds(value string) (lo, hi bound, ok bool) {
	value = strings.NewReplacer("≤", "<=", "≥", ">=", "−", "-").Replace(width.Narrow.String(value))
	if left, right, both := strings.Cut(value, ".."); both {
		lo, okLo := oneBound(left, '>')
		hi, okHi := oneBound(right, '<')
		return lo, hi, okLo && okHi
	}
	switch value[0] {
	case '<':
		hi, ok = oneBound(value, '<')
		return bound{}, hi, ok && hi.text != ""
	case '>':
		lo, ok = oneBound(value, '>')
		return lo, bound{}, ok && lo.text != ""
	}
	b := bound{text: strings.TrimPrefix(value, "=")}
	return b, b, b.text != ""
}

func oneBound(s string, sign byte) (b bound, ok bool) {
	if s == "" {
		return bound{}, true
	}
	b.text = s
	if s[0] == sign {
		b.sign, b.strict, b.text = true, true, s[1:]
		if rest, orEqual := strings.CutPrefix(b.text, "="); orEqual {
			b.strict, b.text = false, rest
		}
	}
	return b, b.text != ""
}

func (b bound) number() (x *float64, strict, ok bool) {
	if b.text == "" {
		return nil, false, true
	}
	if strings.Trim(b.text, "0123456789+-.eE") != "" { // no hexadecimal, no infinity
		return nil, false, false
	}
	f, err := strconv.ParseFloat(b.text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, false, false
	}
	f += 0 // −0 is 0
	return &f, b.strict, true
}

// looksLikeRange says whether the value of a field of the sender's own, which
// may hold anything, is meant as a range of numbers: it has a sign, or numbers around two dots.
func looksLikeRange(value string) bool {
	if strings.ContainsRune("<>＜＞≤≥", firstRune(value)) {
		return true
	}
	if !strings.Contains(width.Narrow.String(value), "..") {
		return false
	}
	lo, hi, ok := bounds(value)
	_, _, okLo := lo.number()
	_, _, okHi := hi.number()
	return ok && okLo && okHi
}

func known(name string) bool {
	return strings.HasPrefix(name, FieldPrefix) || slices.Contains(Fields, name) || slices.Contains(Numbers, name) ||
		name == "at" || name == "has" || name == "similar"
}

// beginsValue says whether r can begin the value of a field that somebody meant as one.
func beginsValue(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || isQuote(r) || isMinus(r) || strings.ContainsRune("<>=＜＞＝≤≥.*", r)
}

// fieldHint says what to write instead of a field that does not exist.
func fieldHint(name string) string {
	if name == "field" {
		return "a field of your own is field.NAME:"
	}
	return closest(name, slices.Concat(Fields, Numbers, []string{"at", "has"})) +
		": is the closest field; a field of your own is field.NAME: ; put words with a colon in quotes"
}

// closest is the name in list that takes the fewest edits.
func closest(name string, list []string) string {
	best, least := "", math.MaxInt
	if len(name) > 32 {
		name = name[:32]
	}
	for _, s := range list {
		if n := earshot.Edits(name, s); n < least {
			best, least = s, n
		}
	}
	return best
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
