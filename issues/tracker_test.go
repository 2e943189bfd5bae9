package issues

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

// A drawer keeps in memory what a tracker and its series save, and gives it back.
type drawer struct {
	store.State // what is not asked of it panics
	documents   map[string]map[string][]byte
	members     []store.Member // in order of arrival
	buckets     map[string]map[int64][]byte
}

func newDrawer() *drawer {
	return &drawer{documents: map[string]map[string][]byte{}, buckets: map[string]map[int64][]byte{}}
}

func (w *drawer) Put(kind, id string, body []byte) error {
	if w.documents[kind] == nil {
		w.documents[kind] = map[string][]byte{}
	}
	if w.documents[kind][id] = slices.Clone(body); body == nil {
		delete(w.documents[kind], id)
	}
	return nil
}

func (w *drawer) find(issue int64, is func(store.Member) bool) int {
	return slices.IndexFunc(w.members, func(m store.Member) bool { return m.Issue == issue && is(m) })
}

func (w *drawer) Join(issue int64, m store.Member) (first, newPerson bool, err error) {
	m.Issue = issue
	if w.find(issue, func(o store.Member) bool { return o.Verbatim == m.Verbatim }) >= 0 {
		return false, false, nil
	}
	known := w.find(issue, func(o store.Member) bool { return o.Person == m.Person }) >= 0
	w.members = append(w.members, m)
	return true, !known, nil
}

func (w *drawer) Leave(issue int64, verbatim string) (left, lastOfPerson bool, err error) {
	k := w.find(issue, func(m store.Member) bool { return m.Verbatim == verbatim })
	if k < 0 {
		return false, false, nil
	}
	person := w.members[k].Person
	w.members = slices.Delete(w.members, k, k+1)
	return true, w.find(issue, func(m store.Member) bool { return m.Person == person }) < 0, nil
}

func (w *drawer) MergeIssues(from, into int64) (verbatims, people int, err error) {
	for k := range w.members {
		m := &w.members[k]
		if m.Issue == from && w.find(into, func(o store.Member) bool { return o.Verbatim == m.Verbatim }) < 0 {
			m.Issue = into
		}
	}
	w.members = slices.DeleteFunc(w.members, func(m store.Member) bool { return m.Issue == from })
	verbatims, people = w.count(into)
	return verbatims, people, nil
}

func (w *drawer) count(issue int64) (verbatims, people int) {
	who := map[uint64]bool{}
	for _, m := range w.members {
		if m.Issue == issue {
			verbatims++
			who[m.Person] = true
		}
	}
	return verbatims, len(who)
}

func (w *drawer) Bucket(key string, t int64) ([]byte, error) { return w.buckets[key][t], nil }

func (w *drawer) PutBucket(key string, t int64, body []byte) error {
	if w.buckets[key] == nil {
		w.buckets[key] = map[int64][]byte{}
	}
	if w.buckets[key][t] = body; body == nil {
		delete(w.buckets[key], t)
	}
	return nil
}

func (w *drawer) Documents(_ context.Context, _, kind string) (list []store.Document, err error) {
	for _, id := range slices.Sorted(maps.Keys(w.documents[kind])) {
		list = append(list, store.Document{ID: id, Body: w.documents[kind][id]})
	}
	return list, nil
}

func (w *drawer) Document(_ context.Context, _, kind, id string) ([]byte, error) {
	return w.documents[kind][id], nil
}

func (w *drawer) Buckets(_ context.Context, _, prefix string, t int64) (list []store.Bucket, err error) {
	for _, key := range slices.Sorted(maps.Keys(w.buckets)) {
		for _, slot := range slices.Sorted(maps.Keys(w.buckets[key])) {
			if strings.HasPrefix(key, prefix) && slot >= t {
				list = append(list, store.Bucket{Key: key, T: slot, Body: w.buckets[key][slot]})
			}
		}
	}
	return list, nil
}

func (w *drawer) MembersSince(_ context.Context, _ string, at time.Time) ([]store.Member, error) {
	list := slices.DeleteFunc(slices.Clone(w.members), func(m store.Member) bool { return m.At.Before(at) })
	slices.SortStableFunc(list, func(a, b store.Member) int { return a.At.Compare(b.At) })
	return list, nil
}

// text is everything in it.
func (w *drawer) text() string {
	var b bytes.Buffer
	for _, kind := range slices.Sorted(maps.Keys(w.documents)) {
		for _, id := range slices.Sorted(maps.Keys(w.documents[kind])) {
			fmt.Fprintf(&b, "%s %s %s\n", kind, id, w.documents[kind][id])
		}
	}
	members := slices.SortedFunc(slices.Values(w.members), func(a, b store.Member) int {
		return cmp.Or(cmp.Compare(a.Issue, b.Issue), cmp.Compare(a.Verbatim, b.Verbatim))
	})
	for _, m := range members {
		fmt.Fprintf(&b, "member %v\n", m)
	}
	return b.String()
}

// A ledger is what a desk saves to and is opened again from.
type ledger interface {
	Ledger
	series.Buckets
}

func (d *desk) save(to ledger) {
	d.t.Helper()
	if err := d.Save(to); err != nil {
		d.t.Fatal(err)
	}
	if err := d.changes.Save(to); err != nil {
		d.t.Fatal(err)
	}
	d.changes = series.Changes{}
}

