//go:build !unix

package main

import "os"

var pictureSignals []os.Signal

func isPictureSignal(os.Signal) bool { return false }
