//go:build cuda && linux

package cu

import (
	"bytes"
	"runtime"
	"strings"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/impasto/impasto/cuda"
)

// module is PTX that the driver has compiled for the device.
type module struct {
	driver     *driver
	module     cu.Module
	signatures map[string]*cuda.Signature
}

// kernel is a function of a module. dynamic is the most dynamic shared memory it
// may use.
type kernel struct {
	driver   *driver
	function cu.Function
	sig      *cuda.Signature
	dynamic  int
}

// defaultShared is the most shared memory, static and dynamic, that a block may use
// without permission for more.
const defaultShared = 48 << 10

func (d *driver) Load(ptx string) (cuda.Module, error) {
	m := &module{driver: d}
	err := d.call("load", false, func() (err error) {
		if m.signatures, err = cuda.Signatures(ptx); err != nil {
			return &cuda.Error{Call: "load", Code: cuda.InvalidPTX, Text: err.Error(), Cause: err}
		}
		// The driver writes the compiler's errors here. The buffer is passed as a
		// number, so it must be pinned.
		log := make([]byte, 8<<10)
		var pin runtime.Pinner
		pin.Pin(&log[0])
		defer pin.Unpin()
		m.module, err = cu.LoadDataEx(ptx, &cu.JITErrorLogBuffer{Buffer: log})
		if err == nil {
			d.calls.Loads++
			return nil
		}
		e := fail("load", err).(*cuda.Error)
		if text, _, _ := bytes.Cut(log, []byte{0}); len(text) > 0 {
			e.Text = strings.TrimSpace(string(text))
		}
		return e
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *module) Kernel(name string) (cuda.Kernel, error) {
	k := &kernel{driver: m.driver, sig: m.signatures[name]}
	err := m.driver.call("kernel "+name, true, func() (err error) {
		if k.sig == nil {
			return cuda.Errorf(cuda.NotFound, "kernel "+name, "the module has no such .entry")
		}
		k.dynamic = defaultShared - k.sig.Shared
		k.function, err = m.module.Function(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (m *module) Global(name string) (p cuda.Ptr, size int64, err error) {
	err = m.driver.call("variable "+name, true, func() error {
		q, n, err := m.module.Global(name)
		p, size = cuda.Ptr(q), n
		return err
	})
	return p, size, err
}

func (m *module) Unload() error {
	return m.driver.call("unload", false, func() error {
		if err := m.driver.stream.Synchronize(); err != nil {
			return err
		}
		return m.module.Unload()
	})
}

func (k *kernel) Signature() *cuda.Signature { return k.sig }

func (d *driver) Launch(kernelArg cuda.Kernel, grid, block cuda.Dim3, shared int, args *cuda.Args) error {
	k, ok := kernelArg.(*kernel)
	if !ok || k.driver != d {
		return cuda.Errorf(cuda.InvalidValue, "launch", "kernel is not of a module loaded on this device")
	}
	name := "launch of " + k.sig.Name
	return d.call(name, true, func() error {
		block, err := k.sig.Check(block, args)
		if err != nil {
			return err
		}
		grid = grid.Norm()
		if grid.X <= 0 || grid.X > 1<<31-1 || grid.Y > 65535 || grid.Z > 65535 {
			return cuda.Errorf(cuda.InvalidValue, name, "grid %v is not within (1..2147483647, 1..65535, 1..65535)", grid)
		}
		if shared < 0 || k.sig.Shared+shared > d.info.SharedBlock {
			return cuda.Errorf(cuda.InvalidValue, name, "%d bytes of static and %d of dynamic shared memory, a block may have %d", k.sig.Shared, shared, d.info.SharedBlock)
		}
		if shared > k.dynamic {
			if err := allowShared(k.function, shared); err != nil {
				return err
			}
			k.dynamic = shared
		}
		cells := args.Cells()
		params := make([]unsafe.Pointer, len(cells))
		for i := range cells {
			params[i] = unsafe.Pointer(&cells[i])
		}
		d.calls.Launches++
		return k.function.Launch(grid.X, grid.Y, grid.Z, block.X, block.Y, block.Z, shared, d.stream, params)
	})
}

// Attributes implements cuda.Attributer.
func (d *driver) Attributes(kernelArg cuda.Kernel) (a cuda.Attributes, err error) {
	k, ok := kernelArg.(*kernel)
	if !ok || k.driver != d {
		return a, cuda.Errorf(cuda.InvalidValue, "attributes", "kernel is not of this device")
	}
	err = d.call("attributes of "+k.sig.Name, true, func() (err error) {
		for attribute, to := range map[cu.FunctionAttribute]*int{
			cu.NumRegs: &a.Registers, cu.LocalSizeBytes: &a.Local,
			cu.SharedSizeBytes: &a.Shared, cu.FnMaxThreadsPerBlock: &a.MaxThreads,
		} {
			if *to, err = k.function.Attribute(attribute); err != nil {
				return err
			}
		}
		return nil
	})
	return a, err
}
