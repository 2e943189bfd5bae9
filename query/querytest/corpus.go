package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
)

// Location is where a date of a query of Queries has its day, and Now is what its relative times count from.
var (
	Location = time.FixedZone("UTC+7", 7*60*60)
	Now      = time.Date(2026, 11, 20, 3, 30, 0, 0, time.UTC)
)

// sentences are what customers of the corpus say, by language. Whoever adds a
// Traditional character adds it to the table of fold.go; English words
// are such that an "s" at the end is a plural and nothing else is a form of another.
var sentences = map[string][]string{
	"zh-Hans": {
		"退款三天了还没到账，客服一直说再等等", "快递员态度很好，送货也快", "审计工作规定我看不懂，能不能说人话",
		"广州的门店排队排了一个小时", "惠州仓库发货太慢了", "会员积分怎么没到账？", "张小凡说他的订单被取消了",
		"等了3.5小时才修好", "等了35小时才修好", "干洗店把我的外套洗坏了", "发票抬头打错了，请重开发票",
		"客服说refund要三天", "APP闪退，验证码收不到😡", "他说“明天一定到”，结果又没到", "物流信息三天没更新了，急！！！",
		"价格比别家便宜，质量也不错👍", "打了３次电话都没人接", "登录不上，密码也改不了", "退款 什么时候到账",
	},
	"zh-Hant": {
		"退款三天了還沒到帳，客服一直說再等等", "乾洗店洗壞了我的外套", "店員幹什麼都慢吞吞", "請重開發票，抬頭打錯了",
		"皇后大道分店排隊排了一個小時", "排隊之後才說賣完了", "ＵＳＢ充電線一插就發燙", "充電寶很好用", "重新發貨了沒有",
		"快遞員態度很好，送貨也快", "會員點數怎麼不見了？", "登入不了，驗證碼收不到", "「明天一定到」說了三次😤", "訂單被取消了，也沒有人通知",
	},
	"yue": {
		"乾洗店洗壞咗我件外套", "等咗成個鐘都未有人理", "客服話即日退款，而家都未收到", "呢間舖頭啲服務好好，抵讚👍🏻",
		"個app成日閃退，唔該整返好佢", "佢哋話10:30到，結果下晝先嚟", "張單取消咗，錢都冇退返", "送貨好快，冇嘢好投訴",
	},
	"th": {
		"เขากำลังกินข้าว แต่พนักงานไม่มาเลย", "นัดช่าง 10:30 มาถึงบ่ายสอง", "นัดช่าง 13:00 มาตรงเวลา", "คืนเงินช้ามาก รอมา 3 อาทิตย์แล้ว",
		"โทรไป 3 รอบแล้ว app ก็ยังล็อกอินไม่ได้", "ส่งของเร็วดี พนักงานบริการดีมาก", "สินค้าไม่ตรงกับรูป ขอคืนเงินด้วย", "น้ํารั่วที่ร้าน ไม่มีใครมาดู",
		"น้ำดื่มไม่เย็น ร้านก็ร้อน", "รอนานมากกกก 😡😡", "แอปเด้งตลอด ใช้ไม่ได้เลย", "ราคา ๑๒๐ บาท แพงไป", "ทำไมต้องโทรหลายรอบ",
	},
	"en": {
		"My refund has not come after 3 weeks", "Two refunds and no answer. Why?", "The app keeps crashing on my phone", "I bought an apple and it was bad",
		"Your agents are polite, the delivery was quick 👍", "The parcel came at 10:30, not 13:00", "Don’t order here: the price is 1,200 and the parcel is late",
		"The agent said “wait 3.5 hours”", "USB cable gets hot", "Parcels get lost; nobody cares!!!", "I don't like the new app", "Great price, great app ❤️",
		"I can not log in and my order is gone", "Ｔｈｅ ｐｒｉｃｅ is wrong",
	},
	"mixed": {
		"order 8812 ยังไม่มา refund ด้วย", "客服 says refund is on the way, 但是没到", "แอป crash ทุกครั้งที่ login", "個app真係慢，agent話等refund",
		"the 快递 was late 但客服很好", "สั่ง iPhone15 ได้ apple juice 😂", "USB充电线坏了 need refund",
	},
}

var langs = []string{"zh-Hans", "zh-Hant", "yue", "th", "en", "mixed"}

const corpusSize = 300

