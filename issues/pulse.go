package issues

// A pulse is how many memberships of a family there are by bucket, for a day
// back and a day ahead (senders' clocks may be ahead).
type pulse struct {
	ring [640]beat // a bucket stands at its number modulo the length
}

type beat struct {
	slot int64
	n    int32
}

func (p *pulse) at(slot int64) *beat {
	const n = int64(len(p.ring))
	return &p.ring[(slot%n+n)%n]
}

func (p *pulse) add(slot int64, d int32) {
	b := p.at(slot)
	switch {
	case b.slot < slot || b.n == 0:
		*b = beat{slot, max(d, 0)}
	case b.slot == slot:
		b.n = max(b.n+d, 0)
	}
}

// in is how many are in the buckets from ≤ slot < to, and which of them is the
// first with any; to if none is.
func (p *pulse) in(from, to int64) (n int, first int64) {
	first = to
	for slot := to - 1; slot >= from; slot-- {
		if b := p.at(slot); b.slot == slot && b.n > 0 {
			n += int(b.n)
			first = slot
		}
	}
	return n, first
}
