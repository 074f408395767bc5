//go:build !(linux && amd64)

package simd

import "errors"

// AMX says why this machine cannot run tile instructions.
func AMX() error { return errors.New("tile instructions need Linux and an x86-64 processor with AMX") }
