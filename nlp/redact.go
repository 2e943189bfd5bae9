package nlp

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/earshot-cx/earshot"
)

// A Redactor replaces what identifies a person by placeholders such as
// [PHONE_1]. It finds the types of earshot.RedactionTypes but NAME and ADDRESS,
// which no rule finds with the precision that automatic erasure needs. It is
// safe for concurrent use.
//
// It reads a text as a person does: full-width and Thai digits are digits,
// invisible characters are not there, and a Chinese or Thai character beside an
// address or a number is neither part of it nor in its way, while a Latin
// letter or a digit means that it is part of something longer. Where the form
// alone is no proof (eight digits may be a Hong Kong telephone or a price), the
// words before it decide.
//
// Hotlines that have no form of their own (400-…, four digits) are left alone.
type Redactor struct {
	off   [len(typeNames)]bool
	scans sync.Pool // *scan
}

// A piiType is an index into typeNames.
type piiType int

const (
	piiEmail piiType = iota
	piiPhone
	piiCard
	piiThaiID
	piiChineseID
	piiTaiwanID
	piiHongKongID
	piiPassport
	piiBank
	piiIP
	piiURL
	piiLine
	piiWeChat
	piiName
	piiAddress
)

// typeNames are earshot.RedactionTypes, indexed by piiType.
var typeNames = [...]string{piiEmail: "EMAIL", piiPhone: "PHONE", piiCard: "CARD", piiThaiID: "TH_ID", piiChineseID: "CN_ID", piiTaiwanID: "TW_ID",
	piiHongKongID: "HK_ID", piiPassport: "PASSPORT", piiBank: "BANK_ACCOUNT", piiIP: "IP", piiURL: "URL", piiLine: "LINE_ID",
	piiWeChat: "WECHAT_ID", piiName: "NAME", piiAddress: "ADDRESS"}

// How sure a finding is, by what it rests on.
const (
	byChecksum = 0.99 // a checksum besides the form, or a form nothing else has (e-mail, +66…)
	byFormat   = 0.9  // the form alone
	byContext  = 0.8  // a loose form, and the words before it
)

// NewRedactor makes a Redactor that finds every type but those in off.
func NewRedactor(off ...string) (*Redactor, error) {
	r := &Redactor{scans: sync.Pool{New: func() any { return new(scan) }}}
	for _, t := range off {
		i := slices.Index(typeNames[:], t)
		if i < 0 {
			return nil, earshot.Errorf(earshot.Invalid, "redaction type to switch off is not one of %s", strings.Join(typeNames[:], ", "))
		}
		r.off[i] = true
	}
	return r, nil
}

// Redact redacts the texts of one verbatim. The same value gets the same
// placeholder in all of them; placeholders of a type are numbered in the order
// in which they appear. A placeholder that the sender typed stays, and new ones
// get numbers above it, so redacting twice changes nothing.
//
// The second result has one element a text, nil where nothing was redacted;
// offsets are into the returned text of the same index. Texts in which nothing
// is found are returned as they are, and texts itself is not changed.
func (r *Redactor) Redact(texts []string) ([]string, [][]earshot.Redaction) {
	out, found := texts, make([][]earshot.Redaction, len(texts))
	var s *scan
	for i, text := range texts {
		if !suspicious(text) {
			continue
		}
		if s == nil {
			s = r.scans.Get().(*scan)
			defer r.scans.Put(s)
			s.begin(&r.off, texts)
		}
		if s.read(text); len(s.found) == 0 {
			continue
		}
		if &out[0] == &texts[0] {
			out = slices.Clone(texts)
		}
		out[i], found[i] = s.replace()
	}
	return out, found
}

// A scan is the scratch of one Redact.
type scan struct {
	view
	off     *[len(typeNames)]bool
	found   []finding
	next    [len(typeNames)]int // the number of the next new placeholder of a type
	numbers map[piiValue]int
	context contextCache
}

// A finding is something personal, as indexes into the view.
type finding struct {
	start, end int
	typ        piiType
	confidence float64
	value      string // what makes two of them the same
}

type piiValue struct {
	typ  piiType
	text string
}

// begin gets ready for the texts of a verbatim: numbers start above those of
// the placeholders that are there already.
func (s *scan) begin(off *[len(typeNames)]bool, texts []string) {
	s.off = off
	s.next = [len(typeNames)]int{}
	s.numbers = nil
	for _, text := range texts {
		for i := 0; ; {
			at := strings.IndexByte(text[i:], '[')
			if at < 0 {
				break
			}
			i += at
			typ, n, width := placeholderAt(text[i:])
			if width == 0 {
				i++
				continue
			}
			s.next[typ] = max(s.next[typ], n)
			i += width
		}
	}
}

// read finds what is personal in text. What has letters goes first: a number
// may be a part of it.
func (s *scan) read(text string) {
	s.found = s.found[:0]
	s.context = contextCache{}
	s.build(text)
	s.links()
	s.emails()
	s.handles()
	s.findNumbers()
	slices.SortFunc(s.found, func(a, b finding) int { return a.start - b.start })
}

// add records a finding, unless its type is switched off, and in either case
// takes its characters out of the view, so that nothing else is found in them.
func (s *scan) add(m finding) {
	if !s.off[m.typ] {
		s.found = append(s.found, m)
	}
	s.block(m.start, m.end)
}

// replace writes the text with placeholders for what was found.
func (s *scan) replace() (string, []earshot.Redaction) {
	var b strings.Builder
	b.Grow(len(s.text))
	list := make([]earshot.Redaction, len(s.found))
	done := 0
	for i, m := range s.found {
		b.WriteString(s.text[done:s.pos[m.start]])
		at := b.Len()
		p := s.name(m)
		b.WriteString(p)
		list[i] = earshot.Redaction{Type: typeNames[m.typ], Placeholder: p, Start: at, End: b.Len(), Confidence: m.confidence}
		done = s.textEnd(m.end)
	}
	b.WriteString(s.text[done:])
	return b.String(), list
}

func (s *scan) name(m finding) string {
	if s.numbers == nil {
		s.numbers = make(map[piiValue]int)
	}
	v := piiValue{m.typ, m.value}
	n := s.numbers[v]
	if n == 0 {
		s.next[m.typ]++
		n = s.next[m.typ]
		s.numbers[v] = n
	}
	return "[" + typeNames[m.typ] + "_" + strconv.Itoa(n) + "]"
}
