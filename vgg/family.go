package vgg

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A family is one of the VGG networks of the paper. In a file they differ only in the
// number of convolutions of their blocks.
type family struct {
	name, title string
	depths      []int // convolutions of each block
	painted     bool  // Impasto paints with it
}

// families are configurations E, D, B and A, the deepest first. So a file that ends
// early counts as VGG-19.
var families = []family{
	{"vgg19", "VGG-19", []int{2, 2, 4, 4, 4}, true},
	{"vgg16", "VGG-16", []int{2, 2, 3, 3, 3}, true},
	{"vgg13", "VGG-13", []int{2, 2, 2, 2, 2}, false},
	{"vgg11", "VGG-11", []int{1, 1, 2, 2, 2}, false},
}

func (f family) layers() []shape { return topology(f.depths, vggWidths) }

// begins reports whether a network's layers are the first of this one's.
func (f family) begins(list []shape) bool {
	all := f.layers()
	return len(list) <= len(all) && slices.Equal(list, all[:len(list)])
}

// familyOf returns the VGG network whose layers begin with these, or "" for another
// network. A network as wide as VGG that is none of them has lost a layer, which is an
// error. The channels alone would not show it, since conv1_2 goes from 64 to 64.
func familyOf(list []shape) (string, error) {
	for _, f := range families {
		switch {
		case !f.begins(list):
		case !f.painted && list[len(list)-1].block < 4: // or a VGG-19's that has lost a layer
		case !f.painted:
			return "", refusedf(getVGG19, "holds %s, %s; pictures are painted with VGG-19 or VGG-16", f.title, spellBlocks(list))
		default:
			return f.name, nil
		}
	}
	if list[0].out != vgg19[0].out {
		return "", nil
	}
	for i, s := range list {
		if i == len(vgg19) {
			return "", fmt.Errorf("%s follows conv5_4, the last of VGG-19", s.conv())
		}
		if want := vgg19[i]; s != want {
			return "", fmt.Errorf("%s (%d to %d channels) was expected, not %s (%d to %d channels)", want.conv(), want.in, want.out, s.conv(), s.in, s.out)
		}
	}
	return "", nil // not reached: such a list is VGG19's
}

// Narrow reports whether a network has fewer channels than VGG-19, as mini has. Its losses
// need other weights.
func (n *Network) Narrow() bool { return len(n.Layers) > 0 && narrow(n.Layers[0].Out) }

// Narrow reports whether the source holds a network with fewer channels than VGG-19, as
// mini has. It reads a file's table of contents alone. A file that cannot be read is not
// narrow; Load returns the error.
func (s Source) Narrow() bool {
	if s.Path == "" {
		return s.Builtin == "mini"
	}
	f, size, err := openWeights(s.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	a, err := open(&source{name: filepath.Base(s.Path), path: s.Path, ReaderAt: f, size: size})
	if err != nil {
		return false
	}
	list, _, err := a.topology()
	return err == nil && len(list) > 0 && narrow(list[0].out)
}

// narrow decides by the channels of conv1_1.
func narrow(first int) bool { return first < vggWidths[0] }

var getVGG19 = []string{"impasto weights get vgg19", "--weights mini   (part of the program)"}

// withNormalisation refuses a network with batch normalisation, by the number
// of its convolutions.
func withNormalisation(convolutions int) error {
	title := fmt.Sprintf("a network of %d convolutions", convolutions)
	for _, f := range families {
		if len(f.layers()) == convolutions {
			title = f.title
		}
	}
	return refusedf(getVGG19, "holds %s with batch normalisation; plain VGG-19 is needed, whose features these are not", title)
}

var claimsFamily = regexp.MustCompile(`^vgg[-_]?(11|13|16|19)`)

// checkName refuses the name of one VGG network for the layers of another.
func checkName(name string, list []shape) error {
	m := claimsFamily.FindStringSubmatch(strings.ToLower(name))
	if m == nil {
		return nil
	}
	var claimed family
	title := "another network"
	for _, f := range families {
		if f.name == "vgg"+m[1] {
			claimed = f
		}
	}
	if claimed.begins(list) {
		return nil
	}
	for _, f := range slices.Backward(families) {
		if f.begins(list) {
			title = f.title
		}
	}
	return refusedf(nil, "holds %s, %s; %q is the name of %s, %s",
		title, spellBlocks(list), name, claimed.title, spellBlocks(claimed.layers()))
}

// spellBlocks says how many convolutions a network has, block by block.
func spellBlocks(list []shape) string {
	var counts []string
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].block == list[i].block {
			j++
		}
		counts = append(counts, strconv.Itoa(j-i))
		i = j
	}
	return fmt.Sprintf("%d convolutions in blocks of %s", len(list), strings.Join(counts, ", "))
}
