package main

import (
	"crypto/sha256"
	"encoding/hex"
)

// sumOf is the SHA-256 of a file's bytes in hex.
func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
