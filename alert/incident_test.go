package alert

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// seen is a verdict on a window that ends at the bucket of now.
func seen(now time.Time, span time.Duration, n int, fired, calm bool) Verdict {
	return Verdict{Fired: fired, Calm: calm, Detector: Sudden, Observed: n, People: n, Expected: 2, Ratio: float64(n) / 2,
		Window: earshot.Window{From: now.Add(-span), To: now}}
}

// TestIncident leads alerts through a script: each step happens so many minutes
// after noon and says what should have come of it.
func TestIncident(t *testing.T) {
	type step struct {
		at     int    // minutes
		do     string // "above", "between", "calm", or a command with its argument
		n      int    // verbatims in the hour, of "above"
		event  string
		state  string
		failed earshot.Code
	}
	scripts := map[string][]step{
		"one while it lasts": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 5, do: "above", n: 22, state: earshot.Firing},
			{at: 60, do: "between", state: earshot.Firing},
			{at: 65, do: "calm", state: earshot.Firing},
			{at: 120, do: "between", state: earshot.Firing},
			{at: 125, do: "calm", state: earshot.Firing},
			{at: 180, do: "calm", state: earshot.Firing},
			{at: 185, do: "calm", event: Resolved, state: earshot.Resolved},
		},
		"flapping opens no second": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 5, do: "calm", state: earshot.Firing},
			{at: 65, do: "calm", event: Resolved, state: earshot.Resolved},
			{at: 70, do: "above", n: 20, state: earshot.Resolved},
			{at: 120, do: "above", n: 20, state: earshot.Resolved},
			{at: 125, do: "above", n: 20, event: Fired, state: earshot.Firing},
		},
		"far worse opens a second at once": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 10, do: "resolve", event: Resolved, state: earshot.Resolved},
			{at: 15, do: "above", n: 39, state: earshot.Resolved},
			{at: 20, do: "above", n: 40, event: Fired, state: earshot.Firing},
		},
		"resolved by a person while above: quiet for six hours": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 10, do: "resolve", event: Resolved, state: earshot.Resolved},
			{at: 10, do: "resolve", state: earshot.Resolved},
			{at: 100, do: "above", n: 25, state: earshot.Resolved},
			{at: 369, do: "above", n: 25, state: earshot.Resolved},
			{at: 370, do: "above", n: 25, event: Fired, state: earshot.Firing},
		},
		"worse is told, not too often": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 25, do: "above", n: 60, state: earshot.Firing},
			{at: 30, do: "above", n: 60, event: Updated, state: earshot.Firing},
			{at: 45, do: "above", n: 150, state: earshot.Firing},
			{at: 60, do: "above", n: 110, state: earshot.Firing},
			{at: 65, do: "above", n: 120, event: Updated, state: earshot.Firing},
		},
		"acknowledged": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 1, do: "acknowledge", event: Acknowledged, state: earshot.Acknowledged},
			{at: 2, do: "acknowledge", state: earshot.Acknowledged},
			{at: 40, do: "above", n: 50, event: Updated, state: earshot.Acknowledged},
			{at: 60, do: "calm", state: earshot.Acknowledged},
			{at: 120, do: "calm", event: Resolved, state: earshot.Resolved},
			{at: 121, do: "acknowledge", state: earshot.Resolved, failed: earshot.Conflict},
			{at: 121, do: "snooze 1h", state: earshot.Resolved, failed: earshot.Conflict},
			{at: 121, do: "resolve", state: earshot.Resolved},
			{at: 122, do: "vote useful", state: earshot.Resolved},
		},
		"snoozed, and it goes on": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 1, do: "snooze 2h", state: earshot.Snoozed},
			{at: 3, do: "snooze 2h", state: earshot.Snoozed},
			{at: 40, do: "above", n: 90, state: earshot.Snoozed},
			{at: 120, do: "above", n: 90, state: earshot.Snoozed},
			{at: 121, do: "above", n: 90, event: Updated, state: earshot.Firing},
			{at: 126, do: "above", n: 200, state: earshot.Firing},
		},
		"snoozed, and it is over": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 1, do: "snooze 4h", state: earshot.Snoozed},
			{at: 60, do: "calm", state: earshot.Snoozed},
			{at: 200, do: "calm", state: earshot.Snoozed},
			{at: 245, do: "calm", event: Resolved, state: earshot.Resolved},
		},
		"a snooze can be acknowledged, and longer": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 1, do: "snooze 1h", state: earshot.Snoozed},
			{at: 50, do: "snooze 1h", state: earshot.Snoozed},
			{at: 65, do: "above", n: 20, state: earshot.Snoozed},
			{at: 70, do: "acknowledge", event: Acknowledged, state: earshot.Acknowledged},
		},
		"wishes that make no sense": {
			{at: 0, do: "above", n: 20, event: Fired, state: earshot.Firing},
			{at: 1, do: "snooze", state: earshot.Firing, failed: earshot.Invalid},
			{at: 1, do: "snooze -1h", state: earshot.Firing, failed: earshot.Invalid},
			{at: 1, do: "snooze 721h", state: earshot.Firing, failed: earshot.Invalid},
			{at: 1, do: "vote great", state: earshot.Firing, failed: earshot.Invalid},
			{at: 1, do: "note", state: earshot.Firing, failed: earshot.Invalid},
			{at: 1, do: "dance", state: earshot.Firing, failed: earshot.Invalid},
		},
	}
	for name, steps := range scripts {
		t.Run(name, func(t *testing.T) {
			var a *earshot.Alert
			var m Memory
			for i, s := range steps {
				now := noon.Add(time.Duration(s.at) * time.Minute)
				v := seen(now, time.Hour, s.n, s.do == "above", s.do == "calm")
				action, args, _ := strings.Cut(s.do, " ")
				version, told := 0, 0
				if a != nil {
					version, told = a.Version, len(a.History)
				}
				var c Change
				var err error
				switch action {
				case "above", "between", "calm":
					if a == nil || a.State == earshot.Resolved {
						var ok bool
						if ok, c.Reason = m.Opens(v, now); ok {
							a = Open("ALR-1", earshot.DefaultRule, earshot.Subject{Type: "issue", ID: "ISS-1"}, &m, v, now, nil)
							c, version, told = Change{true, Fired, c.Reason}, 0, 0
						}
					} else {
						c = Look(a, &m, v, now, nil)
					}
				default:
					c, err = Command(a, &m, action, args, "k_1", now)
				}
				if got := earshot.CodeOf(err); got != s.failed {
					t.Fatalf("step %d, %s: %v, want code %q", i, s.do, err, s.failed)
				}
				if c.Event != s.event || a.State != s.state {
					t.Errorf("step %d, %s at %d: %s, event %q (%s); want %s, %q", i, s.do, s.at, a.State, c.Event, c.Reason, s.state, s.event)
				}
				if err == nil && c.Reason == "" && action != "resolve" {
					t.Errorf("step %d, %s: no reason", i, s.do)
				}
				want := 0
				if c.Changed {
					want = 1
				}
				if a.Version-version != want || len(a.History)-told != want {
					t.Errorf("step %d, %s: version %d after %d, %d events after %d; changed is %v", i, s.do, a.Version, version, len(a.History), told, c.Changed)
				}
				if (a.State == earshot.Snoozed) != (a.SnoozedUntil != nil) || (a.State == earshot.Resolved) != (a.ResolvedAt != nil) {
					t.Errorf("step %d, %s: %s with snoozed_until %v and resolved_at %v", i, s.do, a.State, a.SnoozedUntil, a.ResolvedAt)
				}
				m = throughJSON(t, m)
			}
		})
	}
}

