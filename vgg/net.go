package vgg

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Pool is the pooling between two blocks: 2x2 windows, stride 2.
type Pool string

// VGG19 was trained with max pooling. Averages give smoother gradients (Gatys et al.
// 2016). L2 is the root of the mean square (Li and Wand 2016).
const (
	PoolMax Pool = "max"
	PoolAvg Pool = "avg"
	PoolL2  Pool = "l2"
)

// ParsePool returns the pooling called name: "max", "avg" or "l2".
func ParsePool(name string) (Pool, error) {
	switch p := Pool(strings.ToLower(name)); p {
	case PoolMax, PoolAvg, PoolL2:
		return p, nil
	case "average", "mean":
		return PoolAvg, nil
	}
	return "", usageErrorf([]string{"max, avg or l2"}, "unknown pooling %q", name)
}

// Network holds folded weights. The input of its first layer is an image (H, W, 3),
// RGB, 0..255, minus Mean. A ReLU follows each convolution. A pooling lies between the
// last layer of a block and the first of the next.
type Network struct {
	Name   string     // "vgg19", "mini", "random:1"
	Layers []Layer    // in the order they are computed; may end before conv5_4
	Mean   [3]float32 // R, G, B, subtracted from the image before it is padded with zeros
	Pool   Pool       // the pooling these weights were made for
	Meta   Provenance

	mu        sync.Mutex
	filterSet *filterSet // shared with networks of the same weights; nil until it is needed
}

// Layer is a 3x3 convolution, stride 1, padding 1, followed by a ReLU.
type Layer struct {
	Name         string    // "conv3_1"; its output after the ReLU is "relu3_1"
	Block, Index int       // 3 and 1
	In, Out      int       // channels C and K
	Weight       []float32 // (K, C, 3, 3) row-major, cross-correlation
	Bias         []float32 // (K)
}

// Provenance says where weights come from, for recipes, reports and credit.
type Provenance struct {
	SHA256  string // of the file they were read from, lower-case hex
	Source  string // what the file says of its origin, or its name
	Licence string // "" if the file does not say
	Format  string // "safetensors", "pth", "caffemodel", "onnx", "mat", "random"
	Layout  Layout // the convention they were folded from
}

// Tap returns the name of the layer's output after its ReLU, "relu3_1".
func (l *Layer) Tap() string { return "relu" + strconv.Itoa(l.Block) + "_" + strconv.Itoa(l.Index) }

// isTap reports whether name is the layer's tap, without building that string, because
// plans call it often.
func (l *Layer) isTap(name string) bool {
	if len(name) == len("relu3_1") && l.Block < 10 && l.Index < 10 {
		return name[:4] == "relu" && int(name[4]-'0') == l.Block && name[5] == '_' && int(name[6]-'0') == l.Index
	}
	return l.Tap() == name
}

// shape is what a network expects of one layer, before any weights are read.
type shape struct{ block, index, in, out int }

func (s shape) conv() string { return fmt.Sprintf("conv%d_%d", s.block, s.index) }
func (s shape) relu() string { return fmt.Sprintf("relu%d_%d", s.block, s.index) }

// vgg19 lists the sixteen convolutions (configuration E of the paper).
var (
	vggWidths = []int{64, 128, 256, 512, 512}
	vgg19     = topology([]int{2, 2, 4, 4, 4}, vggWidths)
)

// topology lists the convolutions of blocks with the given depths and widths.
func topology(depths, widths []int) []shape {
	var list []shape
	in := 3
	for b := range depths {
		for i := range depths[b] {
			list = append(list, shape{b + 1, i + 1, in, widths[b]})
			in = widths[b]
		}
	}
	return list
}

var layerName = regexp.MustCompile(`^(?:conv|relu)?([1-9][0-9]?)_([1-9][0-9]?)$`)

// ParseLayer returns the canonical name of a layer of VGG19: "conv4_2", "relu4_2" and
// "4_2" all mean "relu4_2", the features after the ReLU, as in nearly every similar
// program.
func ParseLayer(name string) (string, error) {
	return canonical(name, "VGG-19", vgg19)
}

// ParseLayer does what the function ParseLayer does, for the layers of this network.
func (n *Network) ParseLayer(name string) (string, error) {
	title := n.Name
	if title == "vgg19" {
		title = "VGG-19"
		if len(n.Layers) < len(vgg19) {
			title = "this file of VGG-19"
		}
	}
	return canonical(name, title, n.shapes())
}

// Depth returns the number of convolutions up to a layer, including its own.
// Layers[:depth] must be computed for it.
func (n *Network) Depth(layer string) (int, error) {
	for i := range n.Layers {
		if n.Layers[i].isTap(layer) {
			return i + 1, nil
		}
	}
	name, err := n.ParseLayer(layer)
	if err != nil {
		return 0, err
	}
	return n.Depth(name)
}

// Taps returns the names of all layers, relu1_1 first.
func (n *Network) Taps() []string {
	taps := make([]string, len(n.Layers))
	for i := range n.Layers {
		taps[i] = n.Layers[i].Tap()
	}
	return taps
}

func (n *Network) shapes() []shape {
	list := make([]shape, len(n.Layers))
	for i, l := range n.Layers {
		list[i] = shape{l.Block, l.Index, l.In, l.Out}
	}
	return list
}

func canonical(name, network string, has []shape) (string, error) {
	if m := layerName.FindStringSubmatch(strings.ToLower(strings.TrimSpace(name))); m != nil {
		block, _ := strconv.Atoi(m[1])
		index, _ := strconv.Atoi(m[2])
		for _, s := range has {
			if s.block == block && s.index == index {
				return s.relu(), nil
			}
		}
	}
	if len(has) == 0 {
		return "", usageErrorf(nil, "unknown layer %q; %s has no layers", name, network)
	}
	return "", usageErrorf([]string{"layers: " + spell(has)}, "unknown layer %q; %s has %s … %s",
		name, network, has[0].relu(), has[len(has)-1].relu())
}

// spell lists layers by block, "relu1_1-2, relu2_1-2, relu3_1-4".
func spell(has []shape) string {
	var parts []string
	for i := 0; i < len(has); {
		j := i
		for j+1 < len(has) && has[j+1].block == has[i].block {
			j++
		}
		part := has[i].relu()
		if j > i {
			part += fmt.Sprintf("-%d", has[j].index)
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
