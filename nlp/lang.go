package nlp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
)

// Und is the language of a text without letters.
const und = "und"

// Weights of a letter when the main language is chosen, in halves of a Thai
// letter. A Latin word among Thai or Chinese is mostly a name or a term, so its
// letters weigh less; English function words show that the sentence is English.
const (
	weightLatin    = 1
	weightLetter   = 2
	weightSyl      = 4
	weightHan      = 6
	weightFunction = 4
)

// A languageCount is what a whole text says about its languages. The language of
// Chinese and of Latin letters is decided once for a text, since a few characters
// of it decide nothing.
type languageCount struct {
	han, kana               int
	traditional, simplified int // characters of one script only
	yue, mandarin           int // words of one of them only
	english                 int // English function words
	latin                   map[string]int
	hint                    string
}

// langs appends the language spans of a text to dst, in order and covering it,
// and says which language is the main one. units are those of the text. hint
// decides where the text does not: it may be a language tag or empty.
//
// Spaces, digits, emoji, marks and placeholders belong to the span before them,
// but to the main language where that goes on after a word of another.
func langs(dst []earshot.LangSpan, units []Unit, text string, hint string) (spans []earshot.LangSpan, main string) {
	c := languageCount{hint: hintLanguage(hint)}
	forLetters(units, text, func(i int) { c.add(units, i, text) })
	zh, latin := c.chinese(), c.latinLanguage()

	first := len(dst)
	weight := map[string]int{}
	forLetters(units, text, func(i int) {
		u := &units[i]
		lang, w := c.of(u, zh, latin)
		if lang == "" {
			return
		}
		weight[lang] += w
		if n := len(dst); n > first && dst[n-1].Lang == lang {
			dst[n-1].End = u.End
			return
		}
		dst = append(dst, earshot.LangSpan{Lang: lang, Start: u.Start, End: u.End})
	})
	if len(dst) == first {
		main = c.hint
		if main == "" {
			main = und
		}
		if text == "" {
			return dst, main
		}
		return append(dst, earshot.LangSpan{Lang: main, End: len(text)}), main
	}
	weight["en"] += c.english * weightFunction
	for _, s := range dst[first:] { // in the order of the text, so that a tie goes to the first
		if main == "" || weight[s.Lang] > weight[main] {
			main = s.Lang
		}
	}
	for i := first; i < len(dst); i++ {
		switch {
		case i == first:
			dst[i].Start = 0
		case dst[i].Lang == main && dst[i-1].Lang != main:
			dst[i].Start = dst[i-1].End
		default:
			dst[i-1].End = dst[i].Start
		}
	}
	dst[len(dst)-1].End = len(text)
	return dst, main
}

// Langs says in which languages a text is, in order, and in which mainly. hint,
// a language tag or empty, decides where the text does not.
func (p *Pipeline) Langs(text, hint string) ([]earshot.LangSpan, string) {
	return langs(nil, Units(nil, text), text, hint)
}

// forLetters calls f for the units that show a language: not for numbers, emoji,
// marks, placeholders, addresses, handles and codes such as N95.
func forLetters(units []Unit, text string, f func(i int)) {
	skip := 0 // what begins before is no language
	for i := range units {
		u := &units[i]
		if u.Start < skip {
			continue
		}
		switch u.Kind {
		case Punct:
			switch u.Norm {
			case "[":
				skip = u.Start + placeholder(text[u.Start:])
			case "@", "#":
				if u.Norm == "@" {
					skip = u.End + asciiRun(text[u.End:])
				}
			}
		case Word:
			switch n := u.Norm; {
			case strings.HasPrefix(n, "http"), n == "www":
				skip = u.Start + asciiRun(text[u.Start:])
			case strings.ContainsAny(n, "0123456789"):
			default:
				f(i)
			}
		case Han, Thai, Syl:
			f(i)
		}
	}
}

