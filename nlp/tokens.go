package nlp

import (
	"strconv"
	"strings"
	"sync"

	"github.com/go-ego/gse"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/models"
)

// A tokenizer cuts texts into words. It is read-only and safe for concurrent use.
type tokenizer struct {
	zh        *gse.Segmenter
	th        *thaiDict
	scratches sync.Pool // of *scratch
}

// A scratch is the buffers of one call.
type scratch struct {
	units  []Unit
	folded []byte
	path   thaiPath
}

// maxScratch is the number of units of the longest text whose buffers are kept.
const maxScratch = 1 << 14

// serviceCount is how often a word of our own list is taken to occur where the
// list does not say: often enough to hold together, not often enough to break a
// common word beside it.
const serviceCount = 1000

func newTokenizer() (*tokenizer, error) {
	t := &tokenizer{}
	t.scratches.New = func() any { return new(scratch) }
	var load sync.WaitGroup
	load.Go(func() {
		t.th = newThaiDict(append(wordList(models.ThaiService, foldWord), wordList(models.Thai, nil)...))
	})
	var err error
	t.zh, err = newChinese(wordList(models.ChineseService, foldString), wordList(models.Chinese, nil))
	load.Wait()
	return t, err
}

// wordList reads "word" or "word count" lines; fold may be nil. The first line of a file is its name.
func wordList(data string, fold func(string) string) []listWord {
	_, data, _ = strings.Cut(data, "\n")
	words := make([]listWord, 0, strings.Count(data, "\n")+1)
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		text, count, ok := strings.Cut(line, " ")
		w := listWord{text, serviceCount}
		if ok {
			if n, err := strconv.Atoi(count); err == nil {
				w.count = float64(n)
			}
		}
		if fold != nil {
			w.text = fold(w.text)
		}
		words = append(words, w)
	}
	return words
}

// foldWord gives the norms of a word's units.
func foldWord(s string) string {
	var b strings.Builder
	for _, u := range Units(nil, s) {
		b.WriteString(u.Norm)
	}
	return b.String()
}

// tokens appends the words of a text to dst: Chinese and Thai by dictionary,
// what is between by its letters. A change of script is a boundary.
func (t *tokenizer) tokens(dst []Token, text string) []Token {
	s := t.scratches.Get().(*scratch)
	s.units = Units(s.units[:0], text)
	dst = t.fromUnits(dst, s, text, s.units)
	clear(s.units) // the norms hold the text
	if cap(s.units) <= maxScratch {
		t.scratches.Put(s)
	}
	return dst
}

func (t *tokenizer) fromUnits(dst []Token, s *scratch, text string, units []Unit) []Token {
	for i := 0; i < len(units); {
		u := &units[i]
		j := i + 1
		switch u.Kind {
		case Han, Thai:
			for j < len(units) && units[j].Kind == u.Kind && !units[j].Space {
				j++
			}
			if u.Kind == Han {
				dst = t.han(dst, s, text, units[i:j])
			} else {
				dst = t.thai(dst, s, text, units[i:j])
			}
		case Word, Punct:
			if tok := whole(text, u); tok.End > 0 {
				for j < len(units) && units[j].Start < tok.End {
					j++
				}
				dst = append(dst, tok)
				break
			}
			tok := Token{u.Span, u.Norm, u.Kind}
			if u.Kind == Word {
				tok.Norm = stem(u.Norm)
			}
			dst = append(dst, tok)
		default:
			dst = append(dst, Token{u.Span, u.Norm, u.Kind})
		}
		i = j
	}
	return dst
}

// thai appends the words of a run of Thai characters. A last letter repeated for
// emphasis (มากกกก) belongs to its word but not to the word's norm.
func (t *tokenizer) thai(dst []Token, s *scratch, text string, units []Unit) []Token {
	at := 0
	first := len(dst)
	for _, end := range t.th.cut(&s.path, units) {
		word := units[at:end]
		if n := len(dst); n > first && at > 0 && repeats(units[at-1].Norm, word) {
			dst[n-1].End = word[len(word)-1].End
		} else {
			dst = append(dst, Token{
				Span: earshot.Span{Start: word[0].Start, End: word[len(word)-1].End},
				Norm: joinNorms(text, word),
				Kind: Thai,
			})
		}
		at = end
	}
	return dst
}

// repeats says whether a word is a letter, said again and again.
func repeats(letter string, word []Unit) bool {
	if letter == "ๆ" {
		return false
	}
	for i := range word {
		if word[i].Norm != letter {
			return false
		}
	}
	return true
}

// joinNorms is the norm of adjacent units: a part of the text where nothing was folded.
func joinNorms(text string, units []Unit) string {
	at := units[0].Start
	for i := range units {
		u := &units[i]
		if u.Start != at || u.Norm != text[u.Start:u.End] {
			var b strings.Builder
			for _, u := range units {
				b.WriteString(u.Norm)
			}
			return b.String()
		}
		at = u.End
	}
	return text[units[0].Start:at]
}

// whole finds what is one token of several units: a placeholder that stands for
// something personal, or a face made of marks. End is 0 where there is neither.
func whole(text string, u *Unit) Token {
	rest := text[u.Start:]
	switch rest[0] {
	case '[':
		if n := placeholder(rest); n > 0 {
			name, _, _ := cutLast(rest[1:n-1], '_')
			return Token{earshot.Span{Start: u.Start, End: u.Start + n}, placeholders[name], Word}
		}
	case ':', ';', '=', '^', '>', '<', 'T', '-', '(':
		for _, face := range faces {
			if !strings.HasPrefix(rest, face) {
				continue
			}
			if after := (&unitScanner{text: rest, at: len(face)}); after.goesOn() || u.Start > 0 && asciiLetter(text[u.Start-1]) && asciiLetter(face[len(face)-1]) {
				continue
			}
			return Token{earshot.Span{Start: u.Start, End: u.Start + len(face)}, face, Emoji}
		}
	}
	return Token{}
}

// faces are made of marks, the longest first where one begins another.
var faces = []string{":'(", ":')", ":-)", ":-(", ":-D", ":-/", ":-P", ":))", ":((", ":)", ":(", ":D", ":P", ";-)", ";)", "=)", "=(", "^_^", "^^",
	">_<", ">.<", "<3", "T_T", "TT_TT", "TOT", "T^T", "-_-", "(^_^)", "(T_T)"}

// placeholders maps the name in a placeholder to its norm: PHONE to [phone].
var placeholders = func() map[string]string {
	m := map[string]string{}
	for _, name := range earshot.RedactionTypes {
		m[name] = "[" + strings.ToLower(name) + "]"
	}
	return m
}()

// placeholder gives the length of the placeholder that s begins with, or 0.
func placeholder(s string) int {
	end := strings.IndexByte(s[:min(len(s), 24)], ']')
	if end < 0 {
		return 0
	}
	name, number, ok := cutLast(s[1:end], '_')
	if !ok || number == "" || strings.Trim(number, "0123456789") != "" || placeholders[name] == "" {
		return 0
	}
	return end + 1
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func asciiLetter(c byte) bool {
	return c < 0x80 && (asciiClass[c] == classLetter || asciiClass[c] == classDigit)
}
