package nlp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/earshot-cx/earshot/models"
)

// A hanTable folds Chinese characters to Simplified, one for one and without
// changing their length in UTF-8: pairs whose lengths differ (餸, 嗰) are left
// alone. Its entries are the common block, U+3400 to U+9FFF.
type hanTable struct {
	to     [hanLast - hanFirst + 1]uint16 // 1 + index into simple, 0 where nothing changes
	script [hanLast - hanFirst + 1]byte   // 'T' or 'S': written in Traditional or Simplified text only
	simple string                         // what is folded to, three bytes each, so that a Norm needs no allocation
}

const hanFirst, hanLast = 0x3400, 0x9fff

var han = newHanTable(models.Han)

func newHanTable(data string) *hanTable {
	t := new(hanTable)
	var simple strings.Builder
	_, rest, _ := strings.Cut(data, "\n")
	for line := range strings.Lines(rest) {
		r := []rune(line)
		if len(r) < 3 || !isBasicHan(r[1]) || !isBasicHan(r[2]) {
			continue
		}
		if r[0] != '-' {
			t.script[r[1]-hanFirst] = byte(r[0])
		}
		if r[1] != r[2] {
			t.to[r[1]-hanFirst] = uint16(simple.Len()/3 + 1)
			simple.WriteRune(r[2])
		}
	}
	t.simple = simple.String()
	return t
}

func isBasicHan(r rune) bool { return hanFirst <= r && r <= hanLast }

// fold gives the Simplified form of a character, or "" if it has no other.
func (t *hanTable) fold(r rune) string {
	if !isBasicHan(r) {
		return ""
	}
	i := 3 * int(t.to[r-hanFirst])
	if i == 0 {
		return ""
	}
	return t.simple[i-3 : i]
}

// scriptOf says in which script alone a character is written: 'T', 'S' or 0.
func (t *hanTable) scriptOf(r rune) byte {
	if !isBasicHan(r) {
		return 0
	}
	return t.script[r-hanFirst]
}

// foldRune folds width, case and quotes of one character.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	case r == '‘' || r == '’' || r == '‛' || r == 'ʼ' || r == '′' || r == '`' || r == '´':
		return '\''
	case r == '“' || r == '”' || r == '„' || r == '‟' || r == '″':
		return '"'
	case 0xff01 <= r && r <= 0xff5e:
		return foldRune(r - 0xff01 + '!')
	case '๐' <= r && r <= '๙':
		return r - '๐' + '0'
	case r == '￥':
		return '¥'
	case r == '…':
		return r
	}
	return unicode.ToLower(r)
}

// foldString folds characters one by one and composes Latin letters with their
// marks. What is invisible is left out.
func foldString(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if isInvisible(r) {
			continue
		}
		if to := han.fold(r); to != "" {
			b.WriteString(to)
			continue
		}
		b.WriteRune(foldRune(r))
	}
	return norm.NFC.String(b.String())
}

// FoldField folds a value of a field for comparison: case, width, script, outer white space.
func FoldField(s string) string {
	return strings.TrimSpace(foldString(s))
}

// isInvisible is true of what a reader does not see and what is not white
// space: zero-width, format and control characters.
func isInvisible(r rune) bool {
	switch {
	case r < 0x20:
		return r < '\t' || r > '\r'
	case r < 0x7f:
		return false
	case r < 0xa0:
		return r != 0x85
	case r < 0x300:
		return r == 0xad
	}
	return unicode.Is(unicode.Cf, r) || r == 0x115f || r == 0x1160 || r == 0x3164 || 0xfe00 <= r && r <= 0xfe0f || r == 0x034f
}
