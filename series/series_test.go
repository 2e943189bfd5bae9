package series

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/earshot-cx/earshot"
)

// A shelf keeps buckets in memory.
type shelf struct {
	bodies map[cell][]byte
	puts   map[cell]int
	err    error // of the next call
}

func newShelf() *shelf { return &shelf{bodies: map[cell][]byte{}, puts: map[cell]int{}} }

func (s *shelf) Bucket(key string, t int64) ([]byte, error) {
	return s.bodies[cell{key, t}], s.err
}

func (s *shelf) PutBucket(key string, t int64, body []byte) error {
	s.puts[cell{key, t}]++
	if body == nil {
		delete(s.bodies, cell{key, t})
	} else {
		s.bodies[cell{key, t}] = body
	}
	return s.err
}

func (s *shelf) bucket(t testing.TB, key string, slot int64) *Bucket {
	t.Helper()
	b, err := Decode(s.bodies[cell{key, slot}])
	if err != nil {
		t.Fatal(err)
	}
	return &b
}

func save(t testing.TB, c *Changes, to Buckets) {
	t.Helper()
	if err := c.Save(to); err != nil {
		t.Fatal(err)
	}
	*c = Changes{}
}

func score(x float64) *float64 { return &x }

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestSlot(t *testing.T) {
	for _, c := range []struct {
		at, begins string
		slot, hour int64
	}{
		{"1970-01-01 00:00:00", "1970-01-01 00:00:00", 0, 0},
		{"1970-01-01 00:04:59", "1970-01-01 00:00:00", 0, 0},
		{"1970-01-01 00:05:00", "1970-01-01 00:05:00", 1, 0},
		{"1970-01-01 01:00:00", "1970-01-01 01:00:00", 12, 1},
		{"1969-12-31 23:59:59", "1969-12-31 23:55:00", -1, -1},
		{"1969-12-31 23:55:00", "1969-12-31 23:55:00", -1, -1},
		{"1969-12-31 23:54:59", "1969-12-31 23:50:00", -2, -1},
		{"1969-12-31 22:59:59", "1969-12-31 22:55:00", -13, -2},
		{"2026-11-11 00:00:01", "2026-11-11 00:00:00", 5981184, 498432},
		{"9999-12-31 23:59:59", "9999-12-31 23:55:00", 844674335, 70389527},
	} {
		slot := Slot(at(c.at))
		if got := SlotTime(slot).Format("2006-01-02 15:04:05"); got != c.begins {
			t.Errorf("%s lies in the bucket of %s, want %s", c.at, got, c.begins)
		}
		if slot != c.slot || HourOf(at(c.at)) != c.hour {
			t.Errorf("%s: slot %d, hour %d; want %d, %d", c.at, slot, HourOf(at(c.at)), c.slot, c.hour)
		}
		if Slot(SlotTime(slot)) != slot {
			t.Errorf("slot %d begins in slot %d", slot, Slot(SlotTime(slot)))
		}
	}
	bangkok := time.FixedZone("+07", 7*3600)
	if a, b := Slot(at("2026-11-11 00:02:00")), Slot(at("2026-11-11 00:02:00").In(bangkok)); a != b {
		t.Errorf("one instant lies in slots %d and %d", a, b)
	}
}

func TestKeys(t *testing.T) {
	for key, want := range map[string]string{
		Issue(12): "issue:12", Source("zendesk"): "source:zendesk", Topic("delivery"): "topic:delivery", Source("issue:3"): "source:issue:3",
	} {
		if key != want {
			t.Errorf("key %q, want %q", key, want)
		}
	}
	for key, want := range map[string]int64{
		"issue:1": 1, "issue:9223372036854775807": math.MaxInt64,
		All: -1, "": -1, "issue:": -1, "issue:x": -1, "issue:1.0": -1, "source:issue:1": -1, "issue:9223372036854775808": -1,
	} {
		if n, ok := IssueOf(key); ok != (want >= 0) || ok && n != want {
			t.Errorf("IssueOf(%q) = %d, %v", key, n, ok)
		}
	}
}

