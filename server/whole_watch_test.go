package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot/engine"
)

// troubles is one trouble in six mouths.
var troubles = []string{
	"The app crashes every time I open the camera, so I cannot scan my receipt",
	"Your app crashes as soon as the camera opens. Useless",
	"I tried to scan a receipt and the app crashed again when the camera came up",
	"Camera opens, app crashes. I can't scan anything",
	"App keeps crashing on the camera screen when I scan a receipt, please fix it",
	"Since the update the app crashes whenever the camera starts",
}

// complain posts troubles, each of another person, and gives the ids.
func (s *service) complain(tenant string) []string {
	s.t.Helper()
	var ids []string
	for i, text := range troubles {
		body := fmt.Sprintf(`{"text":%q,"customer":"c-%d","author":"p-%d","channel":"chat"}`, text, i, i)
		rec := s.want(s.send("POST", "/v1/verbatims?wait=true&timeout=60s", tenant+"/admin", body), "200").json(s.t)
		ids = append(ids, rec["id"].(string))
	}
	return ids
}

// TestIssue: what six people say in their own words is one issue, found by its
// id, told by each verbatim, and in the hands of who may manage it.
func TestIssue(t *testing.T) {
	s := newWhole(t)
	said := s.complain("a")
	m := s.want(s.send("GET", "/v1/issues?sort=-count", "a/read", ""), "200").json(t)
	items := m["items"].([]any)
	if len(items) == 0 || m["total"] != float64(len(items)) {
		t.Fatalf("%d issues, total %v", len(items), m["total"])
	}
	issue := items[0].(map[string]any)
	id, count := issue["id"].(string), issue["count"].(float64)
	if count < 4 || issue["customers"] != count || issue["title"] == "" {
		t.Errorf("the issue is %v", issue)
	}
	page := s.want(s.send("GET", "/v1/search?q="+url.QueryEscape("issue:"+id), "a/read", ""), "200").json(t)
	if page["total"] != count {
		t.Errorf("issue:%s finds %v verbatims, count is %v", id, page["total"], count)
	}
	members := 0
	for _, v := range said {
		if r := s.want(s.send("GET", "/v1/verbatims/"+v, "a/read", ""), "200"); strings.Contains(r.body, `{"id":"`+id+`","segment":`) {
			members++
		}
	}
	if float64(members) != count {
		t.Errorf("%d verbatims say that they are of %s, count is %v", members, id, count)
	}

	r := s.want(s.send("PATCH", "/v1/issues/"+id, "a/manage", `{"title":"Camera crash","state":"muted"}`), "200")
	if m := r.json(t); m["title"] != "Camera crash" || m["state"] != "muted" || m["version"].(float64) <= issue["version"].(float64) {
		t.Errorf("got %s", r.body)
	}
	r = s.want(s.send("GET", "/v1/issues/"+id, "a/read", ""), "200")
	for _, want := range []string{`"title":"Camera crash"`, `"state":"muted"`, `"action":"renamed"`, `"action":"muted"`, `"by":"k_`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("%s is not in %s", want, r.body)
		}
	}
	r = s.want(s.send("GET", "/v1/issues?state=muted", "a/read", ""), "200")
	if m := r.json(t); m["total"] != 1.0 {
		t.Errorf("%v are muted, want 1", m["total"])
	}
	if m := s.want(s.send("GET", "/v1/issues?min_customers=1", "b/read", ""), "200").json(t); m["total"] != 0.0 {
		t.Errorf("the other tenant has %v issues", m["total"])
	}
	for _, wrong := range []string{"ISS-0", "ISS-01", "ISS-999", "ISS-x", "x", "ISS-99999999999999999999"} {
		s.want(s.send("GET", "/v1/issues/"+wrong, "a/read", ""), "404 not_found")
		s.want(s.send("PATCH", "/v1/issues/"+wrong, "a/manage", `{"state":"closed"}`), "404 not_found")
	}
}

