package simd

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/cpu"
)

// AMX says why this machine cannot run tile instructions; nil means that it can. Linux
// lets a process use them once it has asked, from version 5.16 on.
//
// IMPASTO_TILES=emulated leaves the processor unasked. gpu/simd/tiles/run sets it, and
// answers the question to Linux as well; without that program Linux refuses.
func AMX() error { return amx() }

var amx = sync.OnceValue(func() error {
	if os.Getenv("IMPASTO_TILES") != "emulated" && !(cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16) {
		return errors.New("the processor has no AMX-BF16")
	}
	const archReqXcompPerm, xfeatureTileData = 0x1023, 18
	if _, _, e := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXcompPerm, xfeatureTileData, 0); e != 0 {
		return fmt.Errorf("the system refuses tile registers (arch_prctl: %w)", e)
	}
	return nil
})