// throughJSON stores a value and reads it again, as its keeper does.
func throughJSON[T any](t *testing.T, v T) (again T) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &again)
	}
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestWorseIsOfPaceToo(t *testing.T) {
	m := Memory{Observed: 20, Span: 15 * time.Minute}
	for _, c := range []struct {
		span  time.Duration
		n     int
		worse bool
	}{
		{time.Hour, 80, false}, // as fast as before: the window is longer
		{time.Hour, 160, true},
		{15 * time.Minute, 39, false},
		{15 * time.Minute, 40, true},
	} {
		if got := m.worse(seen(noon, c.span, c.n, true, false)); got != c.worse {
			t.Errorf("%d in %v after 20 in 15m: worse is %v", c.n, c.span, got)
		}
	}
}

func TestVotesAndNotes(t *testing.T) {
	var m Memory
	a := Open("ALR-1", earshot.DefaultRule, earshot.Subject{}, &m, seen(noon, time.Hour, 20, true, false), noon, nil)
	do := func(action, args, by string, changed bool) {
		t.Helper()
		if c, err := Command(a, &m, action, args, by, noon); err != nil || c.Changed != changed || c.Event != "" {
			t.Errorf("%s %q by %s: %+v, %v; want changed %v", action, args, by, c, err, changed)
		}
	}
	do("vote", "useful", "k_1", true)
	do("vote", "useful", "k_1", false)
	do("vote", "noise", "k_2", true)
	do("vote", "noise", "k_1", true)
	if want := map[string]int{"noise": 2}; !reflect.DeepEqual(a.Votes, want) {
		t.Errorf("votes are %v, want %v", a.Votes, want)
	}
	do("note", "told the warehouse", "k_1", true)
	do("note", "told the warehouse", "k_1", false)
	do("note", "told the warehouse", "k_2", true)
	if got := a.History[len(a.History)-1]; got.By != "k_2" || got.Action != "noted" || got.Note != "told the warehouse" {
		t.Errorf("last event is %+v", got)
	}
}

func TestConflictNamesTheState(t *testing.T) {
	a := &earshot.Alert{State: earshot.Resolved}
	_, err := Command(a, &Memory{}, "acknowledge", "", "k_1", noon)
	if err == nil || err.Error() != "A resolved alert can't be acknowledged" {
		t.Error(err)
	}
}
