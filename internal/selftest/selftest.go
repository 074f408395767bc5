// Package selftest is what `impasto doctor` runs: it compares the operations of
// the CPU with plain loops in float64, and the kernels of a device with the CPU.
// It finds a processor, a driver or a build that computes wrongly, not small
// differences.
package selftest

// tolerance is the largest error allowed, as a share of the largest value.
const tolerance = 1e-4

// In half precision, whose values have 11 bits, few may be off by more than
// tolerance: those where rounding decides what a gate lets through, or which of
// two patches is the more similar, and what is computed from it.
const (
	halfTolerance = 4e-3
	halfFew       = 0.1
)

// halfCPUTolerance is that of operations on a processor in half precision, of inputs
// that bfloat16 stores exactly: rounding a result to 8 bits moves it by 2^-8 of itself at most.
const halfCPUTolerance = 0x1p-8 + tolerance

// States of a Finding.
const (
	OK      = "ok"
	Note    = "note"    // explains something; nothing has to be done
	Problem = "problem" // something does not work; Fix may help
)

// A Finding is one line of the doctor.
type Finding struct {
	State string `json:"state"`
	What  string `json:"what"` // what was looked at: "cpu", "weights", ...
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // a command or a flag to try
}
