package nlp

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/earshot-cx/earshot"
)

func TestRedact(t *testing.T) {
	r := newRedactor(t)
	for _, c := range readPairs(t, "testdata/redact.txt") {
		out, found := r.Redact([]string{c[0]})
		if out[0] != c[1] {
			t.Errorf("Redact(%q)\n got %q\nwant %q", c[0], out[0], c[1])
		}
		checkRedacted(t, r, []string{c[0]}, out, found)
	}
}

// readPairs reads blocks of two lines; "\u…" is unescaped.
func readPairs(t *testing.T, name string) [][2]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.Contains(line, `\u`) {
			if line, err = strconv.Unquote(`"` + line + `"`); err != nil {
				t.Fatal(err)
			}
		}
		lines = append(lines, line)
	}
	var pairs [][2]string
	for pair := range slices.Chunk(lines, 2) {
		pairs = append(pairs, [2]string{pair[0], pair[1]})
	}
	return pairs
}

// checkRedacted asserts what Redact promises of every result.
func checkRedacted(t *testing.T, r *Redactor, texts, out []string, found [][]earshot.Redaction) {
	t.Helper()
	if len(out) != len(texts) || len(found) != len(texts) {
		t.Fatalf("got %d texts and %d lists for %d texts", len(out), len(found), len(texts))
	}
	for i, text := range out {
		done := 0
		for _, f := range found[i] {
			if f.Start < done || f.End > len(text) || text[f.Start:f.End] != f.Placeholder {
				t.Fatalf("redaction %+v does not stand in %q", f, text)
			}
			if !slices.Contains(earshot.RedactionTypes, f.Type) || f.Confidence <= 0 || f.Confidence > 1 {
				t.Errorf("redaction %+v", f)
			}
			done = f.End
		}
		if len(found[i]) == 0 && text != texts[i] {
			t.Errorf("%q became %q without a redaction", texts[i], text)
		}
		if utf8.ValidString(texts[i]) && !utf8.ValidString(text) {
			t.Errorf("%q became invalid: %q", texts[i], text)
		}
	}
	again, more := r.Redact(out)
	if diff := cmp.Diff(out, again); diff != "" {
		t.Errorf("redacting %q twice changes it (-once +twice):\n%s", texts, diff)
	}
	for _, list := range more {
		if len(list) > 0 {
			t.Errorf("redacting %q twice finds %+v", texts, list)
		}
	}
}

