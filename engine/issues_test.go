package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/issues"
)

// A hand is a clock that tests move.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (c *hand) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *hand) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// stream reads testdata/stream.ndjson.
func stream(t *testing.T) []ingest.Draft {
	t.Helper()
	body, err := os.ReadFile("../testdata/stream.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var drafts []ingest.Draft
	for line := range bytes.Lines(body) {
		d, err := ingest.DecodeVerbatim(bytes.TrimSpace(line), ingest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		drafts = append(drafts, d)
	}
	return drafts
}

// all is everything that was decided: issues and alerts as stored, and where each verbatim is.
func (h *house) all(tenant string) string {
	h.t.Helper()
	var b strings.Builder
	ids := map[string]string{} // ids of ours differ from run to run
	entries, err := h.store.Log(h.t.Context(), tenant, 0, 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Record != nil {
			ids[e.Record.Verbatim.ID] = e.Record.Verbatim.ExternalID
			fmt.Fprintf(&b, "%s %v\n", e.Record.Verbatim.ExternalID, e.Record.Issues)
		}
	}
	for _, kind := range []string{issues.KindIssue, issues.KindExamples, issues.KindTracker, kindAlert, kindSeason} {
		docs, err := h.store.Documents(h.t.Context(), tenant, kind)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, d := range docs {
			fmt.Fprintf(&b, "%s %s %s\n", kind, d.ID, d.Body)
		}
	}
	s := b.String()
	for id, external := range ids {
		s = strings.ReplaceAll(s, id, external)
	}
	return s
}

// run carries a stream through a house as it comes in, one verbatim at a time,
// and closes and opens the house again before those of cuts.
func run(t *testing.T, drafts []ingest.Draft, batch int, together int, cuts ...int) string {
	t.Helper()
	dir := t.TempDir()
	clock := &hand{at: drafts[0].Verbatim.At}
	options := func(o *Options) { o.Now, o.Batch = clock.now, batch }
	h := open(t, dir, options)
	ids := make([]string, 0, len(drafts))
	for i := 0; i < len(drafts); i += together {
		for len(cuts) > 0 && i >= cuts[0] {
			cuts = cuts[1:]
			h.stop()
			h = open(t, dir, options)
		}
		part := drafts[i:min(i+together, len(drafts))]
		for k := range part {
			clock.set(part[k].Verbatim.At)
			ids = append(ids, h.accept("a", part[k])[0].ID)
			if n := len(ids); n%37 == 0 {
				h.idle("a") // what people do comes between the same posts in every run
				h.meddle(drafts, ids, n/37)
			}
		}
		if together == 1 {
			h.idle("a")
		}
	}
	h.idle("a")
	h.counts("a")
	return h.all("a")
}

// meddle does one thing that people and senders do beside posting.
func (h *house) meddle(drafts []ingest.Draft, ids []string, turn int) {
	h.t.Helper()
	ctx, k := h.t.Context(), len(ids)-5-turn
	refused := func(err error) {
		h.t.Helper()
		if code := earshot.CodeOf(err); err != nil && code != earshot.Conflict && code != earshot.NotFound {
			h.t.Fatal(err)
		}
	}
	switch turn % 5 {
	case 0:
		refused(h.Erase(ctx, "a", ids[k]))
	case 1: // another text under the same external id
		d := drafts[k]
		d.Verbatim.Turns = []earshot.Turn{{Speaker: "customer", Text: "The lift in your shop is broken again, third time this week"}}
		refused(h.Accept(ctx, "a", []ingest.Draft{d}, AcceptOptions{Replace: true})[0].Err)
	case 2:
		title := fmt.Sprint("named ", turn)
		_, err := h.PatchIssue(ctx, "a", fmt.Sprintf("ISS-%d", 3*turn), &title, []string{"", earshot.Muted, earshot.Closed}[turn%3], "k_1")
		refused(err)
	case 3:
		for _, a := range h.alerts("a") {
			_, err := h.CommandAlert(ctx, "a", a.ID, []string{"acknowledge", "snooze", "note"}[turn%3], []string{"", "1h", "seen"}[turn%3], "k_1")
			refused(err)
		}
	case 4: // a conversation goes on
		d := ingest.Draft{AsTurns: true, Verbatim: earshot.Verbatim{ExternalID: "talk", Customer: "c-talk", At: drafts[k].Verbatim.At, Turns: []earshot.Turn{{Speaker: "customer", Text: "My parcel never arrived and the courier does not answer"}}}}
		d.Verbatim.At = drafts[0].Verbatim.At
		for n := range turn / 5 {
			d.Verbatim.Turns = append(d.Verbatim.Turns, earshot.Turn{Speaker: "customer", Text: fmt.Sprintf("Now I was also charged twice on my card, %d days ago", n+2)})
		}
		refused(h.Accept(ctx, "a", []ingest.Draft{d}, AcceptOptions{})[0].Err)
	}
	h.idle("a")
}

// TestSameAgain: the same stream gives the same issues and alerts, whatever the
// batches and however often the service was started anew in between; also where
// verbatims are erased, replaced and go on, and people rename, mute and answer.
func TestSameAgain(t *testing.T) {
	drafts := stream(t)
	want := run(t, drafts, 50, 400)
	if !strings.Contains(want, `"state":"firing"`) {
		t.Error("nothing fires in the stream")
	}
	for name, got := range map[string]string{
		"in other batches":           run(t, drafts, 7, 400),
		"one by one":                 run(t, drafts, 50, 1),
		"started again in the spike": run(t, drafts, 50, 20, 80, 200, 320, 360, 380),
	} {
		if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
			t.Errorf("%s (-want +got):\n%.3000s", name, d)
		}
	}
}

// counts holds each issue's count against the search for its verbatims.
func (h *house) counts(tenant string) (checked int) {
	h.t.Helper()
	list, _, _, err := h.Issues(h.t.Context(), tenant, IssueQuery{States: earshot.IssueStates, MinCustomers: 1, Limit: 10_000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, i := range list {
		r, err := h.Search(h.t.Context(), tenant, SearchRequest{Q: "issue:" + i.ID, Limit: 1})
		if err != nil {
			h.t.Fatal(err)
		}
		if r.Total != i.Count {
			h.t.Errorf("%s counts %d, %d are found", i.ID, i.Count, r.Total)
		}
		verbatims, people, err := h.store.CountMembers(h.t.Context(), tenant, numbersOf([]earshot.IssueRef{{ID: i.ID}})[0])
		if err != nil || verbatims != i.Count || people != i.Customers {
			h.t.Errorf("%s counts %d of %d people, the record has %d of %d, %v", i.ID, i.Count, i.Customers, verbatims, people, err)
		}
	}
	return len(list)
}

// TestCounts: an issue counts what its search finds, after a rebuild, a
// revision, a replacement and erasures too.
func TestCounts(t *testing.T) {
	drafts := stream(t)
	clock := &hand{at: drafts[len(drafts)-1].Verbatim.At}
	dir := t.TempDir()
	options := func(o *Options) { o.Now = clock.now }
	h := open(t, dir, options)
	answers := h.accept("a", drafts...)
	h.idle("a")
	if n := h.counts("a"); n < 50 {
		t.Errorf("%d issues, want many", n)
	}
	h.Rebuild("a")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if h.searchable("a") == nil && len(h.find("a", "source:stream")) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the index is not rebuilt")
		}
	}
	h.counts("a")

	top, _, _, err := h.Issues(t.Context(), "a", IssueQuery{Sort: "-count", Limit: 1})
	if err != nil || len(top) == 0 {
		t.Fatalf("no issue: %v", err)
	}
	biggest := top[0]
	members, err := h.store.Members(t.Context(), "a", numbersOf([]earshot.IssueRef{{ID: biggest.ID}})[0], 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Erase(t.Context(), "a", members[0].Verbatim); err != nil {
		t.Fatal(err)
	}
	h.idle("a")
	after, err := h.Issue(t.Context(), "a", biggest.ID)
	if err != nil {
		t.Fatal(err)
	}
	if after.Count != biggest.Count-1 || after.Customers != biggest.Customers-1 {
		t.Errorf("after erasure %d of %d people, before %d of %d", after.Count, after.Customers, biggest.Count, biggest.Customers)
	}
	for _, e := range after.Examples {
		if e.ID == members[0].Verbatim {
			t.Error("an erased verbatim is an example")
		}
	}
	h.counts("a")

	// One is replaced by something else, and goes where that belongs.
	k := 0
	for ; answers[k].ID != members[1].Verbatim; k++ {
	}
	other := drafts[k]
	other.Verbatim.Turns = []earshot.Turn{{Speaker: "customer", Text: "The toaster I bought burns everything, it is broken"}}
	if a := h.Accept(t.Context(), "a", []ingest.Draft{other}, AcceptOptions{Replace: true}); a[0].Err != nil {
		t.Fatal(a[0].Err)
	}
	h.idle("a")
	if again, err := h.Issue(t.Context(), "a", biggest.ID); err != nil || again.Count != after.Count-1 {
		t.Errorf("after one was replaced: %v, %v; want count %d", again.Count, err, after.Count-1)
	}
	h.counts("a")
	h.stop()

	h = open(t, dir, options) // what was loaded counts alike
	h.idle("a")
	h.counts("a")
}

// TestErasedWordsLeave: nothing of an erased verbatim stays in what issues keep.
func TestErasedWordsLeave(t *testing.T) {
	h := open(t, t.TempDir())
	h.accept("a", draft("1", "my zyzzyva gadget is broken, the screen is dead"), draft("2", "gadget screen is broken and dead"), draft("3", "the screen of my gadget is dead"))
	h.idle("a")
	found := h.find("a", "zyzzyva")
	if len(found) != 1 || !strings.Contains(h.all("a"), "zyzzyva") {
		t.Fatal("the word is nowhere to begin with")
	}
	r, err := h.Search(t.Context(), "a", SearchRequest{Q: "zyzzyva", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := r.Items[0].Record.Verbatim.ID
	if err := h.Erase(t.Context(), "a", id); err != nil {
		t.Fatal(err)
	}
	h.idle("a")
	counted, err := h.store.Counted(t.Context(), "a", id)
	if err != nil {
		t.Fatal(err)
	}
	if counted != nil || strings.Contains(h.all("a"), "zyzzyva") {
		t.Error("a word of an erased verbatim is still there")
	}
	h.counts("a")
}

// alerts lists what fired.
func (h *house) alerts(tenant string) []*earshot.Alert {
	h.t.Helper()
	list, _, err := h.Alerts(h.t.Context(), tenant, nil, "", 100)
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// TestNobodyIsWoken: not by one person, not by what was imported, not by what
// is friendly.
func TestNobodyIsWoken(t *testing.T) {
	spike := []string{"cannot log in since the update, login fails", "login failed again after the update", "the app update broke login", "can't login after updating the app"}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		customer func(i int) string
		text     func(i int) string
		options  AcceptOptions
		fires    bool
	}{
		"35 people":           {func(i int) string { return fmt.Sprint("c", i) }, func(i int) string { return spike[i%4] }, AcceptOptions{}, true},
		"one person 35 times": {func(int) string { return "c" }, func(i int) string { return spike[i%4] }, AcceptOptions{}, false},
		"imported":            {func(i int) string { return fmt.Sprint("c", i) }, func(i int) string { return spike[i%4] }, AcceptOptions{Backfill: true}, false},
		"friendly": {func(i int) string { return fmt.Sprint("c", i) }, func(i int) string {
			return []string{"love the flash sale, great deals!", "the flash sale is great, thank you", "best flash sale ever", "so happy with the flash sale"}[i%4]
		}, AcceptOptions{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &hand{at: at}
			h := open(t, t.TempDir(), func(o *Options) { o.Now = clock.now })
			for i := range 35 {
				clock.set(at.Add(time.Duration(i) * time.Minute))
				d := draft(fmt.Sprint(i), c.text(i))
				d.Verbatim.Customer = c.customer(i)
				if a := h.Accept(t.Context(), "a", []ingest.Draft{d}, c.options); a[0].Err != nil {
					t.Fatal(a[0].Err)
				}
				h.idle("a")
			}
			if got := h.alerts("a"); (len(got) > 0) != c.fires || len(got) > 1 {
				t.Errorf("%d alerts, want them: %v", len(got), c.fires)
			}
			if h.counts("a") == 0 && name != "friendly" {
				t.Error("no issue was counted")
			}
		})
	}
}

// TestResolvedStaysResolved: who ends an alert does not hear of the same posts again.
func TestResolvedStaysResolved(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 2, 0, 0, time.UTC)
	clock := &hand{at: at}
	h := open(t, t.TempDir(), func(o *Options) { o.Now = clock.now })
	for i := range 20 {
		clock.set(at.Add(time.Duration(i) * 5 * time.Second))
		d := draft(fmt.Sprint(i), []string{"OTP ไม่มาเลยค่ะ เข้าแอปไม่ได้", "รอ OTP นานมาก ไม่ส่งมาสักที", "OTP ไม่ส่งมา ล็อกอินไม่ได้"}[i%3])
		d.Verbatim.Customer = fmt.Sprint("c", i)
		h.accept("a", d)
		h.idle("a")
	}
	list := h.alerts("a")
	if len(list) != 1 {
		t.Fatalf("%d alerts, want 1", len(list))
	}
	a, err := h.CommandAlert(t.Context(), "a", list[0].ID, "resolve", "", "k_1")
	if err != nil || a.Observed < 15 {
		t.Errorf("resolved with %d observed, %v; want what there is by now", a.Observed, err)
	}
	for hour := range 8 {
		clock.set(at.Add(time.Duration(hour+1) * time.Hour))
		h.accept("a", draft(fmt.Sprint("quiet ", hour), "ok"))
		h.idle("a")
	}
	if n := len(h.alerts("a")); n != 1 {
		t.Errorf("%d alerts after it was resolved, want 1", n)
	}
}

// TestIncident leads one from its first moment to its last.
func TestIncident(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 2, 0, 0, time.UTC)
	clock := &hand{at: at}
	h := open(t, t.TempDir(), func(o *Options) { o.Now = clock.now })
	if _, err := h.AddWebhook(t.Context(), "a", earshot.Webhook{URL: "https://alerts.invalid/hook", Events: []string{"alert.fired", "alert.acknowledged", "alert.resolved"}, Format: "standard"}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		clock.set(at.Add(time.Duration(i) * 20 * time.Second))
		d := draft(fmt.Sprint(i), []string{"จ่ายเงินผ่านแอปไม่ได้เลย", "แอปจ่ายเงินไม่ได้ค่ะ ขึ้น error", "จ่ายเงินในแอปไม่ผ่านสักที"}[i%3])
		d.Verbatim.Customer = fmt.Sprint("c", i)
		h.accept("a", d)
		h.idle("a")
	}
	list := h.alerts("a")
	if len(list) != 1 {
		t.Fatalf("%d alerts, want 1", len(list))
	}
	a := list[0]
	if a.State != earshot.Firing || a.Subject.Type != "issue" || a.Subject.Title == "" || a.FirstVerbatim == "" || len(a.Examples) == 0 || a.Reason == "" || a.Customers < 5 {
		t.Errorf("the alert is %+v", a)
	}
	if len(a.Deliveries) != 1 || a.Deliveries[0].State != earshot.Pending {
		t.Errorf("deliveries %+v, want one that is pending", a.Deliveries)
	}
	command := func(action, args string) (*earshot.Alert, error) {
		return h.CommandAlert(t.Context(), "a", a.ID, action, args, "k_1")
	}
	got, err := command("acknowledge", "")
	if err != nil || got.State != earshot.Acknowledged {
		t.Fatalf("acknowledged: %v, %v", got, err)
	}
	deliveries := func() []earshot.Delivery {
		sent, err := h.store.DeliveriesOf(t.Context(), "a", a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	for _, d := range deliveries() { // none of them can have been given up yet
		var body struct {
			Type string
			Data earshot.Alert
		}
		if err := json.Unmarshal(d.Body, &body); err != nil || body.Type != d.Type || body.Data.ID != a.ID {
			t.Errorf("the body of %s is %s", d.Type, d.Body)
		}
	}
	version := got.Version
	if got, err = command("acknowledge", ""); err != nil || got.Version != version {
		t.Errorf("acknowledged again: version %d, %v; want %d and no error", got.Version, err, version)
	}
	clock.set(at.Add(26 * time.Hour)) // all is calm, and the ticks of a day pass with the next entry
	h.accept("a", draft("late", "ok"))
	h.idle("a")
	got, err = h.Alert(t.Context(), "a", a.ID)
	if err != nil || got.State != earshot.Resolved || got.ResolvedAt == nil {
		t.Errorf("after a day: %+v, %v", got, err)
	}
	if _, err = command("acknowledge", ""); earshot.CodeOf(err) != earshot.Conflict {
		t.Errorf("a resolved one was acknowledged: %v", err)
	}
	var kinds []string
	for _, d := range deliveries() {
		kinds = append(kinds, d.Type)
	}
	if d := cmp.Diff([]string{"alert.fired", "alert.acknowledged", "alert.resolved"}, kinds); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
}
