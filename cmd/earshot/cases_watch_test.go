package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/ingest"
)

// A rerun is a replay that notes what came of it.
type rerun struct {
	t      *testing.T
	r      *engine.Replay
	issues map[string][]string // by verbatim
	alerts []*earshot.Alert    // each change of a state
}

func (j *judge) rerun(t *testing.T) *rerun {
	t.Helper()
	r, err := engine.NewReplay(j.analyzer, earshot.IssuesDefault(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return &rerun{t: t, r: r, issues: map[string][]string{}}
}

func (r *rerun) say(v earshot.Verbatim) {
	r.t.Helper()
	item, err := r.r.Prepare(ingest.Draft{Verbatim: v}, v.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	before, names, after, err := r.r.Place(item)
	if err != nil {
		r.t.Fatal(err)
	}
	r.issues[v.ID] = names
	r.alerts = append(append(r.alerts, before...), after...)
}

func turnsOf(text string) []earshot.Turn {
	return []earshot.Turn{{Speaker: "customer", Text: text}}
}

// cluster posts the texts of a case some minutes apart.
func (j *judge) cluster(t *testing.T) {
	r := j.rerun(t)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for i, x := range j.c.Input.Texts {
		r.say(earshot.Verbatim{ID: x.ID, At: at.Add(time.Duration(i) * 3 * time.Minute), Author: x.Author, Turns: turnsOf(x.Text)})
	}
	final := map[string]*earshot.Issue{}
	in := map[string]string{} // where a verbatim is at the end
	for _, i := range r.r.Issues() {
		final[i.ID] = i
	}
	for id, names := range r.issues {
		if len(names) > 0 {
			in[id] = r.r.Current(names[0])
		}
	}
	same, _ := want[[][2]string](j, "same")
	for _, p := range same {
		if in[p[0]] == "" || in[p[0]] != in[p[1]] {
			j.fail("%s is in %q, %s in %q", p[0], in[p[0]], p[1], in[p[1]])
		}
	}
	different, _ := want[[][2]string](j, "different")
	for _, p := range different {
		if in[p[0]] != "" && in[p[0]] == in[p[1]] {
			j.fail("%s and %s are both in %s", p[0], p[1], in[p[0]])
		}
	}
	none, _ := want[[]string](j, "no_issue")
	for _, id := range none {
		if in[id] != "" {
			j.fail("%s is in %s", id, in[id])
		}
	}
	if title, ok := want[struct {
		Any []string `json:"contains_any"`
		Not string   `json:"not_matching"`
	}](j, "title"); ok {
		i := final[in[j.c.Input.Texts[0].ID]]
		switch {
		case i == nil:
			j.fail("there is no issue to be named")
		case !slices.ContainsFunc(title.Any, func(s string) bool { return strings.Contains(i.Title, s) }):
			j.fail("the title is %q", i.Title)
		case regexp.MustCompile(strings.ReplaceAll(title.Not, `\W`, `\P{L}`)).MatchString(i.Title):
			j.fail("the title %q matches %s", i.Title, title.Not)
		}
	}
}

// wordings of one trouble, for cases that only count.
var wordings = []string{"the app crashes when I open it", "your app crashed again, it will not open", "app keeps crashing on opening",
	"opening the app crashes it every time", "crash when the app opens", "I open the app and it crashes"}

// alert plays the counts of a case as verbatims of one trouble, each step's
// spread evenly over it.
func (j *judge) alert(t *testing.T) {
	r := j.rerun(t)
	in := &j.c.Input
	start, err := time.Parse(time.RFC3339, in.Start)
	if err != nil {
		t.Fatal(err)
	}
	step, err := time.ParseDuration(in.Step)
	if err != nil {
		t.Fatal(err)
	}
	type fired struct{ step int }
	var firings []fired
	resolved, said := 0, 0
	for s, n := range in.Counts {
		for k := range n {
			customer := fmt.Sprint("c", said)
			switch {
			case in.Customers.Distinct > 0 && s >= in.Customers.FromStep:
				customer = fmt.Sprint("one", k%in.Customers.Distinct)
			case in.Share > 0 && in.Share < 1 && said%100 >= int(in.Share*100):
				customer = fmt.Sprint("c", said-1)
			}
			seen := len(r.alerts)
			r.say(earshot.Verbatim{ID: fmt.Sprint("v", said), At: start.Add(time.Duration(s)*step + time.Duration(k)*step/time.Duration(n)),
				Customer: customer, Turns: turnsOf(wordings[said%len(wordings)])})
			said++
			for _, a := range r.alerts[seen:] {
				switch a.State {
				case earshot.Firing:
					firings = append(firings, fired{s})
				case earshot.Resolved:
					resolved++
				}
			}
		}
	}
	from, _ := want[int](j, "from_step")
	looked := slices.DeleteFunc(slices.Clone(firings), func(f fired) bool { return f.step < from })
	for _, key := range []string{"alert", "spike_alert"} {
		if expected, ok := want[bool](j, key); ok && expected != (len(looked) > 0) {
			j.fail("%d alerts from step %d on (%v), want them: %v", len(looked), from, firings, expected)
		}
	}
	if between, ok := want[[2]int](j, "first_alert_step"); ok {
		if len(looked) == 0 || looked[0].step < between[0] || looked[0].step > between[1] {
			j.fail("alerts at %v, want the first between steps %v", firings, between)
		}
	}
	if n, ok := want[int](j, "incidents"); ok && n != len(looked) {
		j.fail("%d incidents at %v, want %d", len(looked), firings, n)
	}
	if n, ok := want[map[string]int](j, "notifications"); ok && (n["firing"] != len(firings) || n["resolved"] != resolved) {
		j.fail("%d firings and %d resolutions, want %v", len(firings), resolved, n)
	}
}
