package nlp

import "strings"

// phone judges whether n is a telephone number that a person can be reached
// under, and how sure that is.
func (s *scan) phone(n *digitRun, m *finding, digit int) bool {
	if n.n > 15 || !n.uniform() && n.rest == 'x' && !n.plus {
		return false
	}
	m.typ = piiPhone
	if n.plus || n.digits[0] == '0' && n.digits[1] == '0' {
		return s.international(n, m)
	}
	if c := s.at(m.start - 1); m.start < digit && s.b[m.start] == '(' && !n.paren {
		m.start++ // the bracket is around more than the number
	} else if c == '+' {
		return false
	}
	conf, needsWord := national(n)
	if conf == 0 {
		if conf, needsWord = withCode(n); conf == 0 {
			return false
		}
	}
	t, near := s.topicOf(digit)
	needsWord = needsWord || n.n == 8 && s.crowded(m)
	switch {
	case t == ofOrder && near, needsWord && t != ofPhone, s.amount(m.end):
		return false
	}
	m.confidence = conf
	if n.digits[0] == '0' && s.at(m.end) == '-' {
		m.end = s.shortRange(m.end)
	}
	m.value = canonical(n)
	return true
}

// crowded says whether other digits stand beside m, so that its two groups of
// four may be the middle of a longer number.
func (s *scan) crowded(m *finding) bool {
	before, after := s.at(m.start-2), s.at(m.end+1)
	return s.at(m.start-1) == ' ' && (isDigit(before) || before == blocked) || s.at(m.end) == ' ' && (isDigit(after) || after == blocked)
}

// shortRange: Thai offices write consecutive numbers as 02-123-4567-9. That
// goes past goesOnRight only where the last part is one digit.
func (s *scan) shortRange(end int) int {
	if isDigit(s.at(end+1)) && !joins(s.at(end+2)) {
		return end + 2
	}
	return end
}

// currencies right after a number make it a price.
var currencies = []string{"บาท", "元", "块", "塊", "蚊", "円"}

func (s *scan) amount(end int) bool {
	if s.at(end) == ' ' {
		end++
	}
	if end >= len(s.b) || s.b[end] != opaque {
		return false
	}
	for _, c := range currencies {
		if strings.HasPrefix(s.text[s.pos[end]:], c) {
			return true
		}
	}
	return false
}

// national judges a number as it is dialled at home. needsWord: its form is
// so common that a word such as "call" must stand before it.
func national(n *digitRun) (conf float64, needsWord bool) {
	d := n.digits[:n.n]
	plain, spaced := n.first == 0, n.first == ' ' && !n.paren
	switch {
	case n.n == 7: // 555-0123
		return when(byContext, n.groups == 0x34 && n.first == '-'), true

	case n.n == 8 && '2' <= d[0] && d[0] <= '9' && (plain || n.groups == 0x44): // Hong Kong, Macau, Singapore
		round := string(d[2:4]) == "00" || string(d[6:]) == "00" // an amount, rather
		return byContext, n.groups != 0x44 || !spaced || round || strings.IndexByte("569", d[0]) < 0

	case n.n == 9 && d[0] == '0' && '2' <= d[1] && d[1] <= '8': // landlines: Thailand, Taiwan
		return when(byFormat, n.grouped(0x9, 0x234, 0x27, 0x144, 0x333, 0x36)), plain || n.first == '.' && n.groups != 0x234

	case n.n == 10 && d[0] == '0' && n.grouped(0xa, 0x334, 0x37, 0x244, 0x28, 0x343, 0x433, 0x46, 0x145, 0x235, 0x442):
		mobile := d[1] == '6' || d[1] == '8' || d[1] == '9' // Thailand; 09 in Taiwan
		switch {
		case mobile:
			return byFormat, n.first == '.' && !n.grouped(0x334, 0x433)
		case n.grouped(0x244, 0x28, 0x37, 0x433, 0x334): // landlines, Taiwan
			return when(byFormat, '2' <= d[1] && d[1] <= '8'), n.first == '.'
		}
		return when(byFormat, n.groups == 0xa && '2' <= d[1] && d[1] <= '8'), true

	case n.n == 10 && d[0] >= '2' && n.grouped(0xa, 0x334, 0x37): // North America
		return when(byFormat, d[3] >= '1'), plain || spaced || n.groups == 0x37 && !n.paren || d[3] == '1'

	case n.n == 11 && d[0] == '1' && d[1] >= '2' && n.groups == 0x1334:
		return when(byFormat, d[4] >= '1'), n.first == ' ' && n.rest == ' '

	case n.n == 11 && d[0] == '1' && '3' <= d[1]: // mobiles, China
		return when(byFormat, n.grouped(0xb, 0x344, 0x38, 0x434, 0x47)), n.first == '.' || n.grouped(0x38, 0x434, 0x47) && n.first != '-'

	case n.n == 11 && d[0] == '0' && d[1] == '7' && n.grouped(0xb, 0x56, 0x533, 0x434, 0x344): // mobiles, Britain
		return byFormat, n.first == '.'

	case n.n == 11 && d[0] == '0' && n.grouped(0x56, 0x533, 0x434, 0x344, 0x38, 0x47, 0xb): // landlines, Britain and China
		return byFormat, plain || n.first == '.' || d[1] == '8' || d[1] == '9'

	case n.n == 12 && d[0] == '0' && n.grouped(0x48, 0x444): // landlines, China
		return byFormat, n.groups == 0x444 || n.first != '-'
	}
	return 0, true
}

