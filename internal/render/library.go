package render

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// Env is the environment of renders: what they share, and the streams that they
// read and write.
type Env struct {
	Library *Library // shared by the renders of a process; nil reads everything anew
	Devices *Devices // opened devices of one worker; nil opens them anew

	Stdin          io.Reader // the input "-"
	Stdout         io.Writer // the output "-"
	StdoutTerminal bool      // Stdout is a terminal, which cannot show a picture file
	CanAsk         bool      // the user can be asked whether a file may be replaced
	Streams        []Stream  // open files that the caller writes to
	Job            bool      // one of several jobs in a larger process
	DryRun         bool      // only the plan is wanted

	// PackEvery is the least time between checkpoints of a film that is a job. 0
	// means half a minute.
	PackEvery time.Duration
	Program   string // version of the program, for recipes
}

// Stream is an open file that is written to.
type Stream struct {
	Name string // for messages
	File *os.File
}

func (e Env) software() string { return "Impasto " + e.Program }

// Library holds what the renders of a process share: networks, pictures, and
// results computed from paintings. Several goroutines may use it at once.
type Library struct {
	// Sum returns the checksum of a file, which shows whether the file has changed.
	// If it is nil, pictures are read anew each time.
	Sum func(path string) (string, error)

	mu        sync.Mutex
	networks  map[networkKey]*vgg.Network
	pictures  []keptPicture // the one used last comes last
	paintings style.Cache
}

// networkKey identifies a network: the name that was asked for, and the last layer.
type networkKey struct{ name, upTo string }

// keptPicture is a picture that was read.
type keptPicture struct {
	path, sum string // sum is that of the file, or empty if the file cannot change
	options   picture.ReadOptions
	picture   *picture.Picture
	info      *picture.Info
}

// keptBytes is how much memory the kept pictures may take together.
const keptBytes = 512 << 20

// drop frees the memory of everything that can be read or computed again. It
// reports whether there was anything.
func (l *Library) drop() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	had := len(l.pictures) > 0 || l.paintings.Bytes() > 0
	l.pictures = nil
	l.mu.Unlock()
	l.paintings.Drop()
	if had {
		debug.FreeOSMemory()
	}
	return had
}

// cache returns the cache of results computed from paintings. It is nil for a nil
// library.
func (l *Library) cache() *style.Cache {
	if l == nil {
		return nil
	}
	return &l.paintings
}

// network reads the weights up to a layer, once each. Networks of different depths
// share the layers that they have in common.
func (l *Library) network(ctx context.Context, name, upTo string) (*vgg.Network, error) {
	if l == nil {
		return vgg.Load(ctx, name, vgg.LoadOptions{UpTo: upTo})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := networkKey{name, upTo}
	if n := l.networks[key]; n != nil {
		return n, nil
	}
	n, err := vgg.Load(ctx, name, vgg.LoadOptions{UpTo: upTo})
	if err != nil {
		return nil, err
	}
	for _, other := range l.networks {
		if n.Share(other) {
			break
		}
	}
	if l.networks == nil {
		l.networks = map[networkKey]*vgg.Network{}
	}
	l.networks[key] = n
	return n, nil
}

// Read reads a picture from a file, standard input or the samples (the map of a
// sample is sample:NAME_sem). If the picture was read before and its file has not
// changed, Read returns that picture.
func (l *Library) Read(path string, o picture.ReadOptions) (*picture.Picture, *picture.Info, error) {
	if _, ok := CutSample(path); ok {
		return l.read(path, "", o, readSample)
	}
	path = ui.Home(path)
	if l == nil || l.Sum == nil || path == ui.Stdout {
		return picture.Read(path, o)
	}
	sum, err := l.Sum(path)
	if err != nil {
		return picture.Read(path, o) // its error says what is wrong
	}
	return l.read(path, sum, o, picture.Read)
}

type reader func(path string, o picture.ReadOptions) (*picture.Picture, *picture.Info, error)

func (l *Library) read(path, sum string, o picture.ReadOptions, read reader) (*picture.Picture, *picture.Info, error) {
	if l == nil {
		return read(path, o)
	}
	most := o.MaxBytes
	o.Stdin, o.MaxBytes = nil, 0 // the cached picture does not depend on them
	l.mu.Lock()
	i := slices.IndexFunc(l.pictures, func(p keptPicture) bool { return p.path == path && p.sum == sum && p.options == o })
	if i >= 0 {
		found := l.pictures[i]
		l.pictures = append(slices.Delete(l.pictures, i, i+1), found)
		l.mu.Unlock()
		return found.picture, found.info, nil
	}
	l.mu.Unlock()
	limited := o
	limited.MaxBytes = most
	p, info, err := read(path, limited)
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pictures = append(l.pictures, keptPicture{path, sum, o, p, info})
	total := 0
	for i := len(l.pictures) - 1; i >= 0; i-- {
		p := l.pictures[i].picture
		if total += 4 * (len(p.Pix) + len(p.Alpha)); total > keptBytes && i < len(l.pictures)-1 {
			l.pictures = slices.Clone(l.pictures[i+1:])
			break
		}
	}
	return p, info, nil
}

// Devices keeps devices open from one render to the next, because opening a device
// arranges all filters in its memory again. It belongs to one worker, so that two
// renders at once never share a device.
type Devices struct {
	library *Library
	opened  map[openedDevice]device.Device
}

type openedDevice struct {
	name      string
	threads   int
	precision gpu.Precision
}

// NewDevices returns the devices for renders that use a library.
func NewDevices(l *Library) *Devices {
	return &Devices{l, map[openedDevice]device.Device{}}
}

// open opens a device, or returns it if it is open.
func (d *Devices) open(name string, threads int, p gpu.Precision) (device.Device, error) {
	if d == nil {
		return device.Open(name, threads, p)
	}
	key := openedDevice{name, threads, p}
	if found, ok := d.opened[key]; ok {
		if found.Backend.Err() == nil {
			return found, nil
		}
		d.forget(found)
	}
	found, err := device.Open(name, threads, p)
	if err == nil {
		d.opened[key] = found
	}
	return found, err
}

// forget drops the data of networks that was prepared for a device.
func (d *Devices) forget(old device.Device) {
	d.library.mu.Lock()
	defer d.library.mu.Unlock()
	for _, n := range d.library.networks {
		for _, b := range append(old.Others[:len(old.Others):len(old.Others)], old.Backend) {
			n.Forget(b)
		}
	}
}

// Release closes the devices.
func (d *Devices) Release() {
	for key, old := range d.opened {
		d.forget(old)
		delete(d.opened, key)
	}
}
