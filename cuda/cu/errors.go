//go:build cuda && linux

package cu

import (
	"errors"
	"reflect"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/libcuda"
)

// code is a CUresult as an error.
type code int

func (c code) Error() string { return cuda.Code(c).String() }

// codeOf returns the CUresult of an error of gorgonia.org/cu, whose type for it is
// an int that the package does not export. It returns 999, unknown, if there is
// none.
func codeOf(err error) code {
	for ; err != nil; err = errors.Unwrap(err) {
		if v := reflect.ValueOf(err); v.CanInt() {
			return code(v.Int())
		}
	}
	return 999
}

// hints say what the user can do about errors whose cause is outside this program.
var hints = map[code]string{
	46:  "another program holds the device; nvidia-smi says which",
	100: "impasto doctor",
	209: "a driver that knows this device",
	222: "a newer NVIDIA driver: this one does not know the kernels' PTX",
	719: "--device emu at a small size, which says what the kernel did wrong",
	700: "--device emu at a small size, which says what the kernel did wrong",
	803: "a restart: the driver's library and its kernel module differ",
}

// fail converts an error of the driver to the form of package cuda. It returns nil
// for nil. If the emulator answers the calls, it adds the fault that the emulator
// found.
func fail(call string, err error) error {
	if err == nil {
		return nil
	}
	c := codeOf(err)
	e := &cuda.Error{Call: call, Code: cuda.Code(c), Text: c.text(), Hint: hints[c]}
	if libcuda.Bound() == libcuda.Emulator {
		if found, ok := errors.AsType[*cuda.Error](libcuda.Fault()); ok && found.Code == e.Code {
			e.Call, e.Text, e.Cause = found.Call, found.Text, found.Cause
		}
	}
	return e
}

// lost reports whether a code makes the context unusable, as the faults of kernels
// do.
func (c code) lost() bool { return c >= 700 && c <= 719 && c != 701 && c != 704 && c != 705 }
