package earshot

import "time"

// EventTypes are what a webhook can be told of.
var EventTypes = []string{"alert.fired", "alert.updated", "alert.acknowledged", "alert.resolved", "issue.opened"}

// WebhookFormats are the shapes in which a webhook can be told.
var WebhookFormats = []string{"standard"}

// A Webhook is an address that is told of events.
type Webhook struct {
	ID        string    `json:"id"` // "w_" and a ULID
	URL       string    `json:"url"`
	Events    []string  `json:"events"` // some of EventTypes
	Format    string    `json:"format"` // one of WebhookFormats
	CreatedAt time.Time `json:"created_at"`
	Secret    string    `json:"secret,omitempty"` // "whsec_…"; shown once
	Previous  string    `json:"-"`                // the secret before it was rotated; signs too until PreviousUntil
	Until     time.Time `json:"-"`
	Enabled   bool      `json:"enabled"`
	Version   int       `json:"version"`
}

// States of a delivery.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Failed    = "failed" // given up; Error says why
)

// A Delivery is one message to one webhook.
type Delivery struct {
	ID        string     `json:"id"`      // "msg_" and more: the webhook-id header, the same in every attempt
	Webhook   string     `json:"webhook"` //
	Type      string     `json:"type"`    // one of EventTypes, or "test"
	Alert     string     `json:"alert,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"next_at"`          // of the next attempt; nil when there is none
	DoneAt    *time.Time `json:"done_at"`          // when it was delivered or given up
	Status    int        `json:"status,omitempty"` // what the receiver answered last
	Error     string     `json:"error,omitempty"`  // what went wrong last
	Body      []byte     `json:"-"`                // sent as it stands
}
