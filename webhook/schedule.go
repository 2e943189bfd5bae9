package webhook

import (
	"fmt"
	"time"

	"github.com/earshot-cx/earshot"
)

const (
	// GiveUp is the age of a message from which on an attempt that fails is the last. One that waited longer than
	// that behind another is still tried once.
	GiveUp = 24 * time.Hour
	// jitter is by which share of itself a wait is made shorter or longer at random, so that the messages that
	// failed together do not come back together.
	jitter = 0.1
	// maxRetryAfter is how long a receiver can put us off.
	maxRetryAfter = time.Hour
)

// waits are the times between an attempt that failed and the next; the last is
// repeated.
var waits = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// judge gives the delivery as it is after an attempt that ended now. r in
// [0, 1) places the next attempt within the jitter.
func judge(d earshot.Delivery, a answer, now time.Time, r float64) earshot.Delivery {
	now = now.UTC()
	d.Attempts++
	d.Status, d.Error = a.status, a.reason
	d.NextAt, d.DoneAt = nil, nil
	age := now.Sub(d.CreatedAt)
	switch {
	case a.reason == "":
		d.State, d.DoneAt = earshot.Delivered, &now
	case a.final:
		d.State, d.DoneAt = earshot.Failed, &now
	case age >= GiveUp:
		d.State, d.DoneAt = earshot.Failed, &now
		d.Error = fmt.Sprintf("gave up after %d h and %s: %s", int(age.Hours()), attempts(d.Attempts), a.reason)
	default:
		next := now.Add(max(wait(d.Attempts, r), min(a.retryAfter, maxRetryAfter)))
		d.State, d.NextAt = earshot.Pending, &next
	}
	return d
}

// abandon gives up a delivery without an attempt.
func abandon(d earshot.Delivery, why string, now time.Time) earshot.Delivery {
	now = now.UTC()
	d.State, d.Error = earshot.Failed, why
	d.NextAt, d.DoneAt = nil, &now
	return d
}

// wait is the time between attempt n (from 1), which failed, and the next.
func wait(n int, r float64) time.Duration {
	w := waits[min(max(n, 1), len(waits))-1]
	return time.Duration(float64(w) * (1 - jitter + 2*jitter*r))
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}
