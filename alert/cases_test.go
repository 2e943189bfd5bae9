package alert

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/series"
)

// An alertCase is a line of testdata/cases/cases.jsonl of area "alert".
type alertCase struct {
	ID, Area string
	Input    struct {
		Step      string
		Start     time.Time
		Counts    []int
		Share     *float64 `json:"distinct_customers_share"`
		Customers *struct {
			FromStep int `json:"from_step"`
			Distinct int
		}
	}
	Expect struct {
		Alert         bool
		FromStep      int   `json:"from_step"`
		First         []int `json:"first_alert_step"`
		Incidents     int
		Notifications struct{ Firing, Resolved int }
	}
}

// TestCases plays the reported faults: hourly counts, spread evenly over the
// twelve buckets of each hour, and everything looked at every five minutes.
func TestCases(t *testing.T) {
	f, err := os.Open("../testdata/cases/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	played := 0
	for in.Scan() {
		var only struct{ Area string }
		if err := json.Unmarshal(in.Bytes(), &only); err != nil {
			t.Fatal(err)
		}
		if only.Area != "alert" {
			continue
		}
		var c alertCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.ID, func(t *testing.T) { play(t, c) })
		played++
	}
	if played == 0 {
		t.Error("no cases of area alert")
	}
}

func play(t *testing.T, c alertCase) {
	if c.Input.Step != "1h" {
		t.Fatalf("step %s is not played", c.Input.Step)
	}
	var buckets []int
	track := Track{Born: c.Input.Start}
	for i, n := range c.Input.Counts {
		for k := range perHour {
			buckets = append(buckets, n*(k+1)/perHour-n*k/perHour)
		}
		if n > 0 {
			track.Hours = append(track.Hours, Hour{H: series.HourOf(c.Input.Start) + int64(i), N: int32(n)})
		}
	}
	var m Memory
	var a *earshot.Alert
	var opened []int // steps
	told := map[string]int{}
	for i := range buckets {
		now := c.Input.Start.Add(time.Duration(i)*5*time.Minute + 4*time.Minute)
		past := Track{Born: track.Born}
		for _, h := range track.Hours {
			if h.H <= series.HourOf(now) {
				past.Hours = append(past.Hours, h)
			}
		}
		var counts [3]Count
		for k, width := range []int{3, 12, 72} {
			to := c.Input.Start.Add(time.Duration(i+1) * 5 * time.Minute)
			counts[k].Window = earshot.Window{From: to.Add(-time.Duration(width) * 5 * time.Minute), To: to}
			one := 0 // verbatims of the one who posts many
			for b := max(0, i+1-width); b <= i; b++ {
				counts[k].N += buckets[b]
				if x := c.Input.Customers; x != nil && b >= x.FromStep*perHour {
					one += buckets[b]
				}
			}
			counts[k].People = counts[k].N - one
			if x := c.Input.Customers; x != nil {
				counts[k].People += min(one, x.Distinct)
			}
			if c.Input.Share != nil {
				counts[k].People = int(float64(counts[k].People)**c.Input.Share + 0.5)
			}
		}
		b := NewBaseline(past, nil, now)
		v := Judge(now, past, &b, counts, Normal)
		if a != nil && a.State != earshot.Resolved {
			if e := Look(a, &m, v, now, nil).Event; e != "" {
				told[e]++
			}
		} else if ok, _ := m.Opens(v, now); ok {
			a = Open("ALR-1", earshot.DefaultRule, earshot.Subject{}, &m, v, now, nil)
			told[Fired]++
			opened = append(opened, i/perHour)
		}
	}
	if !c.Expect.Alert {
		for _, step := range opened {
			if step >= c.Expect.FromStep {
				t.Errorf("opened at step %d; none was to open", step)
			}
		}
		return
	}
	if len(opened) != c.Expect.Incidents || told[Fired] != c.Expect.Notifications.Firing || told[Resolved] != c.Expect.Notifications.Resolved {
		t.Fatalf("opened at steps %v, told %v; want %+v", opened, told, c.Expect)
	}
	if opened[0] < c.Expect.First[0] || opened[0] > c.Expect.First[1] {
		t.Errorf("opened at step %d, want %v", opened[0], c.Expect.First)
	}
}