func TestRedactTogether(t *testing.T) {
	r := newRedactor(t)
	texts := []string{"my phone is 081-234-5678", "nothing", "so 0812345678? or a@example.com", "[EMAIL_3] and b@example.com"}
	out, found := r.Redact(texts)
	want := []string{"my phone is [PHONE_1]", "nothing", "so [PHONE_1]? or [EMAIL_4]", "[EMAIL_3] and [EMAIL_5]"}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantFound := []earshot.Redaction{{Type: "PHONE", Placeholder: "[PHONE_1]", Start: 12, End: 21, Confidence: byFormat}}
	if diff := cmp.Diff(wantFound, found[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if found[1] != nil || texts[0] != "my phone is 081-234-5678" {
		t.Errorf("found %v in a text that holds nothing, or texts was changed", found[1])
	}
}

func TestRedactorOff(t *testing.T) {
	r, err := NewRedactor("PHONE", "URL")
	if err != nil {
		t.Fatal(err)
	}
	out, _ := r.Redact([]string{"call 0812345678 or a@example.com"})
	if want := "call 0812345678 or [EMAIL_1]"; out[0] != want {
		t.Errorf("got %q, want %q", out[0], want)
	}
	if _, err := NewRedactor("FAX"); earshot.CodeOf(err) != earshot.Invalid {
		t.Errorf("an unknown type: got %v, want an invalid error", err)
	}
	if diff := cmp.Diff(earshot.RedactionTypes, typeNames[:]); diff != "" {
		t.Errorf("typeNames are not earshot.RedactionTypes:\n%s", diff)
	}
}

// TestRedactQuality measures precision and recall on snippets made from
// templates of our own: what is personal in frames of five languages, and what
// only looks like it.
func TestRedactQuality(t *testing.T) {
	r := newRedactor(t)
	type tally struct{ hit, miss, wrong int }
	tallies := map[string]*tally{}
	of := func(typ string) *tally {
		if tallies[typ] == nil {
			tallies[typ] = new(tally)
		}
		return tallies[typ]
	}
	var bad []string
	rng := rand.New(rand.NewPCG(3, 7))
	for range 4000 {
		s := makeSnippet(rng)
		out, found := r.Redact([]string{s.text})
		var got []string
		for _, f := range found[0] {
			got = append(got, f.Type)
		}
		hit := s.want != "" && slices.Contains(got, s.want) && !strings.Contains(out[0], s.value)
		if s.want != "" && !hit {
			of(s.want).miss++
			bad = append(bad, fmt.Sprintf("%s missed: %s", s.want, s.text))
		}
		for _, typ := range got {
			if typ == s.want && hit {
				of(typ).hit++
				hit = false
			} else {
				of(typ).wrong++
				bad = append(bad, fmt.Sprintf("%s found: %s", typ, s.text))
			}
		}
	}
	for typ, c := range tallies {
		precision := float64(c.hit) / float64(max(1, c.hit+c.wrong))
		recall := float64(c.hit) / float64(max(1, c.hit+c.miss))
		t.Logf("%-12s %4d snippets, precision %.3f, recall %.3f", typ, c.hit+c.miss, precision, recall)
		if precision < 0.98 || recall < 0.98 {
			t.Errorf("%s: precision %.3f, recall %.3f; both should be 0.98 or more", typ, precision, recall)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(bad[:min(40, len(bad))], "\n"))
	}
}

// A snippet is a text and the one personal thing in it, or none.
type snippet struct{ text, want, value string }

func makeSnippet(rng *rand.Rand) snippet {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + rng.IntN(10))
		}
		return string(b)
	}
	frame := func(words ...string) string { return pick(words...) }
	anywhere := []string{"ช่วยด้วยค่ะ %s ขอบคุณ", "โทรมาที่%sนะคะ", "请打%s谢谢", "聯絡 %s，唔該", "電話：%s。", "please call %s asap", "(%s)", "Tel: %s, thanks", "เบอร์%s", "whatsapp %s"}
	switch rng.IntN(22) {
	case 0:
		v := pick("a", "nok", "chan.tai", "li_wei", "j-smith", "x9") + digits(rng.IntN(4)) + "@" + pick("example.com", "mail.example.co.th", "example.com.hk", "x-y.example.tw")
		return snippet{fmt.Sprintf(frame(anywhere...), v), "EMAIL", v}
	case 1, 2:
		d := pick("06", "08", "09") + digits(8)
		v := pick(d, d[:3]+"-"+d[3:6]+"-"+d[6:], d[:3]+" "+d[3:6]+" "+d[6:], d[:3]+"-"+d[3:], "+66"+d[1:], "+66 "+d[1:3]+" "+d[3:6]+" "+d[6:], d[:2]+"-"+d[2:6]+"-"+d[6:])
		return snippet{fmt.Sprintf(frame(anywhere...), v), "PHONE", v}
	case 3, 4:
		d := "1" + pick("3", "5", "7", "8", "9") + digits(9)
		v := pick(d, d[:3]+" "+d[3:7]+" "+d[7:], d[:3]+"-"+d[3:7]+"-"+d[7:], "+86"+d, "+86 "+d, "86-"+d)
		return snippet{fmt.Sprintf(frame(append(anywhere, "%s", "我是%s的机主", "收件人%s没收到")...), v), "PHONE", v}
	case 5:
		d := pick("2", "3", "5", "6", "9") + digits(7)
		v := pick(d[:4]+" "+d[4:], d, "+852 "+d[:4]+" "+d[4:], "+852"+d, "852-"+d)
		return snippet{fmt.Sprintf(frame("打畀我 %s", "電話 %s 搵我", "whatsapp %s pls", "致電%s", "call %s la", "手機號碼係%s"), v), "PHONE", v}
	case 6:
		d := "09" + digits(8)
		v := pick(d, d[:4]+"-"+d[4:7]+"-"+d[7:], d[:4]+"-"+d[4:], d[:4]+" "+d[4:7]+" "+d[7:], "+886 "+d[1:4]+" "+d[4:7]+" "+d[7:], "+886"+d[1:])
		return snippet{fmt.Sprintf(frame(anywhere...), v), "PHONE", v}
	case 7:
		a, x, l := pick("212", "415", "646"), pick("555", "234", "867"), digits(4)
		v := pick("("+a+") "+x+"-"+l, a+"-"+x+"-"+l, a+"."+x+"."+l, "+1 "+a+" "+x+" "+l, "1-"+a+"-"+x+"-"+l)
		return snippet{fmt.Sprintf(frame("call %s", "my cell is %s.", "reach me at %s, ok?", "text %s please"), v), "PHONE", v}
	case 8:
		d := digits(9)
		v := pick("07"+d, "07"+d[:3]+" "+d[3:], "+44 7"+d[:3]+" "+d[3:], "020 7946 "+d[:4])
		return snippet{fmt.Sprintf(frame("ring me on %s", "mobile: %s", "my number is %s"), v), "PHONE", v}
	case 9, 10:
		p, n := pick("4", "51", "55", "2221", "2720", "62", "3528", "6011", "37"), 16
		if p == "37" {
			n = 15
		}
		d := withLuhn(p + digits(n-1-len(p)))
		v := d[:4] + " " + d[4:8] + " " + d[8:12] + " " + d[12:]
		switch {
		case n == 15:
			v = pick(d, d[:4]+" "+d[4:10]+" "+d[10:])
		case p[0] != '2':
			v = pick(d, v, strings.ReplaceAll(v, " ", "-"))
		}
		return snippet{fmt.Sprintf(frame("บัตร %s โดนตัด", "我的卡%s被盗刷", "card %s was charged twice", "信用卡 %s 刷唔到", "%s"), v), "CARD", v}
	case 11:
		d := pick("1", "3", "5") + digits(11)
		for c := range byte(10) {
			if validThai([]byte(d + string('0'+c))) {
				d += string('0' + c)
				break
			}
		}
		v := pick(d, d[:1]+"-"+d[1:5]+"-"+d[5:10]+"-"+d[10:12]+"-"+d[12:])
		return snippet{fmt.Sprintf(frame("เลขบัตรประชาชน %s ค่ะ", "บัตรประชาชน: %s", "ปชช %s"), v), "TH_ID", v}
	case 12:
		d := pick("110105", "440305", "310101") + fmt.Sprintf("%d%02d%02d", 1950+rng.IntN(55), 1+rng.IntN(12), 1+rng.IntN(28)) + digits(3)
		for _, c := range []byte("0123456789X") {
			if validChinese([]byte(d), c) {
				d += string(c)
				break
			}
		}
		return snippet{fmt.Sprintf(frame("身份证%s验证不通过", "证件号 %s", "%s", "ID %s"), d), "CN_ID", d}
	case 13:
		for {
			d := pick("A", "B", "F", "N", "T") + pick("1", "2") + digits(8)
			if validTaiwan(d) {
				return snippet{fmt.Sprintf(frame("身分證字號%s查不到", "身分證 %s", "我的身分證是%s"), d), "TW_ID", d}
			}
		}
	case 14:
		d := pick("A", "G", "Z", "R") + digits(6)
		v := d + pick("(", "（") + string(hongKongCheck(d)) + ")"
		return snippet{fmt.Sprintf(frame("身份證%s", "HKID %s", "id: %s"), v), "HK_ID", v}
	case 15:
		v := fmt.Sprintf("%d.%d.%d.%d", 1+rng.IntN(255), rng.IntN(256), rng.IntN(256), rng.IntN(256))
		return snippet{fmt.Sprintf(frame("blocked from %s", "我的IP是%s", "ip %s เข้าไม่ได้"), v), "IP", v}
	case 16:
		v := pick("nok", "som.chai", "ming") + digits(3)
		return snippet{fmt.Sprintf(frame("ไลน์ไอดี: %s", "line id %s", "加LINE %s", "แอดไลน์ %s ค่ะ"), v), "LINE_ID", v}
	case 17:
		v := pick("zhang", "wxid_", "lisi-") + digits(4)
		return snippet{fmt.Sprintf(frame("微信号 %s", "加微信%s", "加我微信：%s", "wechat id %s"), v), "WECHAT_ID", v}
	}
	// What is no one's: the rest.
	var v string
	switch rng.IntN(9) {
	case 0:
		v = fmt.Sprintf("%02d.%02d.25%d-%02d.%02d.25%d", rng.IntN(28)+1, rng.IntN(12)+1, 60+rng.IntN(9), rng.IntN(28)+1, rng.IntN(12)+1, 60+rng.IntN(9))
	case 1:
		v = fmt.Sprintf("17%s", digits(11)) // milliseconds
	case 2:
		h := fmt.Sprintf("%08x%08x%08x%08x", rng.Uint32(), rng.Uint32(), rng.Uint32(), rng.Uint32())
		v = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	case 3:
		v = pick("订单号", "order number ", "เลขพัสดุ ", "訂單編號：", "tracking no. ") + digits(8+rng.IntN(11))
	case 4:
		v = pick("฿", "$", "HK$", "NT$", "¥") + digits(1+rng.IntN(8)) + "." + digits(2)
	case 5:
		v = pick("TG", "MU", "CX", "BR") + digits(3) + " " + fmt.Sprintf("20%02d-%02d-%02d %02d:%02d:%02d", rng.IntN(30), rng.IntN(12)+1, rng.IntN(28)+1, rng.IntN(24), rng.IntN(60), rng.IntN(60))
	case 6:
		v = pick("SF", "EX", "LP", "JD") + digits(9+rng.IntN(5)) + pick("", "TH", "CN")
	case 7:
		v = digits(6) + " " + digits(2) + " " + digits(3) + pick(" บาท", "元", "%", " pcs")
	case 8:
		v = "20" + digits(6) + digits(8)
		v = "20" + "25" + "11" + "20" + v[8:]
	}
	return snippet{text: fmt.Sprintf(frame("%s ยังไม่ได้", "查%s", "for %s please", "%s", "點解%s仲未到"), v)}
}

