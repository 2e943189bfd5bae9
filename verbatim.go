package earshot

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Span is a half-open range of byte offsets into a text: text[Start:End].
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// A Verbatim is one thing one customer said. A comment is a single Turn of
// the customer; a call transcript has many.
type Verbatim struct {
	ID           string         `json:"id,omitempty"`           // ours, "v_" and a ULID
	ExternalID   string         `json:"external_id,omitempty"`  // the sender's, unique within Source; sending it twice is harmless
	Source       string         `json:"source"`                 // "nps-2025", "app-store"; a facet
	Channel      string         `json:"channel"`                // one of Channels
	At           time.Time      `json:"at"`                     // when it was said, not when it arrived; UTC once accepted
	ReceivedAt   time.Time      `json:"received_at,omitzero"`   // when it was accepted; UTC
	Revision     int            `json:"revision,omitempty"`     // from 1; grows when the sender sends more of it
	Customer     string         `json:"customer,omitempty"`     // the sender's customer id, or a keyed hash where that was personal
	Author       string         `json:"author,omitempty"`       // the name under which it was posted
	Conversation string         `json:"conversation,omitempty"` // ties verbatims of one conversation together
	URL          string         `json:"url,omitempty"`
	Rating       *Rating        `json:"rating,omitempty"` // as the customer gave it; nil if there was none
	Fields       map[string]any `json:"fields,omitempty"` // the sender's own labels, flat: string, float64 or bool; facets
	Hint         string         `json:"hint,omitempty"`   // the sender's word on the language; "" if none
	Turns        []Turn         `json:"turns,omitempty"`  // at least one unless only Rating is given; already redacted once accepted
	Redactions   []Redaction    `json:"redactions,omitempty"`
	Notes        []Note         `json:"notes,omitempty"` // what was repaired on the way in
}

// A Turn is what one speaker said before the next one spoke.
type Turn struct {
	Speaker string   `json:"speaker"` // one of Speakers
	Text    string   `json:"text"`
	StartS  *float64 `json:"start_s,omitempty"` // seconds into the recording, nil where there is none
	EndS    *float64 `json:"end_s,omitempty"`
}

// A Rating is the number a customer gave, with the scale it stands on.
type Rating struct {
	Value float64  `json:"value"`
	Scale string   `json:"scale,omitempty"` // one of RatingScales, or "" with Min and Max
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
}

// A Redaction is a placeholder that stands in the text where something
// personal stood. Start and End are where the placeholder is now.
type Redaction struct {
	Type        string  `json:"type"`        // "EMAIL", "PHONE", "CARD", …
	Placeholder string  `json:"placeholder"` // "[PHONE_1]"; the same value has the same number throughout a verbatim
	Start       int     `json:"start"`       // byte offset into Verbatim.Text
	End         int     `json:"end"`
	Confidence  float64 `json:"confidence"` // 0 … 1
}

// A Note tells the sender what was repaired in what they sent.
type Note struct {
	Code string `json:"code"` // "text_cleaned"
}

// NoteTextCleaned says that invalid UTF-8, NUL or bidi controls were replaced.
const NoteTextCleaned = "text_cleaned"

// The closed vocabularies of the wire contract, in the order in which the contract gives them.
var (
	Channels = []string{"chat", "call", "social", "review", "survey", "email", "store", "other"}
	Speakers = []string{"customer", "agent", "bot", "employee", "unknown"}
	Intents  = []string{"complaint", "problem", "question", "request", "status", "refund", "cancel",
		"purchase", "praise", "recommend", "suggestion", "escalate", "social", "other"}
	Emotions = []string{"joy", "gratitude", "anger", "frustration", "disappointment", "worry", "surprise", "confusion"}
	Flags    = []string{"urgent", "churn", "agent", "ironic", "unclear"}
	Frames   = []string{"repeat_contact", "transfer", "waiting", "repeat_information", "channel_switch",
		"self_service_failure", "complexity", "ease"}
	RedactionTypes = []string{"EMAIL", "PHONE", "CARD", "TH_ID", "CN_ID", "TW_ID", "HK_ID", "PASSPORT",
		"BANK_ACCOUNT", "IP", "URL", "LINE_ID", "WECHAT_ID", "NAME", "ADDRESS"}
)

// RatingScales gives the bounds of each named scale.
var RatingScales = map[string][2]float64{"nps": {0, 10}, "csat": {1, 5}, "ces": {1, 7}, "stars": {1, 5}}

// Defaults of the wire contract for what a sender left out.
const (
	DefaultSource  = "api"
	DefaultChannel = "other"
)

