package ingest

import (
	"strconv"

	"github.com/earshot-cx/earshot"
)

// DecodeForm reads one flat JSON object that is all of data, as strictly as
// DecodeVerbatim reads a verbatim. A value is a string, float64, bool or
// []string; null is absent. Which names there may be is for the caller to say.
func DecodeForm(data []byte) (map[string]any, error) {
	form := map[string]any{}
	_, err := decode(data, func(d *decoder, _ *Draft) error {
		return d.object("", "the body", func(name string) error {
			name = d.clean(name)
			at := pointer("", name)
			if d.json.PeekKind() == '[' {
				list, err := d.strings(at)
				form[name] = list
				return err
			}
			value, err := d.scalar(at)
			if value != nil {
				form[name] = value
			}
			return err
		})
	})
	return form, err
}

func (d *decoder) strings(at string) ([]string, error) {
	if _, err := d.token(); err != nil {
		return nil, err
	}
	list := []string{}
	for i := 0; d.json.PeekKind() != ']'; i++ {
		var s string
		place := at + "/" + strconv.Itoa(i)
		if d.json.PeekKind() == 'n' {
			d.fault(earshot.FieldError{Pointer: place, Code: "wrong_type", Detail: "the element is not a string"})
		}
		if err := d.string(place, "the element", &s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	_, err := d.token()
	return list, err
}
