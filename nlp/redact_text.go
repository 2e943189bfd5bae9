package nlp

import (
	"bytes"
	"strings"
)

// links finds URLs that let whoever holds them in (a token in the query, a
// user name before the host) or that are a person's address (wa.me/…,
// line.me/ti/p/…). Other URLs stay, and their digits are no telephone numbers.
func (s *scan) links() {
	for i := 0; i+3 < len(s.b); i++ {
		if s.b[i] != ':' || s.b[i+1] != '/' || s.b[i+2] != '/' {
			continue
		}
		start := i
		for start > 0 && i-start < 10 && isAlpha(s.b[start-1]) {
			start--
		}
		if start == i || joins(s.at(start-1)) {
			continue
		}
		end := i + 3
		for end < len(s.b) && urlByte(s.b[end]) {
			end++
		}
		for end > i+3 && strings.IndexByte(".,;:!?)]}'", s.b[end-1]) >= 0 {
			end--
		}
		if end == i+3 || s.at(end) == blocked {
			s.block(i, end)
			i = end
			continue
		}
		if personalLink(s.b[i+3 : end]) {
			s.add(finding{start, end, piiURL, byFormat, string(s.b[start:end])})
		} else {
			s.block(start, end)
		}
		i = end
	}
}

func urlByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("\"<>\\^`{|}", c) < 0
}

// personalHosts are links to one person, by how they begin.
var personalHosts = []string{"wa.me/", "api.whatsapp.com/send", "line.me/ti/p/", "line.me/r/ti/p/", "u.wechat.com/", "t.me/+"}

// secretNames are the names of parameters that let their holder in or name a person.
var secretNames = []string{"token", "access_token", "id_token", "refresh_token", "auth", "key", "apikey", "api_key", "sig", "sign",
	"signature", "session", "sessionid", "session_id", "sid", "jwt", "otp", "password", "passwd", "pwd", "secret", "ticket", "code",
	"email", "phone", "mobile", "tel"}

// personalLink judges a URL without its scheme.
func personalLink(u []byte) bool {
	host := u
	if i := bytes.IndexAny(u, "/?#"); i >= 0 {
		host = u[:i]
	}
	if bytes.IndexByte(host, '@') >= 0 {
		return true
	}
	for _, h := range personalHosts {
		if len(u) > len(h) && bytes.EqualFold(u[:len(h)], []byte(h)) {
			return true
		}
	}
	_, query, _ := bytes.Cut(u, []byte("?"))
	for len(query) > 0 {
		i := bytes.IndexAny(query, "&;#")
		pair := query
		if i >= 0 {
			pair, query = query[:i], query[i+1:]
		} else {
			query = nil
		}
		k, v, _ := bytes.Cut(pair, []byte("="))
		if len(v) < 4 || len(k) > 16 {
			continue
		}
		for _, name := range secretNames {
			if len(k) == len(name) && hasFold(string(k), name) {
				return true
			}
		}
	}
	return false
}

// Longest parts of an address, RFC 5321.
const (
	maxLocal  = 64
	maxDomain = 253
)

// emails finds e-mail addresses. Both sides are read away from the "@" and end
// at the next one, so the time is linear whatever the text.
func (s *scan) emails() {
	for i := 0; i < len(s.b); i++ {
		if s.b[i] != '@' {
			continue
		}
		start := i
		for start > 0 && localByte(s.b[start-1]) {
			start--
		}
		for start < i && !joins(s.b[start]) { // "...anna@x.com": the dots are not hers
			start++
		}
		before := s.at(start - 1)
		if start == i || i-start > maxLocal || before == blocked || before == accented || before == '@' || s.b[i-1] == '.' {
			continue
		}
		end := s.domain(i + 1)
		if end == 0 {
			continue
		}
		s.add(finding{start, end, piiEmail, byChecksum, strings.ToLower(string(s.b[start:end]))})
		i = end - 1
	}
}

func localByte(c byte) bool {
	return isDigit(c) || isAlpha(c) || strings.IndexByte("._%+-'&", c) >= 0
}

// domain gives the end of the domain that begins at i, 0 if there is none: the
// most labels of which the last is two letters or more.
func (s *scan) domain(i int) int {
	end, labels := 0, 0
	for at := i; ; {
		from, alpha := at, true
		for isDigit(s.at(at)) || isAlpha(s.at(at)) || s.at(at) == '-' {
			alpha = alpha && isAlpha(s.b[at])
			at++
		}
		if at == from || at-i > maxDomain {
			return end
		}
		labels++
		next := s.at(at)
		if labels > 1 && alpha && at-from >= 2 && next != '@' && next != blocked && next != accented && next != '_' {
			end = at
		}
		if next != '.' {
			return end
		}
		at++
	}
}

// A handle is a way to write that a messenger's name follows.
type handle struct {
	text   string // lower case
	typ    piiType
	strong bool // an id follows, whatever it looks like
}

