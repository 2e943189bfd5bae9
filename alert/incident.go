package alert

import (
	"fmt"
	"time"

	"github.com/earshot-cx/earshot"
)

// Times of an incident.
const (
	calmFor   = time.Hour        // so long must every window be calm before it is over
	coolDown  = time.Hour        // so long after the end no new one opens ...
	settled   = 6 * time.Hour    // ... or so long, if a person ended it while it was still above: the longest window then holds nothing of it
	quietTell = 30 * time.Minute // between two tellings
	worse     = 2                // times as many, and times as fast, is materially worse
)

// A Memory is what is kept beside a subject's alerts, and stays from one alert
// to the next. The zero value is that of a subject that never had any.
type Memory struct {
	Calm     time.Time     `json:"calm,omitzero"`     // since when it has been calm without a break; zero: it is not
	Told     time.Time     `json:"told,omitzero"`     // when it last fired or was told to be worse
	Holds    time.Time     `json:"holds,omitzero"`    // until when no new alert opens
	Observed int           `json:"observed,omitzero"` // what was last told
	Span     time.Duration `json:"span,omitzero"`     // and of how long a window
}

// A Change is what became of an alert.
type Change struct {
	Changed bool   // the alert is to be saved; its Version has grown
	Event   string // whom it concerns is told so: "alert.fired", "alert.updated", "alert.acknowledged", "alert.resolved", or "" for nobody
	Reason  string // why, or why not
}

// The events of the wire contract.
const (
	Fired        = "alert.fired"
	Updated      = "alert.updated"
	Acknowledged = "alert.acknowledged"
	Resolved     = "alert.resolved"
)

// Opens says whether a verdict on a subject without a running alert is a new
// incident, and why (not).
func (m *Memory) Opens(v Verdict, now time.Time) (bool, string) {
	switch {
	case !v.Fired:
		return false, "below the threshold"
	case now.Before(m.Holds) && !m.worse(v):
		return false, "no new alert until " + m.Holds.UTC().Format("15:04") + ": the last one has just been resolved"
	}
	return true, "above the threshold"
}

// worse says whether a verdict is materially worse than what was last told: as
// compared in number and in pace, since windows differ.
func (m *Memory) worse(v Verdict) bool {
	span := v.Window.To.Sub(v.Window.From)
	return v.Observed >= worse*m.Observed && float64(v.Observed)*float64(m.Span) >= worse*float64(m.Observed)*float64(span)
}

func (m *Memory) tell(v Verdict, now time.Time) {
	m.Told, m.Observed, m.Span = now, v.Observed, v.Window.To.Sub(v.Window.From)
}

// Open begins an incident. The caller fills in the verbatims, the slice and the
// deliveries, and tells that it has Fired.
func Open(id, rule string, subject earshot.Subject, m *Memory, v Verdict, now time.Time, loc *time.Location) *earshot.Alert {
	*m = Memory{}
	a := &earshot.Alert{ID: id, Rule: rule, State: earshot.Firing, Subject: subject, FiredAt: now,
		Examples: []string{}, Deliveries: []earshot.DeliveryState{}}
	show(a, m, v, now, loc)
	Note(a, now, "system", "fired", a.Reason)
	return a
}

// show makes the alert say what v says, and remembers that it was told.
func show(a *earshot.Alert, m *Memory, v Verdict, now time.Time, loc *time.Location) {
	a.Detector = v.Detector
	Figures(a, v, loc)
	m.tell(v, now)
}

// Figures makes the alert say how bad it is, without anybody being told.
func Figures(a *earshot.Alert, v Verdict, loc *time.Location) {
	a.Window, a.Reason = v.Window, v.Reason(loc)
	a.Observed, a.Customers, a.Expected, a.Ratio = v.Observed, v.People, v.Expected, v.Ratio
}

// Note writes an event into the history. Every change does.
func Note(a *earshot.Alert, now time.Time, by, action, text string) {
	a.History = append(a.History, earshot.Event{At: now, By: by, Action: action, Note: text})
	a.Version++
}

// Look carries a running alert on: it is called every five minutes (of the
// stream's time), and may be called with each arrival.
func Look(a *earshot.Alert, m *Memory, v Verdict, now time.Time, loc *time.Location) Change {
	if a.State == earshot.Resolved {
		return Change{Reason: "it is resolved"}
	}
	switch {
	case !v.Calm:
		m.Calm = time.Time{}
	case m.Calm.IsZero():
		m.Calm = now
	}
	if a.State == earshot.Snoozed {
		return wake(a, m, v, now, loc)
	}
	switch {
	case !m.Calm.IsZero() && now.Sub(m.Calm) >= calmFor:
		return end(a, m, now, "system", "back to what is usual since "+clock(m.Calm, loc))
	case v.Fired && m.worse(v) && now.Sub(m.Told) >= quietTell:
		before := m.Observed
		show(a, m, v, now, loc)
		Note(a, now, "system", "updated", a.Reason)
		return Change{true, Updated, fmt.Sprintf("at least twice the %d last told", before)}
	case v.Calm:
		return Change{Reason: "calm since " + clock(m.Calm, loc)}
	case v.Fired:
		return Change{Reason: "still above, and not materially worse"}
	}
	return Change{Reason: "between the clear level and the threshold"}
}

// wake ends a snooze whose time has come.
func wake(a *earshot.Alert, m *Memory, v Verdict, now time.Time, loc *time.Location) Change {
	if a.SnoozedUntil != nil && now.Before(*a.SnoozedUntil) {
		return Change{Reason: "snoozed until " + clock(*a.SnoozedUntil, loc)}
	}
	if v.Calm {
		return end(a, m, now, "system", "back to what is usual since "+clock(m.Calm, loc))
	}
	a.State, a.SnoozedUntil = earshot.Firing, nil
	if v.Fired {
		show(a, m, v, now, loc)
	}
	m.Told = now
	Note(a, now, "system", "woke", "the snooze is over, and it is not")
	return Change{true, Updated, "the snooze is over, and it is not"}
}

// end resolves an alert.
func end(a *earshot.Alert, m *Memory, now time.Time, by, reason string) Change {
	hold := coolDown
	if by != "system" && m.Calm.IsZero() {
		hold = settled
	}
	m.Holds = now.Add(hold)
	a.State, a.ResolvedAt, a.SnoozedUntil = earshot.Resolved, &now, nil
	Note(a, now, by, "resolved", reason)
	return Change{true, Resolved, reason}
}

func clock(t time.Time, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	return t.In(loc).Format("15:04")
}
