//go:build cuda && linux

package libcuda

// #include <stddef.h>
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"os"
	"unsafe"

	"github.com/impasto/impasto/cuda"
)

// function is a CUfunction, with the most dynamic shared memory that it may use.
type function struct {
	kernel  cuda.Kernel
	dynamic int
}

// defaultShared is the shared memory that any block may use. For more, the caller
// must use cuFuncSetAttribute.
const defaultShared = 48 << 10

// load makes a CUmodule from PTX.
func load(out *C.size_t, ptx string) error {
	c := current()
	if c == nil {
		return cuda.Errorf(badContext, "load", "this thread has no current context")
	}
	m, err := c.device.Load(ptx)
	if err == nil {
		*out = C.size_t(newHandle(m))
	}
	return err
}

//export emuModuleLoad
func emuModuleLoad(out *C.size_t, name *C.char) C.int {
	return answer(func() error {
		text, err := os.ReadFile(C.GoString(name))
		if err != nil {
			return &cuda.Error{Call: "load", Code: 301, Text: err.Error()}
		}
		return load(out, string(text))
	})
}

//export emuModuleLoadData
func emuModuleLoadData(out *C.size_t, image unsafe.Pointer) C.int {
	return answer(func() error { return load(out, C.GoString((*C.char)(image))) })
}

// emuModuleLoadDataEx supports one CUjit_option: the buffer for the compiler's
// error message, and its size.
//
//export emuModuleLoadDataEx
func emuModuleLoadDataEx(out *C.size_t, image unsafe.Pointer, n C.uint, names *C.uint, values *unsafe.Pointer) C.int {
	const errorLog, errorLogSize = 5, 6
	return answer(func() error {
		err := load(out, C.GoString((*C.char)(image)))
		if err == nil || n == 0 {
			return err
		}
		given := map[C.uint]unsafe.Pointer{}
		for i, name := range unsafe.Slice(names, n) {
			given[name] = unsafe.Slice(values, n)[i]
		}
		if log, size := given[errorLog], int(uintptr(given[errorLogSize])); log != nil && size > 0 {
			text := unsafe.Slice((*byte)(log), size)
			text[copy(text[:size-1], err.Error())] = 0
		}
		return err
	})
}

//export emuModuleUnload
func emuModuleUnload(handle C.size_t) C.int {
	return with("unload", handle, func(m cuda.Module) error {
		delete(handles, uintptr(handle))
		return m.Unload()
	})
}

//export emuModuleGetFunction
func emuModuleGetFunction(out *C.size_t, handle C.size_t, name *C.char) C.int {
	return with("kernel", handle, func(m cuda.Module) error {
		k, err := m.Kernel(C.GoString(name))
		if err == nil {
			*out = C.size_t(newHandle(&function{kernel: k, dynamic: defaultShared - k.Signature().Shared}))
		}
		return err
	})
}

//export emuModuleGetGlobal
func emuModuleGetGlobal(out, size *C.size_t, handle C.size_t, name *C.char) C.int {
	return with("variable", handle, func(m cuda.Module) error {
		p, n, err := m.Global(C.GoString(name))
		*out, *size = C.size_t(p), C.size_t(n)
		return err
	})
}

// CUfunction_attribute of cuda.h.
const (
	maxThreads    = 0
	sharedBytes   = 1
	localBytes    = 3
	registers     = 4
	dynamicShared = 8
)

//export emuFuncGetAttribute
func emuFuncGetAttribute(out *C.int, attribute C.int, handle C.size_t) C.int {
	return within("kernel attribute", func(c *context) error {
		f, err := of[*function]("kernel attribute", handle)
		if err != nil {
			return err
		}
		a, err := c.device.Attributes(f.kernel)
		switch attribute {
		case maxThreads:
			*out = C.int(a.MaxThreads)
		case sharedBytes:
			*out = C.int(a.Shared)
		case localBytes:
			*out = C.int(a.Local)
		case registers:
			*out = C.int(a.Registers)
		case dynamicShared:
			*out = C.int(f.dynamic)
		default:
			return cuda.Errorf(cuda.InvalidValue, "kernel attribute", "attribute %d is not known to the emulator", int(attribute))
		}
		return err
	})
}