// asciiRun is the length of the ASCII without spaces that s begins with.
func asciiRun(s string) int {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

// add counts what unit i says.
func (c *languageCount) add(units []Unit, i int, text string) {
	u := &units[i]
	r, _ := utf8.DecodeRuneInString(text[u.Start:])
	switch u.Kind {
	case Han:
		c.han++
		switch han.scriptOf(r) {
		case 'T':
			c.traditional++
		case 'S':
			c.simplified++
		}
		c.dialect(r, units, i)
	case Syl:
		if unicode.In(r, unicode.Hiragana, unicode.Katakana) {
			c.kana++
		}
	case Word:
		if r < utf8.RuneSelf || unicode.Is(unicode.Latin, r) {
			c.latinWord(u.Norm)
		}
	}
}

// dialect counts characters that are written in Cantonese or in Mandarin only.
func (c *languageCount) dialect(r rune, units []Unit, i int) {
	switch r {
	case '嘅', '咗', '唔', '冇', '喺', '佢', '嚟', '嘢', '啲', '哋', '㗎', '嗰', '睇', '攞', '搵', '畀', '噉', '嘥', '喎', '冧':
		c.yue += 2
	case '咁', '俾', '咩', '乜', '嬲', '啱', '黐', '噏', '揸':
		c.yue++
	case '係': // but not in 關係, 聯係, 係數, where it is Mandarin as well
		if (i == 0 || !isOne("关联体干", units[i-1].Norm)) && (i+1 == len(units) || !isOne("数列统", units[i+1].Norm)) {
			c.yue++
		}
	case '的', '了', '是', '不', '没', '沒', '们', '們', '这', '這', '那', '在', '他', '她', '吗', '嗎', '呢', '什':
		c.mandarin++
	}
}

// chinese decides how the Chinese characters of a text are to be read.
func (c *languageCount) chinese() string {
	hinted := c.hint == "zh-Hant" || c.hint == "zh-Hans" || c.hint == "yue"
	switch {
	case c.kana >= 3 && 4*c.kana >= c.han, c.kana > 0 && c.kana >= c.han:
		return "ja"
	case c.yue >= 2 && 2*c.yue >= c.mandarin:
		return "yue"
	case c.yue > 0 && c.mandarin == 0 && c.simplified == 0 && c.hint == "yue":
		return "yue"
	case c.traditional > c.simplified:
		return "zh-Hant"
	case c.simplified > c.traditional:
		return "zh-Hans"
	case hinted:
		return c.hint
	}
	return "zh-Hans"
}

func (c *languageCount) latinWord(w string) {
	if englishWords[w] {
		c.english++
		return
	}
	lang := latinWords[w]
	if lang == "" {
		lang = latinLetters(w)
	}
	if lang != "" {
		if c.latin == nil {
			c.latin = map[string]int{}
		}
		c.latin[lang]++
	}
}

// latinLanguage decides the language of Latin words: English, unless the text has
// two function words, or letters, of another language and more than of English.
func (c *languageCount) latinLanguage() string {
	best, n := "en", max(1, c.english)
	for _, lang := range latinLanguages { // in one order, so that the same text has the same answer
		if c.latin[lang] > n {
			best, n = lang, c.latin[lang]
		}
	}
	if best == "en" && c.english == 0 {
		for _, lang := range latinLanguages {
			if lang == c.hint {
				return lang
			}
		}
	}
	return best
}

// of is the language of a unit and its weight; "" if it shows none.
func (c *languageCount) of(u *Unit, zh, latin string) (string, int) {
	switch u.Kind {
	case Han:
		return zh, weightHan
	case Thai:
		return "th", weightLetter
	}
	r, size := utf8.DecodeRuneInString(u.Norm)
	if u.Kind == Word {
		if r < utf8.RuneSelf || unicode.Is(unicode.Latin, r) {
			if size == len(u.Norm) && r > utf8.RuneSelf {
				return "", 0
			}
			return latin, weightLatin * utf8.RuneCountInString(u.Norm)
		}
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				return s.lang, weightLetter * utf8.RuneCountInString(u.Norm)
			}
		}
		return "", 0
	}
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			if s.lang == "ja" && zh != "ja" && c.han > 0 { // の in a Chinese name
				return "", 0
			}
			return s.lang, weightSyl
		}
	}
	return "", 0
}

