package main

import (
	"os"
	"runtime"
	"slices"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/selftest"
)

// checkDriver says what a card of this machine lacks that cannot be used.
func checkDriver(*session) []selftest.Finding {
	if runtime.GOOS != "linux" {
		return nil
	}
	list, _ := device.ListCUDA()
	return selftest.Driver(os.DirFS("/"), slices.Contains(thisBuild().Tags, "cuda"), len(list))
}