// reopen gives a desk that knows what was saved and nothing else.
func (d *desk) reopen(from store.State) *desk {
	d.t.Helper()
	again := &desk{t: d.t, reader: d.reader, set: series.Set{}, now: d.now, said: d.said}
	var err error
	if again.Tracker, err = Load(d.t.Context(), from, "t", d.reader, again.set, d.now); err != nil {
		d.t.Fatal(err)
	}
	return again
}

// voices says things about a few troubles in ever other words, some of them
// new, as a stream does.
type voices struct {
	rng *rand.Rand
	n   int
}

func (v *voices) next() (who, text string) {
	pick := func(of ...string) string { return of[v.rng.IntN(len(of))] }
	v.n++
	who = fmt.Sprint(pick("customer ", "author "), v.rng.IntN(60))
	switch v.rng.IntN(9) {
	case 0:
		text = pick("cannot log in", "login fails", "can't sign in", "I am locked out of login") + " " + pick("since the update", "after updating", "today", "on my phone")
	case 1:
		text = pick("my parcel is late", "delivery is late", "still no parcel", "parcel never arrived") + pick("", ", nobody answers", ", where is it", " again")
	case 2:
		text = pick("退款还没到账", "退款一直没退回来", "钱还没退") + pick("，等了一个星期", "，客服不理人", "，太慢了", "")
	case 3:
		text = pick("登入唔到", "login 唔到", "個 app 登入唔到") + pick("呀", "，更新完就咁", "，試咗幾次")
	case 4:
		text = pick("โอนเงินแล้วยอดไม่เข้า", "ยอดเงินไม่เข้า", "เงินโอนไม่เข้า") + pick("", " รอมาสองวันแล้ว", "ค่ะ", " ทำไง")
	case 5:
		text = pick("otp ไม่มา", "ไม่ได้รับ otp", "รหัส OTP ไม่เข้า") + pick("", " รอนานมาก", " ทำรายการไม่ได้")
	case 6: // something nobody said before
		thing := fmt.Sprintf("%s%s", pick("gad", "wid", "spro", "fran", "bli"), pick("get", "zle", "ckum", "dibber", "kor")) + pick("", "on", "ette", "ax")
		text = pick("my ", "the new ", "this ") + thing + pick(" is broken", " makes a terrible noise", " stopped working", " smells bad")
	case 7:
		text = pick("thanks", "ok", "ไม่มี", "没有", "great service", "is the shop open on sunday", "do you sell umbrellas")
	default:
		text = pick("the driver was rude", "rude driver shouted at me", "your driver is so rude") + pick("", " and threw the bag", " again")
	}
	return who, text
}

// TestLoadedAgain: a tracker that was saved and loaded decides as the one that went on.
func TestLoadedAgain(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		for seed := range uint64(6) {
			for _, step := range []time.Duration{20 * time.Second, 7 * time.Minute, 3 * time.Hour} {
				w := newDrawer()
				loadedAgain(t, seed, step, w, w)
			}
		}
	})
	t.Run("SQLite", func(t *testing.T) {
		s, err := store.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		if err := s.PutTenant(t.Context(), earshot.Tenant{ID: "t"}); err != nil {
			t.Fatal(err)
		}
		var items []store.Item // members are verbatims of the store
		for n := range 300 {
			items = append(items, store.Item{Verbatim: earshot.Verbatim{ID: fmt.Sprintf("v_%05d", n+1), Source: "test", Channel: "chat", At: opening, ReceivedAt: opening, Revision: 1, Rating: &earshot.Rating{Value: 1}}})
		}
		if _, err := s.Accept(t.Context(), "t", items); err != nil {
			t.Fatal(err)
		}
		loadedAgain(t, 9, 5*time.Minute, inTransaction{t, s}, s)
	})
}

// inTransaction saves to a store, one transaction for each thing.
type inTransaction struct {
	t *testing.T
	s store.Store
}

func (x inTransaction) do(f func(store.Tx) error) error { return x.s.Update(x.t.Context(), "t", f) }

func (x inTransaction) Put(kind, id string, body []byte) error {
	return x.do(func(tx store.Tx) error { return tx.Put(kind, id, body) })
}

func (x inTransaction) Join(issue int64, m store.Member) (first, newPerson bool, err error) {
	err = x.do(func(tx store.Tx) error { first, newPerson, err = tx.Join(issue, m); return err })
	return first, newPerson, err
}

func (x inTransaction) Leave(issue int64, verbatim string) (left, last bool, err error) {
	err = x.do(func(tx store.Tx) error { left, last, err = tx.Leave(issue, verbatim); return err })
	return left, last, err
}

func (x inTransaction) MergeIssues(from, into int64) (verbatims, people int, err error) {
	err = x.do(func(tx store.Tx) error { verbatims, people, err = tx.MergeIssues(from, into); return err })
	return verbatims, people, err
}

func (x inTransaction) Bucket(key string, t int64) (body []byte, err error) {
	err = x.do(func(tx store.Tx) error { body, err = tx.Bucket(key, t); return err })
	return body, err
}

func (x inTransaction) PutBucket(key string, t int64, body []byte) error {
	return x.do(func(tx store.Tx) error { return tx.PutBucket(key, t, body) })
}

