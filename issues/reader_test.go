package issues

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// termsOf gives the words of a text that tell one trouble from another, concepts left out.
func termsOf(t testing.TB, text string) (words, concepts []string) {
	r := newReader(t)
	for _, term := range r.terms(nil, text, r.nlp.Tokens(text)) {
		if strings.HasPrefix(term, conceptMark) {
			concepts = append(concepts, term)
		} else {
			words = append(words, term)
		}
	}
	return words, concepts
}

// TestTerms: words that name an order, stand for something personal or say
// nothing are no terms.
func TestTerms(t *testing.T) {
	for text, want := range map[string][]string{
		"":                              nil,
		"88213409":                      nil,
		"A-20261101-17 TH88213409":      nil,
		"#5512-0931, 3.5, 10:30, 1,200": nil,
		"单号20261101884512":              nil,
		"三次 半天 两个月":                     nil,
		"the and of to":                 nil,
		"😡😡😡 !!! ???":                   nil,
		"kettle kettle KETTLE Kettle":   {"kettle"},
		"ไม่มีค่ะ":                      nil,
		"N95 5G":                        {"n95", "5g"},
	} {
		got, _ := termsOf(t, text)
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
	long, _ := termsOf(t, strings.Repeat("kettle toaster umbrella ", 3)+nonsense(2000))
	if len(long) > maxTerms+8 {
		t.Errorf("%d terms", len(long))
	}
	for _, kind := range earshot.RedactionTypes {
		t.Run(kind, func(t *testing.T) {
			words, concepts := termsOf(t, "["+kind+"_1]")
			if len(words)+len(concepts) > 0 {
				t.Errorf("a placeholder is one token that begins with its bracket, which isPlaceholder does not see: [%s_1] has the terms %q %q", kind, words, concepts)
			}
		})
	}
}

// nonsense is n words that nobody said before.
func nonsense(n int) string {
	var b strings.Builder
	for i := range n {
		for x := i + 1; x > 0; x /= 14 {
			b.WriteByte("bdfgklmnprstvz"[x%14])
			b.WriteByte("aeiou"[x%5])
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// TestConcepts: paraphrases share a concept.
func TestConcepts(t *testing.T) {
	for _, c := range []struct {
		concept string
		texts   []string
	}{
		{"~login", []string{"I can't log in", "登录不了", "無法登入", "登入唔到", "เข้าสู่ระบบไม่ได้", "ล็อกอินไม่ได้", "login 唔到"}},
		{"~otp", []string{"the OTP never comes", "收不到验证码", "รหัส OTP ไม่มา", "驗證碼收唔到"}},
		{"~refund", []string{"I want a refund", "退款没到账", "ขอเงินคืน", "退錢"}},
	} {
		for _, text := range c.texts {
			if _, concepts := termsOf(t, text); !slices.Contains(concepts, c.concept) {
				t.Errorf("%q speaks of %v, want %s", text, concepts, c.concept)
			}
		}
	}
}

func TestFamily(t *testing.T) {
	for lang, want := range map[string]string{"zh-Hans": "zh", "zh-Hant": "zh", "yue": "zh", "zh": "zh", "th": "th", "en": "en", "ja": "other", "und": "other", "": "other"} {
		if got := family(lang); got != want || !slices.Contains(families, got) {
			t.Errorf("%q is of the family %s, want %s", lang, got, want)
		}
	}
}

// TestMentions: who bears a trouble, who only asks, and who says nothing.
func TestMentions(t *testing.T) {
	for _, c := range []struct {
		turns           []string
		mentions        int
		troubled, bears bool // any of them
	}{
		{[]string{"cannot log in since the update"}, 1, true, true},
		{[]string{"更新之后登录不了，急死了"}, 1, true, true},
		{[]string{"更新完登入唔到"}, 1, true, true},
		{[]string{"เข้าแอปไม่ได้เลยค่ะ"}, 1, true, true},
		{[]string{"Is the shop open on Sunday?"}, 1, false, true},
		{[]string{"ร้านเปิดวันอาทิตย์ไหมคะ"}, 1, false, true},
		{[]string{"love the new app, great service"}, 0, false, false},
		{[]string{"บริการดีมาก ประทับใจค่ะ"}, 0, false, false},
		{[]string{"thanks"}, 0, false, false},
		{[]string{"-"}, 0, false, false},
		{[]string{"12345"}, 0, false, false},
		{[]string{""}, 0, false, false},
		{[]string{"agent: your parcel is late and broken, sorry"}, 0, false, false},
		{[]string{"bot: cannot log in? press 1", "agent: login fails?"}, 0, false, false},
		{[]string{"my parcel is late", "agent: sorry", "and the lamp is broken"}, 2, true, true},
	} {
		d := newDesk(t)
		m := d.comment("a", c.turns...).mentions
		troubled := slices.ContainsFunc(m, func(m Mention) bool { return m.Troubled })
		bears := slices.ContainsFunc(m, func(m Mention) bool { return m.Bears })
		if len(m) != c.mentions || troubled != c.troubled || bears != c.bears {
			t.Errorf("%q: %d mentions, troubled %v, bears %v; want %d, %v, %v\n%+v", c.turns, len(m), troubled, bears, c.mentions, c.troubled, c.bears, m)
		}
	}
	r := newReader(t)
	if m := r.Mentions(&earshot.Record{}); m != nil {
		t.Errorf("what was not analysed mentions %v", m)
	}
	v := earshot.Verbatim{Rating: &earshot.Rating{Value: 1, Scale: "stars"}}
	if m := r.Mentions(&earshot.Record{Verbatim: v, Analysis: r.nlp.Analyze(&v)}); m != nil {
		t.Errorf("a bare rating mentions %v", m)
	}
}

// lawful holds what is true of the mentions, issues and titles of any text.
func lawful(t testing.TB, c *comment, d *desk) {
	t.Helper()
	text := c.Verbatim.Text()
	last := 0
	for _, m := range c.mentions {
		if m.Start < last || m.End < m.Start || m.End > len(text) || m.Segment < 0 || m.Segment >= len(c.Analysis.Segments) {
			t.Fatalf("a mention of %d … %d, after %d, of segment %d", m.Start, m.End, last, m.Segment)
		}
		last = m.End
		if len(m.Terms) == 0 || len(m.Terms) > maxTerms+8 {
			t.Fatalf("a mention has %d terms", len(m.Terms))
		}
		terms := slices.Sorted(slices.Values(m.Terms))
		if len(slices.Compact(terms)) != len(m.Terms) {
			t.Fatalf("a term twice in %q", m.Terms)
		}
		if m.Troubled && !m.Bears || m.Troubled && !m.Opens {
			t.Fatalf("troubled, but bears %v and opens %v", m.Bears, m.Opens)
		}
	}
	for _, r := range c.Issues {
		n, ok := NumberOf(r.ID)
		if !ok || !(r.Similarity >= 0 && r.Similarity <= 1.001) {
			t.Fatalf("reference %+v", r)
		}
		i := d.Get(d.Current(n))
		titles, phrases := d.Titles(i)
		for lang, title := range titles {
			if len(phrases[lang]) == 0 || len(phrases[lang]) > maxPhrases || phrases[lang][0] != title {
				t.Fatalf("title %q, phrases %q", title, phrases[lang])
			}
			for k, p := range phrases[lang] {
				if p == "" || !utf8.ValidString(p) || utf8.RuneCountInString(p) > maxTitle || slices.Contains(phrases[lang][:k], p) || strings.ContainsAny(p, "\n\t") {
					t.Fatalf("phrases %q", phrases[lang])
				}
			}
		}
	}
}

// FuzzText carries any text from words to titles, and away again.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", " ", "cannot log in", "登录不了", "เข้าแอปไม่ได้", "[PHONE_1] [", "a\x00b", "\u202eabc", "ไม่ได้ไม่ได้ไม่ได้", "[[[[A]]]]", "ก็็็็็็", "不不不不不不", "~login ~app", "🤬", "a\u0301\u0301\u0301", "ﷺ", strings.Repeat("(", 500)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\uFFFD")
		d, w := newDesk(t), newDrawer()
		d.say("a", "cannot log in since the update, 登录不了, เข้าแอปไม่ได้")
		var all []*comment
		for k, turns := range [][]string{{text}, {text + " is broken"}, {"agent: " + text, text, "broken " + text}} {
			c := d.say(fmt.Sprint("p", k), turns...)
			lawful(t, c, d)
			all = append(all, c)
		}
		m := Mention{Span: earshot.Span{End: len(text)}, Lang: "en", Troubled: true, Bears: true, Opens: true}
		if m.Terms = d.reader.terms(nil, text, d.reader.nlp.Tokens(text)); len(m.Terms) > 0 {
			x := &comment{said: &Said{Value: series.Value{At: d.now}, Verbatim: "x", Lang: "en"}, mentions: []Mention{m}}
			x.Verbatim.Turns = []earshot.Turn{{Text: text}}
			all = append(all, d.place(x))
			for _, i := range d.All() {
				d.title(i)
			}
		}
		d.pass(time.Hour)
		d.save(w)
		again := d.reopen(w)
		if diff := gocmp.Diff(d.picture(), again.picture()); diff != "" {
			t.Error(diff)
		}
		for _, c := range all {
			d.remove(c)
		}
		d.save(w)
		d.checkCounts(w)
	})
}

// TestHuge: 200 kB of anything are read, placed and named in one go.
func TestHuge(t *testing.T) {
	const size = 200_000
	for name, piece := range map[string]string{
		"one word": "a", "no": "不", "Thai": "ไม่ได้", "complaints": "cannot log in. ", "Chinese complaints": "登录不了。", "words": "", "brackets": "[A", "mixed": "login ไม่ได้ 登入唔到 [PHONE_1]! ",
	} {
		t.Run(name, func(t *testing.T) {
			text := nonsense(size / 5)[:size]
			if piece != "" {
				text = strings.Repeat(piece, size/len(piece))
			}
			begun := time.Now()
			d := newDesk(t)
			for k := range 2 {
				lawful(t, d.say(fmt.Sprint("p", k), text), d)
			}
			d.pass(time.Hour)
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
	t.Run("turns", func(t *testing.T) {
		words := strings.Fields(nonsense(12000))
		var turns []string
		for k := 0; k+3 <= len(words) && len(turns) < 8000; k += 3 {
			turns = append(turns, strings.Join(words[k:k+3], " "), "agent: sorry")
		}
		begun := time.Now()
		d := newDesk(t)
		c := d.say("a", turns...)
		lawful(t, c, d)
		if took := time.Since(begun); took > 60*time.Second {
			t.Errorf("took %v", took)
		} else {
			t.Logf("%d turns, %d issues, %v", len(turns), len(c.Issues), took)
		}
	})
}
