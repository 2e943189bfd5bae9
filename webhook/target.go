package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/earshot-cx/earshot"
)

// maxURL is how long the URL of a webhook may be, in bytes.
const maxURL = 2048

// special are the networks that are not the public internet, after the
// registries of special-purpose addresses (RFC 6890) and what stands behind the
// clouds' own services. For IPv6 only what lies in 2000::/3 is public at all;
// forms that carry an IPv4 address are judged by that one.
var special = []struct {
	net  netip.Prefix
	kind string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's private address"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's own address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmark address"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},

	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	{netip.MustParsePrefix("2001::/23"), "a reserved address"}, // Teredo is in it
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address"},
	{netip.MustParsePrefix("3fff::/20"), "a documentation address"},
}

var (
	public6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // the IPv4 address is the end
	sixTo4  = netip.MustParsePrefix("2002::/16")    // the IPv4 address follows
)

// notPublic says what kind of address a is if it is not one of the public
// internet; "" if it is.
func notPublic(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if b := a.As16(); nat64.Contains(a) {
		a = netip.AddrFrom4([4]byte(b[12:]))
	} else if sixTo4.Contains(a) {
		a = netip.AddrFrom4([4]byte(b[2:]))
	}
	for _, s := range special {
		if s.net.Contains(a) {
			return s.kind
		}
	}
	if a.Is6() && !public6.Contains(a) {
		return "a reserved address"
	}
	return ""
}

// CheckURL says whether a webhook may have this URL, as far as that can be told
// without looking up its host: TargetNotAllowed for one that names a place
// that is not public, Invalid for other faults.
func CheckURL(raw string, allowPrivate bool) error {
	if len(raw) > maxURL {
		return invalidURL(earshot.FieldError{Code: "too_long", Detail: "the URL is longer than 2048 bytes", Limit: maxURL})
	}
	u, err := url.Parse(raw)
	if err != nil {
		return invalidURL(earshot.FieldError{Code: "invalid_url", Detail: "this is not a URL"})
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	isAddr := err == nil
	var fault string
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		fault = "the URL must begin with https:// or http://"
	case host == "":
		fault = "the URL names no host"
	case u.User != nil:
		fault = "the URL holds a user name; the signature tells the receiver who is calling"
	case strings.Contains(raw, "#"):
		fault = "the URL holds a fragment (#), which is never sent"
	case !isPort(u):
		fault = "the port must be 1 to 65535"
	case !isAddr && !isName(host):
		fault = "the host is neither a name (other letters are written as xn--…) nor an address (IPv4 is four numbers)"
	}
	if fault != "" {
		return invalidURL(earshot.FieldError{Code: "invalid_url", Detail: fault})
	}
	if allowPrivate {
		return nil
	}
	if isAddr {
		if kind := notPublic(addr); kind != "" {
			return earshot.Errorf(earshot.TargetNotAllowed, "%s is %s", addr, kind)
		}
	} else if isLocalName(host) {
		return earshot.Errorf(earshot.TargetNotAllowed, "%s is a name of the local network", host)
	}
	return nil
}

func invalidURL(f earshot.FieldError) error {
	f.Pointer = "/url"
	return &earshot.Error{Code: earshot.Invalid, Message: "1 field is wrong", Fields: []earshot.FieldError{f}}
}

// isPort says whether u has a port one can connect to, or none.
func isPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// isName says whether host, in lower case and without a dot at its end, can be
// a name. One whose last label is a number cannot: resolvers read 127.1 and
// 0x7f000001 as addresses.
func isName(host string) bool {
	if len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

// isLocalName says whether host is a name that never leads to the internet.
func isLocalName(host string) bool {
	for _, n := range []string{"localhost", "local", "internal"} {
		if host == n || strings.HasSuffix(host, "."+n) {
			return true
		}
	}
	return false
}
