package query_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/query"
	"github.com/earshot-cx/earshot/query/querytest"
)

var pipeline = sync.OnceValues(nlp.New)

func tokenizer(t testing.TB) query.Tokenizer {
	t.Helper()
	p, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, q string) query.Node {
	t.Helper()
	n, err := query.Parse(q, query.Options{Now: querytest.Now, Location: querytest.Location})
	if err != nil {
		t.Fatalf("Parse(%q): %v", q, err)
	}
	return n
}

func turns(texts ...string) *earshot.Record {
	r := new(earshot.Record)
	for _, text := range texts {
		r.Verbatim.Turns = append(r.Verbatim.Turns, earshot.Turn{Speaker: "customer", Text: text})
	}
	return r
}

// Every query is judged by the marks it leaves; "|" stands between turns.
func TestMatch(t *testing.T) {
	tok := tokenizer(t)
	for _, test := range []struct {
		query, text string
		match       bool
		marks       []string
	}{
		// Chinese, across scripts, inside longer words.
		{"审计", "审计工作规定我看不懂", true, []string{"审计"}},
		{"审计工作规定", "审计工作规定我看不懂", true, []string{"审计工作规定"}},
		{"广州", "惠州仓库发货太慢", false, nil},
		{"干洗", "乾洗店洗壞咗我件外套", true, []string{"乾洗"}},
		{"干洗", "店員幹什麼都慢吞吞", false, nil},
		{"皇后", "皇后大道分店", true, []string{"皇后"}},
		{"皇后", "排隊之後才說賣完了", false, nil},
		{"发票", "請重開發票，抬頭打錯了", true, []string{"發票"}},
		{"發票", "请重开发票，抬头打错了", true, []string{"发票"}},
		{"发票", "重新發貨了沒有", false, nil},
		{"会员", "买的汇源果汁漏了一瓶", false, nil},
		{"没到", "但是没到，还没到账", true, []string{"没到", "没到"}},
		{"没到", "没有收到", false, nil},
		{"张小凡", "客服张小凡说的", true, []string{"张小凡"}},
		{`"张小凡"`, "張小凡說他的訂單被取消了", true, []string{"張小凡"}},
		{"退款了吗", "退款一直没有", true, []string{"退款"}},
		{"的", "我的", true, []string{"的"}},
		{"唔該", "唔該整返好佢", true, []string{"唔該"}},
		{`"唔該整返"`, "唔該整返好佢", true, []string{"唔該整返"}},
		{`"退款到账"`, "退款 到账", false, nil},
		{`"退款 到账"`, "退款\n到账", true, []string{"退款\n到账"}},

		// Thai.
		{"กิน", "เขากำลังกินข้าว", true, []string{"กิน"}},
		{"กน", "เขากำลังกินข้าว", false, nil},
		{"น้ำ", "น้ํารั่วที่ร้าน", true, []string{"น้ํา"}},
		{`"น้ํารั่ว"`, "น้ำรั่วที่ร้าน", true, []string{"น้ำรั่ว"}},
		{`"รอนาน"`, "รอนานมากกกก", true, []string{"รอนาน"}},

		// Latin words and numbers.
		{"app", "I bought an apple", false, nil},
		{"app", "個app成日閃退, APP ａｐｐｓ", true, []string{"app", "APP", "ａｐｐｓ"}},
		{"refund", "Two refunds", true, []string{"refunds"}},
		{"refunds", "客服说refund要三天", true, []string{"refund"}},
		{`"refund"`, "Two refunds", false, nil},
		{"usb", "ＵＳＢ充電線一插就發燙", true, []string{"ＵＳＢ"}},
		{`"usb充电"`, "ＵＳＢ充電線一插就發燙", true, []string{"ＵＳＢ充電"}},
		{"10:30", "นัดช่าง 10:30 มาถึงบ่ายสอง", true, []string{"10:30"}},
		{"10:30", "นัดช่าง 13:00 มาตรงเวลา", false, nil},
		{`"3.5小时"`, "等了3.5小时才修好", true, []string{"3.5小时"}},
		{`"3.5小时"`, "等了35小时才修好", false, nil},
		{"wi-fi", "the Wi-Fi is slow", true, []string{"Wi", "Fi"}},
		{`"don't order"`, "Don’t order here", true, []string{"Don’t order"}},

		// Emoji and marks.
		{"👍", "抵讚👍🏻", true, []string{"👍🏻"}},
		{"!!!", "急！！！", true, []string{"！！！"}},
		{"急!!!", "急", true, []string{"急"}},

		// Trees and their marks.
		{"refund OR app", "the app", true, []string{"app"}},
		{"(refund gone) OR app", "the app has no refund", true, []string{"app"}},
		{"app -refund", "the app has no refund", false, nil},
		{"app -refund", "the app crashed", true, []string{"app"}},
		{"NOT app", "refund", true, nil},
		{"", "refund", true, nil},
		{`"退款" 款`, "退款", true, []string{"退款"}},
		{"退 款", "退款", true, []string{"退款"}},

		// Turns.
		{"refund app", "my refund|the app", true, []string{"refund", "app"}},
		{`"refund the"`, "my refund|the app", false, nil},
		{"退款", "退|款", false, nil},
		{"款", "退|退款", true, []string{"款"}},
	} {
		r := turns(strings.Split(test.text, "|")...)
		d, n := query.NewDocument(r, tok), parse(t, test.query)
		if got := query.Match(n, d); got != test.match {
			t.Errorf("%s in %s: match is %v, want %v", test.query, test.text, got, test.match)
		}
		var marks []string
		text := r.Verbatim.Text()
		for _, s := range query.Highlight(n, d) {
			marks = append(marks, text[s.Start:s.End])
		}
		if diff := cmp.Diff(test.marks, marks); diff != "" {
			t.Errorf("%s in %s: marks (-want +got):\n%s", test.query, test.text, diff)
		}
	}
}

