package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/store"
)

var pipeline = sync.OnceValues(nlp.New)

// A house is an engine over a data folder, with tenants "a" and "b".
type house struct {
	*Engine
	t     *testing.T
	store store.Store
	index index.Index
	stop  func() // ends Run and closes everything; once
}

func open(t *testing.T, dir string, change ...func(*Options)) *house {
	t.Helper()
	p, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: st}
	if h.index, err = index.Open(filepath.Join(dir, "index"), p, index.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if err := st.PutTenant(t.Context(), earshot.Tenant{ID: id, CreatedAt: time.Now()}); err != nil && earshot.CodeOf(err) != earshot.Conflict {
			t.Fatal(err)
		}
	}
	o := Options{Store: st, Index: h.index, NLP: p, Batch: 50}
	for _, f := range change {
		f(&o)
	}
	if h.Engine, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, h.index.Close(), st.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

func draft(id, text string) ingest.Draft {
	return ingest.Draft{Verbatim: earshot.Verbatim{ExternalID: id, Turns: []earshot.Turn{{Speaker: "customer", Text: text}}}}
}

func (h *house) accept(tenant string, drafts ...ingest.Draft) []Accepted {
	h.t.Helper()
	answers := h.Accept(h.t.Context(), tenant, drafts, AcceptOptions{})
	for _, a := range answers {
		if a.Err != nil {
			h.t.Fatal(a.Err)
		}
	}
	return answers
}

func (h *house) idle(tenant string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	if err := h.Idle(ctx, tenant); err != nil {
		h.t.Fatal(err)
	}
}

// find gives the external ids that a query finds.
func (h *house) find(tenant, q string) []string {
	h.t.Helper()
	r, err := h.Search(h.t.Context(), tenant, SearchRequest{Q: q, Limit: 200})
	if err != nil {
		h.t.Fatalf("search %s: %v", q, err)
	}
	ids := []string{}
	for _, item := range r.Items {
		ids = append(ids, item.Record.Verbatim.ExternalID)
	}
	slices.Sort(ids)
	return ids
}

func TestAcceptRedactsAndFinds(t *testing.T) {
	h := open(t, t.TempDir())
	d := draft("1", "โทรกลับ 081-234-5678 หรือ nok@example.com ค่ะ")
	d.Verbatim.Fields = map[string]any{"note": "call 0812345678", "plan": "gold"}
	d.Verbatim.Customer = "0812345678"
	d.Verbatim.Turns = append(d.Verbatim.Turns, earshot.Turn{Speaker: "agent", Text: "เบอร์ 0812345678 นะคะ"})
	id := h.accept("a", d)[0].ID
	rec, err := h.Wait(t.Context(), "a", id)
	if err != nil {
		t.Fatal(err)
	}
	v := rec.Verbatim
	if got, want := v.Text(), "โทรกลับ [PHONE_1] หรือ [EMAIL_1] ค่ะ\nเบอร์ [PHONE_1] นะคะ"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	for _, r := range v.Redactions {
		if got := v.Text()[r.Start:r.End]; got != r.Placeholder {
			t.Errorf("redaction %v points at %q", r, got)
		}
	}
	if v.Fields["note"] != "call [PHONE_1]" || v.Fields["plan"] != "gold" {
		t.Errorf("fields %v", v.Fields)
	}
	if strings.Contains(v.Customer, "0812345678") || !strings.HasPrefix(v.Customer, "h_") {
		t.Errorf("customer %q is not hidden", v.Customer)
	}
	if got := h.find("a", `field.plan:gold "[PHONE_1]"`); !slices.Equal(got, []string{"1"}) {
		t.Errorf("found %v", got)
	}
	// A duplicate is told by what was sent, not by what was kept.
	again := h.accept("a", d)[0]
	if again.Status != store.Duplicate || again.ID != id {
		t.Errorf("sent again: %+v", again)
	}
}

func TestTenantsDoNotMeet(t *testing.T) {
	h := open(t, t.TempDir())
	h.accept("a", draft("1", "refund please"))
	h.accept("b", draft("2", "refund please"))
	h.idle("a")
	h.idle("b")
	if a, b := h.find("a", "refund"), h.find("b", "refund"); !slices.Equal(a, []string{"1"}) || !slices.Equal(b, []string{"2"}) {
		t.Errorf("a finds %v, b finds %v", a, b)
	}
}

