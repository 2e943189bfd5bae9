package alert

import (
	"math"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// Constants of the model. Those in verbatims shrink: that many must have been
// seen for the subject's own figure to weigh as much as the coarser one. They
// were chosen on seed 1 of the simulation, for the smallest error of the
// expected rate, and ownWeek smaller than was best there: real weeks have more
// habits than simulated ones.
const (
	Lookback   = 6    // hours: the longest window; younger hours feed no expectation
	halfLife   = 80.  // hours after which a count weighs half in the level
	leastTrust = 0.25 // verbatims by which the level leans towards the mean of all weeks, lest it rest on nothing
	ownHour    = 12.  // verbatims, of the hour of the day, towards the tenant's rhythm
	ownDay     = 10.  // of the day of the week, towards the same
	ownWeek    = 100. // of the hour of the week, towards hour and day
	usualHour  = 0.10 // overdispersion of an hour before any is seen ...
	usualSix   = 0.06 // ... and of six hours
	usualSeen  = 60.  // how much that weighs, in the unit of Σμ² ...
	usualDays  = 3.   // ... and in days
	deviates   = 4.   // standard deviations above the expectation at which an hour is clipped
	youth      = 0.05 // what a history of days adds to the overdispersion, falling with its square
)

// A Baseline is what is expected of a subject in the hours around the one it was
// made for: level × rhythm, with how far both can be trusted.
type Baseline struct {
	rate   [week]float32 // verbatims an hour, by hour of the week
	spread [2]float64    // overdispersion of an hour or less, and of six hours
	trust  float64       // verbatims that the level rests on
	weeks  float64       // of history that the rhythm rests on
	born   int64         // Unix seconds
}

// NewBaseline works out what to expect of a subject from now on, for an hour or
// so. The six hours before the hour of now are left out: they are what will be
// judged. s may be nil.
func NewBaseline(t Track, s *Season, now time.Time) Baseline {
	end := series.HourOf(now) - Lookback // exclusive
	start := max(series.HourOf(t.Born), end-memory)
	b := Baseline{born: t.Born.Unix()}
	q := s.shape()
	var growth Growth
	var gaps []Gap
	if s != nil {
		growth, gaps = s.Newborn, s.Gaps
	}
	a0, b0 := growth.prior()
	if start >= end {
		for w := range q {
			b.rate[w] = float32(q[w] * a0 / b0)
		}
		b.spread, b.trust = [2]float64{usualHour, usualSix}, a0
		return b
	}

	// The hours, laid out; the one that gave birth is why there is a track.
	var buf [memory]float32
	n := buf[:end-start]
	for _, h := range t.Hours {
		if h.H >= start && h.H < end {
			n[h.H-start] = float32(h.N)
		}
	}
	if series.HourOf(t.Born) == start && n[0] > 0 {
		n[0]--
	}
	const unknown = -1
	for _, g := range gaps {
		for h := max(g.From, start); h < min(g.To, end); h++ {
			n[h-start] = unknown
		}
	}

	p, seen, mean := rhythm(n, slot(start), &q, a0, b0)
	b.weeks = seen / week
	level := b.level(n, slot(start), &p, a0, b0, mean)
	for w := range p {
		b.rate[w] = float32(level * p[w])
	}
	return b
}

// rhythm gives the subject's hour-of-week factors: the tenant's, corrected by
// its own hours of the day (weekdays and weekends apart), by its own days of the
// week and by its own hours of the week, each as far as there are counts to say
// so. An hour that stands out from the same hour of other weeks is clipped first.
func rhythm(n []float32, first int, q *[week]float64, a0, b0 float64) (p [week]float64, seen, mean float64) {
	var count, weeks [week]float64
	var total, exposure float64
	w := first
	for _, c := range n {
		if c >= 0 {
			count[w] += float64(c)
			weeks[w]++
		}
		if w++; w == week {
			w = 0
		}
	}
	for w := range q {
		total += count[w]
		exposure += weeks[w] * q[w]
		seen += weeks[w]
	}
	mean = (a0 + total) / (b0 + exposure)
	w = first
	for _, c := range n {
		if c > 1 {
			others := (count[w] - float64(c) + mean*q[w]) / weeks[w] // one week of the coarse figure among them
			if over := float64(c) - clip(max(others, 0)); over > 0 {
				count[w] -= over
				total -= over
			}
		}
		if w++; w == week {
			w = 0
		}
	}
	mean = (a0 + total) / (b0 + exposure)

	// Each correction is of what the coarser ones leave.
	var count2, usual2 [2][24]float64 // by hour of the day, weekdays and weekends apart
	for w := range q {
		x := evidence(mean * q[w])
		count2[w/120][w%24] += x * count[w]
		usual2[w/120][w%24] += x * weeks[w] * q[w] * mean
	}
	var count7, usual7 [7]float64 // by day of the week
	for w := range q {
		kind, h := w/120, w%24
		c := around(count2[kind][:], h)
		e := around(usual2[kind][:], h)
		p[w] = q[w] * (c + ownHour) / (e + ownHour)
		x := evidence(mean * p[w])
		count7[w/24] += x * count[w]
		usual7[w/24] += x * weeks[w] * p[w] * mean
	}
	var usual [week]float64
	for w := range q {
		p[w] *= (count7[w/24]/4 + ownDay) / (usual7[w/24]/4 + ownDay)
		x := evidence(mean * p[w])
		count[w] *= x
		usual[w] = x * weeks[w] * p[w] * mean
	}
	for w := range q {
		p[w] *= (around(count[:], w) + ownWeek) / (around(usual[:], w) + ownWeek)
	}
	return p, seen, mean
}

// around sums a ring's values about i, weighted 1, 2, 3, 2, 1 thirds.
func around(ring []float64, i int) float64 {
	n := len(ring)
	return ring[i] + 2.0/3*(ring[(i+1)%n]+ring[(i+n-1)%n]) + 1.0/3*(ring[(i+2)%n]+ring[(i+n-2)%n])
}

// evidence is what one of mu verbatims an hour is worth: those of an hour come
// together, so a busy hour says less than its number.
func evidence(mu float64) float64 { return 1 / (1 + usualHour*mu) }

// level follows the counts hour by hour and gives how many of them there are
// now for a factor of 1. On the way it measures how far off it was each time:
// that is the overdispersion. mean is what it leans on where nothing recent is
// known. Hours that stand out are clipped to where chance might have put them,
// so an incident moves the level little, and a lasting change moves it within
// days.
func (b *Baseline) level(n []float32, first int, p *[week]float64, a0, b0, mean float64) float64 {
	decay := math.Exp2(-Lookback / halfLife)
	counts, hours := a0, b0 // weighted sums that the level rests on; what new subjects do counts as seen at birth
	hourWeight := usualSeen + usualDays*24*mean*mean
	sixWeight := usualSeen + usualDays*4*36*mean*mean
	hour, six := usualHour*hourWeight, usualSix*sixWeight
	w := first
	const firstDay = 24 // in which the level is found: how far off it is then says nothing of the series
	for i := 0; i < len(n); {
		level := (counts + leastTrust) / (hours + leastTrust/mean)
		var sum, expected, factors float64
		for end := min(len(n), i+Lookback); i < end; i++ {
			c := n[i]
			f := p[w]
			if w++; w == week {
				w = 0
			}
			if c < 0 {
				continue
			}
			x, mu := float64(c), level*f
			if x > 2*mu+2 {
				x = min(x, clip(f*max(level, mean)))
			}
			if off := x - mu; i >= firstDay {
				hour += off*off - mu
				hourWeight += mu * mu
			}
			sum, expected, factors = sum+x, expected+mu, factors+f
		}
		if off := sum - expected; i > firstDay {
			six += off*off - expected
			sixWeight += expected * expected
		}
		counts, hours = counts*decay+sum, hours*decay+factors
	}
	b.spread[0] = min(2, max(0.01, hour/hourWeight))
	b.spread[1] = min(2, max(0.01, b.spread[0]/6, six/sixWeight))
	b.trust = counts + leastTrust
	return b.trust / (hours + leastTrust/mean)
}

// clip is the largest count that still passes for chance.
func clip(mu float64) float64 {
	return mu + 1 + deviates*math.Sqrt(mu+usualHour*mu*mu)
}

// Expected is how many verbatims of the subject were to be expected in w.
// Before its birth there were none.
func (b *Baseline) Expected(w earshot.Window) float64 {
	from, to := max(w.From.Unix(), b.born), w.To.Unix()
	sum := 0.0
	for h := series.HourOf(time.Unix(from, 0)); from < to; h++ {
		next := min(to, (h+1)*3600)
		sum += float64(b.rate[slot(h)]) * float64(next-from)
		from = next
	}
	return sum / 3600
}

// tail is the probability of n or more in window i (15 minutes, hour, 6 hours)
// where expected were expected. Overdispersion, the level and the rhythm each
// add what is not known of them: with a short history little is impossible.
func (b *Baseline) tail(i, n int, expected float64, w earshot.Window) float64 {
	spread := b.spread[0]
	if i == 2 {
		spread = b.spread[1]
	}
	if b.born >= w.From.Unix() && b.born < w.To.Unix() {
		n-- // there is no subject without a first
	}
	hourly := expected / w.To.Sub(w.From).Hours()
	hourly *= evidence(hourly)
	spread += 1/b.trust + 1/(ownHour+3*7*b.weeks*hourly) + youth/(b.weeks*b.weeks+0.1)
	return upper(n, expected, spread)
}
