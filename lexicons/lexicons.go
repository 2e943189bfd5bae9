// Package lexicons embeds the hand-written word lists of the baseline scores.
//
// # Format
//
// UTF-8 text. The first line names the format, the version and the language:
//
//	earshot-lexicon core-1 th
//
// Lines that begin with "#" and blank lines are skipped. "[section]" or
// "[section label]" begins a section; every other line is an entry: a pattern,
// a tab and, where the section has one, a number.
//
//	[polarity]          pattern, −2 … 2   an opinion word; 2 is "love it", −2 "disgusting"
//	[neutral]           pattern           contains an opinion word but holds no opinion: "no problem", "不好意思", "hard drive"
//	[negator]           pattern           turns the opinion after it: "not", "ไม่", "唔"
//	[negator after]     pattern           turns the opinion before it
//	[intensifier]       pattern, > 1      "very", "มาก", "超" (before or after the opinion)
//	[diminisher]        pattern, < 1      "a bit", "นิดหน่อย", "有點"
//	[contrast]          pattern           begins a clause that turns against the one before: "but", "แต่", "但是"
//	[number]            pattern, value    number words: "three" 3, "หลาย" 3, "兩" 2, "several" 3
//	[unit]              pattern, minutes  of time: "hour" 60, "ชม." 60, "天" 1440
//	[duration]          pattern, minutes  a whole duration: "all day" 480, "half an hour" 30, "成個月" 43200
//	[times]             pattern           counts repetitions after a number: "times", "รอบ", "次", "趟"
//	[class NAME]        pattern           a set of words to be used in patterns as <NAME>
//	[frame FRAME]       pattern, −1 … 1   effort: 0.5 is hard, 1 very hard; ease is −0.5 or −1
//	[intent INTENT]     pattern, 0 … 1    how probable the intent is where the pattern stands
//	[emotion EMOTION]   pattern, 0 … 1
//	[flag FLAG]         pattern, 0 … 1
//
// A pattern is a text as a customer writes it, with these elements:
//
//	<n>       a number in digits or a [number] word
//	<times>   <n> and a [times] word: "3 times", "สามรอบ", "兩次"
//	<dur>     <n> and a [unit], or a [duration]: "40 minutes", "2 ชม.", "半小時"
//	<NAME>    any entry of [class NAME]
//	..        a gap of nothing or a few words in the same sentence (up to 4 Latin words, 8 Chinese or 16 Thai characters)
//	(a|b)     one of these literals
//	^         at the beginning of a pattern: only at the start of a sentence
//	$         at the end of a pattern: only at the end of a sentence (marks and emoji may follow)
//
// Case, width, Simplified or Traditional script, Thai mark order and curly
// quotes are folded, so an entry is written once, in whatever script is
// natural. English entries match their inflections ("refund" finds "refunds",
// "refunded"), unless the inflected form has an entry of its own. An opinion
// word needs no negated twin ("not good" follows from "good") except where the
// negated form means something else ("not bad", "唔錯", "ไม่เลว").
// Frames, intents, emotions and flags are not negated by rule: a pattern says
// what it means ("cannot log in", "ล็อกอินไม่ได้"), and the longest match at
// a place wins within its label.
//
// One-character Chinese entries match whole tokens only; Thai entries begin and
// end where words do.
package lexicons

import "embed"

// FS holds the lists, one file a language: en.txt, th.txt, zh.txt (Mandarin,
// mainland and Taiwan), yue.txt (Cantonese).
//
//go:embed en.txt th.txt zh.txt yue.txt
var FS embed.FS

// Stop holds the words that do not tell one trouble from another, one file a
// family of languages (en.txt, th.txt, zh.txt): words apart by white space,
// "#" begins a comment line. A word that the tokenizer cuts counts as its parts.
//
//go:embed stop/*.txt
var Stop embed.FS

// Concepts is what customers speak of, with the words and short phrases by
// which they do: the name of a concept, then for each language an indented line
// "en: phrase, phrase". Paraphrases of one trouble meet in its concepts.
//
//go:embed concepts.txt
var Concepts string
