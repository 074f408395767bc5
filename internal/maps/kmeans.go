package maps

import "math"

// points are n vectors of d numbers, each with a weight.
type points struct {
	n, d   int
	v      []float64 // (n, d)
	weight []float64
}

func (p points) at(i int) []float64 { return p.v[i*p.d : (i+1)*p.d] }

func distance2(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		d := a[i] - b[i]
		sum += d * d
	}
	return sum
}

// dice is a random number generator with a fixed seed (splitmix64, S. Vigna).
type dice uint64

func (s *dice) next() float64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// kmeans divides the points into at most k groups so that the weighted sum of
// squared distances from the groups' means is small. It takes the best of several
// starts, each by k-means++ (Arthur and Vassilvitskii, 2007). It returns the group
// of each point and the means, (k, d).
func (p points) kmeans(k, starts int) (group []int, means []float64) {
	k = min(k, p.n)
	best := math.Inf(1)
	random := dice(1)
	for range starts {
		m := p.spread(k, &random)
		g := make([]int, p.n)
		cost := math.Inf(1)
		for range 100 {
			was := cost
			cost = p.assign(g, m)
			p.recentre(g, m)
			if cost >= was*(1-1e-9) {
				break
			}
		}
		if cost < best {
			best, group, means = cost, g, m
		}
	}
	return group, means
}

// spread chooses k of the points as first means. The probability of a point is
// proportional to its squared distance from those chosen before.
func (p points) spread(k int, random *dice) []float64 {
	var means []float64
	far := make([]float64, p.n)
	for i := range far {
		far[i] = p.weight[i]
	}
	for j := range k {
		total := 0.0
		for _, f := range far {
			total += f
		}
		pick, left := 0, random.next()*total
		for i, f := range far {
			if f > 0 {
				pick = i
				if left -= f; left < 0 {
					break
				}
			}
		}
		means = append(means, p.at(pick)...)
		for i := range far {
			d := p.weight[i] * distance2(p.at(i), p.at(pick))
			if j == 0 || d < far[i] {
				far[i] = d
			}
		}
	}
	return means
}

// assign puts each point into the group with the nearest mean, the first of several
// at the same distance, and returns the cost.
func (p points) assign(group []int, means []float64) float64 {
	cost := 0.0
	for i := range p.n {
		best := math.Inf(1)
		for j := 0; j*p.d < len(means); j++ {
			if d := distance2(p.at(i), means[j*p.d:(j+1)*p.d]); d < best {
				best, group[i] = d, j
			}
		}
		cost += p.weight[i] * best
	}
	return cost
}

// recentre moves each mean to the mean of its group. An empty group keeps its mean.
func (p points) recentre(group []int, means []float64) {
	sum := make([]float64, len(means))
	total := make([]float64, len(means)/p.d)
	for i, g := range group {
		total[g] += p.weight[i]
		for c, v := range p.at(i) {
			sum[g*p.d+c] += p.weight[i] * v
		}
	}
	for g, t := range total {
		if t > 0 {
			for c := range p.d {
				means[g*p.d+c] = sum[g*p.d+c] / t
			}
		}
	}
}

// principal projects the points onto their first d2 principal directions, which
// hold most of the variance of hundreds of feature channels. It scales the result
// to a total weighted variance of 1. variance is the one before scaling. The
// directions are found by power iteration with deflation, from fixed starts.
func (p points) principal(d2 int) (out points, variance float64) {
	total := 0.0
	mean := make([]float64, p.d)
	for i := range p.n {
		total += p.weight[i]
		for c, v := range p.at(i) {
			mean[c] += p.weight[i] * v
		}
	}
	x := points{p.n, p.d, make([]float64, len(p.v)), p.weight}
	for i := range p.n {
		for c, v := range p.at(i) {
			x.v[i*p.d+c] = v - mean[c]/total
		}
	}
	d2 = min(d2, p.d)
	out = points{p.n, d2, make([]float64, p.n*d2), p.weight}
	random := dice(2)
	axes := make([][]float64, 0, d2)
	for j := range d2 {
		axis := make([]float64, p.d)
		for c := range axis {
			axis[c] = random.next() - 0.5
		}
		for range 60 {
			axis = x.covarianceTimes(axis)
			for _, a := range axes { // remove the directions found before
				dot := 0.0
				for c := range a {
					dot += a[c] * axis[c]
				}
				for c := range a {
					axis[c] -= dot * a[c]
				}
			}
			norm := 0.0
			for _, v := range axis {
				norm += v * v
			}
			if norm = math.Sqrt(norm); norm < 1e-12 {
				break
			}
			for c := range axis {
				axis[c] /= norm
			}
		}
		axes = append(axes, axis)
		for i := range p.n {
			dot := 0.0
			for c, v := range x.at(i) {
				dot += v * axis[c]
			}
			out.v[i*d2+j] = dot
			variance += p.weight[i] * dot * dot / total
		}
	}
	if variance > 1e-12 {
		scale := 1 / math.Sqrt(variance)
		for i := range out.v {
			out.v[i] *= scale
		}
	}
	return out, variance
}

// covarianceTimes returns sum_i w_i x_i (x_i . a).
func (p points) covarianceTimes(a []float64) []float64 {
	out := make([]float64, p.d)
	for i := range p.n {
		x := p.at(i)
		dot := 0.0
		for c, v := range x {
			dot += v * a[c]
		}
		dot *= p.weight[i]
		for c, v := range x {
			out[c] += dot * v
		}
	}
	return out
}
