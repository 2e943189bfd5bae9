package alert

import (
	"math"
	"math/rand/v2"
)

// The world of the simulation. It shares nothing with the detectors: its own
// generator, its own hours, its own idea of a season.
const (
	simWeeks  = 8
	simWarm   = 3 // weeks in which nothing is counted
	simHours  = simWeeks * 168
	perHour   = 12      // buckets
	simStart  = 490_992 // hours since 1970: Monday, 5 January 2026, 00:00 UTC
	simMedian = 4.0     // verbatims an hour
)

// A simSeries is one subject: what it would bring each hour, and what came.
type simSeries struct {
	rate           []float64 // by hour, noise and all
	buckets        []int32   // verbatims by 5 minutes
	mean           []float64
	spread, memory float64
}

// A simWorld is how unruly subjects are.
type simWorld struct {
	rates    float64    // standard deviation of the logarithm of the rate
	strength [2]float64 // of the season: half the logarithm of busiest to quietest hour, from … to
	spread   [2]float64 // overdispersion of an hour, log-uniform from … to
	memory   [2]float64 // autocorrelation from hour to hour, from … to
}

var (
	plain = simWorld{rates: 0.8, strength: [2]float64{0.3, 1}, spread: [2]float64{0.02, 0.2}, memory: [2]float64{0.2, 0.7}}
	rough = simWorld{rates: 1, strength: [2]float64{0.5, 1.3}, spread: [2]float64{0.03, 0.3}, memory: [2]float64{0.3, 0.8}}
)

type simulator struct {
	r *rand.Rand
	simWorld
}

func newSimulator(seed uint64, w simWorld) *simulator {
	return &simulator{rand.New(rand.NewPCG(seed, 0x5eed)), w}
}

func (s *simulator) between(r [2]float64) float64 { return r[0] + (r[1]-r[0])*s.r.Float64() }

// gamma draws from a gamma distribution of the given shape and scale 1
// (Marsaglia and Tsang's method).
func (s *simulator) gamma(shape float64) float64 {
	if shape < 1 {
		return s.gamma(shape+1) * math.Pow(1-s.r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-s.r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// poisson counts exponential waits; long means are cut into pieces.
func (s *simulator) poisson(mean float64) int {
	n := 0
	for ; mean > 30; mean -= 30 {
		n += s.poisson(30)
	}
	for limit, p := math.Exp(-mean), s.r.Float64(); p > limit; p *= s.r.Float64() {
		n++
	}
	return n
}

// A simTenant is the rhythm that its subjects share.
type simTenant struct {
	peak, second float64 // hour of the day of the busiest time; weight of the second hump
	weekend      float64
}

func (s *simulator) tenant() simTenant {
	return simTenant{peak: 24 * s.r.Float64(), second: 0.4 * s.r.Float64(), weekend: 0.5 + 0.5*s.r.Float64()}
}

// season is a subject's own rhythm around the tenant's: factors of mean 1 by
// hour of the week.
func (s *simulator) season(t simTenant) [168]float64 {
	shift := 1.5 * s.r.NormFloat64()
	strength := s.between(s.strength)
	weekend := t.weekend * math.Exp(0.2*s.r.NormFloat64())
	var q [168]float64
	var days [7]float64
	for d := range days {
		days[d] = math.Exp(0.1 * s.r.NormFloat64())
	}
	sum := 0.0
	for w := range q {
		angle := 2 * math.Pi * (float64(w%24) - t.peak - shift) / 24
		q[w] = days[w/24] * math.Exp(strength*(math.Cos(angle)+t.second*math.Cos(2*angle)))
		if w/24 >= 5 {
			q[w] *= weekend
		}
		sum += q[w]
	}
	for w := range q {
		q[w] *= 168 / sum
	}
	return q
}

// series draws one subject over all weeks: log-normal rate, season, drift, and
// a negative binomial count each hour whose hidden gamma factor is
// autocorrelated (a beta-gamma autoregression, which keeps the marginal exact).
func (s *simulator) series(t simTenant) simSeries {
	base := simMedian * math.Exp(s.rates*s.r.NormFloat64())
	q := s.season(t)
	spread := s.spread[0] * math.Pow(s.spread[1]/s.spread[0], s.r.Float64())
	memory := s.between(s.memory)
	trend := 0.25 * s.r.NormFloat64() / simHours // in logarithms, an hour
	k := 1 / spread
	factor, wander := s.gamma(k), 0.0
	out := simSeries{make([]float64, simHours), make([]int32, simHours*perHour), make([]float64, simHours), spread, memory}
	for h := range simHours {
		if h%24 == 0 {
			wander += 0.03 * s.r.NormFloat64()
		}
		if h > 0 {
			kept, fresh := s.gamma(k*memory), s.gamma(k*(1-memory))
			factor = factor*kept/(kept+fresh) + s.gamma(k*(1-memory))
		}
		out.rate[h] = base * q[h%168] * math.Exp(trend*float64(h)+wander) * factor / k
		out.mean[h] = out.rate[h] / factor * k
		s.strew(out.buckets, h, out.rate[h])
	}
	return out
}

// strew lets a mean number of verbatims fall into an hour.
func (s *simulator) strew(buckets []int32, hour int, mean float64) {
	for range s.poisson(mean) {
		buckets[hour*perHour+s.r.IntN(perHour)]++
	}
}

// burst gives the series with a stretch of hours times as busy.
func (s *simulator) burst(of simSeries, from, hours int, times float64) simSeries {
	out := of
	out.buckets = append([]int32(nil), of.buckets...)
	for h := from; h < min(from+hours, simHours); h++ {
		s.strew(out.buckets, h, (times-1)*of.rate[h])
	}
	return out
}

// newborn draws an issue that begins at a bucket: its first verbatim, then a
// Poisson stream with a rate from a heavy-tailed distribution (median 0.7 a
// day, one in fifty ten a day or more) in the tenant's rhythm, for two weeks.
func (s *simulator) newborn(q *[168]float64, birth int) []int32 {
	buckets := make([]int32, simHours*perHour)
	buckets[birth]++
	rate := 0.7 / 24 * math.Exp(1.3*s.r.NormFloat64())
	for i := birth; i < min(len(buckets), birth+14*24*perHour); i++ {
		buckets[i] += int32(s.poisson(rate * q[i/perHour%168] / perHour))
	}
	return buckets
}
