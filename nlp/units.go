package nlp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Units appends the units of a text to dst. It needs no dictionary.
func Units(dst []Unit, text string) []Unit {
	s := unitScanner{text: text}
	for s.next() {
		dst = append(dst, s.unit)
	}
	return dst
}

// A unitScanner cuts a text into units, from left to right, looking at each byte a bounded number of times.
type unitScanner struct {
	text  string
	at    int    // what lies before is done
	lower string // text with ASCII letters in lower case, once one was needed
	am    int    // 1 + where an า stands that is half of a sara am, 0 if none does
	unit  Unit
}

// next finds the next unit, if there is one.
func (s *unitScanner) next() bool {
	s.unit = Unit{}
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		switch {
		case isSpace(r):
			s.unit.Space = true
		case isInvisible(r):
		default:
			s.unit.Start = s.at
			s.at += size
			s.scan(r, size)
			s.unit.End = s.at
			return true
		}
		s.at += size
	}
	return false
}

// scan reads the unit that begins with r, which has been read.
func (s *unitScanner) scan(r rune, size int) {
	start := s.at - size
	switch c := classOf(r); c {
	case classHan:
		s.unit.Kind = Han
		if s.unit.Norm = han.fold(r); s.unit.Norm == "" {
			s.unit.Norm = s.text[start:s.at]
		}
	case classThai:
		s.thai(start, r)
	case classSyl:
		s.unit.Kind = Syl
		for s.follows(isMark) {
		}
		s.unit.Norm = s.text[start:s.at]
	case classDigit, classLetter:
		s.word(start, c, r)
	case classEmoji:
		s.emoji(start, r)
	default:
		s.mark(start, r, size)
	}
}

// peek gives the next character, without those that are invisible; at is where it ends.
func (s *unitScanner) peek() (r rune, at int) {
	at = s.at
	for at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[at:])
		at += size
		if r < utf8.RuneSelf || !isInvisible(r) {
			return r, at
		}
	}
	return -1, at
}

// goesOn says whether a letter, digit or mark follows, as far as a reader sees.
func (s *unitScanner) goesOn() bool {
	r, _ := s.peek()
	c := classOf(r)
	return c == classLetter || c == classDigit || c == classMark
}

// follows steps over the next character if it is one of the wanted.
func (s *unitScanner) follows(wanted func(rune) bool) bool {
	if s.at >= len(s.text) {
		return false
	}
	r, size := utf8.DecodeRuneInString(s.text[s.at:])
	if wanted(r) {
		s.at += size
		return true
	}
	return false
}

// mark reads a punctuation mark or symbol, with what is combined with it.
func (s *unitScanner) mark(start int, r rune, size int) {
	s.unit.Kind = Punct
	if r == utf8.RuneError && size == 1 {
		s.unit.Norm = "\ufffd"
		return
	}
	if (r == '#' || r == '*') && s.keycap() {
		s.unit.Kind = Emoji
		s.unit.Norm = s.text[start : start+1]
		return
	}
	for s.follows(isMark) {
	}
	if s.follows(isVS16) { // ™️, ↗️
		s.unit.Kind = Emoji
		s.unit.Norm = s.text[start : start+size]
		return
	}
	if f := foldRune(r); f != r && start+size == s.at {
		s.unit.Norm = asciiString(f)
		if s.unit.Norm != "" {
			return
		}
	}
	s.unit.Norm = s.text[start:s.at]
}

// keycap steps over what makes a keycap emoji of the digit before it.
func (s *unitScanner) keycap() bool {
	rest := strings.TrimPrefix(s.text[s.at:], "\ufe0f")
	if !strings.HasPrefix(rest, "\u20e3") {
		return false
	}
	s.at = len(s.text) - len(rest) + len("\u20e3")
	return true
}

