package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
)

// TestRun measures every kind once at a tiny size: that all numbers are there
// and in range, not how large they are.
func TestRun(t *testing.T) {
	r, err := Run(context.Background(), Options{Sides: []int{48}, Works: Kinds, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Machine.Peak > 0) || !(r.Machine.Bandwidth > 0) {
		t.Errorf("peaks %g and %g", r.Machine.Peak, r.Machine.Bandwidth)
	}
	names := map[string]bool{}
	for _, x := range r.Results {
		names[x.Name] = true
		if !(x.Min > 0 && x.Min <= x.Median) || x.Runs < 1 || x.Side != 48 || math.IsNaN(x.Flops+x.OfPeak+x.OfBus) {
			t.Errorf("%+v", x)
		}
	}
	for _, want := range []string{"art", "draft", "matching relu3_1", "matching relu4_1", "convolution relu3_1", "convolution relu4_1", "conv1_1 forward", "conv5_1 backward", "relu4_1 Gram", "whole", "tiles of 64", "total variation", "Adam step"} {
		if !names[want] {
			t.Errorf("no result for %q", want)
		}
	}
	var table, chart, data bytes.Buffer
	if err := r.Write(&table); err != nil || strings.Count(table.String(), "\n") < len(r.Results)+4 {
		t.Errorf("table: %v\n%s", err, &table)
	}
	if err := r.Chart(&chart); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&chart); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
	if err := json.NewEncoder(&data).Encode(r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(file, data.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	old, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if all := r.Compare(old); len(all) != len(r.Results) || all[0].Ratio != 1 || all[0].Clear {
		t.Errorf("%d of %d compared with themselves, the first %+v", len(all), len(r.Results), all[0])
	}
}

// TestBothPrecisions: each work is measured in both precisions, which a report tells
// apart and compares.
func TestBothPrecisions(t *testing.T) {
	t.Setenv("IMPASTO_SIMD", "generic")
	r, err := Run(context.Background(), Options{Sides: []int{32}, Works: []string{"draft"}, Threads: 2, Precisions: []gpu.Precision{gpu.Single, gpu.Half}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 || r.Results[0].Format != "f32" || r.Results[1].Format != "bf16" || r.Results[0].Runs != r.Results[1].Runs {
		t.Errorf("%+v", r.Results)
	}
	if m := r.Machine; m.HalfKernels != "generic" || !(m.HalfPeak > 0) || r.Results[1].OfPeak != r.Results[1].Flops/m.HalfPeak {
		t.Errorf("%+v, %+v", m, r.Results[1])
	}
	var text bytes.Buffer
	if err := errors.Join(r.Write(&text), r.WritePrecisions(&text), Page(&text, []Named{{"now", r}}, "test")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in bfloat16 by generic", "draft in bf16", "single ms  half ms", "peak in bfloat16, measured"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	old := &Report{Results: []Result{{Name: "draft", Side: 32, Median: 1}}, Images: []Image{{Name: "jj"}}}
	old.addFormats()
	if all := r.Compare(old); len(all) != 1 || all[0].New.Format != "f32" || old.Images[0].Format != "f32" {
		t.Errorf("with an old report: %+v, %+v", all, old)
	}
	old = &Report{Machine: Machine{Device: &Device{Name: "cuda:0", Architecture: "sm_90"}}, Images: []Image{{Name: "jj"}}}
	if old.addFormats(); old.Images[0].Format != "f16" {
		t.Errorf("images of an old report of a GPU are in %s", old.Images[0].Format)
	}
}

func TestCompare(t *testing.T) {
	now := &Report{Results: []Result{{Name: "a", Side: 1, Median: 1, Spread: 0.1}, {Name: "b", Side: 1, Median: 2}, {Name: "c", Side: 2, Median: 1}}}
	old := &Report{Results: []Result{{Name: "b", Side: 1, Median: 2.1, Spread: 0.2}, {Name: "a", Side: 1, Median: 2}, {Name: "c", Side: 1, Median: 1}}}
	all := now.Compare(old)
	if len(all) != 2 || all[0].Ratio != 2 || !all[0].Clear || all[1].Clear {
		t.Errorf("%+v", all)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", "[1]", `{"results": 3}`} {
		file := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err == nil {
			t.Errorf("%q passed for a report", text)
		}
	}
}