// scripts that tell a language, or its commonest.
var scripts = []struct {
	table *unicode.RangeTable
	lang  string
}{
	{unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"}, {unicode.Cyrillic, "ru"}, {unicode.Arabic, "ar"},
	{unicode.Devanagari, "hi"}, {unicode.Lao, "lo"}, {unicode.Khmer, "km"}, {unicode.Myanmar, "my"}, {unicode.Hebrew, "he"},
	{unicode.Greek, "el"}, {unicode.Bengali, "bn"}, {unicode.Tamil, "ta"}, {unicode.Telugu, "te"}, {unicode.Georgian, "ka"},
	{unicode.Armenian, "hy"}, {unicode.Tibetan, "bo"}, {unicode.Gujarati, "gu"}, {unicode.Gurmukhi, "pa"}, {unicode.Sinhala, "si"},
	{unicode.Malayalam, "ml"}, {unicode.Kannada, "kn"}, {unicode.Ethiopic, "am"},
}

// latinLetters tells a language by letters that few others have.
func latinLetters(w string) string {
	for _, r := range w {
		switch {
		case r < utf8.RuneSelf:
		case r == 'ơ' || r == 'ư' || r == 'đ' || r == 'ă' || 0x1ea0 <= r && r <= 0x1ef9:
			return "vi"
		case r == 'ß' || r == 'ä' || r == 'ö':
			return "de"
		case r == 'ñ':
			return "es"
		case r == 'ã' || r == 'õ':
			return "pt"
		case r == 'ê' || r == 'è' || r == 'œ':
			return "fr"
		case r == 'ğ' || r == 'ş' || r == 'ı':
			return "tr"
		case r == 'ł' || r == 'ę' || r == 'ą':
			return "pl"
		}
	}
	return ""
}

var englishWords = wordSet(`the a an and is are was were be been to of in on for with my your our i you he she we they it this that not no
	but from at have has had do does did can could will would please why when what how where who after before again still never very so
	there if or as by just me him her us them don't didn't can't won't isn't wasn't i'm it's i've`)

var latinLanguages = []string{"vi", "id", "es", "fr", "de", "pt", "it", "nl", "tr", "pl", "tl"}

// latinWords maps function words of other languages that English does not have.
var latinWords = func() map[string]string {
	m := map[string]string{}
	for lang, words := range map[string]string{
		"vi": "không khong của và là được này với cho người tôi một những rất",
		"id": "yang dan tidak saya di ini itu untuk dengan sudah belum bisa ke dari kami anda nggak gak banget sangat",
		"es": "el los las que por para con una pero está muy mi es y del como cuando",
		"fr": "le les des une est pas pour que dans avec mon je vous mais très sur du et",
		"de": "der das und ist nicht ich ein eine mit für auf aber sehr mein den von zu wir",
		"pt": "o os não com uma para meu muito mas está isso foi em",
		"it": "il che non per una sono con mio molto ma della gli",
		"nl": "het een niet ik van met voor maar zeer mijn zijn",
		"tr": "bir ve bu için çok değil ama ben",
		"pl": "nie jest się na że ale bardzo",
		"tl": "ang ng mga hindi ako po sa ko naman",
	} {
		for w := range strings.FieldsSeq(words) {
			if m[w] == "" || m[w] > lang {
				m[w] = lang
			}
		}
	}
	return m
}()

// hintLanguage turns a language tag into one of our names, "" if it is none.
func hintLanguage(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	first, rest, _ := strings.Cut(tag, "-")
	switch first {
	case "yue":
		return "yue"
	case "zh", "cmn":
		for _, part := range []string{"hant", "tw", "hk", "mo"} {
			if rest == part || strings.HasPrefix(rest, part+"-") {
				return "zh-Hant"
			}
		}
		if strings.HasPrefix(rest, "yue") {
			return "yue"
		}
		return "zh-Hans"
	}
	if len(first) < 2 || len(first) > 3 || first == und || strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return first
}

// isOne says whether a unit's norm is one of the characters of set.
func isOne(set, norm string) bool { return strings.Contains(set, norm) }