func TestChannels(t *testing.T) {
	seen := map[uint32]string{}
	for _, channel := range earshot.Channels {
		code := ChannelCode(channel)
		if code == 0 || code > 15 || seen[code] != "" || ChannelOf(code) != channel {
			t.Errorf("%s has code %d, which is %q", channel, code, ChannelOf(code))
		}
		seen[code] = channel
	}
	if ChannelCode("") != 0 || ChannelCode("fax") != 0 || ChannelOf(0) != "" || ChannelOf(15) != "" || ChannelOf(math.MaxUint32) != "" {
		t.Error("what is no channel has a code or a name")
	}
}

func TestSum(t *testing.T) {
	var s Sum
	if s.Mean() != nil {
		t.Error("the mean of nothing is not nil")
	}
	s.Add(nil, 1)
	s.Add(score(-0.3334), 1)
	s.Add(score(1), 1)
	s.Add(score(0), 1)
	if s != (Sum{3, 667}) {
		t.Errorf("sum %v", s)
	}
	if m := s.Mean(); m == nil || math.Abs(*m-0.667/3) > 1e-12 {
		t.Errorf("mean %v", *m)
	}
	for _, x := range []float64{0, 1, -0.3334} {
		s.Add(score(x), -1)
	}
	if s != (Sum{}) {
		t.Errorf("after all were taken away: %v", s)
	}
}

// values makes values of few people in few buckets, before and after 1970.
func values(rng *rand.Rand, n int) []Value {
	list := make([]Value, n)
	for i := range list {
		v := &list[i]
		v.At = time.Unix(rng.Int64N(3600)-1800, 0)
		v.Person = rng.Uint64N(9) * 0x9E3779B97F4A7C15
		v.Channel = append(earshot.Channels, "", "fax")[rng.IntN(len(earshot.Channels)+2)]
		if rng.IntN(3) > 0 {
			v.Sentiment = score(rng.Float64()*2 - 1)
		}
		if rng.IntN(3) == 0 {
			v.Effort = score(rng.Float64()*2 - 1)
		}
	}
	return list
}

// TestTakenBack: what was counted adds up, and is taken back to nothing,
// whatever the order and however it is parted into batches.
func TestTakenBack(t *testing.T) {
	keys := []string{All, Source("a"), Issue(1)}
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newShelf()
		var c Changes
		type counted struct {
			key string
			v   Value
		}
		var in []counted
		step := func(add bool) {
			if add {
				x := counted{keys[rng.IntN(len(keys))], values(rng, 1)[0]}
				in = append(in, x)
				c.Add(x.key, x.v)
			} else if len(in) > 0 {
				k := rng.IntN(len(in))
				c.Remove(in[k].key, in[k].v)
				in = slices.Delete(in, k, k+1)
			}
			if rng.IntN(7) == 0 {
				save(t, &c, s)
			}
		}
		for range 300 {
			step(rng.IntN(3) > 0)
		}
		save(t, &c, s)
		want := map[cell]*Bucket{}
		for _, x := range in {
			at := cell{x.key, Slot(x.v.At)}
			b := want[at]
			if b == nil {
				b = &Bucket{}
				want[at] = b
			}
			b.N++
			b.Sentiment.Add(x.v.Sentiment, 1)
			b.Effort.Add(x.v.Effort, 1)
			b.Who = append(b.Who, uint32(x.v.Person)<<4|ChannelCode(x.v.Channel))
			slices.Sort(b.Who)
		}
		got := map[cell]*Bucket{}
		for at := range s.bodies {
			got[at] = s.bucket(t, at.key, at.slot)
			if n := DecodeN(s.bodies[at]); n != got[at].N {
				t.Errorf("DecodeN says %d of a bucket of %d", n, got[at].N)
			}
		}
		if d := gocmp.Diff(want, got, gocmp.AllowUnexported(cell{})); d != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
		for len(in) > 0 {
			step(false)
		}
		save(t, &c, s)
		if len(s.bodies) != 0 {
			t.Fatalf("seed %d: %d buckets remain of nothing", seed, len(s.bodies))
		}
	}
}

