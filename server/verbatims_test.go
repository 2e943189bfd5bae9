package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

func TestPostOne(t *testing.T) {
	s := newService(t, Limits{})
	r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"external_id":"1","text":"โทรไป 3 รอบ"}`), "202")
	if m := r.json(t); m["status"] != "accepted" || m["external_id"] != "1" || m["id"] != "v_a1" {
		t.Errorf("got %v", m)
	}
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"external_id":"1","text":"โทรไป 3 รอบ"}`), "200")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"external_id":"1","text":"x"}`), "409 conflict")
	s.want(s.send("POST", "/v1/verbatims?replace=true", "a/ingest", `{"external_id":"1","text":"x"}`), "200")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"rating":{"value":9,"scale":"nps"}}`, "Content-Type", "application/json; charset=UTF-8"), "202")
	r = s.want(s.send("POST", "/v1/verbatims", "a/ingest", "{\"text\":\"a\xff\\u0000z\"}"), "202")
	if !strings.Contains(r.body, "text_cleaned") {
		t.Errorf("no note in %s", r.body)
	}
	for _, text := range []string{"ȺȺȺȺȺn't", strings.Repeat("!", 50_000), strings.Repeat("ก", 100_000), strings.Repeat("x", 1_000_000)} {
		s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"`+text+`"}`), "202")
	}
}

func TestWait(t *testing.T) {
	s := newService(t, Limits{})
	r := s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", `{"external_id":"1","text":"ช้า <b>มาก"}`), "200")
	if m := r.json(t); m["text"] != "ช้า <b>มาก" || !strings.Contains(r.body, "<b>") {
		t.Errorf("got %s", r.body)
	}
	s.want(s.send("POST", "/v1/verbatims?wait=true", "a/ingest", `{"text":"a"}`), "403 forbidden")
	s.want(s.send("POST", "/v1/verbatims?wait=true&timeout=61s", "a/admin", `{"text":"a"}`), "422 invalid /timeout:out_of_range")
	s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", `[{"text":"a"}]`), "422 invalid /wait:not_allowed")
	s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", `{"text":"a"}`, "Content-Type", ndjsonType), "422 invalid /wait:not_allowed")
	s.engine.slow = true
	r = s.want(s.send("POST", "/v1/verbatims?wait=true&timeout=1ms", "a/admin", `{"text":"b"}`), "202")
	if m := r.json(t); m["status"] != "accepted" || m["id"] != "v_a2" {
		t.Errorf("got %v", m)
	}
}

func TestPostArray(t *testing.T) {
	s := newService(t, Limits{ArrayItems: 5})
	r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", `[{"external_id":"1","text":"a"},{"txt":"b"},{"external_id":"1","text":"a"},{"text":"b","text":"c"},{"text":"d","at":"2050-01-01T00:00:00Z"}]`), "200")
	m := r.json(t)
	if got := fmt.Sprint(m["accepted"], m["revised"], m["duplicate"], m["rejected"], len(m["items"].([]any))); got != "1 0 1 3 5" {
		t.Errorf("got %s: %s", got, r.body)
	}
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `[]`), "200")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `[{"text":"a"},{"text":]`), "400 malformed /1:syntax")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `[{},{},{},{},{},{}]`), "422 invalid :too_many")
	s.engine.fault = earshot.Errorf(earshot.StorageFull, "the disk is full")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `[{"text":"a"},{}]`), "507 storage_full")
}

func TestRefusedPosts(t *testing.T) {
	s := newService(t, Limits{})
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for _, test := range []struct{ name, body, want string }{
		{"empty body", ``, "400 malformed :syntax"},
		{"empty object", `{}`, "422 invalid :required"},
		{"cut", `{"text":`, "400 malformed :syntax"},
		{"unknown field", `{"text":"a","mood":1}`, "422 invalid /mood:unknown_field"},
		{"unknown field and channel", `{"text":"a","mood":1,"channel":"fax"}`, "422 invalid /mood:unknown_field /channel:unknown_value"},
		{"2050", `{"text":"a","at":"2050-01-01T00:00:00Z"}`, "422 invalid /at:out_of_range"},
		{"name twice", `{"text":"a","text":"b"}`, "400 malformed /text:duplicate_name"},
		{"deep", `{"x":` + deep + `}`, "400 malformed :too_deep"},
		{"2 MB of text", `{"text":"` + strings.Repeat("x", 2_000_000) + `"}`, "422 invalid /text:too_long"},
		{"40 MB", `{"text":"` + strings.Repeat("x", 40<<20) + `"}`, "413 too_large"},
		{"two values", `{"text":"a"} {"text":"b"}`, "400 malformed :trailing_data"},
	} {
		r := s.send("POST", "/v1/verbatims", "a/ingest", test.body)
		if r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.name, r.brief(), test.want)
		}
		r = s.send("POST", "/v1/analyze", "a/read", test.body)
		if r.brief() != test.want {
			t.Errorf("%s, analyzed: got %s, want %s", test.name, r.brief(), test.want)
		}
	}
	for _, test := range []struct{ name, header, value, want string }{
		{"form", "Content-Type", "application/x-www-form-urlencoded", "415 unsupported_media_type"},
		{"none", "Content-Type", "", "415 unsupported_media_type"},
		{"nonsense", "Content-Type", ";;;", "415 unsupported_media_type"},
		{"other charset", "Content-Type", "application/json; charset=big5", "415 unsupported_media_type"},
		{"brotli", "Content-Encoding", "br", "415 unsupported_media_type"},
		{"not gzip", "Content-Encoding", "gzip", "400 malformed"},
	} {
		r := s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"a"}`, test.header, test.value)
		if r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.name, r.brief(), test.want)
		}
	}
	s.want(s.send("POST", "/v1/verbatims?wiat=true", "a/ingest", `{"text":"a"}`), "422 invalid /wiat:unknown_field")
	s.want(s.send("POST", "/v1/verbatims?replace=maybe", "a/ingest", `{"text":"a"}`), "422 invalid /replace:wrong_type")
	if len(s.engine.records) > 0 {
		t.Errorf("%d were taken", len(s.engine.records["a"]))
	}
	if n := strings.Count(s.log.String(), "xxxx"); n > 0 {
		t.Error("the log holds a text")
	}
}

