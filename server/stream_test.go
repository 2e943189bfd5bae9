package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

func (s *service) lines(key, body string) ([]result, counts) {
	s.t.Helper()
	r := s.want(s.send("POST", "/v1/verbatims", key, body, "Content-Type", ndjsonType), "200")
	var results []result
	var last struct{ Summary *counts }
	for line := range strings.Lines(r.body) {
		var one result
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			s.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			s.t.Fatal(err)
		}
		if last.Summary != nil {
			return results, *last.Summary
		}
		results = append(results, one)
	}
	s.t.Fatalf("no summary in %.500s", r.body)
	return nil, counts{}
}

func TestPostLines(t *testing.T) {
	s := newService(t, Limits{LineBytes: 1000})
	results, total := s.lines("a/ingest", "\ufeff{\"external_id\":\"1\",\"text\":\"a\"}\r\n\n{\"text\":\n{\"text\":\""+strings.Repeat("x", 1000)+
		"\"}\n{\"external_id\":\"1\",\"text\":\"a\"}\n{\"mood\":1}\n[]\n{\"text\":\"\\u0000\"}")
	var got []string
	for _, r := range results {
		line := fmt.Sprint(r.Line, " ", r.Status)
		if r.Error != nil {
			line += fmt.Sprint(" ", r.Error.Code)
		}
		got = append(got, line+strings.Repeat(" noted", len(r.Notes)))
	}
	want := "1 accepted, 3 rejected malformed, 4 rejected too_large, 5 duplicate, 6 rejected invalid, 7 rejected invalid, 8 accepted noted"
	if strings.Join(got, ", ") != want || total != (counts{Accepted: 2, Duplicate: 1, Rejected: 4}) {
		t.Errorf("got %s and %+v\nwant %s", strings.Join(got, ", "), total, want)
	}
	if _, total := s.lines("a/ingest", ""); total != (counts{}) {
		t.Errorf("of nothing: %+v", total)
	}
}

func TestManyLines(t *testing.T) {
	s := newService(t, Limits{})
	var b strings.Builder
	for n := 1; n <= 2100; n++ {
		if n == 1501 {
			b.WriteString("{\"external_id\":\"r1501\",\"text\":\n")
			continue
		}
		fmt.Fprintf(&b, "{\"external_id\":\"r%d\",\"text\":\"พัสดุชิ้นที่ %d ยังไม่ถึง\"}\n", n, n)
	}
	results, total := s.lines("a/ingest", b.String())
	if total != (counts{Accepted: 2099, Rejected: 1}) || results[1500].Status != rejected {
		t.Errorf("got %+v, line 1501 %+v", total, results[1500])
	}
	for i, r := range results {
		if r.Line != i+1 {
			t.Fatalf("result %d is of line %d", i, r.Line)
		}
	}
	for _, n := range s.engine.calls {
		if n > chunkLines {
			t.Errorf("%d lines were accepted together", n)
		}
	}
}

// A line is answered before the next one is sent, and what was answered stays when the connection breaks.
func TestLinesAreAnsweredWhileSent(t *testing.T) {
	s := newService(t, Limits{})
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/verbatims", reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.keys["a/ingest"])
	req.Header.Set("Content-Type", ndjsonType)
	answered := make(chan string)
	go func() {
		defer close(answered)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			answered <- in.Text()
		}
	}()
	for n := 1; n <= 3; n++ {
		if _, err := fmt.Fprintf(writer, "{\"text\":\"%d\"}\n", n); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; !strings.HasPrefix(got, fmt.Sprintf(`{"line":%d,"status":"accepted"`, n)) {
			t.Errorf("line %d: got %s", n, got)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got != `{"summary":{"accepted":3,"revised":0,"duplicate":0,"rejected":0}}` {
		t.Errorf("got %s", got)
	}
	for range answered {
		t.Error("something follows the summary")
	}
}

func TestBrokenConnection(t *testing.T) {
	s := newService(t, Limits{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/verbatims HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n{\"text\":\"1\"}\n{\"text\":\"2\"}", s.keys["a/ingest"], ndjsonType)
	in := bufio.NewReader(conn)
	for line := ""; !strings.Contains(line, `"line":1`); {
		if line, err = in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(s.send("GET", "/v1/verbatims/v_a1", "a/read", ""), "200")
	s.want(s.send("GET", "/v1/verbatims/v_a2", "a/read", ""), "404 not_found") // it was never sent to its end
}

func TestIdleStreamEnds(t *testing.T) {
	s := newService(t, Limits{IdleTimeout: 500 * time.Millisecond})
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = io.WriteString(writer, "{\"text\":\"1\"}\n{\"te") }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/verbatims", reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.keys["a/ingest"])
	req.Header.Set("Content-Type", ndjsonType)
	// The client may learn of the end before it has sent its own.
	if r := s.do(req); !strings.Contains(r.body, `{"line":2,"status":"rejected"`) || !strings.Contains(r.body, `"accepted":1,"revised":0,"duplicate":0,"rejected":1`) {
		t.Errorf("got %s", r.body)
	}
}

func TestDrainEndsStreams(t *testing.T) {
	s := newService(t, Limits{})
	s.server.Drain()
	results, total := s.lines("a/ingest", "{\"text\":\"1\"}\n{\"text\":\"2\"}\n")
	if len(results) != 1 || results[0].Error.Code != earshot.Unavailable || total.Rejected != 1 {
		t.Errorf("got %+v, %+v", results, total)
	}
}

func TestStreamFaults(t *testing.T) {
	s := newService(t, Limits{})
	s.engine.fault = earshot.Errorf(earshot.StorageFull, "the disk is full")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"1"}`, "Content-Type", ndjsonType), "507 storage_full")
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", `{"text":"1"}`, "Content-Type", ndjsonType, "Content-Encoding", "gzip"), "400 malformed")
}
