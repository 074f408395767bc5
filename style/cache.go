package style

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/vgg"
)

// Cache keeps what runs find out about paintings alone: the moments of their
// features at every size they were measured at. Runs that share paintings,
// sizes and network, such as those of a batch, then measure each once. A
// picture is the same with and without it, byte for byte. Runs may share a
// Cache at the same time; its zero value is empty and ready.
//
// The moments lie in the program's memory, whatever device they were taken on:
// 2.5 MB for a painting at a size, with VGG19 and the usual layers.
type Cache struct {
	// MaxBytes is what it may hold; what was used least recently goes first.
	// 0: 256 MB.
	MaxBytes int64

	mu      sync.Mutex
	entries []cached // the one used last comes last
	bytes   int64
}

type cached struct {
	key     [sha256.Size]byte
	network *vgg.Network // held, so that no other gets its address, which is in the key
	layers  map[string]keptMoments
	bytes   int64
}

// keptMoments are moments as plain numbers.
type keptMoments struct {
	second, mean []float32 // mean is nil for Gram
}

// Bytes is the memory that the cache holds.
func (c *Cache) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Drop forgets everything.
func (c *Cache) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.bytes = nil, 0
}

// styleKey identifies a painting's moments: its pixels at that size and all
// that measuring goes by, the way the picture is cut too, for sums are rounded
// by it.
func (r *run) styleKey(s *picture.Picture, w, h int, cut Cut) [sha256.Size]byte {
	hash := sha256.New()
	n, o := r.env.Network, r.o
	fmt.Fprintf(hash, "%p %s %s %s %q %q %q %g %q %q %g %q %d %d ", n, n.Meta.SHA256, r.env.Backend.Name(), cut.text(false),
		o.StyleLoss, o.LossScale, o.Pooling, o.PoolScale, o.PoolRound, o.Padding, o.ImageRange, taps(o.StyleLayers), w, h)
	fmt.Fprintf(hash, "%d %d ", s.W, s.H)
	var b [4096]byte
	for pix := s.Pix; len(pix) > 0; {
		n := min(len(pix), len(b)/4)
		for i, v := range pix[:n] {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		}
		hash.Write(b[:4*n])
		pix = pix[n:]
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// taps are the layers with weight.
func taps(layers []LayerWeight) (names []string) {
	for _, l := range layers {
		if l.Weight > 0 {
			names = append(names, l.Layer)
		}
	}
	return names
}

// find returns the moments of a key on backend b, as new arrays.
func (c *Cache) find(b gpu.Backend, key [sha256.Size]byte) map[string]moments {
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
	all := map[string]moments{}
	for layer, k := range e.layers {
		channels := int(math.Sqrt(float64(len(k.second))) + 0.5)
		m := moments{second: b.NewArray(gpu.Matrix(channels))}
		b.Upload(m.second, k.second)
		if k.mean != nil {
			m.mean = b.NewArray(gpu.Vector(channels))
			b.Upload(m.mean, k.mean)
		}
		all[layer] = m
	}
	return all
}

// keep takes a copy of moments.
func (c *Cache) keep(b gpu.Backend, n *vgg.Network, key [sha256.Size]byte, all map[string]moments) {
	if c == nil {
		return
	}
	e := cached{key: key, network: n, layers: map[string]keptMoments{}}
	for layer, m := range all {
		k := keptMoments{second: make([]float32, m.second.Shape.Len())}
		b.Download(k.second, m.second)
		if m.mean != nil {
			k.mean = make([]float32, m.mean.Shape.Len())
			b.Download(k.mean, m.mean)
		}
		e.layers[layer] = k
		e.bytes += 4 * int64(len(k.second)+len(k.mean))
	}
	if b.Err() != nil {
		return
	}
	most := c.MaxBytes
	if most == 0 {
		most = 256 << 20
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.bytes > most || slices.ContainsFunc(c.entries, func(o cached) bool { return o.key == key }) {
		return
	}
	c.entries = append(c.entries, e)
	for c.bytes += e.bytes; c.bytes > most; c.entries = slices.Delete(c.entries, 0, 1) {
		c.bytes -= c.entries[0].bytes
	}
}
