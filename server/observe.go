package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/oklog/ulid/v2"
)

// Names under which observe and authenticate leave what the log tells.
const (
	requestIDKey = "request_id"
	tenantKey    = "tenant"
)

// observe is around every request: its id, its headers, its deadline, its line
// in the log and its panic.
func (s *Server) observe(c *gin.Context) {
	begun := time.Now()
	id := c.GetHeader("X-Request-Id")
	if !saneID(id) {
		id = ulid.MustNew(ulid.Timestamp(begun), rand.Reader).String()
	}
	c.Set(requestIDKey, id)
	h := c.Writer.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	// Not every ResponseWriter has deadlines; over one that has none, none is needed.
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(begun.Add(maxWait + s.limits.IdleTimeout))
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			s.log.Error("panic", "request_id", id, "route", c.FullPath(), "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				s.fail(c, errPanic)
			}
		}
		level := slog.LevelDebug
		if c.Writer.Status() >= 400 {
			level = slog.LevelInfo
		}
		s.log.LogAttrs(c.Request.Context(), level, "request", slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
			slog.Int("status", c.Writer.Status()), slog.Float64("ms", float64(time.Since(begun).Microseconds())/1000),
			slog.String(tenantKey, c.GetString(tenantKey)), slog.String(requestIDKey, id))
	}()
	c.Next()
}

// saneID says whether a request id that a client chose may be shown and logged.
func saneID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}