func loadedAgain(t *testing.T, seed uint64, step time.Duration, to ledger, from store.State) {
	t.Helper()
	d := newDesk(t)
	d.limit = 60
	v := &voices{rng: rand.New(rand.NewPCG(seed, 7))}
	var placed []*comment
	speak := func(d *desk, n int) (refs []string) {
		for range n {
			d.pass(step)
			who, text := v.next()
			c := d.place(d.comment(who, text))
			refs = append(refs, fmt.Sprint(c.Verbatim.ID, c.Issues))
			placed = append(placed, c)
		}
		return refs
	}
	for range 3 {
		speak(d, 70)
		for range 5 {
			k := v.rng.IntN(len(placed))
			d.remove(placed[k])
			placed = slices.Delete(placed, k, k+1)
		}
		d.save(to)
	}
	again := d.reopen(from)
	again.limit = d.limit
	if diff := gocmp.Diff(d.counters, again.counters); diff != "" {
		t.Errorf("seed %d, a word each %v: counters (-went on +loaded):\n%s", seed, step, diff)
	}
	if diff := gocmp.Diff(d.picture(), again.picture()); diff != "" {
		t.Errorf("seed %d, a word each %v: when loaded (-went on +loaded):\n%.1500s", seed, step, diff)
	}
	v.rng = rand.New(rand.NewPCG(seed, 99))
	want := speak(d, 100)
	v.rng = rand.New(rand.NewPCG(seed, 99))
	got := speak(again, 100)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("seed %d, a word each %v: placements (-went on +loaded):\n%.1500s", seed, step, diff)
	}
	if diff := gocmp.Diff(d.picture(), again.picture()); diff != "" {
		t.Errorf("seed %d, a word each %v: issues (-went on +loaded):\n%.1500s", seed, step, diff)
	}
}

// picture is all that is stored of the issues in memory but their counts, which
// are settled when they are saved, and their titles.
func (d *desk) picture() []string {
	var list []string
	for _, i := range d.All() {
		doc := i.doc
		doc.Count, doc.Customers, doc.Called, doc.Phrases = 0, 0, nil, nil
		list = append(list, fmt.Sprint(i.number, doc, i.mass, i.norm, i.Examples(maxExamples), d.share(i, d.now), d.Growth(i, d.now)))
	}
	return list
}

// TestNamedAgain: a tracker that was loaded names issues as the one that went on.
func TestNamedAgain(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	v := &voices{rng: rand.New(rand.NewPCG(4, 7))}
	for range 300 {
		d.pass(7 * time.Minute)
		d.place(d.comment(v.next()))
	}
	d.save(w)
	again := d.reopen(w)
	var wrong []string
	for _, i := range d.All() {
		_, want := d.name(i)
		_, got := again.name(again.Get(i.number))
		if diff := gocmp.Diff(want, got); diff != "" {
			wrong = append(wrong, i.ID()+" (-went on +loaded):\n"+diff)
		}
	}
	report(t, wrong)
}

// TestSameAgain: the same stream gives the same bytes, saved often or seldom.
func TestSameAgain(t *testing.T) {
	run := func(often int) string {
		d, w := newDesk(t), newDrawer()
		d.limit = 60
		v := &voices{rng: rand.New(rand.NewPCG(3, 3))}
		for i := range 400 {
			d.pass(4 * time.Minute)
			d.place(d.comment(v.next()))
			if i%often == often-1 {
				d.save(w)
			}
		}
		d.save(w)
		return w.text()
	}
	want := run(400)
	for _, often := range []int{400, 1, 37} {
		if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(run(often), "\n")); diff != "" {
			t.Errorf("saved after each %d (-want +got):\n%.2000s", often, diff)
		}
	}
}

// TestCountersSaved: what a tracker counts is saved although no issue changed.
func TestCountersSaved(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	d.say("a", "cannot log in since the update")
	d.say("b", "login fails after the update")
	d.say("c", "can't log in after updating")
	d.pass(3 * time.Hour) // nothing is left to be looked at
	d.save(w)
	friendly := &Mention{Lang: "en", Terms: []string{"umbrella"}} // joins nothing, opens nothing
	d.Place(&Said{Value: series.Value{At: d.now}, Verbatim: "x"}, "umbrella", []Mention{*friendly}, nil, d.now)
	d.pass(3 * time.Hour)
	d.save(w)
	again := d.reopen(w)
	if diff := gocmp.Diff(d.counters, again.counters); diff != "" {
		t.Errorf("counters are saved with an issue only; a mention without one, and a tick, are forgotten (-went on +loaded):\n%s", diff)
	}
}

// checkCounts holds each issue's counts against the members.
func (d *desk) checkCounts(w *drawer) {
	d.t.Helper()
	for _, i := range d.All() {
		if v, p := w.count(i.number); v != i.Count || p != i.Customers {
			d.t.Errorf("%s counts %d of %d people, has %d of %d", i.ID(), i.Count, i.Customers, v, p)
		}
	}
	for _, m := range w.members {
		if d.into[m.Issue] != 0 {
			d.t.Errorf("%s is a member of the merged issue %d", m.Verbatim, m.Issue)
		}
	}
}

