package nlp

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/earshot-cx/earshot/models"
)

// oddTexts are texts that strangers send: each has broken a tokenizer somewhere.
var oddTexts = []string{
	"", " ", "\x00", "\xff\xfe\xe0\xb8", "\u200b", "\u0e48", "\u0e4d\u0e32", "เ", "เเเเ", "นำ้ น้ํา นํ้า", "กกกกกก", "ก็", "ไ่ไ",
	"ˌˌˌ the courier never came", "ȺȺȺȺȺn't", "e\u0301\u0302\u0303", "1️⃣2️⃣", "👨‍👩‍👧👍🏽🇹🇭🇹", "\u200d\u200d", "#️⃣ *️⃣ ©️",
	"081\u200b234\u200b5678", "10:30,40.", "3.5G 5G N95", "[PHONE_1][X_1][PHONE_]", ":) :-( T_T", "……。”’）!?",
	"餸嗰𨋢", "の", "배송이", "Yahoo!ok a.b. c. 1. Mr.", "\r\n\n a\u2028b",
}

// checkText asserts the laws of units, tokens, languages and sentences.
func checkText(t *testing.T, p *Pipeline, text string) {
	t.Helper()
	units, toks := Units(nil, text), p.Tokens(text)
	at := 0
	for i, u := range units {
		if u.Start < at || u.End <= u.Start || u.End > len(text) {
			t.Fatalf("%q: unit %d is %+v after %d", text, i, u, at)
		}
		if gap := text[at:u.Start]; visible(gap) || u.Space != hasSpace(gap) {
			t.Fatalf("%q: %q lies before unit %+v", text, gap, u)
		}
		if u.Norm == "" && visible(text[u.Start:u.End]) {
			t.Fatalf("%q: unit %+v has no norm", text, u)
		}
		at = u.End
	}
	if visible(text[at:]) {
		t.Fatalf("%q: %q is in no unit", text, text[at:])
	}
	// A token begins and ends where units do, and holds all of them.
	next := 0
	for i, tok := range toks {
		if next >= len(units) || tok.Start != units[next].Start {
			t.Fatalf("%q: token %d, %+v, does not begin with unit %d", text, i, tok, next)
		}
		for next < len(units) && units[next].End <= tok.End {
			next++
		}
		if units[next-1].End != tok.End {
			t.Fatalf("%q: token %d, %+v, ends inside a unit", text, i, tok)
		}
	}
	if next != len(units) {
		t.Fatalf("%q: tokens end before unit %d of %d", text, next, len(units))
	}
	sents := p.Sentences(text)
	held := 0
	for i, s := range sents {
		for held < len(toks) && toks[held].Start >= s.Start && toks[held].End <= s.End {
			held++
		}
		if s.End <= s.Start || i > 0 && s.Start < sents[i-1].End {
			t.Fatalf("%q: sentence %+v", text, s)
		}
	}
	if held != len(toks) {
		t.Fatalf("%q: token %d is in no sentence of %v", text, held, sents)
	}
	spans, _ := p.Langs(text, "")
	at = 0
	for _, s := range spans {
		if s.Start != at || s.End <= s.Start {
			t.Fatalf("%q: language spans %+v", text, spans)
		}
		at = s.End
	}
	if at != len(text) {
		t.Fatalf("%q: language spans %+v end before %d", text, spans, len(text))
	}
}

func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !isSpace(r) && !isInvisible(r) }) >= 0
}

func TestTextLaws(t *testing.T) {
	p := load(t)
	for _, a := range oddTexts {
		for _, b := range oddTexts {
			checkText(t, p, a+b)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range oddTexts {
		f.Add(s)
	}
	p := load(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<12 {
			checkText(t, p, text)
		}
	})
}

// TestHanLengths: folding keeps every offset, because no pair of the table has
// two lengths. What it would change is left alone.
func TestHanLengths(t *testing.T) {
	n := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		to := han.fold(r)
		if to == "" {
			continue
		}
		n++
		if len(to) != utf8.RuneLen(r) {
			t.Errorf("%c is folded to %s", r, to)
		}
	}
	if n < 2500 {
		t.Errorf("%d characters are folded", n)
	}
	for _, r := range "餸嗰𨋢" {
		if to := han.fold(r); to != "" {
			t.Errorf("%c is folded to %s", r, to)
		}
	}
}

// TestServiceWords: each word of our own list is one token when it stands alone.
func TestServiceWords(t *testing.T) {
	p := load(t)
	for _, data := range []string{models.ChineseService, models.ThaiService} {
		_, data, _ = strings.Cut(data, "\n")
		for line := range strings.Lines(data) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if word == "" || strings.HasPrefix(word, "#") || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ值ๆฯ") == "" ||
				strings.ContainsAny(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZๆฯ") {
				continue
			}
			if toks := p.Tokens(word); len(toks) != 1 {
				t.Errorf("%s is cut into %s", word, cutUp(word, toks))
			}
		}
	}
}

var benchTexts = []struct{ name, text string }{
	{"th-200B", "โทรไปสามรอบแล้ว แอปก็ยังล็อกอินไม่ได้ พนักงานบอกให้รอ"},
	{"zh-200B", "等了一下午都没人来，打客服电话一直占线，订单显示已经签收，可是我根本没有收到快递，你们的态度真的让人很生气"},
	{"en-200B", "I've called three times and the app still won't let me log in. The agent promised a refund last week, nothing arrived yet and nobody answers my emails, so please cancel the order and close the account."},
}

func BenchmarkUnits(b *testing.B) {
	for _, c := range benchTexts {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			var units []Unit
			for b.Loop() {
				units = Units(units[:0], c.text)
			}
		})
	}
}

func BenchmarkTokens(b *testing.B) {
	p := load(b)
	for _, c := range benchTexts {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			var toks []Token
			for b.Loop() {
				toks = p.tok.tokens(toks[:0], c.text)
			}
		})
	}
}

// BenchmarkText is all that this half of the package does to a text before it is scored.
func BenchmarkText(b *testing.B) {
	p := load(b)
	for _, c := range benchTexts {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var units []Unit
			var toks []Token
			for b.Loop() {
				units = Units(units[:0], c.text)
				toks = p.tok.tokens(toks[:0], c.text)
				langs(nil, units, c.text, "")
				p.tok.sentences(c.text, toks)
			}
		})
	}
}

// BenchmarkLoad is what the dictionaries cost at start: time, and the heap that stays.
func BenchmarkLoad(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var t *tokenizer
	for b.Loop() {
		var err error
		if t, err = newTokenizer(); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-heap")
	runtime.KeepAlive(t)
}
