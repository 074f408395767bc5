package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
