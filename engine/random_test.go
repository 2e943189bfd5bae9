package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/store"
)

// A still is an engine that nobody runs: its batches are applied by hand, so that
// a test says where they end and when the state is loaded again.
type still struct {
	*Engine
	t     *testing.T
	clock *hand
	n     int
}

func newStill(t *testing.T, at time.Time) *still {
	t.Helper()
	p, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.Open(filepath.Join(dir, "index"), p, index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(ix.Close(), st.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := st.PutTenant(t.Context(), earshot.Tenant{ID: "a", CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
	clock := &hand{at: at}
	e, err := New(t.Context(), Options{Store: st, Index: ix, NLP: p, Batch: 50, Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	return &still{Engine: e, t: t, clock: clock}
}

// put accepts a draft into the live lane, with an id that is the same in every run.
func (s *still) put(tenant string, d ingest.Draft, o AcceptOptions) string {
	s.t.Helper()
	now := s.now().UTC()
	if d.Verbatim.At.IsZero() {
		d.Verbatim.At = now
	}
	if err := d.Verbatim.Validate(now, d.AsTurns); err != nil {
		s.t.Fatal(err)
	}
	it := s.prepare(&d, now, o)
	s.n++
	it.Lane = store.Live
	it.Verbatim.ID = fmt.Sprintf("v_%026d", s.n)
	out, err := s.store.Accept(context.Background(), tenant, []store.Item{it})
	if err != nil {
		s.t.Fatal(err)
	}
	if out[0].Err != nil {
		s.t.Fatalf("accept: %v", out[0].Err)
	}
	return out[0].ID
}

// drain applies what waits, in batches of size.
func (s *still) drain(tenant string, size func() int) {
	s.t.Helper()
	t := s.tenant(tenant)
	for range 10_000 {
		batch, err := s.store.Take(context.Background(), tenant, size())
		if err != nil {
			s.t.Fatal(err)
		}
		if len(batch) == 0 {
			return
		}
		if err := s.process(context.Background(), t, batch); err != nil {
			s.t.Log("process:", err)
		}
	}
	s.t.Fatal("never drained")
}

// restart forgets what is in memory.
func (s *still) restart(tenant string) { s.tenant(tenant).state = nil }

// dump is everything that was decided, as it is stored.
func (s *still) dump(tenant string) string {
	var b strings.Builder
	entries, err := s.store.Log(context.Background(), tenant, 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Record != nil {
			fmt.Fprintf(&b, "%s %v\n", e.Record.Verbatim.ID, e.Record.Issues)
		}
	}
	for _, kind := range []string{issues.KindIssue, issues.KindRetired, issues.KindExamples, issues.KindTracker, kindAlert, kindSeason, kindState} {
		docs, err := s.store.Documents(context.Background(), tenant, kind)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, d := range docs {
			fmt.Fprintf(&b, "%s %s %s\n", kind, d.ID, d.Body)
		}
	}
	bs, _ := s.store.Buckets(context.Background(), tenant, "", 0)
	for _, x := range bs {
		fmt.Fprintf(&b, "bucket %s %d %x\n", x.Key, x.T, x.Body)
	}
	return b.String()
}

// check holds counts against members and records.
func (s *still) check(tenant string) {
	s.t.Helper()
	list, _, _, err := s.Issues(context.Background(), tenant, IssueQuery{MinCustomers: 1, Limit: 100_000})
	if err != nil {
		s.t.Fatal(err)
	}
	st, _ := s.stateOf(context.Background(), s.tenant(tenant))
	found := map[string]map[string]bool{}
	entries, _ := s.store.Log(context.Background(), tenant, 0, 100_000)
	for _, e := range entries {
		if e.Record == nil || e.Record.Analysis == nil {
			continue
		}
		for _, r := range st.currentIssues(e.Record.Issues) {
			if found[r.ID] == nil {
				found[r.ID] = map[string]bool{}
			}
			found[r.ID][e.Record.Verbatim.ID] = true
		}
	}
	for _, i := range list {
		n, _ := issues.NumberOf(i.ID)
		v, p, _ := s.store.CountMembers(context.Background(), tenant, n)
		if i.Count != v || i.Customers != p || len(found[i.ID]) != v {
			s.t.Errorf("%s count %d customers %d; members %d people %d; records %d", i.ID, i.Count, i.Customers, v, p, len(found[i.ID]))
		}
	}
	for id, f := range found {
		n, _ := issues.NumberOf(id)
		if v, _, _ := s.store.CountMembers(context.Background(), tenant, n); v != len(f) {
			s.t.Errorf("%s: %d members, %d records", id, v, len(f))
		}
	}
}

func of(ext, who, text string) ingest.Draft {
	d := draft(ext, text)
	d.Verbatim.Customer = who
	return d
}

// An action is something that a sender or a person does.
type action struct {
	kind string
	d    ingest.Draft
	ext  string
	rep  bool
	at   time.Time
	arg  int
}

// troublesSaid are troubles, each in the words of several people.
var troublesSaid = [][]string{
	{"my parcel has not arrived, the courier lost it", "courier lost the parcel, still not arrived", "where is my parcel, the courier says it is lost", "parcel lost by the courier again, terrible", "the courier never came and the parcel is missing"},
	{"I cannot log in, the password reset mail never comes", "password reset is broken, cannot log in", "log in fails, reset password mail does not come", "can't log in since the update, password refused"},
	{"my card was declined twice at the checkout", "checkout declined my card, this is annoying", "card declined, payment fails at checkout", "payment by card does not work, declined"},
	{"the app crashes when I open the camera", "camera crash, app closes at once", "app crashes on opening, camera does not work"},
	{"พัสดุยังไม่ได้รับ ขนส่งทำหาย แย่มาก", "ขนส่งทำพัสดุหาย ยังไม่ได้ของ", "รอพัสดุนานมาก ขนส่งไม่มาส่ง", "ขนส่งช้ามาก พัสดุไม่มาสักที"},
	{"เข้าระบบไม่ได้ รหัสผ่านผิดตลอด", "ลืมรหัสผ่าน รีเซ็ตไม่ได้ เข้าแอปไม่ได้", "เข้าสู่ระบบไม่ได้เลย แอปพัง"},
	{"快递丢了，一直没收到货，太差了", "快递把我的包裹弄丢了，没收到", "包裹一直没到，快递太慢了", "快遞弄丟了我的包裹，好差"},
	{"登录不了，密码重置收不到邮件", "一直登录失败，密码错误", "登入唔到，密碼重設收唔到電郵"},
	{"the refund has not been paid, waiting three weeks", "refund still missing after three weeks", "where is my refund, nobody answers"},
	{"the delivery was late and the food was cold", "food cold, delivery late again", "late delivery, cold pizza, never again"},
}

// someText is one trouble, two, or one of many small ones.
func someText(r *rand.Rand) string {
	a := troublesSaid[r.IntN(len(troublesSaid))]
	s := a[r.IntN(len(a))]
	switch r.IntN(6) {
	case 0:
		b := troublesSaid[r.IntN(len(troublesSaid))]
		s += ". " + b[r.IntN(len(b))]
	case 1:
		words := []string{"toaster", "blender", "warranty", "invoice", "voucher", "subscription", "printer", "router", "fridge", "sofa"}
		s = fmt.Sprintf("the %s is broken and the %s does not work, %s", words[r.IntN(10)], words[r.IntN(10)], s)
	case 2:
		words := []string{"toaster", "blender", "warranty", "invoice", "voucher", "subscription", "printer", "router", "fridge", "sofa"}
		s = fmt.Sprintf("the %s is broken, %s missing", words[r.IntN(10)], words[r.IntN(10)])
	}
	return s
}

// someActions makes groups of actions; a group waits together. With clash one
// verbatim may be in a group more than once.
func someActions(seed uint64, groups int, clash bool) [][]action {
	r := rand.New(rand.NewPCG(seed, 1))
	at := time.Date(2026, 3, 2, 9, 1, 0, 0, time.UTC)
	var out [][]action
	var have []ingest.Draft
	n := 0
	for range groups {
		var group []action
		used := map[string]bool{}
		switch r.IntN(12) {
		case 0:
			at = at.Add(time.Duration(r.IntN(30*60)) * time.Minute)
		case 1, 2:
			at = at.Add(time.Duration(r.IntN(180)) * time.Minute)
		case 3:
			if r.IntN(6) == 0 {
				at = at.Add(time.Duration(2+r.IntN(14)) * 24 * time.Hour)
			}
		}
		k := 1 + r.IntN(12)
		hot := -1
		if r.IntN(5) == 0 {
			hot = r.IntN(len(troublesSaid))
			k = 25
		}
		for range k {
			at = at.Add(time.Duration(r.IntN(40)) * time.Second)
			x := r.IntN(20)
			switch {
			case x < 13 || len(have) == 0 || hot >= 0:
				n++
				text := someText(r)
				if hot >= 0 {
					text = troublesSaid[hot][r.IntN(len(troublesSaid[hot]))]
				}
				d := of("e"+strconv.Itoa(n), "c"+strconv.Itoa(r.IntN(60)), text)
				d.Verbatim.At = at
				if r.IntN(15) == 0 {
					d.Verbatim.At = at.Add(-time.Duration(r.IntN(47*60)) * time.Minute)
				}
				if r.IntN(3) == 0 {
					d.AsTurns = true
				}
				have = append(have, d)
				group = append(group, action{kind: "put", d: d, ext: d.Verbatim.ExternalID, at: at})
				used[d.Verbatim.ExternalID] = true
			default:
				p := r.IntN(len(have))
				d := have[p]
				if used[d.Verbatim.ExternalID] && !clash {
					continue
				}
				used[d.Verbatim.ExternalID] = true
				switch {
				case x < 16:
					d.Verbatim.Turns = append(append([]earshot.Turn{}, d.Verbatim.Turns...), earshot.Turn{Speaker: "customer", Text: someText(r)})
					d.AsTurns = true
					have[p] = d
					group = append(group, action{kind: "put", d: d, ext: d.Verbatim.ExternalID, rep: true, at: at})
				case x < 18:
					d.Verbatim.Turns = []earshot.Turn{{Speaker: "customer", Text: someText(r)}}
					have[p] = d
					group = append(group, action{kind: "put", d: d, ext: d.Verbatim.ExternalID, rep: true, at: at})
				default:
					have = append(have[:p], have[p+1:]...)
					group = append(group, action{kind: "erase", ext: d.Verbatim.ExternalID, at: at})
				}
			}
		}
		out = append(out, group)
		if r.IntN(4) == 0 {
			out = append(out, []action{{kind: []string{"patch", "ack", "snooze", "resolve", "tick", "note"}[r.IntN(6)], arg: r.IntN(1000), at: at}})
		}
	}
	return out
}

// runActions carries actions through a new engine, and gives what was decided.
func runActions(t *testing.T, groups [][]action, seed uint64, restarts bool, size func(*rand.Rand) int) (*still, string) {
	s := newStill(t, groups[0][0].at)
	r := rand.New(rand.NewPCG(seed, 7))
	ids := map[string]string{}
	for _, g := range groups {
		if len(g) == 0 {
			continue
		}
		for _, o := range g {
			s.clock.set(o.at)
			switch o.kind {
			case "put":
				ids[o.ext] = s.put("a", o.d, AcceptOptions{Replace: o.rep})
			case "erase":
				if err := s.Erase(context.Background(), "a", ids[o.ext]); err != nil {
					t.Fatal(err)
				}
			default:
				s.command(t, o)
			}
		}
		if restarts && r.IntN(3) == 0 {
			s.restart("a")
		}
		s.drain("a", func() int {
			if restarts && r.IntN(3) == 0 {
				s.restart("a")
			}
			return size(r)
		})
	}
	return s, s.dump("a")
}

// command does what a person does.
func (s *still) command(t *testing.T, o action) {
	ctx := context.Background()
	tn := s.tenant("a")
	st, _ := s.stateOf(ctx, tn)
	all := st.issues.All()
	docs, _ := s.store.Documents(ctx, "a", kindAlert)
	switch o.kind {
	case "patch":
		if len(all) == 0 {
			return
		}
		i := all[o.arg%len(all)]
		var title *string
		if o.arg%3 == 0 {
			x := "Named " + i.ID()
			title = &x
		}
		state := []string{"", earshot.Muted, earshot.Closed, earshot.Active}[o.arg%4]
		if _, err := s.PatchIssue(ctx, "a", i.ID(), title, state, "k"); err != nil {
			t.Log("patch", err)
		}
	case "tick":
		if err := s.tick(ctx, tn); err != nil {
			t.Fatal(err)
		}
	default:
		if len(docs) == 0 {
			return
		}
		n, _ := strconv.Atoi(docs[len(docs)-1-o.arg%min(3, len(docs))].ID)
		action := map[string]string{"ack": "acknowledge", "snooze": "snooze", "resolve": "resolve", "note": "note"}[o.kind]
		args := map[string]string{"snooze": "4h", "note": "hello"}[o.kind]
		_, _ = s.CommandAlert(ctx, "a", "ALR-"+strconv.Itoa(n), action, args, "k")
	}
}

// firstDiff shows the first lines that differ.
func firstDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	n := 0
	var out strings.Builder
	for i := 0; i < min(len(x), len(y)) && n < 3; i++ {
		if x[i] != y[i] {
			k := 0
			for k < min(len(x[i]), len(y[i])) && x[i][k] == y[i][k] {
				k++
			}
			f := max(0, k-60)
			h := x[i][:min(30, len(x[i]))]
			fmt.Fprintf(&out, "line %d [%s]\n  want …%.300s\n  got  …%.300s\n", i, h, x[i][f:], y[i][f:])
			n++
		}
	}
	if len(x) != len(y) {
		fmt.Fprintf(&out, "%d lines / %d\n", len(x), len(y))
	}
	return out.String()
}

// seeds are two, or as many as EARSHOT_SEEDS says.
func seeds() []uint64 {
	n, err := strconv.Atoi(os.Getenv("EARSHOT_SEEDS"))
	if err != nil {
		n = 2
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i)
	}
	return all
}

// TestCutAnywhere: random streams with revisions, replacements, erasures and
// commands give the same bytes in other batches, and when the state is loaded
// again in between.
func TestCutAnywhere(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := someActions(seed, 60, false)
			_, want := runActions(t, g, seed, false, func(*rand.Rand) int { return 50 })
			if _, got := runActions(t, g, seed, true, func(*rand.Rand) int { return 50 }); got != want {
				t.Errorf("restarts differ:\n%s", firstDiff(want, got))
			}
			if _, got := runActions(t, g, seed, false, func(r *rand.Rand) int { return 2 + r.IntN(20) }); got != want {
				t.Errorf("batches differ:\n%s", firstDiff(want, got))
			}
		})
	}
}

// TestCountsAnywhere: and every issue counts its members, also where a verbatim
// and its revision are in one batch.
func TestCountsAnywhere(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s, _ := runActions(t, someActions(seed, 60, true), seed, true, func(r *rand.Rand) int { return 1 + r.IntN(20) })
			s.check("a")
		})
	}
}