// TestStopLosesNothing stops in the middle of work, twice, and finds everything
// at the end, once; then the index is thrown away and gives the same answers.
func TestStopLosesNothing(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for round := range 3 {
		h := open(t, dir)
		for i := range 60 {
			id := fmt.Sprintf("%d-%d", round, i)
			h.accept("a", draft(id, fmt.Sprintf("退款第%d次还没到账 round%d", i, round)))
			want = append(want, id)
		}
		h.stop()
	}
	slices.Sort(want)
	h := open(t, dir)
	h.idle("a")
	if diff := cmp.Diff(want, h.find("a", "退款")); diff != "" {
		t.Errorf("after restarts (-want +got):\n%s", diff)
	}
	h.Rebuild("a")
	for {
		_, err := h.Search(t.Context(), "a", SearchRequest{Q: "退款", Limit: 1})
		if err == nil {
			break
		}
		if earshot.CodeOf(err) != earshot.PartialIndex {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if diff := cmp.Diff(want, h.find("a", "退款")); diff != "" {
		t.Errorf("after the index was rebuilt (-want +got):\n%s", diff)
	}
}

// failingStore refuses to apply the verbatim with a certain external id.
type failingStore struct {
	store.Store
	poison string
}

type failingTx struct {
	store.Tx
	poison string
}

func (s failingStore) Update(ctx context.Context, tenant string, f func(store.Tx) error) error {
	return s.Store.Update(ctx, tenant, func(tx store.Tx) error { return f(failingTx{tx, s.poison}) })
}

func (tx failingTx) Apply(entries []*store.Entry) error {
	for _, e := range entries {
		if e.Record != nil && e.Record.Verbatim.ExternalID == tx.poison {
			return errors.New("this one cannot be written")
		}
	}
	return tx.Tx.Apply(entries)
}

// TestPoisonIsSetAside: a verbatim that fails every time holds up no other and
// becomes a dead letter after five attempts.
func TestPoisonIsSetAside(t *testing.T) {
	h := open(t, t.TempDir(), func(o *Options) { o.Store = failingStore{o.Store, "bad"} })
	h.accept("a", draft("1", "refund one"), draft("bad", "refund two"), draft("3", "refund three"))
	h.idle("a")
	if got := h.find("a", "refund"); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("found %v, want the two good ones", got)
	}
	dead, err := h.store.DeadLetters(t.Context(), "a", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(dead) != 1 || dead[0].Attempts != store.MaxAttempts || strings.Contains(dead[0].Cause, "refund") {
		t.Errorf("dead letters %+v, want one of %d attempts without its words", dead, store.MaxAttempts)
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	h := open(t, t.TempDir())
	id := h.accept("a", draft("1", "please delete what I said"))[0].ID
	h.accept("a", draft("2", "please keep what I said"))
	h.idle("a")
	if err := h.Erase(t.Context(), "a", id); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Record(t.Context(), "a", id); earshot.CodeOf(err) != earshot.NotFound {
		t.Errorf("after erasure: %v, want not found", err)
	}
	h.idle("a")
	r, err := h.Search(t.Context(), "a", SearchRequest{Q: "said", Limit: 10})
	if err != nil || r.Total != 1 {
		t.Errorf("total %+v, %v, want 1", r, err)
	}
}

func TestFragment(t *testing.T) {
	long := strings.Repeat("น้ำท่วมร้าน ", 200)
	at := strings.Index(long[1000:], "ท่วม") + 1000
	f := fragment(long, []earshot.Span{{Start: at, End: at + len("ท่วม")}})
	if f.Text != long[f.Start:f.End] || f.Start > at || f.End < at+len("ท่วม") || len(f.Text) > 2*fragmentSize {
		t.Errorf("fragment %v of %d bytes does not show the mark at %d", f.Span, len(f.Text), at)
	}
	if first := nlp.Units(nil, f.Text)[0]; first.Norm == "" || strings.HasPrefix(f.Text, "้") {
		t.Errorf("fragment begins inside a character: %q", f.Text[:12])
	}
}
