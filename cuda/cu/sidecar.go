//go:build cuda && linux

package cu

/*
#include <cuda.h>

static CUresult begin_capture(CUstream s) {
	return cuStreamBeginCapture(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
}

// cuGraphInstantiate has other parameters in CUDA 12 than in 11; this form has
// not changed.
static CUresult instantiate(CUgraphExec *exec, CUgraph graph) {
	return cuGraphInstantiateWithFlags(exec, graph, 0);
}

static CUresult set_dynamic_shared(CUfunction f, int bytes) {
	return cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
}
*/
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// These are the calls of the driver that gorgonia.org/cu does not make. Its streams
// and functions are structs of one field, the driver's handle.

func handleOf(s cu.Stream) C.CUstream { return C.CUstream(unsafe.Pointer(s.C())) }

func functionOf(f cu.Function) C.CUfunction { return *(*C.CUfunction)(unsafe.Pointer(&f)) }

// result converts a CUresult to an error.
func result(r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	return code(r)
}

// beginCapture makes the stream record what this thread queues on it.
func beginCapture(s cu.Stream) error { return result(C.begin_capture(handleOf(s))) }

// endCapture returns the recording, ready to be launched.
func endCapture(s cu.Stream) (e executable, err error) {
	var graph C.CUgraph
	if err := result(C.cuStreamEndCapture(handleOf(s), &graph)); err != nil {
		return e, err
	}
	defer C.cuGraphDestroy(graph)
	return e, result(C.instantiate(&e.exec, graph))
}

// executable is a graph that can be launched.
type executable struct{ exec C.CUgraphExec }

func (e executable) launch(s cu.Stream) error { return result(C.cuGraphLaunch(e.exec, handleOf(s))) }

func (e executable) destroy() error { return result(C.cuGraphExecDestroy(e.exec)) }

// allowShared permits launches of f with this many bytes of dynamic shared memory.
func allowShared(f cu.Function, bytes int) error {
	return result(C.set_dynamic_shared(functionOf(f), C.int(bytes)))
}

// allocHost returns page-locked memory of the host, which the device can access
// directly. cu.MemFreeHost frees it.
func allocHost(bytes int) ([]byte, error) {
	var p unsafe.Pointer
	if err := result(C.cuMemAllocHost(&p, C.size_t(bytes))); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), bytes), nil
}

// text returns the driver's text for a code, or "" if it has none.
func (c code) text() string {
	var s *C.char
	if C.cuGetErrorString(C.CUresult(c), &s) != C.CUDA_SUCCESS || s == nil {
		return ""
	}
	return C.GoString(s)
}
