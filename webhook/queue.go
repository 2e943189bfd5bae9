package webhook

import (
	"slices"
	"time"
)

// A turn is a webhook's right to one attempt at a time.
type turn struct{ tenant, webhook string }

func turnOf(h Head) turn { return turn{h.Tenant, h.Delivery.Webhook} }

// A queue holds the heads that are due and whose turn it can be. First attempts
// go before retries, and retries leave room for them, so that any number of
// hanging receivers does not keep a healthy one waiting. It belongs to Run.
type queue struct {
	first    []Head        // never tried, oldest first
	again    []Head        // tried before, longest due first
	busy     map[turn]bool // webhooks with an attempt in flight; true: a retry
	retrying int           // how many of busy are retries
}

// fill replaces what waits by those of heads that are due, and says how long it
// is until the next of the others will be.
func (q *queue) fill(heads []Head, now time.Time) time.Duration {
	q.first, q.again = nil, nil
	wait := maxNap
	for _, h := range heads {
		if _, ok := q.busy[turnOf(h)]; ok {
			continue
		}
		switch left := dueAt(h).Sub(now); {
		case h.Delivery.NextAt != nil && left > 0:
			wait = min(wait, left)
		case h.Delivery.Attempts == 0:
			q.first = append(q.first, h)
		default:
			q.again = append(q.again, h)
		}
	}
	longest := func(a, b Head) int { return dueAt(a).Compare(dueAt(b)) }
	slices.SortStableFunc(q.first, longest)
	slices.SortStableFunc(q.again, longest)
	return wait
}

// take gives the next head to be tried and marks its webhook as busy.
func (q *queue) take() (Head, bool) {
	from, retry := &q.first, false
	if len(q.first) == 0 {
		from, retry = &q.again, true
	}
	if len(*from) == 0 || len(q.busy) >= MaxInFlight || retry && q.retrying >= MaxRetrying {
		return Head{}, false
	}
	h := (*from)[0]
	*from = (*from)[1:]
	q.busy[turnOf(h)] = retry
	if retry {
		q.retrying++
	}
	return h, true
}

// release ends the turn of a head that was taken.
func (q *queue) release(h Head) {
	if q.busy[turnOf(h)] {
		q.retrying--
	}
	delete(q.busy, turnOf(h))
}

// dueAt is when the next attempt is to be made.
func dueAt(h Head) time.Time {
	if h.Delivery.NextAt != nil {
		return *h.Delivery.NextAt
	}
	return h.Delivery.CreatedAt
}