// Corpus is a tenant's worth of records, the same for the same seed. Analyses
// are made up and say nothing about the texts.
func Corpus(seed uint64) []*earshot.Record {
	r := rand.New(rand.NewPCG(seed, 1))
	records := make([]*earshot.Record, corpusSize)
	for i := range records {
		records[i] = record(r, i)
	}
	return records
}

func record(r *rand.Rand, i int) *earshot.Record {
	lang := pick(r, langs)
	v := earshot.Verbatim{
		ID: fmt.Sprintf("v_%026d", i), Source: pick(r, sources), Channel: pick(r, earshot.Channels),
		At: Now.Add(-time.Duration(r.IntN(30*24*60)) * time.Minute), ReceivedAt: Now, Revision: 1,
	}
	if r.IntN(6) == 0 { // where ranges begin and end
		v.At = time.Date(2026, 11, 1+r.IntN(19), 0, 0, 0, 0, Location).UTC()
	}
	if r.IntN(3) > 0 {
		v.ExternalID = fmt.Sprintf("zd-%d", i)
		v.Customer = fmt.Sprintf("c-%d", r.IntN(20))
	}
	if r.IntN(3) == 0 {
		v.Author, v.Conversation = pick(r, authors), fmt.Sprintf("conv/%d", r.IntN(9))
	}
	if r.IntN(2) == 0 {
		v.Fields = map[string]any{"store": pick(r, stores), "amount": float64(r.IntN(400)) / 2, "gift": r.IntN(2) == 0}
	}
	if r.IntN(3) == 0 {
		v.Rating = &earshot.Rating{Value: float64(1 + r.IntN(5)), Scale: "csat"}
	}
	for range turnCount(r, v.Rating != nil) {
		v.Turns = append(v.Turns, earshot.Turn{Speaker: pick(r, earshot.Speakers), Text: text(r, lang)})
	}
	rec := &earshot.Record{Verbatim: v, Analysis: analysis(r, lang), Seq: uint64(i + 1)}
	for range r.IntN(3) {
		rec.Issues = append(rec.Issues, earshot.IssueRef{ID: fmt.Sprintf("ISS-%d", 1+r.IntN(12))})
	}
	return rec
}

// turnCount is mostly 1; a bare rating may have none.
func turnCount(r *rand.Rand, rated bool) int {
	switch n := r.IntN(10); {
	case n == 0 && rated:
		return 0
	case n < 7:
		return 1
	}
	return 2 + r.IntN(3)
}

// text is one to three sentences, with what senders do to a text.
func text(r *rand.Rand, lang string) string {
	said := make([]string, 1+r.IntN(3))
	for i := range said {
		said[i] = pick(r, sentences[lang])
	}
	s := strings.Join(said, pick(r, []string{" ", "\n", "  ", "。", " / ", ""}))
	switch r.IntN(8) {
	case 0:
		s = strings.ReplaceAll(s, "ำ", "ํา") // as some keyboards write it
	case 1:
		s = wide(s)
	case 2:
		s = strings.ToUpper(s)
	case 3:
		s = strings.ReplaceAll(s, " ", "\u200b ") // from a web page
	}
	return s
}

func analysis(r *rand.Rand, lang string) *earshot.Analysis {
	if lang == "mixed" {
		lang = pick(r, langs[:5])
	}
	a := &earshot.Analysis{Lang: lang}
	if r.IntN(5) > 0 {
		a.Sentiment = &earshot.Sentiment{Score: float64(r.IntN(201)-100) / 100}
	}
	if r.IntN(3) == 0 {
		a.Effort = &earshot.Effort{Score: float64(r.IntN(201)-100) / 100}
	}
	for range r.IntN(3) {
		a.Intents = append(a.Intents, earshot.Label{Label: pick(r, earshot.Intents), Probability: 0.9})
	}
	for range r.IntN(2) {
		a.Emotions = append(a.Emotions, earshot.Emotion{Label: pick(r, earshot.Emotions), Intensity: 0.5, Probability: 0.8})
	}
	for range r.IntN(2) {
		a.Flags = append(a.Flags, pick(r, earshot.Flags))
		a.Aspects = append(a.Aspects, earshot.Aspect{Topic: pick(r, topics)})
	}
	return a
}

var (
	sources = []string{"zendesk", "app-store", "NPS 2025", "微信"}
	stores  = []string{"BKK 3", "BKK-3", "旺角店", "ลาดพร้าว"}
	authors = []string{"nok_88", "小明", "Mary Ann"}
	topics  = []string{"delivery", "account.login", "refund"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
