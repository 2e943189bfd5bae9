package engine

import (
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

const (
	feedKeeps  = 4000 // events that one who comes back can still be given
	feedBuffer = 8000 // events that one who listens may lag behind before being cut off: some batches' worth
)

// A feed hands what happens to those who listen. It never waits for them.
type feed struct {
	mu        sync.Mutex
	next      uint64
	kept      []FeedEvent
	listeners map[chan FeedEvent]bool
}

// Subscribe gives what happens in a tenant from now on, or after the event
// named last if that is still known. The channel is closed when the listener
// falls too far behind, and by stop.
func (e *Engine) Subscribe(tenant, last string) (events <-chan FeedEvent, stop func()) {
	f := &e.tenant(tenant).feed
	f.mu.Lock()
	defer f.mu.Unlock()
	missed := f.after(last)
	c := make(chan FeedEvent, len(missed)+feedBuffer)
	for _, m := range missed {
		c <- m
	}
	if f.listeners == nil {
		f.listeners = map[chan FeedEvent]bool{}
	}
	f.listeners[c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drop(c)
	}
}

// after gives the events after the one named.
func (f *feed) after(id string) []FeedEvent {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n >= f.next || f.next == 0 {
		return nil
	}
	first := f.next - uint64(len(f.kept)) + 1
	return f.kept[max(n+1, first)-first:]
}

func (f *feed) drop(c chan FeedEvent) {
	if f.listeners[c] {
		delete(f.listeners, c)
		close(c)
	}
}

// listening says whether anybody is to be told.
func (f *feed) listening() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.listeners) > 0 || len(f.kept) > 0
}

func (f *feed) send(kind string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == 0 {
		f.next = uint64(time.Now().UnixMilli()) << 10 // ids grow also over a restart
	}
	f.next++
	ev := FeedEvent{ID: strconv.FormatUint(f.next, 10), Type: kind, Data: data}
	if len(f.kept) == feedKeeps {
		f.kept = append(f.kept[:0], f.kept[feedKeeps/2:]...)
	}
	f.kept = append(f.kept, ev)
	for c := range f.listeners {
		select {
		case c <- ev:
		default:
			f.drop(c)
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
			continue
		}
		e.tell(t, "verbatim", entry.Record)
		for _, r := range entry.Record.Issues {
			if n, ok := issues.NumberOf(r.ID); ok {
				touched[st.issues.Current(n)] = true
			}
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
