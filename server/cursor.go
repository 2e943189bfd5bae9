package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/earshot-cx/earshot"
)

// cursors signs places in lists, so that a client can go on only where it was
// left, in the list it was reading. A cursor is base64url of a MAC of 16 bytes
// and the place; the MAC also covers the tenant and what the list was asked for.
type cursors struct {
	secret []byte
}

const macLen = 16

// seal makes the cursor for place; nil, which is null, for "".
func (k cursors) seal(place string, bound ...string) *string {
	if place == "" {
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(append(k.mac(place, bound), place...))
	return &s
}

// open gives the place of a cursor; "" for "".
func (k cursors) open(cursor string, bound ...string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil && len(b) > macLen && hmac.Equal(b[:macLen], k.mac(string(b[macLen:]), bound)) {
		return string(b[macLen:]), nil
	}
	return "", &earshot.Error{Code: earshot.QueryInvalid, Message: "invalid cursor", Fields: []earshot.FieldError{{Pointer: "/cursor", Code: "invalid_cursor",
		Detail: "this cursor was not given for this list", Hint: "leave cursor out to begin with the first page"}}}
}

func (k cursors) mac(place string, bound []string) []byte {
	h := hmac.New(sha256.New, k.secret)
	for _, s := range append([]string{place}, bound...) {
		var n [8]byte // lengths keep neighbours apart
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return h.Sum(nil)[:macLen]
}
