package alert

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// steady is a track with n an hour, from so many hours ago to so many.
func steady(now time.Time, from, to int, n int32) Track {
	h := series.HourOf(now)
	t := Track{Born: now.Add(-time.Duration(from) * time.Hour).Truncate(5 * time.Minute)}
	for i := int64(from); i > int64(to); i-- {
		t.Hours = append(t.Hours, Hour{H: h - i, N: n})
	}
	return t
}

// counted gives windows that end with the bucket of now.
func counted(now time.Time, people int, n ...int) (c [3]Count) {
	to := now.Truncate(5 * time.Minute).Add(5 * time.Minute)
	for i, span := range []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour} {
		c[i] = Count{earshot.Window{From: to.Add(-span), To: to}, n[i], min(n[i], people)}
	}
	return c
}

// said sets by how many people.
func said(c [3]Count, people ...int) [3]Count {
	for i := range c {
		c[i].People = people[i]
	}
	return c
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*want }

func TestExpected(t *testing.T) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	hour := earshot.Window{From: now.Add(-time.Hour), To: now}
	daily := Track{Born: now.Add(-60 * 24 * time.Hour)} // 6 an hour from 08 to 20 h, nothing at night
	for h := series.HourOf(now) - memory; h < series.HourOf(now); h++ {
		if clock := h % 24; clock >= 8 && clock < 20 {
			daily.Hours = append(daily.Hours, Hour{H: h, N: 6})
		}
	}
	incident := steady(now, memory, 0, 4)
	for i := range 6 {
		incident.Hours[len(incident.Hours)-30+i].N = 40
	}
	all := steady(now, memory, 1000, 40) // the tenant sent nothing after that
	var resumed Season
	resumed.Count(all.Hours, now)
	if len(resumed.Gaps) != 1 || resumed.Gaps[0].To != series.HourOf(now) {
		t.Fatalf("gaps are %v", resumed.Gaps)
	}
	for _, c := range []struct {
		name      string
		t         Track
		s         *Season
		w         earshot.Window
		want, tol float64
	}{
		{"eight weeks of four an hour", steady(now, memory, 0, 4), nil, hour, 4, .03},
		{"two days of four an hour", steady(now, 54, 0, 4), nil, hour, 4, .15},
		{"six hours of it", steady(now, memory, 0, 4), nil, earshot.Window{From: now.Add(-6 * time.Hour), To: now}, 24, .03},
		{"days and nights: by day", daily, nil, hour, 6, .1},
		{"days and nights: by night", daily, nil, earshot.Window{From: now.Add(-13 * time.Hour), To: now.Add(-12 * time.Hour)}, .3, 1},
		{"an incident yesterday is clipped", incident, nil, hour, 4, .3},
		{"the last six hours do not count", with(steady(now, memory, 0, 4), 5, 400), nil, hour, 4, .03},
		{"tripled two weeks ago", twice(now), nil, hour, 12, .15},
		{"silent for weeks", steady(now, memory, 500, 4), nil, hour, .3, 1},
		{"imported, then nothing was sent at all", steady(now, memory, 1000, 4), &resumed, hour, 4, .1},
		{"before it was born", Track{Born: now.Add(time.Hour)}, nil, hour, 0, 0},
		{"never heard of", Track{Born: now}, nil, earshot.Window{From: now, To: now.Add(48 * time.Hour)}, 2, .1},
	} {
		b := NewBaseline(c.t, c.s, now)
		if got := b.Expected(c.w); !near(got, c.want, c.tol) {
			t.Errorf("%s: expected %.2f, want %.2f", c.name, got, c.want)
		}
		if again := NewBaseline(c.t, c.s, now); again != b {
			t.Errorf("%s: a second baseline differs", c.name)
		}
	}
}

func with(t Track, last int, n int32) Track {
	for i := range last {
		t.Hours[len(t.Hours)-1-i].N = n
	}
	return t
}

