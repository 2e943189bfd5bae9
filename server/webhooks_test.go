package server

import (
	"net/url"
	"strings"
	"testing"
)

func TestPostWebhook(t *testing.T) {
	s := newService(t, Limits{})
	m := s.want(s.send("POST", "/v1/webhooks", "a/manage", `{"url":"https://x.example/hook"}`), "201").json(t)
	if events := m["events"].([]any); len(events) != 2 || events[0] != "alert.fired" || m["format"] != "standard" || m["secret"] != "whsec_new" {
		t.Errorf("got %v", m)
	}
	for _, test := range []struct{ body, want string }{
		{`{"url":"https://x.example","events":["issue.opened"],"format":"standard"}`, "201"},
		{`{}`, "422 invalid /url:required"},
		{`{"url":1}`, "422 invalid /url:wrong_type"},
		{`{"url":"https://x.example","events":[]}`, "422 invalid /events:required"},
		{`{"url":"https://x.example","events":"alert.fierd"}`, "422 invalid /events/0:unknown_value"},
		{`{"url":"https://x.example","events":["alert.fired","alert.fired"]}`, "422 invalid /events/1:duplicate_value"},
		{`{"url":"https://x.example","format":"slack"}`, "422 invalid /format:not_supported"},
		{`{"url":"https://x.example","format":"pigeon"}`, "422 invalid /format:unknown_value"},
		{`{"url":"https://x.example","secret":"whsec_mine"}`, "422 invalid /secret:unknown_field"},
	} {
		if r := s.send("POST", "/v1/webhooks", "a/manage", test.body); r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.body, r.brief(), test.want)
		}
	}
	r := s.send("POST", "/v1/webhooks", "a/manage", `{"url":"https://x.example","events":["alert.fired","alert.fierd"]}`)
	if !strings.Contains(r.body, `\"alert.fierd\"`) || !strings.Contains(r.body, `"hint":"alert.fired"`) {
		t.Errorf("an unknown event is not named: %s", r.body)
	}
}

func TestPutWebhook(t *testing.T) {
	s := newService(t, Limits{})
	s.want(s.send("POST", "/v1/webhooks", "a/manage", `{"url":"https://x.example/hook"}`), "201")
	m := s.want(s.send("PUT", "/v1/webhooks/w_a1", "a/manage", `{"version":1,"enabled":false,"events":["issue.opened"]}`), "200").json(t)
	if m["url"] != "https://x.example/hook" || m["enabled"] != false || m["version"] != 2.0 || len(m["events"].([]any)) != 1 {
		t.Errorf("got %v", m)
	}
	s.want(s.send("PUT", "/v1/webhooks/w_a1", "a/manage", `{"version":1,"enabled":true}`), "409 stale")
	s.want(s.send("PUT", "/v1/webhooks/w_a1", "a/manage", `{"enabled":true}`), "422 invalid /version:required")
	s.want(s.send("PUT", "/v1/webhooks/w_a1", "a/manage", `{"version":2,"enabled":"yes"}`), "422 invalid /enabled:wrong_type")
	m = s.want(s.send("PUT", "/v1/webhooks/w_a1", "a/manage", `{"version":2,"url":"https://y.example"}`), "200").json(t)
	if m["url"] != "https://y.example" || m["enabled"] != false {
		t.Errorf("got %v", m)
	}
}

func TestWebhookLists(t *testing.T) {
	s := newService(t, Limits{})
	for range 3 {
		s.want(s.send("POST", "/v1/webhooks", "a/manage", `{"url":"https://x.example"}`), "201")
		s.want(s.send("POST", "/v1/webhooks/w_a1/test", "a/manage", ""), "201")
	}
	for list, want := range map[string]string{"/v1/webhooks": "w_a1 w_a2 w_a3", "/v1/webhooks/w_a1/deliveries": "msg_a3 msg_a2 msg_a1"} {
		var got []string
		for path := list + "?limit=2"; path != ""; {
			m := s.want(s.send("GET", path, "a/read", ""), "200").json(t)
			for _, item := range m["items"].([]any) {
				got = append(got, item.(map[string]any)["id"].(string))
			}
			cursor, _ := m["next_cursor"].(string)
			if path = ""; cursor != "" {
				s.want(s.send("GET", "/v1/webhooks/w_a2/deliveries?cursor="+url.QueryEscape(cursor), "a/read", ""), "422 query_invalid /cursor:invalid_cursor")
				path = list + "?limit=2&cursor=" + url.QueryEscape(cursor)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has %v, want %s", list, got, want)
		}
	}
	s.want(s.send("GET", "/v1/webhooks/w_a9/deliveries", "a/read", ""), "404 not_found")
	s.want(s.send("DELETE", "/v1/webhooks/w_a1", "a/manage", ""), "204")
	s.want(s.send("GET", "/v1/webhooks/w_a1", "a/read", ""), "404 not_found")
}
