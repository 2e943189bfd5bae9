package query

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func (All) node()    {}
func (And) node()    {}
func (Or) node()     {}
func (Not) node()    {}
func (Word) node()   {}
func (Phrase) node() {}
func (Field) node()  {}
func (Any) node()    {}
func (Range) node()  {}
func (Time) node()   {}
func (Has) node()    {}

func (All) String() string { return "*" }

func (n And) String() string { return join(n, " ") }

func (n Or) String() string { return join(n, " OR ") }

// join puts nodes side by side, with parentheses where Parse needs them: an AND
// inside an OR needs none.
func join(nodes []Node, between string) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(between)
		}
		if _, ok := n.(And); ok && between == " OR " {
			b.WriteString(n.String())
		} else {
			b.WriteString(operand(n))
		}
	}
	return b.String()
}

// operand is n in parentheses if it is made of several nodes.
func operand(n Node) string {
	switch n.(type) {
	case And, Or:
		return "(" + n.String() + ")"
	}
	return n.String()
}

func (n Not) String() string { return "NOT " + operand(n.Node) }

func (n Word) String() string {
	switch n.Text {
	case "AND", "OR", "NOT":
		return `\` + n.Text
	}
	var b strings.Builder
	for i, r := range n.Text {
		if needsEscape(n.Text, i, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// needsEscape says whether the rune of a word at byte i would mean something without a backslash.
func needsEscape(word string, i int, r rune) bool {
	size := utf8.RuneLen(r)
	switch {
	case unicode.IsSpace(r) || isOpening(r) || isClosing(r) || isQuote(r):
		return true
	case isMinus(r):
		return i == 0 && len(word) > size
	case isColon(r):
		_, n := fieldPrefix(word)
		return n == i+size
	case r == '*' || r == '＊':
		return i+size == len(word)
	case r == '~' || r == '～':
		return i > 0
	case r == '\\':
		next, n := utf8.DecodeRuneInString(word[i+1:])
		return n == 0 || escapable(next) || i == 0
	}
	return false
}

func (n Phrase) String() string { return quote(n.Text) }

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r == '\\' || isQuote(r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

// String gives the same query as an Or.
func (n Any) String() string {
	or := make(Or, len(n.Values))
	for i, v := range n.Values {
		or[i] = Field{n.Name, v}
	}
	return or.String()
}

func (n Field) String() string {
	value := n.Value
	if !plain(value) || n.Name == "lang" && strings.EqualFold(value, "zh") {
		value = quote(value)
	}
	return fieldName(n.Name) + ":" + value
}

func fieldName(name string) string {
	if own, ok := strings.CutPrefix(name, FieldPrefix); ok && !plain(own) {
		return FieldPrefix + quote(own)
	}
	return name
}

// plain says whether s can stand without quotes as a field's value or name.
func plain(s string) bool {
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (i == 0 || !unicode.Is(unicode.M, r) && !strings.ContainsRune("-_.@/+#&", r)) {
			return false
		}
	}
	return s != "" && !strings.Contains(s, "..")
}

func (n Range) String() string {
	name := fieldName(n.Name) + ":"
	lo, hi := "", ""
	if n.Min != nil {
		lo = number(*n.Min)
	}
	if n.Max != nil {
		hi = number(*n.Max)
	}
	switch {
	case lo != "" && lo == hi && !n.OverMin && !n.BelowMax && !strings.HasPrefix(n.Name, FieldPrefix):
		return name + lo
	case lo == "" && hi != "":
		return name + sign("<", n.BelowMax) + hi
	case lo != "" && hi == "":
		return name + sign(">", n.OverMin) + lo
	}
	if n.OverMin && lo != "" {
		lo = ">" + lo
	}
	if n.BelowMax && hi != "" {
		hi = "<" + hi
	}
	return name + lo + ".." + hi
}

func sign(s string, strict bool) string {
	if strict {
		return s
	}
	return s + "="
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func (n Time) String() string {
	text := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return "at:" + text(n.From) + ".." + text(n.To)
}

func (n Has) String() string {
	name := n.Name
	if !plain(name) {
		name = quote(name)
	}
	return "has:" + name
}