// TestPeople: people and channels are counted exactly, also of one person on
// two channels.
func TestPeople(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := newShelf()
		var c Changes
		people, channels := map[uint64]bool{}, map[string]int{}
		for _, v := range values(rng, rng.IntN(60)+1) {
			v.At = time.Unix(0, 0)
			c.Add(All, v)
			people[v.Person] = true
			channels[v.Channel]++
		}
		save(t, &c, s)
		b := s.bucket(t, All, 0)
		if b.People() != len(people) {
			t.Errorf("%d people, want %d", b.People(), len(people))
		}
		for _, channel := range earshot.Channels {
			if got := b.Channel(channel); got != channels[channel] {
				t.Errorf("%d on %s, want %d", got, channel, channels[channel])
			}
		}
	}
	var none Bucket
	if none.People() != 0 || none.Channel("chat") != 0 {
		t.Error("an empty bucket has people")
	}
	all := Bucket{Who: []uint32{0, 1, math.MaxUint32 - 1, math.MaxUint32}} // the first and the last hash
	if all.People() != 2 {
		t.Errorf("%d people, want 2", all.People())
	}
}

// TestMaxWho: a bucket of very many keeps those that came first, counts all,
// and is still taken back to nothing.
func TestMaxWho(t *testing.T) {
	s := newShelf()
	var c Changes
	const n = MaxWho + 500
	value := func(i int) Value {
		return Value{At: time.Unix(0, 0), Person: uint64(i) + 1, Channel: "chat", Sentiment: score(-0.5)}
	}
	for i := range n {
		c.Add(All, value(i))
		if i%1000 == 999 {
			save(t, &c, s)
		}
	}
	save(t, &c, s)
	b := s.bucket(t, All, 0)
	if b.N != n || b.Sentiment != (Sum{n, -500 * n}) || len(b.Who) != MaxWho || b.People() != MaxWho || b.Channel("chat") != MaxWho {
		t.Errorf("N %d, %v, %d in Who, %d people", b.N, b.Sentiment, len(b.Who), b.People())
	}
	if first, last := b.Who[0]>>4, b.Who[MaxWho-1]>>4; first != 1 || last != MaxWho {
		t.Errorf("Who is %d … %d, want those that came first", first, last)
	}
	again, err := Decode(b.encode())
	if err != nil || gocmp.Diff(*b, again) != "" {
		t.Errorf("a full bucket does not come back: %v", err)
	}
	c.Remove(All, value(n-1)) // one that is not in Who
	save(t, &c, s)
	if b := s.bucket(t, All, 0); b.N != n-1 || len(b.Who) != MaxWho {
		t.Errorf("after one of the last left: N %d, %d in Who", b.N, len(b.Who))
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(n - 1)
	for _, i := range order {
		c.Remove(All, value(i))
	}
	save(t, &c, s)
	if len(s.bodies) != 0 {
		t.Error("a bucket of nothing remains")
	}
}

// TestOnceEach: a batch writes each bucket once, in one order, and an error of
// the store is the caller's.
func TestOnceEach(t *testing.T) {
	s := newShelf()
	var c Changes
	save(t, &c, s) // nothing: the zero value
	if len(s.puts) != 0 {
		t.Error("no change was written")
	}
	for i := range 100 {
		c.Add(All, Value{At: time.Unix(int64(i*60), 0), Person: uint64(i)})
	}
	save(t, &c, s)
	for at, n := range s.puts {
		if n != 1 {
			t.Errorf("bucket %v was written %d times", at, n)
		}
	}
	if len(s.puts) != 20 {
		t.Errorf("%d buckets, want 20", len(s.puts))
	}
	c.Add(All, Value{})
	s.err = errors.New("disk full")
	if err := c.Save(s); !errors.Is(err, s.err) {
		t.Errorf("Save said %v", err)
	}
	s.err = nil
	s.bodies[cell{All, 0}] = []byte{0x80}
	var d Changes
	d.Add(All, Value{At: time.Unix(0, 0)})
	if err := d.Save(s); err == nil {
		t.Error("a bucket that can't be read was written over")
	}
}

func TestDecode(t *testing.T) {
	ok := (&Bucket{N: 2, Sentiment: Sum{2, -1500}, Effort: Sum{1, 999}, Who: []uint32{17, 17, math.MaxUint32}}).encode()
	for name, body := range map[string][]byte{
		"nothing":                  nil,
		"half a number":            {0x80},
		"four numbers":             {2, 2, 2, 2},
		"cut within the head":      ok[:3],
		"cut within who":           ok[:len(ok)-1],
		"a number of eleven bytes": append(slices.Repeat([]byte{0xff}, 10), 1),
		"who of eleven bytes":      append([]byte{2, 0, 0, 0, 0}, append(slices.Repeat([]byte{0xff}, 10), 1)...),
	} {
		if b, err := Decode(body); err == nil {
			t.Errorf("%s is the bucket %v", name, b)
		}
	}
	if b, err := Decode(ok); err != nil || b.People() != 2 || b.N != 2 {
		t.Errorf("%v, %v", b, err)
	}
	if DecodeN(nil) != 0 || DecodeN([]byte{0x80}) != 0 {
		t.Error("there are some in nothing")
	}
	// Who is sorted: what runs over 32 bits was not written by encode.
	over := binary.AppendUvarint(binary.AppendUvarint([]byte{2, 0, 0, 0, 0}, math.MaxUint32), 1)
	if b, err := Decode(over); err == nil && !slices.IsSorted(b.Who) {
		t.Errorf("differences that run over 32 bits are read as an unsorted Who %v and no error", b.Who)
	}
}

// FuzzDecode: what is read can be written and is read the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2, 0, 0, 0, 0, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0})
	f.Add((&Bucket{N: 3, Sentiment: Sum{3, -300}, Who: []uint32{1, 18, 1 << 31}}).encode())
	f.Fuzz(func(t *testing.T, body []byte) {
		DecodeN(body)
		b, err := Decode(body)
		if err != nil {
			return
		}
		b.People()
		b.Channel("chat")
		again, err := Decode(b.encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(b, again, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
		s := newShelf()
		s.bodies[cell{All, 0}] = body
		var c Changes
		c.Add(All, Value{At: time.Unix(0, 0), Person: 7, Channel: "call", Effort: score(1)})
		c.Remove(All, Value{At: time.Unix(0, 0), Person: 7, Channel: "call", Effort: score(1)})
		if err := c.Save(s); err != nil {
			t.Error(err)
		}
	})
}

// A brute is a track that remembers everything and looks through it.
type brute struct {
	said   map[string]Said
	at     map[string]time.Time
	recent map[string]bool // was not too old when it came
}

func (b *brute) between(from, to int64) (n int) {
	for _, at := range b.at {
		if h := HourOf(at); from <= h && h < to {
			n++
		}
	}
	return n
}

func (b *brute) in(from, to int64) []Said {
	var list []Said
	for id, s := range b.said {
		if b.recent[id] && from <= s.Slot && s.Slot < to {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y Said) int {
		return cmp.Or(cmp.Compare(x.Slot, y.Slot), cmp.Compare(x.Verbatim, y.Verbatim))
	})
	return list
}

func live(list []Said) (n int) {
	for _, s := range list {
		if s.Live {
			n++
		}
	}
	return n
}

// agree asks both the same questions, as far back as may be asked at now.
func agree(t *testing.T, rng *rand.Rand, track *Track, oracle *brute, now time.Time) {
	t.Helper()
	first, last := HourOf(now.Add(-KeepHours)), HourOf(now)+30
	for range 5 {
		from := first + rng.Int64N(last-first+1)
		to := from + rng.Int64N(24*60)
		if got, want := track.Between(from, to), oracle.between(from, to); got != want {
			t.Fatalf("Between(%d, %d) = %d, want %d", from, to, got, want)
		}
	}
	begin, end := Slot(now.Add(-KeepRecent)), Slot(now)+300
	for range 5 {
		from := begin + rng.Int64N(end-begin+1)
		to := from + rng.Int64N(400)
		got, want := track.In(from, to), oracle.in(from, to)
		if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("In(%d, %d) (-want +got):\n%s", from, to, d)
		}
		if n := track.LiveIn(from, to); n != live(want) {
			t.Fatalf("LiveIn(%d, %d) = %d, want %d", from, to, n, live(want))
		}
	}
	if got, want := track.Between(first, last+300), oracle.between(first, last+300); got != want {
		t.Fatalf("all hours hold %d, want %d", got, want)
	}
	if !slices.IsSortedFunc(track.Hours, func(a, b Hour) int { return cmp.Compare(a.H, b.H) }) || !slices.IsSortedFunc(track.Recent, CompareSaid) {
		t.Fatal("a track is out of order")
	}
	for _, h := range track.Hours {
		if h.N <= 0 {
			t.Fatalf("hour %d holds %d", h.H, h.N)
		}
	}
}

// TestTrack holds a track against one that remembers everything, while
// verbatims come early and late, leave again and what is old is forgotten.
func TestTrack(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			now := time.Unix(0, 0).Add(-time.Duration(seed) * 24 * time.Hour) // some before 1970, some across it
			track, oracle := &Track{}, &brute{map[string]Said{}, map[string]time.Time{}, map[string]bool{}}
			for i := range 300 {
				now = now.Add(time.Duration(rng.Int64N(int64(6 * time.Hour))))
				switch ids := slices.Sorted(maps.Keys(oracle.said)); {
				case rng.IntN(4) > 0 || len(ids) == 0:
					at := now.Add(-time.Duration(rng.Int64N(int64(time.Hour))))
					switch rng.IntN(12) {
					case 0: // late
						at = now.Add(-time.Duration(rng.Int64N(int64(40 * time.Hour))))
					case 1: // imported
						at = now.Add(-time.Duration(rng.Int64N(int64(KeepHours / 2))))
					case 2: // a clock that is ahead
						at = now.Add(time.Duration(rng.Int64N(int64(24 * time.Hour))))
					}
					s := Said{Verbatim: fmt.Sprintf("v%d", rng.IntN(9)*1000+i), Person: rng.Uint64N(5), Channel: "chat", Live: rng.IntN(3) > 0, Troubled: rng.IntN(2) > 0}
					track.Add(at, s, now)
					s.Slot = Slot(at)
					oracle.said[s.Verbatim], oracle.at[s.Verbatim] = s, at
					oracle.recent[s.Verbatim] = !at.Before(now.Add(-KeepRecent))
				default:
					id := ids[rng.IntN(len(ids))]
					if oracle.at[id].After(now.Add(-KeepHours).Truncate(time.Hour)) {
						track.Remove(oracle.at[id], id)
						delete(oracle.said, id)
						delete(oracle.at, id)
					}
				}
				agree(t, rng, track, oracle, now)
				if rng.IntN(10) == 0 {
					track.Trim(now)
					agree(t, rng, track, oracle, now)
				}
			}
			track.Trim(now.Add(10 * KeepHours))
			if len(track.Hours) != 0 || len(track.Recent) != 0 || track.LiveIn(math.MinInt64, math.MaxInt64) != 0 {
				t.Errorf("ten times eight weeks later there is still %v", track)
			}
		})
	}
}

