package series

import (
	"cmp"
	"slices"
	"time"
)

// A Set is the tracks of one tenant's series, by key. It is not safe for concurrent use.
type Set map[string]*Track

// Of gives the track of a key, made on first use.
func (s Set) Of(key string) *Track {
	t := s[key]
	if t == nil {
		t = &Track{}
		s[key] = t
	}
	return t
}

// Merge makes what was counted under one key count under another too. A
// verbatim that is recent in both is there once; those that were twice are returned.
func (s Set) Merge(from, into string) (twice []Said) {
	f := s[from]
	if f == nil {
		return nil
	}
	delete(s, from)
	t := s.Of(into)
	for _, h := range f.Hours {
		t.AddHour(h.H, h.N)
	}
	for i := range f.Recent {
		t.countLive(&f.Recent[i], 1)
	}
	t.Recent = append(t.Recent, f.Recent...)
	slices.SortStableFunc(t.Recent, CompareSaid)
	t.Recent = slices.CompactFunc(t.Recent, func(a, b Said) bool {
		same := a.Verbatim == b.Verbatim
		if same {
			twice = append(twice, b)
			t.countLive(&b, -1)
		}
		return same
	})
	return twice
}

// Trim forgets what is too old of all tracks.
func (s Set) Trim(now time.Time) {
	for _, t := range s {
		t.Trim(now)
	}
}

// CompareSaid orders the recent part of a track.
func CompareSaid(a, b Said) int {
	return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Verbatim, b.Verbatim))
}
