package engine

import (
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

// fragmentSize is how many bytes of a text a hit shows, about.
const fragmentSize = 300

// fragment cuts from a text the part around the first mark. It begins and ends
// where a unit does, so that no character or cluster is torn.
func fragment(text string, marks []earshot.Span) Fragment {
	if len(text) <= fragmentSize {
		return Fragment{Span: earshot.Span{End: len(text)}, Text: text}
	}
	from := 0
	if len(marks) > 0 {
		from = max(0, min(marks[0].Start-fragmentSize/3, len(text)-fragmentSize))
	}
	to := min(len(text), from+fragmentSize)
	if len(marks) > 0 {
		to = max(to, min(marks[0].End, from+2*fragmentSize))
	}
	// Whole units only; to see where they begin, look from a little further left.
	lo, hi := runeStart(text, max(0, from-64)), runeStart(text, min(len(text), to+64))
	span := earshot.Span{Start: -1, End: hi}
	for _, u := range nlp.Units(nil, text[lo:hi]) {
		if span.Start < 0 && lo+u.Start >= from {
			span.Start = lo + u.Start
		}
		if lo+u.End <= to {
			span.End = lo + u.End
		}
	}
	if span.Start < 0 || span.End <= span.Start { // one unit longer than a fragment
		span = earshot.Span{Start: lo, End: hi}
	}
	return Fragment{Span: span, Text: text[span.Start:span.End]}
}

func runeStart(text string, i int) int {
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}
