// Package storetest holds the promises of store.Store as a test that every
// implementation passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
)

// Run tests a Store. open gives an empty one and sees to its closing.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*fixture)
	}{
		{"tenants", tenants},
		{"keys", keys},
		{"secrets", secrets},
		{"what is accepted is kept", roundTrip},
		{"sent again", sentAgain},
		{"sent again in one call", sentAgainInOneCall},
		{"no external id", noExternalID},
		{"unknown tenant", unknownTenant},
		{"tenants are apart", tenantsApart},
		{"apply", apply},
		{"revised while in hand", revisedInHand},
		{"erased while in hand", erasedInHand},
		{"erase", erase},
		{"issues outlive a revision", issuesStay},
		{"lanes", lanes},
		{"fail", fail},
		{"dead letters", deadLetters},
		{"update that fails", updateFails},
		{"records in order", recordsInOrder},
		{"log in pages", logInPages},
		{"documents", documents},
		{"members", members},
		{"buckets", buckets},
		{"what was counted", counted},
		{"append", appended},
		{"outbox", outbox},
		{"context", contextEnds},
		{"all at once", allAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fixture{T: t, Store: open(t), ctx: t.Context()}
			for _, id := range []string{here, there} {
				f.no(f.PutTenant(f.ctx, earshot.Tenant{ID: id, CreatedAt: early}))
			}
			test.run(f)
		})
	}
}

// The two tenants of every test.
const (
	here  = "acme"
	there = "zen"
)

var (
	early = time.Date(2026, 11, 20, 9, 15, 0, 123456789, time.UTC)
	late  = early.Add(time.Hour)
)

type fixture struct {
	*testing.T
	store.Store
	ctx context.Context
}

// no stops the test at an error that must not be.
func (f *fixture) no(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) code(err error, want earshot.Code) {
	f.Helper()
	if got := earshot.CodeOf(err); got != want {
		f.Errorf("got error %v of code %q, want code %q", err, got, want)
	}
}

