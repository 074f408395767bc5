//go:build cuda && linux

package cu

import (
	"errors"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/libcuda"
)

// List describes the CUDA devices, in the driver's order. If there are none, the
// error says why.
func List() ([]cuda.Info, error) {
	if why := libcuda.Reason(); why != "" {
		return nil, errors.New(why)
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fail("number of devices", err)
	}
	all := make([]cuda.Info, n)
	for i := range all {
		if all[i], err = describe(cu.Device(i)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sharedOptIn is CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, which
// gorgonia.org/cu has no name for.
const sharedOptIn cu.DeviceAttribute = 97

func describe(dev cu.Device) (i cuda.Info, err error) {
	i.Driver = cu.Version()
	if i.Name, err = dev.Name(); err != nil {
		return i, fail("name of device", err)
	}
	if i.Memory, err = dev.TotalMem(); err != nil {
		return i, fail("memory of device", err)
	}
	for attribute, to := range map[cu.DeviceAttribute]*int{
		cu.ComputeCapabilityMajor: &i.Major, cu.ComputeCapabilityMinor: &i.Minor,
		cu.MultiprocessorCount: &i.SMs, sharedOptIn: &i.SharedBlock,
	} {
		if *to, err = dev.Attribute(attribute); err != nil {
			return i, fail("attribute of device", err)
		}
	}
	return i, nil
}

// driver implements cuda.Driver. It has a context and a stream of its own, so that
// Close releases everything.
//
// The driver's current context belongs to a thread, and goroutines move between
// threads. So every call locks its thread and sets the context. A recording keeps
// its thread locked from beginning to end, as the driver requires.
type driver struct {
	info    cuda.Info
	context cu.CUContext
	stream  cu.Stream
	staging []byte // page-locked, between host slices and the device
	sizes   map[cuda.Ptr]int64
	calls   cuda.Calls
	record  *recording
	lost    error
}

type recording struct{ broken error }

// stagingBytes is the most bytes that are copied to or from the device at once.
const stagingBytes = 4 << 20

// nonBlocking makes a stream independent of the legacy stream
// (CU_STREAM_NON_BLOCKING).
const nonBlocking = cu.NonBlocking

// Open returns device n of List.
func Open(n int) (cuda.Driver, error) {
	if why := libcuda.Reason(); why != "" {
		return nil, cuda.Errorf(cuda.NoDevice, "open", "%s", why)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dev, err := cu.GetDevice(n)
	if err != nil {
		return nil, fail("open", err)
	}
	d := &driver{sizes: map[cuda.Ptr]int64{}}
	if d.info, err = describe(dev); err != nil {
		return nil, err
	}
	// Waiting for the device must not keep a core busy.
	if d.context, err = dev.MakeContext(cu.SchedBlockingSync); err != nil {
		return nil, fail("open", err)
	}
	if d.stream, err = cu.MakeStream(nonBlocking); err == nil {
		d.staging, err = allocHost(stagingBytes)
	}
	if err != nil {
		d.context.Destroy()
		return nil, fail("open", err)
	}
	// Creating a context made it current on this thread, which others may use.
	_, err = cu.PopCurrentCtx()
	return d, fail("open", err)
}

// call runs f, a call of the driver, on a thread where the context is current. It
// refuses to run f after a fault, and while recording if f cannot be recorded.
func (d *driver) call(name string, recordable bool, f func() error) error {
	if d.lost != nil {
		return d.lost
	}
	if d.record != nil && !recordable {
		d.record.broken = cuda.Errorf(cuda.CaptureUnsupported, name, "")
		return d.record.broken
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return fail(name, err)
	}
	err := f()
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*cuda.Error](err); ours {
		return err
	}
	e := fail(name, err)
	if codeOf(err).lost() {
		d.lost = e
	}
	return e
}

func (d *driver) Info() cuda.Info   { return d.info }
func (d *driver) Calls() cuda.Calls { return d.calls }

// FreeMemory returns the memory that neither this program nor another one holds.
func (d *driver) FreeMemory() (free int64, err error) {
	err = d.call("free memory", false, func() (err error) {
		free, _, err = cu.MemInfo()
		return err
	})
	return free, err
}

func (d *driver) Sync() error {
	return d.call("sync", false, func() error {
		d.calls.Syncs++
		return d.stream.Synchronize()
	})
}

var errClosed = &cuda.Error{Call: "call after close", Code: cuda.Deinitialised}

// Close destroys the context and with it all memory, modules and graphs.
func (d *driver) Close() error {
	if errors.Is(d.lost, errClosed) {
		return nil
	}
	d.lost = errClosed
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return fail("close", err)
	}
	cu.MemFreeHost(unsafe.Pointer(&d.staging[0]))
	d.staging, d.sizes = nil, nil
	return fail("close", d.context.Destroy())
}

var (
	_ cuda.Driver     = (*driver)(nil)
	_ cuda.Meter      = (*driver)(nil)
	_ cuda.Attributer = (*driver)(nil)
)
