package simd

import "unsafe"

// generic is the implementation in plain Go, and the reference of the others.
var generic = &Kernels{
	Name:       "generic",
	NR:         16,
	Gemm:       gemmGeneric,
	WinoIn:     winoInGeneric,
	WinoFilter: winoFilterGeneric,
	WinoOut:    winoOutGeneric,
	WinoBack:   winoBackGeneric,
	PoolMax:    poolMaxGeneric,
	PoolAvg:    poolAvgGeneric,
	Unpool:     unpoolGeneric,
	ReLU:       reluGeneric,
	Diag3:      diag3Generic,
	FMA:        fmaGeneric,
}

func gemmGeneric(m, k int, a *float32, ars, acs int, b, c *float32, crs int, acc bool, _ *float32, _ int) {
	const nr = 16
	for i := range m {
		var sum [nr]float32
		for p := range k {
			av := *at(a, i*ars+p*acs)
			bv := (*[nr]float32)(unsafe.Pointer(at(b, p*nr)))
			for j := range sum {
				sum[j] += av * bv[j]
			}
		}
		out := (*[nr]float32)(unsafe.Pointer(at(c, i*crs)))
		if acc {
			for j := range sum {
				sum[j] += out[j]
			}
		}
		*out = sum
	}
}

func fmaGeneric(n int) int {
	const flop = 16
	var s [8]float32
	rounds := n/flop + 1
	x := float32(rounds & 1)
	for range rounds {
		for j := range s {
			s[j] += x * x
		}
	}
	keep(s[0] + s[7])
	return rounds * flop
}

// keep stops the compiler from dropping the loop whose result it takes.
//
//go:noinline
func keep(float32) {}
