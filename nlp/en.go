package nlp

import "strings"

// stem brings the inflected forms of an English word together: refunds,
// refunded and refunding are refund. It takes a folded word and changes only what
// ends in s, es, ies, ed, ied, ing or 's, and a table of irregular forms. It
// never takes off what makes another word: app is not apple, business not busy.
func stem(s string) string {
	s = squeeze(s)
	if to, ok := irregular[s]; ok {
		return to
	}
	n := len(s)
	if n < 4 || !lowerASCII(s) {
		return s
	}
	switch s[n-1] {
	case 's':
		return singular(s)
	case 'd':
		if strings.HasSuffix(s, "ied") && n > 4 {
			return s[:n-3] + "y"
		}
		if strings.HasSuffix(s, "ed") && s[n-3] != 'e' {
			return root(s, s[:n-2])
		}
	case 'g':
		if strings.HasSuffix(s, "ing") && n > 5 {
			return root(s, s[:n-3])
		}
	}
	return s
}

// singular takes off a final s.
func singular(s string) string {
	n := len(s)
	if s[n-2] == '\'' {
		switch s[:n-2] {
		case "it", "that", "what", "he", "she", "here", "there", "where", "who", "how", "let":
			return s
		}
		return s[:n-2]
	}
	switch {
	case strings.HasSuffix(s, "ss"), strings.HasSuffix(s, "us"), strings.HasSuffix(s, "is"):
		return s
	case strings.HasSuffix(s, "ies") && n > 4:
		return s[:n-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "shes"), strings.HasSuffix(s, "ches"),
		strings.HasSuffix(s, "xes"), strings.HasSuffix(s, "zzes"), strings.HasSuffix(s, "oes"):
		return s[:n-2]
	}
	return s[:n-1]
}

// root makes a verb of what is left of word when ed or ing is taken off: a double
// letter is made single (stopped), a mute e put back (charged), or neither (helped).
func root(word, r string) string {
	n := len(r)
	vowels := 0 // groups of vowels
	for i := range n {
		if isVowel(r, i) && (i == 0 || !isVowel(r, i-1)) {
			vowels++
		}
	}
	if vowels == 0 || n < 2 {
		return word
	}
	if to, ok := roots[r]; ok {
		return to
	}
	last := r[n-1]
	e := word[:n] + "e"
	if word[n] == 'e' {
		e = word[:n+1] // no allocation
	}
	short := !isVowel(r, n-1) && isVowel(r, n-2) && (n == 2 || !isVowel(r, n-3)) // ends in a single vowel and a consonant
	switch {
	case last == r[n-2] && !isVowel(r, n-1):
		if last == 's' || last == 'z' || last == 'f' || last == 'd' && n == 3 || last == 'g' && n == 3 || last == 'l' && (vowels == 1 || strings.HasSuffix(r, "stall")) {
			return r
		}
		return r[:n-1]
	case last == 'c', last == 'v', last == 'u', last == 'z', last == 's' && isVowel(r, n-2):
		return e
	case last == 's' && (r[n-2] == 'r' || r[n-2] == 'n' || r[n-2] == 'l'): // reimburse, sense
		return e
	case last == 'g' && (r[n-2] == 'r' || r[n-2] == 'd' || r[n-2] == 'a' || r[n-2] == 'n' && n > 4 && r[n-3] == 'a'): // charge, judge, manage, change
		return e
	case last == 'l' && strings.IndexByte("bdgkptf", r[n-2]) >= 0: // handle, cancel needs none
		return e
	case last == 't' && short && r[n-2] == 'a': // update
		return e
	case last == 'r' && short && (r[n-2] == 'i' || r[n-2] == 'u' || r[n-2] == 'a'): // expire, ensure, compare
		return e
	case last == 'd' && short && (r[n-2] == 'i' || r[n-2] == 'u' || r[n-2] == 'a'): // provide, include, upgrade
		return e
	case short && vowels == 1 && last != 'w' && last != 'x' && last != 'y': // save, use, hope
		return e
	}
	return r
}

func isVowel(s string, i int) bool {
	switch s[i] {
	case 'a', 'e', 'i', 'o':
		return true
	case 'u':
		return i == 0 || s[i-1] != 'q'
	case 'y':
		return i > 0 && !isVowel(s, i-1)
	}
	return false
}

func lowerASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '\'' {
			return false
		}
	}
	return true
}

// squeeze shortens a letter said three times or more: "sooo" is so, "goood" good.
func squeeze(s string) string {
	long := false
	for i := 2; i < len(s); i++ {
		if c := s[i]; s[i-1] == c && s[i-2] == c && 'a' <= c && c <= 'z' {
			long = true
			break
		}
	}
	if !long || strings.HasPrefix(s, "www") {
		return s
	}
	one, two := make([]byte, 0, len(s)), make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		two = append(two, s[i:min(j, i+2)]...)
		if j-i > 2 {
			one = append(one, s[i])
		} else {
			one = append(one, s[i:j]...)
		}
		i = j
	}
	if doubled[string(two)] {
		return string(two)
	}
	return string(one)
}

