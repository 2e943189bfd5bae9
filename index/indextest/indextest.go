// Package indextest holds the contract of index.Index: every implementation
// passes Run. It needs no dictionary: Words cuts texts.
package indextest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/query"
)

// Words is a query.Tokenizer that knows no words: a Latin word or number is a
// token, without an "s" at its end, and so are two Chinese or Thai characters
// that stand together, or one that is left over.
type Words struct{}

// Tokens implements query.Tokenizer.
func (Words) Tokens(text string) []nlp.Token {
	var tokens []nlp.Token
	units := query.Run(text)
	for i := 0; i < len(units); i++ {
		u := units[i]
		t := nlp.Token{Span: u.Span, Norm: u.Norm, Kind: u.Kind}
		switch {
		case u.Kind == nlp.Word:
			t.Norm = strings.TrimSuffix(t.Norm, "s")
		case u.Kind != nlp.Han && u.Kind != nlp.Thai && u.Kind != nlp.Syl:
		case i+1 < len(units) && units[i+1].Kind == u.Kind && !units[i+1].Space:
			i++
			t.Norm += units[i].Norm
			t.End = units[i].End
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// Tenant is the one that the tests use unless they need two.
const Tenant = "acme"

// Run proves that what open gives keeps the promises of index.Index. Each test
// opens its own; it must cut texts with Words. Run closes them.
func Run(t *testing.T, open func(t *testing.T) index.Index) {
	tests := []struct {
		name string
		run  func(*fixture)
	}{
		{"text", testText},
		{"fields", testFields},
		{"numbers", testNumbers},
		{"relevance", testRelevance},
		{"again", testAgain},
		{"gone", testGone},
		{"revision", testRevision},
		{"pages", testPages},
		{"facets", testFacets},
		{"times", testTimes},
		{"tenants", testTenants},
		{"reset", testReset},
		{"refused", testRefused},
		{"unusual", testUnusual},
		{"broad", testBroad},
		{"late", testLate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{T: t, ix: open(t)}
			tt.run(f)
			if err := f.ix.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

type fixture struct {
	*testing.T
	ix  index.Index
	seq uint64
}

// Day is when the records of Record were said.
var Day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// Record is a plain record of one turn a text.
func Record(id string, texts ...string) *earshot.Record {
	r := &earshot.Record{Analysis: &earshot.Analysis{}, Verbatim: earshot.Verbatim{
		ID: id, Source: "api", Channel: "chat", At: Day, ReceivedAt: Day, Revision: 1}}
	for _, text := range texts {
		r.Verbatim.Turns = append(r.Verbatim.Turns, earshot.Turn{Speaker: "customer", Text: text})
	}
	return r
}

func (f *fixture) put(records ...*earshot.Record) {
	f.Helper()
	f.seq++
	f.batch(index.Batch{Put: records, Seq: f.seq})
}

func (f *fixture) batch(b index.Batch) {
	f.Helper()
	if err := f.ix.Put(context.Background(), Tenant, b); err != nil {
		f.Fatalf("Put: %v", err)
	}
}

func (f *fixture) search(r index.Request) *index.Result {
	f.Helper()
	res, err := f.ix.Search(context.Background(), Tenant, r)
	if err != nil {
		f.Fatalf("Search: %v", err)
	}
	return res
}

// found are the ids that a query finds, sorted.
func (f *fixture) found(n query.Node) string {
	f.Helper()
	res := f.search(index.Request{Query: n, Limit: 100})
	if res.Total != len(res.Hits) {
		f.Errorf("total %d of %d hits", res.Total, len(res.Hits))
	}
	ids := IDs(res)
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func (f *fixture) want(n query.Node, ids string) {
	f.Helper()
	if got := f.found(n); got != ids {
		f.Errorf("%v: got %q, want %q", n, got, ids)
	}
}

// IDs are the ids of a page's hits.
func IDs(res *index.Result) []string {
	ids := make([]string, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	return ids
}

func testText(f *fixture) {
	f.put(
		Record("zh", "退款三天了还没到账"),
		Record("gap", "退 款"),
		Record("mark", "退！款"),
		Record("long", "审计工作规定"),
		Record("th", "เขากำลังกินข้าว"),
		Record("en", "My refunds are late", "still waiting"),
		Record("app", "The apple is bad"),
		Record("mix", "客服says refund要三天 2.5 kg"),
	)
	for _, tt := range []struct {
		query query.Node
		ids   string
	}{
		{query.Word{Text: "refund"}, "en mix"},
		{query.Word{Text: "app"}, ""},
		{query.Word{Text: "退款"}, "zh"},
		{query.Word{Text: "计工"}, "long"},
		{query.Word{Text: "三天"}, "mix zh"},
		{query.Word{Text: "กิน"}, "th"},
		{query.Phrase{Text: "退"}, "gap mark zh"},
		{query.Phrase{Text: "退款"}, "zh"},
		{query.Phrase{Text: "退 款"}, "gap"},
		{query.Phrase{Text: "退！款"}, "mark"},
		{query.Phrase{Text: "款三天"}, "zh"},
		{query.Phrase{Text: "审计工作规"}, "long"},
		{query.Phrase{Text: "审计作"}, ""},
		{query.Phrase{Text: "客服says refund要"}, "mix"},
		{query.Phrase{Text: "客服 says"}, ""},
		{query.Phrase{Text: "2.5 kg"}, "mix"},
		{query.Phrase{Text: "refunds are"}, "en"},
		{query.Phrase{Text: "refund are"}, ""},
		{query.Phrase{Text: "late still"}, ""}, // in two turns
		{query.Phrase{Text: "still waiting"}, "en"},
		{query.Phrase{}, "app en gap long mark mix th zh"},
		{query.And{query.Word{Text: "refund"}, query.Word{Text: "waiting"}}, "en"},
		{query.Or{query.Word{Text: "apple"}, query.Phrase{Text: "规定"}}, "app long"},
		{query.And{query.Word{Text: "refund"}, query.Not{Node: query.Word{Text: "late"}}}, "mix"},
		{query.Not{Node: query.Word{Text: "refund"}}, "app gap long mark th zh"},
		{query.Not{Node: query.All{}}, ""},
		{query.Or{query.Not{Node: query.Word{Text: "refund"}}, query.Word{Text: "late"}}, "app en gap long mark th zh"},
	} {
		f.want(tt.query, tt.ids)
	}
}

func testFields(f *fixture) {
	a := Record("a", "one")
	a.Verbatim.Customer, a.Verbatim.ExternalID, a.Verbatim.Source = "C-8812", "zd 1", "NPS 2025"
	a.Verbatim.Fields = map[string]any{"store": "BKK-3", "gift": true, "a\x00b": "x", "amount": 100.0}
	a.Analysis.Lang, a.Analysis.Intents = "zh-Hans", []earshot.Label{{Label: "refund"}, {Label: "complaint"}}
	a.Issues = []earshot.IssueRef{{ID: "ISS-1"}, {ID: "ISS-2"}, {ID: "ISS-1", Segment: 1}}
	b := Record("b", "two")
	b.Verbatim.Channel = "call"
	b.Verbatim.Turns = append(b.Verbatim.Turns, earshot.Turn{Speaker: "agent", Text: "hello"})
	b.Verbatim.Fields = map[string]any{"stor": "e", "plan": "bkk-3"}
	f.put(a, b)
	for _, tt := range []struct{ name, value, ids string }{
		{"channel", "chat", "a"}, {"channel", "CALL", "b"}, {"channel", "cha", ""},
		{"source", "nps 2025", "a"}, {"customer", "c-8812", "a"}, {"external_id", "ＺＤ 1", "a"},
		{"lang", "zh-hans", "a"}, {"intent", "complaint", "a"}, {"issue", "iss-2", "a"},
		{"speaker", "customer", "a b"}, {"speaker", "agent", "b"},
		{"field.store", "bkk-3", "a"}, {"field.plan", "BKK-3", "b"}, {"field.gift", "true", "a"}, {"field.gift", "false", ""},
		{"field.amount", "100", "a"}, {"field.none", "x", ""}, {"field.stor", "e", "b"}, {"field.", "", ""},
	} {
		f.want(query.Field{Name: tt.name, Value: tt.value}, tt.ids)
	}
	for name, ids := range map[string]string{"customer": "a", "channel": "a b", "effort": "", "field.store": "a", "field.plan": "b", "field.amount": "a", "issue": "a"} {
		f.want(query.Has{Name: name}, ids)
	}
}

func testNumbers(f *fixture) {
	third := 1.0 / 3
	for i, x := range []float64{-1, -0.25, 0, third, 1} {
		r := Record(fmt.Sprint("s", i), "text")
		r.Analysis.Sentiment = &earshot.Sentiment{Score: x}
		r.Verbatim.Fields = map[string]any{"n": x * 1e300}
		f.put(r)
	}
	r := Record("none", "text")
	r.Verbatim.Fields = map[string]any{"n": "0"}
	f.put(r)
	num := func(x float64) *float64 { return &x }
	for _, tt := range []struct {
		r   query.Range
		ids string
	}{
		{query.Range{Name: "sentiment"}, "s0 s1 s2 s3 s4"},
		{query.Range{Name: "sentiment", Max: num(-0.25)}, "s0 s1"},
		{query.Range{Name: "sentiment", Max: num(-0.25), BelowMax: true}, "s0"},
		{query.Range{Name: "sentiment", Min: num(0)}, "s2 s3 s4"},
		{query.Range{Name: "sentiment", Min: num(0), OverMin: true}, "s3 s4"},
		{query.Range{Name: "sentiment", Min: num(third), Max: num(third)}, "s3"},
		{query.Range{Name: "sentiment", Min: num(2)}, ""},
		{query.Range{Name: "field.n", Min: num(1e300)}, "s4"},
		{query.Range{Name: "field.m"}, ""},
		{query.Range{Name: "effort", Min: num(-1)}, ""},
	} {
		f.want(tt.r, tt.ids)
	}
	f.want(query.Or{query.Range{Name: "sentiment", Max: num(-1)}, query.Range{Name: "sentiment", Min: num(1)}}, "s0 s4")
	f.want(query.Not{Node: query.Range{Name: "sentiment"}}, "none")
}

func testRelevance(f *fixture) {
	f.put(Record("whole", "退款 慢"), Record("inside", "我退款慢"), Record("other", "三天"),
		Record("rare", "apple delivery"), Record("common", "delivery"), Record("common2", "delivery"))
	res := f.search(index.Request{Query: query.Word{Text: "退款"}, Limit: 9})
	if got, want := fmt.Sprint(IDs(res)), "[whole inside]"; got != want {
		f.Errorf("got %s, want %s: a whole word ranks higher", got, want)
	}
	res = f.search(index.Request{Query: query.Or{query.Word{Text: "delivery"}, query.Word{Text: "apple"}}, Limit: 1})
	if got := fmt.Sprint(IDs(res)); got != "[rare]" || res.Hits[0].Relevance <= 0 {
		f.Errorf("got %s, want the one with the rare word", got)
	}
	// The same texts, spread over months, have the same relevance.
	before := f.search(index.Request{Query: query.Word{Text: "delivery"}, Limit: 9})
	var moved []*earshot.Record
	for i, r := range []*earshot.Record{Record("whole", "退款 慢"), Record("inside", "我退款慢"), Record("other", "三天"),
		Record("rare", "apple delivery"), Record("common", "delivery"), Record("common2", "delivery")} {
		r.Verbatim.At = Day.AddDate(0, -i%3, 0)
		r.Verbatim.Revision = 2
		moved = append(moved, r)
	}
	f.put(moved...)
	after := f.search(index.Request{Query: query.Word{Text: "delivery"}, Limit: 9})
	byID := func(res *index.Result) map[string]float64 {
		m := map[string]float64{}
		for _, h := range res.Hits {
			m[h.ID] = h.Relevance
		}
		return m
	}
	if diff := cmp.Diff(byID(before), byID(after)); diff != "" {
		f.Errorf("relevance depends on the shard:\n%s", diff)
	}
}

func testAgain(f *fixture) {
	b := index.Batch{Put: []*earshot.Record{Record("a", "one word"), Record("b", "two words")}, Seq: 7}
	for range 3 {
		f.batch(b)
		f.want(query.Word{Text: "word"}, "a b")
		f.absorbed(7)
	}
	f.batch(index.Batch{Put: []*earshot.Record{Record("a", "other")}, Seq: 8})
	f.want(query.Word{Text: "word"}, "b")
	f.batch(index.Batch{Seq: 9})
	f.absorbed(9)
	if n, err := f.ix.Count(context.Background(), Tenant); n != 2 || err != nil {
		f.Errorf("Count: %d, %v; want 2", n, err)
	}
}

func (f *fixture) absorbed(want uint64) {
	f.Helper()
	got, err := f.ix.Absorbed(context.Background(), Tenant)
	if err != nil || got != want {
		f.Errorf("Absorbed: %d, %v; want %d", got, err, want)
	}
}

func testGone(f *fixture) {
	old := Record("old", "erase me")
	old.Verbatim.At = Day.AddDate(-1, 0, 0)
	f.put(old, Record("new", "erase me"), Record("stays", "erase me"))
	f.batch(index.Batch{Gone: []string{"old", "new", "never"}, Put: []*earshot.Record{Record("more", "erase")}, Seq: 3})
	f.want(query.Word{Text: "erase"}, "more stays")
	f.batch(index.Batch{Gone: []string{"stays", "more"}, Seq: 4})
	f.want(nil, "")
	f.absorbed(4)
}

func testRevision(f *fixture) {
	r := Record("a", "first")
	f.put(r, Record("b", "first"))
	moved := Record("a", "second")
	moved.Verbatim.Revision = 2
	moved.Verbatim.At = Day.AddDate(0, -1, 0)
	f.put(moved)
	f.want(query.Word{Text: "first"}, "b")
	f.want(query.Word{Text: "second"}, "a")
	f.want(nil, "a b")
	back := Record("a", "third")
	back.Verbatim.Revision = 3
	f.put(back)
	f.want(nil, "a b")
	f.want(query.Word{Text: "second"}, "")
}

// corpus is records with ties in everything, over three months.
func corpus() []*earshot.Record {
	var records []*earshot.Record
	for i := range 97 {
		r := Record(fmt.Sprintf("r%02d", i), strings.Repeat("word ", 1+i%4)+[]string{"apple", "pear"}[i%2])
		r.Verbatim.At = Day.AddDate(0, -(i % 3), -(i % 5)).Add(time.Duration(i%2) * time.Nanosecond)
		r.Verbatim.Channel = earshot.Channels[i%3]
		if i%4 > 0 {
			r.Analysis.Sentiment = &earshot.Sentiment{Score: float64(i%5-2) / 2}
		}
		if i%5 == 0 {
			r.Analysis.Effort = &earshot.Effort{Score: float64(i%2) - 0.5}
		}
		records = append(records, r)
	}
	return records
}

func testPages(f *fixture) {
	records := corpus()
	for len(records) > 0 {
		n := min(10, len(records))
		f.put(records[:n]...)
		records = records[n:]
	}
	byID := map[string]*earshot.Record{}
	for _, r := range corpus() {
		byID[r.Verbatim.ID] = r
	}
	for _, n := range []query.Node{nil, query.Word{Text: "word"}, query.Or{query.Word{Text: "apple"}, query.Field{Name: "channel", Value: "chat"}}} {
		for _, order := range append([]index.Sort{""}, index.Sorts...) {
			whole := f.search(index.Request{Query: n, Sort: order, Limit: 1000})
			if whole.Next != "" || whole.Total != len(whole.Hits) {
				f.Errorf("%v by %s: total %d of %d hits, next %q", n, order, whole.Total, len(whole.Hits), whole.Next)
			}
			checkOrder(f, order, whole, byID)
			var pages []string
			r := index.Request{Query: n, Sort: order, Limit: 7}
			for {
				page := f.search(r)
				pages = append(pages, IDs(page)...)
				if page.Total != whole.Total {
					f.Errorf("%v by %s: a page's total is %d, want %d", n, order, page.Total, whole.Total)
				}
				if r.After = page.Next; r.After == "" {
					break
				}
			}
			if diff := cmp.Diff(IDs(whole), pages); diff != "" {
				f.Errorf("%v by %s: pages differ from the whole:\n%s", n, order, diff)
			}
		}
	}
	if res := f.search(index.Request{Limit: 97}); res.Next != "" {
		f.Error("the last page, which is full, has a next")
	}
	if res := f.search(index.Request{}); res.Total != 97 || len(res.Hits) != 0 || res.Next != "" {
		f.Errorf("limit 0: total %d, %d hits, next %q", res.Total, len(res.Hits), res.Next)
	}
}

// checkOrder compares neighbours by the rule of the contract.
func checkOrder(f *fixture, order index.Sort, res *index.Result, byID map[string]*earshot.Record) {
	f.Helper()
	for i := 1; i < len(res.Hits); i++ {
		a, b := res.Hits[i-1], res.Hits[i]
		ra, rb := byID[a.ID], byID[b.ID]
		c := 0.0 // below 0: a belongs before b
		number := func(name string, sign float64) {
			x, okX := query.NumberValue(ra, name)
			y, okY := query.NumberValue(rb, name)
			switch {
			case okX && okY:
				c = sign * (x - y)
			case okX:
				c = -1
			case okY:
				c = 1
			}
		}
		at := float64(ra.Verbatim.At.Sub(rb.Verbatim.At))
		switch order {
		case "", index.ByRelevance:
			c = b.Relevance - a.Relevance
		case index.ByAt:
			c = at
		case index.BySentiment:
			number("sentiment", 1)
		case index.BySentimentDesc:
			number("sentiment", -1)
		case index.ByEffort:
			number("effort", 1)
		case index.ByEffortDesc:
			number("effort", -1)
		}
		if c == 0 {
			c = -at
		}
		if c == 0 {
			c = float64(strings.Compare(a.ID, b.ID))
		}
		if c >= 0 {
			f.Errorf("by %s: %s stands before %s", order, a.ID, b.ID)
			return
		}
	}
}

func testFacets(f *fixture) {
	var records []*earshot.Record
	for i := range 150 {
		r := Record(fmt.Sprintf("r%03d", i), "word")
		r.Verbatim.At = Day.AddDate(0, -(i % 2), 0)
		r.Verbatim.Customer = fmt.Sprintf("c%03d", i)
		r.Verbatim.Fields = map[string]any{"store": []string{"BKK-3", "bkk-3", "旺角店"}[i%3], "other": "x"}
		if i%10 == 0 {
			r.Analysis.Intents = []earshot.Label{{Label: "refund"}, {Label: "complaint"}}
			r.Verbatim.Turns[0].Text = "rare"
		}
		records = append(records, r)
	}
	f.put(records...)
	res := f.search(index.Request{Limit: 1, Facets: []string{"channel", "intent", "field.store", "field.none", "customer"}})
	if n := len(res.Facets["customer"]); n != index.MaxFacetValues || res.Facets["customer"][0] != (index.FacetCount{Value: "c000", Count: 1}) {
		f.Errorf("%d customers, the first %v", n, res.Facets["customer"][0])
	}
	delete(res.Facets, "customer")
	want := map[string][]index.FacetCount{
		"channel":     {{Value: "chat", Count: 150}},
		"intent":      {{Value: "complaint", Count: 15}, {Value: "refund", Count: 15}},
		"field.store": {{Value: "BKK-3", Count: 50}, {Value: "bkk-3", Count: 50}, {Value: "旺角店", Count: 50}},
		"field.none":  {},
	}
	if diff := cmp.Diff(want, res.Facets); diff != "" {
		f.Error(diff)
	}
	res = f.search(index.Request{Query: query.Word{Text: "rare"}, Facets: []string{"channel"}})
	if diff := cmp.Diff(map[string][]index.FacetCount{"channel": {{Value: "chat", Count: 15}}}, res.Facets); diff != "" {
		f.Error(diff)
	}
}

func testTimes(f *fixture) {
	var all []string
	for i, at := range []string{"2026-09-30T23:59:59.999999999Z", "2026-10-01T00:00:00Z", "2026-10-15T12:00:00.0000005Z", "2026-11-01T00:00:00Z", "2026-11-20T09:00:00Z"} {
		r := Record(fmt.Sprint("t", i), "text")
		r.Verbatim.At, _ = time.Parse(time.RFC3339Nano, at)
		f.put(r)
		all = append(all, r.Verbatim.ID)
	}
	day := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			f.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct {
		from, to string
		first, n int
	}{
		{"", "", 0, 5},
		{"2026-10-01T00:00:00Z", "", 1, 4},
		{"2026-10-01T07:00:00+07:00", "2026-11-01T00:00:00Z", 1, 2},
		{"2026-10-15T12:00:00.0000005Z", "2026-11-01T00:00:00.000000001Z", 2, 2},
		{"2026-10-15T12:00:00.0000006Z", "", 3, 2},
		{"", "2026-10-15T12:00:00.0000005Z", 0, 2},
		{"2027-01-01T00:00:00Z", "", 5, 0},
		{"2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z", 0, 0},
	} {
		want := strings.Join(all[tt.first:tt.first+tt.n], " ")
		res := f.search(index.Request{From: day(tt.from), To: day(tt.to), Sort: index.ByAt, Limit: 9})
		if got := strings.Join(IDs(res), " "); got != want || res.Total != tt.n {
			f.Errorf("from %q to %q: got %q, want %q", tt.from, tt.to, got, want)
		}
		f.want(query.Time{From: day(tt.from), To: day(tt.to)}, want)
	}
}

func testTenants(f *fixture) {
	ctx := context.Background()
	f.put(Record("mine", "word"))
	if err := f.ix.Put(ctx, "other", index.Batch{Put: []*earshot.Record{Record("theirs", "word"), Record("mine", "word too")}, Seq: 40}); err != nil {
		f.Fatal(err)
	}
	f.want(query.Word{Text: "word"}, "mine")
	f.want(query.Word{Text: "too"}, "")
	f.absorbed(1)
	res, err := f.ix.Search(ctx, "nobody", index.Request{Limit: 1, Facets: []string{"channel"}})
	if err != nil || res.Total != 0 || len(res.Hits) != 0 {
		f.Errorf("a tenant without verbatims: %v, %v", res, err)
	}
	if err := f.ix.Reset(ctx, "other"); err != nil {
		f.Fatal(err)
	}
	f.want(query.Word{Text: "word"}, "mine")
}

func testReset(f *fixture) {
	f.put(Record("a", "word"))
	for range 2 {
		if err := f.ix.Reset(context.Background(), Tenant); err != nil {
			f.Fatal(err)
		}
		f.absorbed(0)
		f.want(nil, "")
	}
	f.put(Record("b", "word"))
	f.want(nil, "b")
	f.absorbed(2)
}

func testRefused(f *fixture) {
	f.put(corpus()...)
	next := f.search(index.Request{Limit: 3, Sort: index.ByAt}).Next
	for _, tt := range []struct {
		name    string
		r       index.Request
		pointer string
	}{
		{"field", index.Request{Query: query.Field{Name: "colour", Value: "red"}}, "/q"},
		{"number", index.Request{Query: query.Range{Name: "channel"}}, "/q"},
		{"has", index.Request{Query: query.And{query.All{}, query.Has{Name: "colour"}}}, "/q"},
		{"facet", index.Request{Facets: []string{"channel", "colour"}}, "/facets"},
		{"sort", index.Request{Sort: "colour"}, "/sort"},
		{"cursor", index.Request{After: "colour", Limit: 3}, "/cursor"},
		{"cursor of another order", index.Request{After: next, Limit: 3}, "/cursor"},
		{"cursor cut short", index.Request{After: next[:len(next)/2], Sort: index.ByAt, Limit: 3}, "/cursor"},
	} {
		_, err := f.ix.Search(context.Background(), Tenant, tt.r)
		e, ok := errors.AsType[*earshot.Error](err)
		if !ok || e.Code != earshot.QueryInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != tt.pointer {
			f.Errorf("%s: got %v, want query_invalid at %s", tt.name, err, tt.pointer)
		}
	}
}

func testUnusual(f *fixture) {
	long := strings.Repeat("a", 1_000_000)
	f.put(Record("long", long), Record("marks", strings.Repeat("!", 50_000)), Record("thai", strings.Repeat("ก", 100_000)),
		Record("bare"), Record("empty", ""), Record("odd", "Ⱥn't \xff\x00 \u200b退\u200b款"))
	f.want(query.Word{Text: long}, "long")
	f.want(query.Word{Text: long[1:]}, "")
	f.want(query.Phrase{Text: long}, "long")
	f.want(query.Phrase{Text: strings.Repeat("!", 100)}, "marks")
	f.want(query.Phrase{Text: strings.Repeat("ก", 200)}, "thai")
	f.want(query.Phrase{Text: "退款"}, "odd")
	f.want(query.Word{Text: ""}, "bare empty long marks odd thai")
	f.want(nil, "bare empty long marks odd thai")
}

func testBroad(f *fixture) {
	f.put(Record("a", "word"))
	deep := query.Node(query.All{})
	for range 10_000 {
		deep = query.Not{Node: deep}
	}
	wide := query.Or{}
	for range 10_000 {
		wide = append(wide, query.Word{Text: "word"})
	}
	for name, n := range map[string]query.Node{"deep": deep, "wide": wide, "long": query.Phrase{Text: strings.Repeat("word ", 10_000)}} {
		_, err := f.ix.Search(context.Background(), Tenant, index.Request{Query: n})
		if earshot.CodeOf(err) != earshot.QueryTooBroad {
			f.Errorf("%s: got %v, want query_too_broad", name, err)
		}
	}
}

func testLate(f *fixture) {
	f.put(Record("a", "word"))
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := f.ix.Search(ctx, Tenant, index.Request{}); earshot.CodeOf(err) != earshot.QueryTimeout {
		f.Errorf("got %v, want query_timeout", err)
	}
}
