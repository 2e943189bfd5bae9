// Package series counts what was said in buckets of five minutes.
//
// A series has a key: "all", "source:zendesk", "topic:delivery", "issue:12".
// A bucket of it holds how many verbatims were said then, sums of their
// sentiment and effort, and a list of who said it on which channel, so that
// people and channels are counted exactly and an erased verbatim is taken out
// again as it was put in.
//
// [Changes] gathers what a batch adds and takes away, and writes each bucket
// once. [Track] is what is kept in memory of one series for those who watch it:
// hours for eight weeks, and who said it in the last day.
package series

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
)

// Step is the length of a bucket.
const Step = 5 * time.Minute

// Slot is the number of the bucket that an instant lies in, from 1970.
func Slot(at time.Time) int64 {
	return floorDiv(at.Unix(), int64(Step/time.Second))
}

// SlotTime is when a bucket begins.
func SlotTime(slot int64) time.Time {
	return time.Unix(slot*int64(Step/time.Second), 0).UTC()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// All is the key of everything that was said.
const All = "all"

// Issue is the key of an issue's series.
func Issue(number int64) string { return "issue:" + strconv.FormatInt(number, 10) }

// Source is the key of what came from a source.
func Source(source string) string { return "source:" + source }

// Topic is the key of what was said about a topic.
func Topic(topic string) string { return "topic:" + topic }

// IssueOf gives the number in the key of an issue.
func IssueOf(key string) (number int64, ok bool) {
	digits, ok := strings.CutPrefix(key, "issue:")
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, ok && err == nil
}

// A Value is what one verbatim adds to a series.
type Value struct {
	At        time.Time
	Person    uint64   // hash of Verbatim.Person
	Channel   string   // one of earshot.Channels
	Sentiment *float64 // nil: has none
	Effort    *float64
}

// A Bucket is what was said in five minutes.
type Bucket struct {
	N         int
	Sentiment Sum
	Effort    Sum
	Who       []uint32 // one for each verbatim, sorted: 28 bits of the person's hash above 4 of the channel; at most MaxWho
}

// MaxWho is how many entries Who has at most; past it people and channels of a
// bucket are those of the ones that came first.
const MaxWho = 4096

// A Sum is a sum of scores in thousandths, which adds up and takes away without a rest.
type Sum struct {
	N     int64
	Milli int64
}

// Mean is the mean score, nil if there is none.
func (s Sum) Mean() *float64 {
	if s.N == 0 {
		return nil
	}
	m := float64(s.Milli) / 1000 / float64(s.N)
	return &m
}

// Add adds a score, or takes one away (sign −1). Nil is none.
func (s *Sum) Add(score *float64, sign int64) {
	if score != nil {
		s.N += sign
		s.Milli += sign * int64(math.Round(*score*1000))
	}
}

// People is how many different people are in the bucket.
func (b *Bucket) People() int {
	n, last := 0, uint32(math.MaxUint32)
	for _, w := range b.Who {
		if w>>4 != last {
			n, last = n+1, w>>4
		}
	}
	return n
}

// Channel is how many verbatims of a channel are in the bucket.
func (b *Bucket) Channel(channel string) int {
	n := 0
	for _, w := range b.Who {
		if w&15 == ChannelCode(channel) {
			n++
		}
	}
	return n
}

func who(v *Value) uint32 { return uint32(v.Person)<<4 | ChannelCode(v.Channel) }

// ChannelCode is a channel in 4 bits; 0 is none of earshot.Channels.
func ChannelCode(channel string) uint32 {
	return uint32(slices.Index(earshot.Channels, channel)+1) & 15
}

// ChannelOf gives the channel of a code, "" for 0.
func ChannelOf(code uint32) string {
	if code == 0 || int(code) > len(earshot.Channels) {
		return ""
	}
	return earshot.Channels[code-1]
}

func (b *Bucket) add(v *Value, sign int) {
	b.N += sign
	b.Sentiment.Add(v.Sentiment, int64(sign))
	b.Effort.Add(v.Effort, int64(sign))
	i, found := slices.BinarySearch(b.Who, who(v))
	switch {
	case sign > 0 && len(b.Who) < MaxWho:
		b.Who = slices.Insert(b.Who, i, who(v))
	case sign < 0 && found:
		b.Who = slices.Delete(b.Who, i, i+1)
	}
}

// encode packs a bucket: signed varints, then the differences of Who.
func (b *Bucket) encode() []byte {
	out := binary.AppendVarint(make([]byte, 0, 24+5*len(b.Who)), int64(b.N))
	for _, x := range []int64{b.Sentiment.N, b.Sentiment.Milli, b.Effort.N, b.Effort.Milli} {
		out = binary.AppendVarint(out, x)
	}
	last := uint32(0)
	for _, w := range b.Who {
		out = binary.AppendUvarint(out, uint64(w-last))
		last = w
	}
	return out
}

// Decode reads a bucket as it was stored.
func Decode(body []byte) (b Bucket, err error) {
	var head [5]int64
	for i := range head {
		x, n := binary.Varint(body)
		if n <= 0 {
			return b, errors.New("a bucket of a series is cut short")
		}
		head[i], body = x, body[n:]
	}
	b.N, b.Sentiment, b.Effort = int(head[0]), Sum{head[1], head[2]}, Sum{head[3], head[4]}
	last := uint32(0)
	for len(body) > 0 {
		x, n := binary.Uvarint(body)
		if n <= 0 || x > math.MaxUint32-uint64(last) {
			return b, errors.New("a bucket of a series is not what was written")
		}
		last += uint32(x)
		b.Who, body = append(b.Who, last), body[n:]
	}
	return b, nil
}

// DecodeN reads how many are in a bucket and nothing else.
func DecodeN(body []byte) int {
	n, _ := binary.Varint(body)
	return int(n)
}

// Changes are what a batch does to series. The zero value is none.
type Changes struct {
	cells map[cell][]change
}

type cell struct {
	key  string
	slot int64
}

type change struct {
	value Value
	sign  int
}

// Add counts a verbatim in a series.
func (c *Changes) Add(key string, v Value) { c.note(key, v, 1) }

// Remove takes it out again, with the value that it was counted with.
func (c *Changes) Remove(key string, v Value) { c.note(key, v, -1) }

func (c *Changes) note(key string, v Value, sign int) {
	if c.cells == nil {
		c.cells = map[cell][]change{}
	}
	at := cell{key, Slot(v.At)}
	c.cells[at] = append(c.cells[at], change{v, sign})
}

// A Buckets is where buckets are kept; nil is an empty one. store.Tx is one.
type Buckets interface {
	Bucket(key string, t int64) ([]byte, error)
	PutBucket(key string, t int64, body []byte) error
}

// Save writes the changes, each bucket once.
func (c *Changes) Save(to Buckets) error {
	order := make([]cell, 0, len(c.cells))
	for at := range c.cells {
		order = append(order, at)
	}
	slices.SortFunc(order, func(a, b cell) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.slot, b.slot))
	})
	for _, at := range order {
		body, err := to.Bucket(at.key, at.slot)
		if err != nil {
			return err
		}
		var b Bucket
		if body != nil {
			if b, err = Decode(body); err != nil {
				return err
			}
		}
		for _, ch := range c.cells[at] {
			b.add(&ch.value, ch.sign)
		}
		body = nil
		if b.N != 0 {
			body = b.encode()
		}
		if err := to.PutBucket(at.key, at.slot, body); err != nil {
			return err
		}
	}
	return nil
}