// TestTrackBack: what is added and removed leaves nothing.
func TestTrackBack(t *testing.T) {
	var track Track
	now := at("2026-11-11 12:00:00")
	for i := range 50 {
		track.Add(now.Add(-time.Duration(i)*time.Hour), Said{Verbatim: fmt.Sprint(i), Live: true}, now)
	}
	if n := track.LiveIn(math.MinInt64, math.MaxInt64); n != 27 {
		t.Errorf("%d are live, want those of 26 hours and their first moment", n)
	}
	for i := range 50 {
		track.Remove(now.Add(-time.Duration(i)*time.Hour), fmt.Sprint(i))
	}
	track.Remove(now, "never there")
	if len(track.Hours)+len(track.Recent)+len(track.live) != 0 {
		t.Errorf("%+v remains", track)
	}
}

// TestRecall: a track put together from what is stored is the one that went on.
func TestRecall(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	now := at("2026-11-11 12:00:00")
	var track, again Track
	for i := range 200 {
		at := now.Add(-time.Duration(rng.Int64N(int64(26 * time.Hour))))
		s := Said{Verbatim: fmt.Sprintf("%03d", i), Person: uint64(i), Live: i%2 == 0}
		track.Add(at, s, now)
		again.AddHour(HourOf(at), 1)
		again.Recall(at, s)
	}
	slices.SortFunc(again.Recent, CompareSaid)
	if d := gocmp.Diff(track, again, gocmp.AllowUnexported(Track{})); d != "" {
		t.Errorf("(-went on +recalled):\n%s", d)
	}
}

