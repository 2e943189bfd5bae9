package earshot

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/earshot-cx/earshot"

// layers is the house from the roof down: a package imports only from lines
// below its own. Subpackages stand beside their parent unless named here, and
// a parent may import its own.
var layers = [][]string{
	{"cmd/earshot"},
	{"server"},
	{"engine"},
	{"issues", "alert", "webhook", "llm", "index/opensearch", "store/postgres"},
	{"index", "series", "ingest"},
	{"store"},
	{"query", "nlp/train"},
	{"nlp"},
	{"."},
	{"lexicons", "models", "web"},
}

// generators run by hand and import nothing of ours.
var generators = []string{"models/gen"}

func TestLayers(t *testing.T) {
	for pkg, imports := range packages(t) {
		for _, imp := range imports {
			rel, ours := strings.CutPrefix(imp, module)
			rel = strings.TrimPrefix(rel, "/")
			if rel == "" {
				rel = "."
			}
			switch {
			case pkg == "." && isThirdParty(imp):
				t.Errorf("the root imports %s; it may import the standard library only", imp)
			case ours && slices.Contains(generators, pkg):
				t.Errorf("%s imports %s; a generator imports nothing of ours", pkg, imp)
			case ours && !isBelow(t, rel, pkg):
				t.Errorf("%s imports %s, which is not below it", pkg, rel)
			}
		}
	}
}

// packages gives what the Go files of each package import, tests left out.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(file))
		found[pkg] = slices.Clip(found[pkg])
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[pkg] = append(found[pkg], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isThirdParty(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return strings.Contains(first, ".")
}

func isBelow(t *testing.T, imported, pkg string) bool {
	return floor(t, imported) > floor(t, pkg) || strings.HasPrefix(pkg, imported+"/") || strings.HasPrefix(imported, pkg+"/")
}

// floor is the line of layers on which a package stands; a package that is not
// named stands on the line of its parent.
func floor(t *testing.T, pkg string) int {
	t.Helper()
	for p := pkg; ; p = path.Dir(p) {
		for i, line := range layers {
			if slices.Contains(line, p) {
				return i
			}
		}
		if !strings.Contains(p, "/") { // the parent of a top-level package is not the root
			t.Errorf("%s stands on no line of layers", pkg)
			return len(layers)
		}
	}
}