func TestCounts(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	v := &voices{rng: rand.New(rand.NewPCG(11, 3))}
	var placed []*comment
	for i := range 500 {
		d.pass(time.Minute)
		placed = append(placed, d.place(d.comment(v.next())))
		if i%9 == 8 {
			k := v.rng.IntN(len(placed))
			d.remove(placed[k])
			placed = slices.Delete(placed, k, k+1)
		}
		if i%23 == 22 {
			d.save(w)
			d.checkCounts(w)
		}
	}
	d.save(w)
	if len(d.into) == 0 {
		t.Error("nothing was merged: the test tests little")
	}
	for _, c := range placed {
		for _, n := range d.of(c) {
			if w.find(n, func(m store.Member) bool { return m.Verbatim == c.Verbatim.ID }) < 0 {
				t.Errorf("%s refers to %d and is no member", c.Verbatim.ID, n)
			}
		}
	}
	for _, c := range placed {
		d.remove(c)
	}
	d.save(w)
	for _, i := range d.All() {
		if i.Count != 0 || i.Customers != 0 || len(i.Langs) != 0 || len(i.Channels) != 0 || i.Sentiment != (series.Sum{}) || i.Effort != (series.Sum{}) || len(i.examples) != 0 {
			t.Errorf("all were removed and %s is %+v with %d examples", i.ID(), i.doc, len(i.examples))
		}
	}
	if len(w.members) != 0 || len(w.documents[KindExamples]) != 0 {
		t.Errorf("%d members and %d examples remain", len(w.members), len(w.documents[KindExamples]))
	}
	for key, track := range d.set {
		if len(track.Recent) != 0 {
			t.Errorf("%d remain in the track of %s", len(track.Recent), key)
		}
	}
}

func TestOneAuthor(t *testing.T) {
	for _, c := range []struct {
		name   string
		said   [][2]string // who, what
		opened int
	}{
		{"repeats", [][2]string{{"a", "cannot log in since the update"}, {"a", "login fails after the update"}, {"a", "still can't log in!!"}, {"a", "log in broken since your update"}}, 0},
		{"a second person", [][2]string{{"a", "cannot log in since the update"}, {"a", "still can't log in!!"}, {"b", "login fails after the update"}}, 1},
		{"the same few words", [][2]string{{"a", "login failed"}, {"b", "login failed"}}, 1},
		{"copies", [][2]string{{"a", long}, {"b", long}, {"c", long}, {"d", long}, {"e", long}, {"f", long}, {"g", long + " "}, {"h", "\n" + strings.ToUpper(long)}}, 0},
		{"a copy after repeats", [][2]string{{"a", long}, {"a", "my broken toaster burns bread and blows the fuse in the kitchen"}, {"b", long}}, 0},
		{"copies by four customers", [][2]string{{"customer 1", long}, {"customer 2", long}, {"customer 3", long}, {"customer 4", long}}, 0},
		{"copies by six customers", [][2]string{{"customer 1", long}, {"customer 2", long}, {"customer 3", long}, {"customer 4", long}, {"customer 5", long}, {"customer 6", long}}, 1},
		{"copies by five customers", [][2]string{{"customer 1", long}, {"customer 2", long}, {"customer 3", long}, {"customer 4", long}, {"customer 5", long}}, 1},
		{"copies by two customers", [][2]string{{"customer 1", long}, {"customer 2", long}, {"customer 2", long}, {"customer 2", long}, {"customer 2", long}, {"customer 2", long}}, 0},
		{"copies and one in other words", [][2]string{{"a", long}, {"b", long}, {"c", "that toaster is broken, it burns bread and blows our fuse each time"}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			for _, s := range c.said {
				d.say(s[0], s[1])
			}
			d.pass(2 * time.Hour)
			var wrong []string
			if n := len(d.opened()); n != c.opened {
				wrong = append(wrong, fmt.Sprintf("%d issues were opened, want %d", n, c.opened))
			}
			report(t, wrong)
			if n := len(d.All()); n != 1 {
				t.Errorf("%d groups, want 1", n)
			}
		})
	}
}

const long = "The toaster I bought from your shop last month is broken: it burns the bread on one side, leaves the other raw and blows the kitchen fuse every morning."

// TestOneLeft: an issue whose first voice was taken back is not opened by the next one.
func TestOneLeft(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	c := d.say("a", "cannot log in since the update")
	d.save(w)
	d.Remove(c.said, c.numbers(), nil, d.now) // replaced by something else: its words are not known any more
	d.say("b", "login fails after the update")
	d.save(w)
	for _, i := range d.opened() {
		if i.Count < 2 {
			t.Errorf("%s was opened with %d member, of %d people", i.ID(), i.Count, i.Customers)
		}
	}
}

func TestOpenedOnce(t *testing.T) {
	d := newDesk(t)
	d.say("a", "cannot log in since the update")
	if e := d.Events(); len(e) != 0 {
		t.Errorf("one voice: events %v", e)
	}
	d.say("b", "login fails after the update")
	d.say("c", "can't log in after updating")
	e := d.Events()
	if len(e) != 1 || e[0].Type != "opened" || e[0].Issue.Number() != 1 || !e[0].At.Equal(d.now.Add(-time.Minute)) {
		t.Errorf("events %v, want that 1 was opened by the second voice", e)
	}
	i := d.Get(1)
	if len(i.History) != 1 || i.History[0].Action != "opened" || i.History[0].By != "auto" || i.State != earshot.Emerging {
		t.Errorf("history %v, state %s", i.History, i.State)
	}
	if len(d.Events()) != 0 {
		t.Error("events were given twice")
	}
}

