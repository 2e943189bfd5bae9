//go:build linux

package engine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/series"
	"github.com/earshot-cx/earshot/store"
)

// threadTime says, as RUSAGE_THREAD, that the time of one thread is meant.
const threadTime = 1

// processorTime is what this process, or this thread, has had of the processors.
func processorTime(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPipeline carries verbatims that wait through the engine and into the
// index, texts of five languages over and over with other numbers, and says
// what part of the processors' time issues, series and alerts take: working
// them out and writing them.
func BenchmarkPipeline(b *testing.B) {
	p, err := pipeline()
	if err != nil {
		b.Fatal(err)
	}
	body, err := os.ReadFile("../testdata/stream.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	var drafts []ingest.Draft
	for line := range bytes.Lines(body) {
		d, err := ingest.DecodeVerbatim(bytes.TrimSpace(line), ingest.Options{})
		if err != nil {
			b.Fatal(err)
		}
		drafts = append(drafts, d)
	}
	for b.Loop() {
		dir := b.TempDir()
		st, err := store.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		view, err := index.Open(filepath.Join(dir, "index"), p, index.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := st.PutTenant(b.Context(), earshot.Tenant{ID: "a"}); err != nil {
			b.Fatal(err)
		}
		e, err := New(b.Context(), Options{Store: st, Index: view, NLP: p})
		if err != nil {
			b.Fatal(err)
		}
		const n = 20_000
		batch := make([]ingest.Draft, 0, 500)
		now := time.Now()
		for i := range n {
			d := drafts[i%len(drafts)]
			d.Verbatim.ExternalID = fmt.Sprintf("b-%06d", i)
			d.Verbatim.Customer = fmt.Sprintf("c-%d", i%7000)
			d.Verbatim.At = now.Add(-time.Duration(n-i) * 8 * time.Second)
			d.Verbatim.Turns = []earshot.Turn{{Speaker: "customer", Text: fmt.Sprintf("%s %d", d.Verbatim.Turns[0].Text, i)}}
			if batch = append(batch, d); len(batch) == cap(batch) {
				e.Accept(b.Context(), "a", batch, AcceptOptions{})
				batch = batch[:0]
			}
		}
		var watched time.Duration
		normally := stopwatch
		stopwatch = func() func() {
			runtime.LockOSThread()
			begun := processorTime(threadTime)
			return func() {
				watched += processorTime(threadTime) - begun
				runtime.UnlockOSThread()
			}
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		spent := processorTime(syscall.RUSAGE_SELF)
		begun := time.Now()
		go func() { done <- e.Run(ctx) }()
		if err := e.Idle(b.Context(), "a"); err != nil {
			b.Fatal(err)
		}
		total, spent := time.Since(begun), processorTime(syscall.RUSAGE_SELF)-spent
		stop()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		stopwatch = normally
		b.ReportMetric(n/total.Seconds(), "docs/s")
		b.ReportMetric(100*watched.Seconds()/spent.Seconds(), "%-issues+alerts")
		b.ReportMetric(float64(len(e.tenant("a").state.issues.All())), "issues")
		if err := view.Close(); err != nil {
			b.Fatal(err)
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTick judges 20,000 issues that are all spoken of: what a tick takes.
func BenchmarkTick(b *testing.B) {
	p, err := pipeline()
	if err != nil {
		b.Fatal(err)
	}
	r, err := issues.NewReader(p)
	if err != nil {
		b.Fatal(err)
	}
	st := newState(r, nil)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	st.advance(at)
	const n = 20_000
	for i := range n {
		m := []issues.Mention{{Lang: "en", Terms: []string{fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i)}, Troubled: true, Bears: true, Opens: true}}
		for k := range 6 {
			s := &issues.Said{Verbatim: fmt.Sprintf("v%d-%d", i, k), Lang: "en", Live: true}
			s.At, s.Person, s.Channel = at.Add(-time.Duration(k)*time.Hour), uint64(k+1), "chat"
			st.issues.Place(s, "", m, nil, at)
		}
	}
	now := at
	for b.Loop() {
		now = now.Add(series.Step)
		st.clock = now
		st.watch.tick(st, now)
	}
	b.ReportMetric(float64(len(st.issues.All())), "issues")
}