func zip(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGzip(t *testing.T) {
	s := newService(t, Limits{BodyBytes: 4 << 10})
	gz := []string{"Content-Encoding", "gzip"}
	one := zip(t, `{"text":"a"}`)
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", one, gz...), "202")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", one[:len(one)-9], gz...), "400 malformed")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", one[:len(one)-8]+"12345678", gz...), "400 malformed")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", zip(t, strings.Repeat(" ", 2<<20)), gz...), "413 too_large")

	gz = append(gz, "Content-Type", ndjsonType)
	r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", zip(t, strings.Repeat(`{"text":"a"}`+"\n", 500)), gz...), "200")
	if !strings.HasSuffix(r.body, `{"summary":{"accepted":500,"revised":0,"duplicate":0,"rejected":0}}`+"\n") {
		t.Errorf("useful lines were refused: %s", r.body[len(r.body)-300:])
	}
	for _, junk := range []string{"\n", " ", "{}\n"} {
		r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", zip(t, `{"text":"a"}`+"\n"+strings.Repeat(junk, 1<<20/len(junk))), gz...), "200")
		if !strings.Contains(r.body, `"code":"too_large"`) || !strings.Contains(r.body, `"accepted":1,`) {
			t.Errorf("bomb of %q: got %s", junk, r.body[max(0, len(r.body)-500):])
		}
	}
}

