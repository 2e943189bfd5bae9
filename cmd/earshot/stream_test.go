package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var update = flag.Bool("update", false, "write the files that are made from others")

// streams is what a stream is composed of: testdata/streams/README.md.
const streams = "../../testdata/streams"

// A post is one line of a stream.
type post struct {
	ExternalID string    `json:"external_id"`
	Source     string    `json:"source"`
	Channel    string    `json:"channel"`
	At         time.Time `json:"at"`
	Text       string    `json:"text"`
	Customer   string    `json:"customer"`

	spike bool
}

// composed is the day on which a composed stream ends.
var composed = time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)

// compose makes a stream of 400 posts in 14 days that end at composed: single
// troubles all the time, a promotion that is talked of more and more for three
// days, and in the last hour one trouble of many people.
func compose(t *testing.T, seed uint64, spike string) []post {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 14))
	var posts []post
	add := func(channel, text string, ago time.Duration, spike bool) {
		posts = append(posts, post{Channel: channel, Text: text, At: composed.Add(-ago).Truncate(time.Second), spike: spike})
	}
	upTo := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	const days = 24 * time.Hour

	trouble := lines(t, "spike-"+spike+".txt")
	for _, l := range trouble {
		add(l[0], l[1], upTo(time.Hour), true)
	}
	var talk [][2]string
	for _, lang := range []string{"en", "th", "zh-Hans", "zh-Hant", "yue"} {
		talk = append(talk, lines(t, "promo-"+lang+".txt")...)
	}
	for _, l := range talk {
		// the square makes it more towards the end
		far := rng.Float64()
		add(l[0], l[1], time.Duration(far*far*float64(3*days)), false)
	}
	body, err := os.ReadFile(filepath.Join(streams, "background.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var background [][2]string
	for line := range strings.Lines(string(body)) {
		var b struct{ Channel, Text string }
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatal(err)
		}
		background = append(background, [2]string{b.Channel, b.Text})
	}
	rng.Shuffle(len(background), func(i, j int) { background[i], background[j] = background[j], background[i] })
	for _, l := range background[:400-len(posts)] {
		ago := upTo(14 * days)
		if h := composed.Add(-ago).Hour(); h >= 17 && rng.IntN(4) > 0 { // the night in Asia
			ago = upTo(14 * days)
		}
		add(l[0], l[1], ago, false)
	}
	slices.SortStableFunc(posts, func(a, b post) int { return a.At.Compare(b.At) })
	for i := range posts {
		p := &posts[i]
		p.ExternalID, p.Source, p.Customer = fmt.Sprintf("s%d-%03d", seed, i), "stream", fmt.Sprintf("c-%d-%d", seed, i)
		if !p.spike && rng.IntN(5) == 0 { // some come back
			p.Customer = fmt.Sprintf("c-%d-%d", seed, rng.IntN(i+1))
		}
	}
	return posts
}

// lines reads channel and text of each line of a file.
func lines(t testing.TB, file string) [][2]string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(streams, file))
	if err != nil {
		t.Fatal(err)
	}
	var all [][2]string
	for line := range strings.Lines(string(body)) {
		channel, text, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			t.Fatalf("%s: %q has no tab", file, line)
		}
		all = append(all, [2]string{channel, text})
	}
	return all
}

