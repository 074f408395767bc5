package simd

import "syscall"

// hugePages requests huge pages for b. It changes nothing if there are none.
func hugePages(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
