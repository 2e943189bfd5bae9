package earshot

import (
	"slices"
	"time"
)

// A Tenant is one customer of this installation. Nothing crosses from one to
// another; the key of a request decides which one it is.
type Tenant struct {
	ID        string    `json:"id"` // lower-case letters, digits, "-" and "_"; 1 to 64 of them
	CreatedAt time.Time `json:"created_at"`
}

// DefaultTenant is the one a first start makes.
const DefaultTenant = "default"

// ValidTenantID says whether id may name a tenant.
func ValidTenantID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return id[0] != '-' && id[0] != '_'
}

// A Key lets a client in. The secret itself is known to its holder alone; the
// store keeps Hash.
type Key struct {
	ID         string     // "k_" and a ULID
	Tenant     string     //
	Hash       [32]byte   // SHA-256 of the whole key
	Scopes     []string   // a subset of Scopes
	CreatedAt  time.Time  //
	ExpiresAt  *time.Time // nil: never
	LastUsedAt *time.Time // nil: not yet; may lag by a minute
	Root       bool       // the installation's first key: it may make tenants
}

// Scopes of a key, from the least to the most.
var Scopes = []string{"ingest", "read", "manage", "admin"}

// Allows says whether the key may do what needs scope. Admin may do everything.
func (k *Key) Allows(scope string) bool {
	return slices.Contains(k.Scopes, scope) || slices.Contains(k.Scopes, "admin")
}