// word reads a word or a number. Invisible characters inside it are stepped over.
func (s *unitScanner) word(start int, c class, first rune) {
	if c == classDigit && s.keycap() {
		s.unit.Kind, s.unit.Norm = Emoji, s.text[start:start+1]
		return
	}
	number := c == classDigit
	plain := first < utf8.RuneSelf // a part of the text, or of its lower case, is the norm
	upper := plain && 'A' <= first && first <= 'Z'
	inner := false // a number with separators ends where letters begin
	thaiDigits := isThaiDigit(first)
	for {
		var r rune
		var next int
		if s.at < len(s.text) && s.text[s.at] < utf8.RuneSelf && s.text[s.at] >= ' ' {
			r, next = rune(s.text[s.at]), s.at+1
		} else if r, next = s.peek(); r < 0 {
			break
		}
		switch cr := classOf(r); {
		case cr == classDigit && (!thaiDigits || isThaiDigit(r) || number):
		case cr == classLetter && !inner && !thaiDigits:
			number = false
		case cr == classMark && !number:
		case cr == classOther && s.joins(r, next, number):
			inner = number
		default:
			r = -1
		}
		if r < 0 {
			break
		}
		plain = plain && next == s.at+1
		upper = upper || 'A' <= r && r <= 'Z'
		s.at = next
	}
	s.unit.Kind = Word
	if number {
		s.unit.Kind = Number
	}
	switch {
	case !plain:
		s.unit.Norm = foldString(s.text[start:s.at])
	case upper:
		s.unit.Norm = s.lowered()[start:s.at]
	default:
		s.unit.Norm = s.text[start:s.at]
	}
}

// joins says whether a mark belongs to the word or number it stands in: an
// apostrophe between letters, a separator between digits. next is where the mark ends.
func (s *unitScanner) joins(r rune, next int, number bool) bool {
	f := foldRune(r)
	if number && f != '.' && f != ',' && f != ':' || !number && f != '\'' {
		return false
	}
	if r == '`' || r == '´' || r == '，' || r == '：' && !number {
		return false
	}
	after := unitScanner{text: s.text, at: next}
	r, _ = after.peek()
	if number {
		return classOf(r) == classDigit
	}
	return classOf(r) == classLetter
}

// lowered is the text with ASCII letters in lower case. It is made once, however many words need it.
func (s *unitScanner) lowered() string {
	if s.lower == "" {
		b := []byte(s.text)
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c + 'a' - 'A'
			}
		}
		s.lower = string(b)
	}
	return s.lower
}

// emoji reads one emoji as people see it: a flag, a face with its skin, a family. Its norm has neither skin nor
// variation selectors.
func (s *unitScanner) emoji(start int, r rune) {
	s.unit.Kind = Emoji
	plainEnd, plain := s.at, true // what Norm may take as it stands
	if isRegional(r) {
		s.follows(isRegional)
		s.unit.Norm = s.text[start:s.at]
		return
	}
	for {
		from := s.at
		switch {
		case s.follows(isVS16), s.follows(isSkin):
		case strings.HasPrefix(s.text[s.at:], "\u200d"):
			n, size := utf8.DecodeRuneInString(s.text[s.at+3:])
			if classOf(n) != classEmoji && n != '♀' && n != '♂' {
				s.unit.Norm = s.emojiNorm(start, from, plainEnd, plain)
				return
			}
			plain = plain && plainEnd == from
			s.at += 3 + size
			plainEnd = s.at
		case s.follows(isTag):
			plain = plain && plainEnd == from
			plainEnd = s.at
		case s.follows(isMark): // a stray accent
		default:
			s.unit.Norm = s.emojiNorm(start, from, plainEnd, plain)
			return
		}
	}
}

func (s *unitScanner) emojiNorm(start, end, plainEnd int, plain bool) string {
	if plain {
		return s.text[start:plainEnd]
	}
	return strings.Map(func(r rune) rune {
		if isVS16(r) || isSkin(r) || isMark(r) {
			return -1
		}
		return r
	}, s.text[start:end])
}

// ASCII as strings, so that a folded mark needs no allocation.
var asciiTable = func() string {
	b := make([]byte, utf8.RuneSelf)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

func asciiString(r rune) string {
	if 0 <= r && r < utf8.RuneSelf {
		return asciiTable[r : r+1]
	}
	return ""
}

func isSpace(r rune) bool {
	if r < 0x80 {
		return r == ' ' || '\t' <= r && r <= '\r'
	}
	return unicode.IsSpace(r)
}
