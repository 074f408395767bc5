package progress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPlainBatchTellsEachJobAndNowAndThenTheWhole(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "plain"}).(*plain)
	clock := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return clock }
	r.Event(Start, "3 jobs", nil)
	r.Update(Batch{Total: 3, ETA: -1})
	r.Update(Batch{Total: 3, Done: 1, ETA: 75 * time.Second})
	r.Event(Job, `"coast" done`, map[string]any{"state": "done"})
	clock = clock.Add(batchEvery)
	r.Update(Batch{Total: 3, Done: 1, Failed: 1, ETA: 10 * time.Second, Text: "sea 40 %"})
	r.Update(Batch{Total: 3, Done: 1, Failed: 1, ETA: 9 * time.Second})
	r.Close()
	want := "3 jobs\n03:04:05 1/3 done  eta 1:15  \"coast\" done\n03:04:35 1/3 done  1 failed  eta 0:10  sea 40 %\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestJSONBatchIsOneObjectPerLine(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "json", Quiet: true})
	r.Event(Start, "header", map[string]any{"jobs": 3})
	r.Update(Batch{Total: 3, Done: 1, Failed: 1, Running: 1, Fraction: math.NaN(), ETA: -1})
	r.Event(Job, "coast", map[string]any{"state": "failed"})
	r.Event(Result, "told", nil)
	var types []string
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var object map[string]any
		if err := json.Unmarshal(lines.Bytes(), &object); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		types = append(types, object["type"].(string))
		if object["type"] == "batch" && (object["done"] != 1.0 || object["failed"] != 1.0 || object["fraction"] != nil || object["eta_s"] != nil) {
			t.Errorf("batch is %v", object)
		}
	}
	if got := strings.Join(types, " "); got != "start batch job result" {
		t.Errorf("types are %s", got)
	}
}

func TestBatchTailFitsTheLine(t *testing.T) {
	b := Batch{Total: 1000, Done: 999, Failed: 1, ETA: time.Hour, Text: strings.Repeat("höhe ", 40)}
	for room := 40; room < 120; room++ {
		if n := utf8.RuneCountInString(b.tail(room)); n > room {
			t.Errorf("%d columns in a room of %d", n, room)
		}
	}
}

func TestBatchBarTellsFailuresAboveIt(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "bar", Width: 80})
	r.Event(Start, "2 jobs", nil)
	r.Update(Batch{Total: 2, Running: 1, ETA: -1})
	r.Update(Batch{Total: 2, Done: 1, Failed: 1, Fraction: 1, ETA: 0})
	r.Event(Job, "sea failed: no", map[string]any{"state": "failed"})
	r.Event(Job, "coast done", map[string]any{"state": "done"})
	r.Event(Result, "1 done, 1 failed", nil)
	r.Close()
	text := out.String()
	if !strings.Contains(text, "sea failed: no") || strings.Contains(text, "coast done") || !strings.Contains(text, "1/2 done  1 failed") {
		t.Errorf("got %q", text)
	}
	if at := strings.Index(text, "1 done, 1 failed"); at < 0 || at < strings.LastIndex(text, "1/2 done") {
		t.Errorf("the result does not come last: %q", text)
	}
}
