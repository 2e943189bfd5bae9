package index

import "github.com/earshot-cx/earshot/nlp"

// Grams make an exact run of units findable. Two units of a script without
// word spaces, with nothing between them, are a pair: a term at the position of
// the first. A unit that is not in two pairs is a term too; one that is needs
// none, since a run of two or more units that has it is found by its pairs.
// Runs of one unit are looked for in charsField.
//
// Positions carry white space: a unit stands two positions behind the unit
// before it, or three if white space is between them; units that are no
// neighbours are four apart at least. So a run is found exactly when its terms
// stand at the right distances.

// pairSep stands between the two units of a pair. No norm holds a control character.
const pairSep = "\x1f"

// addGrams adds the terms of one turn, the first behind position pos, and gives the last position.
func addGrams(grams, chars *field, units []nlp.Unit, pos int) int {
	for i, u := range units {
		pos += step(u)
		before := i > 0 && paired(units[i-1], u)
		after := i+1 < len(units) && paired(u, units[i+1])
		if after {
			grams.addAt(pair(u, units[i+1]), pos, 0, 0)
		}
		if !before || !after {
			grams.addAt(bounded(u.Norm), pos, 0, 0)
		}
		if unspaced(u.Kind) {
			chars.add(bounded(u.Norm))
		}
	}
	return pos
}

// step is how far a unit stands behind the one before it.
func step(u nlp.Unit) int {
	if u.Space {
		return 3
	}
	return 2
}

func paired(a, b nlp.Unit) bool {
	return unspaced(a.Kind) && unspaced(b.Kind) && !b.Space
}

func unspaced(k nlp.Kind) bool { return k == nlp.Han || k == nlp.Thai || k == nlp.Syl }

func pair(a, b nlp.Unit) string { return bounded(a.Norm + pairSep + b.Norm) }

// A part is a term of a run and how far behind the beginning of the run it stands.
type part struct {
	term   string
	offset int
}

// runParts gives terms that, at their offsets, are a run of two or more units.
// A unit is a part only where it is in no pair on one side at least, so in the
// text it is a term as well.
func runParts(units []nlp.Unit) []part {
	var parts []part
	offset := 0
	covered := false // by the pair before
	for i, u := range units {
		if i > 0 {
			offset += step(u)
		}
		next := i+1 < len(units) && paired(u, units[i+1])
		switch {
		case next && (!covered || i+2 == len(units)):
			parts = append(parts, part{pair(u, units[i+1]), offset})
			covered = true
		case covered:
			covered = false
		default:
			parts = append(parts, part{bounded(u.Norm), offset})
		}
	}
	return parts
}
