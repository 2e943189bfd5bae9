package query

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
)

// Options are what a query is read with. The zero value is ready to use.
type Options struct {
	Now       time.Time      // what at:>-24h counts from; zero is the present
	Location  *time.Location // in which a date has its day; nil is UTC
	MaxBytes  int            // longest query; 0 is DefaultMaxBytes
	MaxLeaves int            // most words, phrases, fields and ranges; 0 is DefaultMaxLeaves
}

// Bounds on a query. Together they keep the work of one search small, whoever wrote it.
const (
	DefaultMaxBytes  = 4096
	DefaultMaxLeaves = 256
	MaxDepth         = 32 // groups and NOTs inside one another
)

// Parse reads what a person typed. The language:
//
//	word             Terms of the word; words side by side are joined by AND
//	"some words"     the exact run; curly “ ” and corner 「 」 『 』 quotes do as well
//	a AND b, a OR b  upper case; AND binds tighter
//	NOT a, -a        what a does not match; a query may be nothing but that
//	( … )            a group
//	*                everything, like the empty query
//	channel:chat     a field, see Fields; field.store:"BKK 3", field."store name":x
//	                 lang:zh is zh-Hans, zh-Hant or yue; lang:"zh" is not
//	rating:1..3      a range: 1.., ..3, <3, <=3, >3, >=3, >1..<3, 3
//	at:2026-11-01..  dates (whole days in Options.Location), RFC 3339 times, -90m -24h -7d -2w, now;
//	                 the first bound is in, the last is in if it is a date and out if it is an instant
//	has:effort       the field is there
//	\                takes the meaning from the mark behind it: channel\:chat is a word
//
// Marks in full width do what they look like. What cannot be meant as one of
// these is a word: "10:30", "http://…", ":)", "note: late", a lone "-".
//
// An error is an *earshot.Error of code QueryInvalid or QueryTooBroad, with
// one FieldError that has the byte offset and a hint. Neither repeats the query.
func Parse(q string, o Options) (Node, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxLeaves == 0 {
		o.MaxLeaves = DefaultMaxLeaves
	}
	if len(q) > o.MaxBytes {
		return nil, tooBroad("too_long", o.MaxBytes, o.MaxBytes, "the query has %d bytes; the limit is %d", len(q), o.MaxBytes)
	}
	p := &parser{q: q, o: o}
	if bad := invalidUTF8(q); bad >= 0 {
		p.fail(bad, "invalid_utf8", "", "the query is not valid UTF-8")
		return nil, p.err
	}
	p.advance()
	if p.tok.kind == end && p.err == nil {
		return All{}, nil
	}
	n := p.or()
	if p.tok.kind == closing {
		p.fail(p.tok.at, "unbalanced", `remove it, or write \)`, "a closing parenthesis has no opening one")
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

// A parser reads by recursive descent, one token ahead. The first error
// sticks and turns every later token into the end.
type parser struct {
	q      string
	o      Options
	at     int   // where the next token is looked for
	tok    token // in hand
	open   int   // parentheses that are open where the next token is looked for
	depth  int   // groups and NOTs around the token in hand
	leaves int
	err    error
}

func (p *parser) or() Node {
	nodes := []Node{p.and()}
	for p.tok.kind == orOp {
		p.operator()
		nodes = append(nodes, p.and())
	}
	if len(nodes) == 1 {
		return nodes[0]
	}
	return Or(nodes)
}

func (p *parser) and() Node {
	nodes := []Node{p.unary()}
	for {
		switch p.tok.kind {
		case andOp:
			p.operator()
		case leaf, opening, notOp:
		default:
			if len(nodes) == 1 {
				return nodes[0]
			}
			return And(nodes)
		}
		nodes = append(nodes, p.unary())
	}
}

func (p *parser) unary() Node {
	switch t := p.tok; t.kind {
	case leaf:
		p.advance()
		return t.node
	case notOp:
		p.enter(t.at)
		p.operator()
		n := p.unary()
		p.depth--
		return Not{n}
	case opening:
		return p.group()
	case andOp, orOp:
		p.dangling(t.at)
	default:
		if p.err == nil {
			p.fail(t.at, "syntax", "", "a word is missing here")
		}
	}
	return All{}
}

// group reads what stands in parentheses.
func (p *parser) group() Node {
	from := p.tok.at
	p.enter(from)
	p.open++
	p.advance()
	if p.tok.kind == closing {
		p.fail(from, "empty_group", `remove it, or write \(\)`, "there is nothing between the parentheses")
	}
	n := p.or()
	if p.tok.kind != closing {
		p.fail(from, "unbalanced", `close it with ), or write \(`, "an opening parenthesis is not closed")
	}
	p.open--
	p.depth--
	p.advance()
	return n
}

// operator steps over AND, OR or NOT, behind which something must follow.
func (p *parser) operator() {
	at := p.tok.at
	p.advance()
	if k := p.tok.kind; k == end || k == closing {
		p.dangling(at)
	}
}

func (p *parser) dangling(at int) {
	p.fail(at, "dangling_operator", "write it in lower case or in quotes to search for the word", "an operator has nothing to join")
}

// enter goes one group or NOT deeper.
func (p *parser) enter(at int) {
	if p.depth++; p.depth > MaxDepth {
		p.fail(at, "too_deep", "", "groups and NOTs are nested more than %d deep", MaxDepth)
	}
}

// fail keeps the first error.
func (p *parser) fail(at int, code, hint, format string, args ...any) {
	if p.err != nil {
		return
	}
	p.err = &earshot.Error{Code: earshot.QueryInvalid, Message: "the query cannot be read", Fields: []earshot.FieldError{{
		Pointer: "/q", Code: code, Detail: fmt.Sprintf(format, args...), Offset: &at, Hint: hint}}}
	p.tok = token{kind: end, at: len(p.q)}
}

func tooBroad(code string, at, limit int, format string, args ...any) error {
	return &earshot.Error{Code: earshot.QueryTooBroad, Message: "the query is too broad", Fields: []earshot.FieldError{{
		Pointer: "/q", Code: code, Detail: fmt.Sprintf(format, args...), Limit: limit, Offset: &at}}}
}

// count notes one more leaf.
func (p *parser) count(at int) {
	if p.leaves++; p.leaves > p.o.MaxLeaves && p.err == nil {
		p.err = tooBroad("too_many", at, p.o.MaxLeaves, "the query has more than %d words and filters", p.o.MaxLeaves)
		p.tok = token{kind: end, at: len(p.q)}
	}
}

// invalidUTF8 is where q stops being UTF-8, or -1.
func invalidUTF8(q string) int {
	if utf8.ValidString(q) {
		return -1
	}
	return strings.IndexFunc(q, func(r rune) bool { return r == utf8.RuneError })
}
