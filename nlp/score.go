package nlp

import (
	"cmp"
	"math"
	"slices"

	"github.com/earshot-cx/earshot"
)

// The weights of the baseline stand here together. They were set by reading,
// not fitted; `make eval` prints what they give.
const (
	negatedGood = -0.8 // "not good", of "good"
	negatedBad  = -0.4 // "not bad", of "bad"

	negationReach  = 12 // how far before an opinion a negator may stand, in the units of cost: 3 Latin words
	intensityReach = 8  // how far an intensifier may stand from an opinion

	thaiSpace = 8 // what a space before a Thai word costs: it ends a phrase, where a space in English ends a word

	saturation = 0.55 // a sum of opinions s gives the score tanh(saturation·s)

	failureOpinion = -0.9 // what a plainly reported failure adds where no opinion word stands
	frameOpinion   = 0.7  // what a frame of effort says about the opinion (against it where it is hard) …
	frameSlope     = 0.4  // … and what its weight adds
	praiseOpinion  = 0.9

	mixedFloor = 0.7  // mixed: both sides weigh at least this …
	mixedShare = 0.45 // … and the lighter one this much of the heavier

	moreFrames   = 0.25 // what each further kind of effort adds: "2: several such things"
	veryHardFrom = 120. // minutes of waiting from which it is very hard
	manyContacts = 3.   // contacts from which it is very hard
	shortWait    = 5.   // minutes of waiting below which it is no effort

	labelThreshold = 0.5 // from which an intent, emotion or flag is given
)

// evidence adds words that moved a score.
func (w *Worker) evidence(a *earshot.Analysis, score, label string, h hit, source string, weight float64) {
	span := w.span(h.from, h.to)
	a.Evidence = append(a.Evidence, earshot.Evidence{Score: score, Label: label, Start: span.Start, End: span.End,
		Text: w.text[span.Start:span.End], Source: source, Weight: round(weight)})
}

func (w *Worker) span(from, to int) earshot.Span {
	return earshot.Span{Start: w.units[from].Start, End: w.units[to-1].End}
}

// round keeps three decimals: more would claim more than a score knows.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// longest keeps of the hits that f accepts those that do not overlap: the
// leftmost, and of those that begin together the longest, then the heaviest.
func longest(dst, hits []hit, f func(*entry) bool) []hit {
	for _, h := range hits {
		if f(h.entry) {
			dst = append(dst, h)
		}
	}
	slices.SortStableFunc(dst, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(math.Abs(b.entry.weight), math.Abs(a.entry.weight)))
	})
	kept := dst[:0]
	for _, h := range dst {
		if len(kept) == 0 || h.from >= kept[len(kept)-1].to {
			kept = append(kept, h)
		}
	}
	return kept
}

func isOpinion(e *entry) bool { return e.role <= roleIntensifier }

// sentiment sums the opinions of each segment: polarity words, turned by
// negators and weighed by intensifiers near them.
func (w *Worker) sentiment(a *earshot.Analysis) {
	var scratch []hit
	for i := range w.sentences {
		s := &w.sentences[i]
		scratch = longest(scratch[:0], s.hits, isOpinion)
		k := 0
		for j := s.segA; j < s.segB; j++ {
			g := &w.segments[j]
			first := k
			for k < len(scratch) && (scratch[k].from < g.to || j == s.segB-1) {
				k++
			}
			if g.scored {
				w.opinions(a, g, scratch[first:k])
			}
		}
	}
}

// opinions judges the opinion words of one segment, in order.
func (w *Worker) opinions(a *earshot.Analysis, g *segment, items []hit) {
	for i, h := range items {
		if h.entry.role != rolePolarity {
			continue
		}
		value, turned := h.entry.weight, false
		for j := i - 1; j >= 0 && items[j].entry.role != rolePolarity; j-- {
			switch d := w.distance(items[j].to, h.from); {
			case items[j].entry.role == roleNegator && d <= negationReach:
				turned = !turned
			case items[j].entry.role == roleIntensifier && d <= intensityReach:
				value *= items[j].entry.weight
			}
		}
		for j := i + 1; j < len(items) && items[j].entry.role != rolePolarity; j++ {
			switch d := w.distance(h.to, items[j].from); {
			case items[j].entry.role == roleNegatorAfter && d <= intensityReach:
				turned = !turned
			case items[j].entry.role == roleIntensifier && d <= intensityReach/2:
				value *= items[j].entry.weight
			}
		}
		if turned {
			if value > 0 {
				value *= negatedGood
			} else {
				value *= negatedBad
			}
		}
		value = max(-3, min(3, value))
		g.weigh(value)
		if g.voice == customer && value != 0 {
			source := h.entry.source
			if turned {
				source += "+negation"
			}
			w.evidence(a, "sentiment", "", h, source, math.Tanh(saturation*value))
		}
	}
}

