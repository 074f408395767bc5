package vgg

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
)

// miniFile is written by scripts/train-mini. docs/mini.md says on what it was trained
// and how close it comes to VGG19. NOTICE names the work it derives from.
//
//go:embed mini.safetensors
var miniFile []byte

// Earlier editions, which paint older recipes again.
//
//go:embed mini1.safetensors
var mini1File []byte

//go:embed mini2.safetensors
var mini2File []byte

// minis are the networks that are part of the program, by name.
var minis = map[string][]byte{"mini": miniFile, "mini:1": mini1File, "mini:2": mini2File}

// loadMini reads one of minis up to a layer. Each has the name mini, as in recipes; their
// checksums differ.
func loadMini(ctx context.Context, name, layer string) (*Network, error) {
	file := minis[name]
	src := &source{name: name, ReaderAt: bytes.NewReader(file), size: int64(len(file))}
	n, err := load(ctx, src, LoadOptions{UpTo: layer})
	if err != nil {
		return nil, wrap(src.name, err)
	}
	n.Name = "mini"
	return n, nil
}

// Mini returns the small network that is part of the program: VGG19's five
// blocks at about half the width, trained to imitate its features.
func Mini() (*Network, error) { return loadMini(context.Background(), "mini", "") }

// BuiltinOf returns the name of the built-in weights that have a SHA-256: "mini", "mini:1"
// or "mini:2" for an earlier edition, or "".
func BuiltinOf(sum string) string {
	for name, file := range minis {
		if s := sha256.Sum256(file); hex.EncodeToString(s[:]) == sum {
			return name
		}
	}
	return ""
}