// countries give the calling code and the fewest and most digits after it,
// without the 0 that some write there. The longest code comes first.
var countries = []struct {
	code        string
	least, most int
}{
	{"852", 8, 8}, {"853", 8, 8}, {"886", 8, 9}, {"855", 8, 9}, {"856", 8, 10}, {"673", 7, 7}, {"971", 8, 9}, {"966", 9, 9},
	{"66", 8, 9}, {"86", 10, 11}, {"65", 8, 8}, {"60", 8, 10}, {"62", 8, 12}, {"63", 9, 10}, {"84", 9, 10}, {"81", 9, 10}, {"82", 8, 10},
	{"91", 10, 10}, {"61", 9, 9}, {"64", 8, 10}, {"95", 7, 10}, {"44", 9, 10}, {"49", 7, 12}, {"33", 9, 9}, {"34", 9, 9}, {"39", 8, 11},
	{"31", 9, 9}, {"46", 7, 10}, {"41", 9, 9}, {"7", 10, 10}, {"1", 10, 10},
}

// international judges a number after "+" or "00": a known calling code with
// the right number of digits, or another one that is long enough.
func (s *scan) international(n *digitRun, m *finding) bool {
	if n.n < 9 {
		return false
	}
	d := n.String()
	if !n.plus {
		d = d[2:]
	}
	m.confidence = byChecksum
	for _, c := range countries {
		rest, ok := strings.CutPrefix(d, c.code)
		if !ok {
			continue
		}
		rest = strings.TrimPrefix(rest, "0")
		m.value = c.code + rest
		return c.least <= len(rest) && len(rest) <= c.most
	}
	m.value = d
	return n.plus && len(d) >= 9 && d[0] != '0'
}

// homeCodes are the calling codes that people here write without "+".
var homeCodes = [...]string{"66", "86", "852", "853", "886", "65", "44"}

// withCode judges a number that begins with a calling code but has no "+".
// Where nothing separates the two, a word must stand before it.
func withCode(n *digitRun) (conf float64, needsWord bool) {
	d := n.digits[:n.n]
	for _, code := range homeCodes {
		if len(d) < 10 || string(d[:len(code)]) != code {
			continue
		}
		rest := d[len(code):]
		mobile := false
		switch code {
		case "66":
			mobile = len(rest) == 9 && strings.IndexByte("689", rest[0]) >= 0
		case "86":
			mobile = len(rest) == 11 && rest[0] == '1' && rest[1] >= '3'
		case "852", "853", "65":
			mobile = len(rest) == 8 && '2' <= rest[0]
		case "886":
			mobile = len(rest) == 9 && rest[0] == '9'
		case "44":
			mobile = len(rest) == 10 && rest[0] == '7'
		}
		if mobile {
			return byFormat, firstGroup(n.groups) != len(code)
		}
	}
	return 0, true
}

// canonical is one spelling for the ways to write a number, so that they get
// the same placeholder: with the calling code where the form tells it.
func canonical(n *digitRun) string {
	d := n.String()
	switch {
	case n.n == 10 && d[0] == '0' && (d[1] == '6' || d[1] == '8'):
		return "66" + d[1:]
	case n.n == 10 && d[0] == '0' && d[1] == '9' && firstGroup(n.groups) == 4:
		return "886" + d[1:]
	case n.n == 10 && d[0] == '0' && d[1] == '9':
		return "66" + d[1:]
	case n.n == 9 && d[0] == '0':
		return "66" + d[1:]
	case n.n == 11 && n.groups == 0x1334:
		return d
	case n.n == 11 && d[0] == '1' && d[1] >= '3':
		return "86" + d
	case n.n == 11 && d[0] == '0' && d[1] == '7':
		return "44" + d[1:]
	case n.n == 10 && d[0] >= '2':
		return "1" + d
	}
	return d
}

func firstGroup(groups uint32) int {
	for groups > 0xf {
		groups >>= 4
	}
	return int(groups)
}

func (n *digitRun) grouped(list ...uint32) bool {
	for _, g := range list {
		if g == n.groups {
			return true
		}
	}
	return false
}

// when is confidence if ok, else 0.
func when(confidence float64, ok bool) float64 {
	if ok {
		return confidence
	}
	return 0
}
