package issues

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/lexicons"
	"github.com/earshot-cx/earshot/models"
	"github.com/earshot-cx/earshot/nlp"
)

// A family is the languages that share a vocabulary once folded: Mandarin and
// Cantonese in either script are one. An issue is of one family.
func family(lang string) string {
	switch lang {
	case "zh-Hans", "zh-Hant", "yue", "zh":
		return "zh"
	case "th", "en":
		return lang
	}
	return "other"
}

// families in a fixed order.
var families = []string{"en", "th", "zh", "other"}

// A Mention is what one verbatim says about one thing: neighbouring segments of
// one turn, with the words that tell the thing from others.
type Mention struct {
	earshot.Span          // of the segments, in the verbatim's text
	Segment      int      // the first of them
	Lang         string   // of the most of it
	Terms        []string // distinct, in the order of the text; never empty
	Troubled     bool     // says that something is wrong: a complaint, a problem, …
	Bears        bool     // that, or wants something of us: no issue is opened without one that does
	Opens        bool     // may be the first of a group; others can only join one
}

// maxMentions is how many mentions of a verbatim are looked at. A transcript of
// thousands of turns is about a few things.
const maxMentions = 20

// maxTerms is how many terms of a mention are looked at. What a customer says
// about one thing is shorter; a pasted document is not worth more time.
const maxTerms = 40

// A Reader finds the mentions of a verbatim. It is safe for concurrent use.
type Reader struct {
	nlp    *nlp.Pipeline
	stop   map[string]bool
	denies map[string]bool               // words that may begin a title though they are stop words
	unable map[string]bool               // words that may end one
	usual  map[string]map[string]float64 // by family: the share of texts that have a term
	said   map[string][]saying           // by first word: phrases of concepts, longest first
}

// A saying is a phrase by which people speak of a concept.
type saying struct {
	words    []string // norms
	concepts []string // as terms: "~card_declined" and what its name begins with, "~card"
}

// conceptMark begins the terms that are no words but what words mean.
const conceptMark = "~"

// denials are what makes "log in" a trouble; inabilities are those that come last.
const (
	denials     = "not no never cannot can't won't without ไม่ ไม่ได้ ไม่มี ไม่เคย 不 不了 不到 没 没有 无 无法 唔 唔到 冇 未"
	inabilities = "ไม่ได้ 不了 不到 唔到 不上 不出 唔得"
)

// NewReader reads the embedded lists of words that tell nothing.
func NewReader(p *nlp.Pipeline) (*Reader, error) {
	r := &Reader{nlp: p, stop: map[string]bool{}, denies: map[string]bool{}, unable: map[string]bool{}}
	for words, set := range map[string]map[string]bool{denials: r.denies, inabilities: r.unable} {
		for _, word := range strings.Fields(words) {
			for _, t := range p.Tokens(word) {
				set[t.Norm] = true
			}
		}
	}
	delete(r.unable, "ไม่") // "ไม่ได้" may be cut in two: then it takes both
	delete(r.unable, able)
	for _, f := range []string{"en", "th", "zh"} {
		list, err := lexicons.Stop.ReadFile("stop/" + f + ".txt")
		if err != nil {
			return nil, fmt.Errorf("stop words: %w", err)
		}
		for line := range strings.Lines(string(list)) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			for _, word := range strings.Fields(line) {
				for _, t := range p.Tokens(word) {
					r.stop[t.Norm] = true
				}
			}
		}
	}
	var err error
	if r.usual, err = readUsual(); err != nil {
		return nil, err
	}
	if err := r.readConcepts(); err != nil {
		return nil, err
	}
	return r, nil
}

// readConcepts reads lexicons/concepts.txt.
func (r *Reader) readConcepts() error {
	r.said = map[string][]saying{}
	names := map[string]bool{}
	for line := range strings.Lines(lexicons.Concepts) {
		if line[0] >= 'a' && line[0] <= 'z' {
			names[strings.TrimSpace(line)] = true
		}
	}
	var concepts []string
	for line := range strings.Lines(lexicons.Concepts) {
		line = strings.TrimRight(line, " \r\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "earshot-concepts "):
			continue
		case line[0] != ' ' && line[0] != '\t':
			concepts = []string{conceptMark + line}
			for i := range line {
				if line[i] == '_' && names[line[:i]] {
					concepts = append(concepts, conceptMark+line[:i])
				}
			}
			continue
		}
		_, phrases, ok := strings.Cut(line, ":")
		if !ok || concepts == nil {
			return fmt.Errorf("concepts: %q is no list of phrases", line)
		}
		for phrase := range strings.SplitSeq(phrases, ",") {
			s := saying{concepts: concepts}
			for _, t := range r.nlp.Tokens(strings.TrimSpace(phrase)) {
				s.words = append(s.words, t.Norm)
			}
			if len(s.words) > 0 {
				r.said[s.words[0]] = append(r.said[s.words[0]], s)
			}
		}
	}
	for _, list := range r.said {
		slices.SortStableFunc(list, func(a, b saying) int { return cmp.Compare(len(b.words), len(a.words)) })
	}
	return nil
}

