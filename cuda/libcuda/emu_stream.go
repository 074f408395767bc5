//go:build cuda && linux

package libcuda

// #include <stddef.h>
import "C"

import (
	"time"

	"github.com/impasto/impasto/cuda"
)

// Streams and events are always complete, so nothing waits for them.

//export emuStreamCreate
func emuStreamCreate(out *C.size_t, flags C.uint) C.int {
	return emuStreamCreateWithPriority(out, flags, 0)
}

//export emuStreamCreateWithPriority
func emuStreamCreateWithPriority(out *C.size_t, flags C.uint, priority C.int) C.int {
	return within("stream", func(*context) error {
		*out = C.size_t(newHandle(&stream{int(flags), int(priority)}))
		return nil
	})
}

//export emuStreamDestroy
func emuStreamDestroy(handle C.size_t) C.int {
	return with("destroy stream", handle, func(*stream) error { delete(handles, uintptr(handle)); return nil })
}

//export emuStreamGetFlags
func emuStreamGetFlags(handle C.size_t, out *C.uint) C.int {
	return with("flags of stream", handle, func(s *stream) error { *out = C.uint(s.flags); return nil })
}

//export emuStreamGetPriority
func emuStreamGetPriority(handle C.size_t, out *C.int) C.int {
	return with("priority of stream", handle, func(s *stream) error { *out = C.int(s.priority); return nil })
}

//export emuStreamQuery
func emuStreamQuery(handle C.size_t) C.int { return emuStreamSynchronize(handle) }

//export emuStreamSynchronize
func emuStreamSynchronize(handle C.size_t) C.int {
	return within("synchronize", func(c *context) error { return c.device.Sync() })
}

//export emuStreamWaitEvent
func emuStreamWaitEvent(handle, event C.size_t, flags C.uint) C.int { return success }

// event is a CUevent. It holds the time at which it was recorded.
type event struct{ at time.Time }

//export emuEventCreate
func emuEventCreate(out *C.size_t, flags C.uint) C.int {
	return within("event", func(*context) error { *out = C.size_t(newHandle(&event{})); return nil })
}

//export emuEventDestroy
func emuEventDestroy(handle C.size_t) C.int {
	return with("destroy event", handle, func(*event) error { delete(handles, uintptr(handle)); return nil })
}

//export emuEventRecord
func emuEventRecord(handle, s C.size_t) C.int {
	return with("record event", handle, func(e *event) error { e.at = time.Now(); return nil })
}

//export emuEventQuery
func emuEventQuery(handle C.size_t) C.int { return success }

//export emuEventSynchronize
func emuEventSynchronize(handle C.size_t) C.int { return success }

//export emuEventElapsedTime
func emuEventElapsedTime(ms *C.float, start, end C.size_t) C.int {
	return with("elapsed time", start, func(a *event) error {
		b, err := of[*event]("elapsed time", end)
		if err == nil {
			*ms = C.float(b.at.Sub(a.at).Seconds() * 1000)
		}
		return err
	})
}

// A CUgraph and the CUgraphExec made from it are the same recorded calls.

//export emuStreamBeginCapture
func emuStreamBeginCapture(handle C.size_t, mode C.int) C.int {
	return within("begin capture", func(c *context) error {
		s, err := of[*stream]("begin capture", handle)
		if err == nil {
			err = c.device.BeginRecord()
		}
		if err == nil {
			c.capture = s
		}
		return err
	})
}

//export emuStreamEndCapture
func emuStreamEndCapture(handle C.size_t, out *C.size_t) C.int {
	return within("end capture", func(c *context) error {
		if s, err := of[*stream]("end capture", handle); err != nil || s != c.capture {
			return cuda.Errorf(cuda.InvalidValue, "end capture", "stream %#x is not recording", uint64(handle))
		}
		c.capture = nil
		g, err := c.device.EndRecord()
		if *out = 0; err == nil {
			*out = C.size_t(newHandle(g))
		}
		return err
	})
}

//export emuGraphInstantiateWithFlags
func emuGraphInstantiateWithFlags(out *C.size_t, graph C.size_t, flags C.ulonglong) C.int {
	return with("instantiate graph", graph, func(g cuda.Graph) error { *out = C.size_t(newHandle(g)); return nil })
}

//export emuGraphLaunch
func emuGraphLaunch(exec, s C.size_t) C.int {
	return with("launch graph", exec, func(g cuda.Graph) error {
		return g.Launch()
	})
}

//export emuGraphDestroy
func emuGraphDestroy(graph C.size_t) C.int {
	return with("destroy graph", graph, func(cuda.Graph) error { delete(handles, uintptr(graph)); return nil })
}

//export emuGraphExecDestroy
func emuGraphExecDestroy(exec C.size_t) C.int { return emuGraphDestroy(exec) }
