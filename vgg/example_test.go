package vgg_test

import (
	"context"
	"fmt"

	"github.com/impasto/impasto/vgg"
)

// Load reads no more layers than are needed.
func ExampleLoad() {
	network, err := vgg.Load(context.Background(), "mini", vgg.LoadOptions{UpTo: "conv2_1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range network.Layers {
		l := &network.Layers[i]
		fmt.Println(l.Tap(), l.Out, l.In)
	}
	// Output:
	// relu1_1 32 3
	// relu1_2 32 32
	// relu2_1 64 32
}
