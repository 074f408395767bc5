package vgg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// LoadOptions narrow what Load reads.
type LoadOptions struct {
	UpTo   string // the deepest layer needed; "" = all the file holds
	Layout Layout // for files that do not say; refused if it contradicts the file
	Store  *Store // where names are looked up; nil = DefaultStore
}

// Load reads a network: an installed one by its name, a file by its path,
// "mini", "random:SEED", or, for "", the one that Resolve chooses. Only layers
// up to opts.UpTo are read. Errors are *Error.
func Load(ctx context.Context, name string, opts LoadOptions) (*Network, error) {
	store := opts.Store
	if store == nil {
		store = DefaultStore()
	}
	src, err := store.Resolve(name)
	if err != nil {
		return nil, err
	}
	switch {
	case src.Builtin == "mini":
		return loadMini(ctx, opts.UpTo)
	case src.Builtin == "random":
		return Random(src.Seed, opts.UpTo)
	}
	n, err := LoadFile(ctx, src.Path, opts)
	if err != nil {
		return nil, err
	}
	if src.SHA256 != "" && src.SHA256 != n.Meta.SHA256 {
		return nil, checksumError(src.Path, n.Meta.SHA256, src.SHA256, store.again(src.Name))
	}
	if src.Name != "" {
		n.Name = src.Name
	}
	return n, nil
}

// LoadFile reads a network from a file in any of the formats, told apart by
// their first bytes. The whole file is hashed; only what is needed is decoded.
func LoadFile(ctx context.Context, path string, opts LoadOptions) (*Network, error) {
	f, size, err := openWeights(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src := &source{name: filepath.Base(path), ReaderAt: f, size: size}
	n, err := load(ctx, src, opts)
	if err != nil {
		return nil, wrap(src.name, err)
	}
	return n, nil
}

func openWeights(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fileError(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotAFile
	}
	if err != nil {
		f.Close()
		return nil, 0, fileError(path, err)
	}
	return f, info.Size(), nil
}

// load reads a network from an opened file.
func load(ctx context.Context, src *source, opts LoadOptions) (*Network, error) {
	sum, err := hashSource(ctx, src)
	if err != nil {
		return nil, err
	}
	a, err := open(src)
	if err != nil {
		return nil, err
	}
	orig := originalBySum(sum)
	layout, err := decideLayout(a, orig, src.name, opts.Layout)
	if err != nil {
		return nil, err
	}
	n := &Network{Pool: a.pool, Meta: Provenance{SHA256: sum, Source: a.origin, Licence: a.licence, Format: a.format, Layout: layout}}
	if n.Layers, err = readLayers(ctx, a, opts.UpTo); err != nil {
		return nil, err
	}
	if n.Name = a.name; n.Name == "" {
		n.Name = nameByShape(n.shapes(), src.name)
	}
	if n.Pool == "" {
		n.Pool = PoolMax
	}
	if n.Meta.Source == "" {
		n.Meta.Source = src.name
	}
	if n.Meta.Licence == "" && orig != nil {
		n.Meta.Licence = orig.Licence
	}
	c := layout.convention()
	if a.mean != nil {
		c.mean = *a.mean
	}
	for i, m := range c.mean {
		n.Mean[i] = float32(m)
	}
	c.foldInput(n.Layers[0].Weight) // there is one: archive.convolutions refuses a file without
	return n, nil
}

// decideLayout finds the convention of a file, and refuses to guess it.
func decideLayout(a *archive, orig *original, file string, asked Layout) (Layout, error) {
	known, by := a.layout, "it"
	if known == "" && orig != nil {
		known, by = orig.Layout, "its checksum"
	}
	switch {
	case known == "" && asked == "":
		hints := []string{
			"--layout caffe         (BGR, 0..255: conversions of the original, such as vgg19-d01eb7cb.pth)",
			"--layout torchvision   (RGB, mean and deviation: torchvision's own, such as vgg19-dcbb9e9d.pth)",
		}
		return "", &Error{Kind: KindAmbiguous, Hints: hints, Msg: "channel order and scale are not stated in the file, and the wrong ones would spoil every picture"}
	case known != "" && asked != "" && known != asked:
		return "", &Error{Kind: KindUsage, Hints: []string{"leave --layout out"}, Msg: fmt.Sprintf("%s says layout %q, --layout says %q", by, known, asked)}
	case known == "":
		known = asked
	}
	return known, nil
}

// readLayers reads the convolutions of an archive in order, up to a layer.
func readLayers(ctx context.Context, a *archive, upTo string) ([]Layer, error) {
	found, err := a.convolutions()
	if err != nil {
		return nil, err
	}
	var list []shape
	for s := (shape{block: 1, index: 1, in: 3}); ; {
		p, ok := found[s.conv()]
		if !ok && s.index > 1 { // the block is over
			s.block, s.index = s.block+1, 1
			continue
		}
		if !ok {
			break
		}
		if s.out, err = checkShapes(s, p); err != nil {
			return nil, err
		}
		list = append(list, s)
		s.index, s.in = s.index+1, s.out
	}
	if len(list) < len(found) {
		return nil, fmt.Errorf("%d convolutions are there, but only %d follow each other from conv1_1 without a gap", len(found), len(list))
	}
	if upTo != "" {
		name, err := canonical(upTo, "this file", list)
		if err != nil {
			return nil, err
		}
		for i, s := range list {
			if s.relu() == name {
				list = list[:i+1]
				break
			}
		}
	}
	layers := make([]Layer, len(list))
	for i, s := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l := Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out}
		p := found[l.Name]
		if l.Weight, err = readFinite(p.weight); err != nil {
			return nil, err
		}
		if l.Bias, err = readFinite(p.bias); err != nil {
			return nil, err
		}
		if a.flipped {
			flipKernels(l.Weight)
		}
		layers[i] = l
	}
	return layers, nil
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

// readFinite reads a tensor and refuses it if any value is not a number.
func readFinite(e *entry) ([]float32, error) {
	values, err := e.read()
	if err != nil {
		return nil, fmt.Errorf("%s (%q): %w", e.role(), clip(e.name), err)
	}
	want := 1
	for _, d := range e.shape {
		want *= d
	}
	if len(values) != want {
		return nil, fmt.Errorf("%s (%q) has %d values, its shape %v needs %d", e.role(), clip(e.name), len(values), e.shape, want)
	}
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			word := "NaN"
			if math.IsInf(f, 0) {
				word = "an infinity"
			}
			return nil, fmt.Errorf("%s holds %s (value %d of %d)", e.role(), word, i, len(values))
		}
	}
	return values, nil
}

// nameByShape names a network that does not say its name: vgg19 if its layers
// begin like VGG19's, else its file's stem.
func nameByShape(list []shape, file string) string {
	if len(list) <= len(vgg19) {
		same := true
		for i := range list {
			same = same && list[i] == vgg19[i]
		}
		if same {
			return "vgg19"
		}
	}
	return strings.TrimSuffix(file, filepath.Ext(file))
}

// hashSource returns the SHA-256 of the whole file in hex.
func hashSource(ctx context.Context, src *source) (string, error) {
	h := sha256.New()
	r := io.NewSectionReader(src, 0, src.size)
	for done := int64(0); done < src.size; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := io.CopyN(h, r, min(4<<20, src.size-done))
		if done += n; err != nil {
			return "", fmt.Errorf("cannot be read past byte %d of %d: %w", done, src.size, cause(err))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
