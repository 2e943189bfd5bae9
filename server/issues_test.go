package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot/engine"
)

func TestListIssues(t *testing.T) {
	s := newService(t, Limits{})
	s.want(s.send("GET", "/v1/issues?state=emerging,muted&sort=-count&min_customers=1", "a/read", ""), "200")
	want := engine.IssueQuery{States: []string{"emerging", "muted"}, Sort: "-count", MinCustomers: 1, Limit: 20}
	if diff := cmp.Diff(want, s.engine.query); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
	for n := 3; n <= 7; n++ {
		s.engine.issues["a"] = append(s.engine.issues["a"], fakeIssue(n, "x"))
	}
	var got []string
	path := "/v1/issues?limit=4"
	for range 2 {
		m := s.want(s.send("GET", path, "a/read", ""), "200").json(t)
		for _, item := range m["items"].([]any) {
			got = append(got, item.(map[string]any)["id"].(string))
		}
		if m["total"] != 6.0 {
			t.Errorf("total %v, want 6", m["total"])
		}
		cursor, _ := m["next_cursor"].(string)
		path = "/v1/issues?limit=4&cursor=" + url.QueryEscape(cursor)
		if cursor != "" {
			s.want(s.send("GET", path+"&sort=-count", "a/read", ""), "422 query_invalid /cursor:invalid_cursor")
			s.want(s.send("GET", path, "b/read", ""), "422 query_invalid /cursor:invalid_cursor")
		}
	}
	if list := strings.Join(got, " "); list != "ISS-1 ISS-3 ISS-4 ISS-5 ISS-6 ISS-7" {
		t.Errorf("pages have %s", list)
	}
	for query, want := range map[string]string{
		"state=open":             "422 invalid /state:unknown_value",
		"state=muted,muted":      "422 invalid /state:duplicate_value",
		"sort=count":             "422 invalid /sort:unknown_value",
		"limit=201":              "422 invalid /limit:out_of_range",
		"min_customers=0":        "422 invalid /min_customers:out_of_range",
		"sate=muted&cursor=nope": "422 invalid /sate:unknown_field",
		"cursor=nope":            "422 query_invalid /cursor:invalid_cursor",
	} {
		if r := s.send("GET", "/v1/issues?"+query, "a/read", ""); r.brief() != want {
			t.Errorf("%s: got %s, want %s", query, r.brief(), want)
		}
	}
}

func TestPatchIssue(t *testing.T) {
	s := newService(t, Limits{})
	r := s.want(s.send("PATCH", "/v1/issues/ISS-1", "a/manage", `{"title":" โอน\n เงินไม่ได้ ","state":"muted"}`), "200")
	if m := r.json(t); m["title"] != "โอน เงินไม่ได้" || m["state"] != "muted" || strings.Count(r.body, `"by":"k_`) != 2 {
		t.Errorf("got %s", r.body)
	}
	for _, test := range []struct{ body, want string }{
		{fmt.Sprintf(`{"title":%q}`, strings.Repeat("ก", 200)), "200"},
		{fmt.Sprintf(`{"title":%q}`, strings.Repeat("ก", 201)), "422 invalid /title:out_of_range"},
		{`{"title":""}`, "422 invalid /title:out_of_range"},
		{`{"title":"  "}`, "422 invalid /title:out_of_range"},
		{`{"title":7}`, "422 invalid /title:wrong_type"},
		{`{"state":"emerging"}`, "422 invalid /state:unknown_value"},
		{`{"state":""}`, "422 invalid /state:unknown_value"},
		{`{"state":false}`, "422 invalid /state:wrong_type"},
		{`{"titel":"x"}`, "422 invalid /titel:unknown_field"},
		{`{"title":"x","id":"ISS-2"}`, "422 invalid /id:unknown_field"},
		{`{"title":null}`, "422 invalid :required"},
		{`{}`, "422 invalid :required"},
		{`[]`, "422 invalid :wrong_type"},
	} {
		if r := s.send("PATCH", "/v1/issues/ISS-1", "a/manage", test.body); r.brief() != test.want {
			t.Errorf("%.60s: got %s, want %s", test.body, r.brief(), test.want)
		}
	}
	s.want(s.send("PATCH", "/v1/issues/ISS-2", "a/manage", `{"title":"x"}`), "404 not_found")
}
