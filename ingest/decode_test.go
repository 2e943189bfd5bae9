package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

func TestDecodeVerbatim(t *testing.T) {
	at := time.Date(2026, 11, 20, 2, 15, 0, 0, time.UTC)
	f := func(x float64) *float64 { return &x }
	for _, test := range []struct {
		name, in string
		want     Draft
	}{
		{"everything", `{"external_id":"zd-1","source":"zendesk","channel":"chat","at":"2026-11-20T09:15:00+07:00","text":"โทรไป 3 รอบ",
			"customer":"c","author":"a","conversation":"t","url":"https://x","rating":{"value":2,"scale":"csat"},
			"fields":{"store":"BKK-3","n":1.5,"vip":true,"none":null},"lang":"th"}`,
			Draft{Verbatim: earshot.Verbatim{ExternalID: "zd-1", Source: "zendesk", Channel: "chat", At: at,
				Customer: "c", Author: "a", Conversation: "t", URL: "https://x", Hint: "th",
				Turns:  []earshot.Turn{{Speaker: "customer", Text: "โทรไป 3 รอบ"}},
				Rating: &earshot.Rating{Value: 2, Scale: "csat"}, Fields: map[string]any{"store": "BKK-3", "n": 1.5, "vip": true}}}},
		{"turns", `{"turns":[{"speaker":"agent","text":"您好","start_s":0,"end_s":1.5},{"text":"要退款"}]}`,
			Draft{AsTurns: true, Verbatim: earshot.Verbatim{Turns: []earshot.Turn{
				{Speaker: "agent", Text: "您好", StartS: f(0), EndS: f(1.5)}, {Text: "要退款"}}}}},
		{"rating only", ` {"rating":{"value":3,"min":0,"max":4}} `,
			Draft{Verbatim: earshot.Verbatim{Rating: &earshot.Rating{Value: 3, Min: f(0), Max: f(4)}}}},
		{"null is absent", `{"text":"a","turns":null,"at":null,"rating":null,"fields":null,"source":null}`,
			Draft{Verbatim: earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: "a"}}}}},
		{"byte-order mark", "\ufeff{}", Draft{}},
		{"escapes", `{"text":"\u0e41\u0e22\u0e48 \ud83d\ude2d\n"}`,
			Draft{Verbatim: earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: "แย่ 😭\n"}}}}},
		{"lone surrogate", `{"text":"a\ud83dz"}`,
			Draft{Cleaned: true, Verbatim: earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: "a\ufffdz"}}}}},
		{"invalid UTF-8", "{\"text\":\"a\xffz\"}",
			Draft{Cleaned: true, Verbatim: earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: "a\ufffdz"}}}}},
	} {
		got, err := DecodeVerbatim([]byte(test.in), Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		utc := got.Verbatim.At.UTC()
		if !got.Verbatim.At.IsZero() {
			got.Verbatim.At = utc
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

// NUL and bidi controls are the business of nlp.Clean; here it matters that they are noted wherever they stand.
func TestCleanedEverywhere(t *testing.T) {
	for _, in := range []string{`{"text":"a\u0000z"}`, `{"turns":[{"text":"a\u0000z"}]}`, `{"customer":"\u0000"}`, `{"fields":{"\u0000":1}}`, `{"fields":{"a":"\u0000"}}`} {
		d, err := DecodeVerbatim([]byte(in), Options{})
		if err != nil || !d.Cleaned {
			t.Errorf("%s: cleaned %v, error %v; want true, nil", in, d.Cleaned, err)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	var fields []string
	for i := range 51 {
		fields = append(fields, fmt.Sprintf(`"f%d":1`, i))
	}
	for _, test := range []struct {
		name, in string
		want     string // code, then pointer:code of each field
	}{
		{"nothing", ``, "malformed :syntax"},
		{"cut short", `{"text":"a`, "malformed :syntax"},
		{"cut after colon", `{"text":`, "malformed :syntax"},
		{"cut in turns", `{"turns":[{"text":"a"},`, "malformed :syntax"},
		{"single quotes", `{'text':'a'}`, "malformed :syntax"},
		{"trailing value", `{"text":"a"} {"text":"b"}`, "malformed :trailing_data"},
		{"trailing comma", `{"text":"a",}`, "malformed :syntax"},
		{"raw newline", "{\"text\":\"a\nb\"}", "malformed :syntax"},
		{"name twice", `{"text":"a","text":"b"}`, "malformed /text:duplicate_name"},
		{"name twice by escape", `{"text":"a","te\u0078t":"b"}`, "malformed /text:duplicate_name"},
		{"name twice inside", `{"turns":[{"text":"a"},{"text":"a","text":"b"}]}`, "malformed /turns/1/text:duplicate_name"},
		{"name twice in the unknown", `{"x":{"y":1,"y":2}}`, "malformed /x/y:duplicate_name"},
		{"too deep", `{"x":` + deep(32) + `}`, "malformed :too_deep"},
		{"much too deep", `{"x":` + deep(100_000) + `}`, "malformed :too_deep"},
		{"objects too deep", `{"fields":{"a":` + strings.Repeat(`{"a":`, 20_000), "malformed :too_deep"},
		{"deep enough", `{"x":` + deep(31) + `}`, "invalid /x:unknown_field"},
		{"no object", `[]`, "invalid :wrong_type"},
		{"null", `null`, "invalid :wrong_type"},
		{"string", `"a"`, "invalid :wrong_type"},
		{"unknown", `{"txt":"a"}`, "invalid /txt:unknown_field"},
		{"case", `{"Text":"a"}`, "invalid /Text:unknown_field"},
		{"id", `{"id":"v_1"}`, "invalid /id:unknown_field"},
		{"escaped pointer", `{"a/b~c":1}`, "invalid /a~1b~0c:unknown_field"},
		{"all at once", `{"text":1,"at":"2026-11-20","source":[],"rating":{"value":"x"},"fields":{"a":{}},"no":0}`,
			"invalid /text:wrong_type /at:invalid_time /source:wrong_type /rating/value:wrong_type /fields/a:wrong_type /no:unknown_field"},
		{"both", `{"text":"a","turns":[]}`, "invalid /turns:exclusive"},
		{"both, other order", `{"turns":[{"text":"a"}],"text":"a"}`, "invalid /turns:exclusive"},
		{"turn", `{"turns":["a",{"text":1,"speaker":2,"x":3},{}]}`,
			"invalid /turns/0:wrong_type /turns/1/text:wrong_type /turns/1/speaker:wrong_type /turns/1/x:unknown_field /turns/2/text:required"},
		{"turns object", `{"turns":{}}`, "invalid /turns:wrong_type"},
		{"no offset", `{"at":"2026-11-20T09:15:00"}`, "invalid /at:invalid_time"},
		{"no seconds", `{"at":"2026-11-20T09:15Z"}`, "invalid /at:invalid_time"},
		{"seconds since 1970", `{"at":1700000000}`, "invalid /at:wrong_type"},
		{"no such day", `{"at":"2026-02-30T00:00:00Z"}`, "invalid /at:invalid_time"},
		{"bare rating", `{"rating":5}`, "invalid /rating:wrong_type"},
		{"rating without value", `{"rating":{"scale":"nps"}}`, "invalid /rating/value:required"},
		{"huge number", `{"rating":{"value":1e999,"scale":"nps"}}`, "invalid /rating/value:out_of_range"},
		{"long identifier", `{"fields":{"order":12345678901234567891}}`, "invalid /fields/order:out_of_range"},
		{"array in fields", `{"fields":{"tags":["a"]}}`, "invalid /fields/tags:wrong_type"},
		{"fields array", `{"fields":[]}`, "invalid /fields:wrong_type"},
		{"too many fields", `{"fields":{` + strings.Join(fields, ",") + `}}`, "invalid /fields:too_many"},
		{"too many turns", `{"turns":[` + many(10_001, `{"text":""}`) + `]}`, "invalid /turns:too_many"},
	} {
		_, err := DecodeVerbatim([]byte(test.in), Options{})
		if got := told(err); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		if _, ok := err.(*earshot.Error); !ok {
			t.Errorf("%s: error is a %T", test.name, err)
		}
	}
}

func told(err error) string {
	e, ok := errors.AsType[*earshot.Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	s := string(e.Code)
	for _, f := range e.Fields {
		s += " " + f.Pointer + ":" + f.Code
	}
	return s
}

func TestHints(t *testing.T) {
	for in, want := range map[string]string{
		`{"Text":"a"}`: "text", `{"externalId":"a"}`: "external_id", `{"txt":"a"}`: "text", `{"chanel":"a"}`: "channel",
		`{"mood":"a"}`: `labels of your own go into "fields"`, `{"turns":[{"text":"","start":1}]}`: "start_s", `{"at":"today"}`: "2026-11-20T09:15:00+07:00",
	} {
		_, err := DecodeVerbatim([]byte(in), Options{})
		e, ok := errors.AsType[*earshot.Error](err)
		if !ok || e.Fields[0].Hint != want {
			t.Errorf("%s: got %v, want hint %q", in, err, want)
		}
	}
}

func TestErrorsAreBoundedAndHoldNoValues(t *testing.T) {
	in := `{`
	for i := range 1000 {
		in += fmt.Sprintf(`"%s%d":"secret",`, strings.Repeat("ก", 100), i)
	}
	in += `"at":"secret","channel":{"secret":1}}`
	_, err := DecodeVerbatim([]byte(in), Options{})
	b, _ := json.Marshal(err)
	if e := err.(*earshot.Error); len(e.Fields) != maxErrors || len(b) > 50_000 || strings.Contains(string(b), "secret") {
		t.Errorf("%d fields in %d bytes: %.300s", len(e.Fields), len(b), b)
	}
	for _, in := range []string{`{"text": secret}`, `{"text":"a" "secret"}`, `{"secret`} {
		if _, err := DecodeVerbatim([]byte(in), Options{}); strings.Contains(fmt.Sprintf("%+v", err), "secret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestOptionsID(t *testing.T) {
	d, err := DecodeVerbatim([]byte(`{"id":"7","text":"a"}`), Options{ID: true})
	if err != nil || d.Verbatim.ID != "7" {
		t.Errorf("got id %q, error %v", d.Verbatim.ID, err)
	}
}

func TestComplete(t *testing.T) {
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		`{"text":"a"}`: "<nil>",
		`{}`:           "invalid :required",
		`{"text":5}`:   "invalid /text:wrong_type",
		`{"txt":"a","text":"b","channel":"phone"}`:   "invalid /txt:unknown_field /channel:unknown_value",
		`{"text":"b","at":"2050-01-01T00:00:00Z"}`:   "invalid /at:out_of_range",
		`{"text":"b","text":"","channel":"phone"}`:   "malformed /text:duplicate_name",
		`{"text":"b","at":"","rating":{"value":99}}`: "invalid /at:invalid_time /rating:required",
	} {
		d, err := DecodeVerbatim([]byte(in), Options{})
		if got := told(Complete(d, err, now)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzDecodeVerbatim(f *testing.F) {
	for _, in := range []string{`{"text":"a"}`, `{"turns":[{"text":"a","start_s":1}]}`, `{"rating":{"value":1e9}}`, `{"fields":{"a":{"b":[null]}}}`, `[`, `{"a":1,"a":2}`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := DecodeVerbatim(data, Options{})
		if e, ok := err.(*earshot.Error); err != nil && (!ok || len(e.Fields) == 0) {
			t.Errorf("error without a position: %v", err)
		}
		if err == nil && !json.Valid(data) && !strings.HasPrefix(string(data), "\ufeff") {
			t.Error("took what is not JSON")
		}
		// An array of it twice says the same of both.
		items, aerr := DecodeArray(fmt.Appendf(nil, "[%s,%s]", data, data), 2)
		if err == nil && !strings.HasPrefix(string(data), "\ufeff") && (aerr != nil || items[0].Err != nil || items[1].Err != nil) {
			t.Errorf("alone it is right, in an array not: %v", aerr)
		}
	})
}

func BenchmarkDecodeVerbatim(b *testing.B) {
	for _, bench := range []struct{ name, in string }{
		{"thai-500B", `{"external_id":"zd-4411","source":"zendesk","channel":"chat","at":"2026-11-20T09:15:00+07:00","text":"` +
			strings.Repeat("โทรไป 3 รอบแล้ว app ก็ยังล็อกอินไม่ได้ ", 2) + `","customer":"c-8812","rating":{"value":2,"scale":"csat"},"fields":{"store":"BKK-3","plan":"gold"},"lang":"th"}`},
		{"escaped-500B", `{"text":"` + strings.Repeat(`\u0e41\u0e22\u0e48`, 25) + `"}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			in := []byte(bench.in)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeVerbatim(in, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
