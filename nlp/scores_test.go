package nlp

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestScores runs the texts of testdata/nlp/scores-*.txt, which were written by
// people who had not read the rules, and compares how many come out right with
// testdata/quality/scores.txt. A change of a list or a weight shows there; what
// comes out wrong is printed with -v.
func TestScores(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/nlp/scores-*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no texts", err)
	}
	var got strings.Builder
	fmt.Fprintln(&got, "# right of all: baseline scores on testdata/nlp/scores-*.txt (go test ./nlp -run TestScores -update)")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var right, all [4]int
		kinds := []string{"sentiment", "effort", "frames", "intents"}
		for _, block := range strings.Split("\n"+string(data), "\n-- ")[1:] {
			want := map[string]string{}
			for line := range strings.Lines(block) {
				if key, value, ok := strings.Cut(line, ":"); ok {
					value, _, _ = strings.Cut(value, "   (")
					want[key] = strings.TrimSpace(value)
				}
			}
			a := p.Analyze(&earshot.Verbatim{Turns: []earshot.Turn{{Speaker: "customer", Text: want["text"]}}})
			for k, verdict := range verdicts(a, want) {
				if verdict == "" {
					continue
				}
				all[k]++
				if verdict == "right" {
					right[k]++
				} else {
					t.Logf("%s %s: %s\n\t%s", filepath.Base(file), kinds[k], verdict, want["text"])
				}
			}
		}
		fmt.Fprintf(&got, "%-18s", strings.TrimSuffix(filepath.Base(file), ".txt"))
		for k, kind := range kinds {
			fmt.Fprintf(&got, "  %s %d/%d", kind, right[k], all[k])
		}
		fmt.Fprintln(&got)
	}
	golden := "../testdata/quality/scores.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wanted, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(wanted), got.String()); diff != "" {
		t.Errorf("quality changed (-golden +got); argue it and write it with -update:\n%s", diff)
	}
}

// verdicts says of sentiment, effort, frames and intents "right", what is wrong, or "" where nothing is wanted.
func verdicts(a *earshot.Analysis, want map[string]string) (v [4]string) {
	say := func(k int, ok bool, format string, args ...any) {
		if v[k] = "right"; !ok {
			v[k] = fmt.Sprintf(format, args...)
		}
	}
	if x := want["sentiment"]; x != "" && a.Sentiment != nil {
		say(0, a.Sentiment.Label == x, "%s (%v), want %s", a.Sentiment.Label, a.Sentiment.Score, x)
	}
	effort := "none"
	var frames []string
	if a.Effort != nil {
		effort = "easy"
		if a.Effort.Score > 0 {
			effort = "hard"
		}
		for _, f := range a.Effort.Frames {
			frames = append(frames, f.Frame)
		}
	}
	if x := want["effort"]; x != "" {
		say(1, effort == x, "%s, want %s", effort, x)
	}
	if x := want["frames"]; x != "" {
		say(2, includes(frames, x), "%v, want %s", frames, x)
	}
	var intents []string
	for _, l := range a.Intents {
		intents = append(intents, l.Label)
	}
	if x := want["intents"]; x != "" {
		say(3, includes(intents, x), "%v, want %s", intents, x)
	}
	if x := want["not-intents"]; x != "" && (v[3] == "" || v[3] == "right") {
		for _, label := range strings.Split(x, ",") {
			if slices.Contains(intents, strings.TrimSpace(label)) {
				say(3, false, "%v, do not want %s", intents, x)
				return v
			}
		}
		say(3, true, "")
	}
	return v
}

func includes(have []string, list string) bool {
	for _, x := range strings.Split(list, ",") {
		if !slices.Contains(have, strings.TrimSpace(x)) {
			return false
		}
	}
	return true
}
