package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// texts that the load is made of; the numbers make every line different.
var loadTexts = []string{
	"โทรไป %d รอบแล้ว แอปก็ยังล็อกอินไม่ได้", "退款申请第%d次了还没到账，客服也不回复", "訂單編號第 %d 筆到現在都沒有出貨",
	"等咗%d日都未收到貨，客服完全唔覆", "waited %d minutes on hold and nobody answered the call",
}

// acked is what the service has acknowledged: external id → id.
type acked struct {
	mu  sync.Mutex
	ids map[string]string
}

// load posts NDJSON in one streamed request after another until the service is
// gone, and notes every line that was answered.
func (a *acked) load(p *process, worker, round int, first chan<- struct{}) {
	for n := 0; ; n++ {
		pr, pw := io.Pipe()
		go func() {
			for i := range 1000 {
				id := fmt.Sprintf("r%d-w%d-%d-%d", round, worker, n, i)
				text := fmt.Sprintf(loadTexts[i%len(loadTexts)], n*1000+i)
				line := fmt.Sprintf(`{"external_id":%q,"source":"load","text":%q,"fields":{"round":"%d"}}`+"\n", id, text, round)
				if _, err := io.WriteString(pw, line); err != nil {
					return
				}
			}
			_ = pw.Close()
		}()
		res, err := p.do("POST", "/v1/verbatims", "application/x-ndjson", pr)
		if err != nil {
			_ = pr.CloseWithError(err)
			return
		}
		in := bufio.NewScanner(res.Body)
		for in.Scan() {
			var answer struct {
				Status, ID string
				External   string `json:"external_id"`
			}
			if json.Unmarshal(in.Bytes(), &answer) != nil || answer.Status != "accepted" {
				continue // the last line may be torn, and the summary is none
			}
			a.mu.Lock()
			a.ids[answer.External] = answer.ID
			a.mu.Unlock()
			select {
			case first <- struct{}{}:
			default:
			}
		}
		_ = res.Body.Close()
		_ = pr.CloseWithError(io.ErrClosedPipe)
		if in.Err() != nil {
			return
		}
	}
}

// TestKill kills the real program at random moments while lines pour in, and
// looks for every line it had acknowledged: there, once, and found; and for every
// issue whether it counts what its search finds.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	all := map[string]string{}
	for round := range 5 {
		p := start(t, dir)
		a := acked{ids: map[string]string{}}
		first := make(chan struct{}, 1)
		var load sync.WaitGroup
		for worker := range 3 {
			load.Add(1)
			go func() { defer load.Done(); a.load(p, worker, round, first) }()
		}
		select {
		case <-first:
		case <-time.After(time.Minute):
			t.Fatal("no line is acknowledged")
		}
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		p.kill()
		load.Wait()

		p = start(t, dir)
		p.settle()
		found := p.find(fmt.Sprintf("field.round:%d", round))
		once := map[string]int{}
		for _, id := range found {
			once[id]++
		}
		for external, id := range a.ids {
			if once[id] != 1 {
				t.Errorf("round %d: %s was acknowledged as %s and is found %d times", round, external, id, once[id])
			}
		}
		t.Logf("round %d: %d acknowledged, %d found", round, len(a.ids), len(found))
		if p.counts() == 0 {
			t.Errorf("round %d: there are no issues", round)
		}
		maps.Copy(all, a.ids)
		p.again(a.ids)
		p.stop()
	}

	// The index is derived: without it, or with a damaged one, the answers are the same.
	p := start(t, dir)
	p.settle()
	queries := []string{"source:load", "退款", "รอบ", "minutes", `"客服也不回复"`, "effort:>=0.5"}
	want := map[string][]string{}
	for _, q := range queries {
		want[q] = slices.Sorted(slices.Values(p.find(q)))
	}
	if len(want["source:load"]) < len(all) {
		t.Errorf("%d found, %d were acknowledged", len(want["source:load"]), len(all))
	}
	for _, damage := range []struct {
		name string
		do   func(string) error
	}{
		{"no index", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "index")) }},
		{"a cut .zap", cutZap},
	} {
		p.stop()
		if err := damage.do(dir); err != nil {
			t.Fatalf("%s: %v", damage.name, err)
		}
		p = start(t, dir)
		p.settle()
		for _, q := range queries {
			got := slices.Sorted(slices.Values(p.find(q)))
			if diff := cmp.Diff(want[q], got); diff != "" {
				t.Errorf("%s: search %s differs (-want +got):\n%.1000s", damage.name, q, diff)
			}
		}
		p.counts()
	}
	p.stop()
}

// again posts some of what was acknowledged once more: all duplicates.
func (p *process) again(ids map[string]string) {
	p.t.Helper()
	for external, id := range ids {
		parts := strings.Split(external, "-")
		var n, i int
		if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "%d %d", &n, &i); err != nil {
			p.t.Fatal(err)
		}
		text := fmt.Sprintf(loadTexts[i%len(loadTexts)], n*1000+i)
		var answer struct{ Status, ID string }
		p.get("POST", "/v1/verbatims", map[string]any{"external_id": external, "source": "load", "text": text,
			"fields": map[string]any{"round": strings.TrimPrefix(parts[0], "r")}}, &answer)
		if answer.Status != "duplicate" || answer.ID != id {
			p.t.Errorf("%s sent again: %+v, want a duplicate of %s", external, answer, id)
		}
		if n > 0 || i > 20 {
			return
		}
	}
}

// cutZap cuts the largest segment file of the index to half its length.
func cutZap(dir string) error {
	var largest string
	var size int64
	err := filepath.WalkDir(filepath.Join(dir, "index"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".zap" {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	})
	if err == nil && largest == "" {
		err = fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	return os.Truncate(largest, size/2)
}
