package index_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/index/indextest"
)

func TestBleve(t *testing.T) {
	indextest.Run(t, func(t *testing.T) index.Index { return open(t, t.TempDir()) })
}

// open opens an index that logs nothing. The caller closes it.
func open(t testing.TB, dir string) *index.Bleve {
	t.Helper()
	ix, err := index.Open(dir, indextest.Words{}, index.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return ix
}