func ndjson(t *testing.T, posts []post) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, p := range posts {
		if err := enc.Encode(p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestStream: testdata/stream.ndjson is what its parts give.
func TestStream(t *testing.T) {
	const file = "../../testdata/stream.ndjson"
	made := ndjson(t, compose(t, 1, "th"))
	if *update {
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(kept), string(made)); d != "" {
		t.Errorf("testdata/stream.ndjson is not what its parts give (-kept +made):\n%s", d)
	}
	if n := bytes.Count(kept, []byte("\n")); n != 400 {
		t.Errorf("%d posts, want 400", n)
	}
}

// A receiver is where a webhook goes. It keeps what it was told.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []told
	news chan struct{} // holds one signal
}

type told struct {
	at     time.Time
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{news: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, told{time.Now(), req.Header, body})
		select {
		case r.news <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// hook makes a webhook that goes to the receiver, and gives its secret.
func (p *process) hook(r *receiver, events ...string) (secret string) {
	p.t.Helper()
	var w struct{ Secret string }
	p.get("POST", "/v1/webhooks", map[string]any{"url": r.URL, "events": events}, &w)
	return w.Secret
}

// TestSpike posts a stream to the real program, moved so that its last post is
// said now, and waits for the webhook: exactly one, signed, about the trouble.
// testdata/streams/README.md says which wordings the code was looked at with.
func TestSpike(t *testing.T) {
	for seed, lang := range []string{"th", "en", "zh-Hans", "yue", "fresh-th", "fresh-en", "fresh-zh-Hans"} {
		t.Run(lang, func(t *testing.T) {
			posts := compose(t, uint64(seed+1), lang)
			shift := time.Since(composed)
			spike := map[string]bool{}
			for i := range posts {
				posts[i].At = posts[i].At.Add(shift)
				spike[posts[i].ExternalID] = posts[i].spike
			}
			r := newReceiver(t)
			p := start(t, t.TempDir(), "EARSHOT_WEBHOOK_ALLOW_PRIVATE=true")
			secret := p.hook(r, "alert.fired")
			begun := time.Now()
			res, err := p.do("POST", "/v1/verbatims", "application/x-ndjson", bytes.NewReader(ndjson(t, posts)))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(res.Body)
			if err != nil || !bytes.Contains(answer, []byte(`"accepted":400`)) {
				t.Fatalf("posted: %v\n%.500s", err, answer)
			}
			select {
			case <-r.news:
				t.Logf("told %v after the post began", time.Since(begun).Round(time.Millisecond))
			case <-time.After(time.Minute):
				t.Fatal("nobody is told within a minute")
			}
			p.settle()
			var list struct {
				Items []struct {
					ID, State, Reason string
					Subject           struct{ ID, Title string }
					Examples          []string
				}
			}
			p.get("GET", "/v1/alerts", nil, &list)
			if len(list.Items) != 1 || list.Items[0].State != "firing" {
				t.Fatalf("alerts %+v, want one that fires", list.Items)
			}
			a := list.Items[0]
			t.Logf("%s %q: %s", a.ID, a.Subject.Title, a.Reason)
			in := 0
			for _, id := range a.Examples {
				var v struct {
					External string `json:"external_id"`
				}
				p.get("GET", "/v1/verbatims/"+id, nil, &v)
				if spike[v.External] {
					in++
				}
			}
			if in*2 <= len(a.Examples) {
				t.Errorf("%d of the %d examples are of the spike", in, len(a.Examples))
			}
			time.Sleep(2 * time.Second) // would a second one come?
			got := r.all()
			if len(got) != 1 {
				t.Fatalf("told %d times, want once", len(got))
			}
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := wh.Verify(got[0].body, got[0].header); err != nil {
				t.Errorf("signature: %v", err)
			}
			p.counts()
			p.stop()
		})
	}
}

// counts holds the count of every issue against what issue:ID finds.
func (p *process) counts() (checked int) {
	p.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID    string
				Count int
			}
			Next *string `json:"next_cursor"`
		}
		p.get("GET", "/v1/issues?min_customers=1&limit=200&state=emerging,active,fading,closed,muted&cursor="+url.QueryEscape(cursor), nil, &page)
		for _, i := range page.Items {
			var found struct{ Total int }
			p.get("GET", "/v1/search?limit=1&q=issue:"+i.ID, nil, &found)
			if found.Total != i.Count {
				p.t.Errorf("%s counts %d, %d are found", i.ID, i.Count, found.Total)
			}
			checked++
		}
		if page.Next == nil {
			return checked
		}
		cursor = *page.Next
	}
}

// duringImport posts many rows of long ago, and while they are worked on a
// spike of today. It says how long after the last post of the spike was
// acknowledged the webhook came.
func duringImport(t testing.TB, rows int) time.Duration {
	r := newReceiver(t)
	p := start(t, t.TempDir(), "EARSHOT_WEBHOOK_ALLOW_PRIVATE=true")
	p.hook(r, "alert.fired")
	var old bytes.Buffer
	long := time.Now().Add(-60 * 24 * time.Hour)
	for i := range rows {
		fmt.Fprintf(&old, `{"external_id":"old-%07d","source":"import","at":%q,"text":%q,"customer":"o-%d"}`+"\n", i,
			long.Add(time.Duration(i)*time.Second).Format(time.RFC3339), benchText(i), i%9973)
	}
	res, err := p.do("POST", "/v1/verbatims", "application/x-ndjson", &old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	for i, l := range lines(t, "spike-zh-Hant.txt") {
		p.get("POST", "/v1/verbatims", map[string]any{"external_id": fmt.Sprint("spike-", i), "text": l[1], "customer": fmt.Sprint("s-", i)}, nil)
	}
	acked := time.Now()
	select {
	case <-r.news:
	case <-time.After(time.Minute):
		t.Fatal("nobody is told within a minute")
	}
	waited := time.Since(acked)
	var found struct{ Total int }
	p.get("GET", "/v1/search?q=source:import&limit=1", nil, &found)
	t.Logf("told %v after the last post, with %d of %d rows imported", waited.Round(time.Millisecond), found.Total, rows)
	if found.Total == rows {
		t.Log("the import was over by then")
	}
	p.stop()
	if n := len(r.all()); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
	return waited
}

// TestSpikeDuringImport: an import delays no alert.
func TestSpikeDuringImport(t *testing.T) {
	duringImport(t, 10_000)
}

// BenchmarkSpikeDuringImport is the same with 100,000 rows.
func BenchmarkSpikeDuringImport(b *testing.B) {
	for range b.N {
		b.ReportMetric(float64(duringImport(b, 100_000).Milliseconds()), "told-after-ms")
	}
}

// TestStopWithStreams: ten who listen do not hold up the end of the program.
func TestStopWithStreams(t *testing.T) {
	p := start(t, t.TempDir())
	for range 10 {
		res, err := p.do("GET", "/v1/stream", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("stream: %s", res.Status)
		}
	}
	begun := time.Now()
	p.stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}
