package index_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/index/indextest"
	"github.com/earshot-cx/earshot/query"
)

const tenant = indextest.Tenant

// batches are what an index is filled with: three months, revisions and one that is gone.
func batches() []index.Batch {
	var all []index.Batch
	for i := range 6 {
		b := index.Batch{Seq: uint64(i + 1)}
		for j := range 20 {
			r := indextest.Record(fmt.Sprintf("r%d-%02d", i, j), fmt.Sprintf("word%d 退款%s三天 refund", j, strings.Repeat("了", i)))
			r.Verbatim.At = indextest.Day.AddDate(0, -(j % 3), -i)
			b.Put = append(b.Put, r)
		}
		all = append(all, b)
	}
	moved := indextest.Record("r0-00", "moved")
	moved.Verbatim.Revision, moved.Verbatim.At = 2, indextest.Day.AddDate(0, -2, 0)
	return append(all, index.Batch{Put: []*earshot.Record{moved}, Gone: []string{"r1-01"}, Seq: 7})
}

func fill(t *testing.T, ix index.Index, after uint64) {
	t.Helper()
	for _, b := range batches() {
		if b.Seq > after {
			if err := ix.Put(context.Background(), tenant, b); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// everything is what searches of all kinds answer.
func everything(t *testing.T, ix index.Index) []*index.Result {
	t.Helper()
	var all []*index.Result
	for _, n := range []query.Node{nil, query.Word{Text: "退款"}, query.Phrase{Text: "退款了了三天"}, query.Word{Text: "moved"}} {
		res, err := ix.Search(context.Background(), tenant, index.Request{Query: n, Limit: 500, Facets: []string{"channel"}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, res)
	}
	return all
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ix := open(t, dir)
	fill(t, ix, 0)
	want := everything(t, ix)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Search(context.Background(), tenant, index.Request{}); earshot.CodeOf(err) != earshot.Unavailable {
		t.Errorf("a closed index answers %v", err)
	}
	for range 2 {
		ix = open(t, dir)
		if seq, err := ix.Absorbed(context.Background(), tenant); seq != 7 || err != nil {
			t.Errorf("Absorbed: %d, %v; want 7", seq, err)
		}
		if diff := cmp.Diff(want, everything(t, ix)); diff != "" {
			t.Errorf("answers differ:\n%s", diff)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// An index that was not closed is copied while it is open, as a kill would leave it.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ix := open(t, dir)
	defer ix.Close()
	all := batches()
	for i, b := range all {
		if err := ix.Put(context.Background(), tenant, b); err != nil {
			t.Fatal(err)
		}
		again := open(t, copyOpen(t, dir))
		seq, err := again.Absorbed(context.Background(), tenant)
		if err != nil || seq > b.Seq {
			t.Errorf("after %d: Absorbed: %d, %v", b.Seq, seq, err)
		}
		for _, b := range all[seq : i+1] {
			if err := again.Put(context.Background(), tenant, b); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(everything(t, ix), everything(t, again)); diff != "" {
			t.Errorf("after %d, from %d: answers differ:\n%s", b.Seq, seq, diff)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// copyOpen copies a folder that is in use; a copy from under which a merged
// segment went away is made again.
func copyOpen(t *testing.T, dir string) string {
	t.Helper()
	var err error
	for range 100 {
		left := t.TempDir()
		if err = os.CopyFS(left, os.DirFS(dir)); err == nil {
			return left
		}
	}
	t.Fatal(err)
	return ""
}

// one gives a file of the tenant's folder.
func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, tenant, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return files[0]
}

func TestDamageFoundOnOpen(t *testing.T) {
	t.Parallel()
	cut := func(pattern string, part int64) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := one(t, dir, pattern)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()*part/100); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(pattern string, at int64) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := one(t, dir, pattern)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := at; i < at+64; i++ {
				b[i] ^= 0x55
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(pattern string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(one(t, dir, pattern)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(pattern, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(one(t, dir, pattern), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		harm  func(t *testing.T, dir string)
		aside int // folders in quarantine
	}{
		{"whole folder gone", func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, 0},
		{"month gone", remove("2026-10"), 1},
		{"segment gone", remove("2026-10/store/*.zap"), 1},
		{"segment cut short", cut("2026-11/store/*.zap", 60), 1},
		{"segment empty", cut("2026-11/store/*.zap", 0), 1},
		{"segment changed", flip("2026-09/store/*.zap", 200), 1},
		{"root.bolt gone", remove("2026-10/store/root.bolt"), 1},
		{"root.bolt cut short", cut("2026-10/store/root.bolt", 50), 1},
		{"root.bolt empty", cut("2026-10/store/root.bolt", 0), 1},
		{"root.bolt changed", flip("2026-10/store/root.bolt", 16), 1},
		{"meta cut short", cut("2026-11/index_meta.json", 50), 1},
		{"position gone", remove("position"), 1},
		{"position cut short", cut("position", 50), 1},
		{"other schema", write("position", `{"schema":0,"seq":7,"shards":["2026-10","2026-11","2026-09"]}`), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "index")
			ix := open(t, dir)
			fill(t, ix, 0)
			want := everything(t, ix)
			if err := ix.Close(); err != nil {
				t.Fatal(err)
			}
			tt.harm(t, dir)

			ix = open(t, dir)
			defer ix.Close()
			seq, err := ix.Absorbed(context.Background(), tenant)
			if seq != 0 || err != nil {
				t.Fatalf("Absorbed: %d, %v; want 0", seq, err)
			}
			aside, _ := filepath.Glob(filepath.Join(dir, "_quarantine", tenant+"-*"))
			if len(aside) != tt.aside {
				t.Errorf("%d folders in quarantine, want %d", len(aside), tt.aside)
			}
			fill(t, ix, seq)
			if diff := cmp.Diff(want, everything(t, ix)); diff != "" {
				t.Errorf("answers differ after it was built again:\n%s", diff)
			}
		})
	}
}

// What a killed process was about to write is no damage.
func TestLeftOvers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ix := open(t, dir)
	fill(t, ix, 0)
	want := everything(t, ix)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"2026-11/store/00000000ffff.zap", "position.new", ".new-2026-12/index_meta.json"} {
		path := filepath.Join(dir, tenant, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ix = open(t, dir)
	defer ix.Close()
	if seq, _ := ix.Absorbed(context.Background(), tenant); seq != 7 {
		t.Errorf("Absorbed: %d, want 7", seq)
	}
	if diff := cmp.Diff(want, everything(t, ix)); diff != "" {
		t.Errorf("answers differ:\n%s", diff)
	}
}

// A file that gets shorter while it is mapped is an error of the search that
// meets it, not the end of the process.
func TestCutWhileOpen(t *testing.T) {
	dir := t.TempDir()
	ix := open(t, dir)
	fill(t, ix, 0)
	want := everything(t, ix)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := make(chan string, 1)
	ix, err := index.Open(dir, indextest.Words{}, index.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnDamage: func(tenant string, _ error) { damaged <- tenant }})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	files, _ := filepath.Glob(filepath.Join(dir, tenant, "*/store/*.zap"))
	for _, path := range files {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err = ix.Search(context.Background(), tenant, index.Request{Query: query.Word{Text: "refund"}, Limit: 10})
	if earshot.CodeOf(err) != earshot.PartialIndex {
		t.Fatalf("got %v, want partial_index", err)
	}
	if name := <-damaged; name != tenant {
		t.Errorf("OnDamage: %q", name)
	}
	if err := ix.Reset(context.Background(), tenant); err != nil {
		t.Fatal(err)
	}
	fill(t, ix, 0)
	if diff := cmp.Diff(want, everything(t, ix)); diff != "" {
		t.Errorf("answers differ after it was built again:\n%s", diff)
	}
}

func TestQuarantineKeepsTwo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 4 {
		ix := open(t, dir)
		fill(t, ix, 6)
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, tenant, "position")); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir).Close()
	if aside, _ := filepath.Glob(filepath.Join(dir, "_quarantine", "*")); len(aside) != 2 {
		t.Errorf("%d folders in quarantine, want 2", len(aside))
	}
}

// A second process must not set aside what the first is using.
func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ix := open(t, dir)
	defer ix.Close()
	fill(t, ix, 0)
	second, err := index.Open(dir, indextest.Words{}, index.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err == nil {
		second.Close()
		t.Fatal("an index was opened twice")
	}
	everything(t, ix)
}
