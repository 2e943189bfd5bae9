package alert

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
)

// Votes on whether an alert was worth being told.
var Votes = []string{"useful", "noise", "duplicate"}

// Limits of commands.
const (
	MinSnooze = time.Minute
	MaxSnooze = 30 * 24 * time.Hour
	MaxNote   = 2000 // characters
	sameAgain = 5 * time.Minute
)

// Command carries out what a person asked for: "acknowledge", "snooze" (args is
// how long: "4h"), "resolve", "vote" (one of Votes; a person has one, the last)
// or "note" (the text). Asking for what is so already changes nothing and is no
// error; what the state does not allow is a Conflict.
func Command(a *earshot.Alert, m *Memory, action, args, by string, now time.Time) (Change, error) {
	over := a.State == earshot.Resolved
	switch action {
	case "acknowledge":
		switch {
		case over:
			return Change{}, earshot.Errorf(earshot.Conflict, "A resolved alert can't be acknowledged")
		case a.State == earshot.Acknowledged:
			return Change{Reason: "it is acknowledged already"}, nil
		}
		a.State, a.SnoozedUntil = earshot.Acknowledged, nil
		Note(a, now, by, "acknowledged", "")
		return Change{true, Acknowledged, "a person is on it"}, nil
	case "snooze":
		if over {
			return Change{}, earshot.Errorf(earshot.Conflict, "A resolved alert can't be snoozed")
		}
		return snooze(a, args, by, now)
	case "resolve":
		if over {
			return Change{Reason: "it is resolved already"}, nil
		}
		return end(a, m, now, by, ""), nil
	case "vote":
		return vote(a, args, by, now)
	case "note":
		switch {
		case args == "" || utf8.RuneCountInString(args) > MaxNote:
			return Change{}, earshot.Errorf(earshot.Invalid, "a note has 1 to %d characters", MaxNote)
		case lastOf(a, by, "noted") == args:
			return Change{Reason: "that is noted already"}, nil
		}
		Note(a, now, by, "noted", args)
		return Change{Changed: true, Reason: "noted"}, nil
	}
	return Change{}, earshot.Errorf(earshot.Invalid, "an alert can't be told to do that")
}

// snooze keeps an alert quiet for a while. Within five minutes the same wish is
// a repeat; later it counts from its own time.
func snooze(a *earshot.Alert, args, by string, now time.Time) (Change, error) {
	d, err := time.ParseDuration(args)
	if err != nil || d < MinSnooze || d > MaxSnooze {
		return Change{}, earshot.Errorf(earshot.Invalid, "an alert is snoozed for 1m to 720h, written like 30m or 4h")
	}
	until := now.Add(d)
	if a.State == earshot.Snoozed && a.SnoozedUntil != nil && until.Sub(*a.SnoozedUntil).Abs() <= sameAgain {
		return Change{Reason: "it is snoozed already"}, nil
	}
	a.State, a.SnoozedUntil = earshot.Snoozed, &until
	Note(a, now, by, "snoozed", d.String())
	return Change{Changed: true, Reason: "nothing is sent until then"}, nil
}

// vote counts a person's vote in the place of their earlier one.
func vote(a *earshot.Alert, value, by string, now time.Time) (Change, error) {
	if !slices.Contains(Votes, value) {
		return Change{}, earshot.Errorf(earshot.Invalid, "a vote is useful, noise or duplicate")
	}
	before := lastOf(a, by, "voted")
	if before == value {
		return Change{Reason: "that is their vote already"}, nil
	}
	if a.Votes == nil {
		a.Votes = map[string]int{}
	}
	if before != "" {
		if a.Votes[before]--; a.Votes[before] <= 0 {
			delete(a.Votes, before)
		}
	}
	a.Votes[value]++
	Note(a, now, by, "voted", value)
	return Change{Changed: true, Reason: "counted"}, nil
}

// lastOf is what a person said when they last did something; "" if they never did.
func lastOf(a *earshot.Alert, by, action string) string {
	for _, e := range slices.Backward(a.History) {
		if e.By == by && e.Action == action {
			return e.Note
		}
	}
	return ""
}
