package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/alert"
	"github.com/earshot-cx/earshot/engine"
)

// A spec is openapi.yaml, to hold answers against.
type spec struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
}

func loadSpec(t *testing.T) *spec {
	t.Helper()
	data, err := openapiJSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return &spec{doc.(map[string]any), c}
}

func (s *spec) paths() map[string]any { return s.doc["paths"].(map[string]any) }

// path finds the template that a path fits.
func (s *spec) path(path string) (string, bool) {
	for template := range s.paths() {
		a, b := strings.Split(template, "/"), strings.Split(path, "/")
		if slices.EqualFunc(a, b, func(t, p string) bool { return t == p || strings.HasPrefix(t, "{") && p != "" }) {
			return template, true
		}
	}
	return "", false
}

// check holds an answer against the description: its status, its media type, its body.
func (s *spec) check(method, path string, r reply) error {
	media, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	template, ok := s.path(path)
	operation := s.operation(template, method)
	if !ok || operation == nil {
		if r.status != 404 && r.status != 405 {
			return fmt.Errorf("the description has no %s %s", method, path)
		}
		return s.valid(s.pointer("components", "schemas", "Problem"), r.body)
	}
	status := strconv.Itoa(r.status)
	responses := operation["responses"].(map[string]any)
	if _, ok := responses[status]; !ok {
		if status = "default"; r.status < 400 {
			return fmt.Errorf("status %d is not described", r.status)
		}
	}
	response := responses[status].(map[string]any)
	at := s.pointer("paths", template, strings.ToLower(method), "responses", status)
	if ref, ok := response["$ref"].(string); ok {
		at = "openapi.json" + ref
		response = s.doc["components"].(map[string]any)["responses"].(map[string]any)["problem"].(map[string]any)
	}
	content, ok := response["content"].(map[string]any)
	switch {
	case !ok && r.body == "":
		return nil
	case !ok || content[media] == nil:
		return fmt.Errorf("status %d with %q is not described", r.status, media)
	}
	at += "/" + "content/" + strings.ReplaceAll(media, "/", "~1") + "/schema"
	switch media {
	case eventsType:
		return s.events(r.body)
	case ndjsonType:
	default:
		return s.valid(at, r.body)
	}
	for line := range strings.Lines(r.body) {
		if err := s.valid(at, line); err != nil {
			return fmt.Errorf("line %s: %w", line, err)
		}
	}
	return nil
}

// events holds a stream of events against what the description says of it.
func (s *spec) events(body string) error {
	in := bufio.NewReader(strings.NewReader(body))
	for {
		ev, err := nextEvent(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.event(ev)
		}
		if err != nil {
			return err
		}
	}
}

func (s *spec) event(ev engine.FeedEvent) error {
	schema, ok := map[string]string{"verbatim": "Record", "issue": "Issue", "alert": "Alert"}[ev.Type]
	if !ok || ev.ID == "" {
		return fmt.Errorf("event %q with id %q is not described", ev.Type, ev.ID)
	}
	return s.valid(s.pointer("components", "schemas", schema), string(ev.Data))
}

// nextEvent reads on to the end of the next event, over heartbeats. io.EOF also within one.
func nextEvent(in *bufio.Reader) (ev engine.FeedEvent, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return ev, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			ev.ID = value
		case "event":
			ev.Type = value
		case "data":
			ev.Data = append(ev.Data, value...)
		case "":
			if ev.ID != "" {
				return ev, nil
			}
		case ":":
		default:
			return ev, fmt.Errorf("%q is not a line of an event", line)
		}
	}
}

func (s *spec) operation(template, method string) map[string]any {
	item, _ := s.paths()[template].(map[string]any)
	operation, _ := item[strings.ToLower(method)].(map[string]any)
	return operation
}

func (s *spec) pointer(tokens ...string) string {
	at := "openapi.json#"
	for _, t := range tokens {
		at += "/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(earshot.EscapePointer(t))
	}
	return at
}

