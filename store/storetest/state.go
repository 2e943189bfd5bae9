package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
)

// update runs f in a transaction that must succeed.
func (f *fixture) update(tenant string, run func(tx store.Tx) error) {
	f.Helper()
	f.no(f.Update(f.ctx, tenant, run))
}

// same fails the test where got is not want.
func (f *fixture) same(what string, got, want any) {
	f.Helper()
	if d := cmp.Diff(want, got); d != "" {
		f.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func documents(f *fixture) {
	f.update(here, func(tx store.Tx) error {
		f.no(tx.Put("issue", "2", []byte("two")))
		f.no(tx.Put("issue", "1", []byte("one")))
		f.no(tx.Put("alert", "1", []byte("other kind")))
		return tx.Put("issue", "2", []byte("two again"))
	})
	f.update(there, func(tx store.Tx) error { return tx.Put("issue", "1", []byte("other tenant")) })
	list, err := f.Documents(f.ctx, here, "issue")
	f.no(err)
	f.same("documents", list, []store.Document{{ID: "1", Body: []byte("one")}, {ID: "2", Body: []byte("two again")}})
	one, err := f.Document(f.ctx, here, "alert", "1")
	f.no(err)
	f.same("one", string(one), "other kind")
	f.update(here, func(tx store.Tx) error { return tx.Put("issue", "1", nil) })
	one, err = f.Document(f.ctx, here, "issue", "1")
	f.no(err)
	if one != nil {
		f.Errorf("a document that was removed is %q", one)
	}
	one, err = f.Document(f.ctx, there, "issue", "1")
	f.no(err)
	f.same("the other tenant's", string(one), "other tenant")
}

func members(f *fixture) {
	for _, id := range []string{"v_1", "v_2", "v_3"} {
		f.accept(item(id, "", "a"))
	}
	join := func(issue int64, verbatim string, person uint64, at time.Time, first, newPerson bool) {
		f.Helper()
		f.update(here, func(tx store.Tx) error {
			a, b, err := tx.Join(issue, store.Member{Verbatim: verbatim, Person: person, At: at, Tag: 7})
			if a != first || b != newPerson {
				f.Errorf("%s joins %d: first %v, new person %v; want %v, %v", verbatim, issue, a, b, first, newPerson)
			}
			return err
		})
	}
	const big = 1<<63 + 5 // a hash uses all bits
	join(1, "v_1", big, early, true, true)
	join(1, "v_1", big, early, false, false)
	join(1, "v_2", big, late, true, false)
	join(2, "v_2", big, late, true, true)
	join(2, "v_3", 9, early.Add(time.Minute), true, true)
	join(1, "v_none", 3, late, false, false)
	list, err := f.Members(f.ctx, here, 1, 10)
	f.no(err)
	f.same("members, last first", list, []store.Member{
		{Issue: 1, Verbatim: "v_2", Person: big, At: late, Tag: 7}, {Issue: 1, Verbatim: "v_1", Person: big, At: early, Tag: 7}})
	list, err = f.MembersSince(f.ctx, here, early.Add(time.Second))
	f.no(err)
	ids := ""
	for _, m := range list {
		ids += m.Verbatim + " "
	}
	f.same("members since", ids, "v_3 v_2 v_2 ")
	f.update(here, func(tx store.Tx) error {
		verbatims, people, err := tx.MergeIssues(2, 1) // v_2 is in both
		f.same("merged", [2]int{verbatims, people}, [2]int{3, 2})
		return err
	})
	verbatims, people, err := f.CountMembers(f.ctx, here, 1)
	f.no(err)
	f.same("counted", [2]int{verbatims, people}, [2]int{3, 2})
	f.update(here, func(tx store.Tx) error {
		for _, want := range []struct {
			verbatim   string
			left, last bool
		}{{"v_2", true, false}, {"v_1", true, true}, {"v_1", false, false}, {"v_none", false, false}} {
			left, last, err := tx.Leave(1, want.verbatim)
			f.no(err)
			f.same(want.verbatim+" leaves", [2]bool{left, last}, [2]bool{want.left, want.last})
		}
		return nil
	})
	list, err = f.Members(f.ctx, there, 1, 10)
	f.no(err)
	f.same("the other tenant's", len(list), 0)
}

func buckets(f *fixture) {
	f.update(here, func(tx store.Tx) error {
		b, err := tx.Bucket("issue:1", 5)
		f.no(err)
		if b != nil {
			f.Errorf("a bucket that nobody wrote is %q", b)
		}
		for _, b := range []store.Bucket{{Key: "issue:1", T: 5, Body: []byte("a")}, {Key: "issue:1", T: 7, Body: []byte("b")},
			{Key: "issue:10", T: 6, Body: []byte("c")}, {Key: "source:ห้าง", T: 6, Body: []byte("d")}} {
			f.no(tx.PutBucket(b.Key, b.T, b.Body))
		}
		f.no(tx.PutBucket("issue:1", 5, []byte("a2")))
		b, err = tx.Bucket("issue:1", 5)
		f.same("read again", string(b), "a2")
		return err
	})
	list, err := f.Buckets(f.ctx, here, "issue:", 6)
	f.no(err)
	f.same("from 6 on", list, []store.Bucket{{Key: "issue:1", T: 7, Body: []byte("b")}, {Key: "issue:10", T: 6, Body: []byte("c")}})
	list, err = f.Buckets(f.ctx, here, "source:", 0)
	f.no(err)
	f.same("a key in Thai", len(list), 1)
	f.update(here, func(tx store.Tx) error { return tx.PutBucket("issue:1", 7, nil) })
	list, err = f.Buckets(f.ctx, here, "issue:1", 6)
	f.no(err)
	f.same("one removed", len(list), 1)
}

func counted(f *fixture) {
	f.accept(item("v_1", "", "a"))
	f.update(here, func(tx store.Tx) error {
		f.no(tx.SetCounted("v_none", []byte("x")))
		return tx.SetCounted("v_1", []byte("as this"))
	})
	b, err := f.Counted(f.ctx, here, "v_1")
	f.no(err)
	f.same("counted", string(b), "as this")
	f.no(f.Erase(f.ctx, here, "v_1", late))
	b, err = f.Counted(f.ctx, here, "v_1")
	f.no(err)
	f.same("still known after erasure, for the entry that takes it back", string(b), "as this")
	f.update(here, func(tx store.Tx) error { return tx.SetCounted("v_1", nil) })
	b, err = f.Counted(f.ctx, here, "v_1")
	f.no(err)
	f.same("forgotten", len(b), 0)
}

func appended(f *fixture) {
	tick := &store.Entry{Type: store.TypeTick, At: late}
	command := &store.Entry{Type: store.TypeAlertCommand, At: late, Payload: []byte(`{}`)}
	f.update(here, func(tx store.Tx) error {
		f.no(tx.Append(tick))
		return tx.Append(command)
	})
	f.same("seqs", [2]uint64{tick.Seq, command.Seq}, [2]uint64{1, 2})
	log, err := f.Log(f.ctx, here, 0, 10)
	f.no(err)
	f.same("log", len(log), 2)
	f.same("payload", string(log[1].Payload), "{}")
	f.same("time", log[0].At, late)
}

func outbox(f *fixture) {
	message := func(webhook, id, alert string) earshot.Delivery {
		return earshot.Delivery{ID: id, Webhook: webhook, Alert: alert, Type: "alert.fired", CreatedAt: early, State: earshot.Pending, Body: []byte(id + " body")}
	}
	f.update(here, func(tx store.Tx) error {
		for _, d := range []earshot.Delivery{message("w_1", "m1", "ALR-1"), message("w_1", "m2", "ALR-2"), message("w_2", "m3", "ALR-1")} {
			f.no(tx.PutDelivery(d))
		}
		again := message("w_1", "m1", "ALR-1")
		again.Body = []byte("other")
		return tx.PutDelivery(again)
	})
	f.update(there, func(tx store.Tx) error { return tx.PutDelivery(message("w_1", "m4", "")) })
	heads := func() string {
		list, err := f.Heads(f.ctx)
		f.no(err)
		all := ""
		for _, h := range list {
			all += h.Tenant + ":" + string(h.Delivery.Body) + " "
		}
		return all
	}
	f.same("heads", heads(), "acme:m1 body acme:m3 body zen:m4 body ")
	done := message("w_1", "m1", "ALR-1")
	done.State, done.Attempts, done.DoneAt = earshot.Delivered, 3, &late
	f.no(f.Attempted(f.ctx, here, done))
	f.same("heads after one was delivered", heads(), "acme:m2 body acme:m3 body zen:m4 body ")
	list, err := f.Deliveries(f.ctx, here, "w_1", "", 1)
	f.no(err)
	f.same("newest first", list[0].ID, "m2")
	list, err = f.Deliveries(f.ctx, here, "w_1", "m2", 5)
	f.no(err)
	done.Body = nil
	f.same("the page after", list, []earshot.Delivery{done})
	list, err = f.DeliveriesOf(f.ctx, here, "ALR-1")
	f.no(err)
	f.same("of an alert", len(list), 2)
	f.update(here, func(tx store.Tx) error {
		f.no(tx.PruneDeliveries(late))
		return tx.DropDeliveries("w_2")
	})
	f.no(f.Attempted(f.ctx, here, message("w_2", "m3", "ALR-1")))
	f.same("heads after a webhook was removed", heads(), "acme:m2 body zen:m4 body ")
	list, err = f.Deliveries(f.ctx, here, "w_1", "", 5)
	f.no(err)
	f.same("what is done is pruned, what waits is not", len(list), 1)
}
