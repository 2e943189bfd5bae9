package webhook

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func TestNewSecret(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if !strings.HasPrefix(a, "whsec_") || err != nil || len(key) != secretBytes || a == b {
		t.Errorf("NewSecret() = %q and then %q, want whsec_ and other %d bytes each time", a, b, secretBytes)
	}
}

// The first signature was made with openssl:
//
//	printf 'msg_1.1700000000.{"a":1}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00010203…1617 -binary | base64
func TestSign(t *testing.T) {
	secret := "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" // 0, 1, 2 … 23
	const want = "v1,YOREwC5BRUvI4ezImQEgEteB7JbPr/Iy2YCZe049/5g="
	if got := Sign(secret, "msg_1", time.Unix(1700000000, 999), []byte(`{"a":1}`)); got != want {
		t.Errorf("Sign = %q, want %q", got, want)
	}
	for _, bad := range []string{"", "whsec_", "whsec_not base64"} {
		if got := Sign(bad, "msg_1", start, nil); got != "" {
			t.Errorf("Sign with the secret %q = %q, want none", bad, got)
		}
	}
}

func TestSignatureVerifies(t *testing.T) {
	secret, now := NewSecret(), time.Now()
	for _, body := range []string{"", `{"type":"test"}`, "ข้อความ 訊息\n\x00\xff"} {
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		h.Set("webhook-signature", Sign(secret, "msg_1", now, []byte(body)))
		verify(t, secret, h, []byte(body))
	}
}

// verify asks the library that receivers use.
func verify(t *testing.T, secret string, h http.Header, body []byte) {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify(body, h); err != nil {
		t.Errorf("signature %q of %s at %s: %v", h.Get("webhook-signature"), h.Get("webhook-id"), h.Get("webhook-timestamp"), err)
	}
}
