package server

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/earshot-cx/earshot/engine"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/nlp"
	"github.com/earshot-cx/earshot/store"
)

var pipeline = sync.OnceValues(nlp.New)

// newWhole is a service over the real engine, index and store.
func newWhole(t *testing.T) *service {
	t.Helper()
	p, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	return newServiceOver(t, Limits{}, func(st *store.SQLite) Engine {
		view, err := index.Open(filepath.Join(t.TempDir(), "index"), p, index.Options{})
		if err != nil {
			t.Fatal(err)
		}
		eng, err := engine.New(t.Context(), engine.Options{Store: st, Index: view, NLP: p})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- eng.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := view.Close(); err != nil {
				t.Error(err)
			}
		})
		return eng
	})
}

// TestPostScoreFind posts a message in each language and finds it by words,
// written in either script, with marks that are exact spans of its text.
func TestPostScoreFind(t *testing.T) {
	s := newWhole(t)
	for _, c := range []struct {
		text, lang, effort string
		finds              map[string]string // query → what is marked, joined by "|"; "" is not found
	}{
		{"等了一下午都没人来，我真的很不高兴", "zh-Hans", "hard", map[string]string{"下午": "下午", "沒人": "没人", `"很不高兴"`: "很不高兴", "明天": ""}},
		{"請重開發票，抬頭打錯了，客服聯絡不上", "zh-Hant", "", map[string]string{"发票": "發票", "發票 客服": "發票|客服", `"抬头打错"`: "抬頭打錯"}},
		{"打咗三次電話都冇人聽，嬲到爆", "yue", "hard", map[string]string{"电话": "電話", `"冇人聽"`: "冇人聽"}},
		{"I called 3 times about my refunds and nobody answered", "en", "hard", map[string]string{"refund": "refunds", "CALL": "called", `"nobody answered"`: "nobody answered", "fund": ""}},
		{"เขากำลังกินข้าวอยู่ที่ร้าน บริการดีมาก", "th", "", map[string]string{"กิน": "กิน", "บริการ": "บริการ", `"กำลังกินข้าว"`: "กำลังกินข้าว", "แมว": ""}},
		{"审计工作规定已经发布", "zh-Hans", "", map[string]string{"审计": "审计", `"计工作"`: "计工作"}},
		{"惠州门店的张小凡服务很好", "zh-Hans", "", map[string]string{"广州": "", `"张小凡"`: "张小凡"}},
		{"พนง. service แย่มาก WIFI ใช้ไม่ได้", "th", "", map[string]string{"wifi": "WIFI", "service แย่": "service|แย่"}},
	} {
		body := fmt.Sprintf(`{"text":%q}`, c.text)
		rec := s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", body), "200").json(t)
		if rec["lang"] != c.lang {
			t.Errorf("%s: lang %v, want %s", c.text, rec["lang"], c.lang)
		}
		if effort := rec["effort"]; c.effort == "hard" && (effort == nil || effort.(map[string]any)["score"].(float64) <= 0) {
			t.Errorf("%s: effort %v, want hard", c.text, effort)
		}
		for q, want := range c.finds {
			page := s.want(s.send("GET", "/v1/search?q="+url.QueryEscape(q), "a/read", ""), "200").json(t)
			got := ""
			for _, item := range page["items"].([]any) {
				if hit := item.(map[string]any); hit["id"] == rec["id"] {
					var marked []string
					for _, m := range hit["marks"].([]any) {
						span := m.(map[string]any)
						marked = append(marked, c.text[int(span["start"].(float64)):int(span["end"].(float64))])
					}
					got = strings.Join(marked, "|")
				}
			}
			if got != want {
				t.Errorf("search %s on %q: marked %q, want %q", q, c.text, got, want)
			}
		}
	}
}

// TestRevised: a longer transcript takes the place of the shorter one, in the
// index as in the record; other content is a conflict unless it may replace.
func TestRevised(t *testing.T) {
	s := newWhole(t)
	const first = `{"speaker":"agent","text":"สวัสดีค่ะ"},{"speaker":"customer","text":"เน็ตหลุดบ่อยมาก"}`
	post := func(turns, brief string) map[string]any {
		t.Helper()
		return s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", `{"external_id":"call-1","turns":[`+turns+`]}`), brief).json(t)
	}
	one := post(first, "200")
	two := post(first+`,{"speaker":"customer","text":"refund please"}`, "200")
	if one["id"] != two["id"] || two["revision"] != 2.0 {
		t.Errorf("revised to %v revision %v, want %v revision 2", two["id"], two["revision"], one["id"])
	}
	if segments := two["segments"].([]any); segments[0].(map[string]any)["sentiment"] != nil {
		t.Error("an agent's words have a sentiment")
	}
	page := s.want(s.send("GET", "/v1/search?q=refund", "a/read", ""), "200").json(t)
	if page["total"] != 1.0 {
		t.Errorf("%v hits for a turn that was added, want 1", page["total"])
	}
	other := `{"external_id":"call-1","turns":[{"speaker":"customer","text":"something else"}]}`
	s.want(s.send("POST", "/v1/verbatims", "a/ingest", other), "409 conflict")
	s.want(s.send("POST", "/v1/verbatims?replace=true&wait=true", "a/admin", other), "200")
	page = s.want(s.send("GET", "/v1/search?q=refund", "a/read", ""), "200").json(t)
	if page["total"] != 0.0 {
		t.Errorf("%v hits for words that were replaced, want 0", page["total"])
	}
}

