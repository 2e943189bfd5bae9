package querytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/earshot-cx/earshot"
)

// A Query is a query as a person types it and what it must find. It is read
// with Now and Location.
type Query struct {
	Text string
	Want func(*earshot.Record) bool
}

const queryCount = 400

// Queries are queries for Corpus(seed), the same for the same seed: words,
// phrases cut out of its texts, filters, and nests of these.
func Queries(seed uint64) []Query {
	r := rand.New(rand.NewPCG(seed, 2))
	g := &generator{r: r, corpus: Corpus(seed), cut: map[string][]cell{}}
	queries := make([]Query, 0, queryCount)
	for i := range queryCount {
		q := g.leaf()
		if i%2 == 1 {
			q = g.nest(3)
		}
		queries = append(queries, Query{Text: q.text, Want: q.want})
	}
	return queries
}

// A judged is a piece of a query. Compound pieces have to be put in parentheses.
type judged struct {
	text     string
	want     func(*earshot.Record) bool
	compound bool
}

func (j judged) operand() string {
	if j.compound {
		return "(" + j.text + ")"
	}
	return j.text
}

type generator struct {
	r      *rand.Rand
	corpus []*earshot.Record

	mu  sync.Mutex        // guards cut
	cut map[string][]cell // by text: every query looks at every text
}

func (g *generator) cells(text string) []cell {
	g.mu.Lock()
	defer g.mu.Unlock()
	cs, ok := g.cut[text]
	if !ok {
		cs = cells(text)
		g.cut[text] = cs
	}
	return cs
}

// nest joins pieces with AND, OR and NOT, at most depth deep.
func (g *generator) nest(depth int) judged {
	if depth == 0 || g.r.IntN(4) == 0 {
		return g.leaf()
	}
	a, b := g.nest(depth-1), g.nest(depth-1)
	switch g.r.IntN(5) {
	case 0:
		return judged{"NOT " + a.operand(), func(r *earshot.Record) bool { return !a.want(r) }, false}
	case 1:
		return judged{a.operand() + pick(g.r, []string{" -", " NOT "}) + b.operand(),
			func(r *earshot.Record) bool { return a.want(r) && !b.want(r) }, true}
	case 2:
		return judged{a.operand() + pick(g.r, []string{" ", " AND ", "　"}) + b.operand(),
			func(r *earshot.Record) bool { return a.want(r) && b.want(r) }, true}
	case 3: // AND binds tighter
		c := g.leaf()
		return judged{a.operand() + " OR " + b.operand() + " " + c.operand(),
			func(r *earshot.Record) bool { return a.want(r) || b.want(r) && c.want(r) }, true}
	}
	return judged{a.operand() + " OR " + b.operand(),
		func(r *earshot.Record) bool { return a.want(r) || b.want(r) }, true}
}

func (g *generator) leaf() judged {
	switch g.r.IntN(8) {
	case 0, 1, 2:
		return g.word()
	case 3, 4, 5:
		return g.phrase()
	case 6:
		return g.value()
	}
	return g.bounds()
}

// Words of which each is one word to any dictionary, or too short to be cut.
var (
	runs = []string{"退款", "客服", "发货", "發貨", "干洗", "乾洗", "皇后", "广州", "惠州", "审计", "会员", "會員", "发票", "發票", "快递", "快遞", "订单", "張單",
		"取消", "排队", "到账", "張小凡", "张小凡", "没到", "验证码", "驗證碼", "慢", "冇", "唔該", "閃退",
		"กิน", "ข้าว", "เงิน", "ร้าน", "บริการ", "พนักงาน", "สินค้า", "ช่าง", "ราคา", "น้ำ", "น้ํา", "มาก", "😡", "👍", "😂"}
	latin = []string{"refund", "app", "apple", "agent", "parcel", "price", "USB", "order", "phone", "ａｐｐ"}
	exact = []string{"10:30", "3.5", "35", "13:00", "1,200", "8812", "iphone15", "３", "120"} // numbers and names have no plural
)

// word is one unquoted word.
func (g *generator) word() judged {
	switch g.r.IntN(4) {
	case 0:
		w := pick(g.r, latin)
		stem := fold(w)
		return judged{text: pick(g.r, []string{w, strings.ToUpper(w), w + "s", w + "!"}), want: g.hasWord(func(sign string) bool {
			return strings.TrimSuffix(sign, "s") == stem
		})}
	case 1:
		w := pick(g.r, exact)
		want := fold(w)
		return judged{text: w, want: g.hasWord(func(sign string) bool { return sign == want })}
	}
	w := pick(g.r, runs)
	return judged{text: w, want: g.hasRun(w)}
}

