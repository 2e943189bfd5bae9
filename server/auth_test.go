package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
)

var engineDown = engine.Part{Name: "index", Detail: "being rebuilt: 3 of 7"}

func httpHead(t *testing.T, url string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestScopes(t *testing.T) {
	s := newService(t, Limits{})
	for _, rt := range routes {
		path := strings.ReplaceAll(rt.path, ":id", "x")
		if rt.scope == "" {
			s.want(s.send(rt.method, path, "", ""), "200")
			continue
		}
		r := s.want(s.send(rt.method, path, "", ""), "401 unauthenticated")
		if r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s: no challenge", rt.method, path)
		}
		for _, scope := range earshot.Scopes {
			r := s.send(rt.method, path, "a/"+scope, "")
			allowed := scope == rt.scope || scope == "admin"
			if rt.path == "/v1/tenants" {
				allowed = false // but for the root
			}
			if forbidden := r.status == 403; forbidden == allowed || r.status == 401 {
				t.Errorf("%s %s with scope %s: %s", rt.method, path, scope, r.brief())
			}
		}
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	s := newService(t, Limits{})
	good := s.keys["a/read"]
	unknown, _ := engine.NewKey(time.Now())
	expired, key := engine.NewKey(time.Now())
	past := time.Now().Add(-time.Second)
	key.Tenant, key.Scopes, key.ExpiresAt = "a", []string{"read"}, &past
	if err := s.store.PutKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"no scheme": good, "basic": "Basic " + good, "empty": "Bearer ", "unknown": "Bearer " + unknown, "expired": "Bearer " + expired,
		"mistyped": "Bearer " + good[:len(good)-1] + "!", "longer": "Bearer " + good + "0", "short": "Bearer esk_x", "upper case": "Bearer " + strings.ToUpper(good),
	} {
		r := s.send("GET", "/v1/search", "", "", "Authorization", header)
		if r.brief() != "401 unauthenticated" || strings.Contains(r.body, good) {
			t.Errorf("%s: got %s", name, r.body)
		}
	}
	s.want(s.send("GET", "/v1/search", "", "", "Authorization", "bearer  "+good), "200")
	if strings.Contains(s.log.String(), good[20:]) {
		t.Error("the log holds a key")
	}
}

func TestKeyLife(t *testing.T) {
	s := newService(t, Limits{})
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	m := s.want(s.send("POST", "/v1/keys", "a/admin", `{"scopes":["ingest","read"],"expires_at":"`+until+`"}`), "201").json(t)
	s.keys["new"] = m["key"].(string)
	s.want(s.send("GET", "/v1/search", "new", ""), "200")
	s.want(s.send("GET", "/v1/keys", "new", ""), "403 forbidden")
	list := s.want(s.send("GET", "/v1/keys", "a/admin", ""), "200")
	if strings.Contains(list.body, "esk_") || !strings.Contains(list.body, m["id"].(string)) {
		t.Errorf("the list is %s", list.body)
	}
	s.want(s.send("DELETE", "/v1/keys/"+m["id"].(string), "b/admin", ""), "404 not_found")
	s.want(s.send("DELETE", "/v1/keys/"+m["id"].(string), "a/admin", ""), "204")
	s.want(s.send("GET", "/v1/search", "new", ""), "401 unauthenticated")
	for _, test := range []struct{ body, want string }{
		{`{}`, "422 invalid /scopes:required"},
		{`{"scopes":[]}`, "422 invalid /scopes:required"},
		{`{"scopes":["root"]}`, "422 invalid /scopes/0:unknown_value"},
		{`{"scopes":["read","read"]}`, "422 invalid /scopes/1:duplicate_value"},
		{`{"scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"}`, "422 invalid /expires_at:out_of_range"},
		{`{"scopes":["read"],"tenant":"b"}`, "422 invalid /tenant:unknown_field"},
	} {
		if r := s.send("POST", "/v1/keys", "a/admin", test.body); r.brief() != test.want {
			t.Errorf("%s: got %s, want %s", test.body, r.brief(), test.want)
		}
	}
}

func TestKeyPages(t *testing.T) {
	s := newService(t, Limits{})
	seen := map[string]bool{}
	path := "/v1/keys?limit=2"
	for range 5 {
		m := s.want(s.send("GET", path, "a/admin", ""), "200").json(t)
		for _, item := range m["items"].([]any) {
			seen[item.(map[string]any)["id"].(string)] = true
		}
		if m["next_cursor"] == nil {
			break
		}
		cursor := m["next_cursor"].(string)
		s.want(s.send("GET", "/v1/keys?cursor="+cursor, "b/admin", ""), "422 query_invalid /cursor:invalid_cursor")
		s.want(s.send("GET", "/v1/dead-letters?cursor="+cursor, "a/admin", ""), "422 query_invalid /cursor:invalid_cursor")
		path = "/v1/keys?limit=2&cursor=" + cursor
	}
	if len(seen) != 5 {
		t.Errorf("saw %d keys of 5", len(seen))
	}
}

