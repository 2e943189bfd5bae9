package alert

import "math"

// upper is the probability that a negative binomial count of mean mu and
// variance mu + v·mu² is n or more, for n above mu. It is the regularised
// incomplete beta function I_x(n, 1/v) at x = v·mu/(1 + v·mu).
func upper(n int, mu, v float64) float64 {
	if mu <= 0 {
		return 0
	}
	a, k := float64(n), 1/v
	x := mu / (mu + k)
	la, _ := math.Lgamma(a)
	lk, _ := math.Lgamma(k)
	lak, _ := math.Lgamma(a + k)
	front := lak - la - lk + a*math.Log(x) + k*math.Log1p(-x)
	return min(1, math.Exp(front)*betaFraction(a, k, x)/a)
}

// betaFraction is the continued fraction of the incomplete beta function
// (modified Lentz), which converges quickly for x < (a+1)/(a+b+2): here, for
// counts above the mean.
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	keep := func(f float64) float64 {
		if math.Abs(f) < tiny {
			return tiny
		}
		return f
	}
	c, d := 1.0, 1/keep(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m <= 300; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / keep(1+even*d)
		c = keep(1 + even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / keep(1+odd*d)
		c = keep(1 + odd/c)
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-9 {
			break
		}
	}
	return h
}