func (s *spec) valid(at, body string) error {
	schema, err := s.compiler.Compile(at)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestEveryRouteIsDescribed(t *testing.T) {
	s := loadSpec(t)
	described := map[string]bool{}
	for path, item := range s.paths() {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	for _, rt := range routes {
		name := rt.method + " " + strings.ReplaceAll(rt.path, ":id", "{id}")
		if !described[name] {
			t.Errorf("%s is not described", name)
		}
		_, open := s.operation(strings.TrimPrefix(name, rt.method+" "), rt.method)["security"]
		if open != (rt.scope == "") {
			t.Errorf("%s: described as open %v, scope is %q", name, open, rt.scope)
		}
		delete(described, name)
	}
	for name := range described {
		t.Errorf("%s is described and not routed", name)
	}
}

// The description must be able to refuse, or holding answers against it proves nothing.
func TestDescriptionRefuses(t *testing.T) {
	s := loadSpec(t)
	for schema, body := range map[string]string{
		"Accepted":     `{"id":"v_1","status":"accepted","extra":1}`,
		"LineResult":   `{"line":1,"status":"accepted"}`,
		"Problem":      `{"type":"/problems/x","title":"x","status":400,"code":"no_such","detail":"x","request_id":"x"}`,
		"Key":          `{"id":"k_1","key":"esk_1","scopes":["read"],"created_at":"2026-11-20T00:00:00Z","expires_at":null,"last_used_at":null}`,
		"Issue":        `{"id":"ISS-0"}`,
		"Webhook":      `{"id":"w_1","url":"https://x.example","events":["alert.fired"],"format":"standard","created_at":"2026-11-20T00:00:00Z","secret":"whsec_x","enabled":true,"version":1}`,
		"Event":        `{"at":"2026-11-20T00:00:00Z","by":"","action":"opened"}`,
		"Delivery":     `{"id":"msg_1","webhook":"w_1","type":"no.such","created_at":"2026-11-20T00:00:00Z","state":"pending","attempts":0,"next_at":null,"done_at":null}`,
		"SearchResult": `{"items":[{}],"total":1,"facets":{},"took_ms":1,"next_cursor":null}`,
	} {
		if err := s.valid(s.pointer("components", "schemas", schema), body); err == nil {
			t.Errorf("%s took %s", schema, body)
		}
	}
}

// The vocabularies are written in two places; here they are compared.
func TestVocabularies(t *testing.T) {
	s := loadSpec(t)
	enum := func(pointer ...string) []string {
		var at any = s.doc
		for _, p := range append([]string{"components", "schemas"}, pointer...) {
			at = at.(map[string]any)[p]
		}
		var out []string
		for _, v := range at.(map[string]any)["enum"].([]any) {
			out = append(out, v.(string))
		}
		return out
	}
	record := func(list, field string) []string {
		return enum("Record", "properties", list, "items", "properties", field)
	}
	codes := []string{}
	for code := range statuses {
		codes = append(codes, string(code))
	}
	inSpec := enum("Problem", "properties", "code")
	slices.Sort(codes)
	slices.Sort(inSpec)
	for _, test := range []struct {
		name      string
		got, want []string
	}{
		{"channels", enum("Channel"), earshot.Channels},
		{"speakers", enum("Speaker"), earshot.Speakers},
		{"emotions", record("emotions", "label"), earshot.Emotions},
		{"redactions", record("redactions", "type"), earshot.RedactionTypes},
		{"intents", enum("Intents", "items", "properties", "label"), earshot.Intents},
		{"frames", enum("Effort", "properties", "frames", "items", "properties", "frame"), earshot.Frames},
		{"flags", enum("Record", "properties", "flags", "items"), earshot.Flags},
		{"scopes", enum("Scopes", "items"), earshot.Scopes},
		{"codes", inSpec, codes},
		{"issue states", enum("IssueState"), earshot.IssueStates},
		{"alert states", enum("AlertState"), earshot.AlertStates},
		{"votes", enum("Alert", "properties", "votes", "propertyNames"), alert.Votes},
		{"event types", enum("EventTypes", "items"), earshot.EventTypes},
		{"delivery types", enum("Delivery", "properties", "type"), append(slices.Clone(earshot.EventTypes), "test")},
		{"delivery states", enum("DeliveryState"), []string{earshot.Pending, earshot.Delivered, earshot.Failed}},
		{"formats", enum("WebhookFormat"), earshot.WebhookFormats},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: described %v, are %v", test.name, test.got, test.want)
		}
	}
}

func TestOpenAPIServed(t *testing.T) {
	s := newService(t, Limits{})
	r := s.want(s.send("GET", "/openapi.json", "", ""), "200")
	var doc struct {
		OpenAPI string `json:"openapi"`
	}
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Errorf("got openapi %q, error %v", doc.OpenAPI, err)
	}
}