// phrase is a quoted piece of a text of the corpus, of whole signs and words.
func (g *generator) phrase() judged {
	for {
		turns := pick(g.r, g.corpus).Verbatim.Turns
		if len(turns) == 0 {
			continue
		}
		text := pick(g.r, turns).Text
		cs := g.cells(text)
		from := g.r.IntN(len(cs))
		to := min(from+g.r.IntN(8), len(cs)-1)
		for from > 0 && cs[from].joined {
			from--
		}
		for to+1 < len(cs) && cs[to+1].joined {
			to++
		}
		piece := text[cs[from].start:cs[to].end]
		if strings.ContainsAny(piece, `"\`) {
			continue
		}
		quotes := [][2]string{{`"`, `"`}}
		if !strings.ContainsAny(piece, "“”") {
			quotes = append(quotes, [2]string{"“", "”"}, [2]string{"＂", "＂"})
		}
		if !strings.ContainsAny(piece, "「」") {
			quotes = append(quotes, [2]string{"「", "」"})
		}
		q := pick(g.r, quotes)
		return judged{text: q[0] + g.disguise(piece) + q[1], want: g.hasRun(piece)}
	}
}

// disguise writes a piece of text in another way that folding must see through.
func (g *generator) disguise(s string) string {
	switch g.r.IntN(6) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return wide(s)
	case 2:
		return strings.Map(func(r rune) rune {
			if to, ok := simplified[r]; ok {
				return to
			}
			return r
		}, s)
	case 3:
		return strings.ReplaceAll(strings.ReplaceAll(s, "ำ", "ํา"), " ", " \n")
	}
	return s
}

// value is a field with one of its values, or the presence of a field.
func (g *generator) value() judged {
	r := g.r
	is := func(text string, values func(*earshot.Record) []string, want ...string) judged {
		return judged{text: text, want: func(r *earshot.Record) bool {
			return slices.ContainsFunc(values(r), func(v string) bool { return slices.Contains(want, strings.ToLower(v)) })
		}}
	}
	one := func(name string, get func(*earshot.Record) string, list []string) judged {
		v := pick(r, list)
		shown := v
		if strings.ContainsRune(v, ' ') || r.IntN(3) == 0 {
			shown = `"` + v + `"`
		}
		if r.IntN(3) == 0 {
			shown = strings.ToUpper(shown)
		}
		return is(name+pick(r, []string{":", "："})+shown, func(rec *earshot.Record) []string { return []string{get(rec)} }, strings.ToLower(v))
	}
	own := func(rec *earshot.Record, name string) string { return fmt.Sprint(rec.Verbatim.Fields[name]) }
	has := func(name string, there func(*earshot.Record) bool) judged {
		return judged{text: "has:" + name, want: there}
	}
	lang := func(rec *earshot.Record) []string { return []string{rec.Analysis.Lang} }
	options := []func() judged{
		func() judged {
			return one("channel", func(r *earshot.Record) string { return r.Verbatim.Channel }, earshot.Channels)
		},
		func() judged {
			return one("source", func(r *earshot.Record) string { return r.Verbatim.Source }, sources)
		},
		func() judged {
			return one("author", func(r *earshot.Record) string { return r.Verbatim.Author }, authors)
		},
		func() judged {
			return one("customer", func(r *earshot.Record) string { return r.Verbatim.Customer }, []string{"c-1", "c-7", "c-99"})
		},
		func() judged {
			return one("external_id", func(r *earshot.Record) string { return r.Verbatim.ExternalID }, []string{"zd-1", "zd-20", "zd-299"})
		},
		func() judged {
			return one("conversation", func(r *earshot.Record) string { return r.Verbatim.Conversation }, []string{"conv/1", "conv/8"})
		},
		func() judged {
			return one("field.store", func(r *earshot.Record) string { return own(r, "store") }, stores)
		},
		func() judged {
			return one("field.gift", func(r *earshot.Record) string { return own(r, "gift") }, []string{"true", "false"})
		},
		func() judged {
			return one("field.amount", func(r *earshot.Record) string { return own(r, "amount") }, []string{"100", "12.5", "0.5"})
		},
		func() judged {
			return one("lang", func(r *earshot.Record) string { return r.Analysis.Lang }, langs[:5])
		},
		func() judged { return is("lang:zh", lang, "zh-hans", "zh-hant", "yue") },
		func() judged {
			return is("intent:refund", func(r *earshot.Record) (s []string) {
				for _, x := range r.Analysis.Intents {
					s = append(s, x.Label)
				}
				return s
			}, "refund")
		},
		func() judged {
			return is("emotion:anger", func(r *earshot.Record) (s []string) {
				for _, x := range r.Analysis.Emotions {
					s = append(s, x.Label)
				}
				return s
			}, "anger")
		},
		func() judged {
			return is("flag:churn", func(r *earshot.Record) []string { return r.Analysis.Flags }, "churn")
		},
		func() judged {
			return is("topic:account.login", func(r *earshot.Record) (s []string) {
				for _, x := range r.Analysis.Aspects {
					s = append(s, x.Topic)
				}
				return s
			}, "account.login")
		},
		func() judged {
			return is("issue:ISS-3", func(r *earshot.Record) (s []string) {
				for _, x := range r.Issues {
					s = append(s, x.ID)
				}
				return s
			}, "iss-3")
		},
		func() judged {
			return is("speaker:agent", func(r *earshot.Record) (s []string) {
				for _, x := range r.Verbatim.Turns {
					s = append(s, x.Speaker)
				}
				return s
			}, "agent")
		},
		func() judged {
			return has("effort", func(r *earshot.Record) bool { return r.Analysis.Effort != nil })
		},
		func() judged {
			return has("rating", func(r *earshot.Record) bool { return r.Verbatim.Rating != nil })
		},
		func() judged { return has("issue", func(r *earshot.Record) bool { return len(r.Issues) > 0 }) },
		func() judged {
			return has("customer", func(r *earshot.Record) bool { return r.Verbatim.Customer != "" })
		},
		func() judged {
			return has("field.store", func(r *earshot.Record) bool { return r.Verbatim.Fields["store"] != nil })
		},
	}
	return pick(r, options)()
}

// bounds is a range of numbers or of times.
func (g *generator) bounds() judged {
	number := func(text string, in func(float64) bool, get func(*earshot.Record) *float64) judged {
		return judged{text: text, want: func(r *earshot.Record) bool { x := get(r); return x != nil && in(*x) }}
	}
	said := func(text, from, to string) judged {
		a, _ := time.Parse(time.RFC3339, from)
		b, _ := time.Parse(time.RFC3339, to)
		return judged{text: text, want: func(r *earshot.Record) bool {
			at := r.Verbatim.At
			return (from == "" || !at.Before(a)) && (to == "" || at.Before(b))
		}}
	}
	sentiment := func(r *earshot.Record) *float64 {
		if r.Analysis.Sentiment == nil {
			return nil
		}
		return &r.Analysis.Sentiment.Score
	}
	effort := func(r *earshot.Record) *float64 {
		if r.Analysis.Effort == nil {
			return nil
		}
		return &r.Analysis.Effort.Score
	}
	rating := func(r *earshot.Record) *float64 {
		if r.Verbatim.Rating == nil {
			return nil
		}
		return &r.Verbatim.Rating.Value
	}
	amount := func(r *earshot.Record) *float64 {
		if x, ok := r.Verbatim.Fields["amount"].(float64); ok {
			return &x
		}
		return nil
	}
	return pick(g.r, []judged{
		number("sentiment:<-0.3", func(x float64) bool { return x < -0.3 }, sentiment),
		number("sentiment:>=0.25", func(x float64) bool { return x >= 0.25 }, sentiment),
		number("sentiment:-0.25..0.25", func(x float64) bool { return -0.25 <= x && x <= 0.25 }, sentiment),
		number("effort:>=0.5", func(x float64) bool { return x >= 0.5 }, effort),
		number("effort:<=0", func(x float64) bool { return x <= 0 }, effort),
		number("rating:1..3", func(x float64) bool { return 1 <= x && x <= 3 }, rating),
		number("rating:4..", func(x float64) bool { return x >= 4 }, rating),
		number("rating:..2", func(x float64) bool { return x <= 2 }, rating),
		number("rating:>1", func(x float64) bool { return x > 1 }, rating),
		number("rating:3", func(x float64) bool { return x == 3 }, rating),
		number("field.amount:>100", func(x float64) bool { return x > 100 }, amount),
		number("field.amount:10..20", func(x float64) bool { return 10 <= x && x <= 20 }, amount),
		said("at:2026-11-01..2026-11-07", "2026-11-01T00:00:00+07:00", "2026-11-08T00:00:00+07:00"),
		said("at:2026-11-10", "2026-11-10T00:00:00+07:00", "2026-11-11T00:00:00+07:00"),
		said("at:<2026-11-05", "", "2026-11-05T00:00:00+07:00"),
		said("at:<=2026-11-05", "", "2026-11-06T00:00:00+07:00"),
		said("at:>2026-11-15", "2026-11-16T00:00:00+07:00", ""),
		said("at:2026-11-15..", "2026-11-15T00:00:00+07:00", ""),
		said("at:2026-11-09T09:00:00+07:00..2026-11-12T09:00:00Z", "2026-11-09T02:00:00Z", "2026-11-12T09:00:00Z"),
		said("at:>-48h", "2026-11-18T03:30:00Z", ""),
		said("at:<-2w", "", "2026-11-06T03:30:00Z"),
	})
}

// hasWord judges by the Latin words and numbers of each turn.
func (g *generator) hasWord(is func(sign string) bool) func(*earshot.Record) bool {
	return func(r *earshot.Record) bool {
		for _, t := range r.Verbatim.Turns {
			if slices.ContainsFunc(g.cells(t.Text), func(c cell) bool { return c.word && is(c.sign) }) {
				return true
			}
		}
		return false
	}
}

// hasRun judges by whether a run of signs stands in one turn.
func (g *generator) hasRun(text string) func(*earshot.Record) bool {
	run := cells(text)
	return func(r *earshot.Record) bool {
		for _, t := range r.Verbatim.Turns {
			if stands(run, g.cells(t.Text)) {
				return true
			}
		}
		return false
	}
}
