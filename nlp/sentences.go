package nlp

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
)

// maxSentence is the length in bytes at which a sentence is cut for want of
// anything better, between two tokens, so that what comes later has bounds.
const maxSentence = 2000

// Lengths in tokens from which a space is taken for the end of a sentence, where
// spaces stand between clauses and not between words.
const (
	longClause = 10 // before it
	clause     = 4  // after it; and before it, where a word begins a new thought
)

// Sentences cuts a text into sentences, in order. Each has its closing marks,
// quotes and emoji; the white space between them belongs to none.
func (p *Pipeline) Sentences(text string) []earshot.Span {
	return p.tok.sentences(text, p.tok.tokens(nil, text))
}

// sentences cuts a text into sentences by marks, line breaks and, in Thai and
// Chinese, by spaces. toks are the tokens of the text.
func (t *tokenizer) sentences(text string, toks []Token) []earshot.Span {
	s := sentenceCutter{text: text, toks: toks}
	var spans []earshot.Span
	for s.at < len(toks) {
		first := s.at
		s.sentence()
		spans = append(spans, earshot.Span{Start: toks[first].Start, End: toks[s.at-1].End})
	}
	return spans
}

// A sentenceCutter goes over the tokens once.
type sentenceCutter struct {
	text string
	toks []Token
	at   int // the first token that is in no sentence yet
}

// sentence moves at to the end of the sentence that begins there.
func (s *sentenceCutter) sentence() {
	first := s.at
	for {
		tok := &s.toks[s.at]
		s.at++
		if s.at == len(s.toks) || s.ends(first, tok) {
			return
		}
		switch gap := s.gap(s.at); {
		case strings.ContainsAny(gap, "\n\r\u2028\u2029\u0085"):
			return
		case s.toks[s.at].End-s.toks[first].Start > maxSentence:
			return
		case hasSpace(gap) && s.spaceEnds(first):
			s.emoji()
			return
		}
	}
}

// gap is what lies before token i.
func (s *sentenceCutter) gap(i int) string {
	return s.text[s.toks[i-1].End:s.toks[i].Start]
}

func hasSpace(gap string) bool { return gap != "" && strings.IndexFunc(gap, isSpace) >= 0 }

// ends says whether the sentence from first ends with tok, the token before at.
// If so, at is moved over what closes it.
func (s *sentenceCutter) ends(first int, tok *Token) bool {
	if tok.Kind != Punct {
		return false
	}
	dots := 0
	switch tok.Norm {
	case "。", "｡", "؟", "।":
	case "!", "?", "‼", "⁉":
	case "；":
	case ".", "…":
		dots = 1
	default:
		return false
	}
	if tok.Norm == ";" {
		return false
	}
	mark := s.at - 1
	for s.adjacent() && s.terminal(&s.toks[s.at]) {
		if d := s.toks[s.at].Norm; dots > 0 && (d == "." || d == "…") {
			dots++
		} else {
			dots = 0
		}
		s.at++
	}
	for s.adjacent() && s.closes(s.at) {
		s.at++
	}
	if s.at == len(s.toks) {
		return true
	}
	space := hasSpace(s.gap(s.at))
	next := s.toks[s.at]
	switch {
	case dots == 1 && tok.Norm == ".":
		if !s.pointEnds(first, mark, space) {
			return false
		}
	case dots > 1 && tok.Norm == ".": // a pause
		if !space || next.Kind == Word && !s.upper(s.at) {
			return false
		}
	case tok.Norm == "…" && !space && dots == 1:
		return false
	case !space && (tok.Norm == "!" || tok.Norm == "?"):
		if next.Kind == Word || next.Kind == Number || next.Kind == Punct && !s.opens(s.at) {
			return false // Yahoo!, ?id=3
		}
	}
	s.emoji()
	return true
}

// adjacent says whether the next token follows without white space.
func (s *sentenceCutter) adjacent() bool {
	return s.at < len(s.toks) && !hasSpace(s.gap(s.at))
}

func (s *sentenceCutter) terminal(t *Token) bool {
	switch t.Norm {
	case "。", "!", "?", ".", "…", "~", "～", "‼", "⁉":
		return t.Kind == Punct
	}
	return false
}

// closes says whether token i closes what was opened before it.
func (s *sentenceCutter) closes(i int) bool {
	switch s.text[s.toks[i].Start:s.toks[i].End] {
	case "”", "’", "」", "』", "）", ")", "】", "》", "»", "]", "〉", "’’":
		return true
	case "\"", "'", "＂":
		return i+1 == len(s.toks) || hasSpace(s.gap(i+1)) || s.toks[i+1].Kind == Han || s.toks[i+1].Kind == Thai
	}
	return false
}

// opens says whether token i opens a quote or bracket.
func (s *sentenceCutter) opens(i int) bool {
	switch s.text[s.toks[i].Start:s.toks[i].End] {
	case "“", "‘", "「", "『", "（", "(", "【", "《", "«", "[", "\"", "'", "-", "—", "#", "@":
		return true
	}
	return false
}

