package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/nlp"
)

// A caseOf is one line of testdata/cases/cases.jsonl.
type caseOf struct {
	ID, Area string
	Input    struct {
		Text, Query string
		Texts       []struct{ ID, Text, Author string }
		Docs        []struct{ ID, Text string }
		Requests    []struct {
			Body     string
			Headers  map[string]string
			BodySpec *struct {
				Lines   int
				Line    string
				Replace map[string]string
			} `json:"body_spec"`
		}
		Endpoint string
		Deliver  any

		Step, Start string
		Counts      []int
		Customers   struct {
			FromStep int `json:"from_step"`
			Distinct int
		}
		Share float64 `json:"distinct_customers_share"`
	}
	Expect map[string]json.RawMessage
}

// later are areas of parts that do not exist yet; TestCases leaves them out. It
// leaves out "deliver" too: package webhook has that case.
var later = []string{"format"}

func TestCases(t *testing.T) {
	failing := map[string]bool{}
	list, err := os.ReadFile("../../testdata/cases/failing.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		if id, reason, _ := strings.Cut(strings.TrimSpace(line), " "); id != "" && id != "#" {
			if failing[id] = true; strings.TrimSpace(reason) == "" {
				t.Errorf("failing.txt: %s has no reason", id)
			}
		}
	}
	p, err := nlp.New()
	if err != nil {
		t.Fatal(err)
	}
	a, err := engine.NewAnalyzer(p, [32]byte{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := start(t, t.TempDir())
	defer server.stop()
	f, err := os.Open("../../testdata/cases/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var c caseOf
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(later, c.Area) || c.Input.Endpoint != "" || c.Input.Deliver != nil {
			continue
		}
		j := judge{c: c, analyzer: a, nlp: p, server: server}
		j.judge(t)
		switch {
		case len(j.wrong) > 0 && !failing[c.ID]:
			t.Errorf("%s:\n\t%s", c.ID, strings.Join(j.wrong, "\n\t"))
		case len(j.wrong) == 0 && failing[c.ID]:
			t.Errorf("%s passes: take it off failing.txt", c.ID)
		}
	}
}

// A judge collects what is wrong with one case.
type judge struct {
	c        caseOf
	analyzer *engine.Analyzer
	nlp      *nlp.Pipeline
	server   *process
	wrong    []string
}

func (j *judge) fail(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

// want decodes an expectation, and says whether the case has it.
func want[T any](j *judge, key string) (T, bool) {
	var v T
	raw, ok := j.c.Expect[key]
	if !ok {
		return v, false
	}
	delete(j.c.Expect, key)
	if err := json.Unmarshal(raw, &v); err != nil {
		j.fail("expect.%s: %v", key, err)
	}
	return v, true
}

func (j *judge) judge(t *testing.T) {
	switch j.c.Area {
	case "analyze", "lang":
		j.analyze()
	case "tokens":
		j.spans(j.tokens())
	case "sentences":
		j.spans(j.nlp.Sentences(j.c.Input.Text))
	case "redact":
		j.redact()
	case "search":
		j.search()
	case "http":
		j.http()
	case "cluster":
		j.cluster(t)
	case "alert":
		j.alert(t)
	default:
		t.Fatalf("%s: unknown area %s", j.c.ID, j.c.Area)
	}
	for key := range j.c.Expect {
		j.fail("nobody checks expect.%s", key)
	}
}

func (j *judge) record(text string) *earshot.Record {
	v := earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: text}}}
	got := j.analyzer.Analyze(j.server.t.Context(), []ingest.Draft{{Verbatim: v}})[0]
	if got.Err != nil {
		j.fail("%v", got.Err)
		return &earshot.Record{Analysis: &earshot.Analysis{}}
	}
	return got.Record
}

func sign(x float64) int {
	switch {
	case x >= 0.25:
		return 1
	case x <= -0.25:
		return -1
	}
	return 0
}

func (j *judge) analyze() {
	texts := j.c.Input.Texts
	if j.c.Input.Text != "" {
		texts = append(texts, struct{ ID, Text, Author string }{Text: j.c.Input.Text})
	}
	expect := j.c.Expect
	var first *earshot.Record
	for _, text := range texts {
		j.c.Expect = map[string]json.RawMessage{}
		for k, v := range expect {
			j.c.Expect[k] = v
		}
		rec := j.record(text.Text)
		j.scores(text.ID, rec)
		if same, ok := want[[]string](j, "same"); ok {
			if first == nil {
				first = rec
			}
			for _, key := range same {
				if key != "sentiment_label" {
					j.fail("same %s is not known", key)
				} else if first.Analysis.Sentiment.Label != rec.Analysis.Sentiment.Label {
					j.fail("%s: sentiment is %s, of the first %s", text.ID, rec.Analysis.Sentiment.Label, first.Analysis.Sentiment.Label)
				}
			}
		}
	}
}

