package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is kept of the Chinese lists. The bounds bring 390,000 words down to
// about 80,000, which load in a fraction of a second; raising them further
// costs more accuracy than it saves time.
const (
	minFreq     = 25 // count in the Simplified list
	minFreqLong = 30 // the same, for words of five characters or more
	minFreqTW   = 40 // count in the Taiwanese list, for words the other lacks
	scaleTW     = 2  // makes counts of the Taiwanese list comparable
	maxRunes    = 7  // longer entries are phrases
)

// merged are characters of which the tables make two but customers write either:
// 到帳 and 到賬 are both 到账 to whoever waits for the money.
var merged = map[rune]rune{'帐': '账'}

// han makes the folding table: a line "A繁简" for each character with a
// Simplified form of the same length in UTF-8. A says whether the pair is
// evidence of the script: T, the first is written in Traditional text only; S
// (a line "S简简"), the character is written in Simplified text only; "-", neither.
func (g *generator) han() ([]string, error) {
	ts, err := g.pairs("TSCharacters.txt.gz")
	if err != nil {
		return nil, err
	}
	st, err := g.pairs("STCharacters.txt.gz")
	if err != nil {
		return nil, err
	}
	g.fold = map[rune]rune{}
	g.simplified = map[rune]bool{}
	for _, p := range ts {
		g.fold[p.from] = p.to[0]
	}
	for _, p := range st {
		g.simplified[p.from] = true
	}
	regional := map[rune]bool{} // written in Hong Kong or Taiwan, whatever the other tables say
	for _, name := range []string{"HKVariants.txt.gz", "TWVariants.txt.gz"} {
		variants, err := g.pairs(name)
		if err != nil {
			return nil, err
		}
		for _, p := range variants {
			for _, to := range p.to {
				regional[to] = true
				if to != p.from && slices.Contains(p.to, p.from) {
					g.variant(to, p.from)
				} else {
					g.variant(p.from, to)
				}
			}
		}
	}
	for from, to := range g.fold {
		if m, ok := merged[to]; ok {
			g.fold[from] = m
		}
	}
	for from, to := range merged {
		g.fold[from] = to
	}
	var lines []string
	for from, to := range g.fold {
		if from == to || utf8.RuneLen(from) != 3 || utf8.RuneLen(to) != 3 {
			delete(g.fold, from)
			continue
		}
		// The Simplified list also holds characters that both scripts write (乾, 著).
		kind := "T"
		if g.simplified[from] || from == '著' {
			kind = "-"
		}
		lines = append(lines, kind+string(from)+string(to))
	}
	for _, p := range st {
		if utf8.RuneLen(p.from) == 3 && !slices.Contains(p.to, p.from) && !regional[p.from] && g.fold[p.from] == 0 {
			lines = append(lines, "S"+string(p.from)+string(p.from))
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// variant folds a regional form with the form that the tables start from.
func (g *generator) variant(std, regional rune) {
	a, b := g.simple(std), g.simple(regional)
	switch {
	case a == b:
	case std == '着': // Taiwan writes 著 for both; mainland words with 著 are folded too
		g.fold[regional] = std
	case a == std && b == regional: // no table says which is simpler
		g.fold[std] = regional
	case a == std:
		g.fold[std] = b
	case b == regional && !g.simplified[regional]:
		g.fold[regional] = a
	}
}

// simple is what a character is folded to.
func (g *generator) simple(r rune) rune {
	if to := g.fold[r]; to != 0 {
		return to
	}
	return r
}

type pair struct {
	from rune
	to   []rune
}

// pairs reads an OpenCC table of single characters.
func (g *generator) pairs(name string) ([]pair, error) {
	lines, err := g.lines(g.opencc, name)
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for _, line := range lines {
		from, to, ok := strings.Cut(line, "\t")
		if !ok || utf8.RuneCountInString(from) != 1 {
			return nil, fmt.Errorf("%s: no pair in %q", name, line)
		}
		p := pair{from: []rune(from)[0]}
		for _, f := range strings.Fields(to) {
			p.to = append(p.to, []rune(f)[0])
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// chinese makes the word list: "word count", folded, by code point.
func (g *generator) chinese() ([]string, error) {
	simplified, err := g.counts("dict.txt.small.gz")
	if err != nil {
		return nil, err
	}
	taiwan, err := g.counts("dict.zh_TW.txt.gz")
	if err != nil {
		return nil, err
	}
	keep := map[string]int{}
	for w, n := range simplified {
		if l := utf8.RuneCountInString(w); n >= minFreq && l < 5 || n >= minFreqLong && l <= maxRunes {
			keep[w] = n
		}
	}
	for w, n := range taiwan {
		if l := utf8.RuneCountInString(w); keep[w] == 0 && n >= minFreqTW && l > 1 && l < 5 {
			keep[w] = n * scaleTW
		}
	}
	var lines []string
	for w, n := range keep {
		lines = append(lines, w+" "+strconv.Itoa(n))
	}
	slices.Sort(lines)
	return lines, nil
}

// counts reads one of jieba's lists, "word count tag", and folds its words.
func (g *generator) counts(name string) (map[string]int, error) {
	lines, err := g.lines(g.jieba, name)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, fmt.Errorf("%s: no count in %q", name, line)
		}
		w := strings.Map(func(r rune) rune {
			if to := g.fold[r]; to != 0 {
				return to
			}
			return r
		}, f[0])
		if strings.IndexFunc(w, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) < 0 {
			counts[w] = max(counts[w], n)
		}
	}
	return counts, nil
}
