package simd

import "syscall"

// hugePages asks for huge pages in b; where there are none it changes nothing.
func hugePages(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
