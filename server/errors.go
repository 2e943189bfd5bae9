package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/earshot-cx/earshot"
)

// statuses is the one table from codes to HTTP.
var statuses = map[earshot.Code]struct {
	status int
	title  string
}{
	earshot.Malformed:            {http.StatusBadRequest, "Malformed body"},
	earshot.Unauthenticated:      {http.StatusUnauthorized, "Not signed in"},
	earshot.Forbidden:            {http.StatusForbidden, "Not allowed"},
	earshot.NotFound:             {http.StatusNotFound, "Not found"},
	earshot.MethodNotAllowed:     {http.StatusMethodNotAllowed, "Method not allowed"},
	earshot.Conflict:             {http.StatusConflict, "Conflict"},
	earshot.Stale:                {http.StatusConflict, "Stale version"},
	earshot.TooLarge:             {http.StatusRequestEntityTooLarge, "Too large"},
	earshot.UnsupportedMediaType: {http.StatusUnsupportedMediaType, "Unsupported media type"},
	earshot.Invalid:              {http.StatusUnprocessableEntity, "Invalid request"},
	earshot.TargetNotAllowed:     {http.StatusUnprocessableEntity, "Target not allowed"},
	earshot.QueryInvalid:         {http.StatusUnprocessableEntity, "Invalid query"},
	earshot.QueryTooBroad:        {http.StatusUnprocessableEntity, "Query too broad"},
	earshot.RateLimited:          {http.StatusTooManyRequests, "Too many requests"},
	earshot.Internal:             {http.StatusInternalServerError, "Internal error"},
	earshot.Unavailable:          {http.StatusServiceUnavailable, "Unavailable"},
	earshot.QueryTimeout:         {http.StatusServiceUnavailable, "Query timed out"},
	earshot.PartialIndex:         {http.StatusServiceUnavailable, "Index incomplete"},
	earshot.StorageFull:          {http.StatusInsufficientStorage, "Storage full"},
}

// errPanic has no code: it is ours.
var errPanic = errors.New("panic")

// A Problem is an error as the contract gives it (RFC 9457).
type Problem struct {
	Type      string               `json:"type"`
	Title     string               `json:"title"`
	Status    int                  `json:"status"`
	Code      earshot.Code         `json:"code"`
	Detail    string               `json:"detail"`
	RequestID string               `json:"request_id,omitempty"`
	Errors    []earshot.FieldError `json:"errors,omitempty"`
}

// ProblemOf is what a caller is told of err. An error without a code is ours,
// and nothing of it is told.
func ProblemOf(err error, requestID string) Problem {
	e, ok := errors.AsType[*earshot.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = &earshot.Error{Code: earshot.Unavailable, Message: "the request took too long or was given up"}
	default:
		e = &earshot.Error{Code: earshot.Internal, Message: "internal error"}
	}
	st, ok := statuses[e.Code]
	if !ok {
		st = statuses[earshot.Internal]
	}
	return Problem{Type: "/problems/" + string(e.Code), Title: st.title, Status: st.status, Code: e.Code,
		Detail: e.Message, RequestID: requestID, Errors: e.Fields}
}

// problem is ProblemOf, logged when it is ours.
func (s *Server) problem(c *gin.Context, err error) Problem {
	p := ProblemOf(err, c.GetString(requestIDKey))
	if p.Status >= 500 && c.Request.Context().Err() == nil && !errors.Is(err, errPanic) {
		s.log.Error("request failed", "request_id", p.RequestID, "route", c.FullPath(), "code", p.Code, "err", err)
	}
	return p
}

// fail answers with a problem. After the answer has begun it can only be cut off.
func (s *Server) fail(c *gin.Context, err error) {
	p := s.problem(c, err)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	h := c.Writer.Header()
	switch p.Status {
	case http.StatusUnauthorized:
		challenge := `Bearer realm="earshot"`
		if c.GetHeader("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		h.Set("WWW-Authenticate", challenge)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	body, _ := json.Marshal(p) // strings and numbers
	h.Set("Content-Type", "application/problem+json")
	c.Writer.WriteHeader(p.Status)
	_, _ = c.Writer.Write(append(body, '\n')) // the client may be gone
}

// wrongParam is one wrong value of a query or body that is not a verbatim.
func wrongParam(name, code, detail string) error {
	return &earshot.Error{Code: earshot.Invalid, Message: "1 field is wrong",
		Fields: []earshot.FieldError{{Pointer: "/" + earshot.EscapePointer(name), Code: code, Detail: detail}}}
}
