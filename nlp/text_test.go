package nlp

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
)

var loaded = sync.OnceValues(New)

func load(t testing.TB) *Pipeline {
	t.Helper()
	p, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cutUp(text string, toks []Token) string {
	var parts []string
	for _, t := range toks {
		parts = append(parts, text[t.Start:t.End])
	}
	return strings.Join(parts, "|")
}

func TestTokens(t *testing.T) {
	p := load(t)
	for _, c := range []struct{ text, want string }{
		{"กินข้าว", "กิน|ข้าว"},
		{"เขากำลังกินข้าว", "เขา|กำลัง|กิน|ข้าว"},
		{"อยากรู้มั้ยคะ", "อยาก|รู้|มั้ย|คะ"},
		{"อยากรู้มั้ยคะแนนเท่าไหร่", "อยาก|รู้|มั้ย|คะแนน|เท่าไหร่"},
		{"ค่าส่ง(ด่วน)แพงไป 40บาท/กล่อง", "ค่าส่ง|(|ด่วน|)|แพง|ไป|40|บาท|/|กล่อง"},
		{"买的N95口罩和5G卡都没到", "买|的|N95|口罩|和|5G|卡|都|没|到"},
		{"call咗3次hotline", "call|咗|3|次|hotline"},
		{"等了3.5小时，10:30才到", "等|了|3.5|小时|，|10:30|才|到"},
		{"I don't like N95s", "I|don't|like|N95s"},
		{"ของแตก👍🏽🇹🇭!", "ของ|แตก|👍🏽|🇹🇭|!"},
	} {
		if got := cutUp(c.text, p.Tokens(c.text)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestNorms(t *testing.T) {
	p := load(t)
	norm := func(s string) string {
		var b []string
		for _, tok := range p.Tokens(s) {
			b = append(b, tok.Norm)
		}
		return strings.Join(b, " ")
	}
	for _, same := range [][]string{
		{"refund", "refunds", "Refunded", "REFUNDING", "ｒｅｆｕｎｄ"},
		{"發票", "发票"},
		{"乾洗", "干洗"},
		{"สําหรับ", "สำหรับ"},
		{"น้ำ", "น้ํา", "นํ้า"},
		{"๑๒๓", "123", "１２３"},
		{"don’t", "don't", "DON'T"},
		{"到账", "到帳"},
	} {
		for _, s := range same[1:] {
			if norm(s) != norm(same[0]) {
				t.Errorf("%s has the norm %q, %s %q", s, norm(s), same[0], norm(same[0]))
			}
		}
	}
	for _, differ := range [][2]string{{"app", "apple"}, {"business", "busy"}, {"广州", "惠州"}, {"皇后", "皇候"}, {"3.5", "35"}, {"ดี", "ดื"}} {
		if norm(differ[0]) == norm(differ[1]) {
			t.Errorf("%s and %s have the same norm %q", differ[0], differ[1], norm(differ[0]))
		}
	}
}

func TestLangs(t *testing.T) {
	p := load(t)
	for _, c := range []struct{ text, hint, main, spans string }{
		{"โทรไป 3 รอบแล้ว app ก็ยังล็อกอินไม่ได้", "", "th", "th en th"},
		{"พนง. service แย่มาก", "", "th", "th en th"},
		{"Javigator：Java設計", "", "", "en zh-Hant"},
		{"WIFI唔得，call咗3次hotline", "", "yue", "en yue en yue en"},
		{"好", "", "zh-Hans", "zh-Hans"},
		{"好", "zh-Hant", "zh-Hant", "zh-Hant"},
		{"ดี", "", "th", "th"},
		{"ok", "", "en", "en"},
		{"與客服聯繫之後，關係還是沒有改善", "", "zh-Hant", "zh-Hant"},
		{"包裝破了，里面的东西都碎了，客服还不理人", "", "zh-Hans", "zh-Hans"},
		{"佢哋話聽日先有貨", "", "yue", "yue"},
		{"배송이 너무 늦어요", "", "ko", "ko"},
		{"まだ届いていません", "", "ja", "ja"},
		{"12345 😡", "", "und", "und"},
		{"订单2025112588317还没到", "", "zh-Hans", "zh-Hans"},
	} {
		spans, main := p.Langs(c.text, c.hint)
		var got []string
		at := 0
		for _, s := range spans {
			got = append(got, s.Lang)
			if s.Start != at || s.End <= s.Start {
				t.Errorf("%s: span %+v does not follow %d", c.text, s, at)
			}
			at = s.End
		}
		if at != len(c.text) {
			t.Errorf("%s: spans end at %d of %d", c.text, at, len(c.text))
		}
		if c.main != "" && main != c.main || strings.Join(got, " ") != c.spans {
			t.Errorf("%s: %s in %v, want %s in %s", c.text, main, got, c.main, c.spans)
		}
	}
}

func TestSentences(t *testing.T) {
	p := load(t)
	for _, c := range []struct{ text, want string }{
		{"客服说：“三天内一定退款。”结果等了两周。", "客服说：“三天内一定退款。”|结果等了两周。"},
		{"สั่งเมื่อ 5 ม.ค. 2567 ของยังไม่มา. จะคืนเงินไหม? รออยู่นะคะ", "สั่งเมื่อ 5 ม.ค. 2567 ของยังไม่มา.|จะคืนเงินไหม?|รออยู่นะคะ"},
		{"Mr. Lee paid $3.50 at 5 p.m. yesterday. Nothing came!", "Mr. Lee paid $3.50 at 5 p.m. yesterday.|Nothing came!"},
		{"first line\nsecond line", "first line|second line"},
		{"真係好嬲！！！幾時有得退？", "真係好嬲！！！|幾時有得退？"},
	} {
		var got []string
		for _, s := range p.Sentences(c.text) {
			got = append(got, strings.TrimSpace(c.text[s.Start:s.End]))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), c.want)
		}
	}
}

func TestAnalysisRules(t *testing.T) {
	p := load(t)
	analyze := func(turns ...earshot.Turn) *earshot.Analysis { return p.Analyze(&earshot.Verbatim{Turns: turns}) }
	says := func(s string) *earshot.Analysis { return analyze(earshot.Turn{Speaker: "customer", Text: s}) }

	if a := analyze(); a.Sentiment != nil || a.Effort != nil {
		t.Errorf("of a bare rating: %+v", a.Sentiment)
	}
	if a := analyze(earshot.Turn{Speaker: "agent", Text: "so sorry, terrible"}); a.Sentiment != nil || len(a.Evidence) != 0 {
		t.Errorf("of an agent alone: %+v %v", a.Sentiment, a.Evidence)
	}
	if a := analyze(earshot.Turn{Speaker: "employee", Text: "the new tool is terrible"}); a.Sentiment != nil || a.Employee == nil || a.Employee.Sentiment.Score >= 0 {
		t.Errorf("of an employee: %+v %+v", a.Sentiment, a.Employee)
	}
	if a := says("배송이 너무 늦어요"); a.Sentiment != nil {
		t.Errorf("in Korean: %+v", a.Sentiment)
	}
	if a := says("👍"); a.Sentiment == nil {
		t.Error("emoji alone have no sentiment")
	}
	// Several waits are one kind of effort; waiting and calling again are two.
	if one, two := says("I waited 20 minutes"), says("I called 3 times and waited 5 hours"); one.Effort == nil || two.Effort == nil || two.Effort.Score <= one.Effort.Score {
		t.Errorf("effort %+v and %+v", one.Effort, two.Effort)
	}
	for _, pair := range [][2]string{{"good", "not good"}, {"很高兴", "很不高兴"}, {"好食", "唔好食"}, {"อร่อย", "ไม่อร่อย"}} {
		yes, no := says(pair[0]).Sentiment.Score, says(pair[1]).Sentiment.Score
		if yes <= 0 || no >= 0 {
			t.Errorf("%s %v, %s %v", pair[0], yes, pair[1], no)
		}
	}
	// A polite word does not make a rebuff friendly.
	for _, text := range []string{"kindly stop disturbing me", "กรุณาหยุดโทรมาได้แล้วค่ะ", "请别再打电话来了，谢谢", "麻煩不要再打來了", "唔該唔好再打嚟"} {
		if a := says(text); a.Sentiment.Label != "negative" {
			t.Errorf("%s: %+v", text, a.Sentiment)
		}
	}
	for _, text := range []string{"ไม่เป็นไรค่ะ", "不好意思，请问几点开门", "唔好意思，想問下", "no problem at all"} {
		if a := says(text); a.Sentiment.Label == "negative" {
			t.Errorf("%s: %+v", text, a.Sentiment)
		}
	}
}

// hostile are texts that break programs.
var hostile = []string{"", " ", "\u200b", "\xff\xfe", "ȺȺȺȺȺn't", "ั้ั้", "ํา", "👨‍👩‍👧‍👦", "🇹", "\u0301\u0301", "(((", "''''", "3,", ".5", "#", "@", "ﷺ", "“”", "ก\u200bิ", "囍\ufe0f", "ａ\u3099"}

// check holds the laws of units, tokens, sentences and languages for one text.
func check(t *testing.T, p *Pipeline, text string) {
	t.Helper()
	visible := func(s string) bool {
		for _, r := range s {
			if !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Cc) && r != utf8.RuneError && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r) && !unicode.In(r, unicode.Variation_Selector, unicode.Co, unicode.Cs) && unicode.IsPrint(r) {
				return true
			}
		}
		return false
	}
	covers := func(what string, spans []earshot.Span) {
		t.Helper()
		at := 0
		for _, s := range spans {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("%s of %q: span %v after %d", what, text, s, at)
			}
			if visible(text[at:s.Start]) {
				t.Fatalf("%s of %q: %q is in none", what, text, text[at:s.Start])
			}
			at = s.End
		}
		if visible(text[at:]) {
			t.Fatalf("%s of %q: %q is in none", what, text, text[at:])
		}
	}
	var units, tokens []earshot.Span
	for _, u := range Units(nil, text) {
		units = append(units, u.Span)
		if u.Norm == "" {
			t.Fatalf("a unit of %q has no norm", text)
		}
	}
	covers("units", units)
	for _, tok := range p.Tokens(text) {
		tokens = append(tokens, tok.Span)
	}
	covers("tokens", tokens)
	covers("sentences", p.Sentences(text))
	v := &earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: text}}}
	a := p.Analyze(v)
	for _, e := range a.Evidence {
		if text[e.Start:e.End] != e.Text {
			t.Fatalf("evidence %+v is not in %q", e, text)
		}
	}
	if b := p.Analyze(v); len(a.Evidence) != len(b.Evidence) || !slices.Equal(a.Flags, b.Flags) {
		t.Fatalf("two analyses of %q differ", text)
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, s := range append(hostile, "โทรไป 3 รอบ", "等了两个小时", "waited 2hrs!!", "嘅咗 refund 发票") {
		f.Add(s)
	}
	p := load(f)
	f.Fuzz(func(t *testing.T, text string) {
		text, _ = Clean(text)
		check(t, p, text)
	})
}