func (j *judge) scores(id string, rec *earshot.Record) {
	a := rec.Analysis
	score := 0.0
	label := ""
	if a.Sentiment != nil {
		score, label = a.Sentiment.Score, a.Sentiment.Label
	}
	if x, ok := want[int](j, "sentiment_sign"); ok && sign(score) != x {
		j.fail("sentiment %v has not the sign %d", score, x)
	}
	if x, ok := want[[]string](j, "sentiment_label_in"); ok && !slices.Contains(x, label) {
		j.fail("sentiment is %q, not one of %v", label, x)
	}
	if x, ok := want[int](j, "effort_sign"); ok && (a.Effort == nil || (a.Effort.Score > 0) != (x > 0)) {
		j.fail("effort %+v has not the sign %d", a.Effort, x)
	}
	if _, ok := j.c.Expect["effort"]; ok {
		delete(j.c.Expect, "effort") // the only value it has is null
		if a.Effort != nil {
			j.fail("effort is %+v, not null", a.Effort)
		}
	}
	if signs, ok := want[[]int](j, "segment_signs"); ok {
		rest := signs
		for _, s := range a.Segments {
			if len(rest) > 0 && s.Sentiment != nil && sign(s.Sentiment.Score) == rest[0] {
				rest = rest[1:]
			}
		}
		if len(rest) > 0 {
			j.fail("the segments have not the signs %v", signs)
		}
	}
	if x, ok := want[string](j, "lang"); ok && a.Lang != x {
		j.fail("lang is %s, not %s", a.Lang, x)
	}
	if x, ok := want[map[string]string](j, "langs"); ok && a.Lang != x[id] {
		j.fail("lang of %s is %s, not %s", id, a.Lang, x[id])
	}
	var frames, intents, emotions []string
	if a.Effort != nil {
		for _, f := range a.Effort.Frames {
			frames = append(frames, f.Frame)
		}
	}
	for _, l := range a.Intents {
		intents = append(intents, l.Label)
	}
	for _, e := range a.Emotions {
		emotions = append(emotions, e.Label)
	}
	for name, have := range map[string][]string{"frames": frames, "intents": intents, "emotions": emotions, "flags": a.Flags} {
		include, _ := want[[]string](j, name+"_include")
		for _, x := range include {
			if !slices.Contains(have, x) {
				j.fail("%s are %v, without %s", name, have, x)
			}
		}
		exclude, _ := want[[]string](j, name+"_exclude")
		for _, x := range exclude {
			if slices.Contains(have, x) {
				j.fail("%s are %v, with %s", name, have, x)
			}
		}
		if some, ok := want[[]string](j, name+"_any_of"); ok && !slices.ContainsFunc(some, func(x string) bool { return slices.Contains(have, x) }) {
			j.fail("%s are %v, none of %v", name, have, some)
		}
	}
}

func (j *judge) tokens() []earshot.Span {
	var spans []earshot.Span
	text := j.c.Input.Text
	exclude, _ := want[[]string](j, "tokens_exclude")
	for _, t := range j.nlp.Tokens(text) {
		spans = append(spans, t.Span)
		if slices.Contains(exclude, text[t.Start:t.End]) {
			j.fail("%q is a token", text[t.Start:t.End])
		}
	}
	return spans
}

// spans judges tokens or sentences.
func (j *judge) spans(spans []earshot.Span) {
	text := j.c.Input.Text
	begins, ends := map[int]bool{}, map[int]bool{}
	var pieces []string
	last := 0
	for _, s := range spans {
		if s.Start < last || s.End <= s.Start || strings.TrimSpace(text[last:s.Start]) != "" {
			j.fail("span %v after %d", s, last)
		}
		begins[s.Start], ends[s.End], last = true, true, s.End
		pieces = append(pieces, strings.TrimSpace(text[s.Start:s.End]))
	}
	delete(j.c.Expect, "joined_equals_text") // what lies between spans was seen to be white space
	if strings.TrimSpace(text[last:]) != "" {
		j.fail("%q is in no span", text[last:])
	}
	around, _ := want[[]string](j, "boundary_around")
	for _, s := range around {
		if i := strings.Index(text, s); !begins[i] || !ends[i+len(s)] {
			j.fail("%q is not cut out: %q", s, pieces)
		}
	}
	inside, _ := want[[]string](j, "no_boundary_inside")
	cut, _ := want[[]string](j, "no_cut_inside")
	for _, s := range slices.Concat(inside, cut) {
		i := strings.Index(text, s)
		for k := i + 1; k < i+len(s); k++ {
			if begins[k] || ends[k] {
				j.fail("%q is cut: %q", s, pieces)
			}
		}
	}
	if x, ok := want[[]string](j, "sentences"); ok && !slices.Equal(x, pieces) {
		j.fail("sentences are %q, not %q", pieces, x)
	}
	after, _ := want[[]string](j, "cut_after")
	for _, s := range after {
		if !ends[strings.Index(text, s)+len(s)] {
			j.fail("no cut after %q: %q", s, pieces)
		}
	}
	starts, _ := want[[]string](j, "no_sentence_starts_with")
	for _, s := range starts {
		if slices.ContainsFunc(pieces, func(p string) bool { return strings.HasPrefix(p, s) }) {
			j.fail("a sentence starts with %s", s)
		}
	}
}

