package main

import (
	"fmt"
	"runtime"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/internal/weights"
)

// printFirstScreen prints the output of the bare command: what is installed, and
// what to do next. It loads nothing.
func printFirstScreen(s *session) {
	network := "mini (VGG-19 is not installed)"
	name, installed, err := weights.Default()
	if err == nil && installed {
		network = name
	}
	on := "CPU, " + ui.Count(runtime.GOMAXPROCS(0), "thread")
	if list, why := device.ListCUDA(); why != "" {
		on += " (" + why + ")"
	} else {
		on = "cuda:0 " + list[0].Name
	}
	fmt.Fprintf(s.stdout, "impasto %s · %s · weights: %s\n", shortVersion(), on, network)
	fmt.Fprintln(s.stdout, "  impasto demo                        a painting within a minute, from pictures the program draws")
	fmt.Fprintln(s.stdout, "  impasto art PHOTO.jpg PAINTING.jpg  paint your own photograph")
	fmt.Fprintln(s.stdout, "  impasto studio                      draw maps, paint and compare in the browser")
	if err == nil && !installed {
		fmt.Fprintln(s.stdout, "  impasto weights get vgg19           once; the real thing")
	}
	fmt.Fprintln(s.stdout, "  impasto --help                      all commands")
}
