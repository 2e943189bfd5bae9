// Package alert decides when a subject (for now: an issue) is spoken of far
// more than usual, and leads the incident that follows from its first moment
// to its last. It is pure: no clock, no I/O, no goroutines; the same input
// gives the same output. docs/alerts.md says what it promises and how well
// that is kept.
//
// The caller keeps a [Track] for each subject and a [Season] for the tenant.
// [NewBaseline] makes of the two what is expected (at most once an hour),
// [Judge] holds what was counted against it, and [Memory.Opens], [Open],
// [Look] and [Command] turn verdicts and people's commands into one
// earshot.Alert for each incident.
package alert

import (
	"fmt"
	"math"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// An Hour is how many verbatims were said in one hour.
type Hour = series.Hour

// A Track is what is known of one subject's series.
type Track struct {
	Born  time.Time `json:"born"`  // event time at which the subject was first heard of
	Hours []Hour    `json:"hours"` // ascending by H, zeros left out; what is older than 8 weeks is not read
}

// A Count is one trailing window as it was counted, in buckets of 5 minutes of
// which the last is still filling.
type Count struct {
	Window earshot.Window
	N      int // verbatims
	People int // distinct people among them
}

// A Sensitivity says how many false incidents a tenant puts up with.
type Sensitivity string

// Sensitivities; anything else is Normal. What each costs is in
// testdata/quality/alerts.txt.
const (
	Low    Sensitivity = "low"
	Normal Sensitivity = "normal"
	High   Sensitivity = "high"
)

// A Verdict is what Judge thinks of a subject at one moment.
type Verdict struct {
	Fired    bool
	Calm     bool           // no window is above the clear level
	Detector string         // "sudden" or "newborn"
	Window   earshot.Window // the one that stands out most; zero if none was worth a look
	Observed int            // verbatims in Window
	People   int            // distinct people in Window
	Expected float64        // verbatims in Window
	Ratio    float64        // Observed / max(Expected, 1)
	Tail     float64        // probability of as many or more; it sorts, and says nothing in itself
}

// Detectors.
const (
	Sudden  = "sudden"  // more than this subject has at this hour of the week
	Newborn = "newborn" // more than new subjects usually have
)

// What a window must hold before it is judged, whatever the probability.
const (
	MinVerbatims = 5
	MinPeople    = 3
)

// voices bounds how far one person counts: a window counts as at most this many
// verbatims for each person in it. Otherwise two bystanders in six hours would
// make one person's forty posts an outbreak.
const voices = 1.5

// Childhood is how long a subject is new, and judged by what new ones do.
const Childhood = 48 * time.Hour

// The clear level: a window is calm again below this ratio or above this tail.
const (
	clearRatio = 1.5
	clearTail  = 1e-3
)

// A gate is what a window must pass to fire.
type gate struct {
	sudden  [3]float64 // largest tail, of 15 minutes, an hour and 6 hours
	newborn float64
	ratio   float64 // smallest ratio to what was expected
}

// gateOf gives the calibrated gates: chosen on seeds 1 to 3 of the simulation
// in calibration_test.go for the budget of false incidents a week. Short windows
// are looked at more often anew, so less must be left to chance in them.
func gateOf(s Sensitivity) gate {
	switch s {
	case Low:
		return gate{sudden: [3]float64{5e-9, 2e-8, 6e-8}, newborn: 1e-8, ratio: 2.5}
	case High:
		return gate{sudden: [3]float64{5e-7, 2e-6, 6e-6}, newborn: 1e-5, ratio: 1.8}
	}
	return gate{sudden: [3]float64{5e-8, 2e-7, 6e-7}, newborn: 5e-7, ratio: 2}
}

// Judgeable says whether any window holds enough to be judged. If none does,
// Judge needs no baseline: it says calm.
func Judgeable(counts [3]Count) bool {
	return counts[0].N >= MinVerbatims || counts[1].N >= MinVerbatims || counts[2].N >= MinVerbatims
}

// Judge holds the trailing 15 minutes, hour and 6 hours, all ending with the
// bucket in which now lies, against what was expected of them. b was made of
// the same track and season, an hour ago at most. Within a bucket a verdict
// only gets graver as counts grow, so judging each arrival and judging the full
// bucket open the same incidents.
func Judge(now time.Time, t Track, b *Baseline, counts [3]Count, sens Sensitivity) Verdict {
	return judge(now, t, b, counts, gateOf(sens))
}

func judge(now time.Time, t Track, b *Baseline, counts [3]Count, g gate) Verdict {
	v := Verdict{Calm: true, Detector: Sudden, Tail: 1}
	limits := g.sudden
	if now.Sub(t.Born) < Childhood {
		v.Detector, limits = Newborn, [3]float64{g.newborn, g.newborn, g.newborn}
	}
	if b == nil || !Judgeable(counts) {
		return v
	}
	for i := range counts {
		c := &counts[i]
		n := min(c.N, int(voices*float64(c.People)))
		if n < MinVerbatims || c.People < MinPeople {
			continue
		}
		expected := b.Expected(c.Window)
		ratio := float64(n) / max(expected, 1)
		if ratio < clearRatio {
			continue
		}
		tail := b.tail(i, n, expected, c.Window)
		if tail <= clearTail {
			v.Calm = false
		}
		fired := tail <= limits[i] && ratio >= g.ratio
		if fired && !v.Fired || fired == v.Fired && tail < v.Tail {
			v.Window, v.Observed, v.People = c.Window, c.N, c.People
			v.Expected, v.Ratio, v.Tail = expected, float64(c.N)/max(expected, 1), tail
		}
		v.Fired = v.Fired || fired
	}
	return v
}

// Reason says in a sentence what was seen, with the times of loc (nil: UTC):
// "37 in the hour to 14:35, 4 expected at this hour of the week".
func (v Verdict) Reason(loc *time.Location) string {
	if v.Window.To.IsZero() {
		return "too few to judge"
	}
	if loc == nil {
		loc = time.UTC
	}
	span := "hour"
	if d := v.Window.To.Sub(v.Window.From); d < time.Hour {
		span = fmt.Sprintf("%d minutes", int(d.Minutes()))
	} else if d > time.Hour {
		span = fmt.Sprintf("%d hours", int(d.Hours()))
	}
	usual := "fewer than 1"
	if n := math.Round(v.Expected); n >= 1 {
		usual = fmt.Sprintf("%.0f", n)
	}
	of := "at this hour of the week"
	if v.Detector == Newborn {
		of = "of something so new"
	}
	return fmt.Sprintf("%d in the %s to %s, %s expected %s", v.Observed, span, v.Window.To.In(loc).Format("15:04"), usual, of)
}
