//go:build cuda && linux

package libcuda

//go:generate go run gen.go

// #cgo LDFLAGS: -L${SRCDIR}/link -ldl
// #include "bind.h"
import "C"

import (
	"fmt"

	"github.com/impasto/impasto/cuda/emu"
)

// Binding says what answers the cu* symbols.
type Binding int

const (
	None     Binding = C.BOUND_NONE
	Driver   Binding = C.BOUND_DRIVER
	Emulator Binding = C.BOUND_EMULATOR
)

// Bound returns what answers the cu* symbols.
func Bound() Binding { return Binding(C.libcuda_bound()) }

// oldest is the first driver API with everything the sidecar calls: 11.4 brought
// cuGraphInstantiateWithFlags.
const oldest = 11040

// Reason says in a few words why no driver can be used, or returns "" if one can.
func Reason() string {
	r := C.libcuda_reason()
	version := fmt.Sprintf("CUDA %d.%d", r.version/1000, r.version%1000/10)
	switch {
	case Bound() == Emulator:
		return ""
	case Bound() == Driver && r.version < oldest:
		return fmt.Sprintf("the driver supports %s, this build needs %d.%d", version, oldest/1000, oldest%1000/10)
	case Bound() == Driver:
		return ""
	case r.code != 0:
		return fmt.Sprintf("%s (%s, CUDA error %d)", C.GoString(r.text), version, int(r.code))
	}
	return C.GoString(r.text)
}

// Emulate binds the symbols to a software device with the given options. Call it
// before the first device is used, because existing contexts are lost.
func Emulate(o emu.Options) {
	lock.Lock()
	defer lock.Unlock()
	options = o
	C.libcuda_emulate()
}

// Fault returns the error for the last code that the emulator returned, which says
// more than the code. It returns nil if there is none.
func Fault() error {
	lock.Lock()
	defer lock.Unlock()
	return fault
}
