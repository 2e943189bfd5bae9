package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the shell lines of the README as they are printed, against
// the real program, but for the address and where the program lies.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(readme), "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		if !strings.HasPrefix(block, "make ") {
			blocks = append(blocks, block)
		}
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := start(t, filepath.Join(dir, "data"))
	if err := os.WriteFile(filepath.Join(dir, "data", "admin.key"), []byte(adminKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stream, err := os.ReadFile("../../testdata/stream.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "testdata"), 0o700), os.WriteFile(filepath.Join(dir, "testdata", "stream.ndjson"), stream, 0o600)); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer("http://127.0.0.1:8080", p.base, "bin/earshot", path).Replace(strings.Join(blocks, "\n"))
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < 4+4+1+5+1+401 {
		t.Fatalf("%d lines of answers, want more than 415:\n%.4000s", len(lines), out)
	}
	signs := []string{"negative", "negative", "positive", "negative"}
	for i, line := range lines[:4] {
		var rec struct {
			Sentiment struct{ Label string }
			Effort    *struct{ Score float64 }
			Evidence  []struct{ Score, Text string }
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if rec.Sentiment.Label != signs[i] || len(rec.Evidence) == 0 || rec.Effort == nil || (rec.Effort.Score > 0) != (signs[i] == "negative") {
			t.Errorf("answer %d: sentiment %+v, effort %+v, %d pieces of evidence", i, rec.Sentiment, rec.Effort, len(rec.Evidence))
		}
	}
	for _, line := range lines[4:8] {
		var page struct {
			Total int
			Items []struct{ Marks []any }
		}
		if err := json.Unmarshal([]byte(line), &page); err != nil || page.Total != 1 || len(page.Items[0].Marks) == 0 {
			t.Errorf("a search of the README finds: %v %s", err, line)
		}
	}
	for i, want := range map[int]string{8: "esk_", 11: `"customers":3`, 12: `"secret":"whsec_`, 13: `"items":[]`, 14: `"negative"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("answer %d has no %s: %s", i, want, lines[i])
		}
	}
	if n := strings.Count(string(out), `{"alert":`); n != 1 {
		t.Errorf("the stream fires %d times, want once", n)
	}
}

// runIn runs the program in this process and gives its standard output.
func runIn(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out, errs strings.Builder
	err := run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return out.String(), err
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		name, stdin string
		args        []string
		status      int
		want        []string // parts of the output
	}{
		{"analyze echoes ids in order and a bad line in its place", `{"id":"x1","text":"ดีมาก"}` + "\n\n{\"text\":1}\n" + `{"id":"x2","text":"很差"}`, []string{"analyze"}, 1,
			[]string{`"id":"x1"`, `"line":3`, `"wrong_type"`, `"id":"x2"`}},
		{"tokens", `{"id":1,"text":"กินข้าวreceipt很好"}`, []string{"tokens"}, 0, []string{`"id":1`, `"text":"receipt"`}},
		{"sentences", `{"id":"s","text":"ช้ามาก. Why? 为什么？"}`, []string{"sentences"}, 0, []string{`"sentences":[{"start":0`}},
		{"redact", `{"id":"r","text":"โทร 081-234-5678"}`, []string{"redact"}, 0, []string{`[PHONE_1]`, `"type":"PHONE"`}},
		{"unknown command", "", []string{"analyse"}, 2, nil},
		{"unknown flag", "", []string{"serve", "--colour"}, 2, nil},
		{"no such file", "", []string{"analyze", "/no/such/file"}, 2, nil},
		{"bad scope", "", []string{"keys", "create", "--scopes", "all"}, 2, nil},
		{"version", "", []string{"version"}, 0, []string{"earshot "}},
		{"a good configuration", "", []string{"config", "check"}, 0, []string{"good"}},
		{"a bad configuration", "", []string{"config", "check", "--log-level", "loud"}, 2, nil},
		{"print", "", []string{"config", "print", "--listen", "127.0.0.1:9"}, 0, []string{"listen: 127.0.0.1:9", "EARSHOT_LIMITS_BODY_BYTES"}},
	} {
		out, err := runIn(t, c.stdin, c.args...)
		if status(err) != c.status {
			t.Errorf("%s: status %d (%v), want %d", c.name, status(err), err, c.status)
		}
		rest := out
		for _, part := range c.want {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%s: %q does not follow in %.600s", c.name, part, out)
			}
			rest = after
		}
	}
}

func TestConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "earshot.yaml")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Defaults < file < environment < flags.
	write("listen: 127.0.0.1:1\nlog:\n  level: warn\n  format: json\nlimits:\n  array_items: 7\n")
	t.Setenv("EARSHOT_CONFIG", file)
	t.Setenv("EARSHOT_LISTEN", "127.0.0.1:2")
	t.Setenv("EARSHOT_LOG_LEVEL", "error")
	out, err := runIn(t, "", "config", "print", "--listen", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen: 127.0.0.1:3 ", "level: error ", "format: json ", "array_items: 7 ", "line_bytes: 4194304 "} {
		if !strings.Contains(out, want) {
			t.Errorf("config print lacks %q:\n%s", want, out)
		}
	}
	// What it prints can be read back.
	write(out)
	if _, err := runIn(t, "", "config", "check"); err != nil {
		t.Errorf("what config print printed: %v", err)
	}
	write("listne: 127.0.0.1:1\n")
	if _, err := runIn(t, "", "config", "check"); status(err) != 2 || !strings.Contains(err.Error(), "listne") {
		t.Errorf("an unknown key in the file: %v", err)
	}
	write("")
	t.Setenv("EARSHOT_LISTNE", "x")
	if _, err := runIn(t, "", "config", "check"); status(err) != 2 || !strings.Contains(err.Error(), "EARSHOT_LISTNE") {
		t.Errorf("an unknown variable: %v", err)
	}
}

// TestKeysBesideService makes and revokes a key while the service runs.
func TestKeysBesideService(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	defer p.stop()
	if _, err := runIn(t, "", "serve", "--data", dir, "--listen", "127.0.0.1:0"); status(err) != 2 {
		t.Errorf("a second service on the same folder: %v", err)
	}
	out, err := runIn(t, "", "keys", "create", "--tenant", "shop", "--scopes", "ingest,read", "--data", dir)
	if err != nil || !strings.HasPrefix(out, "esk_") {
		t.Fatalf("keys create: %q, %v", out, err)
	}
	list, err := runIn(t, "", "keys", "list", "--tenant", "shop", "--data", dir)
	if err != nil || strings.Contains(list, strings.TrimSpace(out)) {
		t.Fatalf("keys list: %q, %v", list, err)
	}
	fields := strings.Fields(strings.Split(list, "\n")[1])
	if _, err := runIn(t, "", "keys", "revoke", fields[0], "--data", dir); err != nil {
		t.Errorf("keys revoke: %v", err)
	}
	if _, err := runIn(t, "", "keys", "revoke", fields[0], "--data", dir); status(err) != 1 {
		t.Errorf("revoked twice: %v", err)
	}
}