func (j *judge) redact() {
	rec := j.record(j.c.Input.Text)
	text := rec.Verbatim.Text()
	got := []string{}
	for _, r := range rec.Verbatim.Redactions {
		family := r.Type
		if strings.HasSuffix(family, "_ID") && len(family) == 5 {
			family = "NATIONAL_ID"
		}
		if !slices.Contains(got, family) {
			got = append(got, family)
		}
	}
	slices.Sort(got)
	if x, ok := want[[]string](j, "redacted_types"); ok && !slices.Equal(slices.Sorted(slices.Values(x)), got) {
		j.fail("redacted %v, not %v", got, x)
	}
	if n, ok := want[int](j, "redacted_count"); ok && n != len(rec.Verbatim.Redactions) {
		j.fail("%d redactions, not %d", len(rec.Verbatim.Redactions), n)
	}
	contain, _ := want[[]string](j, "must_contain")
	for _, s := range contain {
		if !strings.Contains(text, s) {
			j.fail("%q lacks %q", text, s)
		}
	}
	avoid, _ := want[[]string](j, "must_not_contain")
	for _, s := range avoid {
		if strings.Contains(text, s) {
			j.fail("%q still has %q", text, s)
		}
	}
}

// search posts the documents under a source of the case's own and asks.
func (j *judge) search() {
	ids := map[string]string{} // ours → the case's
	for _, d := range j.c.Input.Docs {
		var rec struct{ ID string }
		j.server.get("POST", "/v1/verbatims?wait=true", map[string]any{"text": d.Text, "source": j.c.ID, "external_id": d.ID}, &rec)
		ids[rec.ID] = d.ID
	}
	q := url.QueryEscape("(" + j.c.Input.Query + ") source:" + j.c.ID)
	var page struct {
		Items []struct {
			ID       string
			Fragment struct{ Text string }
			Marks    []earshot.Span
		}
	}
	delete(j.c.Expect, "error") // get fails when the query is refused
	j.server.get("GET", "/v1/search?q="+q, nil, &page)
	marks := map[string][]string{}
	for _, item := range page.Items {
		id := ids[item.ID]
		marks[id] = []string{}
		for _, m := range item.Marks {
			marks[id] = append(marks[id], item.Fragment.Text[m.Start:m.End]) // the fragment of a short text is all of it
		}
	}
	match, _ := want[[]string](j, "match")
	for _, id := range match {
		if marks[id] == nil {
			j.fail("%s is not found", id)
		}
	}
	none, _ := want[[]string](j, "no_match")
	for _, id := range none {
		if marks[id] != nil {
			j.fail("%s is found", id)
		}
	}
	wanted, _ := want[map[string][]string](j, "marks")
	for id, x := range wanted {
		if !slices.Equal(x, marks[id]) {
			j.fail("marks of %s are %q, not %q", id, marks[id], x)
		}
	}
}

func (j *judge) http() {
	for _, r := range j.c.Input.Requests {
		body := []byte(r.Body)
		if spec := r.BodySpec; spec != nil {
			var b bytes.Buffer
			for n := 1; n <= spec.Lines; n++ {
				line := strings.ReplaceAll(spec.Line, "{n}", fmt.Sprint(n))
				if other, ok := spec.Replace[fmt.Sprint(n)]; ok {
					line = other
				}
				b.WriteString(line + "\n")
			}
			body = b.Bytes()
		}
		res, err := j.server.do("POST", "/v1/verbatims", r.Headers["Content-Type"], bytes.NewReader(body))
		if err != nil {
			j.fail("%v", err)
			return
		}
		defer res.Body.Close()
		accepted, refused := 0, []int{}
		in := bufio.NewScanner(res.Body)
		for in.Scan() {
			var line struct {
				Line   int
				Status any
			}
			if err := json.Unmarshal(in.Bytes(), &line); err != nil {
				j.fail("%v", err)
			}
			switch line.Status {
			case "accepted":
				accepted++
			case "rejected":
				refused = append(refused, line.Line)
			}
		}
		j.answer(res.StatusCode, accepted, refused)
	}
}

func (j *judge) answer(status, accepted int, refused []int) {
	class := fmt.Sprintf("%dxx", status/100)
	if x, ok := want[[]string](j, "status"); ok && !slices.Contains(x, class) {
		j.fail("status %d, not %v", status, x)
	}
	if n, ok := want[int](j, "accepted"); ok && n != accepted {
		j.fail("%d accepted, not %d", accepted, n)
	}
	delete(j.c.Expect, "others_accepted") // all but the refused: accepted says so
	if errs, ok := want[[]struct{ Line int }](j, "errors"); ok {
		for _, e := range errs {
			if !slices.Contains(refused, e.Line) {
				j.fail("refused lines are %v, without %d", refused, e.Line)
			}
		}
	}
	if alternatives, ok := want[[]struct {
		Status   []string
		Accepted int
	}](j, "any_of"); ok {
		for _, a := range alternatives {
			if slices.Contains(a.Status, class) && a.Accepted == accepted {
				return
			}
		}
		j.fail("status %d with %d accepted is none of the alternatives", status, accepted)
	}
}
