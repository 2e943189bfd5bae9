package issues

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/series"
)

var (
	update = flag.Bool("update", false, "write the files that are made from data")
	data   = flag.String("data", "", "folder of data sets; without it nothing that needs them is run")
)

var reader = sync.OnceValues(func() (*Reader, error) {
	p, err := nlp.New()
	if err != nil {
		return nil, err
	}
	return NewReader(p)
})

func newReader(t testing.TB) *Reader {
	t.Helper()
	r, err := reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A line of the data sets.
type line struct{ ID, Text, Label, Issue, Lang string }

// read reads a compressed NDJSON file below -data.
func read(t testing.TB, path ...string) []line {
	t.Helper()
	if *data == "" {
		t.Skip("needs -data")
	}
	f, err := os.Open(filepath.Join(append([]string{*data}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for d := json.NewDecoder(z); ; {
		var l line
		if err := d.Decode(&l); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

var langs = []string{"en", "th", "zh-Hans", "zh-Hant", "yue"}

// TestUsual makes models/usual.txt of our own texts:
//
//	go test ./issues -run TestUsual -data DIR -update
func TestUsual(t *testing.T) {
	r := newReader(t)
	texts := map[string]int{}
	counts := map[string]map[string]int{}
	for _, lang := range langs {
		f := family(lang)
		if counts[f] == nil {
			counts[f] = map[string]int{}
		}
		for _, l := range read(t, "authored", lang, "train.jsonl.gz") {
			texts[f]++
			for _, term := range r.terms(nil, l.Text, r.nlp.Tokens(l.Text)) {
				counts[f][term]++
			}
		}
	}
	var b bytes.Buffer
	b.WriteString("# earshot-usual 1\n")
	for _, f := range families {
		if texts[f] == 0 {
			continue
		}
		fmt.Fprintf(&b, "= %s %d\n", f, texts[f])
		var terms []string
		for term, n := range counts[f] {
			if n >= 3 {
				terms = append(terms, term)
			}
		}
		slices.SortFunc(terms, func(x, y string) int {
			return cmp.Or(cmp.Compare(counts[f][y], counts[f][x]), cmp.Compare(x, y))
		})
		for _, term := range terms {
			fmt.Fprintf(&b, "%s\t%d\n", term, counts[f][term])
		}
	}
	const file = "../models/usual.txt"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("sha256 %x", sha256.Sum256(b.Bytes()))
		return
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, b.Bytes()) {
		t.Errorf("models/usual.txt is not what the texts give now: %v", err)
	}
}

// cluster puts texts through a tracker in their order, a second apart, and
// gives the issue of each at the end; 0 is none.
func cluster(t testing.TB, texts []line, tick int) []int64 {
	t.Helper()
	r := newReader(t)
	tr := NewTracker(r, series.Set{})
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	got := make([]int64, len(texts))
	for i, l := range texts {
		at = at.Add(time.Second)
		m := Mention{Span: earshot.Span{End: len(l.Text)}, Lang: l.Lang, Terms: r.terms(nil, l.Text, r.nlp.Tokens(l.Text)), Troubled: true, Bears: true, Opens: true}
		s := &Said{Value: series.Value{At: at, Person: uint64(i) + 1, Channel: "chat"}, Verbatim: l.ID, Lang: l.Lang}
		if len(m.Terms) == 0 {
			got[i] = -int64(i) - 1
			continue
		}
		refs, _ := tr.Place(s, l.Text, []Mention{m}, nil, at)
		for _, ref := range refs {
			got[i], _ = NumberOf(ref.ID)
		}
		if i%tick == tick-1 {
			tr.Tick(at)
		}
	}
	for i := range got {
		got[i] = tr.Current(got[i])
	}
	return got
}

// A grade says how well clusters meet topics.
type grade struct {
	nmi, ari, perTopic   float64 // NMI with the arithmetic mean; clusters for each true topic
	precision, recall, f float64 // of pairs
	clusters, topics     int
}

func gradeOf(truth []string, got []int64) grade {
	n := float64(len(got))
	topics, clusters, both := map[string]float64{}, map[int64]float64{}, map[string]float64{}
	for i := range got {
		topics[truth[i]]++
		clusters[got[i]]++
		both[fmt.Sprint(truth[i], "\x00", got[i])]++
	}
	hT, pT := entropyAndPairs(topics, n)
	hC, pC := entropyAndPairs(clusters, n)
	hB, pB := entropyAndPairs(both, n)
	expected := pT * pC / (n * (n - 1) / 2)
	g := grade{nmi: 2 * (hT + hC - hB) / (hT + hC), ari: (pB - expected) / ((pT+pC)/2 - expected),
		clusters: len(clusters), topics: len(topics), perTopic: float64(len(clusters)) / float64(len(topics))}
	if pC > 0 {
		g.precision = pB / pC
	}
	g.recall = pB / pT
	if g.precision+g.recall > 0 {
		g.f = 2 * g.precision * g.recall / (g.precision + g.recall)
	}
	return g
}

func entropyAndPairs[K comparable](counts map[K]float64, n float64) (h, pairs float64) {
	all := make([]float64, 0, len(counts))
	for _, c := range counts {
		all = append(all, c)
	}
	slices.Sort(all) // one order of addition
	for _, c := range all {
		h -= c / n * math.Log(c/n)
		pairs += c * (c - 1) / 2
	}
	return h, pairs
}

// dev says whether an issue id of the authored texts is of the half that is reported.
func dev(issue string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(issue))
	return h.Sum32()%2 == 1
}

// TestIssues is `make eval-issues`: tweets in stream order, and our own
// paraphrases, which share few words on purpose.
func TestIssues(t *testing.T) {
	var out bytes.Buffer
	tweets := read(t, "clustering", "mstream-tweets", "stream.jsonl.gz")
	truth := make([]string, len(tweets))
	for i, l := range tweets {
		truth[i] = l.Label
	}
	begun := time.Now()
	g := gradeOf(truth, cluster(t, tweets, 500))
	t.Logf("%d tweets in %v", len(tweets), time.Since(begun).Round(time.Millisecond))
	fmt.Fprintf(&out, "mstream-tweets  NMI %.3f  ARI %.3f  clusters per topic %.2f (%d / %d)  pair F1 %.3f\n", g.nmi, g.ari, g.perTopic, g.clusters, g.topics, g.f)
	for _, lang := range langs {
		var texts []line
		for _, file := range []string{"issues.jsonl.gz", "issues2.jsonl.gz"} {
			for _, l := range read(t, "authored", lang, file) {
				if dev(l.Issue) {
					texts = append(texts, l)
				}
			}
		}
		rng := rand.New(rand.NewPCG(1, 2))
		rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		truth := make([]string, len(texts))
		for i, l := range texts {
			truth[i] = l.Issue
		}
		g := gradeOf(truth, cluster(t, texts, 50))
		fmt.Fprintf(&out, "authored %-8s pairs: precision %.3f  recall %.3f  F1 %.3f  (%d texts of %d issues in %d clusters)\n", lang, g.precision, g.recall, g.f, len(texts), g.topics, g.clusters)
	}
	t.Log("\n" + out.String())
	const golden = "../testdata/quality/issues.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
