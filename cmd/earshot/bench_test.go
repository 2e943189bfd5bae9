package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchTexts are of the lengths customers write, in the languages they write in.
var benchTexts = []string{
	"โทรไปคอลเซ็นเตอร์ %d รอบแล้ว รอสายนานมาก แอปก็ยังล็อกอินไม่ได้ ไม่มีใครตอบเลย แย่มาก",
	"退款申请提交第%d天了还没有到账，联系客服三次都说在处理中，真的很失望，快递也一直没有更新物流信息",
	"訂單編號 %d 到現在都沒有出貨，客服信箱也沒有人回覆，等了一個禮拜，太誇張了",
	"等咗%d日都未收到貨，打咗三次電話都冇人聽，客服完全唔覆，好嬲",
	"I waited %d minutes on hold and nobody answered, then the app crashed when I tried to pay. Very disappointing service.",
	"The courier was on time and the staff at store %d were friendly, checkout took two minutes. Love it!",
	"พนง.สาขา %d บริการดีมาก service เร็ว ประทับใจค่ะ ไว้จะมาใหม่",
}

func benchText(i int) string { return fmt.Sprintf(benchTexts[i%len(benchTexts)], i) }

// BenchmarkService measures the real program from outside, on the same machine:
// `make bench` runs it once. Every figure includes what the client costs.
func BenchmarkService(b *testing.B) {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 128
	for range b.N {
		if _, err := binary(); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		p := start(b, b.TempDir())
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "start-ms")

		// Whole pipeline: 20,000 verbatims in NDJSON, until the last is searchable.
		const docs = 20_000
		begun = time.Now()
		acked := p.bulk(b, "pipeline", docs/1000, 4)
		p.settleFor(b)
		b.ReportMetric(docs/time.Since(begun).Seconds(), "pipeline-docs/s")
		b.ReportMetric(acked, "bulk-acks/s")
		b.ReportMetric(p.rss(b), "rss-MB")

		p.searches(b)

		begun = time.Now()
		const singles = 20_000
		p.singles(b, singles, 64)
		b.ReportMetric(singles/time.Since(begun).Seconds(), "single-acks/s")
		p.settleFor(b)
		b.ReportMetric(p.rss(b), "rss-after-MB")
		_ = p.cmd.Process.Kill()
		<-p.done

		b.ReportMetric(analyzeRate(b), "analyze-docs/s/core")
	}
}

// bulk posts NDJSON bodies of 1,000 lines from several connections while the
// workers run, and gives acknowledged lines a second.
func (p *process) bulk(b *testing.B, source string, posts, connections int) float64 {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				n := int(next.Add(1)) - 1
				if n >= posts {
					return
				}
				var body bytes.Buffer
				for i := range 1000 {
					fmt.Fprintf(&body, `{"external_id":"%s-%d","source":%q,"channel":"chat","text":%q}`+"\n", source, n*1000+i, source, benchText(n*1000+i))
				}
				res, err := p.do("POST", "/v1/verbatims", "application/x-ndjson", &body)
				if err != nil {
					b.Error(err)
					return
				}
				lines := 0
				in := bufio.NewScanner(res.Body)
				for in.Scan() {
					lines++
				}
				_ = res.Body.Close()
				if lines != 1001 {
					b.Errorf("%d answers to 1000 lines", lines)
				}
			}
		}()
	}
	wg.Wait()
	return float64(posts) * 1000 / time.Since(begun).Seconds()
}

func (p *process) singles(b *testing.B, n, connections int) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				body := fmt.Sprintf(`{"external_id":"s-%d","source":"single","text":%q}`, i, benchText(i))
				res, err := p.do("POST", "/v1/verbatims", "application/json", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusAccepted {
					b.Errorf("status %s", res.Status)
				}
			}
		}()
	}
	wg.Wait()
}

// searches reports the median and the 95th percentile over queries of all kinds.
func (p *process) searches(b *testing.B) {
	b.Helper()
	queries := []string{"退款", "รอสาย", "refund OR crashed", `"没有到账"`, "客服 effort:>=0.5", "พนักงาน", "lang:en sentiment:<0",
		"電話", "-nobody", "", "courier time", "app channel:chat", `"waited 11 minutes"`, "出貨", "ประทับใจ"}
	var took []float64
	for range 20 {
		for _, q := range queries {
			begun := time.Now()
			res, err := p.do("GET", "/v1/search?facets=channel,lang,intent&q="+url.QueryEscape(q), "", nil)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Fatalf("search %s: %s", q, res.Status)
			}
			took = append(took, float64(time.Since(begun).Microseconds())/1000)
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "search-p50-ms")
	b.ReportMetric(took[len(took)*95/100], "search-p95-ms")
}

func (p *process) settleFor(b *testing.B) {
	b.Helper()
	res, err := p.do("POST", "/v1/verbatims?wait=true&timeout=60s", "application/json", strings.NewReader(`{"text":"settled"}`))
	if err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Fatalf("settle: %s", res.Status)
	}
}

// rss is the resident memory of the program in MB; 0 where /proc is not.
func (p *process) rss(b *testing.B) float64 {
	b.Helper()
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}

// analyzeRate is how many texts a second `earshot analyze` does on one core.
func analyzeRate(b *testing.B) float64 {
	b.Helper()
	path, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	run := func(n int) time.Duration {
		var in bytes.Buffer
		for i := range n {
			line, _ := json.Marshal(map[string]string{"text": benchText(i)})
			in.Write(append(line, '\n'))
		}
		cmd := exec.Command(path, "analyze")
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		cmd.Stdin = &in
		begun := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	const n = 40_000
	return n / (run(n+1) - run(1)).Seconds()
}
