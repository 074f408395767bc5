package device

import (
	"slices"
	"strings"
	"testing"
)

func TestDeviceLists(t *testing.T) {
	for list, want := range map[string][]string{
		"": {""}, "cpu": {"cpu"}, "cuda": {"cuda"}, "cuda:0,1": {"cuda:0", "cuda:1"}, "cuda:2,cuda:0": {"cuda:2", "cuda:0"}, "emu,emu": {"emu", "emu"},
	} {
		if got := names(list); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", list, got, want)
		}
	}
	for list, want := range map[string]string{
		"emu,emu": "", "cpu,cpu": "several devices are CUDA devices", "emu,cpu": "several devices are CUDA devices",
		"cpu,": "several devices are CUDA devices", "emu,gpu": `unknown device "gpu"`,
	} {
		err := Check(list)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", list, err, want)
		}
	}
}
