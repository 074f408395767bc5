//go:build cuda && linux

package libcuda

// #include <stddef.h>
// #include <stdlib.h>
import "C"

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	"github.com/impasto/impasto/cuda"
)

// Memory. A CUdeviceptr has 64 bits, as size_t has on the machines we know.

//export emuMemAlloc
func emuMemAlloc(out *C.size_t, size C.size_t) C.int {
	return within("alloc", func(c *context) error {
		p, err := c.device.Alloc(int64(size))
		if err == nil {
			c.sizes[p] = int64(size)
			*out = C.size_t(p)
		}
		return err
	})
}

//export emuMemFree
func emuMemFree(p C.size_t) C.int {
	return within("free", func(c *context) error {
		delete(c.sizes, cuda.Ptr(p))
		return c.device.Free(cuda.Ptr(p))
	})
}

//export emuMemGetInfo
func emuMemGetInfo(free, total *C.size_t) C.int {
	return within("memory", func(c *context) error {
		*total = C.size_t(c.device.Info().Memory)
		*free = *total - C.size_t(c.device.Calls().Live)
		return nil
	})
}

//export emuMemGetAddressRange
func emuMemGetAddressRange(base, size *C.size_t, p C.size_t) C.int {
	return within("address range", func(c *context) error {
		for start, n := range c.sizes {
			if uint64(p)-uint64(start) < uint64(n) {
				*base, *size = C.size_t(start), C.size_t(n)
				return nil
			}
		}
		return cuda.Errorf(cuda.NotFound, "address range", "%#x lies in no allocation", uint64(p))
	})
}

//export emuMemAllocHost
func emuMemAllocHost(out *unsafe.Pointer, size C.size_t) C.int {
	*out = C.malloc(size)
	return success
}

//export emuMemFreeHost
func emuMemFreeHost(p unsafe.Pointer) C.int {
	C.free(p)
	return success
}

func hostBytes(p unsafe.Pointer, n C.size_t) []byte { return unsafe.Slice((*byte)(p), int(n)) }

//export emuMemcpyHtoD
func emuMemcpyHtoD(dst C.size_t, src unsafe.Pointer, n C.size_t) C.int {
	return within("upload", func(c *context) error { return c.device.Upload(cuda.Ptr(dst), hostBytes(src, n)) })
}

//export emuMemcpyDtoH
func emuMemcpyDtoH(dst unsafe.Pointer, src C.size_t, n C.size_t) C.int {
	return within("download", func(c *context) error { return c.device.Download(hostBytes(dst, n), cuda.Ptr(src)) })
}

//export emuMemcpyDtoD
func emuMemcpyDtoD(dst, src C.size_t, n C.size_t) C.int {
	return within("copy", func(c *context) error { return c.device.Copy(cuda.Ptr(dst), cuda.Ptr(src), int64(n)) })
}

//export emuMemsetD32
func emuMemsetD32(dst C.size_t, v C.uint, n C.size_t) C.int {
	return within("fill", func(c *context) error { return c.device.Fill(cuda.Ptr(dst), uint32(v), int64(n)) })
}

//export emuMemsetD16
func emuMemsetD16(dst C.size_t, v C.ushort, n C.size_t) C.int {
	return fillBytes(dst, binary.LittleEndian.AppendUint16(nil, uint16(v)), n)
}

//export emuMemsetD8
func emuMemsetD8(dst C.size_t, v C.uchar, n C.size_t) C.int {
	return fillBytes(dst, []byte{byte(v)}, n)
}

// fillBytes writes v n times. The software device fills only by words.
func fillBytes(dst C.size_t, v []byte, n C.size_t) C.int {
	return within("fill", func(c *context) error { return c.device.Upload(cuda.Ptr(dst), bytes.Repeat(v, int(n))) })
}
