package earshot

import (
	"bytes"
	"encoding/json"
	"time"
)

// MarshalJSON gives the wire form of a verbatim with its analysis (section 3 of
// the contract). Identity fields that are not set are left out; of a record
// that waits to be analysed the scores are null and "pending" is true.
func (r *Record) MarshalJSON() ([]byte, error) {
	v := &r.Verbatim
	w := wireRecord{
		ID: v.ID, ExternalID: v.ExternalID, Source: v.Source, Channel: v.Channel, At: timeOrNil(v.At), ReceivedAt: timeOrNil(v.ReceivedAt),
		Revision: v.Revision, Customer: v.Customer, Author: v.Author, Conversation: v.Conversation, URL: v.URL,
		Rating: v.Rating, Fields: v.Fields, Text: v.Text(), Turns: make([]wireTurn, len(v.Turns)), Notes: v.Notes,
		Redactions: orEmpty(v.Redactions), Issues: orEmpty(r.Issues), Pending: r.Analysis == nil,
	}
	for i, span := range v.TurnSpans() {
		t := v.Turns[i]
		w.Turns[i] = wireTurn{Speaker: t.Speaker, Span: span, StartS: t.StartS, EndS: t.EndS}
	}
	a := r.Analysis
	if a == nil {
		a = &Analysis{}
	} else {
		w.Lang, w.Model, w.Lexicon = &a.Lang, &a.Model, &a.Lexicon
	}
	w.Langs, w.Sentiment, w.Intents, w.Emotions = orEmpty(a.Langs), a.Sentiment, orEmpty(a.Intents), orEmpty(a.Emotions)
	w.Flags, w.Abstained, w.Aspects = orEmpty(a.Flags), orEmpty(a.Abstained), orEmpty(a.Aspects)
	w.Segments, w.Evidence, w.Employee = orEmpty(a.Segments), orEmpty(a.Evidence), a.Employee
	if e := a.Effort; e != nil {
		w.Effort = &wireEffort{e.Score, e.Label, e.Confidence, orEmpty(e.Frames)}
	}
	return marshal(w)
}

type wireRecord struct {
	ID           string            `json:"id,omitempty"`
	ExternalID   string            `json:"external_id,omitempty"`
	Source       string            `json:"source,omitempty"`
	Channel      string            `json:"channel,omitempty"`
	At           *time.Time        `json:"at,omitempty"`
	ReceivedAt   *time.Time        `json:"received_at,omitempty"`
	Revision     int               `json:"revision,omitempty"`
	Customer     string            `json:"customer,omitempty"`
	Author       string            `json:"author,omitempty"`
	Conversation string            `json:"conversation,omitempty"`
	URL          string            `json:"url,omitempty"`
	Rating       *Rating           `json:"rating,omitempty"`
	Fields       map[string]any    `json:"fields,omitempty"`
	Text         string            `json:"text"`
	Turns        []wireTurn        `json:"turns"`
	Pending      bool              `json:"pending,omitempty"`
	Lang         *string           `json:"lang"`
	Langs        []LangSpan        `json:"langs"`
	Sentiment    *Sentiment        `json:"sentiment"`
	Effort       *wireEffort       `json:"effort"`
	Intents      []Label           `json:"intents"`
	Emotions     []Emotion         `json:"emotions"`
	Flags        []string          `json:"flags"`
	Abstained    []string          `json:"abstained"`
	Aspects      []Aspect          `json:"aspects"`
	Segments     []Segment         `json:"segments"`
	Evidence     []Evidence        `json:"evidence"`
	Redactions   []Redaction       `json:"redactions"`
	Issues       []IssueRef        `json:"issues"`
	Employee     *EmployeeAnalysis `json:"employee,omitempty"`
	Model        *string           `json:"model"`
	Lexicon      *string           `json:"lexicon"`
	Notes        []Note            `json:"notes,omitempty"`
}

type wireTurn struct {
	Speaker string `json:"speaker"`
	Span
	StartS *float64 `json:"start_s"`
	EndS   *float64 `json:"end_s"`
}

// wireEffort is an Effort of the whole verbatim: its frames are always there.
type wireEffort struct {
	Score      float64 `json:"score"`
	Label      string  `json:"label"`
	Confidence float64 `json:"confidence"`
	Frames     []Frame `json:"frames"`
}

// marshal is json.Marshal without HTML escapes: "<" is a customer's "<".
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