func (g *segment) weigh(value float64) {
	if value > 0 {
		g.pos += value
	} else {
		g.neg += value
	}
}

// distance is how far unit j is from unit i, in the units of cost; a mark
// between them is out of reach.
func (w *Worker) distance(i, j int) int {
	d := 0
	for ; i < j; i++ {
		if w.units[i].Kind == Punct {
			return math.MaxInt32
		}
		d += cost(w.units[i].Kind)
		if w.units[i].Space && w.units[i].Kind == Thai {
			d += thaiSpace
		}
	}
	return d
}

// An effortSum is what is said about effort in one place.
type effortSum struct {
	hard, ease float64 // the heaviest frame of each side, ease ≤ 0
	frames     uint16  // kinds of hard frames, by their place in earshot.Frames
}

func (e *effortSum) add(frame string, value float64) {
	if value < 0 {
		e.ease = min(e.ease, value)
		return
	}
	e.hard = max(e.hard, value)
	e.frames |= 1 << slices.Index(earshot.Frames, frame)
}

func (e *effortSum) join(o effortSum) {
	e.hard, e.ease, e.frames = max(e.hard, o.hard), min(e.ease, o.ease), e.frames|o.frames
}

// score gives the value of a sum, and whether anything is said at all. Where
// hard and easy both stand, the harder side counts.
func (e effortSum) score() (value float64, said bool) {
	if e.hard == 0 {
		return e.ease, e.ease < 0
	}
	kinds := 0
	for f := e.frames; f != 0; f &= f - 1 {
		kinds++
	}
	return min(1, e.hard+moreFrames*float64(kinds-1)), true
}

// effort finds the frames of effort in each segment.
func (w *Worker) effort(a *earshot.Analysis) {
	var frames []earshot.Frame
	var scratch []hit
	for i := range w.sentences {
		s := &w.sentences[i]
		for _, label := range earshot.Frames {
			scratch = longest(scratch[:0], s.hits, func(e *entry) bool { return e.role == roleFrame && e.label == label })
			for _, h := range scratch {
				g := w.segmentOf(s, h.from)
				value := frameValue(h)
				if value == 0 || !g.scored || value > 0 && s.denied(h) {
					continue
				}
				g.effort.add(label, value)
				s.impliedOpinion(g, h, value)
				if g.voice != customer {
					continue
				}
				span := w.span(h.from, h.to)
				frames = append(frames, earshot.Frame{Frame: label, Start: span.Start, End: span.End})
				w.evidence(a, "effort", label, h, h.entry.source, value)
			}
		}
	}
	slices.SortStableFunc(frames, func(x, y earshot.Frame) int { return cmp.Compare(x.Start, y.Start) })
	if len(frames) > 0 {
		a.Effort = &earshot.Effort{Frames: frames}
	}
}

// denied says whether a negator stands right before a hard frame: "不用排队",
// "no waiting". A frame that is a failure has its negation inside.
func (s *sentence) denied(h hit) bool {
	for _, n := range s.hits {
		if n.entry.role == roleNegator && n.from < h.from && n.to == h.from {
			return true
		}
	}
	return false
}

// frameValue is the weight of a frame's entry, corrected by how often or how long.
func frameValue(h hit) float64 {
	v := h.entry.weight
	switch {
	case v <= 0:
	case h.count >= manyContacts, h.minutes >= veryHardFrom:
		v = 1
	case h.minutes > 0 && h.minutes < shortWait:
		return 0
	}
	return v
}

// impliedOpinion: a hard way is an unfriendly word and an easy one a friendly
// one, unless an opinion word says so already in the same place.
func (s *sentence) impliedOpinion(g *segment, h hit, value float64) {
	for _, o := range s.hits {
		if o.entry.role == rolePolarity && o.from < h.to && o.to > h.from {
			return
		}
	}
	if value > 0 {
		g.neg -= frameOpinion + frameSlope*value
	} else {
		g.pos += frameOpinion - frameSlope*value
	}
}

// segmentOf is the segment of a sentence in which a unit stands.
func (w *Worker) segmentOf(s *sentence, unit int) *segment {
	for j := s.segA; j < s.segB-1; j++ {
		if unit < w.segments[j].to {
			return &w.segments[j]
		}
	}
	return &w.segments[s.segB-1]
}

