// Package querytest has a corpus, queries for it, and a judge that says which
// records each query must find. A matcher or an index is right when it agrees.
//
// The judge follows the promise of package query and shares no code with its
// parser, with the tokenizer or with the folding: it builds queries from its own
// small tree, so it never reads one, and folds with golang.org/x/text and a table
// written by hand. It is slow, and knows only what the corpus holds.
package querytest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// pairs are the Traditional characters of the corpus, each before its Simplified one.
const pairs = "還还帳账說说壞坏員员幹干麼么請请開开發发頭头錯错隊队個个時时後后賣卖電电線线燙烫寶宝貨货遞递態态會会點点數数見见" +
	"驗验證证碼码訂订單单沒没無无鐘钟話话間间舖铺務务讚赞閃闪該该結结晝昼張张錢钱係系乾干過过來来"

var simplified = func() map[rune]rune {
	m := map[rune]rune{}
	list := []rune(pairs)
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}()

// A cell is what a reader sees as one sign, or a Latin word, or a number.
type cell struct {
	start, end int
	sign       string // folded
	word       bool   // a Latin word or a number
	gap        bool   // white space stands before it
	joined     bool   // to a reader it is one with the cell before: a phrase is not cut between them
}

// cells cuts a text.
func cells(text string) []cell {
	var out []cell
	gap := false
	for at := 0; at < len(text); {
		rest := text[at:]
		r, size := utf8.DecodeRuneInString(rest)
		c := cell{start: at, gap: gap}
		switch {
		case unicode.IsSpace(r):
			gap = true
			at += size
			continue
		case r == '\u200b':
			at += size
			continue
		case isLatin(r) || isDigit(r):
			size, c.word = wordLength(rest), true
		case 0x1f1e6 <= r && r <= 0x1f1ff:
			size = 8
		default:
			size += clusterLength(rest[size:])
		}
		at += size
		c.end, c.sign = at, fold(rest[:size])
		c.joined = r == 'ำ'
		gap = false
		if base, am := strings.CutSuffix(rest[:size], "\u0e4d"); am && strings.HasPrefix(text[at:], "า") { // ำ in two pieces
			c.sign = fold(base)
			out = append(out, c)
			c = cell{start: at, end: at + len("า"), sign: "ำ", joined: true}
			at = c.end
		}
		out = append(out, c)
	}
	return out
}

// clusterLength is how much of s belongs to the sign before it.
func clusterLength(s string) int {
	for i, r := range s {
		if !unicode.Is(unicode.M, r) && !isSkin(r) {
			return i
		}
	}
	return len(s)
}

// wordLength is how long the word or number is that begins s. An apostrophe
// belongs to a word, a point, comma or colon to a number, where the like goes on
// behind it. A number with one of those in it ends where letters begin: "13:00" and "The".
func wordLength(s string) int {
	runes := []rune(s)
	n, number := 0, false
	for i, r := range runes {
		joins := false
		if i+1 < len(runes) && i > 0 {
			joins = strings.ContainsRune("'’", r) && isLatin(runes[i-1]) && isLatin(runes[i+1]) ||
				strings.ContainsRune(".,:", narrow(r)) && isDigit(runes[i-1]) && isDigit(runes[i+1])
		}
		if number && isLatin(r) || !isLatin(r) && !isDigit(r) && !joins {
			break
		}
		number = number || joins && isDigit(runes[i-1])
		n += utf8.RuneLen(r)
	}
	return n
}

func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }
func isDigit(r rune) bool { return unicode.Is(unicode.Nd, r) }
func isSkin(r rune) bool  { return 0x1f3fb <= r && r <= 0x1f3ff }

// fold makes two signs equal that the promise calls the same.
func fold(s string) string {
	s = cases.Fold().String(width.Fold.String(s))
	s = strings.NewReplacer("\u200b", "", "\ufe0f", "", "’", "'", "“", `"`, "”", `"`).Replace(s)
	s = strings.Map(func(r rune) rune {
		switch to, ok := simplified[r]; {
		case ok:
			return to
		case '๐' <= r && r <= '๙':
			return r - '๐' + '0'
		case isSkin(r):
			return -1
		}
		return r
	}, s)
	return norm.NFC.String(s)
}

// wide writes ASCII letters and digits in full width.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (isLatin(r) || isDigit(r)) {
			return r - '!' + '！'
		}
		return r
	}, s)
}

func narrow(r rune) rune {
	n, _ := utf8.DecodeRuneInString(width.Narrow.String(string(r)))
	return n
}

// stands says whether run stands in text, sign by sign with the same gaps.
func stands(run, text []cell) bool {
	for i := 0; i+len(run) <= len(text); i++ {
		same := true
		for j, c := range run {
			t := text[i+j]
			same = same && c.sign == t.sign && (j == 0 || c.gap == t.gap)
		}
		if same {
			return true
		}
	}
	return false
}