// handles begin like this; the longest comes first.
var handles = []handle{
	{"ไลน์ไอดี", piiLine, true}, {"ไลน์ id", piiLine, true}, {"ไลน์id", piiLine, true}, {"ไอดีไลน์", piiLine, true}, {"ไอดี ไลน์", piiLine, true},
	{"id ไลน์", piiLine, true}, {"idไลน์", piiLine, true}, {"แอดไลน์", piiLine, true}, {"แอด ไลน์", piiLine, true}, {"ทักไลน์", piiLine, true},
	{"ไลน์", piiLine, false}, {"ไอดี line", piiLine, true}, {"ไอดีline", piiLine, true}, {"แอด line", piiLine, true}, {"แอดline", piiLine, true},
	{"line id", piiLine, false}, {"line-id", piiLine, false}, {"lineid", piiLine, false}, {"id line", piiLine, false}, {"add line", piiLine, false}, {"my line", piiLine, false},
	{"加line", piiLine, true}, {"加 line", piiLine, true}, {"加我line", piiLine, true}, {"加賴", piiLine, true}, {"賴id", piiLine, true}, {"line帳號", piiLine, true},
	{"line:", piiLine, false},
	{"微信号码", piiWeChat, true}, {"微信號碼", piiWeChat, true}, {"微信号", piiWeChat, true}, {"微信號", piiWeChat, true}, {"微信id", piiWeChat, true},
	{"加微信", piiWeChat, true}, {"加我微信", piiWeChat, true}, {"加個微信", piiWeChat, true}, {"加个微信", piiWeChat, true}, {"我微信", piiWeChat, false}, {"我的微信", piiWeChat, false},
	{"薇信", piiWeChat, true}, {"加vx", piiWeChat, true}, {"加v", piiWeChat, false}, {"微信", piiWeChat, false},
	{"wechat id", piiWeChat, false}, {"wechatid", piiWeChat, false}, {"weixin", piiWeChat, false}, {"wechat", piiWeChat, false}, {"vx", piiWeChat, false},
}

// handlesBy holds the handles by their first byte.
var handlesBy = func() (by [256][]handle) {
	for _, h := range handles {
		by[h.text[0]] = append(by[h.text[0]], h)
	}
	return by
}()

// links in front of an id, after the messenger's name.
var handleFiller = []string{"id", "ไอดี", "คือ", "号码", "號碼", "号", "號", "帳號", "账号", "是", "为", "為", "我", "is"}

// handles finds LINE and WeChat ids by the words before them.
func (s *scan) handles() {
	for i := 0; i < len(s.b); i++ {
		if s.b[i] == blocked {
			continue
		}
		p := int(s.pos[i])
		list := handlesBy[s.text[p]|lowerBit(s.text[p])]
		if len(list) == 0 || isAlpha(s.text[p]) && joins(s.at(i-1)) {
			continue
		}
		for _, h := range list {
			if !hasFold(s.text[p:], h.text) {
				continue
			}
			if at := s.handle(i, p+len(h.text), h); at > 0 {
				i = at - 1
				break
			}
		}
	}
}

func lowerBit(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return 0x20
	}
	return 0
}

// handle reads the id after a handle that begins at s.b[i] and ends in the text
// at end; it gives where the id ends, 0 if there is none.
func (s *scan) handle(i, end int, h handle) int {
	for i < len(s.b) && int(s.pos[i]) < end {
		if s.b[i] == blocked {
			return 0
		}
		i++
	}
	if last := h.text[len(h.text)-1]; isAlpha(last) && isAlpha(s.at(i)) && !h.strong {
		return 0 // "wechatting"
	}
	strong := h.strong
	for limit := i + 16; i < limit && i < len(s.b); {
		switch s.b[i] {
		case ':', '=', '@', '~':
			strong = true
			i++
			continue
		case ' ', '-':
			i++
			continue
		}
		n := fillerAt(s.text[s.pos[i]:], handleFiller)
		if n == 0 {
			break
		}
		for to := int(s.pos[i]) + n; i < len(s.b) && int(s.pos[i]) < to; {
			i++
		}
	}
	start := i
	digits, marks := 0, 0
	for ; i < len(s.b) && i-start <= 20 && (isAlpha(s.b[i]) || isDigit(s.b[i]) || strings.IndexByte("._-", s.b[i]) >= 0); i++ {
		if isDigit(s.b[i]) {
			digits++
		} else if !isAlpha(s.b[i]) {
			marks++
		}
	}
	next := s.at(i)
	for i > start && !isDigit(s.b[i-1]) && !isAlpha(s.b[i-1]) {
		i--
		marks--
	}
	n := i - start
	least := 4
	if h.typ == piiWeChat {
		least = 6
	}
	switch {
	case n < least || n > 20 || next == blocked || next == accented || next == '\'' || next == '/' || next == '@':
		return 0
	case digits+marks == n: // a telephone number, or none of ours
		return 0
	case !strong && digits == 0 && marks <= 0:
		return 0 // "line item", "微信pay"
	}
	s.add(finding{start, i, h.typ, byContext, strings.ToLower(string(s.b[start:i]))})
	return i
}

// fillerAt gives the length of the filler word at the start of s, 0 if there is none.
func fillerAt(s string, words []string) int {
	for _, w := range words {
		if !hasFold(s, w) {
			continue
		}
		if c := w[len(w)-1]; isAlpha(c) && len(s) > len(w) && (isAlpha(s[len(w)]) || isDigit(s[len(w)])) {
			continue
		}
		return len(w)
	}
	return 0
}