// A key that was revoked beside the server, as by the command line, is refused within a second.
func TestRevokedElsewhere(t *testing.T) {
	s := newService(t, Limits{})
	now := time.Now()
	s.server.now = func() time.Time { return now }
	s.want(s.send("GET", "/v1/search", "a/read", ""), "200")
	keys, err := s.store.Keys(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Allows("read") && !k.Allows("admin") {
			if err := s.store.RevokeKey(t.Context(), "a", k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	now = now.Add(time.Second)
	s.want(s.send("GET", "/v1/search", "a/read", ""), "401 unauthenticated")
}

func TestKeyIsTouched(t *testing.T) {
	s := newService(t, Limits{})
	s.want(s.send("GET", "/v1/search", "a/read", ""), "200")
	s.server.touches.Wait()
	r := s.want(s.send("GET", "/v1/keys", "a/admin", ""), "200")
	if n := strings.Count(r.body, `"last_used_at":null`); n > 4 {
		t.Errorf("no key was touched: %s", r.body)
	}
}

func TestTenants(t *testing.T) {
	s := newService(t, Limits{})
	s.want(s.send("POST", "/v1/tenants", "a/admin", `{"name":"acme"}`), "403 forbidden")
	m := s.want(s.send("POST", "/v1/tenants", "a/root", `{"name":"acme"}`), "201").json(t)
	s.keys["acme"] = m["key"].(string)
	s.want(s.send("POST", "/v1/tenants", "a/root", `{"name":"acme"}`), "409 conflict")
	s.want(s.send("POST", "/v1/tenants", "a/root", `{"name":"A b"}`), "422 invalid /name:invalid")
	s.want(s.send("POST", "/v1/tenants", "acme", `{"name":"other"}`), "403 forbidden")
	s.want(s.send("POST", "/v1/verbatims", "acme", `{"text":"a"}`), "202")
	if len(s.engine.records["acme"]) != 1 {
		t.Error("the key is not one of the new tenant")
	}
}

// bodyOf is a body that a route takes, as tenant.
func bodyOf(rt route, tenant string) string {
	body, ok := map[string]string{
		"POST /v1/verbatims":         `{"external_id":"same","text":"only-TENANT ส่งของช้า 客服","customer":"cust-TENANT"}`,
		"POST /v1/analyze":           `{"text":"x"}`,
		"POST /v1/search":            `{"q":"客服 OR ช้า OR only"}`,
		"POST /v1/keys":              `{"scopes":["read"]}`,
		"POST /v1/tenants":           `{"name":"made-by-TENANT"}`,
		"PATCH /v1/issues/:id":       `{"title":"only-TENANT"}`,
		"POST /v1/alerts/:id/snooze": `{"for":"4h"}`,
		"POST /v1/alerts/:id/vote":   `{"value":"noise"}`,
		"POST /v1/alerts/:id/note":   `{"text":"only-TENANT"}`,
		"POST /v1/webhooks":          `{"url":"https://only-TENANT.example/hook"}`,
		"PUT /v1/webhooks/:id":       `{"version":1,"enabled":false}`,
	}[rt.method+" "+rt.path]
	if !ok {
		return ""
	}
	return strings.ReplaceAll(body, "TENANT", tenant)
}

// Two tenants walk every route; nothing of one is seen, changed or told to the other.
func TestNothingCrosses(t *testing.T) {
	s := newService(t, Limits{})
	ids := map[string]map[string]string{} // by tenant, by the first part of a path
	for tenant, n := range map[string]string{"a": "1", "b": "2"} {
		s.want(s.send("POST", "/v1/verbatims", tenant+"/root", `{"external_id":"same","text":"only-`+tenant+`"}`), "202")
		key := s.want(s.send("POST", "/v1/keys", tenant+"/root", `{"scopes":["read"]}`), "201").json(t)
		hook := s.want(s.send("POST", "/v1/webhooks", tenant+"/root", `{"url":"https://only-`+tenant+`.example"}`), "201").json(t)
		ids[tenant] = map[string]string{"verbatims": "v_" + tenant + "1", "keys": key["id"].(string), "issues": "ISS-" + n, "alerts": "ALR-" + n, "webhooks": hook["id"].(string)}
	}
	for own, other := range map[string]string{"a": "b", "b": "a"} {
		for _, rt := range routes {
			path := rt.path
			for part, id := range ids[other] {
				path = strings.ReplaceAll(path, "/v1/"+part+"/:id", "/v1/"+part+"/"+id)
			}
			r := s.send(rt.method, path, own+"/root", bodyOf(rt, own))
			if strings.Contains(rt.path, ":id") && r.status != 404 {
				t.Errorf("%s %s as %s: got %s, want 404", rt.method, path, own, r.brief())
			}
			if r.status >= 500 {
				t.Errorf("%s %s as %s: got %s", rt.method, path, own, r.brief())
			}
			for _, mark := range append(slices.Collect(maps.Values(ids[other])), "only-"+other) {
				if strings.Contains(r.body, `"`+mark) {
					t.Errorf("%s %s as %s tells %s", rt.method, path, own, mark)
				}
			}
		}
	}
	for _, tenant := range []string{"a", "b"} {
		for _, part := range []string{"verbatims", "issues", "alerts", "webhooks"} {
			r := s.want(s.send("GET", "/v1/"+part+"/"+ids[tenant][part], tenant+"/read", ""), "200")
			if strings.Contains(r.body, `"version":2`) || !strings.Contains(r.body, "only-"+tenant) {
				t.Errorf("%s of %s was changed: %s", part, tenant, r.body)
			}
		}
		s.want(s.send("DELETE", "/v1/keys/"+ids[tenant]["keys"], tenant+"/admin", ""), "204")
	}
}
