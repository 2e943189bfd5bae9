package issues

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/nlp"
)

const (
	maxExamples = 12  // texts that an issue is named by
	maxExample  = 300 // bytes of each
	maxTagged   = 5   // of which noun phrases are looked for: tagging is what takes the longest
	maxPhrases  = 5
	maxGram     = 4  // words
	maxTitle    = 60 // characters
)

// An example is the words of one member.
type example struct {
	Verbatim   string  `json:"verbatim"`
	Person     uint64  `json:"person"`
	Lang       string  `json:"lang"`
	Text       string  `json:"text"`
	Similarity float64 `json:"similarity"`

	tagged bool           // nouns are known
	nouns  []earshot.Span // noun phrases of an English text
}

// keepExample keeps the words of a mention among those that the issue is named
// by, if they are closer to it than what is there. One person is there once.
func (t *Tracker) keepExample(i *Issue, s *Said, m *Mention, text string, similarity float64) {
	if similarity == 1 {
		similarity = 0.5 // the one that opened the issue is like nothing yet
	}
	e := example{Verbatim: s.Verbatim, Person: s.Person, Lang: m.Lang, Text: cut(strings.TrimSpace(text[m.Start:m.End]), maxExample), Similarity: similarity}
	if slices.ContainsFunc(i.examples, func(o example) bool { return o.Person == e.Person || o.Text == e.Text }) {
		return
	}
	if len(i.examples) >= maxExamples && bySimilarity(e, i.examples[len(i.examples)-1]) >= 0 {
		return
	}
	i.examples = append(i.examples, e)
	i.dirtyExamples = true
	trimExamples(i)
	t.touch(i)
}

func bySimilarity(a, b example) int {
	return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Verbatim, b.Verbatim))
}

// trimExamples keeps the best examples, in order, one a verbatim.
func trimExamples(i *Issue) {
	slices.SortStableFunc(i.examples, bySimilarity)
	seen := map[string]bool{}
	i.examples = slices.DeleteFunc(i.examples, func(e example) bool {
		again := seen[e.Verbatim]
		seen[e.Verbatim] = true
		return again
	})
	if len(i.examples) > maxExamples {
		i.examples = slices.Delete(i.examples, maxExamples, len(i.examples))
	}
}

// cut shortens a text to so many bytes, between characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// retitle names an issue that is new or has grown by much since it was named.
func (t *Tracker) retitle(i *Issue) {
	if i.Opened && i.Mentions >= 4*i.Titled {
		t.title(i)
	}
}

// title gives an issue its titles and phrases anew.
func (t *Tracker) title(i *Issue) {
	i.Called, i.Phrases = t.name(i)
	i.Titled = i.Mentions
	t.touch(i)
}

// Titles gives an issue's titles and phrases by language. One that was not
// opened has none yet; it is named by what there is.
func (t *Tracker) Titles(i *Issue) (titles map[string]string, phrases map[string][]string) {
	if i.Titled == 0 {
		return t.name(i)
	}
	return i.Called, i.Phrases
}

func (t *Tracker) name(i *Issue) (titles map[string]string, phrases map[string][]string) {
	byLang := map[string][]*example{}
	for k := range i.examples {
		e := &i.examples[k]
		if k >= maxTagged {
			e.nouns, e.tagged = nil, false
		} else if !e.tagged && e.Lang == "en" {
			e.nouns, e.tagged = nlp.NounPhrases(e.Text), true
		}
		byLang[e.Lang] = append(byLang[e.Lang], e)
	}
	titles, phrases = map[string]string{}, map[string][]string{}
	for lang, texts := range byLang {
		if p := t.reader.phrases(texts, i.weight); len(p) > 0 {
			titles[lang], phrases[lang] = p[0], p
		}
	}
	return titles, phrases
}

// weight is how much a term is what the issue is about, 0 … 1.
func (c *centroid) weight(term string) float64 {
	if k, ok := c.find(term); ok && c.norm > 0 {
		return c.vec[k].w / c.norm
	}
	return 0
}

// Examples gives the texts that show best what an issue is about, at most so many.
func (i *Issue) Examples(most int) []earshot.Example {
	list := make([]earshot.Example, 0, most)
	for _, e := range i.examples[:min(most, len(i.examples))] {
		list = append(list, earshot.Example{ID: e.Verbatim, Lang: e.Lang, Text: e.Text})
	}
	return list
}

// A gram is a candidate.
type gram struct {
	surface string // as the first text has it
	terms   []string
	texts   int
	score   float64
}

// denial is how much more a phrase is worth that says what can't be done; able
// ends it in Thai ("เข้าไม่ได้").
const (
	denial = 1.25
	able   = "ได้"
)

// idleWord is how much a word that says nothing of the issue takes from a phrase.
const idleWord = 0.15

// worth is how much longer phrases are liked: one word is rarely a title.
var worth = [maxGram + 1]float64{0, 0.7, 1.1, 1.15, 1.1}

