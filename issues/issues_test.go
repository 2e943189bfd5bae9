package issues

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// A desk is where customers speak: texts are analysed and placed as the engine
// does it, a minute apart, on a clock of its own.
type desk struct {
	t       testing.TB
	reader  *Reader
	set     series.Set
	changes series.Changes
	*Tracker
	now  time.Time
	said int
}

var opening = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, reader: newReader(t), set: series.Set{}, now: opening}
	d.Tracker = NewTracker(d.reader, d.set)
	return d
}

// pass lets time go by, with the ticks that the engine makes.
func (d *desk) pass(by time.Duration) {
	end := d.now.Add(by)
	for next := d.now.Truncate(series.Step).Add(series.Step); !next.After(end); next = next.Add(series.Step) {
		if end.Sub(next) > 24*time.Hour {
			next = next.Truncate(time.Hour).Add(time.Hour)
		}
		d.Tick(next)
	}
	d.now = end
}

// A comment is one verbatim, with what was decided about it.
type comment struct {
	earshot.Record
	said     *Said
	mentions []Mention
	placed   []Placed
}

// comment analyses a verbatim of one turn or more: "agent: …" is what an agent says.
func (d *desk) comment(who string, turns ...string) *comment {
	d.said++
	c := &comment{}
	v := &c.Verbatim
	v.ID, v.At, v.Channel, v.Source = fmt.Sprintf("v_%05d", d.said), d.now, "chat", "test"
	if v.Author = who; strings.HasPrefix(who, "customer") {
		v.Author, v.Customer = "", who
	}
	for _, text := range turns {
		speaker := "customer"
		for _, s := range []string{"agent", "bot"} {
			if rest, ok := strings.CutPrefix(text, s+": "); ok {
				speaker, text = s, rest
			}
		}
		v.Turns = append(v.Turns, earshot.Turn{Speaker: speaker, Text: text})
	}
	c.Analysis = d.reader.nlp.Analyze(v)
	c.mentions = d.reader.Mentions(&c.Record)
	h := fnv.New64a()
	_, _ = h.Write([]byte(v.Person()))
	c.said = &Said{Value: series.Value{At: v.At, Person: h.Sum64(), Channel: v.Channel}, Verbatim: v.ID, Lang: c.Analysis.Lang, Live: true, Customer: v.Customer != ""}
	if s := c.Analysis.Sentiment; s != nil {
		c.said.Sentiment = &s.Score
	}
	if e := c.Analysis.Effort; e != nil {
		c.said.Effort = &e.Score
	}
	return c
}

// place puts a comment into issues and counts it there.
func (d *desk) place(c *comment) *comment {
	c.Issues, c.placed = d.Place(c.said, c.Verbatim.Text(), c.mentions, nil, d.now)
	for _, n := range c.numbers() {
		d.changes.Add(series.Issue(n), c.said.Value)
	}
	return c
}

func (c *comment) numbers() []int64 {
	var numbers []int64
	for _, r := range c.Issues {
		n, _ := NumberOf(r.ID)
		numbers = append(numbers, n)
	}
	return numbers
}

// say is what somebody says a minute later.
func (d *desk) say(who string, turns ...string) *comment {
	d.pass(time.Minute)
	return d.place(d.comment(who, turns...))
}

// remove takes a comment out as it was put in.
func (d *desk) remove(c *comment) {
	for _, n := range c.numbers() {
		d.changes.Remove(series.Issue(n), c.said.Value)
	}
	d.Remove(c.said, c.numbers(), c.placed, d.now)
}

// of gives the issues that a comment is in now.
func (d *desk) of(c *comment) []int64 {
	var now []int64
	for _, n := range c.numbers() {
		now = append(now, d.Current(n))
	}
	return now
}

// opened gives the issues that were opened.
func (d *desk) opened() []*Issue {
	var list []*Issue
	for _, i := range d.All() {
		if i.Opened {
			list = append(list, i)
		}
	}
	return list
}

// A block of a text archive begins with "-- NAME --".
type block struct {
	name  string
	parts map[string][]string // by the part's name; "" is before the first
}

// archive reads the blocks of a file below testdata. Where parts are named, a
// name of one of them does not begin a block.
func archive(t testing.TB, file string, parts ...string) []*block {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var blocks []*block
	part := ""
next:
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		name, ok := strings.CutPrefix(line, "-- ")
		name, ends := strings.CutSuffix(name, " --")
		if ok && ends {
			for _, p := range parts {
				if name == p {
					part = p
					continue next
				}
			}
			part = ""
			blocks = append(blocks, &block{name: name, parts: map[string][]string{}})
			continue
		}
		if len(blocks) == 0 || line == "" {
			continue
		}
		b := blocks[len(blocks)-1]
		b.parts[part] = append(b.parts[part], line)
	}
	return blocks
}

// report fails the test with what is wrong.
func report(t *testing.T, wrong []string) {
	t.Helper()
	if len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
}

// TestGroups: paraphrases of one trouble meet, other troubles stay apart, and
// what is no trouble opens nothing.
func TestGroups(t *testing.T) {
	for _, b := range archive(t, "groups.txt") {
		t.Run(b.name, func(t *testing.T) {
			d := newDesk(t)
			var letters []string
			var said []*comment
			for i, line := range b.parts[""] {
				letter, text, _ := strings.Cut(line, " ")
				letters = append(letters, letter)
				said = append(said, d.say(fmt.Sprint("person ", i), text))
			}
			d.pass(time.Hour)
			report(t, d.grade(letters, said))
		})
	}
}

// grade says what is wrong with where texts are: the first one of a letter says
// where those of it belong.
func (d *desk) grade(letters []string, said []*comment) (wrong []string) {
	home := map[string]int64{}
	owner := map[int64]string{}
	for i, letter := range letters {
		if letter == "." || len(said[i].Issues) != 1 || home[letter] != 0 {
			continue
		}
		n := d.of(said[i])[0]
		home[letter] = n
		if owner[n] != "" {
			wrong = append(wrong, fmt.Sprintf("%s and %s are one issue, %s", owner[n], letter, IDOf(n)))
		}
		owner[n] = letter
		if !d.Get(n).Opened {
			wrong = append(wrong, fmt.Sprintf("the issue of %s is not opened", letter))
		}
	}
	for i, letter := range letters {
		in := d.of(said[i])
		text := said[i].Verbatim.Text()
		switch {
		case letter == ".":
			for _, n := range in {
				if d.Get(n).Opened {
					wrong = append(wrong, fmt.Sprintf("%q is in the opened issue %s of %q", text, IDOf(n), owner[n]))
				}
			}
		case len(in) != 1 || in[0] != home[letter]:
			wrong = append(wrong, fmt.Sprintf("%s %q is in %v, want %d (terms %q)", letter, text, in, home[letter], said[i].terms()))
		}
	}
	if n := len(d.opened()); n > len(home) {
		wrong = append(wrong, fmt.Sprintf("%d issues were opened, want %d", n, len(home)))
	}
	return wrong
}

func (c *comment) terms() []string {
	var terms []string
	for _, m := range c.mentions {
		terms = append(terms, m.Terms...)
	}
	return terms
}
