package engine

import (
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/store"
)

// AcceptOptions say how drafts are to be taken in. The zero value is a live post.
type AcceptOptions struct {
	Replace  bool // what is stored under the same external id gives way
	Backfill bool // an import: counted and searchable, never alerting, never before live posts
}

// Accepted is the answer to one draft. It is on disk when Err is nil.
type Accepted struct {
	ID         string         // of the stored verbatim: for a duplicate or revision the one it already had
	ExternalID string         // as sent
	Status     store.Status   //
	Notes      []earshot.Note // what was repaired
	Err        error          // why it was refused; neighbours are not concerned
}

// Analyzed is the answer to one draft that is analysed and not stored.
type Analyzed struct {
	Record *earshot.Record
	Err    error
}

// A SearchRequest is a search as a person typed it.
type SearchRequest struct {
	Q        string         // query language; "" is everything
	Sort     index.Sort     //
	Limit    int            // from 1
	Cursor   string         // SearchResult.Next of the page before, as it was given; "" for the first
	Facets   []string       // field names
	From     time.Time      // at ≥ From, if not zero
	To       time.Time      // at < To, if not zero
	Location *time.Location // where the days of Q begin; nil is UTC
	Partial  bool           // answer also while the index is damaged or being rebuilt
}

// A SearchResult is a page of what was found. Total and facets count everything.
type SearchResult struct {
	Items  []SearchItem
	Total  int
	Facets map[string][]index.FacetCount
	Took   time.Duration
	Next   string // where the next page begins; "" if this is the last
}

// A SearchItem is a verbatim that was found, with the words that matched.
type SearchItem struct {
	Record    *earshot.Record
	Relevance float64
	Fragment  Fragment
	Marks     []earshot.Span // into the text of the record, in order, not touching
}

// A Fragment is the part of a text that shows why it was found.
type Fragment struct {
	earshot.Span
	Text string `json:"text"` // text[Start:End]
}

// A Part is one thing that has to work before the service is ready.
type Part struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // why not, or how far
}