// TestWholeNothingCrosses walks every route with the keys of two tenants over
// the real engine: neither sees anything of the other.
func TestWholeNothingCrosses(t *testing.T) {
	s := newWhole(t)
	ids, hooks := map[string]string{}, map[string]string{}
	for _, tenant := range []string{"a", "b"} {
		rec := s.want(s.send("POST", "/v1/verbatims?wait=true", tenant+"/admin",
			`{"external_id":"same","customer":"cust-`+tenant+`","text":"only-`+tenant+` ส่งของช้า 客服"}`), "200").json(t)
		ids[tenant] = rec["id"].(string)
		hook := s.want(s.send("POST", "/v1/webhooks", tenant+"/admin", `{"url":"https://only-`+tenant+`.example"}`), "201").json(t)
		hooks[tenant] = hook["id"].(string)
	}
	for own, other := range map[string]string{"a": "b", "b": "a"} {
		for _, rt := range routes {
			switch rt.path {
			case "/v1/keys/:id", "/v1/rules/:id": // of keys, see TestNothingCrosses; rules are everybody's
				continue
			case eventsPath: // has no end; see TestWholeStream
				continue
			}
			path := strings.ReplaceAll(rt.path, "/v1/webhooks/:id", "/v1/webhooks/"+hooks[other])
			path = strings.ReplaceAll(path, ":id", ids[other])
			r := s.send(rt.method, path, own+"/root", bodyOf(rt, own))
			if path != rt.path && r.status != 404 {
				t.Errorf("%s %s as %s: %s, want 404", rt.method, path, own, r.brief())
			}
			if r.status >= 500 || strings.Contains(r.body, "only-"+other) || strings.Contains(r.body, ids[other]) || strings.Contains(r.body, "cust-"+other) || strings.Contains(r.body, hooks[other]) {
				t.Errorf("%s %s as %s tells of %s: %s", rt.method, path, own, other, r.brief())
			}
		}
		page := s.want(s.send("GET", "/v1/search?q=&facets=customer,source", own+"/read", ""), "200").json(t)
		if page["total"] != 1.0 {
			t.Errorf("%s finds %v verbatims, want its own", own, page["total"])
		}
		s.want(s.send("GET", "/v1/verbatims/"+ids[own], own+"/read", ""), "200")
	}
	s.want(s.send("DELETE", "/v1/verbatims/"+ids["a"], "a/admin", ""), "204")
	s.want(s.send("GET", "/v1/verbatims/"+ids["a"], "a/read", ""), "404 not_found")
	s.want(s.send("GET", "/v1/verbatims/"+ids["b"], "b/read", ""), "200")
}

// TestHostileTexts are taken, analysed and found; the service stays well.
func TestHostileTexts(t *testing.T) {
	s := newWhole(t)
	for name, text := range map[string]string{
		"letters whose lower case is longer": "ȺȺȺȺȺn't",
		"marks":                              strings.Repeat("!", 50_000),
		"one Thai letter":                    strings.Repeat("ก", 100_000),
		"one long word":                      strings.Repeat("a", 1_000_000),
		"combining marks":                    strings.Repeat("\u0301", 200_000),
		"Thai vowels without a letter":       strings.Repeat("ั้", 50_000),
		"numbers and gaps":                   strings.Repeat("3 รอบ waited 2 hours 三次 ", 8_000),
		"quotes":                             strings.Repeat("“'\"」", 50_000),
		"flags":                              strings.Repeat("🇹🇭👨‍👩‍👧", 10_000),
	} {
		rec := s.want(s.send("POST", "/v1/verbatims?wait=true&timeout=30s", "a/admin", fmt.Sprintf(`{"text":"%s"}`, strings.ReplaceAll(text, `"`, `\"`))), "200")
		if !strings.Contains(rec.body, `"segments"`) {
			t.Errorf("%s: not analysed", name)
		}
	}
	r := s.want(s.send("POST", "/v1/verbatims?wait=true", "a/admin", "{\"text\":\"caf\xff\\u0000 ok\"}"), "200").json(t)
	if notes := r["notes"].([]any); notes[0].(map[string]any)["code"] != "text_cleaned" {
		t.Errorf("notes %v", notes)
	}
}
