//go:build unix

package ui

import (
	"os"
	"syscall"
)

var pictureSignals = []os.Signal{syscall.SIGUSR1}

func isPictureSignal(s os.Signal) bool { return s == syscall.SIGUSR1 }
