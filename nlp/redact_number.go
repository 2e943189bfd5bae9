package nlp

// A digitRun is one or more groups of digits that may be one thing: a card, an
// identity number, a telephone number.
type digitRun struct {
	digits [maxDigits]byte // '0' to '9'
	n      int
	groups uint32 // lengths of the groups as hexadecimal digits: 081-234-5678 is 0x334; 0xf is fifteen or more
	first  byte   // what separates the first two groups: ' ', '-' or '.'; 0 if there is one group
	rest   byte   // what separates the others; 'x' if it differs
	paren  bool   // the first group is in brackets
	plus   bool   // "+" stands before it
}

const (
	minDigits = 7  // of a telephone number
	maxDigits = 19 // of a card
	maxGroups = 6
)

func (n *digitRun) String() string { return string(n.digits[:n.n]) }

// uniform says whether one mark separates all groups.
func (n *digitRun) uniform() bool { return n.rest == 0 || n.rest == n.first }

// A digitGroup is where a group of digits is in the view, and what stands before it.
type digitGroup struct {
	start, end int
	sep        byte // ' ', '-' or '.'; 0 before the first
	paren      bool // ")" stands before it
}

// findNumbers tries each group of digits as the beginning of something. A long
// run of digits is one group and is looked at once, and a group is followed by
// five others at most, so the time is linear.
func (s *scan) findNumbers() {
	for i := 0; i < len(s.b); {
		if !isDigit(s.b[i]) {
			i++
			continue
		}
		end := i
		for end < len(s.b) && isDigit(s.b[end]) {
			end++
		}
		if end-i <= maxDigits {
			if m, ok := s.numberAt(i, end); ok {
				s.add(m)
				end = m.end
			}
		}
		i = end
	}
}

// numberAt finds what begins with the digits b[i:end]; the longest wins.
func (s *scan) numberAt(i, end int) (finding, bool) {
	if m, ok := s.letterID(i, end); ok {
		return m, true
	}
	var buf [maxGroups]digitGroup
	groups := s.groupsAt(buf[:0], i, end)
	if m, ok := s.ip(groups); ok {
		return m, true
	}
	start, plus, paren := s.prefix(i)
	total := 0
	for _, g := range groups {
		total += g.end - g.start
	}
	for k := len(groups); k > 0 && total >= minDigits; k-- {
		last := groups[k-1]
		if total <= maxDigits {
			n := read(s.b, groups[:k])
			n.plus, n.paren = plus, paren && (k == 1 || groups[1].paren)
			m := finding{start: start, end: last.end}
			if s.kindOf(&n, &m, i) {
				return m, true
			}
		}
		total -= last.end - last.start
	}
	return finding{}, false
}

// prefix says where a number whose first digit is b[i] begins: a "+" or a
// bracket before it is part of it.
func (s *scan) prefix(i int) (start int, plus, paren bool) {
	start = i
	if s.at(start-1) == '+' {
		start, plus = start-1, true
	}
	if s.at(start-1) == '(' {
		start, paren = start-1, true
	}
	if !plus && s.at(start-1) == '+' {
		start, plus = start-1, true
	}
	return start, plus, paren
}

// groupsAt collects the group b[i:end] and those that follow it.
func (s *scan) groupsAt(list []digitGroup, i, end int) []digitGroup {
	list = append(list, digitGroup{start: i, end: end})
	for len(list) < maxGroups {
		at, g := end, digitGroup{}
		for ; at < end+4; at++ {
			c := s.at(at)
			switch {
			case c == '-' && g.sep != '-' && g.sep != '.', c == '.' && g.sep == 0:
				g.sep = c
				continue
			case c == ' ' && g.sep == 0:
				g.sep = ' '
				continue
			case c == ' ' || c == '(':
				continue
			case c == ')' && !g.paren:
				g.paren = true
				if g.sep == 0 {
					g.sep = ' '
				}
				continue
			}
			break
		}
		if g.sep == 0 || !isDigit(s.at(at)) {
			break
		}
		g.start, g.end = at, at
		for g.end < len(s.b) && g.end-at <= maxDigits && isDigit(s.b[g.end]) {
			g.end++
		}
		list = append(list, g)
		end = g.end
	}
	return list
}

// read makes one run of groups, which have maxDigits together at most.
func read(b []byte, groups []digitGroup) (n digitRun) {
	for k, g := range groups {
		n.n += copy(n.digits[n.n:], b[g.start:g.end])
		n.groups = n.groups<<4 | uint32(min(g.end-g.start, 15))
		switch {
		case k == 1:
			n.first = g.sep
		case k == 2:
			n.rest = g.sep
		case k > 2 && n.rest != g.sep:
			n.rest = 'x'
		}
	}
	return n
}

// kindOf says what n is and completes m. digit is the index of the first digit.
func (s *scan) kindOf(n *digitRun, m *finding, digit int) bool {
	if !n.plus && s.personID(n, m) {
		return true
	}
	if s.continues(m.start, m.end, digit) {
		return false
	}
	return !n.plus && (s.card(n, m, digit) || s.account(n, m, digit)) || s.phone(n, m, digit)
}

// continues says whether b[start:end] is part of something longer: an order
// number, a date range, an amount, a GUID. A telephone word may touch the
// number ("tel0812345678").
func (s *scan) continues(start, end, digit int) bool {
	return s.goesOnRight(end) || s.goesOnLeft(start, digit)
}

func (s *scan) goesOnLeft(start, digit int) bool {
	c, before := s.at(start-1), s.at(start-2)
	switch {
	case isAlpha(c), c == '-' && isAlpha(before):
		t, near := s.topicOf(digit)
		return t != ofPhone || !near
	case c == '.' && start >= 2:
		return isDigit(before) || before == blocked
	case c == '-' || c == '/' && isDigit(before):
		return joins(before)
	case c == '$' || c == '#' || c == '*' || c == '@':
		return true
	}
	return joins(c)
}

func (s *scan) goesOnRight(end int) bool {
	c, after := s.at(end), s.at(end+1)
	switch c {
	case '-', '.':
		return isDigit(after) || after == blocked || c == '-' && joins(after)
	case '%', '*', '@':
		return true
	}
	return joins(c)
}

// ip finds an IPv4 address. Versions look the same, so "version" before it
// says that it is none.
func (s *scan) ip(groups []digitGroup) (finding, bool) {
	if len(groups) < 4 {
		return finding{}, false
	}
	for k, g := range groups[:4] {
		v := 0
		for _, c := range s.b[g.start:min(g.end, g.start+4)] {
			v = v*10 + int(c-'0')
		}
		size := g.end - g.start
		if v > 255 || size > 3 || size > 1 && s.b[g.start] == '0' || k > 0 && (g.sep != '.' || g.start != groups[k-1].end+1) {
			return finding{}, false
		}
	}
	start, end := groups[0].start, groups[3].end
	if c := s.at(start - 1); joins(c) || c == '.' || c == '-' || s.goesOnRight(end) {
		return finding{}, false
	}
	if t, near := s.topicOf(start); t == ofOrder && near {
		return finding{}, false
	}
	return finding{start, end, piiIP, byFormat, string(s.b[start:end])}, true
}