// Limits on one verbatim. Sizes are bytes unless said otherwise.
const (
	MaxText       = 1_000_000 // all turns together, newlines between them included
	MaxTurns      = 10_000
	MaxName       = 256 // source, external id, customer, author, conversation
	MaxURL        = 2048
	MaxFields     = 50
	MaxFieldName  = 64
	MaxFieldValue = 1024
)

// Earliest is the first instant at which a verbatim can have been said.
var Earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// MaxAhead is how far in the future a verbatim may have been said, for
// senders whose clock or zone is off.
const MaxAhead = 24 * time.Hour

// Text is the turns joined by a newline; "" for a bare rating. Every offset of
// an Analysis points into it.
func (v *Verbatim) Text() string {
	if len(v.Turns) == 1 {
		return v.Turns[0].Text
	}
	var b strings.Builder
	for i, t := range v.Turns {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(t.Text)
	}
	return b.String()
}

// TurnSpans gives where each turn lies in Text, in order.
func (v *Verbatim) TurnSpans() []Span {
	spans := make([]Span, len(v.Turns))
	at := 0
	for i, t := range v.Turns {
		spans[i] = Span{at, at + len(t.Text)}
		at += len(t.Text) + 1
	}
	return spans
}

// Person is by whom distinct people are counted: the customer, else the
// author, else the conversation, else the verbatim itself.
func (v *Verbatim) Person() string {
	switch {
	case v.Customer != "":
		return "c:" + v.Customer
	case v.Author != "":
		return "a:" + v.Author
	case v.Conversation != "":
		return "t:" + v.Conversation
	}
	return "v:" + v.ID
}

// SetDefaults fills in what the sender left out. now is the time of arrival.
func (v *Verbatim) SetDefaults(now time.Time) {
	if v.Source == "" {
		v.Source = DefaultSource
	}
	if v.Channel == "" {
		v.Channel = DefaultChannel
	}
	if v.At.IsZero() {
		v.At = now
	}
	v.At = v.At.UTC()
	for i := range v.Turns {
		if v.Turns[i].Speaker == "" {
			v.Turns[i].Speaker = "unknown"
		}
	}
}