//export emuFuncSetAttribute
func emuFuncSetAttribute(handle C.size_t, attribute, value C.int) C.int {
	return within("set kernel attribute", func(c *context) error {
		f, err := of[*function]("set kernel attribute", handle)
		if err != nil {
			return err
		}
		static, most := f.kernel.Signature().Shared, c.device.Info().SharedBlock
		if attribute != dynamicShared || value < 0 || static+int(value) > most {
			return cuda.Errorf(cuda.InvalidValue, "set kernel attribute", "attribute %d to %d; a block may have %d bytes of shared memory and has %d",
				int(attribute), int(value), most, static)
		}
		f.dynamic = int(value)
		return nil
	})
}

// emuLaunchKernel reads as many arguments as the kernel has parameters, and of each
// as many bytes as the parameter has, as the driver does.
//
//export emuLaunchKernel
func emuLaunchKernel(handle C.size_t, gx, gy, gz, bx, by, bz, shared C.uint, s C.size_t, params *unsafe.Pointer, extra unsafe.Pointer) C.int {
	return within("launch", func(c *context) error {
		f, err := of[*function]("launch", handle)
		if err != nil {
			return err
		}
		sig := f.kernel.Signature()
		if int(shared) > f.dynamic {
			return cuda.Errorf(cuda.InvalidValue, "launch of "+sig.Name, "%d bytes of dynamic shared memory, the kernel may be given %d", int(shared), f.dynamic)
		}
		cells := make([]uint64, len(sig.Params))
		for i, p := range sig.Params {
			var cell [8]byte
			copy(cell[:], unsafe.Slice((*byte)(unsafe.Slice(params, len(cells))[i]), min(p.Size, 8)))
			cells[i] = binary.LittleEndian.Uint64(cell[:])
		}
		grid := cuda.Dim3{X: int(gx), Y: int(gy), Z: int(gz)}
		block := cuda.Dim3{X: int(bx), Y: int(by), Z: int(bz)}
		if bx*by*bz == 0 || gx*gy*gz == 0 {
			return cuda.Errorf(cuda.InvalidValue, "launch of "+sig.Name, "grid %v of blocks of %v", grid, block)
		}
		return c.device.Launch(f.kernel, grid, block, int(shared), cuda.RawArgs(cells))
	})
}

// linked is PTX in a CUlinkState. Nothing is joined: the result is the text that
// was added last.
type linked struct{ image *C.char }

//export emuLinkCreate
func emuLinkCreate(n C.uint, names *C.uint, values *unsafe.Pointer, out *C.size_t) C.int {
	return answer(func() error { *out = C.size_t(newHandle(&linked{})); return nil })
}

//export emuLinkAddData
func emuLinkAddData(handle C.size_t, kind C.int, data unsafe.Pointer, size C.size_t) C.int {
	return with("link", handle, func(l *linked) error {
		C.free(unsafe.Pointer(l.image))
		l.image = C.CString(string(hostBytes(data, size)))
		return nil
	})
}

//export emuLinkComplete
func emuLinkComplete(handle C.size_t, image *unsafe.Pointer, size *C.size_t) C.int {
	return with("link", handle, func(l *linked) error {
		*image, *size = unsafe.Pointer(l.image), C.size_t(len(C.GoString(l.image)))
		return nil
	})
}

//export emuLinkDestroy
func emuLinkDestroy(handle C.size_t) C.int {
	return with("link", handle, func(l *linked) error {
		C.free(unsafe.Pointer(l.image))
		delete(handles, uintptr(handle))
		return nil
	})
}
