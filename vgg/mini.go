package vgg

import "context"

// loadMini reads the network that is part of the program, up to a layer.
func loadMini(ctx context.Context, upTo string) (*Network, error) {
	return nil, &Error{Kind: KindMissing, Msg: "the mini network is not part of this build", Hints: []string{"impasto weights get vgg19"}}
}

// Mini returns the small network that is part of the program: VGG19's five
// blocks at a quarter of the width, trained to imitate its features.
func Mini() (*Network, error) { return loadMini(context.Background(), "") }
