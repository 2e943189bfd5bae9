package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/earshot-cx/earshot"
)

// jsonOptions keep nil and empty lists apart, so that what is read is what was
// written, and never fail because a sender's name is not UTF-8.
var jsonOptions = json.JoinOptions(
	json.FormatNilSliceAsNull(true),
	json.FormatNilMapAsNull(true),
	jsontext.AllowInvalidUTF8(true),
)

// packBody gives the part of a verbatim that has no column.
func packBody(v earshot.Verbatim) ([]byte, error) {
	v.ID, v.Source, v.ExternalID, v.ReceivedAt, v.Revision = "", "", "", time.Time{}, 0
	b, err := json.Marshal(&v, jsonOptions)
	if err != nil {
		return nil, fmt.Errorf("encode verbatim: %w", err)
	}
	return b, nil
}

// unpack reads JSON of ours. The error must not quote what it stumbled over.
func unpack(b []byte, what string, into any) error {
	if err := json.Unmarshal(b, into, jsonOptions); err != nil {
		return fmt.Errorf("decode %s: %d bytes are not what was written", what, len(b))
	}
	return nil
}

// pack gives what is stored of a fingerprint: the body, the last turn's hash
// (which covers the turns before it) and how many turns there are.
func (f *Fingerprint) pack() []byte {
	b := make([]byte, 0, len(f.Body)+16+3)
	b = append(b, f.Body[:]...)
	if n := len(f.Turns); n > 0 {
		b = append(b, f.Turns[n-1][:]...)
	}
	return binary.AppendUvarint(b, uint64(len(f.Turns)))
}

// compare says what f is to the stored fingerprint: Duplicate if it is the same,
// Revised if its turns begin with the stored ones, "" if it is something else.
// A bare rating is not the beginning of anything.
func (f *Fingerprint) compare(stored []byte) Status {
	if len(stored) <= len(f.Body) {
		return ""
	}
	body, rest := stored[:len(f.Body)], stored[len(f.Body):]
	var last [16]byte
	if len(rest) > len(last) {
		rest = rest[copy(last[:], rest):]
	}
	turns, _ := binary.Uvarint(rest)
	n := uint64(len(f.Turns))
	same := turns <= n && (turns == 0 || f.Turns[turns-1] == last)
	switch {
	case same && turns == n && string(body) == string(f.Body[:]):
		return Duplicate
	case same && turns > 0 && turns < n:
		return Revised
	}
	return ""
}
