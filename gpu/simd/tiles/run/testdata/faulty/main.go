// Command faulty uses tile instructions in the way that its argument says.
package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

func configure(cfg *[64]byte)
func release()
func zero()
func multiply()
func load(at unsafe.Pointer)

func main() {
	var cfg [64]byte
	cfg[0] = 1
	for tile := range 3 {
		cfg[16+2*tile], cfg[48+tile] = 64, 16
	}
	var rows [16 * 64]byte
	switch how := os.Args[1]; how {
	case "well":
		configure(&cfg)
		zero()
		load(unsafe.Pointer(&rows))
		multiply()
		release()
	case "no configuration":
		zero()
	case "a second release":
		configure(&cfg)
		release()
		release()
	case "no release":
		configure(&cfg)
	case "a second configuration":
		configure(&cfg)
		configure(&cfg)
	case "another palette":
		cfg[0] = 2
		configure(&cfg)
	case "other shapes":
		cfg[48] = 15
		configure(&cfg)
		multiply()
	case "other memory":
		configure(&cfg)
		load(unsafe.Add(unsafe.Pointer(nil), len(os.Args)))
	case "a question": // for tile registers, in arch_prctl's numbers
		_, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, 0x1023, 18, 0)
		fmt.Println("refused:", e != 0)
		_, _, e = syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, 0x1023, 99, 0)
		fmt.Println("another refused:", e != 0)
	case "another instruction":
		undefined()
	default:
		panic(how)
	}
	fmt.Println("done")
}

func undefined()
