package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// secretPrefix tells people and scanners of leaked secrets what the rest is.
const secretPrefix = "whsec_"

// secretBytes is the length of a secret; Standard Webhooks asks for 24 to 64.
const secretBytes = 32

// NewSecret makes a secret for a webhook: "whsec_" and random bytes in base64.
func NewSecret() string {
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// Sign gives the signature of a message sent at a time, "v1," and an HMAC-SHA256
// in base64. It is "" if secret is not of the kind that NewSecret makes.
func Sign(secret, id string, at time.Time, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