// meant appends the concepts of the longest phrases that begin with the first of tokens.
func (r *Reader) meant(dst []string, tokens []nlp.Token) []string {
	longest := 0
	for _, s := range r.said[tokens[0].Norm] {
		if len(s.words) < longest {
			break
		}
		if len(s.words) <= len(tokens) && s.at(tokens) {
			longest = len(s.words)
			for _, c := range s.concepts {
				if !slices.Contains(dst, c) {
					dst = append(dst, c)
				}
			}
		}
	}
	return dst
}

// endsSaying says whether the last of tokens ends a phrase of several words that
// is among them: "cannot log in" ends well with a word that tells nothing alone.
func (r *Reader) endsSaying(tokens []nlp.Token) bool {
	for from := range len(tokens) - 1 {
		for k := range r.said[tokens[from].Norm] {
			s := &r.said[tokens[from].Norm][k]
			if len(s.words) == len(tokens)-from && s.at(tokens[from:]) {
				return true
			}
		}
	}
	return false
}

func (s *saying) at(tokens []nlp.Token) bool {
	for i, w := range s.words {
		if tokens[i].Norm != w {
			return false
		}
	}
	return true
}

// readUsual reads the shares of models/usual.txt: a line "= FAMILY TEXTS"
// begins a family, the others are a term, a tab and in how many texts it is.
func readUsual() (map[string]map[string]float64, error) {
	usual := map[string]map[string]float64{}
	var shares map[string]float64
	texts := 1.0
	for line := range strings.Lines(models.Usual) {
		line = strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(line, "= "); ok {
			name, n, _ := strings.Cut(head, " ")
			shares = map[string]float64{}
			usual[name] = shares
			if _, err := fmt.Sscan(n, &texts); err != nil {
				return nil, fmt.Errorf("usual terms: %q: %w", line, err)
			}
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		term, n, ok := strings.Cut(line, "\t")
		count, err := strconv.ParseFloat(n, 64)
		if !ok || err != nil || shares == nil {
			return nil, fmt.Errorf("usual terms: %q is no term with a number", line)
		}
		shares[term] = count / texts
	}
	return usual, nil
}

// terms gives the distinct words of tokens that can tell one trouble from
// another, and the concepts they speak of, in their order, some [maxTerms] at most.
func (r *Reader) terms(dst []string, text string, tokens []nlp.Token) []string {
	for i := range tokens {
		t := &tokens[i]
		if len(dst) >= maxTerms {
			break
		}
		if namesNumber(tokens[i:]) {
			continue
		}
		dst = r.meant(dst, tokens[i:])
		if !r.tells(text, t) || slices.Contains(dst, t.Norm) {
			continue
		}
		dst = append(dst, t.Norm)
	}
	return dst
}

// tells says whether a token can tell one trouble from another: a word, no
// number (it names the order, not the trouble), no placeholder, no stop word.
func (r *Reader) tells(text string, t *nlp.Token) bool {
	switch t.Kind {
	case nlp.Word:
		if utf8.RuneCountInString(t.Norm) < 2 || isPlaceholder(text, t) || hasDigit(t.Norm) && len(t.Norm) > 4 {
			return false
		}
	case nlp.Han, nlp.Thai, nlp.Syl:
		if isAmount(t.Norm) {
			return false
		}
	default:
		return false
	}
	return !r.stop[t.Norm] && !strings.ContainsAny(t.Norm, " \t\n")
}

// namesNumber says whether the first of tokens says what the long number after
// it is: "order #88213409" speaks of no order.
func namesNumber(tokens []nlp.Token) bool {
	const long = 6
	for i := 1; i < min(len(tokens), 4); i++ {
		switch t := &tokens[i]; t.Kind {
		case nlp.Punct:
		case nlp.Number:
			return len(t.Norm) >= long
		default:
			return false
		}
	}
	return false
}

// isAmount says whether a Chinese word is a number with its measure: 三次, 半个钟, 第四天.
func isAmount(norm string) bool {
	first, n := utf8.DecodeRuneInString(norm)
	last, _ := utf8.DecodeLastRuneInString(norm)
	return n < len(norm) && strings.ContainsRune("一二三四五六七八九十百千万两几第半数零", first) && strings.ContainsRune("次回趟遍天日年月点分秒钟个件块元号时周岁张位颗星期晚早条只份蚊", last)
}

// isPlaceholder says whether a word stands where something personal stood:
// "[PHONE_1]", which is one token, or two.
func isPlaceholder(text string, t *nlp.Token) bool {
	if text[t.Start] == '[' {
		return true
	}
	return t.Start > 0 && text[t.Start-1] == '[' && strings.IndexByte(text[t.Start:min(len(text), t.Start+24)], ']') > 0 &&
		strings.ToUpper(text[t.Start:t.End]) == text[t.Start:t.End]
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// troubles are the intents that say that something is wrong, asks those that
// want something of us: both open issues.
var (
	troubles = []string{"complaint", "problem", "refund", "cancel", "escalate", "status"}
	asks     = []string{"question", "suggestion", "request"}
	chatter  = []string{"social", "praise", "recommend", "purchase"}
)

// Mentions finds what a verbatim says about things: the segments of customers
// that are not plainly friendly, those beside each other in one turn together.
func (r *Reader) Mentions(rec *earshot.Record) []Mention {
	a := rec.Analysis
	if a == nil || len(a.Segments) == 0 {
		return nil
	}
	text := rec.Verbatim.Text()
	troubled, asking := has(a, troubles), has(a, asks)
	if a.Sentiment != nil && (a.Sentiment.Label == "negative" || a.Sentiment.Label == "mixed") || a.Effort != nil && a.Effort.Score > 0 {
		troubled = true
	}
	plain := !has(a, chatter) // may be a trouble told so drily that it was not seen
	friendly := !troubled && a.Sentiment != nil && a.Sentiment.Label == "positive"
	if friendly && !asking {
		return nil
	}
	var mentions []Mention
	var tokens []nlp.Token
	bad := troubledSegments(a)
	for from := 0; from < len(a.Segments) && len(mentions) < maxMentions; {
		to := from
		for to < len(a.Segments) && a.Segments[to].Turn == a.Segments[from].Turn && r.bears(rec, &a.Segments[to]) {
			to++
		}
		if to == from {
			from++
			continue
		}
		m := Mention{Segment: from, Span: earshot.Span{Start: a.Segments[from].Start, End: a.Segments[to-1].End}}
		m.Lang = langOf(a, from, to)
		if tokens == nil {
			tokens = r.nlp.Tokens(text)
		}
		m.Terms = r.terms(nil, text, within(tokens, m.Span))
		m.Troubled = troubled && (len(a.Segments) <= 3 || slices.Contains(bad[from:to], true))
		m.Bears = m.Troubled || asking
		m.Opens = m.Troubled || (asking || plain) && len(m.Terms) > 1
		if len(m.Terms) > 0 {
			mentions = append(mentions, m)
		}
		from = to
	}
	return mentions
}

// bears says whether a segment may bear a problem: a customer says it, and it
// is not plainly friendly.
func (r *Reader) bears(rec *earshot.Record, g *earshot.Segment) bool {
	switch rec.Verbatim.Turns[g.Turn].Speaker {
	case "agent", "bot":
		return false
	}
	return g.Sentiment == nil || g.Sentiment.Label != "positive" || g.Effort != nil && g.Effort.Score > 0
}

// troubledSegments says of each segment whether it was scored as troubled by itself.
func troubledSegments(a *earshot.Analysis) []bool {
	bad := make([]bool, len(a.Segments))
	for i := range a.Segments {
		g := &a.Segments[i]
		bad[i] = g.Sentiment != nil && g.Sentiment.Label != "positive" && g.Sentiment.Label != "neutral" || g.Effort != nil && g.Effort.Score > 0
	}
	for k := range a.Evidence {
		e := &a.Evidence[k]
		if e.Score != "intent" || !slices.Contains(troubles, e.Label) {
			continue
		}
		i := sort.Search(len(a.Segments), func(i int) bool { return a.Segments[i].End >= e.End })
		if i < len(bad) && a.Segments[i].Start <= e.Start {
			bad[i] = true
		}
	}
	return bad
}

func has(a *earshot.Analysis, labels []string) bool {
	for _, l := range a.Intents {
		if slices.Contains(labels, l.Label) {
			return true
		}
	}
	return false
}

// langOf is the language of the longest of the segments; that of the verbatim if none has one.
func langOf(a *earshot.Analysis, from, to int) string {
	lang, most := a.Lang, 0
	for _, g := range a.Segments[from:to] {
		if n := g.End - g.Start; n > most && g.Lang != "und" && g.Lang != "" {
			lang, most = g.Lang, n
		}
	}
	return lang
}

// within gives the tokens that begin in span.
func within(tokens []nlp.Token, span earshot.Span) []nlp.Token {
	from := sort.Search(len(tokens), func(i int) bool { return tokens[i].Start >= span.Start })
	to := sort.Search(len(tokens), func(i int) bool { return tokens[i].Start >= span.End })
	return tokens[from:to]
}
