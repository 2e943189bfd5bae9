package engine

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/store"
)

// A FeedEvent is something that happened, for those who listen.
type FeedEvent struct {
	ID   string // for Last-Event-ID
	Type string // verbatim, issue, alert
	Data []byte // JSON
}

// What a feed keeps for those who lag behind or come back. One who falls
// further behind is cut off.
const (
	feedEvents = 20_000
	feedBytes  = 16 << 20
)

// A feed hands what happens to those who listen. It never waits for them, and
// what they have not read yet is there once, however many they are.
type feed struct {
	mu    sync.Mutex
	first uint64        // id of kept[0]
	kept  []FeedEvent   // ids follow one another
	bytes int           // of the data in kept
	grown chan struct{} // closed when there is more; nil until somebody listens
}

// Subscribe gives what happens in a tenant from now on, or after the event
// named last if that is still known. The channel is closed when the listener
// falls too far behind, and after stop.
func (e *Engine) Subscribe(tenant, last string) (events <-chan FeedEvent, stop func()) {
	f := &e.tenant(tenant).feed
	next := f.listen(last)
	c := make(chan FeedEvent)
	done := make(chan struct{})
	go func() { // ends with stop, or when the listener is cut off
		defer close(c)
		for {
			ev, more, ok := f.at(next)
			switch {
			case !ok:
				return
			case more != nil:
				select {
				case <-more:
				case <-done:
					return
				}
				continue
			}
			next++
			if ev.Data == nil {
				continue // erased
			}
			select {
			case c <- ev:
			case <-done:
				return
			}
		}
	}()
	return c, sync.OnceFunc(func() { close(done) })
}

// listen gives the id of the first event that a listener is to get.
func (f *feed) listen(last string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.grown == nil {
		f.grown = make(chan struct{})
		f.first = uint64(time.Now().UnixMilli()) << 10 // ids grow also over a restart
	}
	end := f.first + uint64(len(f.kept))
	if n, err := strconv.ParseUint(last, 10, 64); err == nil && n < end {
		return max(n+1, f.first)
	}
	return end
}

// at gives the event of an id, or a channel that is closed when there may be
// one. It is not ok when the event is kept no more.
func (f *feed) at(id uint64) (ev FeedEvent, more <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch end := f.first + uint64(len(f.kept)); {
	case id < f.first:
		return ev, nil, false
	case id >= end:
		return ev, f.grown, true
	}
	return f.kept[id-f.first], nil, true
}

// listening says whether anybody has ever listened.
func (f *feed) listening() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.grown != nil
}

func (f *feed) send(kind string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.first + uint64(len(f.kept))
	f.kept = append(f.kept, FeedEvent{ID: strconv.FormatUint(id, 10), Type: kind, Data: data})
	f.bytes += len(data)
	drop := 0
	for ; len(f.kept)-drop > feedEvents || f.bytes > feedBytes && len(f.kept)-drop > 1; drop++ {
		f.bytes -= len(f.kept[drop].Data)
	}
	if drop > 0 {
		clear(f.kept[:drop])
		f.kept = f.kept[drop:]
		f.first += uint64(drop)
	}
	close(f.grown)
	f.grown = make(chan struct{})
}

// forget empties the events that speak of a verbatim, and those of issues and
// alerts, whose titles may be its words.
func (f *feed) forget(verbatim string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := []byte(`"` + verbatim + `"`)
	for i := range f.kept {
		if ev := &f.kept[i]; ev.Data != nil && (ev.Type != "verbatim" || bytes.Contains(ev.Data, id)) {
			f.bytes -= len(ev.Data)
			ev.Data = nil
		}
	}
}

// publish tells those who listen what a batch brought. t.applying is held.
// Nothing is worked out while nobody has ever listened.
func (e *Engine) publish(t *tenant, st *state, events []event, entries []*store.Entry) {
	if !t.feed.listening() {
		return
	}
	touched := map[int64]bool{}
	for _, entry := range entries {
		if entry.Record == nil {
			if entry.Type == store.TypeErase {
				t.feed.forget(entry.Verbatim)
			}
			continue
		}
		e.tell(t, "verbatim", entry.Record)
		for _, r := range entry.Record.Issues {
			if n, ok := issues.NumberOf(r.ID); ok {
				touched[st.issues.Current(n)] = true
			}
		}
	}
	for _, ev := range events {
		if ev.issue != 0 {
			touched[st.issues.Current(ev.issue)] = true
		}
	}
	for _, n := range slices.Sorted(maps.Keys(touched)) {
		if i := st.issues.Get(n); i != nil && i.Opened {
			e.tell(t, "issue", wireIssue(st, i))
		}
	}
	for _, ev := range events {
		if ev.alert != nil {
			e.tell(t, "alert", ev.alert)
		}
	}
}

func (e *Engine) tell(t *tenant, kind string, what any) {
	data, err := json.Marshal(what)
	if err != nil {
		e.log.Error("encode event", "tenant", t.id, "type", kind)
		return
	}
	t.feed.send(kind, data)
}
