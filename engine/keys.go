package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/earshot-cx/earshot"
)

// A key of ours is "esk_", an id of 26 characters, "_", a secret of 52 (32 random
// bytes) and 8 of CRC-32 over all before them, so that a mistyped or cut key is
// told from an unknown one without asking the store.
const (
	keyPrefix  = "esk_"
	idLen      = 26
	secretLen  = 52
	crcLen     = 8
	keyLen     = len(keyPrefix) + idLen + 1 + secretLen + crcLen
	minKeyLen  = 32
	maxKeyLen  = 256
	keyCharset = "0123456789abcdefghjkmnpqrstvwxyz"
)

var keyEncoding = base32.NewEncoding(keyCharset).WithPadding(base32.NoPadding)

// NewKey makes a key. plain is shown once and kept by its holder alone; key
// lacks only its tenant, scopes and expiry.
func NewKey(now time.Time) (plain string, key earshot.Key) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	id := newULID(now)
	plain = keyPrefix + strings.ToLower(id) + "_" + keyEncoding.EncodeToString(secret[:])
	plain += checksum(plain)
	return plain, keyFor(id, plain, now)
}

// KeyFor is the key for a plain one that was chosen elsewhere, as by EARSHOT_ADMIN_KEY.
func KeyFor(plain string, now time.Time) (earshot.Key, error) {
	if err := CheckKey(plain); err != nil {
		return earshot.Key{}, err
	}
	return keyFor(newULID(now), plain, now), nil
}

func keyFor(id, plain string, now time.Time) earshot.Key {
	return earshot.Key{ID: "k_" + id, Hash: HashKey(plain), CreatedAt: now.UTC()}
}

func newULID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// HashKey is what the store knows of a key.
func HashKey(plain string) [32]byte { return sha256.Sum256([]byte(plain)) }

// CheckKey says what is wrong with the form of a key. Any "esk_…" of 32
// characters or more will do; one of our own length must have its checksum.
func CheckKey(plain string) error {
	switch {
	case !strings.HasPrefix(plain, keyPrefix):
		return earshot.Errorf(earshot.Invalid, "a key begins with %s", keyPrefix)
	case len(plain) < minKeyLen || len(plain) > maxKeyLen:
		return earshot.Errorf(earshot.Invalid, "a key has %d to %d characters", minKeyLen, maxKeyLen)
	}
	for _, c := range []byte(plain) {
		if c <= ' ' || c > '~' {
			return earshot.Errorf(earshot.Invalid, "a key has no spaces and only ASCII characters")
		}
	}
	ours := len(plain) == keyLen && plain[len(keyPrefix)+idLen] == '_'
	if ours && checksum(plain[:keyLen-crcLen]) != plain[keyLen-crcLen:] {
		return earshot.Errorf(earshot.Invalid, "the key is mistyped or cut: its checksum is wrong")
	}
	return nil
}

func checksum(s string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s)))
}
