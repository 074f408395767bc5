//go:build !unix

package ui

import "os"

var pictureSignals []os.Signal

func isPictureSignal(os.Signal) bool { return false }
