package nlp

import (
	"fmt"

	"github.com/go-ego/gse"
)

// maxHanRun is how many bytes of Chinese without a mark are cut at once. gse
// needs some 20 bytes of memory a byte, and adds distances in single precision.
const maxHanRun = 1536

// newChinese loads a word list, folded to Simplified, into gse: without its own
// dictionaries and without guessing words (HMM). Words that come first win.
//
// LoadDictStr is not used, because it sets the count of every single character
// to 2: 一下午 then falls into 一下 and 午.
func newChinese(lists ...[]listWord) (*gse.Segmenter, error) {
	seg := &gse.Segmenter{NotLoadHMM: true, SkipLog: true, Dict: gse.NewDict()}
	for _, words := range lists {
		for _, w := range words {
			if err := seg.AddToken(w.text, w.count); err != nil {
				return nil, fmt.Errorf("add word to Chinese dictionary: %w", err)
			}
		}
	}
	seg.CalcToken()
	return seg, nil
}

// han appends the words of a run of Chinese characters.
func (t *tokenizer) han(dst []Token, s *scratch, text string, units []Unit) []Token {
	s.folded = s.folded[:0]
	changed := false
	for _, u := range units {
		s.folded = append(s.folded, u.Norm...)
		changed = changed || u.Norm != text[u.Start:u.End]
	}
	// What lies between the units of a run is invisible; without it norms are parts of the text.
	whole := text[units[0].Start:units[len(units)-1].End]
	if changed || len(whole) != len(s.folded) {
		whole = string(s.folded)
	}
	i := 0 // the unit in hand
	for at := 0; at < len(s.folded); {
		end := min(at+maxHanRun, len(s.folded))
		for end < len(s.folded) && s.folded[end]&0xc0 == 0x80 {
			end++
		}
		part := s.folded[at:end]
		for _, seg := range t.zh.Segment(part) {
			tok := Token{Kind: Han, Norm: whole[at+seg.Start() : at+seg.End()]}
			tok.Start = units[i].Start
			for n := seg.End() - seg.Start(); n > 0; i++ {
				n -= len(units[i].Norm)
				tok.End = units[i].End
			}
			dst = append(dst, tok)
		}
		at = end
	}
	return dst
}
