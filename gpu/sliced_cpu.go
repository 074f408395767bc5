package gpu

import "math"

// NewSlicedTarget allocates a target of n positions in regions with these ends; see
// sliced.go.
func (b *CPU) NewSlicedTarget(n, channels, directions int, ends []int32) *SlicedTarget {
	t := newSlicedTarget(b, n, channels, directions, ends)
	t.across = b.NewArray(Shape{channels, directions, 1})
	return t
}

// FreeSlicedTargets frees the memory of each target; nil is ignored.
func (b *CPU) FreeSlicedTargets(all ...*SlicedTarget) {
	for _, t := range all {
		if t != nil {
			b.Free(t.directions, t.across, t.quantiles)
		}
	}
}

// Aim sets the directions (D, C) and the paintings' quantiles along them; see
// sliced.go.
func (b *CPU) Aim(t *SlicedTarget, directions []float32, paintings []SlicedPainting) {
	shares := t.shares(directions, paintings)
	b.Upload(t.directions, directions)
	for d := range t.count {
		for c := range t.channels {
			t.across.data[c*t.count+d] = directions[d*t.channels+c]
		}
	}
	b.Fill(t.quantiles, 0)
	for i, p := range paintings {
		b.project(p.Rows, t)
		b.sliced = slicedTask{b: b, t: t, p: b.projections, n: p.Rows.Shape.H, ends: p.Ends, shares: shares[i]}
		b.workers.run(chunks(t.count, slicedTogether), &b.sliced)
	}
}

// SlicedLoss compares the distributions of features x (n, C, 1) along directions with
// the paintings'; see sliced.go for the formula. It replaces x by its gradient.
func (b *CPU) SlicedLoss(x *Array, t *SlicedTarget, coef float64, slot int) {
	t.check(x, slot)
	b.project(x, t)
	b.sliced = slicedTask{b: b, t: t, p: b.projections, n: t.n, ends: t.ends,
		coef: coef / float64(t.count) / float64(t.n), part: b.partials(t.count)}
	b.workers.run(chunks(t.count, slicedTogether), &b.sliced)
	b.status.Loss[slot] = sum(b.sliced.part)
	b.multiply(x.data, b.projections[:t.n*t.count], t.directions.data, nil, t.count, t.channels, false)
}

// project writes the values of features along the directions, x U^T (n, D), to
// b.projections.
func (b *CPU) project(x *Array, t *SlicedTarget) {
	n := x.Shape.H
	grown(&b.projections, n*t.count)
	if len(b.sorts) != b.workers.n {
		b.sorts = make([]sorter, b.workers.n)
	}
	b.multiply(b.projections, x.data, t.across.data, nil, t.channels, t.count, false)
}

// slicedTogether is how many directions a chunk of work has. Their values are adjacent
// in memory.
const slicedTogether = 4

type slicedTask struct {
	b    *CPU
	t    *SlicedTarget
	p    []float32 // (n, D): values along directions, then slopes
	n    int
	ends []int32

	shares []float32 // a painting's share of each region's quantiles, to measure; nil: compare
	coef   float64   // factor of each square
	part   []float64 // loss along each direction
}

func (k *slicedTask) chunk(worker, chunk int) {
	first := chunk * slicedTogether
	count := min(slicedTogether, k.t.count-first)
	values := k.b.scratchFor(worker, slicedTogether*k.n)
	for i := range k.n {
		for d, v := range k.p[i*k.t.count+first:][:count] {
			values[d*k.n+i] = v
		}
	}
	s := &k.b.sorts[worker]
	for d := range count {
		v := values[d*k.n:][:k.n]
		if k.shares != nil {
			k.measure(s, first+d, v)
		} else {
			k.part[first+d] = k.compare(s, first+d, v)
		}
	}
	if k.shares != nil {
		return
	}
	for i := range k.n {
		p := k.p[i*k.t.count+first:][:count]
		for d := range p {
			p[d] = values[d*k.n+i]
		}
	}
}

// compare returns the loss along direction d of features with values v, and replaces
// v by the derivative of the loss.
func (k *slicedTask) compare(s *sorter, d int, v []float32) float64 {
	loss := 0.0
	for r := range k.ends {
		from, to := regionOf(k.ends, r)
		wanted, region := k.t.quantiles.data[d*k.n+from:][:to-from], v[from:to]
		keys, order := s.sort(region)
		for i, key := range keys {
			e := float64(valueOf(key)) - float64(wanted[i])
			loss += e * e
			region[order[i]] = float32(2 * k.coef * e)
		}
	}
	return k.coef * loss
}

// measure adds to the target a painting's quantiles along direction d; v are the values
// of its features.
func (k *slicedTask) measure(s *sorter, d int, v []float32) {
	for r, share := range k.shares {
		from, to := regionOf(k.ends, r)
		if share == 0 {
			continue
		}
		keys, _ := s.sort(v[from:to])
		first, last := regionOf(k.t.ends, r)
		wanted := k.t.quantiles.data[d*k.t.n+first:][:last-first]
		for i := range wanted {
			at := (float64(i)+0.5)*float64(len(keys))/float64(len(wanted)) - 0.5
			at = min(max(at, 0), float64(len(keys)-1))
			low := int(at)
			a, b := float64(valueOf(keys[low])), float64(valueOf(keys[min(low+1, len(keys)-1)]))
			wanted[i] += share * float32(a+(at-float64(low))*(b-a))
		}
	}
}

// sorter sorts floats by radix, least significant digit first, so that equal values keep
// their order. Each worker has one.
type sorter struct {
	keys, order [2][]uint32
	counts      [1 << sortBits]uint32
}

// sortBits is the width of a digit from sortMany values on; fewer are sorted by bytes.
const (
	sortBits = 11
	sortMany = 2048
)

// keyOf maps floats to numbers that compare in the same way. Zeros are equal; NaN comes
// first or last, by its sign.
func keyOf(v float32) uint32 {
	b := math.Float32bits(v + 0)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

func valueOf(key uint32) float32 {
	if key>>31 != 0 {
		return math.Float32frombits(key &^ (1 << 31))
	}
	return math.Float32frombits(^key)
}

// sort returns the keys of v in ascending order, and the index in v of each.
func (s *sorter) sort(v []float32) (keys, order []uint32) {
	for i := range 2 {
		if len(s.keys[i]) < len(v) {
			s.keys[i], s.order[i] = make([]uint32, len(v)), make([]uint32, len(v))
		}
	}
	keys, order = s.keys[0][:len(v)], s.order[0][:len(v)]
	other, otherOrder := s.keys[1][:len(v)], s.order[1][:len(v)]
	for i, x := range v {
		keys[i], order[i] = keyOf(x), uint32(i)
	}
	bits := 8
	if len(v) >= sortMany {
		bits = sortBits
	}
	for shift := 0; shift < 32; shift += bits {
		counts := s.counts[:1<<bits]
		clear(counts)
		mask := uint32(len(counts) - 1)
		for _, key := range keys {
			counts[key>>shift&mask]++
		}
		at := uint32(0)
		for i, n := range counts {
			counts[i] = at
			at += n
		}
		for i, key := range keys {
			digit := key >> shift & mask
			other[counts[digit]], otherOrder[counts[digit]] = key, order[i]
			counts[digit]++
		}
		keys, other = other, keys
		order, otherOrder = otherOrder, order
	}
	return keys, order
}
