package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/earshot-cx/earshot/nlp"
)

// A token is what the parser reads: a mark, an operator, or a whole leaf.
type token struct {
	kind tokenKind
	at   int  // byte offset into the query
	node Node // of a leaf
}

type tokenKind uint8

const (
	end tokenKind = iota
	opening
	closing
	andOp
	orOp
	notOp // NOT, or a minus
	leaf
)

// advance puts the next token in hand. White space and words of which nothing can be seen are passed over.
func (p *parser) advance() {
	for p.err == nil {
		p.at += len(p.q[p.at:]) - len(strings.TrimLeftFunc(p.q[p.at:], unicode.IsSpace))
		if p.at == len(p.q) {
			break
		}
		if t, ok := p.lex(); p.err != nil {
			break
		} else if ok {
			if p.tok = t; t.kind == leaf {
				p.count(t.at)
			}
			return
		}
	}
	p.tok = token{kind: end, at: len(p.q)}
}

// lex reads one token that begins at p.at. It may turn out to be nothing.
func (p *parser) lex() (token, bool) {
	from := p.at
	rest := p.q[from:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case isOpening(r) && p.face(from, "") == 0:
		p.at += size
		return token{kind: opening, at: from}, true
	case isClosing(r):
		p.at += size
		return token{kind: closing, at: from}, true
	case isQuote(r):
		text, ok := p.quoted()
		if !ok || !visible(text) {
			p.badQuote(from, ok)
			return token{}, false
		}
		return token{kind: leaf, at: from, node: Phrase{text}}, true
	case isMinus(r) && negates(rest[size:]):
		p.at += size
		return token{kind: notOp, at: from}, true
	}
	if name, size := fieldPrefix(rest); size > 0 {
		if n, ok := p.field(name, size); ok || p.err != nil {
			return token{kind: leaf, at: from, node: n}, ok
		}
	}
	return p.word()
}

// word reads a word, which may turn out to be an operator.
func (p *parser) word() (token, bool) {
	from := p.at
	var b strings.Builder
	escaped := false
	for p.at < len(p.q) {
		r, size := utf8.DecodeRuneInString(p.q[p.at:])
		if r == '\\' {
			if next, n := utf8.DecodeRuneInString(p.q[p.at+1:]); n > 0 && escapable(next) {
				escaped = true
				b.WriteRune(next)
				p.at += 1 + n
				continue
			}
		}
		if isOpening(r) || isClosing(r) {
			if size = p.face(p.at, p.q[from:p.at]); size == 0 {
				break
			}
		}
		if unicode.IsSpace(r) || isQuote(r) && p.endsWord(r, b.String()) {
			break
		}
		b.WriteString(p.q[p.at : p.at+size])
		p.at += size
	}
	text := b.String()
	if !escaped {
		switch plain := width.Narrow.String(text); plain {
		case "AND":
			return token{kind: andOp, at: from}, true
		case "OR":
			return token{kind: orOp, at: from}, true
		case "NOT":
			return token{kind: notOp, at: from}, true
		case "*":
			return token{kind: leaf, at: from, node: All{}}, true
		case `\AND`, `\OR`, `\NOT`:
			return token{kind: leaf, at: from, node: Word{text[1:]}}, true
		default:
			p.refuseLater(from, plain)
		}
	}
	return token{kind: leaf, at: from, node: Word{text}}, visible(text)
}

