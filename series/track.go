package series

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// How far a Track looks back.
const (
	KeepHours  = 8 * 7 * 24 * time.Hour
	KeepRecent = 26 * time.Hour
)

// An Hour is how many verbatims were said in one hour.
type Hour struct {
	H int64 `json:"h"` // hours since 1970
	N int32 `json:"n"`
}

// HourOf is the hour that an instant lies in.
func HourOf(at time.Time) int64 { return floorDiv(at.Unix(), 3600) }

// A Said is one verbatim in the recent part of a Track.
type Said struct {
	Slot     int64
	Verbatim string
	Person   uint64
	Channel  string
	Live     bool // may raise an alert: was not imported and not late
	Troubled bool // says that something is wrong
}

// A Track is one series as those see it who watch it.
type Track struct {
	Hours  []Hour // with something in them, in order
	Recent []Said // in order of Slot, then of Verbatim
	live   []Slots
}

// Slots is how many live verbatims are in one bucket.
type Slots struct {
	Slot int64
	N    int32
}

// Add counts a verbatim. now is how far the log has come: what is too old for
// the recent part is counted by the hour alone.
func (t *Track) Add(at time.Time, s Said, now time.Time) {
	s.Slot = Slot(at)
	t.count(at, 1)
	if at.Before(now.Add(-KeepRecent)) {
		return
	}
	if i, found := slices.BinarySearchFunc(t.Recent, s, CompareSaid); !found {
		t.Recent = slices.Insert(t.Recent, i, s)
		t.countLive(&s, 1)
	}
}

// Recall puts a verbatim back into the recent part that its hour has counted
// already. The caller sorts when all are there.
func (t *Track) Recall(at time.Time, s Said) {
	s.Slot = Slot(at)
	t.Recent = append(t.Recent, s)
	t.countLive(&s, 1)
}

func (t *Track) countLive(s *Said, d int32) {
	if !s.Live {
		return
	}
	i, found := slices.BinarySearchFunc(t.live, s.Slot, func(x Slots, slot int64) int { return cmp.Compare(x.Slot, slot) })
	if !found {
		t.live = slices.Insert(t.live, i, Slots{Slot: s.Slot})
	}
	if t.live[i].N += d; t.live[i].N <= 0 {
		t.live = slices.Delete(t.live, i, i+1)
	}
}

// LiveIn is how many live verbatims are in the buckets from ≤ slot < to, which must be recent.
func (t *Track) LiveIn(from, to int64) int {
	n := 0
	for i := len(t.live) - 1; i >= 0 && t.live[i].Slot >= from; i-- {
		if t.live[i].Slot < to {
			n += int(t.live[i].N)
		}
	}
	return n
}

// Remove takes a verbatim out again.
func (t *Track) Remove(at time.Time, verbatim string) {
	t.count(at, -1)
	i, found := slices.BinarySearchFunc(t.Recent, Said{Slot: Slot(at), Verbatim: verbatim}, CompareSaid)
	if found {
		t.countLive(&t.Recent[i], -1)
		t.Recent = slices.Delete(t.Recent, i, i+1)
	}
}

func (t *Track) count(at time.Time, d int32) { t.AddHour(HourOf(at), d) }

// AddHour adds n verbatims to an hour.
func (t *Track) AddHour(h int64, n int32) {
	i, found := slices.BinarySearchFunc(t.Hours, h, func(x Hour, h int64) int { return cmp.Compare(x.H, h) })
	switch {
	case !found && n > 0:
		t.Hours = slices.Insert(t.Hours, i, Hour{h, n})
	case found && t.Hours[i].N+n <= 0:
		t.Hours = slices.Delete(t.Hours, i, i+1)
	case found:
		t.Hours[i].N += n
	}
}

// Trim forgets what is too old to be looked at. Nothing that is asked of a
// Track with that now changes by it.
func (t *Track) Trim(now time.Time) {
	first := HourOf(now.Add(-KeepHours))
	i := sort.Search(len(t.Hours), func(i int) bool { return t.Hours[i].H >= first })
	t.Hours = slices.Delete(t.Hours, 0, i)
	slot := Slot(now.Add(-KeepRecent))
	i = sort.Search(len(t.Recent), func(i int) bool { return t.Recent[i].Slot >= slot })
	t.Recent = slices.Delete(t.Recent, 0, i)
	i = sort.Search(len(t.live), func(i int) bool { return t.live[i].Slot >= slot })
	t.live = slices.Delete(t.live, 0, i)
}

// Between is how many were said in the hours from ≤ h < to.
func (t *Track) Between(from, to int64) int {
	n := 0
	i := sort.Search(len(t.Hours), func(i int) bool { return t.Hours[i].H >= from })
	for ; i < len(t.Hours) && t.Hours[i].H < to; i++ {
		n += int(t.Hours[i].N)
	}
	return n
}

// In gives what was said in the buckets from ≤ slot < to, which must be recent.
func (t *Track) In(from, to int64) []Said {
	i := sort.Search(len(t.Recent), func(i int) bool { return t.Recent[i].Slot >= from })
	j := sort.Search(len(t.Recent), func(i int) bool { return t.Recent[i].Slot >= to })
	return t.Recent[i:j]
}