// phrases finds what texts have in common, in their own words: n-grams of one
// to four words, weighed by class TF-IDF (how many of the texts have it, times
// what its words and concepts weigh in the issue as a whole) and picked by
// maximal marginal relevance (Carbonell and Goldstein, 1998), so that the
// phrases differ.
func (r *Reader) phrases(texts []*example, weight func(string) float64) []string {
	grams := map[string]*gram{}
	for _, e := range texts {
		text := e.Text
		tokens := r.nlp.Tokens(text)
		counted := map[string]bool{}
		for from := range tokens {
			for n := 1; n <= maxGram && from+n <= len(tokens); n++ {
				if !r.inner(text, &tokens[from+n-1]) || n > 1 && apart(text, &tokens[from+n-2], &tokens[from+n-1]) {
					break
				}
				r.count(grams, counted, text, tokens[from:from+n], e.nouns, weight)
			}
		}
	}
	all := slices.SortedFunc(maps.Values(grams), func(a, b *gram) int {
		return cmp.Or(cmp.Compare(b.value(len(texts)), a.value(len(texts))), cmp.Compare(a.surface, b.surface))
	})
	var chosen []*gram
	for len(chosen) < maxPhrases {
		var best *gram
		most := 0.0
		for _, g := range all[:min(len(all), 60)] {
			if v := g.value(len(texts)) * (1 - g.likest(chosen)); v > most {
				best, most = g, v
			}
		}
		if best == nil {
			break
		}
		chosen = append(chosen, best)
	}
	phrases := make([]string, len(chosen))
	for i, g := range chosen {
		phrases[i] = g.surface
	}
	return phrases
}

// count counts a candidate once a text.
func (r *Reader) count(grams map[string]*gram, counted map[string]bool, text string, tokens []nlp.Token, nouns []earshot.Span, weight func(string) float64) {
	first, last := &tokens[0], &tokens[len(tokens)-1]
	ends := r.tells(text, last) || r.unable[last.Norm] || len(tokens) > 1 && last.Norm == able && r.denies[tokens[len(tokens)-2].Norm]
	if !r.begins(text, first) || !ends && !r.endsSaying(tokens) {
		return
	}
	var key strings.Builder
	idle := 0 // words that say nothing of the issue
	denied := 1.0
	for i := range tokens {
		key.WriteString(tokens[i].Norm)
		key.WriteByte(' ')
		switch {
		case r.denies[tokens[i].Norm] || i > 0 && tokens[i].Norm == able && r.denies[tokens[i-1].Norm]:
			denied = denial
		case weight(tokens[i].Norm) == 0 && len(r.said[tokens[i].Norm]) == 0:
			idle++
		}
	}
	terms := r.terms(nil, text, tokens)
	told := 0.0
	for _, term := range terms {
		told += weight(term)
	}
	if told == 0 || counted[key.String()] {
		return
	}
	counted[key.String()] = true
	g := grams[key.String()]
	if g == nil {
		surface := strings.Join(strings.Fields(text[first.Start:last.End]), " ")
		if utf8.RuneCountInString(surface) > maxTitle {
			return
		}
		g = &gram{surface: surface, terms: terms, score: denied * told * worth[len(tokens)] / (1 + idleWord*float64(idle))}
		if slices.ContainsFunc(nouns, func(s earshot.Span) bool { return s.Start == first.Start && s.End == last.End }) {
			g.score *= 1.25
		}
		grams[key.String()] = g
	}
	g.texts++
}

// value is the class TF-IDF of a candidate.
func (g *gram) value(texts int) float64 {
	return math.Sqrt(float64(g.texts)/float64(texts)) * g.score
}

// likest is how much a candidate says again what was chosen, 0 … 1.
func (g *gram) likest(chosen []*gram) float64 {
	most := 0.0
	for _, c := range chosen {
		both := 0
		for _, term := range g.terms {
			if slices.Contains(c.terms, term) {
				both++
			}
		}
		most = max(most, float64(both)/float64(min(len(g.terms), len(c.terms))))
	}
	return most
}

// apart says whether white space parts two words that would stand together if
// they were of one clause: in Thai and Chinese it is a mark.
func apart(text string, a, b *nlp.Token) bool {
	return a.End < b.Start && a.Kind != nlp.Word && b.Kind != nlp.Word && text[a.End] == ' '
}

// inner says whether a token may stand inside a phrase.
func (r *Reader) inner(text string, tok *nlp.Token) bool {
	return tok.Kind != nlp.Punct && tok.Kind != nlp.Emoji && tok.Kind != nlp.Number && !isPlaceholder(text, tok)
}

// begins says whether a phrase may begin with a token.
func (r *Reader) begins(text string, tok *nlp.Token) bool {
	return r.tells(text, tok) || r.denies[tok.Norm]
}