func TestTerms(t *testing.T) {
	tok := tokenizer(t)
	for _, test := range []struct{ word, want string }{
		{"refunds", "=refund"},
		{"wi-fi", "=wi =fi"},
		{"10:30", "=10:30"},
		{"3.5", "=3.5"},
		{"3.5小时", "=3.5 小时"},
		{"张小凡", "张小凡"},
		{"沒到", "没到"},
		{"退款了吗", "退款"},
		{"的", "的"},
		{"了！", "了"},
		{"กิน", "กิน"},
		{"😡！", "😡"},
		{"?!", "?!"},
		{"カメラ", "カメラ"},
		{"退款APP退款", "退款 =app 退款"},
	} {
		var got []string
		for _, term := range query.Terms(test.word, tok) {
			s := ""
			for _, u := range term.Units {
				s += u.Norm
			}
			if term.Stem != "" {
				s = "=" + term.Stem
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("Terms(%q) = %q, want %q", test.word, s, test.want)
		}
	}
}

// The judge of querytest says the same as the matcher, and marks are where they should be.
func TestJudge(t *testing.T) {
	tok := tokenizer(t)
	for seed := range uint64(3) {
		records := querytest.Corpus(seed)
		docs := make([]*query.Document, len(records))
		for i, r := range records {
			docs[i] = query.NewDocument(r, tok)
		}
		found, wrong := 0, 0
		for _, q := range querytest.Queries(seed) {
			n := parse(t, q.Text)
			if back := parse(t, n.String()); !cmp.Equal(n, back) {
				t.Errorf("%s became %s", q.Text, back)
			}
			for i, d := range docs {
				got, want := query.Match(n, d), q.Want(records[i])
				if got {
					found++
				}
				if got != want {
					if wrong++; wrong < 20 {
						t.Errorf("%s\nin %q (%s): match is %v, the judge says %v", q.Text, records[i].Verbatim.Text(), records[i].Verbatim.ID, got, want)
					}
				}
				checkMarks(t, query.Highlight(n, d), got, &records[i].Verbatim)
			}
		}
		if found == 0 {
			t.Error("no query matched anything")
		}
	}
}

func checkMarks(t *testing.T, marks []earshot.Span, match bool, v *earshot.Verbatim) {
	t.Helper()
	if !match && len(marks) > 0 {
		t.Errorf("marks in %s, which does not match", v.ID)
	}
	last := -1
	for _, m := range marks {
		if m.Start <= last || m.End <= m.Start || m.End > len(v.Text()) {
			t.Fatalf("marks %v in %s", marks, v.ID)
		}
		last = m.End
	}
}

// A run that almost matches everywhere costs no more than one that does not begin to.
func TestMatchRepetition(t *testing.T) {
	tok := tokenizer(t)
	d := query.NewDocument(turns(strings.Repeat("ก", 100_000)), tok)
	if query.Match(query.Phrase{Text: strings.Repeat("ก", 1300) + "ข"}, d) {
		t.Error("it does not stand there")
	}
	if marks := query.Highlight(query.Phrase{Text: strings.Repeat("ก", 1300)}, d); len(marks) != 1 || marks[0] != (earshot.Span{End: 300_000}) {
		t.Errorf("marks %v, want the whole text", marks)
	}
}

func BenchmarkMatch(b *testing.B) {
	tok := tokenizer(b)
	text := strings.Repeat("退款三天了还没到账 My refund has not come โทรไป 3 รอบแล้ว ", 12) // 1 kB
	r := turns(text)
	d := query.NewDocument(r, tok)
	for _, q := range []string{"refund", "退款", `"没到账 my"`, "nowhere", `"nowhere at all"`} {
		b.Run(q, func(b *testing.B) {
			n := parse(b, q)
			for b.Loop() {
				query.Match(n, d)
			}
		})
	}
	b.Run("NewDocument", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			query.NewDocument(r, tok)
		}
	})
}

