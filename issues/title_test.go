package issues

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestTitles: an issue is called by what its texts have in common, in their own
// words; see testdata/titles.txt.
func TestTitles(t *testing.T) {
	for _, b := range archive(t, "titles.txt", "in", "want") {
		t.Run(b.name, func(t *testing.T) {
			d := newDesk(t)
			var all []string
			var last *comment
			for i, text := range b.parts["in"] {
				c := d.say(fmt.Sprint("person ", i), text)
				all = append(all, text)
				if len(c.Issues) > 0 {
					last = c
				}
			}
			if last == nil {
				t.Fatal("nothing was placed")
			}
			d.pass(10 * time.Minute)
			i := d.Get(d.of(last)[0])
			d.title(i)
			titles, phrases := d.Titles(i)
			var wrong []string
			for _, want := range b.parts["want"] {
				if not, ok := strings.CutPrefix(want, "! "); ok {
					if strings.Contains(strings.ToLower(fmt.Sprint(phrases)), strings.ToLower(not)) {
						wrong = append(wrong, fmt.Sprintf("%q is in %q", not, phrases))
					}
					continue
				}
				ok := false
				for alternative := range strings.SplitSeq(want, " | ") {
					ok = ok || strings.Contains(strings.ToLower(d.Title(i)), strings.ToLower(alternative))
				}
				if !ok {
					wrong = append(wrong, fmt.Sprintf("the title is %q (of %q, phrases %q), want %q in it", d.Title(i), titles, phrases, want))
				}
			}
			for lang, list := range phrases {
				wrong = append(wrong, plain(list, all, lang)...)
			}
			report(t, wrong)
		})
	}
}

// plain says what is wrong with phrases whatever the texts are about.
func plain(phrases, texts []string, lang string) (wrong []string) {
	for k, p := range phrases {
		if strings.IndexFunc(p, unicode.IsLetter) < 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %q has no letter", lang, p))
		}
		if strings.ContainsAny(p, "[]") {
			wrong = append(wrong, fmt.Sprintf("%s: %q is a placeholder", lang, p))
		}
		if slices.ContainsFunc(phrases[:k], func(o string) bool { return strings.EqualFold(o, p) }) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is there twice", lang, p))
		}
		if !slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.Join(strings.Fields(t), " "), p) }) {
			wrong = append(wrong, fmt.Sprintf("%s: nobody said %q", lang, p))
		}
	}
	return wrong
}

// TestTitleOf: the language that most of an issue is in, or what a person named it.
func TestTitleOf(t *testing.T) {
	d := newDesk(t)
	d.say("a", "登录不了，更新完就这样")
	if title := d.Title(d.Get(1)); title == "" {
		t.Error("an issue that was not opened has no title")
	}
	d.say("b", "更新之后登录不了")
	d.say("c", "更新完登入唔到呀")
	i := d.Get(1)
	d.title(i)
	titles, _ := d.Titles(i)
	if len(titles) != 2 || titles["zh-Hans"] == "" || d.Title(i) != titles["zh-Hans"] {
		t.Errorf("title %q of %q", d.Title(i), titles)
	}
	name := "登录故障"
	if _, err := d.Command(1, &name, "", "k_1", d.now); err != nil || d.Title(i) != name {
		t.Errorf("named %q it is called %q, %v", name, d.Title(i), err)
	}
	none := ""
	if _, err := d.Command(1, &none, "", "k_1", d.now); err != nil || d.Title(i) != titles["zh-Hans"] {
		t.Errorf("with the name taken away it is called %q, %v", d.Title(i), err)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"登录", 3, "登"}, {"登录", 5, "登"}, {"登录", 2, ""}, {"", 0, ""}, {"é", 1, ""}, {"\x80\x80\x80", 2, ""}} {
		if got := cut(c.text, c.most); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
