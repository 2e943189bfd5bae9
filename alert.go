package earshot

import "time"

// States of an alert.
const (
	Firing       = "firing"
	Acknowledged = "acknowledged" // a person is on it
	Snoozed      = "snoozed"      // nothing is sent until SnoozedUntil
	Resolved     = "resolved"     // over; a new spike is a new alert
)

// AlertStates are the states of an alert.
var AlertStates = []string{Firing, Acknowledged, Snoozed, Resolved}

// DefaultRule is the rule every tenant has: it watches every issue and tells every webhook.
const DefaultRule = "issues-default"

// An Alert is one incident: a firing of a rule on a subject, from its first
// moment to its last.
type Alert struct {
	ID            string            `json:"id"` // "ALR-7"
	Rule          string            `json:"rule"`
	Detector      string            `json:"detector"` // "sudden", "newborn"
	State         string            `json:"state"`
	Subject       Subject           `json:"subject"`
	FiredAt       time.Time         `json:"fired_at"`
	ResolvedAt    *time.Time        `json:"resolved_at"`
	SnoozedUntil  *time.Time        `json:"snoozed_until,omitempty"`
	Observed      int               `json:"observed"` // verbatims in Window
	Expected      float64           `json:"expected"`
	Ratio         float64           `json:"ratio"` // Observed / max(Expected, a floor)
	Window        Window            `json:"window"`
	Customers     int               `json:"customers"` // distinct people in Window
	FirstVerbatim string            `json:"first_verbatim"`
	Examples      []string          `json:"examples"` // ids of verbatims
	Reason        string            `json:"reason"`
	Slice         map[string]string `json:"slice,omitempty"` // where most of it happens, if it is in one place
	History       []Event           `json:"history"`
	Deliveries    []DeliveryState   `json:"deliveries"`
	Votes         map[string]int    `json:"votes,omitempty"`
	Version       int               `json:"version"`
}

// A Subject is what an alert is about.
type Subject struct {
	Type  string `json:"type"` // issue
	ID    string `json:"id"`
	Title string `json:"title"`
}

// A Window is a half-open stretch of time.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// A DeliveryState says how far a webhook was told.
type DeliveryState struct {
	Webhook  string `json:"webhook"`
	State    string `json:"state"` // pending, delivered, failed
	Attempts int    `json:"attempts"`
}

// A Rule says what is watched and whom to tell.
type Rule struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	Subject      RuleSubject `json:"subject"`
	Measure      string      `json:"measure"`     // count
	Sensitivity  string      `json:"sensitivity"` // low, normal, high
	MinCustomers int         `json:"min_customers"`
	Webhooks     []string    `json:"webhooks"` // none: every webhook
	Enabled      bool        `json:"enabled"`
	Version      int         `json:"version"`
}

// A RuleSubject is what a rule watches.
type RuleSubject struct {
	Type string `json:"type"`         // issue
	ID   string `json:"id,omitempty"` // none: every one
	Q    string `json:"q,omitempty"`
}

// IssuesDefault is the rule every tenant has.
func IssuesDefault() Rule {
	return Rule{ID: DefaultRule, Name: "Issues that spike", Subject: RuleSubject{Type: "issue"}, Measure: "count",
		Sensitivity: "normal", MinCustomers: 3, Webhooks: []string{}, Enabled: true, Version: 1}
}
