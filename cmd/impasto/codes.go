package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
)

// osReason strips operation and path from an error of the operating system.
func osReason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// sumOf is the SHA-256 of a file's bytes in hex.
func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
