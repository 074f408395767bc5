//go:build cuda && linux

package libcuda

// #include <stddef.h>
import "C"

import (
	"strings"
	"syscall"
	"unsafe"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/emu"
)

// Devices: there is one, with the options that were given to Emulate.

//export emuDriverGetVersion
func emuDriverGetVersion(version *C.int) C.int {
	return answer(func() error {
		*version = C.int(emu.Open(options).Info().Driver)
		return nil
	})
}

//export emuDeviceGetCount
func emuDeviceGetCount(count *C.int) C.int {
	*count = 1
	return success
}

//export emuDeviceGet
func emuDeviceGet(device *C.int, ordinal C.int) C.int {
	return answer(func() error {
		*device = ordinal
		return checkDevice("device", ordinal)
	})
}

func checkDevice(call string, device C.int) error {
	if device != 0 {
		return cuda.Errorf(101, call, "there is no device %d; the emulator has one", int(device))
	}
	return nil
}

//export emuDeviceGetName
func emuDeviceGetName(name *C.char, size C.int, device C.int) C.int {
	return answer(func() error {
		text := emu.Open(options).Info().Name
		out := unsafe.Slice((*byte)(unsafe.Pointer(name)), int(size))
		out[copy(out[:len(out)-1], text)] = 0
		return checkDevice("name of device", device)
	})
}

//export emuDeviceGetUuid
func emuDeviceGetUuid(uuid unsafe.Pointer, device C.int) C.int {
	return answer(func() error {
		copy(unsafe.Slice((*byte)(uuid), 16), "software device.")
		return checkDevice("UUID of device", device)
	})
}

//export emuDeviceTotalMem
func emuDeviceTotalMem(bytes *C.size_t, device C.int) C.int {
	return answer(func() error {
		*bytes = C.size_t(emu.Open(options).Info().Memory)
		return checkDevice("memory of device", device)
	})
}

//export emuDeviceGetAttribute
func emuDeviceGetAttribute(value *C.int, attribute, device C.int) C.int {
	return answer(func() error {
		i := emu.Open(options).Info()
		// CUdevice_attribute of cuda.h.
		known := map[C.int]int{
			1: 1024, 2: 1024, 3: 1024, 4: 64, // threads of a block: in all, x, y, z
			5: 1<<31 - 1, 6: 65535, 7: 65535, // blocks of a grid: x, y, z
			8: 48 << 10, 10: 32, 12: 65536, // shared memory and registers of a block, lanes of a warp
			13: 1, // clock in kHz: there is none
			16: i.SMs, 75: i.Major, 76: i.Minor, 97: i.SharedBlock,
		}
		v, ok := known[attribute]
		if !ok {
			return cuda.Errorf(cuda.InvalidValue, "device attribute", "attribute %d is not known to the emulator", int(attribute))
		}
		*value = C.int(v)
		return checkDevice("device attribute", device)
	})
}

// Contexts. Each thread has a stack of them, as in the driver.

//export emuCtxCreate
func emuCtxCreate(out *C.size_t, flags C.uint, device C.int) C.int {
	return answer(func() error {
		c := &context{device: emu.Open(options), flags: uint32(flags), sizes: map[cuda.Ptr]int64{}, limits: map[int]uint64{}}
		c.handle = newHandle(c)
		*out = C.size_t(c.handle)
		id := syscall.Gettid()
		stacks[id] = append(stacks[id], c)
		return checkDevice("context", device)
	})
}

//export emuCtxDestroy
func emuCtxDestroy(handle C.size_t) C.int {
	return with("destroy context", handle, func(c *context) error {
		delete(handles, c.handle)
		if current() == c {
			setCurrent(nil)
		}
		return c.device.Close()
	})
}

//export emuCtxSetCurrent
func emuCtxSetCurrent(handle C.size_t) C.int {
	return answer(func() error {
		if handle == 0 {
			setCurrent(nil)
			return nil
		}
		c, err := of[*context]("set context", handle)
		if err == nil {
			setCurrent(c)
		}
		return err
	})
}

//export emuCtxGetCurrent
func emuCtxGetCurrent(out *C.size_t) C.int {
	return answer(func() error {
		if *out = 0; current() != nil {
			*out = C.size_t(current().handle)
		}
		return nil
	})
}

//export emuCtxPushCurrent
func emuCtxPushCurrent(handle C.size_t) C.int {
	return with("push context", handle, func(c *context) error {
		id := syscall.Gettid()
		stacks[id] = append(stacks[id], c)
		return nil
	})
}

//export emuCtxPopCurrent
func emuCtxPopCurrent(out *C.size_t) C.int {
	return within("pop context", func(c *context) error {
		*out = C.size_t(c.handle)
		setCurrent(nil)
		return nil
	})
}

//export emuCtxGetDevice
func emuCtxGetDevice(out *C.int) C.int {
	return within("device of context", func(*context) error { *out = 0; return nil })
}

//export emuCtxGetFlags
func emuCtxGetFlags(out *C.uint) C.int {
	return within("flags of context", func(c *context) error { *out = C.uint(c.flags); return nil })
}

//export emuCtxGetApiVersion
func emuCtxGetApiVersion(handle C.size_t, version *C.uint) C.int {
	return with("version of context", handle, func(c *context) error { *version = C.uint(c.device.Info().Driver); return nil })
}

//export emuCtxSynchronize
func emuCtxSynchronize() C.int {
	return within("synchronize", func(c *context) error { return c.device.Sync() })
}

//export emuCtxSetLimit
func emuCtxSetLimit(limit C.int, value C.size_t) C.int {
	return within("set limit", func(c *context) error { c.limits[int(limit)] = uint64(value); return nil })
}

//export emuCtxGetLimit
func emuCtxGetLimit(value *C.size_t, limit C.int) C.int {
	return within("limit", func(c *context) error { *value = C.size_t(c.limits[int(limit)]); return nil })
}

//export emuCtxSetCacheConfig
func emuCtxSetCacheConfig(config C.int) C.int {
	return within("set cache", func(c *context) error { c.cache = int(config); return nil })
}

//export emuCtxGetCacheConfig
func emuCtxGetCacheConfig(config *C.int) C.int {
	return within("cache", func(c *context) error { *config = C.int(c.cache); return nil })
}

//export emuCtxSetSharedMemConfig
func emuCtxSetSharedMemConfig(config C.int) C.int {
	return within("set banks", func(c *context) error { c.banks = int(config); return nil })
}

//export emuCtxGetSharedMemConfig
func emuCtxGetSharedMemConfig(config *C.int) C.int {
	return within("banks", func(c *context) error { *config = C.int(c.banks); return nil })
}

// errorStrings are C strings of the codes' names, which live for ever.
var errorStrings = map[C.int]*C.char{}

//export emuGetErrorString
func emuGetErrorString(code C.int, out **C.char) C.int {
	return answer(func() error {
		if errorStrings[code] == nil {
			errorStrings[code] = C.CString(strings.TrimSpace(cuda.Code(code).String()))
		}
		*out = errorStrings[code]
		return nil
	})
}
