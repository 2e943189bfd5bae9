package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeArray(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     []string // one an item, or the error of the whole
	}{
		{"empty", ` [ ] `, nil},
		{"neighbours", `[{"text":"a, ] }\" b"}, 5,{"text":"a","text":"b"},{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `},null,{"text":"z"}]`,
			[]string{"<nil>", "invalid :wrong_type", "malformed /text:duplicate_name", "malformed :too_deep", "invalid :wrong_type", "<nil>"}},
		{"syntax in an item", `[{"text":"a"},{"text":},{"text":"b"}]`, []string{"malformed /1:syntax"}},
		{"two values in an item", `[{"text":"a"},{"text":"a"} {}]`, []string{"malformed /1:syntax"}},
		{"brackets crossed", `[{"text":"a"],{"text":"b"}]`, []string{"malformed /0:syntax"}},
		{"cut short", `[{"text":"a"},{"te`, []string{"malformed /1:syntax"}},
		{"not closed", `[{"text":"a"}`, []string{"malformed :syntax"}},
		{"trailing comma", `[{"text":"a"},]`, []string{"malformed :syntax"}},
		{"comma only", `[,]`, []string{"malformed :syntax"}},
		{"trailing", `[] []`, []string{"malformed :syntax"}},
		{"too many", `[{},{},{},{},{},{},{}]`, []string{"invalid :too_many"}},
	} {
		items, err := DecodeArray([]byte(test.in), 6)
		var got []string
		for _, item := range items {
			got = append(got, told(item.Err))
		}
		if err != nil {
			got = []string{told(err)}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	exact := strings.Repeat("y", 100_000)
	in := "\ufeff{1}\r\n\n  \r\n" + long + "\n{5}\n" + exact + "\n" + exact + "\r\n" + exact + "z\n\t{9} \n" + long + "\nlast"
	want := []string{"1 {1}", "4 too_large", "5 {5}", "6 " + exact, "7 " + exact, "8 too_large", "9 {9}", "10 too_large", "11 last"}
	if diff := cmp.Diff(want, readAll(strings.NewReader(in), 100_000)); diff != "" {
		t.Errorf("(-want +got)\n%.2000s", diff)
	}
	if got := readAll(strings.NewReader(""), 10); got != nil {
		t.Errorf("of nothing: got %q", got)
	}
}

func TestLinesDropWhatBroke(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("{1}\n{2"), errReader{})
	if diff := cmp.Diff([]string{"1 {1}", "2 broke"}, readAll(broken, 100)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broke") }

func readAll(r io.Reader, limit int) []string {
	var got []string
	for line, err := range Lines(r, limit) {
		switch {
		case err != nil && told(err) == "too_large":
			got = append(got, fmt.Sprintf("%d too_large", line.Number))
		case err != nil:
			got = append(got, fmt.Sprintf("%d %v", line.Number, err))
		default:
			got = append(got, fmt.Sprintf("%d %s", line.Number, line.Data))
		}
	}
	return got
}
