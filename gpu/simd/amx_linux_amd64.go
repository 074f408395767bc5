package simd

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/cpu"
)

// AMX returns the reason why this machine cannot run tile instructions, or nil if it
// can. Linux, from version 5.16 on, lets a process use them after it has requested
// them.
//
// With IMPASTO_TILES=emulated the processor is not asked. gpu/simd/tiles/run sets it,
// and answers the request to Linux as well; without that program Linux refuses.
func AMX() error { return amx() }

var amx = sync.OnceValue(func() error {
	has := os.Getenv("IMPASTO_TILES") == "emulated" || cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16
	return askForTiles(has, requestTiles)
})

// askForTiles requests tile registers if the processor has them.
func askForTiles(has bool, request func() syscall.Errno) error {
	if !has {
		return errors.New("the processor has no AMX-BF16")
	}
	if e := request(); e != 0 {
		return fmt.Errorf("the system refuses tile registers (arch_prctl: %w)", e)
	}
	return nil
}

func requestTiles() syscall.Errno {
	const archReqXcompPerm, xfeatureTileData = 0x1023, 18
	_, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXcompPerm, xfeatureTileData, 0)
	return e
}
