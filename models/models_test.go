package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// TestManifest: each data file is the one that MANIFEST.json describes.
func TestManifest(t *testing.T) {
	data, err := os.ReadFile("MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct{ File, Name, Version, SHA256, Licence, Source string }
	if err := json.Unmarshal(data, &entries); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"han.txt": Han, "zh.txt": Chinese, "th.txt": Thai, "usual.txt": Usual}
	for _, e := range entries {
		text, ok := files[e.File]
		if !ok {
			continue
		}
		delete(files, e.File)
		sum := sha256.Sum256([]byte(text))
		if got := hex.EncodeToString(sum[:]); got != e.SHA256 {
			t.Errorf("%s has SHA-256 %s, MANIFEST.json says %s", e.File, got, e.SHA256)
		}
		if e.Name == "" || e.Version == "" || e.Licence == "" || e.Source == "" {
			t.Errorf("%s: MANIFEST.json lacks name, version, licence or source", e.File)
		}
	}
	for f := range files {
		t.Errorf("%s is not in MANIFEST.json", f)
	}
}
