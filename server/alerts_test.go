package server

import (
	"net/url"
	"strings"
	"testing"

	"github.com/earshot-cx/earshot"
)

func TestListAlerts(t *testing.T) {
	s := newService(t, Limits{})
	for n := 3; n <= 5; n++ {
		s.engine.alerts["a"] = append(s.engine.alerts["a"], fakeAlert(n, "x", earshot.Resolved))
	}
	var got []string
	path := "/v1/alerts?state=resolved,snoozed&limit=2"
	for path != "" {
		m := s.want(s.send("GET", path, "a/read", ""), "200").json(t)
		for _, item := range m["items"].([]any) {
			got = append(got, item.(map[string]any)["id"].(string))
		}
		cursor, _ := m["next_cursor"].(string)
		if path = ""; cursor != "" {
			s.want(s.send("GET", "/v1/alerts?cursor="+url.QueryEscape(cursor), "a/read", ""), "422 query_invalid /cursor:invalid_cursor")
			path = "/v1/alerts?state=resolved,snoozed&limit=2&cursor=" + url.QueryEscape(cursor)
		}
	}
	if list := strings.Join(got, " "); list != "ALR-3 ALR-4 ALR-5" {
		t.Errorf("pages have %s", list)
	}
	s.want(s.send("GET", "/v1/alerts?state=open", "a/read", ""), "422 invalid /state:unknown_value")
	s.want(s.send("GET", "/v1/alerts?sort=at", "a/read", ""), "422 invalid /sort:unknown_field")
	s.want(s.send("GET", "/v1/alerts/ALR-1", "a/read", ""), "200")
	s.want(s.send("GET", "/v1/alerts/ALR-2", "a/read", ""), "404 not_found")
}

func TestCommandAlert(t *testing.T) {
	s := newService(t, Limits{})
	for _, test := range []struct{ action, body, want, command string }{
		{"acknowledge", ``, "200", `acknowledge "" true`},
		{"acknowledge", `{}`, "200", `acknowledge "" true`},
		{"acknowledge", `{"for":"4h"}`, "422 invalid /for:unknown_field", ""},
		{"resolve", ``, "200", `resolve "" true`},
		{"snooze", `{"for":"4h"}`, "200", `snooze "4h" true`},
		{"snooze", `{}`, "422 invalid /for:required", ""},
		{"snooze", ``, "400 malformed :syntax", ""},
		{"snooze", `{"for":4}`, "422 invalid /for:wrong_type", ""},
		{"snooze", `{"for":"4h","until":"x"}`, "422 invalid /until:unknown_field", ""},
		{"vote", `{"value":"noise"}`, "200", `vote "noise" true`},
		{"note", `{"text":"the bank was down"}`, "200", `note "the bank was down" true`},
		{"note", `{"text":null}`, "422 invalid /text:required", ""},
	} {
		s.engine.command = ""
		r := s.send("POST", "/v1/alerts/ALR-1/"+test.action, "a/manage", test.body)
		if r.brief() != test.want || s.engine.command != test.command {
			t.Errorf("%s %s: got %s and %q, want %s and %q", test.action, test.body, r.brief(), s.engine.command, test.want, test.command)
		}
	}
	s.want(s.send("POST", "/v1/alerts/ALR-2/resolve", "a/manage", ""), "404 not_found")
	s.want(s.send("POST", "/v1/alerts/ALR-1/delete", "a/manage", ""), "404 not_found")
	s.engine.wrong = earshot.Errorf(earshot.Invalid, "an alert is snoozed for 1m to 720h")
	s.want(s.send("POST", "/v1/alerts/ALR-1/snooze", "a/manage", `{"for":"soon"}`), "422 invalid /for:invalid")
	s.engine.wrong = earshot.Errorf(earshot.Conflict, "A resolved alert can't be acknowledged")
	s.want(s.send("POST", "/v1/alerts/ALR-1/acknowledge", "a/manage", ""), "409 conflict")
}

func TestRules(t *testing.T) {
	s := newService(t, Limits{})
	if m := s.want(s.send("GET", "/v1/rules", "a/read", ""), "200").json(t); len(m["items"].([]any)) != 1 {
		t.Errorf("got %v", m)
	}
	s.want(s.send("GET", "/v1/rules/"+earshot.DefaultRule, "a/read", ""), "200")
	s.want(s.send("GET", "/v1/rules/other", "a/read", ""), "404 not_found")
	s.want(s.send("DELETE", "/v1/rules/"+earshot.DefaultRule, "a/admin", ""), "405 method_not_allowed")
}
