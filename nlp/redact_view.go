package nlp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A view is a text as the redactor's rules see it: one byte for each visible
// character. Full-width forms and Thai digits are ASCII there, dashes are '-',
// spaces are ' ', and what is invisible is left out.
type view struct {
	text string
	b    []byte
	pos  []int32 // where b[i] begins in text
}

// What is not ASCII in a view.
const (
	blocked  = 0x01 // a placeholder, something found already, or a plain URL: no rule may touch it
	accented = 0x80 // a letter that belongs to a Latin word: é, ü, Greek, Cyrillic
	opaque   = 0x81 // everything else: Chinese, Thai, emoji, control characters
)

// keepCap is the size of a buffer, in characters, that is kept for the next text.
const keepCap = 1 << 16

func (v *view) build(text string) {
	if cap(v.b) > keepCap {
		v.b, v.pos = nil, nil
	}
	v.text, v.b, v.pos = text, v.b[:0], v.pos[:0]
	for i := 0; i < len(text); {
		c, n := text[i], 1
		switch {
		case c == '[':
			if _, _, width := placeholderAt(text[i:]); width > 0 {
				c, n = blocked, width
			}
		case c == '\t':
			c = ' '
		case c == '\n' || c == '\r':
			c = '\n'
		case c < 0x20 || c == 0x7f:
			c = opaque
		case c >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRuneInString(text[i:])
			c = viewByte(r)
		}
		if c != 0 {
			v.b = append(v.b, c)
			v.pos = append(v.pos, int32(i))
		}
		i += n
	}
}

// viewByte gives the view's byte for a character outside ASCII; 0 if it is invisible.
func viewByte(r rune) byte {
	switch {
	case 0x0e50 <= r && r <= 0x0e59:
		return byte(r - 0x0e50 + '0')
	case 0x0e00 <= r && r < 0x0e80, 0x3040 <= r && r < 0xa000:
		return opaque
	case 0xff01 <= r && r <= 0xff5e:
		return byte(r - 0xff01 + '!')
	case 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f, 0xfe00 <= r && r <= 0xfe0f,
		r == 0xfeff, r == 0xad, r == 0x180e, r == 0x034f, r == 0x20e3, r == 0x061c:
		return 0
	case 0x2010 <= r && r <= 0x2015, r == 0x2212, r == 0xfe58, r == 0xfe63:
		return '-'
	case r == 0xa0, r == 0x1680, 0x2000 <= r && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r < 0x0530 && (unicode.IsLetter(r) || unicode.IsMark(r)):
		return accented
	}
	return opaque
}

// textEnd is where in the text the character before b[end] ends.
func (v *view) textEnd(end int) int {
	p := int(v.pos[end-1])
	_, n := utf8.DecodeRuneInString(v.text[p:])
	return p + n
}

func (v *view) block(start, end int) {
	for i := start; i < end; i++ {
		v.b[i] = blocked
	}
}

// at is the view's byte i, or a line feed outside.
func (v *view) at(i int) byte {
	if i < 0 || i >= len(v.b) {
		return '\n'
	}
	return v.b[i]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80 }

// joins says whether a word or number goes on through c.
func joins(c byte) bool {
	return isDigit(c) || isAlpha(c) || c == accented || c == blocked || c == '_'
}

// placeholderAt reads a placeholder at the start of s; width is 0 if there is none.
// Numbers have seven digits at most, so that none hides something personal.
func placeholderAt(s string) (typ piiType, n, width int) {
	if len(s) < 5 || s[0] != '[' || s[1] < 'A' || s[1] > 'Z' {
		return 0, 0, 0
	}
	for t, name := range typeNames {
		if len(s) <= len(name)+3 || s[len(name)+1] != '_' || !strings.HasPrefix(s[1:], name) {
			continue
		}
		i := len(name) + 2
		first := i
		for ; i < len(s) && i < first+7 && isDigit(s[i]); i++ {
			n = n*10 + int(s[i]-'0')
		}
		if i == first || i == len(s) || s[i] != ']' {
			n = 0
			continue
		}
		return piiType(t), n, i + 1
	}
	return 0, 0, 0
}

// suspicious says whether a text can hold anything personal at all: a digit, an
// "@", a link or the name of a messenger. Most texts don't, and are done here.
func suspicious(text string) bool {
	for i := 0; i < len(text); i++ {
		switch lead[text[i]] {
		case 0:
		case 1:
			return true
		default:
			if suspiciousAt(text[i:]) {
				return true
			}
		}
	}
	return false
}

// lead says of a byte: 1, suspicious by itself; 2, it depends on what follows.
var lead = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = 1
	}
	t['@'] = 1
	for _, c := range []byte(":lLvVwW\xe0\xe5\xe8\xef") {
		t[c] = 2
	}
	return t
}()

func suspiciousAt(s string) bool {
	switch s[0] {
	case ':':
		return strings.HasPrefix(s, "://")
	case 0xe0: // ๐ to ๙, ไลน์
		return len(s) > 2 && s[1] == 0xb9 && (0x90 <= s[2] && s[2] <= 0x99 || s[2] == 0x84 && strings.HasPrefix(s, "ไลน"))
	case 0xef: // ０ to ９, ＠
		return len(s) > 2 && s[1] == 0xbc && (0x90 <= s[2] && s[2] <= 0x99 || s[2] == 0xa0)
	case 0xe5:
		return strings.HasPrefix(s, "微信")
	case 0xe8:
		return strings.HasPrefix(s, "賴") || strings.HasPrefix(s, "薇信")
	}
	return hasFold(s, "line") || hasFold(s, "wechat") || hasFold(s, "weixin") || hasFold(s, "vx")
}

// hasFold says whether s begins with prefix, which is lower case, whatever the case of s.
func hasFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
