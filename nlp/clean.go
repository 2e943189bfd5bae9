package nlp

import (
	"strings"
	"unicode/utf8"
)

// Clean makes a text fit to be stored and shown, and says whether it had to
// change anything. What it replaces, each by U+FFFD:
//
//   - a run of bytes that are not UTF-8;
//   - control characters, NUL among them, but not tab, line feed and carriage return;
//   - the bidirectional embeddings, overrides and isolates (U+202A–202E,
//     U+2066–2069), with which a text can show other words than it holds. The
//     plain direction marks U+200E, U+200F and U+061C stay: Arabic and Hebrew
//     senders need them and they move nothing but marks.
//
// Nothing else is normalised. The result is valid UTF-8, cleaning it again
// changes nothing, and a clean text is given back as it is. A replacement is
// up to two bytes longer than what it replaces.
func Clean(text string) (string, bool) {
	if utf8.ValidString(text) {
		at := firstUnwanted(text)
		if at < 0 {
			return text, false
		}
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	invalid := false // the rune before was not UTF-8
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch bad := r == utf8.RuneError && n == 1; {
		case bad && !invalid, !bad && unwanted(r):
			b.WriteRune(utf8.RuneError)
			invalid = bad
		case !bad:
			b.WriteString(text[i : i+n])
			invalid = false
		}
		i += n
	}
	return b.String(), true
}

// firstUnwanted gives the offset of the first unwanted character of a valid
// text, or -1. Only three lead bytes can begin one, so most text costs one
// look-up a byte.
func firstUnwanted(text string) int {
	for i := 0; i < len(text); i++ {
		if !suspect[text[i]] {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(text[i:]); unwanted(r) {
			return i
		}
	}
	return -1
}

// suspect holds the bytes that can begin an unwanted character.
var suspect = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = unwanted(rune(c))
	}
	t[0x7f], t[0xc2], t[0xe2] = true, true, true
	return t
}()

func unwanted(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20, 0x7f <= r && r < 0xa0:
		return true
	}
	return 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}