func withLuhn(d string) string {
	for c := range byte(10) {
		if x := d + string('0'+c); luhn([]byte(x)) {
			return x
		}
	}
	return d
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"โทร 081-234-5678", "a@b.co a@a@a", "4111 1111 1111 1111-0812345678", "[PHONE_1]0812345678 +66812345678",
		"微信号：abcdef12，加LINE a_bc", "https://x.co/?token=12345 1.2.3.4", "(02) 123-4567 ไลน์ nok88", "A123456(3) 11010519491231002X"} {
		f.Add(s, "tel 91234567")
	}
	r := newRedactor(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		texts := []string{a, b}
		out, found := r.Redact(texts)
		checkRedacted(t, r, texts, out, found)
	})
}

// TestRedactMixtures is the fuzz test's law on texts glued from pieces that
// the rules care about, which bytes at random seldom are.
func TestRedactMixtures(t *testing.T) {
	r := newRedactor(t)
	pieces := []string{"0812345678", "081", "234", "5678", "-", " ", ".", "(", ")", "+", "66", "4111 1111 1111 1111", "1111", "@", "a", "x.com", "[PHONE_1]", "[CARD_",
		"2]", "微信号", "line id ", "ไลน์", "nok_88", ":", "//", "https", "?token=", "13800138000", "0", "1", "9123 4567", "order no ", "โทร", "电话", "A123456789",
		"A123456", "(3)", "11010519491231002", "X", "passport ", "บัญชี", "123-4-56789-0", "1.2.3.4", "#", "_", "，", "é", "\u200b", "๐๘", "\n", "wa.me/", "บาท", "[", "1-1017-00230-70-8"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range 1 + rng.IntN(9) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		texts := []string{b.String()}
		out, found := r.Redact(texts)
		checkRedacted(t, r, texts, out, found)
		if t.Failed() {
			return
		}
	}
}

