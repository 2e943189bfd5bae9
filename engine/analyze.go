package engine

import (
	"cmp"
	"context"
	"encoding/hex"
	"sort"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/nlp"
)

// An Analyzer redacts and analyses what was sent, and stores nothing. An Engine
// is one with a record behind it. It is safe for concurrent use.
type Analyzer struct {
	nlp      *nlp.Pipeline
	redactor *nlp.Redactor
	now      func() time.Time
	secret   [32]byte // keys the hashes that stand for personal ids, and the fingerprints
}

// NewAnalyzer makes an Analyzer. Its hashes are the same under the same secret.
func NewAnalyzer(p *nlp.Pipeline, secret [32]byte, now func() time.Time) (*Analyzer, error) {
	redactor, err := nlp.NewRedactor()
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &Analyzer{nlp: p, redactor: redactor, now: now, secret: secret}, nil
}

// Analyze analyses drafts as Accept would have them analysed, and stores nothing.
func (a *Analyzer) Analyze(ctx context.Context, drafts []ingest.Draft) []Analyzed {
	now := a.now().UTC()
	out := make([]Analyzed, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		if err := cmp.Or(ctx.Err(), d.Verbatim.Validate(now, d.AsTurns)); err != nil {
			out[i].Err = err
			continue
		}
		given := d.Verbatim
		rec := &earshot.Record{Verbatim: given}
		a.complete(&rec.Verbatim, d, now)
		rec.Analysis = a.nlp.Analyze(&rec.Verbatim)
		// What was not given is not answered.
		rec.Verbatim.Source, rec.Verbatim.Channel, rec.Verbatim.At = given.Source, given.Channel, given.At
		out[i].Record = rec
	}
	return out
}

// complete fills in defaults and notes and redacts. Both accepted and merely
// analysed verbatims go through it.
func (a *Analyzer) complete(v *earshot.Verbatim, d *ingest.Draft, now time.Time) {
	v.SetDefaults(now)
	if d.Cleaned {
		v.Notes = append(v.Notes, earshot.Note{Code: earshot.NoteTextCleaned})
	}
	a.redact(v)
}

// redact replaces what is personal in the text and in the string values of
// fields, which share their placeholders; a customer id, author or
// conversation that is a phone number, an address or a national id becomes a
// keyed hash, so that one person stays one.
func (a *Analyzer) redact(v *earshot.Verbatim) {
	names := make([]string, 0, len(v.Fields))
	for name, value := range v.Fields {
		if _, ok := value.(string); ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	texts := make([]string, 0, len(v.Turns)+len(names))
	for _, t := range v.Turns {
		texts = append(texts, t.Text)
	}
	for _, name := range names {
		texts = append(texts, v.Fields[name].(string))
	}
	clean, found := a.redactor.Redact(texts)
	turns := make([]earshot.Turn, len(v.Turns))
	at := 0
	for i, t := range v.Turns {
		t.Text = clean[i]
		turns[i] = t
		for _, r := range found[i] {
			r.Start, r.End = r.Start+at, r.End+at
			v.Redactions = append(v.Redactions, r)
		}
		at += len(t.Text) + 1
	}
	v.Turns = turns
	if len(names) > 0 {
		fields := make(map[string]any, len(v.Fields))
		for name, value := range v.Fields {
			fields[name] = value
		}
		for k, name := range names {
			fields[name] = clean[len(turns)+k]
		}
		v.Fields = fields
	}
	for _, id := range []*string{&v.Customer, &v.Author, &v.Conversation} {
		if *id == "" {
			continue
		}
		if _, found := a.redactor.Redact([]string{*id}); len(found[0]) > 0 {
			sum := a.hash(nil, *id)
			*id = "h_" + hex.EncodeToString(sum[:12])
		}
	}
}
