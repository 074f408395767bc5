//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/impasto/impasto/gpu/simd/tiles"
)

// tracer holds the threads of the program and of its children.
type tracer struct {
	first   int // process
	refuse  bool
	threads map[int]*thread
	faults  int
	counts  [tiles.Ops]int
	stops   int // for tile instructions
	used    int // threads that configured tiles
}

type thread struct {
	tiles    tiles.Tiles
	granted  bool // the running call asks for tile registers, and they are granted
	handlers int  // handlers of signals that run since the tiles were configured
	used     bool
}

// start executes a program, stopped at its first instruction.
func start(program string, args, env []string) (*tracer, error) {
	p, err := os.StartProcess(program, args, &os.ProcAttr{
		Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &unix.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return nil, fmt.Errorf("tracing %s: %w", program, err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(p.Pid, &status, 0, nil); err != nil {
		return nil, err
	}
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC |
		unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(p.Pid, options); err != nil {
		return nil, err
	}
	t := &tracer{first: p.Pid, threads: map[int]*thread{p.Pid: {}}}
	return t, unix.PtraceSyscall(p.Pid, 0)
}

// run follows the threads until all have ended, and returns the program's exit code.
func (t *tracer) run() (code int, err error) {
	for {
		var status unix.WaitStatus
		id, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return code, nil
		case err != nil:
			return 0, err
		}
		if status.Exited() || status.Signaled() {
			if id == t.first {
				code = status.ExitStatus()
				if status.Signaled() {
					code = 128 + int(status.Signal())
				}
			}
			delete(t.threads, id)
			continue
		}
		if status.Stopped() {
			// A thread that is killed while stopped answers ESRCH: its end is reported next.
			if err := t.stopped(id, status); err != nil && err != unix.ESRCH {
				return 0, fmt.Errorf("thread %d: %w", id, err)
			}
		}
	}
}

// stopped handles a stop and lets the thread run on.
func (t *tracer) stopped(id int, status unix.WaitStatus) error {
	const callStop = unix.SIGTRAP | 0x80
	signal := status.StopSignal()
	th := t.threads[id]
	switch {
	case th == nil: // a new thread or child stops once by SIGSTOP
		t.threads[id] = &thread{}
		signal = 0
	case signal == callStop:
		signal = 0
		if err := t.call(id, th); err != nil {
			return err
		}
	case signal == unix.SIGTRAP && status.TrapCause() > 0: // clone, fork or exec
		signal = 0
		if status.TrapCause() == unix.PTRACE_EVENT_EXEC {
			*th = thread{}
		}
	case signal == unix.SIGILL:
		done, err := t.execute(id, th)
		if err != nil {
			return err
		}
		if done {
			signal = 0
		}
	case th.tiles.Configured && signal != unix.SIGSTOP:
		th.handlers++
	}
	return unix.PtraceSyscall(id, int(signal))
}

// call handles the start or the end of a system call.
func (t *tracer) call(id int, th *thread) error {
	const archReqXcompPerm, xfeatureTileData = 0x1023, 18
	call, err := systemCall(id)
	if err != nil {
		return err
	}
	switch {
	case call.op == unix.PTRACE_SYSCALL_INFO_EXIT && th.granted:
		th.granted = false
		return setRegister(id, func(r *unix.PtraceRegs) { r.Rax = 0 })
	case call.op != unix.PTRACE_SYSCALL_INFO_ENTRY:
	case call.number == unix.SYS_RT_SIGRETURN:
		th.handlers = max(0, th.handlers-1)
	case th.tiles.Configured && th.handlers == 0:
		t.fault(call.at, fmt.Errorf("system call %d while tiles are configured: the code that configured them has returned", call.number))
		th.tiles = tiles.Tiles{}
	case call.number == unix.SYS_ARCH_PRCTL && call.args[0] == archReqXcompPerm && call.args[1] == xfeatureTileData && !t.refuse:
		th.granted = true
		return setRegister(id, func(r *unix.PtraceRegs) { r.Orig_rax = ^uint64(0) }) // no call
	}
	return nil
}

// callInfo is the start of Linux's ptrace_syscall_info, as it is at the start of a call.
type callInfo struct {
	op     uint8
	_      [3]byte
	_      uint32
	at     uint64
	_      uint64
	number uint64
	args   [6]uint64
	_      [16]byte
}

func systemCall(id int) (info callInfo, err error) {
	_, _, e := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(id),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if e != 0 {
		return info, e
	}
	return info, nil
}

func setRegister(id int, set func(*unix.PtraceRegs)) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(id, &r); err != nil {
		return err
	}
	set(&r)
	return unix.PtraceSetRegs(id, &r)
}

// execute runs the tile instructions from where the thread stopped to the next other one.
// done is whether there were any and none was at fault.
func (t *tracer) execute(id int, th *thread) (done bool, err error) {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(id, &r); err != nil {
		return false, err
	}
	t.stops++
	m := memory(id)
	regs := tiles.Registers{General: [16]uint64{r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi,
		r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15}}
	var code [512]byte
	n := m.code(r.Rip, code[:])
	for at := 0; ; {
		in, err := tiles.Decode(code[at:n])
		if err != nil || at+16 > n && at > 0 {
			if at == 0 { // what stopped it is none of ours
				return false, nil
			}
			break
		}
		regs.Next = r.Rip + uint64(in.Size)
		if err := th.tiles.Run(in, &regs, m); err != nil {
			t.fault(r.Rip, fmt.Errorf("%s: %w", in.Op, err))
			return false, unix.PtraceSetRegs(id, &r)
		}
		if in.Op == tiles.LDTILECFG {
			th.handlers = 0
			if !th.used {
				th.used = true
				t.used++
			}
		}
		t.counts[in.Op]++
		r.Rip = regs.Next
		at += in.Size
	}
	return true, unix.PtraceSetRegs(id, &r)
}

func (t *tracer) fault(at uint64, err error) {
	t.faults++
	fmt.Fprintf(os.Stderr, "tiles: fault at %#x: %v\n", at, err)
}

// summary says what was executed.
func (t *tracer) summary() string {
	var list []string
	for op, n := range t.counts {
		if n > 0 && tiles.Op(op) != tiles.Prefetch {
			list = append(list, fmt.Sprintf("%d %s", n, tiles.Op(op)))
		}
	}
	if list == nil {
		list = []string{"no tile instructions"}
	}
	return fmt.Sprintf("tiles: %s on %d threads, %d stops, %d faults", strings.Join(list, ", "), t.used, t.stops, t.faults)
}
