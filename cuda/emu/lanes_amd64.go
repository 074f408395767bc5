package emu

import (
	"os"

	"golang.org/x/sys/cpu"
)

//go:noescape
func fmaAVX2(d, a, b, c *lanes)

//go:noescape
func addAVX2(d, a, b, c *lanes)

//go:noescape
func subAVX2(d, a, b, c *lanes)

//go:noescape
func mulAVX2(d, a, b, c *lanes)

// init replaces the loops that take most of a kernel's time by vector instructions
// with the same results. IMPASTO_SIMD=generic keeps the loops.
func init() {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || os.Getenv("IMPASTO_SIMD") == "generic" {
		return
	}
	fastFloat["fma.rn.f32"] = alu(fmaAVX2)
	fastFloat["add.rn.f32"] = alu(addAVX2)
	fastFloat["sub.rn.f32"] = alu(subAVX2)
	fastFloat["mul.rn.f32"] = alu(mulAVX2)
}
