package query

import (
	"slices"
	"strconv"
	"strings"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// A Document is a record prepared for matching: cut once, judged by any number
// of queries. It keeps the record, which must not change meanwhile.
type Document struct {
	rec   *earshot.Record
	tok   Tokenizer
	turns []turn
}

// A turn is one turn of a Document; what is in it has offsets into the turn.
type turn struct {
	start  int // where it lies in Verbatim.Text
	units  []nlp.Unit
	tokens []nlp.Token
}

// NewDocument prepares a record.
func NewDocument(r *earshot.Record, tok Tokenizer) *Document {
	d := &Document{rec: r, tok: tok, turns: make([]turn, len(r.Verbatim.Turns))}
	for i, at := range r.Verbatim.TurnSpans() {
		text := r.Verbatim.Turns[i].Text
		d.turns[i] = turn{start: at.Start, units: nlp.Units(nil, text), tokens: tok.Tokens(text)}
	}
	return d
}

// FieldPrefix begins the name of a field of the sender's own: field.store.
const FieldPrefix = "field."

// Numbers are the names, beside FieldPrefix, that can stand before a range of numbers.
var Numbers = []string{"sentiment", "effort", "rating"}

// FieldValues is what a field of a record holds, each value once, as written:
// fold with nlp.FoldField to compare. lang is the main language of the text
// only. A bool is "true" or "false", a number is written out ("100", "0.5").
func FieldValues(r *earshot.Record, name string) []string {
	v := &r.Verbatim
	var values []string
	add := func(value string) {
		if value != "" && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	switch name {
	case "channel":
		add(v.Channel)
	case "source":
		add(v.Source)
	case "customer":
		add(v.Customer)
	case "author":
		add(v.Author)
	case "conversation":
		add(v.Conversation)
	case "external_id":
		add(v.ExternalID)
	case "speaker":
		for _, t := range v.Turns {
			add(t.Speaker)
		}
	case "issue":
		for _, i := range r.Issues {
			add(i.ID)
		}
	case "lang", "intent", "emotion", "flag", "topic":
		if r.Analysis != nil {
			addAnalysis(r.Analysis, name, add)
		}
	default:
		if own, ok := strings.CutPrefix(name, FieldPrefix); ok {
			add(fieldText(v.Fields[own]))
		}
	}
	return values
}

func addAnalysis(a *earshot.Analysis, name string, add func(string)) {
	switch name {
	case "lang":
		add(a.Lang)
	case "intent":
		for _, x := range a.Intents {
			add(x.Label)
		}
	case "emotion":
		for _, x := range a.Emotions {
			add(x.Label)
		}
	case "flag":
		for _, x := range a.Flags {
			add(x)
		}
	case "topic":
		for _, x := range a.Aspects {
			add(x.Topic)
		}
	}
}

func fieldText(value any) string {
	switch x := value.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return ""
}

// NumberValue is what a number field of a record holds, and whether it holds one.
// A score that is absent is no number, never 0.
func NumberValue(r *earshot.Record, name string) (float64, bool) {
	switch name {
	case "sentiment":
		if r.Analysis != nil && r.Analysis.Sentiment != nil {
			return r.Analysis.Sentiment.Score, true
		}
	case "effort":
		if r.Analysis != nil && r.Analysis.Effort != nil {
			return r.Analysis.Effort.Score, true
		}
	case "rating":
		if r.Verbatim.Rating != nil {
			return r.Verbatim.Rating.Value, true
		}
	default:
		if own, ok := strings.CutPrefix(name, FieldPrefix); ok {
			x, ok := r.Verbatim.Fields[own].(float64)
			return x, ok
		}
	}
	return 0, false
}

// HasValue says whether a record has a field: a value or a number.
func HasValue(r *earshot.Record, name string) bool {
	_, ok := NumberValue(r, name)
	return ok || len(FieldValues(r, name)) > 0
}
