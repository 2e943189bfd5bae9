package earshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func said(text string) Verbatim {
	return Verbatim{Turns: []Turn{{Speaker: "customer", Text: text}}}
}

func TestValidate(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	minus, three, nine := -1.0, 3.0, 9.0
	for _, c := range []struct {
		name   string
		change func(*Verbatim)
		want   string // "pointer code" of each error, sorted
	}{
		{"good", func(*Verbatim) {}, ""},
		{"nothing", func(v *Verbatim) { v.Turns = nil }, " required"},
		{"a bare rating", func(v *Verbatim) { v.Turns, v.Rating = nil, &Rating{Value: 9, Scale: "nps"} }, ""},
		{"blank", func(v *Verbatim) { v.Turns[0].Text = " \n" }, "/text empty"},
		{"as long as may be", func(v *Verbatim) { v.Turns[0].Text = strings.Repeat("x", MaxText) }, ""},
		{"too long", func(v *Verbatim) { v.Turns[0].Text = strings.Repeat("x", MaxText+1) }, "/text too_long"},
		{"several at once", func(v *Verbatim) { v.Channel, v.At = "fax", now.AddDate(24, 0, 0) }, "/at out_of_range,/channel unknown_value"},
		{"an hour ahead", func(v *Verbatim) { v.At = now.Add(time.Hour) }, ""},
		{"last century", func(v *Verbatim) { v.At = time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC) }, "/at out_of_range"},
		{"speaker", func(v *Verbatim) { v.Turns[0].Speaker = "boss" }, "/turns/0/speaker unknown_value"},
		{"before the recording", func(v *Verbatim) { v.Turns[0].StartS = &minus }, "/turns/0/start_s out_of_range"},
		{"ends before it starts", func(v *Verbatim) { v.Turns[0].StartS, v.Turns[0].EndS = &nine, &three }, "/turns/0/end_s out_of_range"},
		{"off the scale", func(v *Verbatim) { v.Rating = &Rating{Value: 11, Scale: "nps"} }, "/rating/value out_of_range"},
		{"own scale", func(v *Verbatim) { v.Rating = &Rating{Value: 5, Min: &three, Max: &nine} }, ""},
		{"own scale upside down", func(v *Verbatim) { v.Rating = &Rating{Value: 5, Min: &nine, Max: &three} }, "/rating/max out_of_range"},
		{"no scale", func(v *Verbatim) { v.Rating = &Rating{Value: 5} }, "/rating required"},
		{"two scales", func(v *Verbatim) { v.Rating = &Rating{Value: 5, Scale: "nps", Min: &three} }, "/rating invalid"},
		{"a nested field", func(v *Verbatim) { v.Fields = map[string]any{"a/b": map[string]any{}} }, "/fields/a~1b invalid"},
		{"flat fields", func(v *Verbatim) { v.Fields = map[string]any{"plan": "gold", "n": 1.5, "vip": true} }, ""},
		{"a long id", func(v *Verbatim) { v.ExternalID = strings.Repeat("x", MaxName+1) }, "/external_id too_long"},
	} {
		v := said("ช้ามาก")
		c.change(&v)
		err := v.Validate(now, false)
		var got []string
		if e, ok := errors.AsType[*Error](err); ok {
			for _, f := range e.Fields {
				got = append(got, f.Pointer+" "+f.Code)
			}
		}
		slices.Sort(got)
		if s := strings.Join(got, ","); s != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: got %q (%v), want %q", c.name, s, err, c.want)
		}
	}
}

func TestTextAndSpans(t *testing.T) {
	v := Verbatim{Turns: []Turn{{Text: "สวัสดี"}, {Text: ""}, {Text: "好"}}}
	text := v.Text()
	for i, s := range v.TurnSpans() {
		if got := text[s.Start:s.End]; got != v.Turns[i].Text {
			t.Errorf("turn %d is %q, its span shows %q", i, v.Turns[i].Text, got)
		}
	}
}

func TestPerson(t *testing.T) {
	v := Verbatim{ID: "v_1", Customer: "c", Author: "a", Conversation: "t"}
	for _, want := range []string{"c:c", "a:a", "t:t", "v:v_1"} {
		if got := v.Person(); got != want {
			t.Errorf("counted as %s, want %s", got, want)
		}
		switch want[0] {
		case 'c':
			v.Customer = ""
		case 'a':
			v.Author = ""
		case 't':
			v.Conversation = ""
		}
	}
}

// TestWire: the wire form has every list, nulls where there is no score, and
// leaves out what was not given.
func TestWire(t *testing.T) {
	rec := &Record{Verbatim: said("<b>ok</b>"), Analysis: &Analysis{Lang: "en", Effort: &Effort{Score: 0.5, Label: "hard"}}}
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"turns", "langs", "intents", "emotions", "flags", "abstained", "aspects", "segments", "evidence", "redactions", "issues"} {
		if _, ok := m[list].([]any); !ok {
			t.Errorf("%s is %v, want a list", list, m[list])
		}
	}
	if m["sentiment"] != nil || m["effort"].(map[string]any)["frames"] == nil {
		t.Errorf("sentiment %v, effort %v", m["sentiment"], m["effort"])
	}
	for _, absent := range []string{"id", "at", "source", "pending", "notes"} {
		if v, ok := m[absent]; ok {
			t.Errorf("%s is there: %v", absent, v)
		}
	}
	if got := m["text"]; got != "<b>ok</b>" {
		t.Errorf("text %q", got)
	}
	waiting, err := json.Marshal(&Record{Verbatim: said("x")})
	if err != nil || !strings.Contains(string(waiting), `"pending":true`) {
		t.Errorf("a record that waits: %s, %v", waiting, err)
	}
}

func TestCodes(t *testing.T) {
	wrapped := fmt.Errorf("open: %w", Errorf(NotFound, "there is no verbatim %s", "v_1"))
	if got := CodeOf(wrapped); got != NotFound {
		t.Errorf("code %s", got)
	}
	if CodeOf(errors.New("x")) != Internal || CodeOf(nil) != "" {
		t.Error("an error without a code is internal, and no error has none")
	}
	for label, scores := range map[string][]float64{"negative": {-1, -0.25}, "neutral": {-0.2, 0, 0.24}, "positive": {0.25, 1}} {
		for _, s := range scores {
			if got := SentimentLabel(s); got != label {
				t.Errorf("sentiment %v is %s, want %s", s, got, label)
			}
		}
	}
	for label, scores := range map[string][]float64{"very_easy": {-1, -0.75}, "easy": {-0.5}, "hard": {0.5, 0.74}, "very_hard": {0.75, 1}} {
		for _, s := range scores {
			if got := EffortLabel(s); got != label {
				t.Errorf("effort %v is %s, want %s", s, got, label)
			}
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"lang", "lang", 0}, {"", "at", 2}, {"chanel", "channel", 1}, {"colour", "color", 1}, {"at", "lang", 3}} {
		if got := Edits(c.a, c.b); got != c.want || Edits(c.b, c.a) != got {
			t.Errorf("%q and %q are %d edits apart, want %d", c.a, c.b, got, c.want)
		}
	}
}
