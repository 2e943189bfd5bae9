package issues

import (
	"fmt"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	for _, b := range archive(t, "groups.txt") {
		if !strings.Contains(b.name, "order numbers") {
			continue
		}
		d := newDesk(t)
		for i, line := range b.parts[""] {
			letter, text, _ := strings.Cut(line, " ")
			c := d.say(fmt.Sprint("person ", i), text)
			t.Log(letter, text, c.terms(), c.Issues)
			for _, i := range d.All() {
				t.Log("    ", i.ID(), i.Opened, d.Title(i))
			}
		}
	}
}