// endsWord says whether a quote inside a word begins a phrase. It is part of
// the word when nothing closes it and it stands behind a digit: 15".
func (p *parser) endsWord(quote rune, before string) bool {
	after := p.q[p.at+utf8.RuneLen(quote):]
	if _, n := unquote(quote, after); n >= 0 {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	return !unicode.IsDigit(last)
}

// refuseLater refuses what the language will have but has not yet. It takes
// only what cannot be meant otherwise: "f**k", "5*" and "thanks~" are words.
func (p *parser) refuseLater(from int, word string) {
	later := func(what, hint string) {
		p.fail(from, "not_supported", hint, "%s is not available yet", what)
	}
	n := len(word)
	if rest, ok := strings.CutPrefix(word, "NEAR/"); ok && rest != "" && strings.Trim(rest, "0123456789") == "" &&
		p.at < len(p.q) && isOpening(firstRune(p.q[p.at:])) {
		later("NEAR", "join the words with AND")
		return
	}
	if stem, ok := strings.CutSuffix(word, "*"); ok && letters(stem) && utf8.RuneCountInString(stem) >= 3 {
		later("a search by prefix", `write the whole word; \* means the star itself`)
	}
	if n > 2 && word[n-2] == '~' && (word[n-1] == '1' || word[n-1] == '2') && letters(word[:n-2]) {
		later("a fuzzy search", `write the word as it is spelt; \~ means the sign itself`)
	}
}

// quoted reads what stands in quotes at p.at and steps behind it.
func (p *parser) quoted() (text string, ok bool) {
	r, size := utf8.DecodeRuneInString(p.q[p.at:])
	text, n := unquote(r, p.q[p.at+size:])
	if n < 0 {
		return "", false
	}
	p.at += size + n
	return text, true
}

func (p *parser) badQuote(from int, closed bool) {
	if closed {
		p.fail(from, "empty_phrase", "remove the quotes, or put words between them", "there is nothing between the quotes")
		return
	}
	p.fail(from, "unbalanced", `close it, or write \"`, "a quote is not closed")
}

// unquote reads up to the quote that closes open, and gives the text and how
// many bytes it took with the closing quote; -1 if there is none. Curly
// and straight quotes close one another only if nothing better is there, as
// phones mix them.
func unquote(open rune, s string) (string, int) {
	if text, n := until(s, closers(open)); n >= 0 || isCorner(open) {
		return text, n
	}
	return until(s, straight+curly)
}

// until reads up to one of the quotes in set.
func until(s, set string) (string, int) {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\\' {
			if next, n := utf8.DecodeRuneInString(s[i+1:]); n > 0 && (next == '\\' || isQuote(next)) {
				b.WriteRune(next)
				i += 1 + n
				continue
			}
		}
		if strings.ContainsRune(set, r) {
			return b.String(), i + size
		}
		b.WriteString(s[i : i+size])
		i += size
	}
	return "", -1
}

// face is how many bytes of the parentheses at byte at belong to a face that
// somebody typed, ":)" or "(:"; 0 if they are parentheses. before is the word
// that it would end.
func (p *parser) face(at int, before string) int {
	s := p.q[at:]
	r, size := utf8.DecodeRuneInString(s)
	if isOpening(r) {
		eyes := s[size:]
		if before == "" && eyes != "" && strings.ContainsRune(":;=", rune(eyes[0])) {
			eyes = strings.TrimLeft(eyes[1:], "-'^")
			if ends(eyes) {
				return len(s) - len(eyes)
			}
		}
	}
	eyes := strings.TrimRight(before, "-'^")
	if len(before)-len(eyes) > 1 || eyes == "" || !strings.ContainsRune(":;=", rune(eyes[len(eyes)-1])) || strings.HasSuffix(eyes, `\:`) {
		return 0
	}
	mouth := len(s) - len(strings.TrimLeft(s, string(r)))
	if isOpening(r) {
		if ends(s[mouth:]) {
			return mouth
		}
		return 0
	}
	return mouth - size*min(p.open, mouth/size) // inside a group its closing comes first
}

// ends says whether a face that stands before s ends there.
func ends(s string) bool {
	r := firstRune(s)
	return s == "" || unicode.IsSpace(r) || isClosing(r)
}

// Quotes: those of a set close one another.
const (
	straight = `"＂`
	curly    = "“”„‟"
)

func closers(open rune) string {
	switch {
	case open == '「' || open == '｢':
		return "」｣"
	case open == '『':
		return "』"
	case strings.ContainsRune(curly, open):
		return curly
	}
	return straight
}

func isCorner(r rune) bool  { return strings.ContainsRune("「｢『", r) }
func isQuote(r rune) bool   { return strings.ContainsRune(straight+curly+"「｢『", r) }
func isOpening(r rune) bool { return r == '(' || r == '（' }
func isClosing(r rune) bool { return r == ')' || r == '）' }
func isMinus(r rune) bool   { return r == '-' || r == '－' || r == '−' }
func isColon(r rune) bool   { return r == ':' || r == '：' }

// negates says whether a minus before s is a NOT: something that can be searched for follows.
func negates(s string) bool {
	r := firstRune(s)
	switch {
	case s == "" || unicode.IsSpace(r) || isMinus(r) || isClosing(r):
		return false
	case r < utf8.RuneSelf:
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(`"(\`, r)
	}
	return true
}

// escapable says whether a backslash takes the meaning from r; before anything else it is itself.
func escapable(r rune) bool {
	return unicode.IsSpace(r) || isOpening(r) || isClosing(r) || isQuote(r) || isMinus(r) || isColon(r) ||
		strings.ContainsRune(`\*＊~～`, r)
}

// visible says whether a search for s would look for anything.
func visible(s string) bool { return len(nlp.Units(nil, s)) > 0 }

// letters says whether s is letters of scripts that write words apart, of which prefixes and misspellings make sense.
func letters(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) {
			return false
		}
	}
	return s != ""
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