func TestSetMerge(t *testing.T) {
	now := at("2026-11-11 12:00:00")
	set := Set{}
	add := func(key string, ago time.Duration, id string, live bool) {
		set.Of(key).Add(now.Add(-ago), Said{Verbatim: id, Person: 1, Live: live}, now)
	}
	add("from", 0, "a", true)
	add("from", time.Minute, "both", true)
	add("from", time.Hour, "b", false)
	add("from", 48*time.Hour, "old", true)
	add("into", time.Minute, "both", true)
	add("into", 2*time.Hour, "c", true)
	twice := set.Merge("from", "into")
	if len(twice) != 1 || twice[0].Verbatim != "both" {
		t.Errorf("twice were %v, want both", twice)
	}
	if set["from"] != nil || set.Merge("from", "into") != nil || set.Merge("never", "into") != nil {
		t.Error("what was merged is still there")
	}
	into := set.Of("into")
	var ids []string
	for _, s := range into.In(math.MinInt64, math.MaxInt64) {
		ids = append(ids, s.Verbatim)
	}
	if d := gocmp.Diff([]string{"c", "b", "both", "a"}, ids); d != "" {
		t.Errorf("recent (-want +got):\n%s", d)
	}
	if n := into.LiveIn(math.MinInt64, math.MaxInt64); n != 3 {
		t.Errorf("%d are live, want 3", n)
	}
	if n := into.Between(math.MinInt64, math.MaxInt64); n != 6 {
		t.Errorf("%d in the hours, want 6: as in the buckets, one that was in both is there twice", n)
	}
}

func TestSetTrim(t *testing.T) {
	set := Set{}
	now := at("2026-11-11 12:00:00")
	for _, key := range []string{"a", "b"} {
		set.Of(key).Add(now, Said{Verbatim: "v"}, now)
	}
	if set.Of("a") != set["a"] || len(set) != 2 {
		t.Error("Of makes a track twice")
	}
	set.Trim(now.Add(KeepRecent + Step))
	for key, track := range set {
		if len(track.Recent) != 0 || len(track.Hours) != 1 {
			t.Errorf("%s holds %d recent and %d hours, want 0 and 1", key, len(track.Recent), len(track.Hours))
		}
	}
}
