package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

var bangkok = time.FixedZone("UTC+7", 7*60*60)

var testOptions = Options{Now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC), Location: bangkok}

func p(x float64) *float64 { return &x }

func day(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, bangkok).UTC()
}

func TestParse(t *testing.T) {
	w := func(s string) Word { return Word{s} }
	now := testOptions.Now
	for _, test := range []struct {
		in   string
		want Node
	}{
		// Words and operators.
		{"", All{}},
		{" \t　", All{}},
		{"*", All{}},
		{"refund", w("refund")},
		{"refund late", And{w("refund"), w("late")}},
		{"refund　退款", And{w("refund"), w("退款")}},
		{"refund AND late", And{w("refund"), w("late")}},
		{"a b OR c", Or{And{w("a"), w("b")}, w("c")}},
		{"a OR b c OR d", Or{w("a"), And{w("b"), w("c")}, w("d")}},
		{"(a OR b) c", And{Or{w("a"), w("b")}, w("c")}},
		{"（a OR b）c", And{Or{w("a"), w("b")}, w("c")}},
		{"a (b c)", And{w("a"), And{w("b"), w("c")}}},
		{"((a))", w("a")},
		{"ａ ＯＲ ｂ", Or{w("ａ"), w("ｂ")}},
		{"NOT a", Not{w("a")}},
		{"-a -b", And{Not{w("a")}, Not{w("b")}}},
		{"a NOT b", And{w("a"), Not{w("b")}}},
		{"a AND NOT b", And{w("a"), Not{w("b")}}},
		{"a －b", And{w("a"), Not{w("b")}}},
		{"-(a b)", Not{And{w("a"), w("b")}}},
		{`-"a b"`, Not{Phrase{"a b"}}},
		{"NOT NOT a", Not{Not{w("a")}}},
		{"and or not", And{w("and"), w("or"), w("not")}},
		{"ANDROID", w("ANDROID")},

		// Phrases.
		{`"late refund"`, Phrase{"late refund"}},
		{"“late refund”", Phrase{"late refund"}},
		{"＂late refund＂", Phrase{"late refund"}},
		{"「退款」", Phrase{"退款"}},
		{"『他說「好」』", Phrase{"他說「好」"}},
		{"退款“没到账”", And{w("退款"), Phrase{"没到账"}}},
		{"\"late refund”", Phrase{"late refund"}},
		{`"say \"no\""`, Phrase{`say "no"`}},
		{`"(a OR b) channel:x"`, Phrase{"(a OR b) channel:x"}},
		{`don't`, w("don't")},
		{"don’t", w("don’t")},
		{`15" screen`, And{w(`15"`), w("screen")}},

		// What people type and mean as words.
		{"10:30", w("10:30")},
		{"http://x.y/z", w("http://x.y/z")},
		{"https：//x.y", w("https：//x.y")},
		{"note: late", And{w("note:"), w("late")}},
		{"备注：晚了", w("备注：晚了")},
		{"channel:", w("channel:")},
		{"-", w("-")},
		{"a - b", And{w("a"), w("-"), w("b")}},
		{"--", w("--")},
		{"-_-", w("-_-")},
		{":)", w(":)")},
		{":-(", w(":-(")},
		{"thanks :))", And{w("thanks"), w(":))")}},
		{"thanks:)", w("thanks:)")},
		{"(thanks :))", And{w("thanks"), w(":)")}},
		{"(thanks :)", And{w("thanks"), w(":")}},
		{"(^_^)", w("^_^")},
		{"(: hi", And{w("(:"), w("hi")}},
		{"D:\\x", w("D:\\x")},
		{"😡😡", w("😡😡")},
		{"退款，没到！", w("退款，没到！")},
		{"f**k", w("f**k")},
		{"5*", w("5*")},
		{"ab*", w("ab*")},
		{"thanks~", w("thanks~")},
		{"10~1", w("10~1")},
		{"wi-fi", w("wi-fi")},
		{"iPhone（黑色）", And{w("iPhone"), w("黑色")}},
		{"a\u200b \u200b b", And{w("a\u200b"), w("b")}},
		{`channel\:chat`, w("channel:chat")},
		{`\(a\)`, w("(a)")},
		{`\-a`, w("-a")},
		{`\AND`, w("AND")},
		{`pre\*`, w("pre*")},
		{`¯\_(ツ)_/¯`, And{w(`¯\_`), w("ツ"), w("_/¯")}},

		// Fields.
		{"channel:chat", Field{"channel", "chat"}},
		{"Channel：chat", Field{"channel", "chat"}},
		{"-channel:chat", Not{Field{"channel", "chat"}}},
		{"(channel:chat)", Field{"channel", "chat"}},
		{`field.store:"BKK 3"`, Field{"field.store", "BKK 3"}},
		{"field.store:BKK-3", Field{"field.store", "BKK-3"}},
		{"field.ร้าน:ลาดพร้าว", Field{"field.ร้าน", "ลาดพร้าว"}},
		{`field."Store: name":x`, Field{"field.Store: name", "x"}},
		{"field.Plan:gold", Field{"field.Plan", "gold"}},
		{"field.url:http://x", Field{"field.url", "http://x"}},
		{"field.path:../x", Field{"field.path", "../x"}},
		{"field.amount:5", Field{"field.amount", "5"}},
		{`field.sign:">5"`, Field{"field.sign", ">5"}},
		{"issue:ISS-12", Field{"issue", "ISS-12"}},
		{"conversation:conv/1", Field{"conversation", "conv/1"}},
		{"customer:张三 refund", And{Field{"customer", "张三"}, w("refund")}},
		{"lang:zh", Or{Field{"lang", "zh-Hans"}, Field{"lang", "zh-Hant"}, Field{"lang", "yue"}}},
		{`lang:"zh"`, Field{"lang", "zh"}},
		{"lang:zh-Hant", Field{"lang", "zh-Hant"}},
		{"has:effort", Has{"effort"}},
		{"has:field.store", Has{"field.store"}},
		{`has:"field.store name"`, Has{"field.store name"}},

		// Numbers.
		{"sentiment:<-0.3", Range{Name: "sentiment", Max: p(-0.3), BelowMax: true}},
		{"sentiment：＜－0.3", Range{Name: "sentiment", Max: p(-0.3), BelowMax: true}},
		{"effort:>=0.5", Range{Name: "effort", Min: p(0.5)}},
		{"effort:≥0.5", Range{Name: "effort", Min: p(0.5)}},
		{"rating:1..3", Range{Name: "rating", Min: p(1), Max: p(3)}},
		{"rating:1..", Range{Name: "rating", Min: p(1)}},
		{"rating:..3", Range{Name: "rating", Max: p(3)}},
		{"rating:>1..<3", Range{Name: "rating", Min: p(1), Max: p(3), OverMin: true, BelowMax: true}},
		{"rating:3", Range{Name: "rating", Min: p(3), Max: p(3)}},
		{"rating:=3", Range{Name: "rating", Min: p(3), Max: p(3)}},
		{"field.amount:>100", Range{Name: "field.amount", Min: p(100), OverMin: true}},
		{"field.amount:1..3", Range{Name: "field.amount", Min: p(1), Max: p(3)}},

		// Times.
		{"at:2026-11-01..2026-11-07", Time{From: day(11, 1), To: day(11, 8)}},
		{"at:2026-11-01", Time{From: day(11, 1), To: day(11, 2)}},
		{"at:2026-11-01..", Time{From: day(11, 1)}},
		{"at:<2026-11-01", Time{To: day(11, 1)}},
		{"at:<=2026-11-01", Time{To: day(11, 2)}},
		{"at:>2026-11-01", Time{From: day(11, 2)}},
		{"at:>=2026-11-01", Time{From: day(11, 1)}},
		{"at:>-24h", Time{From: now.Add(-24 * time.Hour)}},
		{"at:-2w..-7d", Time{From: now.AddDate(0, 0, -14), To: now.AddDate(0, 0, -7)}},
		{"at:-90m..now", Time{From: now.Add(-90 * time.Minute), To: now}},
		{"at:2026-11-01T10:00:00+07:00..2026-11-01T04:00:00Z",
			Time{From: time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC)}},
	} {
		got, err := Parse(test.in, testOptions)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.in, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", test.in, diff)
		}
		checkRoundTrip(t, got)
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		in     string
		code   string
		offset int
		hint   string // part of it
	}{
		{`late "refund`, "unbalanced", 5, `\"`},
		{"退款「没到", "unbalanced", 6, `\"`},
		{`field.store:"BKK`, "unbalanced", 12, `\"`},
		{"(a b", "unbalanced", 0, `\(`},
		{"a (b (c)", "unbalanced", 2, `\(`},
		{"a)", "unbalanced", 1, `\)`},
		{"a （）", "empty_group", 2, `\(\)`},
		{`a ""`, "empty_phrase", 2, "quotes"},
		{"a “ ”", "empty_phrase", 2, "quotes"},
		{"AND a", "dangling_operator", 0, "quotes"},
		{"a AND", "dangling_operator", 2, "quotes"},
		{"a AND OR b", "dangling_operator", 6, "quotes"},
		{"(a OR) b", "dangling_operator", 3, "quotes"},
		{"NOT", "dangling_operator", 0, "quotes"},
		{"chanel:chat", "unknown_field", 0, "channel"},
		{"late sentimnt:<0", "unknown_field", 5, "sentiment"},
		{"field:x", "unknown_field", 0, "field.NAME"},
		{"has:efort", "unknown_field", 4, "has:effort"},
		{`channel:""`, "empty_value", 8, "value"},
		{"channel:(chat OR call)", "syntax", 8, "channel:chat OR channel:call"},
		{"rating:many", "invalid_number", 7, "rating:1..3"},
		{"rating:<", "invalid_number", 7, "rating:1..3"},
		{"rating:0x10", "invalid_number", 7, "rating:1..3"},
		{"rating:NaN", "invalid_number", 7, "rating:1..3"},
		{"rating:1e999", "invalid_number", 7, "rating:1..3"},
		{"rating:3..1", "empty_range", 7, "lower"},
		{"rating:>1..1", "empty_range", 7, "lower"},
		{"field.amount:>x", "invalid_number", 13, "field.amount"},
		{"at:yesterday", "invalid_time", 3, "2026-11-01"},
		{"at:2026-02-30", "invalid_time", 3, "2026-11-01"},
		{"at:>24h", "invalid_time", 3, "-24h"},
		{"at:>-99999999w", "invalid_time", 3, "-24h"},
		{"at:-24h", "empty_range", 3, "at:>-24h"},
		{"at:2026-11-07..2026-11-01", "empty_range", 3, "earlier"},
		{"refu*", "not_supported", 0, `\*`},
		{"refnd~1", "not_supported", 0, `\~`},
		{"a NEAR/5(b, c)", "not_supported", 2, "AND"},
		{`similar:"late"`, "not_supported", 0, "words"},
		{strings.Repeat("(", 33) + "a", "too_deep", 32, ""},
		{strings.Repeat("NOT ", 33) + "a", "too_deep", 128, ""},
		{"a \xff", "invalid_utf8", 2, ""},
	} {
		_, err := Parse(test.in, testOptions)
		e, ok := errors.AsType[*earshot.Error](err)
		if !ok || e.Code != earshot.QueryInvalid || len(e.Fields) != 1 {
			t.Errorf("Parse(%q): %v, want one field that is invalid", test.in, err)
			continue
		}
		f := e.Fields[0]
		if f.Pointer != "/q" || f.Code != test.code || *f.Offset != test.offset || !strings.Contains(f.Hint, test.hint) {
			t.Errorf("Parse(%q): %s at %d, hint %q; want %s at %d, hint with %q", test.in, f.Code, *f.Offset, f.Hint, test.code, test.offset, test.hint)
		}
	}
}