// labels gathers the hits of one role over the customer's words: the
// probability of each label by noisy-or, and its best evidence.
func (w *Worker) labels(a *earshot.Analysis, r role, score string, names []string, each func(label string, g *segment, h hit)) []float64 {
	p := make([]float64, len(names))
	var scratch []hit
	for i := range w.sentences {
		s := &w.sentences[i]
		if len(s.hits) == 0 || voiceOf(w.v.Turns[s.turn].Speaker) != customer {
			continue
		}
		for k, name := range names {
			scratch = longest(scratch[:0], s.hits, func(e *entry) bool { return e.role == r && e.label == name })
			for _, h := range scratch {
				g := w.segmentOf(s, h.from)
				if !g.scored || h.entry.weight == 0 { // an entry of weight 0 only keeps a shorter one away
					continue
				}
				p[k] = 1 - (1-p[k])*(1-h.entry.weight)
				w.evidence(a, score, name, h, h.entry.source+" "+name, h.entry.weight)
				if each != nil {
					each(name, g, h)
				}
			}
		}
	}
	return p
}

// intents finds what the customer is doing with the words.
func (w *Worker) intents(a *earshot.Analysis) {
	failed := map[*segment]bool{}
	p := w.labels(a, roleIntent, "intent", earshot.Intents, func(label string, g *segment, h hit) {
		if h.entry.weight < labelThreshold || g.pos != 0 || g.neg != 0 || failed[g] {
			return
		}
		switch label {
		case "complaint", "problem":
			g.neg += failureOpinion
			failed[g] = true
		case "praise", "recommend":
			g.pos += praiseOpinion
			failed[g] = true
		}
	})
	at := func(label string) *float64 { return &p[slices.Index(earshot.Intents, label)] }
	raise := func(label string, to float64) { *at(label) = max(*at(label), to) }
	if w.asks() {
		if *at("request") >= labelThreshold || *at("status") >= labelThreshold {
			raise("question", 0.4)
		} else {
			raise("question", 0.75)
		}
	}
	pos, neg, _ := w.sums(customer)
	switch score := math.Tanh(saturation * (pos + neg)); {
	case neg <= -mixedFloor && pos >= mixedFloor:
		raise("complaint", 0.6)
		raise("praise", 0.6)
	case score <= -0.25:
		raise("complaint", min(0.9, 0.3-score/2))
		if *at("problem") < labelThreshold && *at("complaint") < labelThreshold {
			raise("complaint", labelThreshold)
		}
	case score >= 0.25:
		raise("praise", min(0.95, 0.45+score/2))
	}
	w.setIntents(a, p)
}

// asks says whether a customer's sentence ends with a question mark.
func (w *Worker) asks() bool {
	for i := range w.sentences {
		s := &w.sentences[i]
		if voiceOf(w.v.Turns[s.turn].Speaker) != customer {
			continue
		}
		for k := s.to - 1; k >= s.from && (w.units[k].Kind == Punct || w.units[k].Kind == Emoji); k-- {
			if w.units[k].Norm == "?" {
				return true
			}
		}
	}
	return false
}

// setIntents gives the labels that are likely enough, most likely first;
// "social" and "other" stand alone.
func (w *Worker) setIntents(a *earshot.Analysis, p []float64) {
	if !w.speaks(customer) {
		return
	}
	social := 0.0
	for i, label := range earshot.Intents {
		switch {
		case label == "social":
			social = p[i]
		case label != "other" && p[i] >= labelThreshold:
			a.Intents = append(a.Intents, earshot.Label{Label: label, Probability: round(p[i])})
		}
	}
	if len(a.Intents) == 0 {
		if social >= labelThreshold {
			a.Intents = append(a.Intents, earshot.Label{Label: "social", Probability: round(social)})
		} else {
			a.Intents = append(a.Intents, earshot.Label{Label: "other", Probability: 0.5})
		}
	}
	slices.SortStableFunc(a.Intents, func(x, y earshot.Label) int { return cmp.Compare(y.Probability, x.Probability) })
}

// emotions finds those that the words show. Joy does not go with an unfriendly
// text: a laugh at a bad thing is none.
func (w *Worker) emotions(a *earshot.Analysis) {
	if !w.speaks(customer) {
		return
	}
	p := w.labels(a, roleEmotion, "emotion", earshot.Emotions, nil)
	pos, neg, _ := w.sums(customer)
	intensity := w.intensity()
	for i, label := range earshot.Emotions {
		if p[i] < labelThreshold || label == "joy" && pos+neg < 0 {
			continue
		}
		a.Emotions = append(a.Emotions, earshot.Emotion{Label: label, Intensity: intensity, Probability: round(p[i])})
	}
	slices.SortStableFunc(a.Emotions, func(x, y earshot.Emotion) int { return cmp.Compare(y.Probability, x.Probability) })
}

