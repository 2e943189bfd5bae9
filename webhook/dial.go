package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
)

// newTransport makes the way out. It makes a new connection for each attempt:
// messages are few, and so each is checked, and none fails because a receiver
// has closed an idle one. It uses no proxy: the check would see only the
// proxy's address.
func newTransport(o Options) *http.Transport {
	d := net.Dialer{Resolver: o.Resolver}
	if !o.AllowPrivate {
		d.Control = control
	}
	dial := o.Dial
	if dial == nil {
		dial = d.DialContext
	}
	return &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswer,
	}
}

// control is asked before each connection, with the address that the name has
// led to.
func control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &targetError{"the target is no internet address"}
	}
	if kind := notPublic(ap.Addr()); kind != "" {
		return &targetError{ap.Addr().String() + " is " + kind}
	}
	return nil
}

// A targetError says why a connection was not made.
type targetError struct{ why string }

func (e *targetError) Error() string { return "target_not_allowed: " + e.why }

// faultOf says why there was no answer, in words that hold nothing but the
// address. Its order matters: what has no time left often has other errors too.
func faultOf(ctx context.Context, err error) answer {
	if e, ok := errors.AsType[*targetError](err); ok {
		return answer{class: "target", reason: e.Error()}
	}
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || isTimeout(err) {
		return answer{class: "timeout", reason: "no answer within " + Timeout.String()}
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return answer{class: "dns", reason: "the name of the host was not found"}
		}
		return answer{class: "dns", reason: "the name of the host could not be looked up"}
	}
	if why := certificateFault(err); why != "" {
		return answer{class: "tls", reason: "the receiver's certificate " + why}
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return answer{class: "refused", reason: "connection refused"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return answer{class: "unreachable", reason: "the host cannot be reached"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return answer{class: "closed", reason: "connection closed before an answer"}
	}
	return answer{class: "protocol", reason: "no valid HTTP answer"}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// certificateFault completes "the receiver's certificate …"; "" if that is not
// what was wrong.
func certificateFault(err error) string {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return ""
	}
	if _, ok := errors.AsType[x509.HostnameError](e); ok {
		return "is for another host"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e); ok {
		return "is signed by an unknown authority"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](e); ok && e.Reason == x509.Expired {
		return "has expired or is not valid yet"
	}
	return "is not valid"
}
