package main

import (
	"context"
	"sync"

	"github.com/impasto/impasto/vgg"
)

// kept is what the command lines of one process share: the networks they read.
type kept struct {
	mu       sync.Mutex
	networks map[string]*vgg.Network
}

// keeper returns what this session shares with the steps of jobs.
func (s *session) keeper() *kept {
	if s.kept == nil {
		s.kept = &kept{}
	}
	return s.kept
}

// network reads weights once. A nil kept reads them every time.
func (k *kept) network(name, upTo string) (*vgg.Network, error) {
	if k == nil {
		return vgg.Load(context.Background(), name, vgg.LoadOptions{UpTo: upTo})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := name + " " + upTo
	if n := k.networks[key]; n != nil {
		return n, nil
	}
	n, err := vgg.Load(context.Background(), name, vgg.LoadOptions{UpTo: upTo})
	if err == nil {
		if k.networks == nil {
			k.networks = map[string]*vgg.Network{}
		}
		k.networks[key] = n
	}
	return n, err
}
