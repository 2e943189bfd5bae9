package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
)

const (
	jsonType   = "application/json"
	ndjsonType = "application/x-ndjson"
)

// mediaType gives the type of the body if it is one of allowed.
func (c *call) mediaType(allowed ...string) (string, error) {
	media, params, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	charset := params["charset"]
	for _, a := range allowed {
		if err == nil && media == a && (charset == "" || strings.EqualFold(charset, "utf-8")) {
			return a, nil
		}
	}
	return "", earshot.Errorf(earshot.UnsupportedMediaType, "send Content-Type: %s", strings.Join(allowed, " or "))
}

// body gives the body, decompressed and unbounded. The second result is true
// when it is compressed, so that few bytes may become many.
func (s *Server) body(c *call) (io.Reader, bool, error) {
	switch strings.ToLower(c.GetHeader("Content-Encoding")) {
	case "", "identity":
		return c.Request.Body, false, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(c.Request.Body)
		if err != nil {
			return nil, false, earshot.Errorf(earshot.Malformed, "the body is not gzip")
		}
		return z, true, nil
	}
	return nil, false, earshot.Errorf(earshot.UnsupportedMediaType, "send Content-Encoding: gzip, or none")
}

// readBody reads the whole of a body that has at most limit bytes decompressed.
func (s *Server) readBody(c *call, limit int) ([]byte, error) {
	tooLarge := earshot.Errorf(earshot.TooLarge, "a body has at most %d bytes", limit)
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Now().Add(s.limits.IdleTimeout))
	defer rc.SetReadDeadline(time.Time{}) //nolint:errcheck // as above: a writer without deadlines needs none
	if c.Request.ContentLength > int64(limit) {
		s.discard(c, limit)
		return nil, tooLarge
	}
	r, _, err := s.body(c)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(int(min(max(c.Request.ContentLength, 0), 1<<20)) + bytes.MinRead)
	n, err := io.Copy(&b, io.LimitReader(r, int64(limit)+1))
	switch {
	case n > int64(limit):
		s.discard(c, limit)
		return nil, tooLarge
	case err != nil:
		return nil, brokenBody(err)
	}
	return b.Bytes(), nil
}

// discard reads on for a while after a body has proved too large: a client that
// is still sending would otherwise see a reset connection, not the answer.
func (s *Server) discard(c *call, limit int) {
	if c.GetHeader("Expect") == "" {
		_, _ = io.CopyN(io.Discard, c.Request.Body, 2*int64(limit))
	}
}

// brokenBody says what went wrong on the client's side of a body.
func brokenBody(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return earshot.Errorf(earshot.Malformed, "the body is not gzip")
	}
	if e, ok := errors.AsType[*earshot.Error](err); ok {
		return e
	}
	return earshot.Errorf(earshot.Malformed, "the body breaks off")
}

// errBomb ends a compressed stream that grows without bringing verbatims.
func errBomb(limit int) error {
	return earshot.Errorf(earshot.TooLarge, "more than %d bytes of the decompressed body were of no use", limit)
}

// A bombGuard reads a compressed stream of any length until limit bytes of it were of no use.
type bombGuard struct {
	r     io.Reader
	limit int
	waste int // bytes read that have not proved useful yet
}

func (g *bombGuard) Read(p []byte) (int, error) {
	if g.waste > g.limit {
		return 0, errBomb(g.limit)
	}
	n, err := g.r.Read(p)
	g.waste += n
	return n, err
}

// reply answers with JSON. "<" stays "<".
func (s *Server) reply(c *call, status int, value any) error {
	body, err := marshal(value)
	if err != nil {
		return fmt.Errorf("marshal answer: %w", err)
	}
	c.Writer.Header().Set("Content-Type", jsonType)
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body) // the client may be gone
	return nil
}

// marshal is json.Marshal without HTML escapes and with a newline at the end.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return b.Bytes(), err
}
