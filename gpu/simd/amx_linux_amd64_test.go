package simd

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// TestTilesRefused: where the system refuses tile registers, as a sandbox or a kernel
// before 5.16 does, AMX names that as its reason. A processor without them is not asked.
func TestTilesRefused(t *testing.T) {
	for _, e := range []syscall.Errno{syscall.EPERM, syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP} {
		err := askForTiles(true, func() syscall.Errno { return e })
		if !errors.Is(err, e) || !strings.Contains(err.Error(), "arch_prctl: "+e.Error()) {
			t.Errorf("refused by %v: %v", e, err)
		}
	}
	if err := askForTiles(true, func() syscall.Errno { return 0 }); err != nil {
		t.Errorf("granted: %v", err)
	}
	asked := false
	err := askForTiles(false, func() syscall.Errno { asked = true; return 0 })
	if asked || err == nil || !strings.Contains(err.Error(), "the processor has no AMX") {
		t.Errorf("without the instructions: asked %v, %v", asked, err)
	}
}