// doubled are words with a double letter that people draw out.
var doubled = wordSet(`all bee bill book boo call cheer cool coffee deep fall feel food free full
	good hell hmm hoo keep kill loo look loss meet mess miss need noon off pass pee poor really room
	see seen seem sleep soon still stuff sweet tall tell too took well week will yell yoo zoom`)

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// irregular maps whole words, among them those that only look inflected.
var irregular = func() map[string]string {
	m := map[string]string{}
	for w := range strings.FieldsSeq(`always perhaps besides sometimes afterwards towards news series species lens gas yes its his has was
		need feed speed indeed exceed proceed succeed red bed hundred wicked naked sacred embed shed
		bring thing something nothing anything everything king ring sing wing string spring during morning evening ceiling wedding
		sting swing fling boring amazing pricing plus thus bus alias bias atlas texas overseas whereas christmas sms gps ios ups`) {
		m[w] = w
	}
	for line := range strings.SplitSeq(`went gone goes going:go|does did done doing:do|got gotten getting:get|sent:send|paid:pay|said:say|told:tell
		bought:buy|broke broken:break|lost:lose|came:come|kept:keep|took taken:take|gave given:give|made:make|found:find|felt:feel|knew known:know
		spent:spend|chose chosen:choose|wrote written:write|spoke spoken:speak|froze frozen:freeze|stole stolen:steal|children:child|women:woman
		men:man|owed owing:owe|lies lied:lie|dies died:die|ties tied:tie|lying:lie|dying:die|being:be|seeing saw:see|agreed:agree|freed:free
		guaranteed:guarantee|cookies:cookie|movies:movie|selfies:selfie|caches cached caching:cache|aches ached:ache|headaches:headache|statuses:status
		bonuses:bonus|buses:bus|gases:gas|viruses:virus|shoes:shoe|responses:response|clothes:clothes|quizzes:quiz|menus:menu|focused focusing:focus
		stuck:stick|understood:understand|forgot forgotten:forget|drove driven:drive|ate eaten:eat|sold:sell|held:hold|met:meet
		heard:hear|began begun:begin|showed shown:show|brought:bring|caught:catch|taught:teach|built:build|dealt:deal|led:lead|stood:stand
		changing:change|ordering:order|taxes:tax|using:use|canceled canceling:cancel|axes:axe`, "|") {
		forms, to, _ := strings.Cut(line, ":")
		for f := range strings.FieldsSeq(forms) {
			m[f] = strings.TrimSpace(to)
		}
	}
	return m
}()

// roots are what is left of verbs whose mute e, or lack of one, their letters do not tell.
var roots = map[string]string{
	"creat": "create", "recreat": "recreate", "ignor": "ignore", "restor": "restore", "explor": "explore", "declin": "decline", "combin": "combine",
	"determin": "determine", "imagin": "imagine", "examin": "examine", "invit": "invite", "promot": "promote", "devot": "devote", "distribut": "distribute",
	"contribut": "contribute", "execut": "execute", "rerout": "reroute", "disput": "dispute", "quot": "quote", "renam": "rename", "complet": "complete",
	"delet": "delete", "compet": "compete", "pleas": "please", "releas": "release", "believ": "believe", "receiv": "receive", "chang": "change",
	"subscrib": "subscribe", "describ": "describe", "unsubscrib": "unsubscribe", "consum": "consume", "assum": "assume", "resum": "resume",
	"schedul": "schedule", "welcom": "welcome", "com": "come", "becom": "become", "becam": "become", "typ": "type", "advertis": "advertise",
	"clear": "clear", "appear": "appear", "fear": "fear", "hear": "hear", "wear": "wear", "rent": "rent", "visit": "visit", "limit": "limit", "wait": "wait",
	"credit": "credit", "edit": "edit", "exit": "exit", "profit": "profit", "deposit": "deposit", "audit": "audit", "permit": "permit",
	"happen": "happen", "open": "open", "offer": "offer", "deliver": "deliver", "order": "order", "enter": "enter", "answer": "answer",
	"download": "download", "upload": "upload", "load": "load", "avoid": "avoid", "reload": "reload", "outdat": "outdate",
	"hang": "hang", "bang": "bang", "chat": "chat", "format": "format", "repeat": "repeat", "treat": "treat", "cheat": "cheat", "heat": "heat",
	"bas": "base", "add": "add", "install": "install", "uninstall": "uninstall", "log": "log", "plan": "plan", "program": "program",
	"cancell": "cancel", "travell": "travel", "labell": "label", "refer": "refer", "prefer": "prefer", "occur": "occur", "hous": "house",
	"purchas": "purchase", "promis": "promise", "giv": "give", "hav": "have", "mak": "make", "tak": "take", "retir": "retire",
	"interest": "interest", "bill": "bill", "skip": "skip", "develop": "develop", "drop": "drop", "ship": "ship", "enabl": "enable", "disabl": "disable",
	"exchang": "exchange", "arrang": "arrange", "manag": "manage", "damag": "damage", "upset": "upset", "reset": "reset", "reach": "reach", "forward": "forward",
	"reward": "reward", "award": "award", "unlock": "unlock", "process": "process", "address": "address", "access": "access", "miss": "miss",
}
