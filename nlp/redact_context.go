package nlp

import "strings"

// A topic is what the words before a number say it is.
type topic uint8

const (
	noTopic  topic = iota
	ofPhone        // a telephone number
	ofCard         // a payment card
	ofPerson       // an identity card
	ofPassport
	ofBank  // a bank account
	ofOrder // an order, a parcel, a product, a version: anything but a person's
)

// topicWords say what the number after them is. Latin ones stand alone, others
// may touch anything.
var topicWords = map[topic]string{
	ofPhone: `tel telephone phone phones mobile cell cellphone call callback contact whatsapp sms text hotline dial ring reach hp handphone
		landline viber mob ph โทร โทรศัพท์ เบอร์ มือถือ ติดต่อ 电话 電話 手机 手機 致电 致電 拨打 撥打 请打 請打 打給 打给 打畀 打俾 打我 联系 聯繫
		聯絡 联络 联系方式 座机 短信 簡訊 来电 來電 熱線`,
	ofCard: `card visa mastercard amex jcb unionpay debit credit บัตร บัตรเครดิต บัตรเดบิต 卡 卡号 卡號 信用卡 银行卡 銀行卡 银联`,
	ofPerson: `hkid nric บัตรประชาชน ปชช ประชาชน เลขประจำตัว บัตรประจำตัว เลข13หลัก 身份证 身分證 身份證 身分证 身份證號 居民证
		citizen identity national`,
	ofPassport: `passport พาสปอร์ต หนังสือเดินทาง 护照 護照`,
	ofBank: `account acct a/c iban บัญชี เลขบัญชี เลขที่บัญชี 银行账号 银行帐号 銀行帳號 銀行賬號 银行账户 銀行賬戶 銀行戶口 匯款帳號 收款账号 转账到 轉帳到
		戶口號碼 戶口 户口`,
	ofOrder: `order orders ordered tracking track parcel shipment awb waybill ref reference invoice receipt case ticket booking reservation pnr
		confirmation serial imei sku item model part product transaction txn trace claim policy barcode version ver v app firmware build
		lottery draw flight batch lot quantity qty price total amount meter
		ออเดอร์ คำสั่งซื้อ พัสดุ เลขพัสดุ แทรคกิ้ง แทร็กกิ้ง ติดตาม ใบเสร็จ ใบสั่งซื้อ การจอง เลขจอง อ้างอิง รายการ สินค้า บาร์โค้ด ซีเรียล รุ่น เวอร์ชั่น เวอร์ชัน
		สลาก หวย ราคา ยอด เคส มิเตอร์ ล็อต
		订单 訂單 订单号 訂單號 单号 單號 编号 編號 快递 快遞 运单 運單 物流 流水号 流水號 票号 票號 型号 型號 货号 貨號 序列号 序號 条码 條碼 版本 发票 發票
		案件 工单 工單 交易 包裹 预订 預訂 彩票 航班 金额 金額 價錢 时间戳 時間戳 合同 保单 保單`,
}

// topicFiller may stand between a topic word and its number, besides spaces and marks.
var topicFiller = []string{"numbers", "number", "nos", "no", "num", "nr", "id", "code", "is", "was", "are", "the", "my", "at", "me", "on", "us", "him", "her",
	"เลขที่", "หมายเลข", "เลข", "คือ", "ที่", "ของ", "ผม", "หนู", "กลับ", "หา", "ได้", "号码", "號碼", "号", "號", "碼", "码", "是", "为", "為", "我", "的", "係"}

type topicWord struct {
	text  string
	topic topic
}

// topicsBy holds the topic words by their first byte, longest first.
var topicsBy = func() (by [256][]topicWord) {
	for t, words := range topicWords {
		for _, w := range strings.Fields(words) {
			list := by[w[0]]
			i := 0
			for i < len(list) && len(list[i].text) >= len(w) {
				i++
			}
			list = append(list, topicWord{})
			copy(list[i+1:], list[i:])
			list[i] = topicWord{w, t}
			by[w[0]] = list
		}
	}
	return by
}()

// reach is how far before a number its topic may stand, in bytes. What has been
// found already, and a placeholder, end the search: so redacting again sees
// the same words.
const reach = 60

// A contextCache holds the topic of the last number looked at.
type contextCache struct {
	start int
	valid bool
	topic topic
	near  bool
}

// topicOf gives the topic word nearest before b[start], and whether only
// filler stands between the two ("order no. 12" but not "my order, call 12").
func (s *scan) topicOf(start int) (topic, bool) {
	if !s.context.valid || s.context.start != start {
		t, near := s.findTopic(start)
		s.context = contextCache{start, true, t, near}
	}
	return s.context.topic, s.context.near
}

func (s *scan) findTopic(start int) (topic, bool) {
	end := int(s.pos[start])
	first := start
	for first > 0 && s.b[first-1] != blocked && end-int(s.pos[first-1]) <= reach {
		first--
	}
	for i := start - 1; i >= first; i-- {
		p := int(s.pos[i])
		c := s.text[p]
		list := topicsBy[c|lowerBit(c)]
		if len(list) == 0 || isAlpha(c) && (isAlpha(s.at(i-1)) || s.at(i-1) == accented) {
			continue
		}
		for _, w := range list {
			to := p + len(w.text)
			if to > end || !hasFold(s.text[p:end], w.text) {
				continue
			}
			if isAlpha(w.text[len(w.text)-1]) && to < len(s.text) && isAlpha(s.text[to]) {
				continue
			}
			return w.topic, fillerOnly(s.text[to:end])
		}
	}
	return noTopic, false
}

func fillerOnly(gap string) bool {
	for gap != "" {
		if strings.IndexByte(" :#.=-()'\"\t+", gap[0]) >= 0 {
			gap = gap[1:]
		} else if strings.HasPrefix(gap, "：") || strings.HasPrefix(gap, "（") {
			gap = gap[3:]
		} else if n := fillerAt(gap, topicFiller); n > 0 {
			gap = gap[n:]
		} else {
			return false
		}
	}
	return true
}
