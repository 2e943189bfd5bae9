package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/store"
)

// A fakeEngine keeps verbatims in memory and understands nothing. fault is what
// everything answers; while slow, Wait waits for ever.
type fakeEngine struct {
	*fakeWatch
	mu      sync.Mutex
	records map[string][]*earshot.Record // by tenant
	fault   error
	slow    bool
	calls   []int // how many drafts each Accept was given
	asked   engine.SearchRequest
	parts   []engine.Part
}

func (e *fakeEngine) Accept(_ context.Context, tenant string, drafts []ingest.Draft, o engine.AcceptOptions) []engine.Accepted {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, len(drafts))
	answers := make([]engine.Accepted, len(drafts))
	for i, d := range drafts {
		a := &answers[i]
		a.ExternalID, a.Err = d.Verbatim.ExternalID, e.fault
		if a.Err == nil {
			a.Err = d.Verbatim.Validate(time.Now(), d.AsTurns)
		}
		if a.Err != nil {
			continue
		}
		if d.Cleaned {
			a.Notes = []earshot.Note{{Code: earshot.NoteTextCleaned}}
		}
		for _, rec := range e.records[tenant] {
			if v := &rec.Verbatim; v.ExternalID != "" && v.ExternalID == a.ExternalID {
				a.ID, a.Status = v.ID, store.Duplicate
				if o.Replace {
					a.Status = store.Revised
				} else if v.Text() != d.Verbatim.Text() {
					a.Status, a.Err = "", earshot.Errorf(earshot.Conflict, "it was sent with other content")
				}
			}
		}
		if a.Status == "" && a.Err == nil {
			v := d.Verbatim
			v.SetDefaults(time.Now())
			v.ReceivedAt, v.Revision = time.Now().UTC(), 1
			v.ID = fmt.Sprintf("v_%s%d", tenant, len(e.records[tenant])+1)
			a.ID, a.Status = v.ID, store.Accepted
			e.records[tenant] = append(e.records[tenant], &earshot.Record{Verbatim: v, Analysis: understood(v.Text())})
		}
	}
	return answers
}

func understood(text string) *earshot.Analysis {
	return &earshot.Analysis{Lang: "th", Model: "m", Lexicon: "l",
		Sentiment: &earshot.Sentiment{Score: -0.5, Label: "negative", Confidence: 0.9},
		Effort:    &earshot.Effort{Score: 0.8, Label: "very_hard", Confidence: 0.9, Frames: []earshot.Frame{{Frame: "waiting", Start: 0, End: len(text)}}},
		Intents:   []earshot.Label{{Label: "complaint", Probability: 0.9}},
		Segments:  []earshot.Segment{{Start: 0, End: len(text), Lang: "th"}},
		Evidence:  []earshot.Evidence{{Score: "sentiment", Start: 0, End: len(text), Text: text, Source: "lexicon:x", Weight: -1}}}
}

