package index

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// noWords is enough where there is no text.
type noWords struct{}

func (noWords) Tokens(string) []nlp.Token { return nil }

// A shard that can't answer makes an error, be it the only one or one of two; never fewer hits.
func TestBrokenShard(t *testing.T) {
	ctx := context.Background()
	for _, months := range []int{1, 2} {
		var told atomic.Int32
		b, err := Open(t.TempDir(), noWords{}, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			OnDamage: func(name string, err error) {
				if name != "acme" || err == nil {
					t.Errorf("OnDamage: %q, %v", name, err)
				}
				told.Add(1)
			}})
		if err != nil {
			t.Fatal(err)
		}
		var batch Batch
		for i := range months {
			r := &earshot.Record{Verbatim: earshot.Verbatim{ID: string(rune('a' + i)), Channel: "chat", At: earshot.Earliest.AddDate(0, i, 0), Revision: 1}}
			batch.Put = append(batch.Put, r)
		}
		batch.Seq = 1
		if err := b.Put(ctx, "acme", batch); err != nil {
			t.Fatal(err)
		}
		acme, err := b.tenant("acme")
		if err != nil {
			t.Fatal(err)
		}
		if err := acme.shards["2000-01"].index.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err = b.Search(ctx, "acme", Request{Limit: 10})
			if earshot.CodeOf(err) != earshot.PartialIndex {
				t.Errorf("%d months: Search: %v, want partial_index", months, err)
			}
		}
		if err := b.Put(ctx, "acme", batch); earshot.CodeOf(err) != earshot.PartialIndex {
			t.Errorf("%d months: Put: %v, want partial_index", months, err)
		}
		if told.Load() != 1 {
			t.Errorf("%d months: told %d times", months, told.Load())
		}
		if err := b.Reset(ctx, "acme"); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, "acme", batch); err != nil {
			t.Fatal(err)
		}
		if res, err := b.Search(ctx, "acme", Request{Limit: 10}); err != nil || res.Total != months {
			t.Errorf("%d months: after Reset: %v, %v", months, res, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestGuard(t *testing.T) {
	var none []int
	for name, f := range map[string]func() error{
		"bounds": func() error { return errors.New(string(rune(none[3]))) },
		"other":  func() error { panic("a customer's words") },
	} {
		err := guard(f)
		if err == nil || err.Error() == "" || strings.Contains(err.Error(), "customer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -1, 1.0 / 3, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1)} {
		s := number(floatBits(x))
		for _, c := range []byte(s) {
			if c >= 0x80 {
				t.Errorf("%v: byte %x could end a doc value", x, c)
			}
		}
		if got := math.Float64frombits(parseNumber([]byte(s))); math.Float64bits(got) != math.Float64bits(x) {
			t.Errorf("got %v, want %v", got, x)
		}
	}
}
