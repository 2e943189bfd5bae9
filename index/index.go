// Package index is the search view of the record. It is derived: it can be
// thrown away and built again from the store, and it remembers the last seq of
// each tenant's log that it has absorbed.
//
// Implementations pass indextest.Run.
package index

import (
	"context"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/query"
)

// A Batch is what happened between two places of a tenant's log.
type Batch struct {
	Put  []*earshot.Record // analysed, as they are now; one id at most once
	Gone []string          // ids that were erased
	Seq  uint64            // the last place of the log that the batch covers
}

// A Sort is the order of hits. Ties are broken by At (newest first), then by ID, so that an order is total.
type Sort string

// The orders of the wire contract. Hits without the key come last.
const (
	ByRelevance     Sort = "relevance"
	ByAt            Sort = "at"
	ByAtDesc        Sort = "-at"
	BySentiment     Sort = "sentiment"
	BySentimentDesc Sort = "-sentiment"
	ByEffort        Sort = "effort"
	ByEffortDesc    Sort = "-effort"
)

// Sorts are all orders.
var Sorts = []Sort{ByRelevance, ByAt, ByAtDesc, BySentiment, BySentimentDesc, ByEffort, ByEffortDesc}

// A Request is a search. The zero Query is everything.
type Request struct {
	Query  query.Node // nil: everything
	From   time.Time  // at ≥ From, if not zero
	To     time.Time  // at < To, if not zero
	Sort   Sort       // "" is ByRelevance
	Limit  int        // hits wanted, from 0
	After  string     // Result.Next of the page before, as it was given; "" for the first page
	Facets []string   // field names: channel, source, lang, intent, emotion, flag, issue, speaker, field.NAME, …
}

// A Result is a page of hits. Total and facets count all matches, not the page.
type Result struct {
	Hits   []Hit
	Total  int
	Facets map[string][]FacetCount // most frequent first, then by value; at most MaxFacetValues each
	Next   string                  // where the next page begins; "" if this is the last
}

// MaxFacetValues is how many values of a facet are given.
const MaxFacetValues = 100

// A Hit is a verbatim that matches. Highlights are made from the stored text, not here.
type Hit struct {
	ID        string
	Relevance float64
}

// A FacetCount is how many matches have a value.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// An Index is safe for concurrent use; Put is called by one goroutine per tenant.
type Index interface {
	// Put absorbs a batch. When it returns nil the batch can be searched. The same batch twice changes nothing.
	Put(ctx context.Context, tenant string, b Batch) error
	// Absorbed is the last seq of the tenant's log that is surely in the index; it may be lower than
	// what Put was given if the process was killed, never higher.
	Absorbed(ctx context.Context, tenant string) (uint64, error)
	// Search finds. Errors: QueryInvalid for an unknown field or a wrong After, QueryTooBroad,
	// QueryTimeout when ctx ends, PartialIndex when a shard could not answer. Never a silent empty page.
	Search(ctx context.Context, tenant string, r Request) (*Result, error)
	// Count is how many verbatims the tenant has in the index.
	Count(ctx context.Context, tenant string) (int, error)
	// Reset throws the tenant's index away; Absorbed is 0 afterwards.
	Reset(ctx context.Context, tenant string) error
	Close() error
}
