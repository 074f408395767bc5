package vgg

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// LoadOptions say what Load reads.
type LoadOptions struct {
	UpTo   string // the deepest layer needed; "" = all the file holds
	Layout Layout // for files that do not say; it is an error if the file says another
	Store  *Store // where names are looked up; nil = DefaultStore

	name string // name of the network, an error if a VGG network of that name has other layers; "": any
}

// Load reads a network: an installed one by its name, a file by its path,
// "mini", "mini:1" or "mini:2" (its earlier editions), "random:SEED", or, for "", the
// one that Resolve chooses. Only layers up to opts.UpTo are read. Errors are *Error.
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
		return loadMini(ctx, src.Name, opts.UpTo)
	case src.Builtin == "random":
		return Random(src.Seed, opts.UpTo)
	}
	opts.name = src.Name
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

// LoadFile reads a network from a file in any of the formats, which are told apart by
// their first bytes. The whole file is hashed, but only what is needed is decoded.
func LoadFile(ctx context.Context, path string, opts LoadOptions) (*Network, error) {
	f, size, err := openWeights(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src := &source{name: filepath.Base(path), path: path, ReaderAt: f, size: size}
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
	list, tensors, err := a.topology()
	if err != nil {
		return nil, err
	}
	family, err := familyOf(list)
	if err != nil {
		return nil, err
	}
	whole := list
	if err := checkName(opts.name, whole); err != nil {
		return nil, err
	}
	if list, err = upTo(list, opts.UpTo, "this file"); err != nil {
		return nil, err
	}
	n := &Network{Pool: a.pool, Meta: Provenance{SHA256: sum, Source: a.origin, Licence: a.licence, Format: a.format}}
	if n.Layers, err = readLayers(ctx, a, list, tensors); err != nil {
		return nil, err
	}
	orig := originalBySum(sum)
	if n.Meta.Layout, err = decideLayout(a, orig, n.Layers[0].Weight, opts.Layout, cmp.Or(src.path, src.name)); err != nil {
		return nil, err
	}
	// The layers decide which VGG network it is: the file's name and the name inside it
	// may be wrong.
	n.Name = a.name
	if n.Name == "" || checkName(n.Name, whole) != nil {
		n.Name = family
	}
	if stem := strings.TrimSuffix(src.name, filepath.Ext(src.name)); n.Name == "" && !claimsFamily.MatchString(strings.ToLower(stem)) {
		n.Name = stem
	}
	if n.Name == "" {
		n.Name = "custom"
	}
	if n.Pool == "" {
		n.Pool = PoolMax
	}
	if n.Meta.Source == "" {
		n.Meta.Source = src.name
	}
	if n.Meta.Licence == "" && orig != nil {
		n.Meta.Licence = orig.Licence
	} else if n.Meta.Licence == "" && recognise(n.Layers[0].Weight) != "" {
		n.Meta.Licence = oxfordLicence
	}
	c := n.Meta.Layout.convention()
	if a.mean != nil {
		c.mean = *a.mean
	}
	for i, m := range c.mean {
		n.Mean[i] = float32(m)
	}
	c.foldInput(n.Layers[0].Weight) // there is one: archive.convolutions refuses a file without
	return n, nil
}

// decideLayout returns the convention of a file. It is known from the weights of
// conv1_1, the checksum, the format or the metadata, else it is the one asked for.
// It is never guessed.
func decideLayout(a *archive, orig *original, first []float32, asked Layout, path string) (Layout, error) {
	known, by := recognise(first), "conv1_1, which is the original VGG-19's,"
	if known == "" && orig != nil {
		known, by = orig.Layout, "its checksum"
	}
	if known == "" {
		known, by = a.layout, "the file"
	}
	switch {
	case known == "" && asked == "":
		return "", &Error{Kind: KindAmbiguous, Hints: layoutHints(path), Msg: "do not say their channel order and scale, and the wrong ones would spoil every picture"}
	case known != "" && asked != "" && known != asked:
		return "", &Error{Kind: KindUsage, Hints: []string{"leave --layout out"}, Msg: fmt.Sprintf("%s says that the layout is %q, --layout says %q", by, known, asked)}
	case known == "":
		known = asked
	}
	return known, nil
}

// quoted returns the file's path as a word of a command.
func quoted(f *source) string { return shellescape.Quote(cmp.Or(f.path, f.name)) }

// layoutHints lists commands that import a file under each convention it may have.
func layoutHints(path string) []string {
	file := shellescape.Quote(path)
	return []string{
		"impasto weights import " + file + " --layout caffe         (BGR, 0..255: conversions of the original: vgg19-d01eb7cb.pth, vgg_conv.pth)",
		"impasto weights import " + file + " --layout torchvision   (RGB, mean and deviation: trained by torchvision: vgg19-dcbb9e9d.pth)",
	}
}

// upTo cuts a list of layers after the named one; "" leaves it whole.
func upTo(list []shape, layer, network string) ([]shape, error) {
	if layer == "" {
		return list, nil
	}
	name, err := canonical(layer, network, list)
	if err != nil {
		return nil, err
	}
	return list[:1+slices.IndexFunc(list, func(s shape) bool { return s.relu() == name })], nil
}

// readLayers reads the values of the listed layers.
func readLayers(ctx context.Context, a *archive, list []shape, tensors map[string]params) ([]Layer, error) {
	layers := make([]Layer, len(list))
	for i, s := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l := Layer{Name: s.conv(), Block: s.block, Index: s.index, In: s.in, Out: s.out}
		p := tensors[l.Name]
		var err error
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
