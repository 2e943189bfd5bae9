// Package models embeds the data that analysis needs: word lists and the table
// that folds Chinese characters. MANIFEST.json says of each file its version,
// SHA-256, source and licence; package gen beside this one makes those that come
// from public lists.
//
// # Formats
//
// UTF-8, one entry a line. The first line is the name and version.
//
//	han.txt         "T繁简", "-乾干" or "S这这": a character with its Simplified form; T and S say
//	                that it is written in Traditional or Simplified text only
//	zh.txt th.txt   "word count", folded
//	usual.txt       "= FAMILY TEXTS", then "term TAB count": in how many of so many texts of customers a term is
//	*-service.txt   "word" or "word count", in any script; "#" begins a comment
package models

import _ "embed"

// Han is the table that folds Chinese characters to Simplified.
//
//go:embed han.txt
var Han string

// Chinese and Thai are the word lists with counts from public corpora.
var (
	//go:embed zh.txt
	Chinese string
	//go:embed th.txt
	Thai string
)

// ChineseService and ThaiService are words of customer service and of the
// internet that the lists lack: Mandarin, Taiwanese and Cantonese; Thai. Ours.
var (
	//go:embed zh-service.txt
	ChineseService string
	//go:embed th-service.txt
	ThaiService string
)

// Usual is how common words are in what customers say, by family of languages.
//
//go:embed usual.txt
var Usual string