// TestLinear: what is ten times as long may not hang. The deadline is generous.
func TestLinear(t *testing.T) {
	p := load(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, piece := range []string{"ก", "a", "!", "\u0301", "ั้", "好", "3", "👍", "ไม่", "not ", "不", "รอ 3 ", "(", "“", ".", "a@", "กา ", "แต่", "but ", "called 3 times ", "等了"} {
			p.Analyze(&earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: strings.Repeat(piece, 300_000/len(piece))}}})
		}
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatal("an analysis takes too long")
	}
}

func BenchmarkAnalyze(b *testing.B) {
	p := load(b)
	for name, text := range map[string]string{
		"thai-200B":    "โทรไปคอลเซ็นเตอร์ 3 รอบแล้ว รอสายนานมาก แอปก็ยังล็อกอินไม่ได้ ไม่มีใครตอบ",
		"chinese-120B": "退款申请提交第三天了还没有到账，联系客服三次都说在处理中，真的很失望，快递也没有更新",
		"english-120B": "I waited 40 minutes on hold and nobody answered, then the app crashed when I tried to pay. Very disappointing.",
	} {
		v := &earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: text}}}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				p.Analyze(v)
			}
		})
		b.Run("tokens/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				p.Tokens(text)
			}
		})
	}
}
