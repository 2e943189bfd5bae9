package nlp

import "unicode"

// A class says how a character takes part in units.
type class uint8

const (
	classOther class = iota // marks, symbols
	classLetter
	classDigit
	classMark // combines with the letter before it
	classHan
	classThai
	classSyl
	classEmoji
)

var asciiClass = func() (t [128]class) {
	for c := '0'; c <= '9'; c++ {
		t[c] = classDigit
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = classLetter, classLetter
	}
	return t
}()

func classOf(r rune) class {
	switch {
	case r < 0:
		return classOther
	case r < 0x80:
		return asciiClass[r]
	case 0x0e00 <= r && r <= 0x0e7f:
		return thaiClass(r)
	case 0x3400 <= r && r <= 0x9fff || 0x20000 <= r && r <= 0x3ffff || 0xf900 <= r && r <= 0xfaff || r == '〇' || r == '々':
		return classHan
	case 0xac00 <= r && r <= 0xd7a3 || 0x3041 <= r && r <= 0x30ff && r != '・' && r != '゠':
		return classSyl
	case isEmoji(r):
		return classEmoji
	case 0xff10 <= r && r <= 0xff19:
		return classDigit
	case unicode.IsLetter(r):
		if unicode.In(r, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo) {
			return classSyl
		}
		return classLetter
	case unicode.IsMark(r):
		return classMark
	case unicode.IsDigit(r):
		return classDigit
	}
	return classOther
}

func thaiClass(r rune) class {
	switch {
	case isThaiDigit(r):
		return classDigit
	case r == '฿' || r == '๏' || r == '๚' || r == '๛' || r == 0x0e00 || 0x0e3b <= r && r <= 0x0e3e || r > '๛':
		return classOther
	}
	return classThai
}

func isThaiDigit(r rune) bool { return '๐' <= r && r <= '๙' }
func isRegional(r rune) bool  { return 0x1f1e6 <= r && r <= 0x1f1ff }
func isSkin(r rune) bool      { return 0x1f3fb <= r && r <= 0x1f3ff }
func isTag(r rune) bool       { return 0xe0020 <= r && r <= 0xe007f }
func isVS16(r rune) bool      { return r == 0xfe0f || r == 0xfe0e }
func isMark(r rune) bool {
	return r >= 0x300 && unicode.IsMark(r) && !isVS16(r)
}

// isEmoji is true of what is an emoji by itself. What is one only with a
// variation selector (©, 1️⃣) is found where it stands.
func isEmoji(r rune) bool {
	switch {
	case r < 0x2300:
		return false
	case 0x1f000 <= r && r <= 0x1faff:
		return true
	case 0x2600 <= r && r <= 0x27bf:
		return r != '❛' && r != '❜' && r != '❝' && r != '❞'
	case 0x2300 <= r && r <= 0x23ff:
		return r == 0x231a || r == 0x231b || r == 0x2328 || r == 0x23cf || 0x23e9 <= r && r <= 0x23f3 || 0x23f8 <= r && r <= 0x23fa
	}
	return r == 0x2b50 || r == 0x2b55 || r == 0x2b1b || r == 0x2b1c || 0x2b05 <= r && r <= 0x2b07 || r == 0x3030 || r == 0x303d || r == 0x3297 || r == 0x3299
}
