package vgg

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
)

// miniFile is trained and written by scripts/train-mini; docs/mini.md says on
// what and how close it comes, NOTICE whose work it derives from.
//
//go:embed mini.safetensors
var miniFile []byte

// firstMiniFile is the first edition, by which older recipes are painted again.
//
//go:embed mini1.safetensors
var firstMiniFile []byte

// firstMini names the first edition.
const firstMini = "mini:1"

// loadMini reads the network that is part of the program, or its first edition,
// up to a layer. Both are called mini, as recipes call them: the checksum tells.
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

// BuiltinOf returns the name of the weights inside the program with a SHA-256,
// "mini" or "mini:1", its first edition; "" if there are none.
func BuiltinOf(sum string) string {
	for name, file := range map[string][]byte{"mini": miniFile, firstMini: firstMiniFile} {
		if s := sha256.Sum256(file); hex.EncodeToString(s[:]) == sum {
			return name
		}
	}
	return ""
}