func TestParseLimits(t *testing.T) {
	for _, test := range []struct{ in, code string }{
		{strings.Repeat("a", 4097), "too_long"},
		{strings.Repeat("a ", 257), "too_many"},
		{strings.Repeat("lang:zh ", 86), "too_many"},
	} {
		_, err := Parse(test.in, testOptions)
		e, ok := errors.AsType[*earshot.Error](err)
		if !ok || e.Code != earshot.QueryTooBroad || e.Fields[0].Code != test.code {
			t.Errorf("Parse(%.10q…): %v, want %s", test.in, err, test.code)
		}
	}
	if _, err := Parse(strings.Repeat("a ", 256), testOptions); err != nil {
		t.Error(err)
	}
	if _, err := Parse(strings.Repeat("(", 32)+"a"+strings.Repeat(")", 32), testOptions); err != nil {
		t.Error(err)
	}
}

// A tree that nobody typed gives text that parses to it as well.
func TestStringOfBuiltTree(t *testing.T) {
	for _, n := range []Node{
		And{Or{Word{"a"}, All{}}, And{Word{"b"}, Not{Or{Word{"c"}, Word{"d"}}}}},
		Or{Or{Word{"a"}, Word{"b"}}, And{Word{"c"}, Word{"*"}}},
		Word{`\AND`}, Word{`a b`}, Word{`C:\`}, Word{`\\x`}, Word{"field.a:b"}, Word{"a~1"}, Word{"-"}, Word{"－x"},
		Word{"NEAR/5"}, Word{":)"}, Word{"(:"}, Word{"「x」"},
		Phrase{`\"`}, Phrase{"a\n“b”"},
		Field{"lang", "ZH"}, Field{"field.a b:", "x y"}, Field{"field.n", "<3"}, Field{"field.n", "1..3"}, Field{"source", "-x"},
		Range{Name: "rating"}, Range{Name: "field.n", Min: p(3), Max: p(3)}, Range{Name: "effort", Min: p(-1e-9), Max: p(1e21), OverMin: true},
		Time{}, Time{To: day(1, 1)}, Time{From: day(1, 1).Add(1)},
		Has{"field.a b"},
	} {
		checkRoundTrip(t, n)
	}
}

func checkRoundTrip(t *testing.T, n Node) {
	t.Helper()
	o := testOptions
	o.MaxBytes = 1 << 20
	back, err := Parse(n.String(), o)
	if err != nil {
		t.Errorf("Parse(%q): %v", n.String(), err)
		return
	}
	if diff := cmp.Diff(n, back); diff != "" {
		t.Errorf("%q parses to something else (-want +got):\n%s", n.String(), diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{`(a OR "b c") -d`, "at:>-24h rating:1..3", `field."x y":z`, ":) （退款）“x”", `\AND a\~1 10:30`,
		"lang:zh NOT has:effort", "-（：）", "(((（^_^）", `15" -"`, "field.a:..1 field.b:>=2..<3", "\\\\:\\"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		n, err := Parse(q, testOptions)
		if err == nil {
			checkRoundTrip(t, n)
			return
		}
		e, ok := errors.AsType[*earshot.Error](err)
		if !ok || len(e.Fields) != 1 || e.Fields[0].Offset == nil {
			t.Fatalf("%v has no place", err)
		}
		if at := *e.Fields[0].Offset; at < 0 || at > len(q) {
			t.Fatalf("offset %d of %d bytes", at, len(q))
		}
	})
}
