package nlp

import (
	"strconv"
	"strings"
)

// card judges payment cards: a range that is issued, its length, and the check
// digit. One number in ten passes that by chance, so forms that other numbers
// have too (a date in front, 13 or 19 plain digits) need a word or the groups.
func (s *scan) card(n *digitRun, m *finding, digit int) bool {
	if n.n < 13 || !n.uniform() || n.first == '.' || n.paren || !luhn(n.digits[:n.n]) {
		return false
	}
	d := n.digits[:n.n]
	p4, _ := strconv.Atoi(string(d[:4]))
	p2, length := p4/100, n.n
	vague := false
	switch {
	case d[0] == '4' && (length == 16 || length == 13 || length == 19):
		vague = length != 16
	case 51 <= p2 && p2 <= 55 && length == 16:
	case 2221 <= p4 && p4 <= 2720 && length == 16:
		vague = dateLike(d)
	case p2 == 62 && length >= 16:
	case 3528 <= p4 && p4 <= 3589 && length >= 16:
		vague = length > 16
	case (p2 == 34 || p2 == 37) && length == 15:
	case (p4 == 6011 || p2 == 65 || 6440 <= p4 && p4 <= 6499) && length >= 16:
		vague = length > 16
	case (p2 == 36 || p2 == 38 || 3000 <= p4 && p4 <= 3059) && length == 14:
		vague = true
	default:
		return false
	}
	inFours := n.grouped(0x4444, 0x465, 0x464, 0x44443, 0x4442, 0x4441)
	if n.first != 0 && !inFours && n.groups != 0x6d {
		return false
	}
	t, near := s.topicOf(digit)
	if t == ofOrder && near || vague && !inFours && t != ofCard {
		return false
	}
	m.typ, m.confidence, m.value = piiCard, byChecksum, n.String()
	return true
}

// dateLike says whether d may begin with a date: 2567-12-08 (Buddhist era) or 25-12-08.
func dateLike(d []byte) bool {
	month := func(i int) bool {
		v := int(d[i]-'0')*10 + int(d[i+1]-'0')
		return 1 <= v && v <= 12
	}
	day := func(i int) bool {
		v := int(d[i]-'0')*10 + int(d[i+1]-'0')
		return 1 <= v && v <= 31
	}
	return month(2) && day(4) || month(4) && day(6)
}

// luhn is ISO/IEC 7812-1 annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0 && sum > 0
}

// personID judges the Chinese and the Thai identity number.
func (s *scan) personID(n *digitRun, m *finding) bool {
	c := s.at(m.end)
	switch {
	case n.n == 17 && c|0x20 == 'x' && (n.first == 0 || n.groups == 0x683):
		if m.typ = piiChineseID; !validChinese(n.digits[:17], 'X') || s.continues(m.start, m.end+1, m.start) {
			return false
		}
		m.end++
		m.value = n.String() + "X"
	case n.n == 18 && (n.first == 0 || n.groups == 0x684):
		if m.typ = piiChineseID; !validChinese(n.digits[:17], n.digits[17]) || s.continues(m.start, m.end, m.start) {
			return false
		}
	case n.n == 13 && (n.first == 0 || n.groups == 0x14521 && n.uniform()):
		if m.typ = piiThaiID; !validThai(n.digits[:13]) || s.continues(m.start, m.end, m.start) {
			return false
		}
		t, near := s.topicOf(m.start)
		if t == ofOrder && near || n.first == 0 && t != ofPerson && (t != ofCard || !near) {
			return false
		}
	default:
		return false
	}
	if m.value == "" {
		m.value = n.String()
	}
	m.confidence = byChecksum
	return true
}

// validThai checks a Thai identity number: weights 13 to 2, modulo 11.
func validThai(d []byte) bool {
	sum := 0
	for i := range 12 {
		sum += int(d[i]-'0') * (13 - i)
	}
	return d[0] != '0' && d[0] != '9' && byte('0'+(11-sum%11)%10) == d[12]
}

// provinces are the first two digits of a GB/T 2260 code.
const provinces = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"

var chineseWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// validChinese checks a Chinese resident's number, GB 11643: province, date of
// birth, and ISO 7064 MOD 11-2.
func validChinese(d []byte, check byte) bool {
	year, _ := strconv.Atoi(string(d[6:10]))
	month, _ := strconv.Atoi(string(d[10:12]))
	day, _ := strconv.Atoi(string(d[12:14]))
	if year < 1900 || year > 2099 || month < 1 || month > 12 || day < 1 || day > 31 || !strings.Contains(provinces, string(d[:2])) {
		return false
	}
	sum := 0
	for i, w := range chineseWeights {
		sum += int(d[i]-'0') * w
	}
	return "10X98765432"[sum%11] == check
}

