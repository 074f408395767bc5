package style

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// CacheBytes is the default of Cache.MaxBytes.
const CacheBytes = 256 << 20

// Cache keeps what runs compute of paintings, at every size: the moments of their
// features, or the features that patches are taken from. Runs that share paintings,
// sizes and network, such as those of a batch, then compute each once. A picture has
// the same bytes with and without a Cache. Runs may share a Cache at the same time; its
// zero value is empty and ready. It also keeps the measured speed of a backend for a
// few seconds, so that not every plan measures it.
//
// Everything is kept in the program's memory, even if a device computed it. With VGG19
// and the usual layers, moments take 2.5 MB for a painting at a size; features take 96
// bytes a pixel, 25 MB at 512x512.
type Cache struct {
	// MaxBytes is the most bytes that the Cache holds; 0: CacheBytes. Entries that were
	// used least recently are dropped first.
	MaxBytes int64

	mu      sync.Mutex
	entries []cached // the one used last comes last
	bytes   int64

	backend gpu.Backend  // the backend whose speed was measured last
	network *vgg.Network // with this network
	depth   int          // of the network
	perFlop float64      // seconds
	timed   time.Time
}

// speedFor is how long a measured speed is used.
const speedFor = 10 * time.Second

// speed returns the result of measureSpeed. It measures again only after speedFor.
func (c *Cache) speed(env Env, o Options, depth int) (float64, error) {
	if c == nil {
		return measureSpeed(env, o, depth)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.backend == env.Backend && c.network == env.Network && c.depth == depth && time.Since(c.timed) <= speedFor {
		return c.perFlop, nil
	}
	perFlop, err := measureSpeed(env, o, depth)
	c.backend, c.network, c.depth, c.perFlop, c.timed = env.Backend, env.Network, depth, perFlop, time.Now()
	return perFlop, err
}

type cached struct {
	key     [sha256.Size]byte
	network *vgg.Network // the key has its address, so no other network may get it
	layers  map[string][]keptArray
	bytes   int64
}

// keptArray is an array as plain numbers.
type keptArray struct {
	shape gpu.Shape
	v     []float32
}

// Bytes returns the memory that the cache holds.
func (c *Cache) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Drop empties the cache.
func (c *Cache) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.bytes, c.backend = nil, 0, nil
}

// styleKey identifies a painting's moments at w x h pixels, by everything that they
// depend on.
func (r *run) styleKey(s *Picture, w, h int, cut Cut) [sha256.Size]byte {
	return r.cacheKey(s, cut, fmt.Sprintf("moments %q %q %d %d", r.o.StyleLoss, taps(r.o.StyleLayers), w, h))
}

// patchKey identifies the features of a picture that patches are taken from.
func (r *run) patchKey(p *Picture, cut Cut) [sha256.Size]byte {
	return r.cacheKey(p, cut, fmt.Sprintf("features %q", taps(r.o.PatchLayers)))
}

// cacheKey identifies what is computed from a picture. It depends on the pixels and on
// all that the features of any layer depend on. The cut is part of it, because sums are
// rounded accordingly.
func (r *run) cacheKey(p *Picture, cut Cut, what string) [sha256.Size]byte {
	hash := sha256.New()
	n, o := r.env.Network, r.o
	fmt.Fprintf(hash, "%s %p %s %s %s %q %q %g %q %q %g ", what, n, n.Meta.SHA256, r.env.Backend.Name()+" "+precisionOf(r.env.Backend).String(), cut.text(false),
		o.LossScale, o.Pooling, o.PoolScale, o.PoolRound, o.Padding, o.ImageRange)
	fmt.Fprintf(hash, "%d %d ", p.W, p.H)
	pix := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(p.Pix))), 4*len(p.Pix))
	for _, seed := range pixelSeeds {
		fmt.Fprintf(hash, "%d ", maphash.Bytes(seed, pix))
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// precisionOf returns the precision of a backend.
func precisionOf(b gpu.Backend) gpu.Precision {
	if has, ok := b.(interface{ Precision() gpu.Precision }); ok {
		return has.Precision()
	}
	return gpu.Single
}

// pixelSeeds are the seeds of two hashes of 64 bits. A picture is hashed for every job,
// and these take a tenth of the time of SHA-256. Keys live only as long as the process.
var pixelSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// taps returns the names of the layers with weight.
func taps(layers []LayerWeight) (names []string) {
	for _, l := range layers {
		if l.Weight > 0 {
			names = append(names, l.Layer)
		}
	}
	return names
}

// find returns what is kept for a key, by layer, as new arrays on backend b.
func (c *Cache) find(b gpu.Backend, key [sha256.Size]byte) map[string][]*gpu.Array {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	i := slices.IndexFunc(c.entries, func(e cached) bool { return e.key == key })
	if i < 0 {
		c.mu.Unlock()
		return nil
	}
	e := c.entries[i]
	c.entries = append(slices.Delete(c.entries, i, i+1), e)
	c.mu.Unlock()
	all := map[string][]*gpu.Array{}
	for layer, list := range e.layers {
		for _, k := range list {
			all[layer] = append(all[layer], gpu.ArrayOf(b, k.shape, k.v))
		}
	}
	return all
}

// keep stores a copy of arrays, unless they are larger than the cache may be.
func (c *Cache) keep(b gpu.Backend, n *vgg.Network, key [sha256.Size]byte, all map[string][]*gpu.Array) {
	if c == nil {
		return
	}
	most := c.MaxBytes
	if most == 0 {
		most = CacheBytes
	}
	e := cached{key: key, network: n, layers: map[string][]keptArray{}}
	for _, list := range all {
		for _, a := range list {
			e.bytes += 4 * int64(a.Shape.Len())
		}
	}
	if e.bytes > most {
		return
	}
	for layer, list := range all {
		for _, a := range list {
			e.layers[layer] = append(e.layers[layer], keptArray{a.Shape, gpu.Values(b, a)})
		}
	}
	if b.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.entries, func(o cached) bool { return o.key == key }) {
		return
	}
	c.entries = append(c.entries, e)
	for c.bytes += e.bytes; c.bytes > most; c.entries = slices.Delete(c.entries, 0, 1) {
		c.bytes -= c.entries[0].bytes
	}
}
