package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeForm(t *testing.T) {
	form, err := DecodeForm([]byte(`{"q":"退款","limit":20,"partial":true,"facets":["a","b"],"none":null,"empty":[]}`))
	want := map[string]any{"q": "退款", "limit": 20.0, "partial": true, "facets": []string{"a", "b"}, "empty": []string{}}
	if diff := cmp.Diff(want, form); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	for in, want := range map[string]string{
		`{"a":{}}`:        "invalid /a:wrong_type",
		`{"a":[1,null]}`:  "invalid /a/0:wrong_type /a/1:wrong_type",
		`{"a":[[["x"]]]}`: "invalid /a/0:wrong_type",
		`{"a":1,"a":2}`:   "malformed /a:duplicate_name",
		`[]`:              "invalid :wrong_type",
		`{"a":["x"`:       "malformed :syntax",
		`{} {}`:           "malformed :trailing_data",
	} {
		_, err := DecodeForm([]byte(in))
		if got := told(err); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