// TestConversation: what an agent says is no mention, and a customer's two
// troubles are two issues.
func TestConversation(t *testing.T) {
	d := newDesk(t)
	for i, text := range []string{"cannot log in since the update", "login fails after the update", "my parcel is late", "the parcel is a week late, where is it"} {
		d.say(fmt.Sprint("p", i), text)
	}
	login, parcel := int64(1), d.of(d.say("p9", "my parcel is late again"))[0]
	if login == parcel {
		t.Fatal("both troubles are one issue to begin with")
	}
	c := d.say("customer 1", "Hello", "agent: Hello, is your parcel late or was it broken and you want a refund?", "I cannot log in since the update",
		"bot: Your parcel is late. We apologise for the broken parcel and the late delivery.", "And my parcel is a week late too!", "agent: Sorry that your login fails after the update")
	if diff := gocmp.Diff([]int64{login, parcel}, d.of(c)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	for _, m := range c.mentions {
		if turn := c.Verbatim.Turns[c.Analysis.Segments[m.Segment].Turn]; turn.Speaker != "customer" {
			t.Errorf("a mention in what the %s says: %q", turn.Speaker, turn.Text)
		}
	}
	for _, r := range c.Issues {
		if r.Similarity <= 0 || r.Similarity > 1 || r.Segment < 0 || r.Segment >= len(c.Analysis.Segments) {
			t.Errorf("reference %+v", r)
		}
	}
	only := d.say("customer 2", "agent: I hear that you cannot log in since the update", "bot: login fails after the update", "yes")
	if len(only.Issues) != 0 {
		t.Errorf("an agent's words are in %v", only.Issues)
	}
	again := d.say("customer 3", "cannot log in since the update", "agent: really?", "yes, login fails after the update")
	if diff := gocmp.Diff([]int64{login}, d.of(again)); diff != "" {
		t.Errorf("one trouble in two turns (-want +got):\n%s", diff)
	}
	// What it is a member of already is not said again, but a new trouble is.
	known := c.Issues
	if refs, _ := d.Place(c.said, c.Verbatim.Text(), c.mentions, known, d.now); len(refs) != 0 {
		t.Errorf("placed again: %v", refs)
	}
	if refs, _ := d.Place(c.said, c.Verbatim.Text(), c.mentions, known[:1], d.now); len(refs) != 1 || refs[0].ID != IDOf(parcel) {
		t.Errorf("placed again without the parcel: %v", refs)
	}
}

// TestRemove: count, example and words of what is removed go, what others said stays.
func TestRemove(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	d.say("a", "my toaster burns the bread")
	secret := d.say("b", "my zyzzyva toaster burns all bread, zyzzyva indeed")
	d.say("c", "toaster burns bread on one side")
	d.save(w)
	i := d.Get(1)
	if i.Count != 3 || i.Customers != 3 || !strings.Contains(w.text(), "zyzzyva") {
		t.Fatalf("before: %d of %d people", i.Count, i.Customers)
	}
	version := i.Version
	d.remove(secret)
	d.save(w)
	if i.Count != 2 || i.Customers != 2 || i.Langs["en"] != 2 || i.Channels["chat"] != 2 || i.Version <= version {
		t.Errorf("after: %d of %d people, %v, %v, version %d", i.Count, i.Customers, i.Langs, i.Channels, i.Version)
	}
	if strings.Contains(w.text(), "zyzzyva") {
		t.Errorf("a removed word is still there:\n%s", w.text())
	}
	for _, e := range i.Examples(10) {
		if e.ID == secret.Verbatim.ID {
			t.Error("it is still an example")
		}
	}
	if n := d.of(d.say("d", "the toaster burns my bread"))[0]; n != 1 {
		t.Errorf("what others said is gone: a fourth voice is in %d", n)
	}
	d.remove(secret) // again: nothing more
	d.save(w)
	if i.Count != 3 {
		t.Errorf("removed twice: %d", i.Count)
	}
}

// TestRemovedWordsGo: from titles, merged and retired issues too.
func TestRemovedWordsGo(t *testing.T) {
	t.Run("retired", func(t *testing.T) {
		d, w := newDesk(t), newDrawer()
		c := d.say("a", "my zyzzyva toaster is broken, it burns the bread")
		d.say("b", "the broken zyzzyva toaster smells and burns bread")
		d.save(w)
		for k := range 12 {
			d.say(fmt.Sprint("p", k), strings.Repeat(string(rune('a'+k)), 6)+" "+strings.Repeat(string(rune('b'+k)), 7))
		}
		d.limit = 5
		d.retire(d.now)
		for d.Get(1) != nil { // those that were opened go last
			d.limit /= 2
			d.retire(d.now)
		}
		d.save(w)
		if w.documents[KindRetired][key(1)] == nil {
			t.Fatal("it was not retired")
		}
		d.remove(c)
		d.save(w)
		if v, _ := w.count(1); v != 1 {
			t.Errorf("%d members, want 1", v)
		}
		err := d.Wipe(func(number int64) (*Issue, error) {
			_, r, err := readRow(store.Document{ID: key(number), Body: w.documents[KindRetired][key(number)]})
			return &Issue{centroid: centroid{number: number}, doc: r.doc}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		d.save(w)
		if strings.Contains(w.text(), "zyzzyva") {
			t.Error("a removed word is still there")
		}
	})
	t.Run("merged", func(t *testing.T) {
		d, w := newDesk(t), newDrawer()
		c := d.say("a", "my zyzzyva toaster is broken, it burns the bread")
		c2 := d.say("b", "the broken zyzzyva toaster smells and burns bread")
		d.say("c", "cannot log in since the update")
		d.say("d", "login fails after the update")
		d.merge(d.Get(2), d.Get(1), d.now)
		d.save(w)
		d.remove(c)
		d.remove(c2)
		d.save(w)
		if body := w.documents[KindIssue][key(1)]; bytes.Contains(body, []byte("zyzzyva")) {
			t.Errorf("the titles of a merged issue keep words that only erased verbatims had: %s", body)
		}
	})
	t.Run("title of one that is no example", func(t *testing.T) {
		d, w := newDesk(t), newDrawer()
		c := d.say("a", "zyzzyva quokka says login failed")
		n := c.numbers()[0]
		for k := range 15 {
			d.say(fmt.Sprint("p", k), []string{"login failed", "login failed again", "my login failed"}[k%3]+fmt.Sprintf(" no%d", k))
			i := d.Get(n)
			_, phrases := d.Titles(i)
			if slices.ContainsFunc(i.examples, func(e example) bool { return e.Verbatim == c.Verbatim.ID }) || !strings.Contains(fmt.Sprint(phrases), "zyzzyva") {
				continue
			}
			d.remove(c)
			d.save(w)
			if _, phrases := d.Titles(i); strings.Contains(fmt.Sprint(phrases), "zyzzyva") {
				t.Errorf("the phrases of an issue keep words of an erased verbatim that is no longer an example: %q", phrases)
			}
			return
		}
		d.remove(c)
		d.save(w)
		if strings.Contains(w.text(), "zyzzyva") {
			t.Error("a removed word is still there")
		}
	})
}

// TestRemoveOfRepeat: what never pulled an issue takes nothing of it away.
func TestRemoveOfRepeat(t *testing.T) {
	d := newDesk(t)
	d.say("a", "my toaster burns the bread")
	d.say("b", "toaster burns all bread")
	before := d.Get(1).mass
	again := d.say("a", "my toaster burns the bread")
	if d.Get(1).mass != before {
		t.Fatal("a repeat pulls")
	}
	d.remove(again)
	if got := d.Get(1).mass; got != before {
		t.Errorf("one person's repeats do not pull an issue, yet removing one pulls it back: mass %.3f, was %.3f", got, before)
	}
}

func TestMerged(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	both := d.say("both", "the kettle leaks water", "agent: and?", "the toaster burns bread")
	d.say("a", "my kettle leaks hot water")
	d.say("b", "toaster burns the bread")
	d.say("c", "toaster burns bread black")
	if diff := gocmp.Diff([]int64{1, 2}, d.of(both)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	d.save(w)
	d.Events()
	d.merge(d.Get(2), d.Get(1), d.now)
	d.save(w)
	if d.Current(1) != 2 || d.Current(2) != 2 || d.Current(77) != 77 || d.Get(1) != nil {
		t.Errorf("1 is %d, 2 is %d", d.Current(1), d.Current(2))
	}
	if diff := gocmp.Diff([]int64{2, 1}, d.Into(2)); diff != "" {
		t.Errorf("into 2 (-want +got):\n%s", diff)
	}
	if i := d.Get(2); i.Count != 4 || i.Customers != 4 {
		t.Errorf("counts %d of %d people, want 4: the one that was in both counts once", i.Count, i.Customers)
	}
	if e := d.Events(); len(e) != 1 || e[0].Type != "merged" || e[0].Issue.Number() != 1 || e[0].Issue.MergedInto != 2 {
		t.Errorf("events %v", e)
	}
	stored, err := Stored(t.Context(), w, "t", 1)
	if err != nil || stored == nil || stored.MergedInto != 2 || stored.State != earshot.Closed || stored.Number() != 1 {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	if none, err := Stored(t.Context(), w, "t", 99); none != nil || err != nil {
		t.Errorf("an issue that never was: %v, %v", none, err)
	}
	again := d.reopen(w)
	if again.Current(1) != 2 || again.Get(1) != nil || again.Get(2) == nil {
		t.Error("loaded again it is not merged")
	}
	n := d.say("d", "kettle leaks water everywhere").numbers()
	if !slices.Equal(n, []int64{2}) {
		t.Errorf("said again it goes into %v", n)
	}
	if got := d.say("e", "the kettle leaks").Issues; len(got) != 1 || got[0].ID != "ISS-2" {
		t.Errorf("said again: %v", got)
	}
	d.remove(both)
	d.save(w)
	if i := d.Get(2); i.Count != 5 {
		t.Errorf("after the one that was in both was removed: %d, want 5", i.Count)
	}
	if _, err := d.Command(1, nil, earshot.Muted, "k_1", d.now); earshot.CodeOf(err) != earshot.Conflict {
		t.Errorf("a merged issue takes commands: %v", err)
	}
}

// TestNamedStays: what a person named or muted is not merged away.
func TestNamedStays(t *testing.T) {
	twins := func(name string) (int64, *desk) {
		d := newDesk(t)
		d.say("a", "kettle leaks water")
		d.say("b", "the kettle leaks hot water")
		old := d.Get(1)
		for k := range 4 {
			d.say(fmt.Sprint("p", k), fmt.Sprintf("toaster %d burns bread black", k))
		}
		other := d.Get(2)
		if other == nil {
			t.Fatal("they are not two issues")
		}
		if name != "" {
			if _, err := d.Command(1, &name, "", "k_1", d.now); err != nil {
				t.Fatal(err)
			}
		}
		// Their words become the same.
		for _, x := range []*Issue{old, other} {
			for _, m := range []string{"socket", "sparks", "smoke", "fire", "alarm"} {
				for range 3 {
					d.spaces["en"].add(&x.centroid, vector{{m, 1}}, d.now)
				}
			}
			x.unlike = true
		}
		d.pass(10 * time.Minute)
		return d.Current(1), d
	}
	if n, d := twins(""); n != 2 {
		t.Errorf("the small one is %d (%d issues), want merged into 2", n, len(d.All()))
	}
	if n, d := twins("Kettles"); n != 1 || d.Current(2) != 1 || d.Title(d.Get(1)) != "Kettles" {
		t.Errorf("the named one is %d, want 1", n)
	}
}

// TestRetire: of too many issues the least useful go; numbers are never used
// again, and what went answers from the record.
func TestRetire(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	d.limit = 50
	d.say("a", "cannot log in since the update")
	d.say("b", "login fails after the update")
	d.save(w)
	seen := map[int64]string{}
	words := strings.Fields(nonsense(4500))
	most := 0
	for k := range 1500 {
		text := strings.Join(words[3*k:3*k+3], " ")
		m := Mention{Span: earshot.Span{End: len(text)}, Lang: "en", Terms: strings.Fields(text), Troubled: true, Bears: true, Opens: true}
		s := &Said{Value: series.Value{At: d.now, Person: uint64(k), Channel: "chat"}, Verbatim: fmt.Sprint("w", k), Lang: "en"}
		refs, _ := d.Place(s, text, []Mention{m}, nil, d.now)
		for _, r := range refs {
			n, _ := NumberOf(r.ID)
			if was, ok := seen[n]; ok && r.Similarity == 1 {
				t.Fatalf("the number %d of %q is given to %q", n, was, text)
			}
			seen[n] = text
		}
		if k%20 == 19 {
			d.pass(10 * time.Minute)
			d.save(w)
			if n := len(d.All()); n > d.limit {
				t.Fatalf("%d issues after a tick, the limit is %d", n, d.limit)
			}
		}
		most = max(most, len(d.All()))
	}
	if most > d.limit+20 {
		t.Errorf("%d issues at one time", most)
	}
	if d.Get(1) == nil {
		t.Error("an issue that was opened was retired before those that were not")
	}
	terms, tracks := 0, 0
	for _, s := range d.spaces {
		terms += len(s.terms)
		if s.size > d.limit+20 {
			t.Errorf("a space of %d", s.size)
		}
	}
	for range d.set {
		tracks++
	}
	if terms > (d.limit+20)*maxVector || tracks > d.limit+20 {
		t.Errorf("%d terms, %d tracks in memory", terms, tracks)
	}
	d.save(w)
	for n := range seen {
		in := w.documents[KindIssue][key(n)] != nil
		out := w.documents[KindRetired][key(n)] != nil
		if in == out || (d.Get(n) != nil) != in {
			t.Fatalf("%d: in memory %v, stored %v, stored as retired %v", n, d.Get(n) != nil, in, out)
		}
		if i, err := Stored(t.Context(), w, "t", n); err != nil || i.Number() != n || i.Count != 1 {
			t.Fatalf("%d is stored as %v, %v", n, i, err)
		}
	}
	again := d.reopen(w)
	if len(again.All()) != len(d.All()) || again.Next != d.Next {
		t.Errorf("loaded: %d issues, next %d; want %d, %d", len(again.All()), again.Next, len(d.All()), d.Next)
	}
	// One that was opened and closed goes before one that is active.
	d.limit = 1
	d.retire(d.now)
	if len(d.All()) != 0 {
		t.Errorf("%d remain of a limit of one", len(d.All()))
	}
	d.save(w)
	i, err := Stored(t.Context(), w, "t", 1)
	if err != nil || i == nil || i.State != earshot.Closed || i.Count != 2 || i.History[len(i.History)-1].Action != "retired" {
		t.Errorf("an opened one that was retired is %+v, %v", i, err)
	}
	if _, err := d.Command(1, nil, earshot.Active, "k_1", d.now); earshot.CodeOf(err) != earshot.Conflict {
		t.Errorf("a retired issue takes commands: %v", err)
	}
	n := d.say("z", "cannot log in since the update").numbers()
	if len(n) != 1 || n[0] <= slices.Max(slices.Collect(maps.Keys(seen))) {
		t.Errorf("after all were retired the next number is %v", n)
	}
}

// TestRetiredMembersLeave: a member of a retired issue can be removed, and that
// leaves nothing in memory.
func TestRetiredMembersLeave(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	c := d.say("a", "cannot log in since the update")
	d.save(w)
	d.limit = 1
	d.say("b", "the toaster burns bread")
	d.retire(d.now)
	d.save(w)
	d.remove(c)
	d.save(w)
	if v, _ := w.count(1); v != 0 {
		t.Errorf("%d members remain", v)
	}
	if d.set[series.Issue(1)] != nil {
		t.Errorf("removing a member of a retired issue makes an empty track of it that stays in memory")
	}
}

// TestStates: emerging, active, fading, closed, and open again.
func TestStates(t *testing.T) {
	d := newDesk(t)
	var lines []string
	note := func() {
		lines = append(lines, fmt.Sprintf("%s %s", d.now.Sub(opening).Truncate(time.Hour), d.Get(1).State))
	}
	d.say("a", "cannot log in since the update")
	d.say("b", "login fails after the update")
	note()
	for k := range 3 {
		d.pass(24 * time.Hour)
		d.say(fmt.Sprint("c", k), "can't log in after updating")
		d.pass(time.Hour)
		note()
	}
	for _, days := range []int{2, 2, 9, 3} {
		d.pass(time.Duration(days) * 24 * time.Hour)
		note()
	}
	d.say("z", "cannot log in again since the update")
	note()
	d.pass(2 * time.Hour)
	note()
	want := []string{"0s emerging", "25h0m0s emerging", "50h0m0s active", "75h0m0s active", "123h0m0s active", "171h0m0s fading", "387h0m0s fading", "459h0m0s closed", "459h0m0s emerging", "461h0m0s active"}
	if diff := gocmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A wave of it makes it emerge again.
	for k := range 30 {
		d.say(fmt.Sprint("w", k), []string{"cannot log in", "login fails since the update", "can't login after updating"}[k%3])
	}
	d.pass(time.Hour)
	if s := d.Get(1).State; s != earshot.Emerging {
		t.Errorf("in a wave it is %s", s)
	}
	var states []string
	for _, h := range d.Get(1).History {
		states = append(states, h.Action)
		if h.By != "auto" {
			t.Errorf("%s was done by %s", h.Action, h.By)
		}
	}
	if diff := gocmp.Diff([]string{"opened", "active", "fading", "closed", "emerging", "active", "emerging"}, states); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestMutedStays: whatever is said, and however long nothing is.
func TestMutedStays(t *testing.T) {
	d := newDesk(t)
	d.say("a", "cannot log in since the update")
	d.say("b", "login fails after the update")
	d.Events()
	i, err := d.Command(1, nil, earshot.Muted, "k_1", d.now)
	if err != nil || i.State != earshot.Muted || i.History[len(i.History)-1].By != "k_1" {
		t.Fatalf("%v, %v", i, err)
	}
	if e := d.Events(); len(e) != 1 || e[0].Type != "state" {
		t.Errorf("events %v", e)
	}
	version := i.Version
	if _, err := d.Command(1, nil, earshot.Muted, "k_1", d.now); err != nil || i.Version != version {
		t.Error("muted again it changed")
	}
	for _, days := range []int{1, 5, 20} {
		d.pass(time.Duration(days) * 24 * time.Hour)
		d.say(fmt.Sprint("c", days), "can't log in after updating")
		d.pass(time.Hour)
		if i.State != earshot.Muted {
			t.Errorf("after %d days it is %s", days, i.State)
		}
	}
	if _, err := d.Command(1, nil, earshot.Active, "k_1", d.now); err != nil || i.State != earshot.Active {
		t.Errorf("%s, %v", i.State, err)
	}
	// One closed by a person opens when it is said again; what is imported from long ago does not open it.
	if _, err := d.Command(1, nil, earshot.Closed, "k_1", d.now); err != nil {
		t.Fatal(err)
	}
	d.pass(2 * time.Hour)
	late := d.comment("late", "cannot log in since the update")
	late.said.At = d.now.Add(-30 * 24 * time.Hour)
	d.place(late)
	if i.State != earshot.Closed {
		t.Errorf("what was said a month ago makes it %s", i.State)
	}
	d.say("now", "cannot log in since the update")
	if i.State != earshot.Emerging {
		t.Errorf("said again it is %s", i.State)
	}
}

func TestNumbers(t *testing.T) {
	for id, want := range map[string]int64{"ISS-1": 1, "ISS-9223372036854775807": 1<<63 - 1,
		"": 0, "ISS-": 0, "ISS-0": 0, "ISS--1": 0, "ISS-+1": 0, "ISS-01": 0, "iss-1": 0, "ISS-1.0": 0, "ALR-1": 0, "ISS-9223372036854775808": 0} {
		if n, ok := NumberOf(id); ok != (want > 0) || ok && n != want {
			t.Errorf("NumberOf(%q) = %d, %v", id, n, ok)
		}
	}
}

// TestRejoin: a verbatim that is counted anew stays where it was.
func TestRejoin(t *testing.T) {
	d, w := newDesk(t), newDrawer()
	c := d.say("a", "cannot log in since the update")
	d.say("b", "login fails after the update")
	d.save(w)
	d.Remove(c.said, c.numbers(), nil, d.now)
	d.Rejoin(c.said, 1, true, d.now)
	d.save(w)
	i := d.Get(1)
	if i.Count != 2 || i.Customers != 2 || i.Langs["en"] != 2 || len(d.set.Of(series.Issue(1)).Recent) != 2 {
		t.Errorf("counts %d of %d people, %v", i.Count, i.Customers, i.Langs)
	}
	d.checkCounts(w)
}

// TestAlike: an issue is like itself and not like one of other words or another family.
func TestAlike(t *testing.T) {
	d := newDesk(t)
	d.say("a", "cannot log in since the update")
	d.say("b", "the toaster burns bread")
	d.say("c", "登录不了，更新之后就这样")
	if a := d.Alike(1, 1); a < 0.999 || a > 1.001 {
		t.Errorf("an issue is like itself by %v", a)
	}
	if a := d.Alike(1, 2); a > 0.1 || a != d.Alike(2, 1) {
		t.Errorf("login is like a toaster by %v", a)
	}
	if d.Alike(1, 3) != 0 || d.Alike(1, 99) != 0 {
		t.Error("families are alike")
	}
	if len(d.All()) != 3 || d.All()[2].Family != "zh" {
		t.Errorf("%v", d.All())
	}
}