// intensity is a stated rule, not learnt: 0.4, and 0.2 for an intensifier, 0.15
// each for a drawn-out word, for capitals and for repeated marks.
func (w *Worker) intensity() float64 {
	x := 0.4
	var strong, drawn, capitals, marks bool
	for i := range w.sentences {
		s := &w.sentences[i]
		if voiceOf(w.v.Turns[s.turn].Speaker) != customer {
			continue
		}
		for _, h := range s.hits {
			strong = strong || h.entry.role == roleIntensifier && h.entry.weight > 1
		}
		for k := s.from; k < s.to; k++ {
			u := &w.units[k]
			raw := w.text[u.Start:u.End]
			switch u.Kind {
			case Word:
				drawn = drawn || squeeze(u.Norm) != u.Norm
				capitals = capitals || len(raw) > 3 && isUpper(raw)
			case Thai:
				drawn = drawn || k >= s.from+2 && u.Norm == w.units[k-1].Norm && u.Norm == w.units[k-2].Norm
			case Punct:
				marks = marks || u.Norm == "!" && k > s.from && w.units[k-1].Norm == "!"
			}
		}
	}
	if strong {
		x += 0.2
	}
	for _, b := range []bool{drawn, capitals, marks} {
		if b {
			x += 0.15
		}
	}
	return round(x)
}

func isUpper(s string) bool {
	for _, c := range []byte(s) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

func (w *Worker) flags(a *earshot.Analysis) {
	if !w.speaks(customer) {
		return
	}
	p := w.labels(a, roleFlag, "flag", earshot.Flags, nil)
	for i, label := range earshot.Flags {
		if p[i] >= labelThreshold {
			a.Flags = append(a.Flags, label)
		}
	}
}

// sums adds up the opinions of one voice; scored says whether any of its words
// are in a language with scores.
func (w *Worker) sums(v voice) (pos, neg float64, scored bool) {
	for i := range w.segments {
		if g := &w.segments[i]; g.voice == v && g.scored {
			pos, neg, scored = pos+g.pos, neg+g.neg, true
		}
	}
	return pos, neg, scored
}

// speaks says whether a voice says anything in a language with scores.
func (w *Worker) speaks(v voice) bool {
	_, _, scored := w.sums(v)
	return scored
}

// rollUp gives segments, and the whole verbatim, their scores.
func (w *Worker) rollUp(a *earshot.Analysis) {
	for i := range w.segments {
		g := &w.segments[i]
		s := earshot.Segment{Start: g.Start, End: g.End, Turn: g.turn, Lang: g.lang}
		if g.voice != staff && g.scored {
			s.Sentiment = opinion(g.pos, g.neg)
			s.Effort = effortOf(g.effort)
		}
		a.Segments = append(a.Segments, s)
	}
	frames := a.Effort
	a.Sentiment, a.Effort = w.voiceScores(customer)
	if a.Effort != nil && frames != nil {
		a.Effort.Frames = frames.Frames
		a.Effort.Confidence = round(min(0.95, 0.6+0.1*float64(len(frames.Frames))))
	}
	if s, e := w.voiceScores(employee); s != nil {
		a.Employee = &earshot.EmployeeAnalysis{Sentiment: s, Effort: e}
	}
	if a.Sentiment != nil && len(a.Evidence) == 0 && len(w.units) >= unsureFrom && !w.asks() {
		a.Abstained = append(a.Abstained, "sentiment")
	}
}

// unsureFrom is how many units a text has in which finding nothing at all is
// more likely our blindness than the customer's calm.
const unsureFrom = 30

func (w *Worker) voiceScores(v voice) (*earshot.Sentiment, *earshot.Effort) {
	pos, neg, scored := w.sums(v)
	if !scored {
		return nil, nil
	}
	var sum effortSum
	for i := range w.segments {
		if g := &w.segments[i]; g.voice == v {
			sum.join(g.effort)
		}
	}
	return opinion(pos, neg), effortOf(sum)
}

// opinion turns sums into a score with its label.
func opinion(pos, neg float64) *earshot.Sentiment {
	score := math.Tanh(saturation * (pos + neg))
	s := &earshot.Sentiment{Score: round(score), Label: earshot.SentimentLabel(round(score)), Confidence: 0.5}
	if lighter, heavier := min(pos, -neg), max(pos, -neg); lighter >= mixedFloor && lighter >= mixedShare*heavier {
		s.Label = "mixed"
	}
	if pos != 0 || neg != 0 {
		s.Confidence = round(0.55 + 0.4*math.Abs(score))
	}
	return s
}

func effortOf(sum effortSum) *earshot.Effort {
	value, said := sum.score()
	if !said {
		return nil
	}
	return &earshot.Effort{Score: round(value), Label: earshot.EffortLabel(value)}
}