func twice(now time.Time) Track { return with(steady(now, memory, 0, 4), 14*24, 12) }

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	old, young, unborn := steady(now, memory, 0, 4), steady(now, 60, 0, 4), Track{Born: now.Add(-40 * time.Minute)}
	for _, c := range []struct {
		name     string
		t        Track
		counts   [3]Count
		fired    bool
		calm     bool
		detector string
	}{
		{"nothing", old, counted(now, 9, 0, 0, 0), false, true, Sudden},
		{"as usual", old, counted(now, 99, 1, 4, 24), false, true, Sudden},
		{"thirty-seven in the hour", old, counted(now, 99, 12, 37, 50), true, false, Sudden},
		{"twice as many, which happens", old, counted(now, 99, 3, 8, 40), false, true, Sudden},
		{"one person", old, counted(now, 1, 40, 40, 40), false, true, Sudden},
		{"one person and what is usual", old, said(counted(now, 99, 40, 44, 64), 1, 5, 25), false, true, Sudden},
		{"with two days of history", young, counted(now, 99, 12, 37, 50), true, false, Sudden},
		{"with two days of history, less clear", young, counted(now, 99, 5, 12, 40), false, true, Sudden},
		{"a new issue of five", unborn, counted(now, 99, 3, 5, 5), false, false, Newborn},
		{"a new issue of twenty", unborn, counted(now, 99, 9, 20, 20), true, false, Newborn},
	} {
		b := NewBaseline(c.t, nil, now)
		v := Judge(now, c.t, &b, c.counts, Normal)
		if v.Fired != c.fired || v.Calm != c.calm || v.Detector != c.detector {
			t.Errorf("%s: %+v; want fired %v, calm %v, %s", c.name, v, c.fired, c.calm, c.detector)
		}
		if again := Judge(now, c.t, &b, c.counts, Normal); !reflect.DeepEqual(again, v) {
			t.Errorf("%s: a second verdict differs", c.name)
		}
		if low := Judge(now, c.t, &b, c.counts, Low); low.Fired && !v.Fired {
			t.Errorf("%s: fires at low and not at normal", c.name)
		}
	}
	if v := Judge(now, old, nil, counted(now, 9, 1, 2, 4), Normal); v.Fired || !v.Calm {
		t.Errorf("without a baseline and with too few: %+v", v)
	}
}

// A verdict only gets graver while a bucket fills.
func TestJudgeIsMonotonic(t *testing.T) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	for _, track := range []Track{steady(now, memory, 0, 4), steady(now, 30, 0, 1), {Born: now.Add(-time.Minute)}} {
		b := NewBaseline(track, nil, now)
		fired := false
		for n := range 200 {
			v := Judge(now, track, &b, counted(now, 999, n, n+2, n+20), Normal)
			if fired && !v.Fired {
				t.Fatalf("born %v: fires at %d and not at %d", track.Born, n-1, n)
			}
			fired = v.Fired
		}
		if !fired {
			t.Errorf("born %v: 200 in 15 minutes do not fire", track.Born)
		}
	}
}

