package nlp

import (
	"sort"

	"github.com/earshot-cx/earshot"
)

// ModelVersion names what scores: for now the lexicons alone.
const ModelVersion = "baseline-1"

// A Worker analyses one text at a time, reusing its buffers. It is not safe for
// concurrent use; a Pipeline is, and makes as many Workers as there are goroutines.
type Worker struct {
	p *Pipeline

	// The verbatim in hand, filled in by the stages in their order.
	v         *earshot.Verbatim
	text      string
	turns     []earshot.Span
	units     []Unit
	tokens    []Token
	sentences []sentence
	segments  []segment
	hits      []hit // of all sentences, in order of sentence
	match     matcher
}

// A sentence is a range of units within one turn, and its hits.
type sentence struct {
	earshot.Span
	turn       int
	from, to   int // units
	hits       []hit
	segA, segB int // its segments: Worker.segments[segA:segB]
}

// A segment is a clause of a sentence with what was found in it.
type segment struct {
	earshot.Span
	turn     int
	from, to int // units
	lang     string
	voice    voice
	pos, neg float64 // sums of opinions, in units of [polarity]; neg ≤ 0
	effort   effortSum
	scored   bool // in a language with scores, or in none (emoji, digits)
}

// A voice says whose words count for what.
type voice uint8

const (
	customer voice = iota // counts: customer and unknown speakers
	employee              // apart
	staff                 // agents and bots: never
)

func voiceOf(speaker string) voice {
	switch speaker {
	case "agent", "bot":
		return staff
	case "employee":
		return employee
	}
	return customer
}

func newWorker(p *Pipeline) *Worker {
	return &Worker{p: p, match: matcher{lex: p.lex}}
}

// stages run in this order; each reads what those above it wrote.
var stages = []struct {
	name string
	run  func(*Worker, *earshot.Analysis)
}{
	{"units", (*Worker).cut},
	{"language", (*Worker).language},
	{"tokens", (*Worker).tokenize},
	{"segments", (*Worker).segment},
	{"matches", (*Worker).find},
	{"sentiment", (*Worker).sentiment},
	{"effort", (*Worker).effort},
	{"intents", (*Worker).intents},
	{"emotions", (*Worker).emotions},
	{"flags", (*Worker).flags},
	{"roll-up", (*Worker).rollUp},
}

// Analyze analyses one verbatim. It does not change v, and what it returns
// shares no memory with the Worker.
func (w *Worker) Analyze(v *earshot.Verbatim) *earshot.Analysis {
	w.v, w.text, w.turns = v, v.Text(), v.TurnSpans()
	a := &earshot.Analysis{Model: ModelVersion, Lexicon: w.p.lex.version}
	for _, s := range stages {
		s.run(w, a)
	}
	w.v, w.text = nil, ""
	return a
}

func (w *Worker) cut(*earshot.Analysis) {
	w.units = Units(w.units[:0], w.text)
}

func (w *Worker) language(a *earshot.Analysis) {
	a.Langs, a.Lang = langs(nil, w.units, w.text, w.v.Hint)
}

func (w *Worker) tokenize(*earshot.Analysis) {
	w.tokens = w.p.tok.tokens(w.tokens[:0], w.text)
}

// segment cuts the text into sentences and those into clauses, never across turns.
func (w *Worker) segment(a *earshot.Analysis) {
	w.sentences, w.segments = w.sentences[:0], w.segments[:0]
	turn, unit := 0, 0
	for _, span := range w.p.tok.sentences(w.text, w.tokens) {
		for turn+1 < len(w.turns) && span.Start >= w.turns[turn+1].Start {
			turn++
		}
		s := sentence{Span: span, turn: turn, segA: len(w.segments)}
		s.from, s.to = w.unitsIn(span, unit)
		unit = s.to
		at := s.from
		for _, clause := range clauses(w.text, w.tokens, span, w.p.lex.turns) {
			g := segment{Span: clause, turn: turn, voice: voiceOf(w.v.Turns[turn].Speaker)}
			g.from, g.to = w.unitsIn(clause, at)
			at = g.to
			g.lang = langAt(a, clause)
			g.scored = isScored(g.lang)
			w.segments = append(w.segments, g)
		}
		s.segB = len(w.segments)
		w.sentences = append(w.sentences, s)
	}
}

// turns says whether a word turns a sentence against what was said before it.
func (l *lexicon) turns(norm string) bool { return l.contrast[norm] }

// unitsIn gives the range of units that begin within span, looking from unit i on.
func (w *Worker) unitsIn(span earshot.Span, i int) (from, to int) {
	for i < len(w.units) && w.units[i].Start < span.Start {
		i++
	}
	from = i
	for i < len(w.units) && w.units[i].Start < span.End {
		i++
	}
	return from, i
}

// langAt is the language that covers most of span; a stretch of digits and
// marks takes no part unless there is nothing else.
func langAt(a *earshot.Analysis, span earshot.Span) string {
	best, most := "und", 0
	var count [8]struct {
		lang string
		n    int
	}
	first := sort.Search(len(a.Langs), func(i int) bool { return a.Langs[i].End > span.Start })
	for _, l := range a.Langs[first:] {
		if l.Start >= span.End {
			break
		}
		n := min(l.End, span.End) - max(l.Start, span.Start)
		if n <= 0 || l.Lang == "und" {
			continue
		}
		for i := range count {
			if count[i].lang == "" || count[i].lang == l.Lang {
				count[i].lang = l.Lang
				count[i].n += n
				if count[i].n > most {
					best, most = l.Lang, count[i].n
				}
				break
			}
		}
	}
	return best
}

// isScored says whether texts of a language get scores. "und" is emoji, digits and marks.
func isScored(lang string) bool {
	switch lang {
	case "th", "zh-Hans", "zh-Hant", "yue", "en", "und":
		return true
	}
	return false
}

// find looks up the lexicon in every sentence that may count for something.
func (w *Worker) find(*earshot.Analysis) {
	w.match.scan(w.units, w.tokens)
	w.hits = w.hits[:0]
	for i := range w.sentences {
		s := &w.sentences[i]
		s.hits = nil
		if voiceOf(w.v.Turns[s.turn].Speaker) == staff {
			continue
		}
		start := len(w.hits)
		w.hits = w.match.hits(w.hits, s.from, s.to)
		s.hits = w.hits[start:len(w.hits):len(w.hits)]
	}
}
