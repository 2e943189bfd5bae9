package index_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/query"
	"github.com/earshot-cx/earshot/query/querytest"
)

var pipeline = sync.OnceValues(nlp.New)

// The index finds what a naive matcher finds that shares no code with it, with
// parser, tokenizer or folding; and what query.Match finds, so that highlights have places to mark.
func TestJudge(t *testing.T) {
	tok, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			ix, err := index.Open(t.TempDir(), tok, index.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer ix.Close()
			records := querytest.Corpus(seed)
			for i, part := range slices.Collect(slices.Chunk(records, 70)) {
				if err := ix.Put(context.Background(), tenant, index.Batch{Put: part, Seq: uint64(i + 1)}); err != nil {
					t.Fatal(err)
				}
			}
			judge(t, ix, tok, records, querytest.Queries(seed))
		})
	}
}

func judge(t *testing.T, ix index.Index, tok query.Tokenizer, records []*earshot.Record, queries []querytest.Query) {
	docs := make([]*query.Document, len(records))
	for i, r := range records {
		docs[i] = query.NewDocument(r, tok)
	}
	hits := 0
	for _, q := range queries {
		n, err := query.Parse(q.Text, query.Options{Now: querytest.Now, Location: querytest.Location})
		if err != nil {
			t.Fatalf("%s: %v", q.Text, err)
		}
		res, err := ix.Search(context.Background(), tenant, index.Request{Query: n, Sort: index.ByAt, Limit: len(records)})
		if err != nil {
			t.Errorf("%s: %v", q.Text, err)
			continue
		}
		var got, matched, want []string
		for _, h := range res.Hits {
			got = append(got, h.ID)
		}
		for i, r := range records {
			if q.Want(r) {
				want = append(want, r.Verbatim.ID)
			}
			if query.Match(n, docs[i]) {
				matched = append(matched, r.Verbatim.ID)
			}
		}
		slices.Sort(got)
		hits += len(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the judge (-) and the index differ:\n%s", q.Text, diff)
		}
		if diff := cmp.Diff(matched, got); diff != "" {
			t.Errorf("%s: query.Match (-) and the index differ:\n%s", q.Text, diff)
		}
	}
	if hits < len(queries) {
		t.Errorf("%d hits for %d queries judge nothing", hits, len(queries))
	}
}
