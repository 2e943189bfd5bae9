package nlp

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain\ttext\r\n", "plain\ttext\r\n"},
		{"ไม่ดีเลย 好 👍🏽 👨‍👩‍👧 \u200b\ufeff\u200e\u200f", "ไม่ดีเลย 好 👍🏽 👨‍👩‍👧 \u200b\ufeff\u200e\u200f"},
		{"\ufffd stays", "\ufffd stays"},
		{"a\x00b", "a\ufffdb"},
		{"a\x00\x00b", "a\ufffd\ufffdb"},
		{"\x1b[31mred\x7f", "\ufffd[31mred\ufffd"},
		{"a\xff\xfe\x80b", "a\ufffdb"},
		{"cut \xe0\xb8", "cut \ufffd"},
		{"\xed\xa0\x80", "\ufffd"}, // half of a surrogate pair
		{"pay \u202e001\u202c now", "pay \ufffd001\ufffd now"},
		{"\u2066x\u2069", "\ufffdx\ufffd"},
		{"next\u0085line", "next\ufffdline"},
		{"é â — “”", "é â — “”"},
	} {
		got, changed := Clean(c.in)
		if got != c.want || changed != (c.in != c.want) {
			t.Errorf("Clean(%q) = %q, %v; want %q", c.in, got, changed, c.want)
		}
	}
	text := strings.Repeat("สวัสดี hello 你好 ", 20)
	if n := testing.AllocsPerRun(10, func() { Clean(text) }); n != 0 {
		t.Errorf("a clean text costs %v allocations", n)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00\xff\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		once, changed := Clean(text)
		if !utf8.ValidString(once) {
			t.Errorf("Clean(%q) = %q is not UTF-8", text, once)
		}
		if changed == (once == text) {
			t.Errorf("Clean(%q) = %q, %v", text, once, changed)
		}
		if twice, again := Clean(once); again || twice != once {
			t.Errorf("Clean(Clean(%q)) = %q, not %q", text, twice, once)
		}
	})
}

func BenchmarkClean(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"english-150B", strings.Repeat("nobody answers ", 10)},
		{"thai-150B", strings.Repeat("ไม่ตอบ", 8)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Clean(c.text)
			}
		})
	}
}