func (e *fakeEngine) Wait(ctx context.Context, tenant, id string) (*earshot.Record, error) {
	if e.slow {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return e.Record(ctx, tenant, id)
}

func (e *fakeEngine) Record(_ context.Context, tenant, id string) (*earshot.Record, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, rec := range e.records[tenant] {
		if rec.Verbatim.ID == id {
			return rec, e.fault
		}
	}
	return nil, earshot.Errorf(earshot.NotFound, "there is no such verbatim")
}

func (e *fakeEngine) Erase(ctx context.Context, tenant, id string) error {
	if _, err := e.Record(ctx, tenant, id); err != nil {
		return err
	}
	e.records[tenant] = slices.DeleteFunc(e.records[tenant], func(r *earshot.Record) bool { return r.Verbatim.ID == id })
	return nil
}

func (e *fakeEngine) Analyze(_ context.Context, drafts []ingest.Draft) []engine.Analyzed {
	out := make([]engine.Analyzed, len(drafts))
	for i, d := range drafts {
		out[i].Err = d.Verbatim.Validate(time.Now(), d.AsTurns)
		out[i].Record = &earshot.Record{Verbatim: d.Verbatim, Analysis: understood(d.Verbatim.Text())}
	}
	return out
}

// Search finds everything, Limit at a time; its places are numbers.
func (e *fakeEngine) Search(ctx context.Context, tenant string, r engine.SearchRequest) (*engine.SearchResult, error) {
	e.asked = r
	if e.slow {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if e.fault != nil {
		return nil, e.fault
	}
	from, _ := strconv.Atoi(r.Cursor)
	all := e.records[tenant]
	to := min(from+r.Limit, len(all))
	found := &engine.SearchResult{Total: len(all), Took: 1500 * time.Microsecond}
	for _, rec := range all[from:to] {
		text := rec.Verbatim.Text()
		span := earshot.Span{End: len(text)}
		found.Items = append(found.Items, engine.SearchItem{Record: rec, Relevance: 1, Fragment: engine.Fragment{Span: span, Text: text}, Marks: []earshot.Span{span}})
	}
	if to < len(all) {
		found.Next = strconv.Itoa(to)
	}
	for _, f := range r.Facets {
		found.Facets = map[string][]index.FacetCount{f: {{Value: "chat", Count: 1}}}
	}
	return found, nil
}

func (e *fakeEngine) Ready(context.Context) []engine.Part { return e.parts }

// A service is a server on a port of its own, over a real store, with tenants
// "a" and "b" and a key of each for every scope.
type service struct {
	t      *testing.T
	engine *fakeEngine
	store  *store.SQLite
	server *Server
	url    string
	keys   map[string]string // "a/ingest", "b/admin", "a/root", …
	log    *lockedBuffer
	spec   *spec
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newService is a service over a fakeEngine.
func newService(t *testing.T, limits Limits) *service {
	t.Helper()
	fake := &fakeEngine{fakeWatch: newFakeWatch(), records: map[string][]*earshot.Record{}, parts: []engine.Part{{Name: "store", OK: true}}}
	s := newServiceOver(t, limits, func(*store.SQLite) Engine { return fake })
	s.engine = fake
	return s
}

func newServiceOver(t *testing.T, limits Limits, makeEngine func(*store.SQLite) Engine) *service {
	t.Helper()
	ctx := t.Context()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, store: st, keys: map[string]string{}, log: &lockedBuffer{}, spec: loadSpec(t)}
	for _, tenant := range []string{"a", "b"} {
		if err := st.PutTenant(ctx, earshot.Tenant{ID: tenant, CreatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		for _, scope := range append([]string{"root"}, earshot.Scopes...) {
			plain, key := engine.NewKey(time.Now())
			key.Tenant, key.Scopes = tenant, []string{scope}
			if scope == "root" {
				key.Scopes, key.Root = []string{"admin"}, true
			}
			if err := st.PutKey(ctx, key); err != nil {
				t.Fatal(err)
			}
			s.keys[tenant+"/"+scope] = plain
		}
	}
	s.server, err = New(ctx, Options{Engine: makeEngine(st), Store: st, Version: "test", Limits: limits,
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.server)
	s.url = web.URL
	t.Cleanup(func() {
		web.Close()
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A reply is an answer that was held against the description.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request of JSON; header is pairs that are set after it ("" takes one away).
func (s *service) send(method, path, key, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == "" {
		req.Body = nil
	}
	req.Header.Set("Content-Type", jsonType)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+s.keys[key])
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	return s.do(req)
}

func (s *service) do(req *http.Request) reply {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: read answer: %v", req.Method, req.URL.Path, err)
	}
	r := reply{resp.StatusCode, resp.Header, string(data)}
	if err := s.spec.check(req.Method, req.URL.Path, r); err != nil {
		s.t.Errorf("%s %s answered %d: %v\n%.2000s", req.Method, req.URL.Path, r.status, err, r.body)
	}
	return r
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%v: %.200s", err, r.body)
	}
	return m
}

// brief is the status and, of a problem, its code and "pointer:code" of each error.
func (r reply) brief() string {
	var p Problem
	s := strconv.Itoa(r.status)
	if json.Unmarshal([]byte(r.body), &p) == nil && p.Code != "" {
		s += " " + string(p.Code)
		for _, e := range p.Errors {
			s += " " + e.Pointer + ":" + e.Code
		}
	}
	return s
}

func (s *service) want(r reply, brief string) reply {
	s.t.Helper()
	if r.brief() != brief {
		s.t.Errorf("got %s, want %s\n%.1000s", r.brief(), brief, r.body)
	}
	return r
}
