package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
)

const (
	defaultPage = 100
	maxPage     = 200
)

// A page of a list.
type page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next_cursor"`
}

// pageOf reads the parameters of a list: how many, and the place after which it goes on.
func (s *Server) pageOf(c *call, list string) (limit int, after string, err error) {
	f, err := queryOf(c)
	if err != nil {
		return 0, "", err
	}
	limit = f.int("limit", 1, maxPage, defaultPage)
	cursor := f.string("cursor")
	if err := f.err(); err != nil {
		return 0, "", err
	}
	after, err = s.cursors.open(cursor, list, c.tenant)
	return limit, after, err
}

type keyAnswer struct {
	ID         string     `json:"id"`
	Key        string     `json:"key,omitempty"` // once, when it is made
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func keyAnswerOf(k earshot.Key, plain string) keyAnswer {
	return keyAnswer{ID: k.ID, Key: plain, Scopes: k.Scopes, CreatedAt: k.CreatedAt.UTC(), ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt}
}

func (s *Server) listKeys(c *call) error {
	limit, after, err := s.pageOf(c, "keys")
	if err != nil {
		return err
	}
	keys, err := s.store.Keys(c.ctx(), c.tenant)
	if err != nil {
		return err
	}
	// Keys come oldest first and their ids sort by age, so a list goes on also where the key at its end was revoked.
	slices.SortFunc(keys, func(a, b earshot.Key) int { return strings.Compare(a.ID, b.ID) })
	answer := page[keyAnswer]{Items: []keyAnswer{}}
	for _, k := range keys {
		if k.ID <= after {
			continue
		}
		if len(answer.Items) == limit {
			answer.Next = s.cursors.seal(answer.Items[limit-1].ID, "keys", c.tenant)
			break
		}
		answer.Items = append(answer.Items, keyAnswerOf(k, ""))
	}
	return s.reply(c, http.StatusOK, answer)
}

func (s *Server) postKey(c *call) error {
	f, err := s.formOf(c)
	if err != nil {
		return err
	}
	now := s.now()
	scopes := f.some("scopes", earshot.Scopes)
	if len(scopes) == 0 && len(f.bad) == 0 {
		f.wrong("scopes", "required", "scopes are some of "+strings.Join(earshot.Scopes, ", "))
	}
	expires := f.time("expires_at", time.UTC)
	if !expires.IsZero() && !expires.After(now) {
		f.wrong("expires_at", "out_of_range", "expires_at is not in the future")
	}
	if err := f.err(); err != nil {
		return err
	}
	plain, key := engine.NewKey(now)
	key.Tenant, key.Scopes = c.tenant, scopes
	if !expires.IsZero() {
		expires = expires.UTC()
		key.ExpiresAt = &expires
	}
	if err := s.store.PutKey(c.ctx(), key); err != nil {
		return err
	}
	return s.reply(c, http.StatusCreated, keyAnswerOf(key, plain))
}

func (s *Server) deleteKey(c *call) error {
	id := c.Param("id")
	if err := s.store.RevokeKey(c.ctx(), c.tenant, id); err != nil {
		return err
	}
	s.keys.forgetID(id)
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) postTenant(c *call) error {
	if !c.key.Root {
		return earshot.Errorf(earshot.Forbidden, "tenants are made with the installation's first key")
	}
	f, err := s.formOf(c)
	if err != nil {
		return err
	}
	name := f.string("name")
	if !earshot.ValidTenantID(name) {
		f.wrong("name", "invalid", "name is 1 to 64 lower-case letters, digits, - and _, and begins with a letter or digit")
	}
	if err := f.err(); err != nil {
		return err
	}
	now := s.now()
	if err := s.store.PutTenant(c.ctx(), earshot.Tenant{ID: name, CreatedAt: now.UTC()}); err != nil {
		return err
	}
	plain, key := engine.NewKey(now)
	key.Tenant, key.Scopes = name, []string{"admin"}
	if err := s.store.PutKey(c.ctx(), key); err != nil {
		return err
	}
	return s.reply(c, http.StatusCreated, struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}{name, plain})
}

type deadLetter struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Verbatim *string   `json:"verbatim"`
	At       time.Time `json:"at"`
	FailedAt time.Time `json:"failed_at"`
	Attempts int       `json:"attempts"`
	Cause    string    `json:"cause"`
}

func (s *Server) deadLetters(c *call) error {
	limit, place, err := s.pageOf(c, "dead-letters")
	if err != nil {
		return err
	}
	after, _ := strconv.ParseInt(place, 10, 64) // ours, if it is not ""
	letters, err := s.store.DeadLetters(c.ctx(), c.tenant, after, limit+1)
	if err != nil {
		return err
	}
	answer := page[deadLetter]{Items: []deadLetter{}}
	for i, d := range letters {
		if i == limit {
			answer.Next = s.cursors.seal(strconv.FormatInt(letters[i-1].ID, 10), "dead-letters", c.tenant)
			break
		}
		l := deadLetter{ID: "d_" + strconv.FormatInt(d.ID, 10), Type: string(d.Type), At: d.At.UTC(), FailedAt: d.FailedAt.UTC(), Attempts: d.Attempts, Cause: d.Cause}
		if d.Verbatim != "" {
			l.Verbatim = &d.Verbatim
		}
		answer.Items = append(answer.Items, l)
	}
	return s.reply(c, http.StatusOK, answer)
}
