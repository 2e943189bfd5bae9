// Package query is Earshot's query language: a tree, a parser that makes it from
// what a person typed, and a matcher that judges one text in memory and says
// which words matched. It knows no engine; the index and, later, live rules
// and saved searches read the same tree.
//
// # What matches
//
// A quoted phrase matches an exact run of characters after folding: the
// phrase's units (nlp.Units) follow one another in one turn with the same Norm
// and, after the first, the same Space. Latin words are whole.
//
// An unquoted word is cut into terms (Terms). A term of Latin letters matches
// a token of the same stem. A Chinese or Thai term matches wherever its run of
// units stands, also inside a longer word; where it is a whole token it ranks
// higher. A word that is cut into several terms needs all of them.
//
// Text is matched turn by turn: nothing matches across two turns. Fields match
// by equality after folding case and width (nlp.FoldField), numbers and times by range.
package query

import (
	"time"
)

// A Node is a query. String gives text that parses to the same node.
type Node interface {
	String() string
	node()
}

// The nodes.
type (
	// All matches everything: the empty query.
	All struct{}
	// And matches what every node matches. It has at least two.
	And []Node
	// Or matches what any node matches. It has at least two.
	Or []Node
	// Not matches what Node does not.
	Not struct{ Node Node }
	// A Word is one unquoted word as it was typed.
	Word struct{ Text string }
	// A Phrase is what stood in quotes.
	Phrase struct{ Text string }
	// A Field wants a field to have a value; in a field of many values, among them.
	Field struct {
		Name  string // one of Fields, or "field.NAME"
		Value string // as typed
	}
	// An Any wants a field to have any of many values. It is not typed by people:
	// it is what an issue that took in others stands for.
	Any struct {
		Name   string
		Values []string
	}
	// A Range wants a number field within bounds; a nil bound is open.
	Range struct {
		Name              string // sentiment, effort, rating, or "field.NAME" of a number
		Min, Max          *float64
		OverMin, BelowMax bool // the bound itself is left out
	}
	// A Time wants At within From ≤ at < To; a zero bound is open.
	Time struct{ From, To time.Time }
	// Has wants a field to be there: has:effort, has:rating, has:field.store.
	Has struct{ Name string }
)

// Fields are the names that can stand before a colon with a value.
var Fields = []string{"channel", "source", "lang", "intent", "emotion", "flag", "topic", "issue",
	"customer", "author", "conversation", "speaker", "external_id"}
