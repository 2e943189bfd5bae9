package earshot

import (
	"errors"
	"fmt"
)

// A Code says what kind of thing went wrong, for the caller. package server
// maps each to an HTTP status, in one table.
type Code string

// The codes of the wire contract.
const (
	Malformed            Code = "malformed"              // not JSON, a duplicate key, too deep
	MethodNotAllowed     Code = "method_not_allowed"     //
	TargetNotAllowed     Code = "target_not_allowed"     // a webhook may not go there
	QueryTimeout         Code = "query_timeout"          //
	Unauthenticated      Code = "unauthenticated"        // no key, or one we do not know
	Forbidden            Code = "forbidden"              // the key lacks the scope
	NotFound             Code = "not_found"              // also another tenant's thing
	Conflict             Code = "conflict"               // it exists and is different
	Stale                Code = "stale"                  // the version sent is an old one
	TooLarge             Code = "too_large"              //
	UnsupportedMediaType Code = "unsupported_media_type" //
	Invalid              Code = "invalid"                // well-formed, but a value is wrong
	QueryInvalid         Code = "query_invalid"          //
	QueryTooBroad        Code = "query_too_broad"        //
	RateLimited          Code = "rate_limited"           //
	Internal             Code = "internal"               // a fault of ours
	Unavailable          Code = "unavailable"            // shutting down, or a part is not ready
	PartialIndex         Code = "partial_index"          // the index is damaged or being rebuilt
	StorageFull          Code = "storage_full"           //
)

// An Error is one the caller is told about. Message and Fields never hold a
// secret or a customer's words. An error without a Code in its chain is ours:
// it is logged and answered as Internal.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // what is wrong where; may be empty
}

// A FieldError says what is wrong with one part of what was sent.
type FieldError struct {
	Pointer string `json:"pointer"`          // JSON pointer into what was sent; "" is the whole
	Code    string `json:"code"`             // "too_long", "unknown_field", …
	Detail  string `json:"detail"`           // a sentence for a person
	Limit   int    `json:"limit,omitempty"`  // the limit that was passed, where there is one
	Offset  *int   `json:"offset,omitempty"` // byte offset into a query
	Hint    string `json:"hint,omitempty"`   // what to write instead
}

func (e *Error) Error() string {
	if len(e.Fields) == 1 {
		return e.Message + ": " + e.Fields[0].Detail
	}
	return e.Message
}

// Errorf makes an Error with a code.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf gives the code of the first Error in err's chain; Internal if there is
// none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
