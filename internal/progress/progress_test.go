package progress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func sample(iter int) Update {
	return Update{Scale: 1, Scales: 2, W: 64, H: 48, Iter: iter, Iters: 10, ItsPerSecond: 6.4,
		ETA: 14 * time.Second, Loss: 18300, Terms: []Term{{"style", 12000}, {"content", 5900}, {"tv", 310}}, Memory: 2.1e9}
}

func TestPlainHasNoEscapesAndOneLineEveryN(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "plain", PrintEvery: 5})
	r.Event(Start, "cpu, 2 threads", nil)
	for i := 1; i <= 10; i++ {
		r.Update(sample(i))
	}
	r.Event(Result, "out.png", nil)
	r.Close()
	text := out.String()
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\r") {
		t.Errorf("plain progress has escapes: %q", text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want header, 5, 10, result:\n%s", len(lines), text)
	}
	want := "scale 1/2  64x48  5/10  6.4 it/s  loss 1.83e+04 (style 1.2e+04 content 5.9e+03 tv 310)  eta 0:14  2.1 GB"
	if !strings.HasSuffix(lines[1], want) {
		t.Errorf("got  %q\nwant %q after the time", lines[1], want)
	}
}

func TestJSONIsOneObjectPerLine(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "json"})
	r.Event(Start, "header", map[string]any{"device": "cpu"})
	u := sample(1)
	u.Loss, u.ETA = math.NaN(), -1
	r.Update(u)
	r.Event("warning", "careful", nil)
	r.Event(Result, "out.png", map[string]any{"output": "out.png"})
	var types []string
	for s := bufio.NewScanner(&out); s.Scan(); {
		var o map[string]any
		if err := json.Unmarshal(s.Bytes(), &o); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		types = append(types, o["type"].(string))
		if o["type"] == "progress" {
			if _, has := o["eta_s"]; has {
				t.Error("an unknown eta is written")
			}
			if loss := o["loss"].(map[string]any); loss["total"] != nil || loss["style"] != 12000.0 {
				t.Errorf("loss is %v, want total null and style 12000", loss)
			}
		}
	}
	if got := strings.Join(types, " "); got != "start progress warning result" {
		t.Errorf("types are %q", got)
	}
}

func TestQuietStillWarns(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Options{Kind: "auto", Quiet: true, Terminal: true})
	r.Event(Start, "header", nil)
	r.Update(sample(10))
	r.Event(Result, "out.png", nil)
	r.Event("warning", "the disk is nearly full", nil)
	if got := out.String(); got != "impasto: the disk is nearly full\n" {
		t.Errorf("got %q", got)
	}
}

func TestBarFitsItsTerminal(t *testing.T) {
	for _, width := range []int{30, 60, 80, 100, 132, 200} {
		var out bytes.Buffer
		r := New(&out, Options{Kind: "auto", Terminal: true, Width: width})
		for i := 1; i <= 10; i++ {
			r.Update(sample(i))
		}
		u := sample(1)
		u.Scale = 2
		r.Update(u)
		r.Event("warning", "note", nil)
		r.Event(Result, "saved out.png", nil)
		r.Close()
		for _, l := range strings.Split(out.String(), "\n") {
			l = l[strings.LastIndex(l, "\x1b[J")+1:]
			l = strings.TrimPrefix(l, "[J")
			if n := len([]rune(l)); n > width {
				t.Errorf("width %d: line of %d: %q", width, n, l)
			}
		}
		for _, want := range []string{"scale 2/2", "impasto: note", "saved out.png\n"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("width %d: %q is missing in %q", width, want, out.String())
			}
		}
	}
}

func TestSpanAndBytesAndRate(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Span(400 * time.Millisecond), "0.4 s"},
		{Span(38 * time.Second), "38 s"},
		{Span(5 * time.Minute), "5 min"},
		{Span(2*time.Hour + 10*time.Minute), "2 h 10 min"},
		{Bytes(999), "999 B"},
		{Bytes(210e6), "210 MB"},
		{Bytes(3.1e9), "3.1 GB"},
		{Bytes(61e9), "61 GB"},
		{rate(0), "- it/s"},
		{rate(0.125), "8.0 s/it"},
		{eta(-1), "eta -"},
		{eta(3725 * time.Second), "eta 1:02:05"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
