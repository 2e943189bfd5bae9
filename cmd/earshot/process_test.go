package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// adminKey is set for every process under test.
const adminKey = "esk_test_0123456789abcdef0123456789abcdef"

// binaryDir is where binary builds to; "" until it does.
var binaryDir string

// binary builds the real program once.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if binaryDir, err = os.MkdirTemp("", "earshot-test"); err != nil {
		return "", err
	}
	path := filepath.Join(binaryDir, "earshot")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir)
	}
	os.Exit(code)
}

// A process is the real program serving a data folder.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	base string
	log  *bytes.Buffer
	done chan error
}

// start runs `earshot serve` on dir, with variables NAME=VALUE, and waits until it listens.
func start(t testing.TB, dir string, env ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, log: new(bytes.Buffer), done: make(chan error, 1)}
	p.cmd = exec.Command(path, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	p.cmd.Env = append(append(os.Environ(), "EARSHOT_ADMIN_KEY="+adminKey), env...)
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		in := bufio.NewScanner(stdout)
		for in.Scan() {
			if _, addr, ok := strings.Cut(in.Text(), "listening on "); ok {
				listening <- addr
			}
		}
		p.done <- p.cmd.Wait()
	}()
	select {
	case p.base = <-listening:
	case err := <-p.done:
		t.Fatalf("earshot ended before it listened: %v\n%s", err, p.log)
	case <-time.After(time.Minute):
		t.Fatal("earshot does not listen")
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// stop ends the process gracefully and expects it to succeed.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Fatalf("stop: %v\n%s", err, p.log)
		}
	case <-time.After(time.Minute):
		p.t.Fatal("earshot does not stop")
	}
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

func (p *process) do(method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequest(method, p.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return http.DefaultClient.Do(req)
}

// get decodes the answer to a request that must succeed.
func (p *process) get(method, path string, body, into any) {
	p.t.Helper()
	var in io.Reader
	contentType := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		in, contentType = bytes.NewReader(b), "application/json"
	}
	res, err := p.do(method, path, contentType, in)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if res.StatusCode >= 300 {
		p.t.Fatalf("%s %s: %s: %s", method, path, res.Status, b)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			p.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
}

// settle posts one more verbatim and waits for it: what was accepted before it
// in the live lane is searchable then.
func (p *process) settle() {
	p.t.Helper()
	var rec struct{ Segments []any }
	p.get("POST", "/v1/verbatims?wait=true&timeout=60s", map[string]any{"text": "settled", "fields": map[string]any{"run": "settle"}}, &rec)
	if rec.Segments == nil {
		p.t.Fatal("the index does not catch up within a minute")
	}
}

// find walks all pages of a search and gives the ids in their order.
func (p *process) find(q string) []string {
	p.t.Helper()
	var ids []string
	cursor := ""
	for {
		var page struct {
			Items []struct{ ID string }
			Total int
			Next  *string `json:"next_cursor"`
		}
		p.get("GET", "/v1/search?limit=200&q="+url.QueryEscape(q)+"&cursor="+url.QueryEscape(cursor), nil, &page)
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if page.Next == nil {
			if len(ids) != page.Total {
				p.t.Errorf("search %s: %d hits on all pages, total says %d", q, len(ids), page.Total)
			}
			return ids
		}
		cursor = *page.Next
	}
}
