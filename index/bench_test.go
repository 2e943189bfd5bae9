package index_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/index/indextest"
	"github.com/earshot-cx/earshot/query"
)

// said makes records of about 200 bytes of text in three languages, over the last two months.
func said(n int) []*earshot.Record {
	r := rand.New(rand.NewPCG(1, 2))
	zh := []rune("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严")
	th := strings.Fields("พนักงาน บริการ ดีมาก สินค้า ไม่ตรง กับ รูป ขอ คืนเงิน ด้วย รอ นาน ส่งของ เร็ว แอป เด้ง ตลอด ใช้ไม่ได้ ราคา แพง ล็อกอิน ร้าน โทร ไป หลาย รอบ แล้ว ยัง ไม่ มา")
	en := strings.Fields("the my your refund has not come after three weeks two and no answer why app keeps crashing on phone bought an apple it was bad agents polite delivery quick parcel late price order gone log in account broken screen waited hours nobody cares support called again store service great love cheap slow")
	records := make([]*earshot.Record, n)
	for i := range records {
		var b strings.Builder
		switch i % 3 {
		case 0:
			for b.Len() < 200 {
				b.WriteRune(zh[int(float64(len(zh))*r.Float64()*r.Float64())])
				if r.IntN(12) == 0 {
					b.WriteString("，")
				}
			}
		case 1:
			for b.Len() < 200 {
				b.WriteString(th[r.IntN(len(th))])
			}
		case 2:
			for b.Len() < 200 {
				b.WriteString(en[r.IntN(len(en))] + " ")
				if r.IntN(9) == 0 {
					fmt.Fprintf(&b, "no%d ", r.IntN(5000))
				}
			}
		}
		rec := indextest.Record(fmt.Sprintf("v_%026d", i), b.String())
		rec.Verbatim.At = indextest.Day.Add(-time.Duration(r.IntN(59*24*3600)) * time.Second)
		rec.Verbatim.Channel = earshot.Channels[r.IntN(5)]
		rec.Verbatim.Customer = fmt.Sprint("c-", r.IntN(n))
		rec.Verbatim.ExternalID = fmt.Sprint("zd-", i)
		rec.Verbatim.Fields = map[string]any{"store": fmt.Sprint("s", r.IntN(50)), "amount": float64(r.IntN(1000))}
		rec.Analysis.Lang = []string{"zh-Hans", "th", "en"}[i%3]
		rec.Analysis.Sentiment = &earshot.Sentiment{Score: r.Float64()*2 - 1}
		rec.Analysis.Intents = []earshot.Label{{Label: earshot.Intents[r.IntN(14)]}, {Label: earshot.Intents[r.IntN(14)]}}
		rec.Analysis.Aspects = []earshot.Aspect{{Topic: "delivery"}}
		records[i] = rec
	}
	return records
}

func putAll(b *testing.B, ix index.Index, records []*earshot.Record, size int) {
	b.Helper()
	for i, part := range slices.Collect(slices.Chunk(records, size)) {
		if err := ix.Put(context.Background(), tenant, index.Batch{Put: part, Seq: uint64(i + 1)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	const n = 20_000
	records := said(n)
	for _, size := range []int{250, 500} {
		b.Run(fmt.Sprintf("%d-docs-of-200B-in-batches-of-%d", n, size), func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				ix := open(b, dir)
				begin := time.Now()
				putAll(b, ix, records, size)
				b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "docs/s")
				if err := ix.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "docs/s-with-close")
				b.ReportMetric(float64(diskUse(b, dir))/n, "B/doc")
				begin = time.Now()
				ix = open(b, dir)
				b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms-open")
				ix.Close()
			}
		})
	}
	b.Run("1-doc-of-200B", func(b *testing.B) {
		ix := open(b, b.TempDir())
		defer ix.Close()
		putAll(b, ix, records[:2000], 500)
		for i := 0; b.Loop(); i++ {
			if err := ix.Put(context.Background(), tenant, index.Batch{Put: records[i%n : i%n+1], Seq: uint64(i + 100)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func diskUse(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

func BenchmarkSearch(b *testing.B) {
	const n = 20_000
	ix := open(b, b.TempDir())
	defer ix.Close()
	putAll(b, ix, said(n), 250)
	half := 0.5
	for _, tt := range []struct {
		name string
		r    index.Request
	}{
		{"everything", index.Request{Limit: 20}},
		{"newest", index.Request{Limit: 20, Sort: index.ByAtDesc}},
		{"word-frequent", index.Request{Query: query.Word{Text: "refund"}, Limit: 20}},
		{"word-rare", index.Request{Query: query.Word{Text: "no4711"}, Limit: 20}},
		{"chinese-2", index.Request{Query: query.Word{Text: "我们"}, Limit: 20}},
		{"thai", index.Request{Query: query.Word{Text: "คืนเงิน"}, Limit: 20}},
		{"phrase-thai", index.Request{Query: query.Phrase{Text: "ขอคืนเงินด้วย"}, Limit: 20}},
		{"phrase-english", index.Request{Query: query.Phrase{Text: "refund has not"}, Limit: 20}},
		{"and-not", index.Request{Query: query.And{query.Word{Text: "refund"}, query.Word{Text: "late"}, query.Not{Node: query.Word{Text: "app"}}}, Limit: 20}},
		{"or", index.Request{Query: query.Or{query.Word{Text: "refund"}, query.Word{Text: "คืนเงิน"}, query.Word{Text: "退款"}}, Limit: 20}},
		{"range", index.Request{Query: query.Range{Name: "sentiment", Min: &half}, Limit: 20, Sort: index.BySentimentDesc}},
		{"word-facets", index.Request{Query: query.Word{Text: "refund"}, Limit: 20, Facets: []string{"channel", "lang", "intent", "field.store"}}},
		{"everything-facets", index.Request{Limit: 20, Facets: []string{"channel", "lang", "intent", "field.store"}}},
		{"week", index.Request{Limit: 20, From: indextest.Day.AddDate(0, 0, -7)}},
	} {
		b.Run(fmt.Sprintf("%d-docs-%s", n, tt.name), func(b *testing.B) {
			total := 0
			for b.Loop() {
				res, err := ix.Search(context.Background(), tenant, tt.r)
				if err != nil {
					b.Fatal(err)
				}
				total = res.Total
			}
			b.ReportMetric(float64(total), "hits")
		})
	}
}
