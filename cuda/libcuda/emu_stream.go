//go:build cuda && linux

package libcuda

// #include <stddef.h>
import "C"

import (
	"time"

	"github.com/impasto/impasto/cuda"
)

// Streams and events. What they would wait for is always done.

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
	return answer(func() error {
		_, err := of[*stream]("destroy stream", handle)
		delete(handles, uintptr(handle))
		return err
	})
}

//export emuStreamGetFlags
func emuStreamGetFlags(handle C.size_t, out *C.uint) C.int {
	return answer(func() error {
		s, err := of[*stream]("flags of stream", handle)
		if err == nil {
			*out = C.uint(s.flags)
		}
		return err
	})
}

//export emuStreamGetPriority
func emuStreamGetPriority(handle C.size_t, out *C.int) C.int {
	return answer(func() error {
		s, err := of[*stream]("priority of stream", handle)
		if err == nil {
			*out = C.int(s.priority)
		}
		return err
	})
}

//export emuStreamQuery
func emuStreamQuery(handle C.size_t) C.int { return emuStreamSynchronize(handle) }

//export emuStreamSynchronize
func emuStreamSynchronize(handle C.size_t) C.int {
	return within("synchronize", func(c *context) error { return c.device.Sync() })
}

//export emuStreamWaitEvent
func emuStreamWaitEvent(handle, event C.size_t, flags C.uint) C.int { return success }

// event is a CUevent: when it was recorded.
type event struct{ at time.Time }

//export emuEventCreate
func emuEventCreate(out *C.size_t, flags C.uint) C.int {
	return within("event", func(*context) error { *out = C.size_t(newHandle(&event{})); return nil })
}

//export emuEventDestroy
func emuEventDestroy(handle C.size_t) C.int {
	return answer(func() error {
		_, err := of[*event]("destroy event", handle)
		delete(handles, uintptr(handle))
		return err
	})
}

//export emuEventRecord
func emuEventRecord(handle, s C.size_t) C.int {
	return answer(func() error {
		e, err := of[*event]("record event", handle)
		if err == nil {
			e.at = time.Now()
		}
		return err
	})
}

//export emuEventQuery
func emuEventQuery(handle C.size_t) C.int { return success }

//export emuEventSynchronize
func emuEventSynchronize(handle C.size_t) C.int { return success }

//export emuEventElapsedTime
func emuEventElapsedTime(ms *C.float, start, end C.size_t) C.int {
	return answer(func() error {
		a, err := of[*event]("elapsed time", start)
		if err != nil {
			return err
		}
		b, err := of[*event]("elapsed time", end)
		if err == nil {
			*ms = C.float(b.at.Sub(a.at).Seconds() * 1000)
		}
		return err
	})
}

// Recording. A CUgraph and the CUgraphExec made of it are the same recorded calls.

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
	return answer(func() error {
		g, err := of[cuda.Graph]("instantiate graph", graph)
		if err == nil {
			*out = C.size_t(newHandle(g))
		}
		return err
	})
}

//export emuGraphLaunch
func emuGraphLaunch(exec, s C.size_t) C.int {
	return answer(func() error {
		g, err := of[cuda.Graph]("launch graph", exec)
		if err != nil {
			return err
		}
		return g.Launch()
	})
}

//export emuGraphDestroy
func emuGraphDestroy(graph C.size_t) C.int {
	return answer(func() error {
		_, err := of[cuda.Graph]("destroy graph", graph)
		delete(handles, uintptr(graph))
		return err
	})
}

//export emuGraphExecDestroy
func emuGraphExecDestroy(exec C.size_t) C.int { return emuGraphDestroy(exec) }