// TestAlertLife: six people in an hour about something new are an alert, which a person takes in hand.
func TestAlertLife(t *testing.T) {
	s := newWhole(t)
	s.complain("a")
	items := s.want(s.send("GET", "/v1/alerts?state=firing", "a/read", ""), "200").json(t)["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("%d alerts fire, want 1", len(items))
	}
	path := "/v1/alerts/" + items[0].(map[string]any)["id"].(string)
	for _, test := range []struct{ do, body, want, state string }{
		{"/acknowledge", "", "200", "acknowledged"},
		{"/acknowledge", "", "200", "acknowledged"},
		{"/snooze", `{"for":"4h"}`, "200", "snoozed"},
		{"/snooze", `{"for":"4 hours"}`, "422 invalid /for:invalid", ""},
		{"/vote", `{"value":"useful"}`, "200", "snoozed"},
		{"/vote", `{"value":"good"}`, "422 invalid /value:invalid", ""},
		{"/note", `{"text":"the new version is stopped"}`, "200", "snoozed"},
		{"/note", `{"text":""}`, "422 invalid /text:invalid", ""},
		{"/resolve", "", "200", "resolved"},
		{"/resolve", "", "200", "resolved"},
		{"/acknowledge", "", "409 conflict", ""},
	} {
		r := s.want(s.send("POST", path+test.do, "a/manage", test.body), test.want)
		if r.status == 200 && r.json(t)["state"] != test.state {
			t.Errorf("%s %s: state %v, want %s", test.do, test.body, r.json(t)["state"], test.state)
		}
	}
	history := s.want(s.send("GET", path, "a/read", ""), "200").json(t)["history"].([]any)
	var actions []string
	for _, e := range history {
		actions = append(actions, e.(map[string]any)["action"].(string))
	}
	if got, want := strings.Join(actions, " "), "fired acknowledged snoozed voted noted resolved"; got != want {
		t.Errorf("history is %s, want %s", got, want)
	}
	s.want(s.send("GET", path, "b/read", ""), "404 not_found")
	for _, wrong := range []string{"ALR-0", "ALR-01", "ALR-99", "ALR-x", "x"} {
		s.want(s.send("POST", "/v1/alerts/"+wrong+"/acknowledge", "a/manage", ""), "404 not_found")
		s.want(s.send("GET", "/v1/alerts/"+wrong, "a/read", ""), "404 not_found")
	}
}

// TestWholeStream: who listens is told of verbatims and issues of their own
// tenant, and one who comes back of what they missed.
func TestWholeStream(t *testing.T) {
	s := newWhole(t)
	l := s.listen("a/read", "")
	s.want(s.send("POST", "/v1/verbatims?wait=true&timeout=60s", "b/admin", `{"text":"only-b"}`), "200")
	said := s.complain("a")
	var first, last engine.FeedEvent
	seen, later, issues := 0, 0, 0
	for seen < len(said) || issues == 0 {
		ev := l.next()
		switch ev.Type {
		case "verbatim":
			var rec struct{ ID, Text string }
			if err := json.Unmarshal(ev.Data, &rec); err != nil {
				t.Fatal(err)
			}
			if seen >= len(said) || rec.ID != said[seen] || rec.Text != troubles[seen] {
				t.Fatalf("event %s tells of %s, want verbatim %d", ev.ID, rec.ID, seen)
			}
			seen++
		case "issue":
			issues++
		}
		if first.ID == "" {
			first = ev
		} else {
			later++
		}
		last = ev
	}
	l.close()
	again := s.listen("a/read", first.ID)
	for range later - 1 {
		again.next()
	}
	if ev := again.next(); ev.ID != last.ID || string(ev.Data) != string(last.Data) {
		t.Errorf("after coming back the last event is %s, want %s", ev.ID, last.ID)
	}
}

