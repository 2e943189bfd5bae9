package alert

import (
	"time"

	"github.com/earshot-cx/earshot/series"
)

// week is the hours of a week; memory is how many of them a baseline looks back.
const (
	week   = 168
	memory = 8 * week
)

// slot is the hour of the week, Monday 00:00 UTC being 0, of an hour since 1970
// (which began on a Thursday).
func slot(h int64) int { return int(((h+72)%week + week) % week) }

// A Season is the tenant's own rhythm. The zero value knows nothing and serves.
type Season struct {
	ByHour [week]float64 `json:"by_hour"` // all verbatims by hour of the week (see slot)
	Weeks  float64       `json:"weeks"`   // how many weeks they cover
	Seen   [week]float64 `json:"seen"`    // how often each of these hours is among them
	// Gaps are long stretches in which the tenant sent nothing at all, ascending:
	// nobody knows what was said then, so silence in them is not evidence.
	Gaps    []Gap  `json:"gaps,omitempty"`
	Newborn Growth `json:"newborn"`
}

// A Gap is a half-open stretch of hours since 1970.
type Gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// A stretch without one verbatim of the tenant is a gap when it lasts longer
// than a long weekend and would usually have brought at least this many.
const (
	gapHours    = 72
	gapExpected = 30
)

// Count reads the rhythm from the tenant's hourly counts of all verbatims,
// ascending, as a Track has them. Newborn stays as it is.
func (s *Season) Count(all []Hour, now time.Time) {
	end := series.HourOf(now) // the hour that still fills is left out
	var silences []Gap
	active, total := int64(memory), 0.0
	last, first := end-memory-1, end
	s.ByHour = [week]float64{}
	silence := func(to int64) {
		if g := (Gap{last + 1, to}); g.To-g.From >= gapHours {
			silences = append(silences, g)
			active -= g.To - g.From
		}
		last = to
	}
	for _, h := range all {
		if h.H < end-memory || h.H >= end || h.N <= 0 {
			continue
		}
		first = min(first, h.H)
		silence(h.H)
		s.ByHour[slot(h.H)] += float64(h.N)
		total += float64(h.N)
	}
	silence(end)
	s.Weeks, s.Gaps = float64(end-first)/week, nil
	s.Seen = [week]float64{}
	for h := first; h < end; h++ {
		s.Seen[slot(h)]++
	}
	pace := total / float64(max(active, 1))
	for _, g := range silences {
		if total > 0 && pace*float64(g.To-g.From) < gapExpected {
			continue
		}
		s.Gaps = append(s.Gaps, g)
		if g.From >= first {
			s.Weeks -= float64(g.To-g.From) / week
			for h := g.From; h < g.To; h++ {
				s.Seen[slot(h)]--
			}
		}
	}
}

// doubt is how many verbatims an hour of the week must have brought for its own
// figure to weigh as much as that of the hour of the day, and that of the hour
// of the day as much as a flat day.
const doubt = 20

// shape is the rhythm as factors of mean 1, shrunk where little was counted.
func (s *Season) shape() [week]float64 {
	var q [week]float64
	total, seen := 0.0, 0.0
	if s != nil {
		for w := range q {
			total += s.ByHour[w]
			seen += s.Seen[w]
		}
	}
	if total == 0 || seen == 0 {
		for w := range q {
			q[w] = 1
		}
		return q
	}
	mean := total / seen
	var day, usual [24]float64
	for d := 0; d < week; d += 24 {
		for h := range day {
			day[h] += s.ByHour[d+h]
			usual[h] += s.Seen[d+h] * mean
		}
	}
	sum := 0.0
	for h := range day {
		day[h] = (day[h] + doubt) / (usual[h] + doubt)
		for w := h; w < week; w += 24 {
			q[w] = day[h] * (s.ByHour[w] + doubt) / (s.Seen[w]*mean*day[h] + doubt)
			sum += q[w]
		}
	}
	for w := range q {
		q[w] *= week / sum
	}
	return q
}

// Growth is how new subjects usually grow: the moments of how many verbatims
// follow the first within a subject's first 48 hours.
type Growth struct {
	Subjects float64 `json:"subjects"`
	Sum      float64 `json:"sum"`
	Squares  float64 `json:"squares"`
}

// What is believed of new subjects before any was seen: most bring one to three
// verbatims in two days, some ten a day. It weighs as much as believed subjects.
const (
	believed       = 20
	believedMean   = 2.0
	believedSpread = 0.25 // shape of the gamma distribution of their rates
)

// Learn takes in a subject that has come of age: the caller calls it once, when
// its Childhood of 48 hours is over. What was first heard of in the tenant's own
// first days was new to us only, and teaches nothing.
func (s *Season) Learn(t Track) {
	if s.Weeks*week >= settling+Childhood.Hours() {
		s.Newborn.Learn(t)
	}
}

// settling is how many hours it takes until most of what a tenant's customers
// talk of has been heard once.
const settling = 72

// Learn counts a subject whatever its tenant's age (see Season.Learn). Old ones
// are slowly forgotten.
func (g *Growth) Learn(t Track) {
	first := series.HourOf(t.Born)
	n := -1.0
	for _, h := range t.Hours {
		if h.H >= first && h.H < first+int64(Childhood/time.Hour) {
			n += float64(h.N)
		}
	}
	if n < 0 {
		return // its first hours are not known
	}
	n = min(n, 100) // one true outbreak must not excuse the next
	if g.Subjects >= 2000 {
		g.Subjects, g.Sum, g.Squares = g.Subjects/2, g.Sum/2, g.Squares/2
	}
	g.Subjects++
	g.Sum += n
	g.Squares += n * n
}

// prior gives the gamma distribution of a new subject's rate an hour, as shape
// and hours, by its moments.
func (g *Growth) prior() (a, b float64) {
	const usual = believedMean + believedMean*believedMean + believedMean*believedMean/believedSpread
	n := g.Subjects + believed
	mean := (g.Sum + believed*believedMean) / n
	variance := (g.Squares+believed*usual)/n - mean*mean
	a = min(2, max(0.1, mean*mean/max(variance-mean, 1e-9)))
	return a, a * Childhood.Hours() / max(mean, 0.1)
}
