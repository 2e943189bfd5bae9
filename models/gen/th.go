package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxThaiRunes is the length of the longest Thai word that is kept. What is
// longer is a phrase or the name of an office.
const maxThaiRunes = 24

// thaiWords makes the word list: "word count", by code point, without the names of
// letters. Words of the
// dictionary have their counts in the Thai National Corpus and the Thai
// textbook corpus; one that neither has counts as 1.
func (g *generator) thaiWords() ([]string, error) {
	words, err := g.lines(g.thai, "words_th.txt.gz")
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, name := range []string{"tnc_freq.tsv.gz", "ttc_freq.tsv.gz"} {
		lines, err := g.lines(g.thai, name)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			w, count, ok := strings.Cut(line, "\t")
			n, err := strconv.Atoi(strings.TrimSpace(count))
			if !ok || err != nil {
				return nil, fmt.Errorf("%s: no count in %q", name, line)
			}
			counts[thai(w)] += n
		}
	}
	var lines []string
	for _, w := range words {
		w = thai(w)
		if n := utf8.RuneCountInString(w); n == 0 || n == 1 && w != "ณ" || n > maxThaiRunes || strings.IndexFunc(w, notThaiLetter) >= 0 {
			continue
		}
		lines = append(lines, w+" "+strconv.Itoa(max(1, counts[w])))
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// thai writes sara am as one character.
func thai(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\u0e4d\u0e32", "\u0e33")
	for tone := '\u0e48'; tone <= '\u0e4b'; tone++ {
		s = strings.ReplaceAll(s, "\u0e4d"+string(tone)+"\u0e32", string(tone)+"\u0e33")
	}
	return s
}

// notThaiLetter is true for what no word is made of: other scripts, spaces,
// digits, marks, and ๆ, which is a word of its own.
func notThaiLetter(r rune) bool {
	return r < '\u0e01' || r > '\u0e4e' || r == '\u0e3f' || r == '\u0e46' || r == '\u0e2f' || r > '\u0e3a' && r < '\u0e40'
}
