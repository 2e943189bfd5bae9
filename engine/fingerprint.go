package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/store"
)

// fingerprint hashes what was sent, as it was sent, under the installation's
// secret: every part goes in with its length before it.
func (a *Analyzer) fingerprint(v *earshot.Verbatim, asTurns bool) store.Fingerprint {
	var prints store.Fingerprint
	b := make([]byte, 0, 512)
	for _, s := range []string{v.Source, v.Channel, v.Customer, v.Author, v.Conversation, v.URL, v.Hint} {
		b = appendString(b, s)
	}
	if !v.At.IsZero() {
		b = binary.AppendVarint(b, v.At.UnixNano())
	}
	b = append(b, '|')
	if r := v.Rating; r != nil {
		b = appendString(appendFloat(b, &r.Value), r.Scale)
		b = appendFloat(appendFloat(b, r.Min), r.Max)
	}
	names := make([]string, 0, len(v.Fields))
	for name := range v.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendString(b, name)
		switch x := v.Fields[name].(type) {
		case string:
			b = appendString(append(b, 's'), x)
		case float64:
			b = appendFloat(append(b, 'n'), &x)
		case bool:
			b = append(b, 'f')
			if x {
				b[len(b)-1] = 't'
			}
		}
	}
	sum := a.hash(b)
	copy(prints.Body[:], sum[:])
	shape := byte('v')
	if asTurns {
		shape = 't'
	}
	chain := []byte{shape}
	for _, t := range v.Turns {
		b = append(b[:0], chain...)
		b = appendString(appendString(b, t.Speaker), t.Text)
		b = appendFloat(appendFloat(b, t.StartS), t.EndS)
		sum := a.hash(b)
		prints.Turns = append(prints.Turns, [16]byte(sum[:16]))
		chain = sum[:16]
	}
	return prints
}

// hash is SHA-256 under the installation's secret.
func (a *Analyzer) hash(b []byte, more ...string) [32]byte {
	h := sha256.New()
	h.Write(a.secret[:])
	h.Write(b)
	for _, s := range more {
		h.Write([]byte(s))
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendFloat appends a number, or its absence.
func appendFloat(b []byte, x *float64) []byte {
	if x == nil {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), math.Float64bits(*x))
}