// TestUnreadDelaysNobody: posting goes on as ever beside ten who listen and
// never read, and beside ten who do; then all are let go.
func TestUnreadDelaysNobody(t *testing.T) {
	s := newWhole(t)
	var listeners []*listener
	for range 10 {
		s.mute("a/read")
		listeners = append(listeners, s.listen("a/read", ""))
	}
	const many = 600
	var b strings.Builder
	for n := range many {
		fmt.Fprintf(&b, "{\"text\":%q}\n", fmt.Sprintf("parcel %d of mine is late. %s", n, strings.Repeat("Where is it? ", 50)))
	}
	if _, total := s.lines("a/ingest", b.String()); total.Accepted != many {
		t.Fatalf("%+v", total)
	}
	within(t, "all is found", func() {
		for {
			page := s.send("GET", "/v1/search?limit=1", "a/read", "")
			if strings.Contains(page.body, fmt.Sprintf(`"total":%d,`, many)) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	within(t, "the end of all", func() {
		s.server.Drain()
		for _, l := range listeners {
			l.ended()
		}
	})
}

func TestWebhook(t *testing.T) {
	s := newWhole(t)
	for target, want := range map[string]string{
		"http://127.0.0.1:8080/x": "422 target_not_allowed",
		"https://localhost/x":     "422 target_not_allowed",
		"https://10.0.0.7":        "422 target_not_allowed",
		"https://[::1]/":          "422 target_not_allowed",
		"ftp://x.example":         "422 invalid /url:invalid_url",
		"":                        "422 invalid /url:invalid_url",
	} {
		if r := s.send("POST", "/v1/webhooks", "a/manage", fmt.Sprintf(`{"url":%q}`, target)); r.brief() != want {
			t.Errorf("%q: got %s, want %s", target, r.brief(), want)
		}
	}
	made := s.want(s.send("POST", "/v1/webhooks", "a/manage", `{"url":"https://hooks.invalid/x"}`), "201").json(t)
	path := "/v1/webhooks/" + made["id"].(string)
	secret := made["secret"].(string)
	for _, show := range []string{path, "/v1/webhooks"} {
		if r := s.want(s.send("GET", show, "a/read", ""), "200"); strings.Contains(r.body, "whsec_") || !strings.Contains(r.body, made["id"].(string)) {
			t.Errorf("%s shows %s", show, r.body)
		}
	}
	s.want(s.send("PUT", path, "a/manage", `{"version":1,"url":"http://192.168.1.1/"}`), "422 target_not_allowed")
	changed := s.want(s.send("PUT", path, "a/manage", `{"version":1,"url":"https://hooks.invalid/y","events":["issue.opened"]}`), "200").json(t)
	s.want(s.send("PUT", path, "a/manage", `{"version":1,"enabled":false}`), "409 stale")
	if changed["url"] != "https://hooks.invalid/y" || changed["enabled"] != true || changed["version"] != 2.0 || changed["secret"] != nil {
		t.Errorf("got %v", changed)
	}
	rotated := s.want(s.send("POST", path+"/rotate", "a/manage", ""), "200").json(t)
	if rotated["secret"] == secret || rotated["version"] != 3.0 {
		t.Errorf("got %v", rotated)
	}
	if r := s.want(s.send("GET", path, "a/read", ""), "200"); strings.Contains(r.body, "whsec_") {
		t.Errorf("the secret is shown twice: %s", r.body)
	}
	sent := s.want(s.send("POST", path+"/test", "a/manage", ""), "201").json(t)
	if r := s.want(s.send("GET", path+"/deliveries", "a/read", ""), "200"); !strings.Contains(r.body, sent["id"].(string)) {
		t.Errorf("deliveries are %s", r.body)
	}
	s.want(s.send("DELETE", path, "a/manage", ""), "204")
	for _, gone := range []string{path, path + "/deliveries", "/v1/webhooks/x"} {
		s.want(s.send("GET", gone, "a/read", ""), "404 not_found")
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log holds a secret")
	}
}
