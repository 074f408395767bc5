package main

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// kept is what the command lines of one process share: networks,
// pictures and devices, and what is known of paintings.
type kept struct {
	*library
	devices map[keptDevice]device // of one worker: two jobs at once have two
}

// library is what all workers of a process share.
type library struct {
	mu        sync.Mutex
	networks  map[string]*vgg.Network
	pictures  []keptPicture // the one used last comes last
	paintings style.Cache
	sums      farm.Sums
}

type keptDevice struct {
	name    string
	threads int
}

// keptPicture is a picture as it was read.
type keptPicture struct {
	path, sum string // sum is of the file, or empty where that cannot change
	options   picture.ReadOptions
	picture   *picture.Picture
	info      *picture.Info
}

// keptBytes is how much memory the kept pictures may take together.
const keptBytes = 512 << 20

// keeper returns what this session shares with the steps of jobs.
func (s *session) keeper() *kept {
	if s.kept == nil {
		s.kept = &kept{&library{}, map[keptDevice]device{}}
	}
	return s.kept
}

// forWorker shares everything but the devices.
func (k *kept) forWorker() *kept { return &kept{k.library, map[keptDevice]device{}} }

// device opens a device once: filters are laid out anew for each that is
// opened. A nil kept opens it every time.
func (k *kept) device(name string, threads int) (device, error) {
	if k == nil {
		return openDevice(name, threads)
	}
	key := keptDevice{name, threads}
	if d, ok := k.devices[key]; ok {
		if d.backend.Err() == nil {
			return d, nil
		}
		k.forget(d)
	}
	d, err := openDevice(name, threads)
	if err == nil {
		k.devices[key] = d
	}
	return d, err
}

// forget drops what networks laid out for a device.
func (k *kept) forget(d device) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.networks {
		for _, b := range append(d.others[:len(d.others):len(d.others)], d.backend) {
			n.Forget(b)
		}
	}
}

// release lets go of the devices, when a worker ends.
func (k *kept) release() {
	for key, d := range k.devices {
		k.forget(d)
		delete(k.devices, key)
	}
}

// drop gives back the memory of what can be read and measured again, and
// reports whether there was any.
func (k *kept) drop() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	had := len(k.pictures) > 0 || k.paintings.Bytes() > 0
	k.pictures = nil
	k.mu.Unlock()
	k.paintings.Drop()
	if had {
		debug.FreeOSMemory()
	}
	return had
}

// cache is what runs keep of paintings; nil for a nil kept.
func (k *kept) cache() *style.Cache {
	if k == nil {
		return nil
	}
	return &k.paintings
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

// read reads a picture, or returns it as it was read before. sum is that of the
// file now, for it may have changed. A nil kept reads it every time.
func (k *kept) read(path, sum string, o picture.ReadOptions, read func(string, picture.ReadOptions) (*picture.Picture, *picture.Info, error)) (*picture.Picture, *picture.Info, error) {
	if k == nil {
		return read(path, o)
	}
	most := o.MaxBytes
	o.Stdin, o.MaxBytes = nil, 0 // what was read does not depend on them
	k.mu.Lock()
	i := slices.IndexFunc(k.pictures, func(p keptPicture) bool { return p.path == path && p.sum == sum && p.options == o })
	if i >= 0 {
		found := k.pictures[i]
		k.pictures = append(slices.Delete(k.pictures, i, i+1), found)
		k.mu.Unlock()
		return found.picture, found.info, nil
	}
	k.mu.Unlock()
	limited := o
	limited.MaxBytes = most
	p, info, err := read(path, limited)
	if err != nil {
		return nil, nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pictures = append(k.pictures, keptPicture{path, sum, o, p, info})
	total := 0
	for i := len(k.pictures) - 1; i >= 0; i-- {
		p := k.pictures[i].picture
		if total += 4 * (len(p.Pix) + len(p.Alpha)); total > keptBytes && i < len(k.pictures)-1 {
			k.pictures = slices.Clone(k.pictures[i+1:])
			break
		}
	}
	return p, info, nil
}
