package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
func lines(t *testing.T, file string) [][2]string {
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
