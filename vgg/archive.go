package vgg

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// source is an opened file of weights.
type source struct {
	name string // for messages
	path string // for hints; "" if it is no file
	io.ReaderAt
	size int64
}

// archive is the result of a format's reader: the tensors in a file, and what the file
// says about the network. Values stay in the file until they are read, so fully
// connected layers are never read.
type archive struct {
	format  string
	entries []entry
	layout  Layout      // "" if neither the format nor the metadata says it
	mean    *[3]float64 // R, G, B, if the file states it
	pool    Pool        // "" if the file does not say
	name    string      // name of the network; "" if the file does not say
	origin  string
	licence string
	flipped bool // kernels are those of a true convolution
}

// entry is one tensor. Readers that know the layers from the file's structure set conv.
// Otherwise it follows from the name.
type entry struct {
	name  string
	conv  string // "conv3_1" or ""
	bias  bool
	shape []int // weights (K, C, 3, 3), biases (K)
	read  func() ([]float32, error)
}

// maxTensors bounds the layers and tensors of a file; VGG19 has 38 tensors.
const maxTensors = 1 << 14

var errTooMany = fmt.Errorf("has more than %d layers or tensors", maxTensors)

// params are the two tensors of one convolution.
type params struct{ weight, bias *entry }

var (
	namedTensor    = regexp.MustCompile(`^(?:.*[./])?(conv[1-9]_[1-9][0-9]?)[./](weight|bias)$`)
	numberedTensor = regexp.MustCompile(`^(?:(?:.*\.)?features\.)?([0-9]{1,4})\.(weight|bias)$`)
)

// convolutions finds the 3x3 convolutions of the archive, by layer name.
func (a *archive) convolutions() (map[string]params, error) {
	if err := a.nameLayers(); err != nil {
		return nil, err
	}
	found := map[string]params{}
	for i := range a.entries {
		e := &a.entries[i]
		if e.conv == "" {
			continue
		}
		p := found[e.conv]
		slot := &p.weight
		if e.bias {
			slot = &p.bias
		}
		if *slot != nil {
			return nil, fmt.Errorf("two tensors claim to be %s: %q and %q", e.role(), (*slot).name, e.name)
		}
		*slot = e
		found[e.conv] = p
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no convolutions of a VGG network among its %d tensors%s", len(a.entries), a.sample())
	}
	return found, nil
}

// topology returns the convolutions in the order they are computed, block by
// block, and the tensors of each. There is at least one.
func (a *archive) topology() ([]shape, map[string]params, error) {
	found, err := a.convolutions()
	if err != nil {
		return nil, nil, err
	}
	var list []shape
	for s := (shape{block: 1, index: 1, in: 3}); ; {
		p, ok := found[s.conv()]
		if !ok && s.index > 1 { // the block has ended
			s.block, s.index = s.block+1, 1
			continue
		}
		if !ok {
			break
		}
		if s.out, err = checkShapes(s, p); err != nil {
			return nil, nil, err
		}
		list = append(list, s)
		s.index, s.in = s.index+1, s.out
	}
	if len(list) < len(found) {
		return nil, nil, fmt.Errorf("%d convolutions are there, but only %d follow each other from conv1_1 without a gap", len(found), len(list))
	}
	return list, found, nil
}

// checkShapes compares a convolution's tensors with the layer before it and
// returns its output channels.
func checkShapes(s shape, p params) (int, error) {
	if p.weight == nil || p.bias == nil {
		missing := s.conv() + ".weight"
		if p.bias == nil {
			missing = s.conv() + ".bias"
		}
		return 0, fmt.Errorf("%s is missing", missing)
	}
	w := p.weight.shape
	if len(w) != 4 || w[0] < 1 || w[1] != s.in || w[2] != 3 || w[3] != 3 {
		return 0, fmt.Errorf("%s (%q) has shape %v, a 3x3 convolution of %d channels was expected", s.conv(), clip(p.weight.name), w, s.in)
	}
	if b := p.bias.shape; len(b) != 1 || b[0] != w[0] {
		return 0, fmt.Errorf("%s (%q) has shape %v, [%d] was expected", s.conv(), clip(p.bias.name), b, w[0])
	}
	return w[0], nil
}

func (e *entry) role() string {
	if e.bias {
		return e.conv + ".bias"
	}
	return e.conv + ".weight"
}

// sample lists a few names of tensors, by which a wrong file can be recognised.
func (a *archive) sample() string {
	var names []string
	for _, e := range a.entries[:min(3, len(a.entries))] {
		names = append(names, strconv.Quote(clip(e.name)))
	}
	if names == nil {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ", …)"
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// nameLayers sets conv, if the reader has not, from names such as
// "conv3_1.weight" or torchvision's "features.10.weight".
func (a *archive) nameLayers() error {
	if slices.ContainsFunc(a.entries, func(e entry) bool { return e.conv != "" }) {
		return nil
	}
	numbered := map[int][]*entry{}
	normalised := 0 // convolutions that batch normalisation follows
	for i := range a.entries {
		if strings.HasSuffix(a.entries[i].name, "running_mean") {
			normalised++
		}
	}
	if normalised > 0 {
		return withNormalisation(normalised)
	}
	for i := range a.entries {
		e := &a.entries[i]
		if m := namedTensor.FindStringSubmatch(e.name); m != nil {
			e.conv, e.bias = m[1], m[2] == "bias"
		} else if m := numberedTensor.FindStringSubmatch(e.name); m != nil {
			n, _ := strconv.Atoi(m[1])
			e.bias = m[2] == "bias"
			numbered[n] = append(numbered[n], e)
		}
	}
	nameByPosition(numbered)
	return nil
}

// nameByPosition names the layers of a PyTorch Sequential from their places in
// it: a convolution and its ReLU take two places, a pooling one more, so a gap
// of three begins a block. torchvision's features 0, 2, 5, 7, 10 are conv1_1,
// conv1_2, conv2_1, conv2_2, conv3_1.
func nameByPosition(numbered map[int][]*entry) {
	places := slices.Sorted(maps.Keys(numbered))
	block, index := 1, 0
	for i, n := range places {
		if i > 0 && n-places[i-1] > 2 {
			block, index = block+1, 0
		}
		index++
		for _, e := range numbered[n] {
			e.conv = fmt.Sprintf("conv%d_%d", block, index)
		}
	}
}

// elements returns the product of shape, or an error if it is negative, or if
// its values cannot lie in limit bytes.
func elements(shape []int, size int, limit int64) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("has a negative dimension, %v", shape)
		}
		if d > 0 && n > limit/int64(d) {
			return 0, fmt.Errorf("claims a shape of %v, more than the file holds (%d bytes)", shape, limit)
		}
		n *= int64(d)
	}
	if n > limit/int64(size) {
		return 0, fmt.Errorf("claims a shape of %v, more than the file holds (%d bytes)", shape, limit)
	}
	return int(n), nil
}

// readRaw reads n bytes at off. The caller has checked n against the file.
func (s *source) readRaw(off int64, n int) ([]byte, error) {
	raw := make([]byte, n)
	if got, err := s.ReadAt(raw, off); got < n {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("ends at byte %d, %d more were expected", off+int64(got), n-got)
		}
		return nil, err
	}
	return raw, nil
}

// readFloats reads n values of an element type at off.
func (s *source) readFloats(off int64, n int, dtype string) ([]float32, error) {
	raw, err := s.readRaw(off, n*dtypeSize[dtype])
	if err != nil {
		return nil, err
	}
	values := make([]float32, n)
	decodeFloats(values, raw, dtype)
	return values, nil
}