// letterID judges what has one or two letters before its digits: the numbers of
// Taiwan and Hong Kong, and passports.
func (s *scan) letterID(i, end int) (finding, bool) {
	size := end - i
	if size < 6 || size > 9 {
		return finding{}, false
	}
	start := i
	for start > 0 && i-start < 3 && isAlpha(s.b[start-1]) {
		start--
	}
	letters := i - start
	if before := s.at(start - 1); letters > 2 || joins(before) || before == '-' && joins(s.at(start-2)) || before == '#' || before == '@' {
		return finding{}, false
	}
	m := finding{start: start, end: end, value: strings.ToUpper(string(s.b[start:end]))}
	switch {
	case letters == 1 && size == 9 && validTaiwan(m.value) && !s.goesOnRight(end):
		if t, near := s.topicOf(start); t == ofOrder && near {
			return finding{}, false
		} else if t == ofPassport {
			break
		} else if t != ofPerson && s.b[start] >= 'a' {
			return finding{}, false // nobody means the number by "a123456789" without saying so
		}
		m.typ, m.confidence = piiTaiwanID, byChecksum
		return m, true
	case (letters == 1 || letters == 2) && (size == 6 || size == 7):
		if m, ok := s.hongKong(m, i+6); ok {
			return m, true
		}
	}
	t, near := s.topicOf(start)
	if t != ofPassport || !near && letters == 0 || s.goesOnRight(end) || letters == 0 && size != 9 || size < 7 && letters < 2 {
		return finding{}, false
	}
	m.typ, m.confidence = piiPassport, byContext
	return m, true
}

// taiwanLetters are the letters in the order of their codes, from 10 up.
const taiwanLetters = "ABCDEFGHJKLMNPQRSTUVXYWZIO"

// validTaiwan checks a number of Taiwan: a letter, 1 or 2 (8 or 9 for residents from
// abroad), eight digits of which the last checks.
func validTaiwan(id string) bool {
	code := strings.IndexByte(taiwanLetters, id[0]) + 10
	if strings.IndexByte("1289", id[1]) < 0 {
		return false
	}
	sum := code/10 + code%10*9 + int(id[9]-'0')
	for i := 1; i < 9; i++ {
		sum += int(id[i]-'0') * (9 - i)
	}
	return sum%10 == 0
}

// hongKong judges a Hong Kong number, whose check digit stands in brackets;
// without them a word must stand before it. Its six digits end at.
func (s *scan) hongKong(m finding, at int) (finding, bool) {
	m.value = m.value[:at-m.start]
	bracket := s.at(at) == '('
	if bracket {
		at++
	}
	check := s.at(at)
	if check == 'a' {
		check = 'A'
	}
	if !isDigit(check) && check != 'A' || hongKongCheck(m.value) != check {
		return finding{}, false
	}
	at++
	t, near := s.topicOf(m.start)
	switch {
	case bracket && s.at(at) != ')', t == ofOrder && near:
		return finding{}, false
	case bracket:
		at++
	case t != ofPerson, s.goesOnRight(at):
		return finding{}, false
	}
	m.end, m.typ, m.confidence = at, piiHongKongID, byChecksum
	m.value += string(check)
	return m, true
}

// hongKongCheck is the check digit for one or two letters and six digits: weights
// 9 to 2, modulo 11; A is ten, and a space (36) stands for a missing letter.
func hongKongCheck(id string) byte {
	sum := 0
	if len(id) == 7 {
		sum = 36 * 9
		id = " " + id
	}
	for i := range 8 {
		switch c := id[i]; {
		case isDigit(c):
			sum += int(c-'0') * (9 - i)
		case c != ' ':
			sum += int(c-'A'+10) * (9 - i)
		}
	}
	return "0A987654321"[sum%11]
}

// account judges bank accounts: by the words before them, or by the form Thai
// banks write (123-4-56789-0).
func (s *scan) account(n *digitRun, m *finding, digit int) bool {
	thaiForm := n.groups == 0x3151 && n.first == '-' && n.uniform()
	if n.n < 9 || !n.uniform() || n.first == '.' || n.paren {
		return false
	}
	t, near := s.topicOf(digit)
	if t == ofOrder && near || !thaiForm && (t != ofBank || !near) {
		return false
	}
	m.typ, m.confidence, m.value = piiBank, byContext, n.String()
	return true
}
