package earshot

import "time"

// States of an issue. The tracker moves it through the first four; a person may
// mute or close it.
const (
	Emerging = "emerging" // new, or growing far beyond what is usual for it
	Active   = "active"   // spoken of, as usual
	Fading   = "fading"   // hardly spoken of any more
	Closed   = "closed"   // silent for long, or closed by a person
	Muted    = "muted"    // counted, and never alerting
)

// IssueStates are the states of an issue.
var IssueStates = []string{Emerging, Active, Fading, Closed, Muted}

// An Issue is a group of verbatims, by their problem-bearing segments, about
// the same thing. Its id is stable and never reused.
type Issue struct {
	ID         string              `json:"id"` // "ISS-12"
	State      string              `json:"state"`
	Title      string              `json:"title"`   // in the language most of it is in, or as a person named it
	Titles     map[string]string   `json:"titles"`  // by language
	Phrases    map[string][]string `json:"phrases"` // by language: what its verbatims have in common, best first
	Count      int                 `json:"count"`   // verbatims
	Customers  int                 `json:"customers"`
	FirstSeen  time.Time           `json:"first_seen"` // when it was first and last said
	LastSeen   time.Time           `json:"last_seen"`
	Growth     Growth              `json:"growth"`
	Sentiment  *float64            `json:"sentiment"` // means over the verbatims that have a score
	Effort     *float64            `json:"effort"`
	Langs      map[string]int      `json:"langs"`
	Channels   map[string]int      `json:"channels"`
	Series     Points              `json:"series"`
	Examples   []Example           `json:"examples"`
	History    []Event             `json:"history"`
	MergedInto *string             `json:"merged_into"`
	Version    int                 `json:"version"`
}

// Growth compares the last 24 hours of an issue with what was expected of them.
type Growth struct {
	Observed int     `json:"observed"`
	Expected float64 `json:"expected"`
	Ratio    float64 `json:"ratio"` // (Observed + 1) / (Expected + 1)
}

// Points are counts over time.
type Points struct {
	Interval string  `json:"interval"`
	Points   []Point `json:"points"`
}

// A Point is how many there were in the interval that begins at T.
type Point struct {
	T time.Time `json:"t"`
	N int       `json:"n"`
}

// An Example is a verbatim that shows what an issue is about.
type Example struct {
	ID   string `json:"id"`
	Lang string `json:"lang"`
	Text string `json:"text"` // of the segment
}

// An Event is something that happened to an issue or an alert.
type Event struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`     // "auto", "system", or the id of the key of a person
	Action string    `json:"action"` // "opened", "fired", …
	Note   string    `json:"note,omitempty"`
}
