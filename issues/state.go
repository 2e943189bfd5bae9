package issues

import (
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// When an issue changes its state by itself.
const (
	newFor      = 48 * time.Hour      // emerging
	fadingAfter = 3 * 24 * time.Hour  // of silence
	closedAfter = 14 * 24 * time.Hour // of silence

	growing      = 3 // times what was expected of a day, and
	growingLeast = 5 // so many in it: emerging again
)

// Tick lets time pass: now is a multiple of five minutes of the log's clock.
// Issues that changed are looked at for twins; once an hour all are moved
// through their states and what is too old is forgotten.
func (t *Tracker) Tick(now time.Time) {
	t.mergePass(now)
	if hour := now.Truncate(time.Hour); t.Clock.Before(hour) {
		t.set.Trim(now)
		for _, i := range t.All() {
			t.age(i, now)
		}
	}
	t.Clock = now
}

func (t *Tracker) age(i *Issue, now time.Time) {
	if !i.Opened || i.State == earshot.Muted {
		return
	}
	if state := t.stateAt(i, now); state != i.State {
		t.setState(i, state, now, "auto", "")
	}
}

func (t *Tracker) stateAt(i *Issue, now time.Time) string {
	silent := now.Sub(i.LastSeen)
	g := t.Growth(i, now)
	switch {
	case silent > closedAfter, i.State == earshot.Closed:
		return earshot.Closed
	case silent > fadingAfter:
		return earshot.Fading
	case now.Sub(i.FirstSeen) < newFor, g.Observed >= growingLeast && g.Ratio >= growing:
		return earshot.Emerging
	}
	return earshot.Active
}

// Growth compares the last 24 hours with a day of the week before them, or of
// the issue's life if that is shorter.
func (t *Tracker) Growth(i *Issue, now time.Time) earshot.Growth {
	tr := t.set[series.Issue(i.number)]
	if tr == nil {
		return earshot.Growth{Ratio: 1}
	}
	end := series.HourOf(now) + 1
	born := max(series.HourOf(i.FirstSeen), end-8*24)
	g := earshot.Growth{Observed: tr.Between(end-24, end)}
	if days := float64(end-24-born) / 24; days > 0 {
		g.Expected = round(float64(tr.Between(born, end-24)) / max(days, 1))
	}
	g.Ratio = round((float64(g.Observed) + 1) / (g.Expected + 1))
	return g
}

func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
