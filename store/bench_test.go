package store

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
)

// benchItem is of the size of a usual chat message: 200 bytes of text.
func benchItem(n int64) Item {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	it := Item{Verbatim: earshot.Verbatim{
		ID: fmt.Sprintf("v_01J%023d", n), ExternalID: fmt.Sprintf("zd-%d", n), Source: "zendesk", Channel: "chat",
		At: at, ReceivedAt: at, Customer: fmt.Sprintf("c-%d", n%1000),
		Fields: map[string]any{"store": "BKK-3", "plan": "gold"},
		Turns:  []earshot.Turn{{Speaker: "customer", Text: strings.Repeat("โทรไป 3 รอบแล้ว app ", 5)}},
	}}
	it.Print.Turns = make([][16]byte, 1)
	it.Print.Body[0], it.Print.Turns[0][0] = byte(n), byte(n>>8)
	return it
}

// benchAnalysis is of the size that such a message gets.
func benchAnalysis() *earshot.Analysis {
	s := &earshot.Sentiment{Score: -0.62, Label: "negative", Confidence: 0.88}
	e := &earshot.Effort{Score: 0.8, Label: "very_hard", Confidence: 0.9, Frames: []earshot.Frame{{Frame: "repeat_contact", Start: 0, End: 39}}}
	return &earshot.Analysis{
		Lang: "th", Langs: []earshot.LangSpan{{Lang: "th", Start: 0, End: 40}, {Lang: "en", Start: 40, End: 43}},
		Sentiment: s, Effort: e,
		Intents:  []earshot.Label{{Label: "complaint", Probability: 0.93}, {Label: "problem", Probability: 0.81}},
		Emotions: []earshot.Emotion{{Label: "frustration", Intensity: 0.7, Probability: 0.8}},
		Segments: []earshot.Segment{{Start: 0, End: 98, Lang: "th", Sentiment: s, Effort: e}},
		Evidence: []earshot.Evidence{{Score: "effort", Start: 0, End: 39, Text: "โทรไป 3 รอบแล้ว", Source: "rule:repeat_contact", Weight: 0.5}},
		Model:    "baseline-1", Lexicon: "core-1",
	}
}

func benchStore(b *testing.B) *SQLite {
	b.Helper()
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := s.PutTenant(context.Background(), earshot.Tenant{ID: "t"}); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkAccept(b *testing.B) {
	ctx := context.Background()
	b.Run("single-64", func(b *testing.B) {
		s := benchStore(b)
		var n atomic.Int64
		b.SetParallelism(64)
		b.ResetTimer()
		start := time.Now()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Accept(ctx, "t", []Item{benchItem(n.Add(1))}); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "items/s")
	})
	b.Run("batch-1000", func(b *testing.B) { benchBatches(b, benchStore(b)) })
	b.Run("batch-1000-applying", func(b *testing.B) {
		s := benchStore(b)
		ctx, stop := context.WithCancel(ctx)
		done := make(chan int)
		go func() {
			n := 0
			for ctx.Err() == nil {
				n += applySome(b, s, 256)
			}
			done <- n
		}()
		benchBatches(b, s)
		stop()
		b.ReportMetric(float64(<-done)/b.Elapsed().Seconds(), "applied/s")
	})
}

func benchBatches(b *testing.B, s *SQLite) {
	items := make([]Item, 1000)
	var slowest time.Duration
	b.ResetTimer()
	for i := range b.N {
		for j := range items {
			items[j] = benchItem(int64(i*len(items) + j))
		}
		start := time.Now()
		if _, err := s.Accept(context.Background(), "t", items); err != nil {
			b.Fatal(err)
		}
		slowest = max(slowest, time.Since(start))
	}
	b.ReportMetric(float64(b.N*len(items))/b.Elapsed().Seconds(), "items/s")
	b.ReportMetric(float64(slowest.Milliseconds()), "ms-slowest")
}

// applySome takes and applies up to n entries and says how many there were.
func applySome(b *testing.B, s *SQLite, n int) int {
	entries, err := s.Take(context.Background(), "t", n)
	if err != nil {
		b.Error(err)
	}
	for _, e := range entries {
		e.Record.Analysis = benchAnalysis()
	}
	if err := s.Update(context.Background(), "t", func(tx Tx) error { return tx.Apply(entries) }); err != nil {
		b.Error(err)
	}
	return len(entries)
}

// BenchmarkApply takes and applies, 256 at a time.
func BenchmarkApply(b *testing.B) {
	ctx := context.Background()
	s := benchStore(b)
	b.StopTimer()
	for i := 0; i < b.N; i += 1000 {
		items := make([]Item, 1000)
		for j := range items {
			items[j] = benchItem(int64(i + j))
		}
		if _, err := s.Accept(ctx, "t", items); err != nil {
			b.Fatal(err)
		}
	}
	b.StartTimer()
	for i := 0; i < b.N; i += 256 {
		applySome(b, s, 256)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
