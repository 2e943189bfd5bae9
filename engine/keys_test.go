package engine

import (
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	plain, key := NewKey(now)
	if err := CheckKey(plain); err != nil || len(plain) != keyLen || key.Hash != HashKey(plain) || !strings.HasPrefix(key.ID, "k_") {
		t.Errorf("new key of %d characters, id %s: %v", len(plain), key.ID, err)
	}
	if other, _ := NewKey(now); other == plain {
		t.Error("two keys are the same")
	}
	mistyped := plain[:40] + strings.Map(func(r rune) rune {
		if r == 'a' {
			return 'b'
		}
		return 'a'
	}, plain[40:41]) + plain[41:]
	for _, test := range []struct {
		name, plain string
		ok          bool
	}{
		{"ours", plain, true},
		{"mistyped", mistyped, false},
		{"cut", plain[:20], false},
		{"chosen", "esk_" + strings.Repeat("x", 28), true},
		{"chosen, short", "esk_" + strings.Repeat("x", 27), false},
		{"other prefix", "key_" + strings.Repeat("x", 40), false},
		{"space", "esk_" + strings.Repeat("x", 27) + " x", false},
		{"endless", "esk_" + strings.Repeat("x", 300), false},
		{"none", "", false},
	} {
		if err := CheckKey(test.plain); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		} else if err != nil && len(test.plain) > 8 && strings.Contains(err.Error(), test.plain[4:]) {
			t.Errorf("%s: the error holds the key: %v", test.name, err)
		}
	}
	if _, err := KeyFor("esk_short", now); err == nil {
		t.Error("KeyFor took a short key")
	}
}