func newRedactor(t testing.TB) *Redactor {
	t.Helper()
	r, err := NewRedactor()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func BenchmarkRedact(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"thai-plain-150B", "สั่งของไปตั้งนานแล้วยังไม่ได้รับเลยค่ะ ติดต่อร้านก็ไม่ตอบ"},
		{"english-plain-150B", "I have been waiting for my parcel since last week and nobody answers the chat, the app keeps crashing when I open the order page, please sort this out"},
		{"chinese-plain-150B", "下单以后一直没有发货，客服也不回复，打开应用就闪退，希望你们尽快处理一下，不然我就要投诉到平台了，真的很失望"},
		{"thai-phone-150B", "สั่งของไปแล้วยังไม่ได้รับ โทร 081-234-5678 หรือ nok@example.com"},
		{"english-phone-150B", "order 20251120 has not arrived, I paid 1,290.50 on 2025-11-20, call me on 081-234-5678 or mail anna.lee@example.com before 17:30 please, thanks a lot"},
		{"english-numbers-150B", "order 20251120 has not arrived, I paid 1,290.50 on 2025-11-20 at 10:30 for 2 items, waited 3 days, called 4 times and spoke to 5 people so far"},
		{"digits-1MB", strings.Repeat("1234567890", 100_000)},
		{"groups-1MB", strings.Repeat("12 ", 333_333)},
		{"at-1MB", strings.Repeat("@", 1_000_000)},
		{"a-at-1MB", strings.Repeat("a@", 500_000)},
		{"dashes-1MB", strings.Repeat("1-", 500_000)},
		{"vx-1MB", strings.Repeat("vx-", 333_333)},
		{"phones-1MB", strings.Repeat("0812345678 ", 90_000)},
		{"links-1MB", strings.Repeat("a://", 250_000)},
		{"letters-1MB", strings.Repeat("a", 999_999) + "1"},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newRedactor(b)
			texts := []string{c.text}
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				r.Redact(texts)
			}
		})
	}
}
