package selftest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/impasto/impasto/gpu/simd"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// Processor says which vector instructions the CPU backend uses.
func Processor() []Finding {
	k, err := simd.Best()
	if err != nil {
		return []Finding{{State: Problem, What: "cpu", Text: err.Error(), Fix: "unset IMPASTO_SIMD"}}
	}
	f := Finding{State: OK, What: "cpu", Text: fmt.Sprintf("%s, %s", ui.Count(runtime.GOMAXPROCS(0), "thread"), k.Name)}
	if k == simd.All()[0] {
		f.State = Note
		f.Text += ": no vector instructions are used, painting is slow"
	}
	return []Finding{f}
}

// SIMDLevel names the vector instructions in use.
func SIMDLevel() string {
	k, err := simd.Best()
	if err != nil {
		return "unknown"
	}
	return k.Name
}

// Weights verifies the checksums of all installed weights, and reads those that
// IMPASTO_WEIGHTS names.
func Weights() []Finding {
	store := vgg.DefaultStore()
	list, err := store.List()
	if err != nil {
		fault := ui.FaultsOf(err)[0]
		return []Finding{{State: Problem, What: "weights", Text: fault.Message, Fix: strings.Join(fault.Try, "; ")}}
	}
	all, chosen := chosenWeights()
	for _, w := range list {
		f := Finding{State: OK, What: "weights", Text: fmt.Sprintf("%s to %s, sha256 %s...", w.Name, w.Last, w.SHA256[:12])}
		if err := store.Verify(context.Background(), w.Name); err != nil {
			fault := ui.FaultsOf(err)[0]
			f.State, f.Text, f.Fix = Problem, fault.Message, strings.Join(fault.Try, "; ")
		}
		all = append(all, f)
	}
	if len(list) == 0 && !chosen {
		all = append(all, Finding{State: Note, What: "weights", Text: "VGG-19 is not installed in " + store.Dir + "; mini is used", Fix: "impasto weights get vgg19"})
	}
	if n, err := vgg.Mini(); err != nil {
		all = append(all, Finding{State: Problem, What: "weights", Text: err.Error()})
	} else {
		all = append(all, Finding{State: OK, What: "weights", Text: fmt.Sprintf("mini to %s, part of the program", n.Layers[len(n.Layers)-1].Tap())})
	}
	return all
}

// chosenWeights reads the weights that IMPASTO_WEIGHTS names, as painting does.
// Where it is not set, or names the directory of installed weights, there is
// nothing to say.
func chosenWeights() (all []Finding, chosen bool) {
	name := os.Getenv(vgg.Environment)
	if info, err := os.Stat(name); name == "" || err == nil && info.IsDir() {
		return nil, false
	}
	n, err := vgg.Load(context.Background(), "", vgg.LoadOptions{})
	if err != nil {
		fault := ui.FaultsOf(err)[0]
		return []Finding{{State: Problem, What: "weights", Text: vgg.Environment + ": " + fault.Message, Fix: strings.Join(fault.Try, "; ")}}, true
	}
	return []Finding{{State: OK, What: "weights",
		Text: fmt.Sprintf("%s to %s, used because %s names it", name, n.Layers[len(n.Layers)-1].Tap(), vgg.Environment)}}, true
}