// pointEnds says whether a single full stop, the token at mark, ends a sentence:
// not inside a number or address, not after an abbreviation, an initial or the
// number of an item.
func (s *sentenceCutter) pointEnds(first, mark int, space bool) bool {
	if !space {
		return mark > first && s.at < len(s.toks) && s.toks[s.at].Kind != Word && s.toks[s.at].Kind != Punct && s.toks[s.at].Kind != Number &&
			(s.toks[mark-1].Kind == Han || s.at > mark+1)
	}
	if mark == first {
		return false
	}
	before := &s.toks[mark-1]
	if before.End != s.toks[mark].Start {
		return true
	}
	switch before.Kind {
	case Number:
		return mark-1 > first || len(before.Norm) > 2
	case Thai:
		return !thaiAbbreviation(before.Norm)
	case Word:
		dotted := mark-2 >= first && s.toks[mark-2].Norm == "." && s.toks[mark-2].End == before.Start
		switch {
		case utf8.RuneCountInString(before.Norm) == 1 && dotted: // p.m., e.g.
			return s.upper(s.at) && before.Norm != "g" && before.Norm != "e"
		case utf8.RuneCountInString(before.Norm) == 1: // J. Smith
			return before.Norm == "i"
		case abbreviations[strings.ToLower(s.text[before.Start:before.End])]:
			return false
		}
	}
	return true
}

var abbreviations = wordSet("mr mrs ms dr prof st jr sr vs etc inc ltd co corp dept approx appt est fig no nos tel ext vol " +
	"jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun min max ave blvd rd")

// upper says whether token i begins with a capital letter.
func (s *sentenceCutter) upper(i int) bool {
	if s.toks[i].Kind != Word {
		return true
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.toks[i].Start:])
	return unicode.IsUpper(r)
}

// thaiAbbreviation is true of up to three letters without a vowel: ม.ค., รพ., ชม.
func thaiAbbreviation(norm string) bool {
	if utf8.RuneCountInString(norm) > 3 {
		return false
	}
	for _, r := range norm {
		if r < 'ก' || r > 'ฮ' {
			return norm == "เม" || norm == "มิ" || norm == "มี" || norm == "ก" || norm == "จำ" || norm == "กิ"
		}
	}
	return true
}

// spaceEnds says whether the white space before at ends the sentence from first.
func (s *sentenceCutter) spaceEnds(first int) bool {
	before, next := &s.toks[s.at-1], &s.toks[s.at]
	if before.Kind == Thai && thaiFinal[before.Norm] {
		return next.Kind != Punct || s.opens(s.at)
	}
	if next.Kind != before.Kind || next.Kind != Thai && next.Kind != Han {
		return false
	}
	n := s.at - first
	if next.Kind == Thai {
		if thaiOpen[before.Norm] {
			return false
		}
		if thaiStart[next.Norm] && n >= clause {
			return true
		}
	}
	return n >= longClause && s.run(clause) || next.Kind == Han && n >= clause && s.run(clause)
}

// run says whether at least n tokens follow before the next white space.
func (s *sentenceCutter) run(n int) bool {
	if s.at+n > len(s.toks) {
		return false
	}
	for i := s.at + 1; i < s.at+n; i++ {
		if hasSpace(s.gap(i)) {
			return false
		}
	}
	return true
}

// emoji moves over emoji that follow in the same line: they belong to what was said.
func (s *sentenceCutter) emoji() {
	for s.at < len(s.toks) && s.toks[s.at].Kind == Emoji && !strings.Contains(s.gap(s.at), "\n") {
		s.at++
	}
}

// Thai words that end a sentence where a space follows, that begin one, and
// after which none can end.
var (
	thaiFinal = wordSet("ค่ะ คะ ครับ คับ ครัช คร้าบ ค้าบ จ้า จ้ะ จ๊ะ จ๋า ค่า คร่า นะคะ นะค่ะ นะครับ นะคับ ฮะ ฮับ นะ เจ้าค่ะ เจ้าคะ มั้ย ไหม หรอ เหรอ หรือเปล่า รึเปล่า รึป่าว หรือยัง รึยัง")
	thaiStart = wordSet("ดังนั้น เพราะฉะนั้น สรุป นอกจากนี้ นอกจากนั้น ต่อมา หลังจากนั้น อีกอย่าง ส่วน จากนั้น สุดท้าย ตอนนี้ ทำไม รบกวน ขอบคุณ ฝาก ขอ อยาก วันนี้ เมื่อวาน ล่าสุด ปรากฏ อย่างไรก็ตาม ช่วย กรุณา")
	thaiOpen  = wordSet("ว่า และ หรือ กับ ของ ที่ ซึ่ง โดย จาก ใน เพื่อ คือ เช่น ได้แก่ แต่ เพราะ ถ้า แล้ว ก็")
)

// clauses cuts a sentence of a text before its contrast words ("but", "แต่",
// "但是"): what comes after such a word may be the opposite of what came before.
// toks are the tokens of the text, contrast knows the words by their norm.
func clauses(text string, toks []Token, sent earshot.Span, contrast func(norm string) bool) []earshot.Span {
	i := sort.Search(len(toks), func(i int) bool { return toks[i].Start >= sent.Start })
	var spans []earshot.Span
	start, words := sent.Start, 0
	end := sent.Start // of the token before
	for ; i < len(toks) && toks[i].End <= sent.End; i++ {
		if words > 0 && toks[i].Kind != Punct && contrast(toks[i].Norm) {
			spans = append(spans, earshot.Span{Start: start, End: end})
			start, words = toks[i].Start, 0
			end = toks[i].End
			continue // a contrast word alone is no clause
		}
		if toks[i].Kind != Punct {
			words++
		}
		end = toks[i].End
	}
	return append(spans, earshot.Span{Start: start, End: sent.End})
}
