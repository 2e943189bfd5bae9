package webhook

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/earshot-cx/earshot"
)

func TestNotPublic(t *testing.T) {
	for _, tt := range []struct{ kind, addrs string }{
		{"", "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 198.20.0.1 223.255.255.255 168.63.129.17"},
		{"", "2606:4700::1111 2001:200::1 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1"},
		{"an unspecified address", "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"},
		{"a loopback address", "127.0.0.1 127.255.0.9 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"},
		{"a private address", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fdff::1 fd00:ec2::254 ::ffff:10.1.2.3 64:ff9b::a00:1"},
		{"a link-local address", "169.254.169.254 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.169.254"},
		{"a carrier's private address", "100.64.0.1 100.100.100.200 100.127.255.255"},
		{"a multicast address", "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"},
		{"a documentation address", "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1"},
		{"a benchmark address", "198.18.0.1 198.19.255.255"},
		{"a cloud's own address", "168.63.129.16"},
		{"a reserved address", "192.0.0.192 192.88.99.1 240.0.0.1 255.255.255.255 ::7f00:1 64:ff9b:1::1 100::1 fec0::1 2001::1 5f00::1 4000::1"},
	} {
		for a := range strings.FieldsSeq(tt.addrs) {
			if got := notPublic(netip.MustParseAddr(a)); got != tt.kind {
				t.Errorf("notPublic(%s) = %q, want %q", a, got, tt.kind)
			}
		}
	}
}

func TestControl(t *testing.T) {
	for address, want := range map[string]string{
		"8.8.8.8:443":              "",
		"[2606:4700::1111]:443":    "",
		"10.0.0.1:80":              "target_not_allowed: 10.0.0.1 is a private address",
		"[::ffff:127.0.0.1]:80":    "target_not_allowed: ::ffff:127.0.0.1 is a loopback address",
		"[64:ff9b::7f00:1]:80":     "target_not_allowed: 64:ff9b::7f00:1 is a loopback address",
		"[fe80::1%lo]:80":          "target_not_allowed: fe80::1%lo is a link-local address",
		"/var/run/docker.sock":     "target_not_allowed: the target is no internet address",
		"metadata.google.internal": "target_not_allowed: the target is no internet address",
	} {
		got := ""
		if err := control("tcp", address, nil); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("control(%s) = %q, want %q", address, got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	long := "https://example.com/" + strings.Repeat("a", maxURL)
	for _, tt := range []struct {
		url          string
		code, ifOpen earshot.Code // what comes of it; with allowPrivate
	}{
		{"https://example.com", "", ""},
		{"http://example.com:8080/hook?key=1", "", ""},
		{"HTTPS://Example.COM./hook", "", ""},
		{"https://xn--r8jz45g.jp/", "", ""},
		{"https://my_host.example.com/", "", ""},
		{"https://8.8.8.8/hook", "", ""},
		{"https://[2606:4700::1111]:443/", "", ""},
		{long[:maxURL], "", ""},

		{"http://127.0.0.1/", earshot.TargetNotAllowed, ""},
		{"http://127.0.0.1.:8080/", earshot.TargetNotAllowed, ""},
		{"http://[::1]:9/", earshot.TargetNotAllowed, ""},
		{"http://[::ffff:127.0.0.1]/", earshot.TargetNotAllowed, ""},
		{"http://[64:ff9b::a00:1]/", earshot.TargetNotAllowed, ""},
		{"http://[fe80::1%25eth0]/", earshot.TargetNotAllowed, ""},
		{"http://169.254.169.254/latest/meta-data", earshot.TargetNotAllowed, ""},
		{"http://localhost:3000/", earshot.TargetNotAllowed, ""},
		{"http://LOCALHOST./", earshot.TargetNotAllowed, ""},
		{"http://a.localhost/", earshot.TargetNotAllowed, ""},
		{"http://printer.local/", earshot.TargetNotAllowed, ""},
		{"http://metadata.google.internal/", earshot.TargetNotAllowed, ""},

		{"", earshot.Invalid, earshot.Invalid},
		{long, earshot.Invalid, earshot.Invalid},
		{"example.com/hook", earshot.Invalid, earshot.Invalid},
		{"ftp://example.com/", earshot.Invalid, earshot.Invalid},
		{"file:///etc/passwd", earshot.Invalid, earshot.Invalid},
		{"https:example.com", earshot.Invalid, earshot.Invalid},
		{"https:///hook", earshot.Invalid, earshot.Invalid},
		{"https://:443/", earshot.Invalid, earshot.Invalid},
		{"https://me:secret@example.com/", earshot.Invalid, earshot.Invalid},
		{"https://@example.com/", earshot.Invalid, earshot.Invalid},
		{"https://example.com/#top", earshot.Invalid, earshot.Invalid},
		{"https://example.com/#", earshot.Invalid, earshot.Invalid},
		{"https://example.com:/", earshot.Invalid, earshot.Invalid},
		{"https://example.com:0/", earshot.Invalid, earshot.Invalid},
		{"https://example.com:65536/", earshot.Invalid, earshot.Invalid},
		{"https://example.com:http/", earshot.Invalid, earshot.Invalid},
		{"https://a..b/", earshot.Invalid, earshot.Invalid},
		{"https://例え.jp/", earshot.Invalid, earshot.Invalid},
		{"https://127。0。0。1/", earshot.Invalid, earshot.Invalid},
		{"http://127.1/", earshot.Invalid, earshot.Invalid},
		{"http://2130706433/", earshot.Invalid, earshot.Invalid},
		{"http://0x7f000001/", earshot.Invalid, earshot.Invalid},
		{"http://0177.0.0.1/", earshot.Invalid, earshot.Invalid},
		{"http://exa mple.com/", earshot.Invalid, earshot.Invalid},
		{"http://example.com/\x00", earshot.Invalid, earshot.Invalid},
		{"http://\xff.com/", earshot.Invalid, earshot.Invalid},
	} {
		for allow, want := range map[bool]earshot.Code{false: tt.code, true: tt.ifOpen} {
			err := CheckURL(tt.url, allow)
			if got := earshot.CodeOf(err); got != want {
				t.Errorf("CheckURL(%q, %v) = %v, want code %q", tt.url, allow, err, want)
			}
			if e, ok := errors.AsType[*earshot.Error](err); ok && e.Code == earshot.Invalid && (len(e.Fields) != 1 || e.Fields[0].Pointer != "/url") {
				t.Errorf("CheckURL(%q, %v): fields %v, want one at /url", tt.url, allow, e.Fields)
			}
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://example.com", "http://[::1]:80/?a#b", "http://user@127.1:0/", "http://8.8.8.8./"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if CheckURL(raw, false) != nil {
			return
		}
		if err := CheckURL(raw, true); err != nil {
			t.Errorf("CheckURL(%q) refuses more when private targets are allowed: %v", raw, err)
		}
		r, err := http.NewRequest(http.MethodPost, raw, nil)
		if err != nil {
			t.Fatalf("CheckURL(%q) accepts what cannot be requested: %v", raw, err)
		}
		if a, err := netip.ParseAddr(r.URL.Hostname()); err == nil && notPublic(a) != "" {
			t.Errorf("CheckURL(%q) accepts %s", raw, notPublic(a))
		}
	})
}
