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

// firstMiniFile is the first edition, which paints older recipes again.
//
//go:embed mini1.safetensors
var firstMiniFile []byte

// firstMini is the name of the first edition.
const firstMini = "mini:1"

// loadMini reads the network that is part of the program, or its first edition, up to
// a layer. Both have the name mini, as in recipes; their checksums differ.
func loadMini(ctx context.Context, edition, layer string) (*Network, error) {
	file := miniFile
	if edition == firstMini {
		file = firstMiniFile
	}
	src := &source{name: edition, ReaderAt: bytes.NewReader(file), size: int64(len(file))}
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
// for the first edition, or "".
func BuiltinOf(sum string) string {
	for name, file := range map[string][]byte{"mini": miniFile, firstMini: firstMiniFile} {
		if s := sha256.Sum256(file); hex.EncodeToString(s[:]) == sum {
			return name
		}
	}
	return ""
}