// Validate says everything that is wrong with a verbatim as it was sent, as one
// *Error of code Invalid, or nil. now is the time of arrival. Pointers are
// those of the wire form; asTurns says whether it was sent as "turns" (true)
// or as "text".
func (v *Verbatim) Validate(now time.Time, asTurns bool) error {
	var bad []FieldError
	wrong := func(pointer, code, format string, args ...any) {
		bad = append(bad, FieldError{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	tooLong := func(pointer, what string, n, limit int) {
		if n > limit {
			bad = append(bad, FieldError{Pointer: pointer, Code: "too_long", Limit: limit,
				Detail: fmt.Sprintf("%s has %d bytes; the limit is %d", what, n, limit)})
		}
	}
	tooLong("/external_id", "external_id", len(v.ExternalID), MaxName)
	tooLong("/source", "source", len(v.Source), MaxName)
	tooLong("/customer", "customer", len(v.Customer), MaxName)
	tooLong("/author", "author", len(v.Author), MaxName)
	tooLong("/conversation", "conversation", len(v.Conversation), MaxName)
	tooLong("/url", "url", len(v.URL), MaxURL)
	if v.Channel != "" && !slices.Contains(Channels, v.Channel) {
		wrong("/channel", "unknown_value", "channel is not one of %s", strings.Join(Channels, ", "))
	}
	if !v.At.IsZero() && v.At.Before(Earliest) {
		wrong("/at", "out_of_range", "at is before %s", Earliest.Format(time.DateOnly))
	}
	if v.At.After(now.Add(MaxAhead)) {
		wrong("/at", "out_of_range", "at is more than a day ahead of now, %s", now.UTC().Format(time.RFC3339))
	}
	if len(v.Hint) > 35 {
		wrong("/lang", "too_long", "lang is not a language tag")
	}
	bad = v.validateTurns(bad, asTurns)
	if v.Rating != nil {
		bad = v.Rating.validate(bad)
	}
	if len(v.Turns) == 0 && v.Rating == nil {
		wrong("", "required", "one of text, turns or rating is required")
	}
	bad = validateFields(v.Fields, bad)
	if len(bad) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Message: plural(len(bad), "field is wrong", "fields are wrong"), Fields: bad}
}

func (v *Verbatim) validateTurns(bad []FieldError, asTurns bool) []FieldError {
	if len(v.Turns) > MaxTurns {
		bad = append(bad, FieldError{Pointer: "/turns", Code: "too_many", Limit: MaxTurns,
			Detail: fmt.Sprintf("there are %d turns; the limit is %d", len(v.Turns), MaxTurns)})
	}
	total := max(0, len(v.Turns)-1)
	for i, t := range v.Turns {
		total += len(t.Text)
		at := fmt.Sprintf("/turns/%d", i)
		if t.Speaker != "" && !slices.Contains(Speakers, t.Speaker) {
			bad = append(bad, FieldError{Pointer: at + "/speaker", Code: "unknown_value",
				Detail: "speaker is not one of " + strings.Join(Speakers, ", ")})
		}
		for name, s := range map[string]*float64{"start_s": t.StartS, "end_s": t.EndS} {
			if s != nil && (*s < 0 || math.IsNaN(*s) || math.IsInf(*s, 0)) {
				bad = append(bad, FieldError{Pointer: at + "/" + name, Code: "out_of_range", Detail: name + " is not a number of seconds from 0 up"})
			}
		}
		if t.StartS != nil && t.EndS != nil && *t.EndS < *t.StartS {
			bad = append(bad, FieldError{Pointer: at + "/end_s", Code: "out_of_range", Detail: "end_s is before start_s"})
		}
	}
	if total > MaxText {
		pointer := "/text"
		if asTurns {
			pointer = "/turns"
		}
		bad = append(bad, FieldError{Pointer: pointer, Code: "too_long", Limit: MaxText,
			Detail: fmt.Sprintf("text has %d bytes; the limit is %d", total, MaxText)})
	}
	if !asTurns && len(v.Turns) == 1 && strings.TrimSpace(v.Turns[0].Text) == "" {
		bad = append(bad, FieldError{Pointer: "/text", Code: "empty", Detail: "text is empty"})
	}
	return bad
}

func (r *Rating) validate(bad []FieldError) []FieldError {
	var lo, hi float64
	switch {
	case r.Scale != "" && (r.Min != nil || r.Max != nil):
		return append(bad, FieldError{Pointer: "/rating", Code: "invalid", Detail: "rating has a scale and its own bounds; one of them is enough"})
	case r.Scale != "":
		b, ok := RatingScales[r.Scale]
		if !ok {
			return append(bad, FieldError{Pointer: "/rating/scale", Code: "unknown_value", Detail: "scale is not one of nps, csat, ces, stars"})
		}
		lo, hi = b[0], b[1]
	case r.Min != nil && r.Max != nil:
		lo, hi = *r.Min, *r.Max
		if !(lo < hi) {
			return append(bad, FieldError{Pointer: "/rating/max", Code: "out_of_range", Detail: "max is not above min"})
		}
	default:
		return append(bad, FieldError{Pointer: "/rating", Code: "required", Detail: "rating needs a scale, or min and max"})
	}
	if !(lo <= r.Value && r.Value <= hi) {
		bad = append(bad, FieldError{Pointer: "/rating/value", Code: "out_of_range",
			Detail: fmt.Sprintf("rating %v is outside %v–%v", r.Value, lo, hi)})
	}
	return bad
}

func validateFields(fields map[string]any, bad []FieldError) []FieldError {
	if len(fields) > MaxFields {
		bad = append(bad, FieldError{Pointer: "/fields", Code: "too_many", Limit: MaxFields,
			Detail: fmt.Sprintf("there are %d fields; the limit is %d", len(fields), MaxFields)})
	}
	for name, value := range fields {
		at := "/fields/" + EscapePointer(name)
		if name == "" || len(name) > MaxFieldName || !utf8.ValidString(name) {
			bad = append(bad, FieldError{Pointer: at, Code: "invalid", Limit: MaxFieldName, Detail: fmt.Sprintf("a field's name has 1 to %d bytes", MaxFieldName)})
		}
		switch x := value.(type) {
		case string:
			if len(x) > MaxFieldValue {
				bad = append(bad, FieldError{Pointer: at, Code: "too_long", Limit: MaxFieldValue,
					Detail: fmt.Sprintf("the field has %d bytes; the limit is %d", len(x), MaxFieldValue)})
			}
		case float64, bool:
		default:
			bad = append(bad, FieldError{Pointer: at, Code: "invalid", Detail: "a field is a string, a number, true or false"})
		}
	}
	return bad
}

// EscapePointer escapes one reference token of a JSON pointer (RFC 6901).
func EscapePointer(token string) string {
	if !strings.ContainsAny(token, "~/") {
		return token
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
