// Package cuda defines what Impasto needs of a CUDA driver: memory, modules of PTX,
// kernel launches and recorded graphs on one in-order stream.
//
// It knows nothing of layers or pictures. Driver is implemented by the software
// device in cuda/emu, by the real driver in cuda/cu, and by the decorator Debug.
// The package is pure Go and imports only cuda/ptx, to read kernel signatures.
package cuda

import (
	"errors"
	"fmt"
)

// Ptr is an address in device memory; 0 is no memory.
type Ptr uint64

// Dim3 is the extent of a grid in blocks or of a block in threads. A zero
// Y or Z means 1.
type Dim3 struct{ X, Y, Z int }

// Norm returns d with zero Y and Z replaced by 1.
func (d Dim3) Norm() Dim3 { return Dim3{d.X, max(d.Y, 1), max(d.Z, 1)} }

// Count returns the number of cells of d.
func (d Dim3) Count() int { d = d.Norm(); return d.X * d.Y * d.Z }

func (d Dim3) String() string {
	d = d.Norm()
	return fmt.Sprintf("(%d, %d, %d)", d.X, d.Y, d.Z)
}

// Info describes a device.
type Info struct {
	Name         string
	Major, Minor int   // compute capability
	Memory       int64 // bytes in total
	SMs          int   // multiprocessors
	SharedBlock  int   // bytes of shared memory one block may use
	Driver       int   // driver API version, 11080 for 11.8
}

// Driver is one device and one in-order stream on it. Copy, Fill, Launch and
// Graph.Launch are queued and may return before they are done. Upload, Download,
// Free and Sync wait for everything queued before. Any later call may report a
// fault of a queued call, and every call after a fault reports it again. The device
// is then lost until Close.
//
// Only one goroutine may use a Driver at a time.
type Driver interface {
	Info() Info

	// Alloc returns bytes of uninitialised device memory, aligned to 256.
	Alloc(bytes int64) (Ptr, error)
	Free(p Ptr) error

	// Upload copies host memory to the device, Download the other way.
	Upload(dst Ptr, src []byte) error
	Download(dst []byte, src Ptr) error
	// Copy copies between two places on the device that do not overlap.
	Copy(dst, src Ptr, bytes int64) error
	// Fill writes the 32-bit word v to dst, words times in a row.
	Fill(dst Ptr, v uint32, words int64) error

	// Load compiles a module of PTX.
	Load(ptx string) (Module, error)
	// Launch runs kernel k on grid.Count() blocks. A zero block means the size that
	// the kernel was compiled for (.reqntid or .maxntid). shared is the size in
	// bytes of the kernel's extern shared array. The arguments are checked against
	// the kernel's signature.
	Launch(k Kernel, grid, block Dim3, shared int, args *Args) error

	// Record calls f and records its calls of Copy, Fill and Launch without running
	// them. Any other call inside f is an error. Addresses and arguments are fixed
	// when they are recorded.
	Record(f func() error) (Graph, error)

	Sync() error
	Close() error
}

// Module is PTX loaded on a device.
type Module interface {
	Kernel(name string) (Kernel, error)
	// Global returns the address and size in bytes of a .global or .const
	// variable.
	Global(name string) (Ptr, int64, error)
	Unload() error
}

// Kernel is a .entry of a loaded module.
type Kernel interface {
	Signature() *Signature
}

// Graph is a recorded sequence of calls, which one call replays.
type Graph interface {
	Launch() error
	Close() error
}

// A Driver may have optional capabilities, which are interfaces of one method. Use
// As to find them.

// MemoryReporter reports how many bytes of device memory are free. Other programs
// may use the same device. A driver that is recording, or lost, cannot report it.
type MemoryReporter interface {
	FreeMemory() (int64, error)
}

// Attributer reports how the compiler translated a kernel.
type Attributer interface {
	Attributes(k Kernel) (Attributes, error)
}

// Attributes are the resources of a kernel per thread and per block.
type Attributes struct {
	Registers  int // per thread
	Local      int // bytes per thread: spills and arrays
	Shared     int // static bytes per block
	MaxThreads int // per block
}

// Software is implemented by devices that exist only in software.
type Software interface {
	Software()
}

// Meter counts the calls made on a Driver.
type Meter interface {
	Calls() Calls
}

// Calls counts host calls since a Driver was opened. With it, a test can assert
// that a loop's iterations neither copy, nor allocate, nor wait.
type Calls struct {
	Allocs, Frees, Uploads, Downloads, Copies, Fills int64
	Launches, GraphLaunches, Syncs, Loads, Records   int64
	GraphCloses                                      int64
	UploadBytes, DownloadBytes                       int64
	Live, Peak                                       int64 // bytes allocated now, and at most
}

// Sub returns the calls between the earlier counts o and c. Live and Peak are those
// of c.
func (c Calls) Sub(o Calls) Calls {
	return Calls{
		c.Allocs - o.Allocs, c.Frees - o.Frees, c.Uploads - o.Uploads, c.Downloads - o.Downloads,
		c.Copies - o.Copies, c.Fills - o.Fills,
		c.Launches - o.Launches, c.GraphLaunches - o.GraphLaunches, c.Syncs - o.Syncs, c.Loads - o.Loads, c.Records - o.Records,
		c.GraphCloses - o.GraphCloses,
		c.UploadBytes - o.UploadBytes, c.DownloadBytes - o.DownloadBytes,
		c.Live, c.Peak,
	}
}

// As returns the capability T of d. It looks through decorators that have a method
// Unwrap() Driver.
func As[T any](d Driver) (T, bool) {
	for {
		if t, ok := d.(T); ok {
			return t, true
		}
		u, ok := d.(interface{ Unwrap() Driver })
		if !ok {
			var none T
			return none, false
		}
		d = u.Unwrap()
	}
}

// Code is a CUresult of the driver API.
type Code int

// These are the codes that Impasto distinguishes or returns itself.
const (
	InvalidValue       Code = 1
	OutOfMemory        Code = 2
	Deinitialised      Code = 4
	NoDevice           Code = 100
	InvalidPTX         Code = 218
	NotFound           Code = 500
	IllegalAddress     Code = 700
	LaunchResources    Code = 701
	LaunchTimeout      Code = 702
	IllegalInstruction Code = 715
	MisalignedAddress  Code = 716
	LaunchFailed       Code = 719
	CaptureUnsupported Code = 900
)

var codeNames = map[Code]string{
	InvalidValue: "invalid value", OutOfMemory: "out of memory", Deinitialised: "driver closed",
	NoDevice: "no device", InvalidPTX: "invalid PTX", NotFound: "not found",
	IllegalAddress: "illegal address", LaunchResources: "launch out of resources", LaunchTimeout: "launch timed out",
	IllegalInstruction: "illegal instruction", MisalignedAddress: "misaligned address",
	LaunchFailed: "launch failed", CaptureUnsupported: "not allowed while recording",
}

func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return "error"
}

// Error is a failed driver call: the call, the driver's code and text, and what the
// user can do (may be empty).
type Error struct {
	Call string // "launch of gram_fwd"
	Code Code
	Text string
	Hint string
	// Cause is the fault that a software device found. It is nil for a real driver.
	Cause error
}

func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s (CUDA error %d)", e.Call, e.Code, int(e.Code))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Errorf returns an Error with a formatted text.
func Errorf(code Code, call, format string, a ...any) error {
	return &Error{Call: call, Code: code, Text: fmt.Sprintf(format, a...)}
}

// CodeOf returns the CUDA code of err, or 0 if it has none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}