func TestFields(t *testing.T) {
	r := turns("x")
	r.Verbatim.Source = "ＮＰＳ 2025"
	r.Verbatim.Customer = "張三"
	r.Verbatim.Fields = map[string]any{"store name": "BKK 3", "amount": 1e6, "gift": true, "empty": ""}
	r.Verbatim.Rating = &earshot.Rating{Value: 0, Scale: "nps"}
	r.Issues = []earshot.IssueRef{{ID: "ISS-1"}, {ID: "ISS-1", Segment: 1}}
	r.Analysis = &earshot.Analysis{Lang: "yue", Effort: &earshot.Effort{Score: 0}, Aspects: []earshot.Aspect{{Topic: "price"}}}
	d := query.NewDocument(r, tokenizer(t))
	for q, want := range map[string]bool{
		`source:"nps 2025"`:           true,
		"source:nps":                  false,
		"customer:张三":                 true,
		`field."store name":"bkk 3"`:  true,
		`field."Store Name":"bkk 3"`:  false,
		"field.amount:1000000":        true,
		"field.amount:>999999":        true,
		"field.gift:TRUE":             true,
		"has:field.gift":              true,
		"has:field.empty":             false,
		"rating:0":                    true,
		"rating:>0":                   false,
		"sentiment:<=1":               false,
		"sentiment:..":                false,
		"effort:..":                   true,
		"effort:>=0":                  true,
		"effort:>-1..<0":              false,
		"lang:zh":                     true,
		"lang:en":                     false,
		"issue:iss-1":                 true,
		"topic:price":                 true,
		"speaker:customer":            true,
		"has:sentiment":               false,
		"has:author":                  false,
		"at:<2000-01-01":              true,
		"at:>2000-01-01":              false,
		"NOT has:author lang:yue":     true,
		"intent:refund OR topic:pric": false,
	} {
		if got := query.Match(parse(t, q), d); got != want {
			t.Errorf("%s: %v, want %v", q, got, want)
		}
	}
	if diff := cmp.Diff([]string{"ISS-1"}, query.FieldValues(r, "issue")); diff != "" {
		t.Error(diff)
	}
	if x, ok := query.NumberValue(r, "sentiment"); ok {
		t.Errorf("an absent sentiment is %v", x)
	}
}