func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if d := cmp.Diff(want, got); d != "" {
		f.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// item makes an Item of the given turns. body stands for all that is not turns.
func item(id, external, body string, turns ...string) store.Item {
	it := store.Item{Verbatim: earshot.Verbatim{
		ID: id, ExternalID: external, Source: "zendesk", Channel: "chat", At: early, ReceivedAt: early, URL: "https://x/" + body,
	}}
	copy(it.Print.Body[:], body)
	chain := ""
	for _, text := range turns {
		it.Verbatim.Turns = append(it.Verbatim.Turns, earshot.Turn{Speaker: "customer", Text: text})
		chain += "|" + text
		var h [16]byte
		copy(h[:], fmt.Sprintf("%d%s", len(chain), chain[max(0, len(chain)-8):]))
		it.Print.Turns = append(it.Print.Turns, h)
	}
	return it
}

// accept posts items that must not be refused as a whole.
func (f *fixture) accept(items ...store.Item) []store.Outcome {
	f.Helper()
	out, err := f.Accept(f.ctx, here, items)
	f.no(err)
	if len(out) != len(items) {
		f.Fatalf("got %d outcomes for %d items", len(out), len(items))
	}
	return out
}

func (f *fixture) take(n int) []*store.Entry {
	f.Helper()
	entries, err := f.Take(f.ctx, here, n)
	f.no(err)
	return entries
}

// applyAll gives each entry an analysis and applies them.
func (f *fixture) applyAll(entries []*store.Entry) {
	f.Helper()
	for _, e := range entries {
		if e.Record != nil {
			e.Record.Analysis = analysis(e.Record.Verbatim.Text())
		}
	}
	f.no(f.Update(f.ctx, here, func(tx store.Tx) error { return tx.Apply(entries) }))
}

func analysis(of string) *earshot.Analysis {
	return &earshot.Analysis{
		Lang: "th", Sentiment: &earshot.Sentiment{Score: -0.5, Label: "negative", Confidence: 0.9},
		Intents: []earshot.Label{}, Model: "of " + of,
		Evidence: []earshot.Evidence{{Score: "sentiment", End: 1, Text: of, Source: "rule:x", Weight: -0.5}},
	}
}

// brief writes entries as "id:type@seq", in order.
func brief(entries []*store.Entry) (s []string) {
	for _, e := range entries {
		s = append(s, fmt.Sprintf("%s:%s@%d", e.Verbatim, e.Type, e.Seq))
	}
	return s
}

func (f *fixture) log() []*store.Entry {
	f.Helper()
	entries, err := f.Log(f.ctx, here, 0, 1000)
	f.no(err)
	return entries
}

func (f *fixture) count(want int) {
	f.Helper()
	n, err := f.Count(f.ctx, here)
	f.no(err)
	if n != want {
		f.Errorf("count is %d, want %d", n, want)
	}
}

func tenants(f *fixture) {
	f.code(f.PutTenant(f.ctx, earshot.Tenant{ID: here, CreatedAt: late}), earshot.Conflict)
	f.code(f.PutTenant(f.ctx, earshot.Tenant{ID: "A b"}), earshot.Invalid)
	f.no(f.PutTenant(f.ctx, earshot.Tenant{ID: "before", CreatedAt: early.Add(-time.Hour)}))
	got, err := f.Tenants(f.ctx)
	f.no(err)
	f.equal("tenants", got, []earshot.Tenant{
		{ID: "before", CreatedAt: early.Add(-time.Hour)}, {ID: here, CreatedAt: early}, {ID: there, CreatedAt: early},
	})
	f.no(f.Ping(f.ctx))
}

func keys(f *fixture) {
	a := earshot.Key{ID: "k_1", Tenant: here, Hash: [32]byte{1}, Scopes: []string{"ingest", "read"}, CreatedAt: late, ExpiresAt: &late}
	b := earshot.Key{ID: "k_2", Tenant: here, Hash: [32]byte{2}, Scopes: []string{"admin"}, CreatedAt: early, Root: true}
	f.no(f.PutKey(f.ctx, a))
	f.no(f.PutKey(f.ctx, b))
	f.code(f.PutKey(f.ctx, a), earshot.Conflict)
	f.code(f.PutKey(f.ctx, earshot.Key{ID: "k_3", Tenant: "nobody", Hash: [32]byte{3}}), earshot.NotFound)

	f.no(f.TouchKey(f.ctx, "k_2", late))
	f.no(f.TouchKey(f.ctx, "k_2", early)) // came late itself
	b.LastUsedAt = &late
	got, err := f.KeyByHash(f.ctx, b.Hash)
	f.no(err)
	f.equal("key", got, b)
	_, err = f.KeyByHash(f.ctx, [32]byte{9})
	f.code(err, earshot.NotFound)

	list, err := f.Keys(f.ctx, here)
	f.no(err)
	f.equal("keys", list, []earshot.Key{b, a})
	list, err = f.Keys(f.ctx, there)
	f.no(err)
	if len(list) != 0 {
		f.Errorf("another tenant sees %d keys", len(list))
	}
	f.code(f.RevokeKey(f.ctx, there, "k_1"), earshot.NotFound)
	f.no(f.RevokeKey(f.ctx, here, "k_1"))
	f.code(f.RevokeKey(f.ctx, here, "k_1"), earshot.NotFound)
	_, err = f.KeyByHash(f.ctx, a.Hash)
	f.code(err, earshot.NotFound)
}

func secrets(f *fixture) {
	a, err := f.Secret(f.ctx, "fingerprints")
	f.no(err)
	b, err := f.Secret(f.ctx, "cursors")
	f.no(err)
	again, err := f.Secret(f.ctx, "fingerprints")
	f.no(err)
	if a != again || a == b || a == [32]byte{} {
		f.Error("a secret must be its own, stay, and not be empty")
	}
}

func roundTrip(f *fixture) {
	lo, hi, start := 0.0, 5.5, 0.0
	it := item("v_1", "e1", "b", "โทรไป [PHONE_1]", "好的 \U0001F600 \u2028 \"<x>\"")
	v := &it.Verbatim
	v.Customer, v.Author, v.Conversation, v.Hint = "c-1", "nok", "zd-44", "th"
	v.Rating = &earshot.Rating{Value: 0, Min: &lo, Max: &hi}
	v.Fields = map[string]any{"store": "BKK-3", "n": 1.5, "vip": false}
	v.Turns[0].StartS, v.Turns[0].EndS = &start, &hi
	v.Redactions = []earshot.Redaction{{Type: "PHONE", Placeholder: "[PHONE_1]", Start: 16, End: 25, Confidence: 0.99}}
	v.Notes = []earshot.Note{{Code: earshot.NoteTextCleaned}}
	f.equal("outcome", f.accept(it), []store.Outcome{{ID: "v_1", Status: store.Accepted}})
	v.Revision = 1
	got, err := f.Record(f.ctx, here, "v_1")
	f.no(err)
	f.equal("record", got, &earshot.Record{Verbatim: *v})

	bare := item("v_2", "", "b")
	bare.Verbatim.Rating = &earshot.Rating{Value: 9, Scale: "nps"}
	odd := item("v_3", "\xff", "b", "a")
	odd.Verbatim.Customer = "\xff"
	f.accept(bare, odd)
	for _, id := range []string{"v_2", "v_3"} {
		_, err := f.Record(f.ctx, here, id)
		f.no(err)
	}
}

func sentAgain(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a", "b"), item("v_2", "bare", "b"))
	replace := func(it store.Item) store.Item { it.Replace = true; return it }
	for i, test := range []struct {
		name string
		item store.Item
		want store.Status
		code earshot.Code
		text string // afterwards
		rev  int
	}{
		{"the same", item("", "e1", "b", "a", "b"), store.Duplicate, "", "a\nb", 1},
		{"fewer turns", item("", "e1", "b", "a"), "", earshot.Conflict, "a\nb", 1},
		{"no turns", item("", "e1", "b"), "", earshot.Conflict, "a\nb", 1},
		{"other turns", item("", "e1", "b", "a", "x", "c"), "", earshot.Conflict, "a\nb", 1},
		{"another body", item("", "e1", "B", "a", "b"), "", earshot.Conflict, "a\nb", 1},
		{"a turn more", item("", "e1", "b", "a", "b", "c"), store.Revised, "", "a\nb\nc", 2},
		{"what was first", item("", "e1", "b", "a", "b"), "", earshot.Conflict, "a\nb\nc", 2},
		{"another body and turns more", item("", "e1", "B", "a", "b", "c", "d", "e"), store.Revised, "", "a\nb\nc\nd\ne", 3},
		{"replaced by the same", replace(item("", "e1", "B", "a", "b", "c", "d", "e")), store.Duplicate, "", "a\nb\nc\nd\ne", 3},
		{"replaced", replace(item("", "e1", "b", "z")), store.Revised, "", "z", 4},
		{"a bare rating, again", item("", "bare", "b"), store.Duplicate, "", "z", 4},
		{"a bare rating with words", item("", "bare", "b", "a"), "", earshot.Conflict, "z", 4},
	} {
		test.item.Verbatim.ID = fmt.Sprintf("v_again%d", i)
		test.item.Verbatim.ReceivedAt = late
		o := f.accept(test.item)[0]
		if o.Status != test.want || earshot.CodeOf(o.Err) != test.code {
			f.Errorf("%s: got %+v, want %q and error code %q", test.name, o, test.want, test.code)
		}
		if want := map[string]string{"e1": "v_1", "bare": "v_2"}[test.item.Verbatim.ExternalID]; o.ID != want {
			f.Errorf("%s: id is %q, want %q", test.name, o.ID, want)
		}
		r, err := f.Record(f.ctx, here, "v_1")
		f.no(err)
		if v := r.Verbatim; v.Text() != test.text || v.Revision != test.rev || !v.ReceivedAt.Equal(early) {
			f.Errorf("%s: stored is %q, revision %d, received %s; want %q, %d, %s", test.name,
				v.Text(), v.Revision, v.ReceivedAt, test.text, test.rev, early)
		}
	}
	other := item("v_9", "e1", "b", "a")
	other.Verbatim.Source = "app-store"
	if o := f.accept(other)[0]; o.Status != store.Accepted {
		f.Errorf("the same external id of another source: %+v", o)
	}
}

func sentAgainInOneCall(f *fixture) {
	out := f.accept(
		item("v_1", "e1", "b", "a"), item("v_2", "e1", "b", "a"), item("v_3", "e1", "b", "a", "b"),
		item("v_4", "e1", "b", "x"), item("v_5", "e2", "b", "a"))
	if earshot.CodeOf(out[3].Err) != earshot.Conflict {
		f.Errorf("error is %v, want a conflict", out[3].Err)
	}
	out[3].Err = nil
	f.equal("outcomes", out, []store.Outcome{
		{ID: "v_1", Status: store.Accepted}, {ID: "v_1", Status: store.Duplicate}, {ID: "v_1", Status: store.Revised},
		{ID: "v_1"}, {ID: "v_5", Status: store.Accepted},
	})
}

func noExternalID(f *fixture) {
	for i, o := range f.accept(item("v_1", "", "b", "a"), item("v_2", "", "b", "a")) {
		if o.Status != store.Accepted {
			f.Errorf("item %d: %+v", i, o)
		}
	}
	if o := f.accept(item("v_1", "", "b", "other"))[0]; earshot.CodeOf(o.Err) != earshot.Conflict {
		f.Errorf("an id used twice: %+v, want a conflict", o)
	}
	out, err := f.Accept(f.ctx, here, nil)
	if len(out) != 0 || err != nil {
		f.Errorf("nothing accepted gives %v, %v", out, err)
	}
}

func unknownTenant(f *fixture) {
	_, err := f.Accept(f.ctx, "nobody", []store.Item{item("v_1", "e", "b", "a")})
	f.code(err, earshot.NotFound)
	f.code(f.Erase(f.ctx, "nobody", "v_1", late), earshot.NotFound)
	f.code(f.Update(f.ctx, "nobody", func(store.Tx) error { return nil }), earshot.NotFound)
	_, err = f.Take(f.ctx, "nobody", 1)
	f.code(err, earshot.NotFound)
	_, err = f.Log(f.ctx, "nobody", 0, 1)
	f.code(err, earshot.NotFound)
	_, err = f.Count(f.ctx, "nobody")
	f.code(err, earshot.NotFound)
}

func tenantsApart(f *fixture) {
	f.accept(item("v_1", "e1", "b", "ours"))
	out, err := f.Accept(f.ctx, there, []store.Item{item("v_1", "e1", "x", "theirs"), item("v_2", "e2", "x", "theirs")})
	f.no(err)
	f.equal("outcomes", out, []store.Outcome{{ID: "v_1", Status: store.Accepted}, {ID: "v_2", Status: store.Accepted}})

	_, err = f.Record(f.ctx, here, "v_2")
	f.code(err, earshot.NotFound)
	recs, err := f.Records(f.ctx, here, []string{"v_2", "v_1"})
	f.no(err)
	if len(recs) != 1 || recs[0].Verbatim.Text() != "ours" {
		f.Errorf("got %d records", len(recs))
	}
	f.code(f.Erase(f.ctx, here, "v_2", late), earshot.NotFound)

	theirs, err := f.Take(f.ctx, there, 10)
	f.no(err)
	f.no(f.Update(f.ctx, here, func(tx store.Tx) error { return tx.Apply(theirs) }))
	f.equal("another tenant's entries", brief(theirs), []string{"v_1:verbatim@0", "v_2:verbatim@0"})
	f.applyAll(f.take(10))
	f.equal("log", brief(f.log()), []string{"v_1:verbatim@1"})
	if seq, err := f.LastSeq(f.ctx, there); seq != 0 || err != nil {
		f.Errorf("their last seq is %d, %v", seq, err)
	}
	waiting, err := f.Waiting(f.ctx)
	f.no(err)
	f.equal("waiting", waiting, []string{there})
}

func apply(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"), item("v_2", "e2", "b", "b"), item("v_3", "", "b", "c"))
	waiting, err := f.Waiting(f.ctx)
	f.no(err)
	f.equal("waiting", waiting, []string{here})

	entries := f.take(2)
	f.equal("taken", brief(entries), []string{"v_1:verbatim@0", "v_2:verbatim@0"})
	f.equal("taken again", brief(f.take(10)), []string{"v_1:verbatim@0", "v_2:verbatim@0", "v_3:verbatim@0"})
	if e := entries[0]; e.Record == nil || e.Record.Verbatim.Text() != "a" || e.Record.Analysis != nil || e.At.IsZero() || e.ID >= entries[1].ID {
		f.Errorf("entry is %+v", e)
	}
	issues := []earshot.IssueRef{{ID: "ISS-1", Segment: 0, Similarity: 0.71}}
	entries[0].Record.Issues = issues
	f.applyAll(entries)
	f.equal("applied", brief(entries), []string{"v_1:verbatim@1", "v_2:verbatim@2"})

	got, err := f.Record(f.ctx, here, "v_1")
	f.no(err)
	f.equal("record", got, entries[0].Record)
	if got.Seq != 1 {
		f.Errorf("seq of the record is %d, want 1", got.Seq)
	}
	got, err = f.Record(f.ctx, here, "v_3")
	f.no(err)
	if got.Analysis != nil || got.Seq != 0 {
		f.Errorf("a waiting record has analysis %v and seq %d", got.Analysis, got.Seq)
	}
	f.count(2)

	f.applyAll(append(entries, f.take(10)...)) // two are applied already
	f.equal("applied again", brief(entries), []string{"v_1:verbatim@0", "v_2:verbatim@0"})
	f.equal("log", brief(f.log()), []string{"v_1:verbatim@1", "v_2:verbatim@2", "v_3:verbatim@3"})
	f.count(3)
	seq, err := f.LastSeq(f.ctx, here)
	if seq != 3 || err != nil {
		f.Errorf("last seq is %d, %v; want 3", seq, err)
	}
	waiting, err = f.Waiting(f.ctx)
	if len(waiting) != 0 || err != nil {
		f.Errorf("waiting is %v, %v", waiting, err)
	}
}

func revisedInHand(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"))
	old := f.take(10)
	f.accept(item("v_x", "e1", "b", "a", "b"))
	f.applyAll(old)
	f.equal("applied", brief(old), []string{"v_1:verbatim@1"})
	if old[0].Record.Seq != 0 {
		f.Errorf("the old revision's record has seq %d", old[0].Record.Seq)
	}
	f.count(0)
	r, err := f.Record(f.ctx, here, "v_1")
	f.no(err)
	if r.Analysis != nil {
		f.Error("the revision has the analysis of what it replaced")
	}
	f.applyAll(f.take(10))
	f.equal("log", brief(f.log()), []string{"v_1:verbatim@1", "v_1:revision@2"})
	for _, e := range f.log() {
		if e.Record == nil || e.Record.Analysis == nil || e.Record.Analysis.Model != "of a\nb" || e.Record.Seq != 2 {
			f.Errorf("entry %d: the log must give the record as it is now", e.Seq)
		}
	}
	f.count(1)

	f.accept(item("v_x", "e1", "b", "a", "b", "c"))
	if e := f.log()[1]; e.Record == nil || e.Record.Analysis != nil || e.Record.Verbatim.Revision != 3 {
		f.Errorf("while a revision waits the record has no analysis")
	}
	f.count(1)

	// Both entries of a verbatim wait: each sees what is stored now.
	f.applyAll(f.take(10))
	f.accept(item("v_2", "e2", "b", "a"))
	f.accept(item("v_x", "e2", "b", "a", "b"))
	both := f.take(10)
	f.applyAll(both)
	f.equal("applied", brief(both), []string{"v_2:verbatim@4", "v_2:revision@5"})
	f.count(2)
}

func erasedInHand(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"), item("v_2", "", "b", "b"))
	old := f.take(10)
	f.no(f.Erase(f.ctx, here, "v_1", late))
	f.applyAll(old)
	f.equal("applied", brief(old), []string{"v_1:verbatim@0", "v_2:verbatim@1"})
	_, err := f.Record(f.ctx, here, "v_1")
	f.code(err, earshot.NotFound)
	f.count(1)
	f.applyAll(f.take(10))
	f.equal("log", brief(f.log()), []string{"v_2:verbatim@1", "v_1:erase@2"})
}

func erase(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"), item("v_2", "e2", "b", "b"))
	f.applyAll(f.take(10))
	f.accept(item("v_x", "e1", "b", "a", "b"), item("v_3", "e3", "b", "c"), item("v_x", "e3", "b", "c", "d"))
	f.no(f.Erase(f.ctx, here, "v_1", late))
	f.no(f.Erase(f.ctx, here, "v_3", late))
	f.code(f.Erase(f.ctx, here, "v_1", late), earshot.NotFound)
	f.code(f.Erase(f.ctx, here, "v_none", late), earshot.NotFound)
	_, err := f.Record(f.ctx, here, "v_1")
	f.code(err, earshot.NotFound)
	recs, err := f.Records(f.ctx, here, []string{"v_1", "v_2", "v_3"})
	f.no(err)
	if len(recs) != 1 {
		f.Errorf("got %d records, want the one that is left", len(recs))
	}
	f.count(1)

	f.equal("what waits", brief(f.take(10)), []string{"v_1:erase@0", "v_3:erase@0"})
	f.applyAll(f.take(10))
	f.equal("log", brief(f.log()), []string{"v_1:verbatim@1", "v_2:verbatim@2", "v_1:erase@3", "v_3:erase@4"})
	for _, e := range f.log() {
		if (e.Record != nil) != (e.Verbatim == "v_2") {
			f.Errorf("entry %d of %s has record %v", e.Seq, e.Verbatim, e.Record)
		}
	}
	f.equal("posted again", f.accept(item("v_4", "e1", "b", "a")), []store.Outcome{{ID: "v_4", Status: store.Accepted}})
}

func issuesStay(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"))
	entries := f.take(1)
	issues := []earshot.IssueRef{{ID: "ISS-7", Segment: 1, Similarity: 0.5}}
	entries[0].Record.Issues = issues
	f.applyAll(entries)
	f.accept(item("v_x", "e1", "b", "a", "b"))
	entries = f.take(1)
	f.equal("issues", entries[0].Record.Issues, issues)
}

func lanes(f *fixture) {
	var items []store.Item
	for i := range 30 {
		it := item(fmt.Sprintf("v_b%02d", i), "", "b", "a")
		it.Lane = store.Backfill
		items = append(items, it)
	}
	for i := range 30 {
		items = append(items, item(fmt.Sprintf("v_l%02d", i), "", "b", "a"))
	}
	f.accept(items...)
	count := func(entries []*store.Entry) (s string) {
		for _, e := range entries {
			s += string("lb"[e.Lane])
		}
		return s
	}
	for n, want := range map[int]string{
		0: "", 1: "l", 2: "lb", 5: "llllb", 10: "lllllllllb", 20: "lllllllllblllllllllb",
		100: "lllllllllblllllllllblllllllllblll" + "bbbbbbbbbbbbbbbbbbbbbbbbbbb",
	} {
		if got := count(f.take(n)); got != want {
			f.Errorf("take(%d) gives %s, want %s", n, got, want)
		}
	}
	first := f.take(10)
	if first[0].Verbatim != "v_l00" || first[8].Verbatim != "v_l08" || first[9].Verbatim != "v_b00" {
		f.Errorf("not oldest first: %v", brief(first))
	}
	f.applyAll(f.take(33))
	if got, want := count(f.take(100)), strings.Repeat("b", 27); got != want {
		f.Errorf("what is left is %s, want %s", got, want)
	}
	for _, e := range f.log() {
		if (e.Verbatim[2] == 'b') != (e.Lane == store.Backfill) {
			f.Errorf("the log has %s in lane %d", e.Verbatim, e.Lane)
		}
	}
}

func fail(f *fixture) {
	f.accept(item("v_1", "e1", "b", "a"), item("v_2", "", "b", "b"), item("v_3", "", "b", "c"))
	failOne := func(e *store.Entry) {
		f.Helper()
		f.no(f.Update(f.ctx, here, func(tx store.Tx) error { return tx.Fail(e, "analysis panicked") }))
	}
	first := f.take(1)[0]
	was := *first
	failOne(first)
	if first.Attempts != 1 || first.ID <= was.ID {
		f.Errorf("after failing: attempts %d, id %d (was %d)", first.Attempts, first.ID, was.ID)
	}
	entries := f.take(10)
	f.equal("order", brief(entries), []string{"v_2:verbatim@0", "v_3:verbatim@0", "v_1:verbatim@0"})
	if e := entries[2]; e.Attempts != 1 || e.ID != first.ID || e.Record == nil || !e.At.Equal(was.At) {
		f.Errorf("the entry that failed is %+v", e)
	}
	failOne(&was) // no longer waits under that id
	f.applyAll(f.take(2))
	failOne(f.take(1)[0])
	f.no(f.Erase(f.ctx, here, "v_1", late)) // finds an entry that failed too
	f.equal("what waits", brief(f.take(10)), []string{"v_1:erase@0"})
}

func deadLetters(f *fixture) {
	f.accept(item("v_1", "", "b", "a"), item("v_2", "", "b", "b"), item("v_3", "", "b", "c"))
	entries := f.take(2)
	for range store.MaxAttempts {
		f.no(f.Update(f.ctx, here, func(tx store.Tx) error {
			return errors.Join(tx.Fail(entries[0], "cause 1"), tx.Fail(entries[1], "cause 2"))
		}))
	}
	f.equal("what waits", brief(f.take(10)), []string{"v_3:verbatim@0"})
	all, err := f.DeadLetters(f.ctx, here, 0, 10)
	f.no(err)
	if len(all) != 2 {
		f.Fatalf("got %d dead letters, want 2", len(all))
	}
	d := all[0]
	if d.Type != store.TypeVerbatim || d.Verbatim != "v_1" || d.Attempts != store.MaxAttempts || d.Cause != "cause 1" ||
		!d.At.Equal(entries[0].At) || d.FailedAt.Before(d.At) {
		f.Errorf("dead letter is %+v", d)
	}
	one, err := f.DeadLetters(f.ctx, here, 0, 1)
	f.no(err)
	f.equal("first page", one, all[:1])
	rest, err := f.DeadLetters(f.ctx, here, d.ID, 10)
	f.no(err)
	f.equal("second page", rest, all[1:])
	if theirs, err := f.DeadLetters(f.ctx, there, 0, 10); len(theirs) != 0 || err != nil {
		f.Errorf("another tenant sees %v, %v", theirs, err)
	}
	f.applyAll(f.take(10))
	f.equal("log", brief(f.log()), []string{"v_3:verbatim@1"})

	f.no(f.Erase(f.ctx, here, "v_1", late))
	all, err = f.DeadLetters(f.ctx, here, 0, 10)
	f.no(err)
	f.equal("after erasing", all, rest)
}

func updateFails(f *fixture) {
	f.accept(item("v_1", "", "b", "a"), item("v_2", "", "b", "b"))
	entries := f.take(10)
	for _, e := range entries {
		e.Record.Analysis = analysis("a")
	}
	wrong := errors.New("wrong")
	var kept store.Tx
	err := f.Update(f.ctx, here, func(tx store.Tx) error {
		kept = tx
		return errors.Join(tx.Apply(entries[:1]), tx.Fail(entries[1], "c"), wrong)
	})
	if !errors.Is(err, wrong) {
		f.Errorf("got %v, want the error that f returned", err)
	}
	if kept.Apply(entries) == nil || kept.Fail(entries[0], "") == nil {
		f.Error("a transaction that is over still serves")
	}
	err = f.Update(f.ctx, here, func(tx store.Tx) error {
		_ = tx.Apply(entries) // what it does is undone either way
		panic("customer's words")
	})
	if err == nil || earshot.CodeOf(err) != earshot.Internal || strings.Contains(err.Error(), "customer's words") {
		f.Errorf("a panic gives %v", err)
	}
	again := f.take(10)
	f.equal("what waits", brief(again), []string{"v_1:verbatim@0", "v_2:verbatim@0"})
	if seq, err := f.LastSeq(f.ctx, here); seq != 0 || err != nil {
		f.Errorf("last seq is %d, %v", seq, err)
	}
	f.count(0)
	if len(f.log()) != 0 {
		f.Error("the log has entries")
	}
	f.applyAll(again)
	f.equal("log", brief(f.log()), []string{"v_1:verbatim@1", "v_2:verbatim@2"})
}

func recordsInOrder(f *fixture) {
	f.accept(item("v_1", "", "b", "a"), item("v_2", "", "b", "b"), item("v_3", "", "b", "c"))
	recs, err := f.Records(f.ctx, here, []string{"v_3", "v_none", "v_1"})
	f.no(err)
	if len(recs) != 2 || recs[0].Verbatim.ID != "v_3" || recs[1].Verbatim.ID != "v_1" {
		f.Errorf("got %d records, want v_3 and v_1", len(recs))
	}
	recs, err = f.Records(f.ctx, here, nil)
	if len(recs) != 0 || err != nil {
		f.Errorf("no ids give %d records, %v", len(recs), err)
	}
	_, err = f.Record(f.ctx, here, "v_none")
	f.code(err, earshot.NotFound)
}

func logInPages(f *fixture) {
	for i := range 7 {
		f.accept(item(fmt.Sprintf("v_%d", i), "", "b", "a"))
	}
	f.applyAll(f.take(10))
	var after uint64
	var got []string
	for {
		page, err := f.Log(f.ctx, here, after, 3)
		f.no(err)
		if len(page) == 0 {
			break
		}
		got = append(got, brief(page)...)
		after = page[len(page)-1].Seq
	}
	f.equal("log", got, brief(f.log()))
	if page, err := f.Log(f.ctx, here, 1<<63, 3); len(page) != 0 || err != nil {
		f.Errorf("beyond the end: %v, %v", page, err)
	}
}

func contextEnds(f *fixture) {
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.Accept(ctx, here, []store.Item{item("v_1", "", "b", "a")}); !errors.Is(err, context.Canceled) {
		f.Errorf("accept gives %v, want context.Canceled", err)
	}
	if err := f.Update(ctx, here, func(store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		f.Errorf("update gives %v, want context.Canceled", err)
	}
	f.accept(item("v_2", "", "b", "a"))
}

// allAtOnce posts, applies and erases from many goroutines, among them updates
// that fail, and then looks whether the log, the records and the count agree.
func allAtOnce(f *fixture) {
	const posters, each = 4, 25
	var wg, engine sync.WaitGroup
	posted := make(chan struct{})
	for p := range posters {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("v_%d_%d", p, i)
				out, err := f.Accept(f.ctx, here, []store.Item{
					item(id, fmt.Sprintf("e%d", i), "b", "a"), // all but one are duplicates
					item(id+"x", "", "b", "a"),
				})
				if err != nil || out[1].Status != store.Accepted {
					f.Errorf("accept: %v, %v", out, err)
				}
				if i%5 == 0 {
					if err := f.Erase(f.ctx, here, id+"x", late); err != nil {
						f.Errorf("erase: %v", err)
					}
				}
				if err := f.Update(f.ctx, here, func(store.Tx) error { return errors.New("no") }); err == nil {
					f.Error("an update that fails did not")
				}
			}
		})
	}
	engine.Go(func() {
		for last := false; ; {
			entries, err := f.Take(f.ctx, here, 50)
			if err != nil {
				f.Errorf("take: %v", err)
				return
			}
			if len(entries) == 0 && last {
				return
			}
			for _, e := range entries {
				if e.Record != nil {
					e.Record.Analysis = analysis("a")
				}
			}
			if err := f.Update(f.ctx, here, func(tx store.Tx) error { return tx.Apply(entries) }); err != nil {
				f.Errorf("apply: %v", err)
				return
			}
			select {
			case <-posted:
				last = true
			default:
			}
		}
	})
	wg.Wait()
	close(posted)
	engine.Wait()

	ids := map[string]bool{}
	for i, e := range f.log() {
		if e.Seq != uint64(i+1) {
			f.Fatalf("place %d of the log has seq %d", i+1, e.Seq)
		}
		if e.Record != nil && e.Record.Analysis != nil {
			ids[e.Verbatim] = true
		}
	}
	if want := each + posters*(each-each/5); len(ids) != want {
		f.Errorf("the log has %d verbatims, want %d", len(ids), want)
	}
	f.count(len(ids))
}