func TestReason(t *testing.T) {
	to := time.Date(2026, 11, 4, 7, 35, 0, 0, time.UTC)
	v := Verdict{Detector: Sudden, Observed: 37, Expected: 4.2, Window: earshot.Window{From: to.Add(-time.Hour), To: to}}
	if got, want := v.Reason(time.FixedZone("", 7*3600)), "37 in the hour to 14:35, 4 expected at this hour of the week"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Detector, v.Expected, v.Window.From = Newborn, 0.2, to.Add(-15*time.Minute)
	if got, want := v.Reason(nil), "37 in the 15 minutes to 07:35, fewer than 1 expected of something so new"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUpper holds the tail against a plain sum of the distribution.
func TestUpper(t *testing.T) {
	for _, mu := range []float64{0.1, 1, 4, 30, 400} {
		for _, v := range []float64{1e-9, 0.01, 0.1, 1, 5} {
			for _, times := range []float64{1.5, 3, 8} {
				n := max(5, int(times*mu))
				if float64(n) < 1.5*mu {
					continue
				}
				k := 1 / v
				lk, _ := math.Lgamma(k)
				sum := 0.0
				for j := n; j < n+40000; j++ {
					lj, _ := math.Lgamma(float64(j) + k)
					lf, _ := math.Lgamma(float64(j) + 1)
					sum += math.Exp(lj - lk - lf + k*math.Log(k/(mu+k)) + float64(j)*math.Log(mu/(mu+k)))
				}
				if got := upper(n, mu, v); math.Abs(got-sum) > 1e-4*sum+1e-300 && v > 1e-6 || math.IsNaN(got) || got < 0 || got > 1 {
					t.Errorf("upper(%d, %v, %v) = %g, want %g", n, mu, v, got, sum)
				}
			}
		}
	}
}

func TestSeason(t *testing.T) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	end := series.HourOf(now)
	var s Season
	s.Newborn.Subjects = 3
	s.Count(steady(now, 336, 0, 5).Hours, now)
	if !near(s.Weeks, 2, 1e-9) || len(s.Gaps) != 1 || s.Gaps[0] != (Gap{end - memory, end - 336}) || s.Newborn.Subjects != 3 {
		t.Errorf("two weeks of five an hour: %v weeks, gaps %v, newborn %v", s.Weeks, s.Gaps, s.Newborn)
	}
	if monday := slot(series.HourOf(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))); monday != 0 {
		t.Errorf("Monday 00:00 is hour %d of the week", monday)
	}
	var weekends []Hour // a shop that sleeps on weekends has no gaps
	for h := end - memory; h < end; h++ {
		if slot(h) < 120 {
			weekends = append(weekends, Hour{H: h, N: 9})
		}
	}
	if s.Count(weekends, now); len(s.Gaps) != 0 {
		t.Errorf("weekends are gaps: %v", s.Gaps)
	}
	if got := throughJSON(t, s); !reflect.DeepEqual(got, s) {
		t.Errorf("through JSON: %v, want %v", got, s)
	}
}

func TestGrowth(t *testing.T) {
	var g Growth
	a, b := g.prior()
	if !near(48*a/b, believedMean, 1e-6) || !near(a, believedSpread, 1e-6) {
		t.Errorf("the prior before anything was seen is %v / %v", a, b)
	}
	born := time.Date(2026, 11, 4, 14, 30, 0, 0, time.UTC)
	for i := range 500 {
		g.Learn(Track{Born: born, Hours: []Hour{{H: series.HourOf(born), N: 1}, {H: series.HourOf(born) + 30, N: int32(i % 20)}, {H: series.HourOf(born) + 60, N: 1000}}})
	}
	if a, b := g.prior(); !near(48*a/b, 9.2, .03) {
		t.Errorf("after 500 that brought 9.5 more: %v", 48*a/b)
	}
	g.Learn(Track{Born: born}) // nothing is known of it
	young := Season{Weeks: 0.5, Newborn: g}
	young.Learn(Track{Born: born, Hours: []Hour{{H: series.HourOf(born), N: 500}}}) // the tenant was as new as its subject
	if young.Newborn != g {
		t.Error("a tenant's first days teach what new issues bring")
	}
	if g.Subjects != 500 {
		t.Errorf("%v subjects", g.Subjects)
	}
}

func BenchmarkJudge20000(b *testing.B) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	tracks := make([]Track, 20000)
	baselines := make([]Baseline, len(tracks))
	counts := make([][3]Count, len(tracks))
	sim := newSimulator(1, plain)
	for i := range tracks {
		tracks[i] = steady(now, 100, 0, int32(sim.poisson(4)))
		baselines[i] = NewBaseline(tracks[i], nil, now)
		counts[i] = counted(now, 1000, sim.poisson(1), sim.poisson(4), sim.poisson(24))
	}
	for b.Loop() {
		for i := range tracks {
			Judge(now, tracks[i], &baselines[i], counts[i], Normal)
		}
	}
}

func BenchmarkNewBaseline1300(b *testing.B) {
	now := time.Date(2026, 11, 4, 14, 31, 0, 0, time.UTC)
	t := steady(now, memory, 0, 0)
	sim := newSimulator(1, plain)
	for i := range t.Hours {
		t.Hours[i].N = int32(1 + sim.poisson(4))
	}
	var s Season
	s.Count(t.Hours, now)
	for b.Loop() {
		NewBaseline(t, &s, now)
	}
}
