package vgg

import (
	"bytes"
	"context"
	_ "embed"
)

// miniFile is trained and written by scripts/train-mini; docs/mini.md says on
// what and how close it comes, NOTICE whose work it derives from.
//
//go:embed mini.safetensors
var miniFile []byte

// loadMini reads the network that is part of the program, up to a layer.
func loadMini(ctx context.Context, layer string) (*Network, error) {
	src := &source{name: "mini", ReaderAt: bytes.NewReader(miniFile), size: int64(len(miniFile))}
	n, err := load(ctx, src, LoadOptions{UpTo: layer})
	if err != nil {
		return nil, wrap(src.name, err)
	}
	n.Name = "mini"
	return n, nil
}

// Mini returns the small network that is part of the program: VGG19's five
// blocks at about a quarter of the width, trained to imitate its features.
func Mini() (*Network, error) { return loadMini(context.Background(), "") }
