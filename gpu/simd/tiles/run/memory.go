//go:build linux && amd64

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// memory is the address space of the thread of that number. What the program itself may
// not read or write is a fault.
type memory int

func (m memory) Read(address uint64, p []byte) error {
	return transfer("read", address, p, func(local []unix.Iovec, remote []unix.RemoteIovec) (int, error) {
		return unix.ProcessVMReadv(int(m), local, remote, 0)
	})
}

func (m memory) Write(address uint64, p []byte) error {
	return transfer("written", address, p, func(local []unix.Iovec, remote []unix.RemoteIovec) (int, error) {
		return unix.ProcessVMWritev(int(m), local, remote, 0)
	})
}

func transfer(verb string, address uint64, p []byte, f func([]unix.Iovec, []unix.RemoteIovec) (int, error)) error {
	n, err := f([]unix.Iovec{{Base: &p[0], Len: uint64(len(p))}}, []unix.RemoteIovec{{Base: uintptr(address), Len: len(p)}})
	if err == nil && n != len(p) {
		err = unix.EFAULT
	}
	if err != nil {
		return fmt.Errorf("%d bytes at %#x cannot be %s: %w", len(p), address, verb, err)
	}
	return nil
}

// code reads up to len(p) bytes, fewer where the program's text ends.
func (m memory) code(address uint64, p []byte) int {
	for n := len(p); n > 0; n /= 2 {
		if m.Read(address, p[:n]) == nil {
			return n
		}
	}
	return 0
}