func TestReadAndErase(t *testing.T) {
	s := newService(t, Limits{})
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"turns":[{"speaker":"agent","text":"您好😀","start_s":0},{"text":"退款"}],"fields":{"start":7,"s":"x"}}`), "202")
	s.want(s.send("GET", "/v1/verbatims/v_a1", "a/read", ""), "200")
	for unit, want := range map[string]float64{"byte": 17, "utf16": 7, "rune": 6} {
		m := s.want(s.send("GET", "/v1/verbatims/v_a1?offsets="+unit, "a/read", ""), "200").json(t)
		turn := m["turns"].([]any)[1].(map[string]any)
		if turn["end"] != want || m["fields"].(map[string]any)["start"] != 7.0 || m["turns"].([]any)[0].(map[string]any)["start_s"] != 0.0 {
			t.Errorf("offsets in %s: got %v and fields %v", unit, turn, m["fields"])
		}
	}
	s.want(s.send("GET", "/v1/verbatims/v_a1?offsets=char", "a/read", ""), "422 invalid /offsets:unknown_value")
	s.want(s.send("DELETE", "/v1/verbatims/v_a1", "a/read", ""), "403 forbidden")
	s.want(s.send("DELETE", "/v1/verbatims/v_a1", "a/admin", ""), "204")
	s.want(s.send("GET", "/v1/verbatims/v_a1", "a/read", ""), "404 not_found")
	s.want(s.send("DELETE", "/v1/verbatims/v_a1", "a/admin", ""), "404 not_found")
	s.want(s.send("GET", "/v1/verbatims/"+strings.Repeat("x", 5000), "a/read", ""), "404 not_found")
}

func TestAnalyze(t *testing.T) {
	s := newService(t, Limits{})
	m := s.want(s.send("POST", "/v1/analyze", "a/read", `{"text":"ช้ามาก"}`), "200").json(t)
	for _, name := range []string{"id", "source", "channel", "at", "received_at"} {
		if _, ok := m[name]; ok {
			t.Errorf("%s was not given, but answered: %v", name, slices.Sorted(maps.Keys(m)))
		}
	}
	r := s.want(s.send("POST", "/v1/analyze?offsets=rune", "a/read", `[{"text":"ช้ามาก"},{"text":""},{"text":"ดี"}]`), "200")
	if strings.Count(r.body, `"segments"`) != 2 || !strings.Contains(r.body, `{"index":1,"error":`) {
		t.Errorf("got %s", r.body)
	}
	if len(s.engine.records) > 0 {
		t.Error("something was stored")
	}
}

func TestFaultsOfOurs(t *testing.T) {
	s := newService(t, Limits{})
	s.engine.fault = errors.New("disk sda1 secret")
	r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"a"}`, "X-Request-Id", "req-7"), "500 internal")
	if strings.Contains(r.body, "sda1") || !strings.Contains(s.log.String(), "sda1") || !strings.Contains(s.log.String(), "request_id=req-7") {
		t.Errorf("told %s\nlogged %s", r.body, s.log)
	}
	s.engine.fault = earshot.Errorf(earshot.Unavailable, "shutting down")
	if r := s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"a"}`), "503 unavailable"); r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.engine.fault = nil
	s.engine.records["a"] = []*earshot.Record{nil} // whoever touches it panics
	s.want(s.send("GET", "/v1/verbatims/v_1", "a/read", ""), "500 internal")
	s.engine.records["a"] = nil
	s.want(s.send("GET", "/v1/verbatims/v_1", "a/read", ""), "404 not_found")
}

func TestHealth(t *testing.T) {
	s := newService(t, Limits{})
	for _, path := range []string{"/livez", "/readyz", "/readyz?verbose", "/version"} {
		s.want(s.send("GET", path, "", ""), "200")
	}
	r := s.send("GET", "/livez", "", "")
	if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("X-Request-Id") == "" {
		t.Errorf("headers are %v", r.header)
	}
	s.engine.parts = append(s.engine.parts, engineDown)
	if r := s.want(s.send("GET", "/readyz?verbose", "", ""), "503"); !strings.Contains(r.body, engineDown.Detail) {
		t.Errorf("got %s", r.body)
	}
	s.engine.parts = nil
	s.server.Drain()
	s.want(s.send("GET", "/readyz", "", ""), "503")
	s.want(s.send("GET", "/livez", "", ""), "200")
	s.want(s.send("GET", "/nothing", "", ""), "404 not_found")
	s.want(s.send("GET", "/v1/nothing", "a/admin", ""), "404 not_found")
	if r := s.want(s.send("PUT", "/v1/search", "a/admin", ""), "405 method_not_allowed"); !strings.Contains(r.header.Get("Allow"), "GET") {
		t.Errorf("Allow is %q", r.header.Get("Allow"))
	}
	resp, err := httpHead(t, s.url+"/livez")
	if err != nil || resp != 200 {
		t.Errorf("HEAD: %d, %v", resp, err)
	}
}

func TestRequestID(t *testing.T) {
	s := newService(t, Limits{})
	for given, echoed := range map[string]bool{"abc-1_2.3": true, "a b": false, strings.Repeat("x", 65): false, "é": false} {
		r := s.send("GET", "/v1/keys", "", "", "X-Request-Id", given)
		got := r.header.Get("X-Request-Id")
		if (got == given) != echoed || r.json(t)["request_id"] != got {
			t.Errorf("%q: header %q, body %s", given, got, r.body)
		}
	}
}

func TestSearch(t *testing.T) {
	s := newService(t, Limits{SearchTimeout: time.Minute})
	s.send("POST", "/v1/verbatims", "a/ingest", `[{"text":"😀หนึ่ง"},{"text":"สอง","url":"https://x"},{"text":"สาม"}]`)
	m := s.want(s.send("GET", "/v1/search?facets=channel", "a/read", ""), "200").json(t)
	if m["total"] != 3.0 || m["took_ms"] != 1.5 || m["next_cursor"] != nil || s.engine.asked.Sort != "-at" {
		t.Errorf("got %v, asked %+v", m, s.engine.asked)
	}
	m = s.want(s.send("GET", "/v1/search?q=x&limit=2&offsets=utf16", "a/read", ""), "200").json(t)
	first := m["items"].([]any)[0].(map[string]any)
	if s.engine.asked.Sort != "relevance" || first["fragment"].(map[string]any)["end"] != 7.0 {
		t.Errorf("got %v, asked %+v", first, s.engine.asked)
	}
	cursor := m["next_cursor"].(string)
	m = s.want(s.send("GET", "/v1/search?q=x&limit=200&cursor="+cursor, "a/read", ""), "200").json(t)
	if len(m["items"].([]any)) != 1 {
		t.Errorf("second page: %v", m)
	}
	for _, test := range []struct{ query, want string }{
		{"q=y&cursor=" + cursor, "422 query_invalid /cursor:invalid_cursor"},
		{"q=x&sort=at&cursor=" + cursor, "422 query_invalid /cursor:invalid_cursor"},
		{"q=x&cursor=" + cursor[:10] + "A" + cursor[11:], "422 query_invalid /cursor:invalid_cursor"},
		{"q=x&cursor=!", "422 query_invalid /cursor:invalid_cursor"},
		{"limit=0", "422 invalid /limit:out_of_range"},
		{"limit=201", "422 invalid /limit:out_of_range"},
		{"limit=x", "422 invalid /limit:wrong_type"},
		{"sort=size", "422 invalid /sort:unknown_value"},
		{"tz=Mars/Base", "422 invalid /tz:unknown_value"},
		{"tz=Local", "422 invalid /tz:unknown_value"},
		{"from=yesterday", "422 invalid /from:invalid_time"},
		{"form=2026-11-01", "422 invalid /form:unknown_field"},
		{"q=a&q=b", "422 invalid /q:duplicate_name"},
		{"q=%zz", "422 invalid"},
		{"partial=true&limit=1&from=2026-11-01&to=2026-11-02T00:00:00Z&tz=Asia/Bangkok", "200"},
	} {
		if r := s.send("GET", "/v1/search?"+test.query, "a/read", ""); r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.query, r.brief(), test.want)
		}
	}
	if got := s.engine.asked.From.UTC(); !got.Equal(time.Date(2026, 10, 31, 17, 0, 0, 0, time.UTC)) || !s.engine.asked.Partial {
		t.Errorf("asked %+v", s.engine.asked)
	}
	if r := s.send("GET", "/v1/search?q=x&cursor="+cursor, "b/read", ""); r.brief() != "422 query_invalid /cursor:invalid_cursor" {
		t.Errorf("another tenant's cursor: %s", r.brief())
	}
	for _, test := range []struct{ body, want string }{
		{`{"q":"x","limit":1,"facets":["channel"],"partial":true}`, "200"},
		{`{"facets":"channel,lang","cursor":null}`, "200"},
		{`{"query":"x"}`, "422 invalid /query:unknown_field"},
		{`{"limit":"1"}`, "422 invalid /limit:wrong_type"},
		{`{"limit":1.5,"partial":"true"}`, "422 invalid /limit:wrong_type /partial:wrong_type"},
		{`{"q":{}}`, "422 invalid /q:wrong_type"},
		{`{"q":"a","q":"b"}`, "400 malformed /q:duplicate_name"},
		{`[]`, "422 invalid :wrong_type"},
	} {
		if r := s.send("POST", "/v1/search", "a/read", test.body); r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.body, r.brief(), test.want)
		}
	}
	s.want(s.send("POST", "/v1/search?q=x", "a/read", `{}`), "422 invalid /q:unknown_field")
	s.engine.fault = earshot.Errorf(earshot.PartialIndex, "rebuilding")
	s.want(s.send("GET", "/v1/search", "a/read", ""), "503 partial_index")
}

func TestSearchTimeout(t *testing.T) {
	s := newService(t, Limits{SearchTimeout: time.Millisecond})
	s.engine.slow = true
	s.want(s.send("GET", "/v1/search", "a/read", ""), "503 query_timeout")
}
