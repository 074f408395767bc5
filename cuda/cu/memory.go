//go:build cuda && linux

package cu

import (
	"unsafe"

	"gorgonia.org/cu"

	"github.com/impasto/impasto/cuda"
)

func (d *driver) Alloc(bytes int64) (p cuda.Ptr, err error) {
	err = d.call("alloc", false, func() error {
		if bytes <= 0 {
			return cuda.Errorf(cuda.InvalidValue, "alloc", "%d bytes", bytes)
		}
		q, err := cu.MemAlloc(bytes)
		if codeOf(err) == code(cuda.OutOfMemory) {
			free, total, _ := cu.MemInfo()
			return cuda.Errorf(cuda.OutOfMemory, "alloc", "%d bytes asked, %d of %d are free", bytes, free, total)
		}
		if err != nil {
			return err
		}
		p = cuda.Ptr(q)
		d.sizes[p] = bytes
		d.calls.Allocs++
		d.calls.Live += bytes
		d.calls.Peak = max(d.calls.Peak, d.calls.Live)
		return nil
	})
	return p, err
}

func (d *driver) Free(p cuda.Ptr) error {
	return d.call("free", false, func() error {
		if err := d.stream.Synchronize(); err != nil {
			return err
		}
		if err := cu.MemFree(cu.DevicePtr(p)); err != nil {
			return err
		}
		d.calls.Frees++
		d.calls.Live -= d.sizes[p]
		delete(d.sizes, p)
		return nil
	})
}

// staged copies n bytes through the staging buffer, one part after the other. It
// passes no Go memory to the driver, because the driver could still read or write
// it after the call. For pageable memory, the driver copies through such a buffer
// too.
func (d *driver) staged(n int, part func(at int, buffer []byte) error) error {
	for at := 0; at < n; at += stagingBytes {
		if err := part(at, d.staging[:min(stagingBytes, n-at)]); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) Upload(dst cuda.Ptr, src []byte) error {
	return d.call("upload", false, func() error {
		d.calls.Uploads++
		d.calls.UploadBytes += int64(len(src))
		return d.staged(len(src), func(at int, b []byte) error {
			copy(b, src[at:])
			err := cu.MemcpyHtoDAsync(cu.DevicePtr(dst)+cu.DevicePtr(at), unsafe.Pointer(&b[0]), int64(len(b)), d.stream)
			if err != nil {
				return err
			}
			return d.stream.Synchronize()
		})
	})
}

func (d *driver) Download(dst []byte, src cuda.Ptr) error {
	return d.call("download", false, func() error {
		d.calls.Downloads++
		d.calls.DownloadBytes += int64(len(dst))
		return d.staged(len(dst), func(at int, b []byte) error {
			err := cu.MemcpyDtoHAsync(unsafe.Pointer(&b[0]), cu.DevicePtr(src)+cu.DevicePtr(at), int64(len(b)), d.stream)
			if err == nil {
				err = d.stream.Synchronize()
			}
			copy(dst[at:], b)
			return err
		})
	})
}

func (d *driver) Copy(dst, src cuda.Ptr, bytes int64) error {
	return d.call("copy", true, func() error {
		if dst < src+cuda.Ptr(bytes) && src < dst+cuda.Ptr(bytes) {
			return cuda.Errorf(cuda.InvalidValue, "copy", "%d bytes from %#x to %#x overlap", bytes, uint64(src), uint64(dst))
		}
		d.calls.Copies++
		return cu.MemcpyDtoDAsync(cu.DevicePtr(dst), cu.DevicePtr(src), bytes, d.stream)
	})
}

func (d *driver) Fill(dst cuda.Ptr, v uint32, words int64) error {
	return d.call("fill", true, func() error {
		d.calls.Fills++
		return cu.MemsetD32Async(cu.DevicePtr(dst), uint(v), words, d.stream)
	})
}
