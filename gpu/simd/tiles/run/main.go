//go:build linux && amd64

// Command run executes a program and stands in for the tile instructions that the
// processor lacks: it traces every thread and child, executes the instructions in software
// where they stop the program, checks them and counts them.
//
//	go build -o build/tiles ./gpu/simd/tiles/run
//	go test -exec "$PWD/build/tiles" ./gpu/simd
//
// A fault ends the program, as on hardware, by SIGILL, and run exits with 1. Besides
// Intel's faults it finds a thread that makes a system call while its tiles are configured:
// the goroutine may be moved to another thread there, and the next one finds them. Handlers
// of signals may make calls. On a processor that has the instructions it only executes.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/cpu"
)

const usage = "usage: run [-refuse] PROGRAM [ARGUMENTS]\n\n  -refuse  let Linux answer the program's question for tile registers\n"

func main() {
	args := os.Args[1:]
	refuse := len(args) > 0 && args[0] == "-refuse"
	if refuse {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	program, err := exec.LookPath(args[0])
	if err != nil {
		fail(err)
	}
	if cpu.X86.HasAMXTile {
		fmt.Fprintln(os.Stderr, "tiles: this processor has the instructions; nothing is emulated")
		fail(syscall.Exec(program, args, os.Environ()))
	}
	runtime.LockOSThread() // a traced thread answers to the thread that traces it
	t, err := start(program, args, append(os.Environ(), "IMPASTO_TILES=emulated"))
	if err != nil {
		fail(err)
	}
	t.refuse = refuse
	code, err := t.run()
	if err != nil {
		fail(err)
	}
	fmt.Fprintln(os.Stderr, t.summary())
	if t.faults > 0 {
		code = 1
	}
	os.Exit(code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "tiles:", err)
	os.Exit(2)
}
