// lbfgs.cu: L-BFGS (Liu & Nocedal 1989) in its vector-free form (Chen et al.
// 2014). The recursion runs on the coefficients of the direction in the basis
//
//	s_0..s_m, y_0..y_m, g        (K = m+1 slots, one always free for the step under way)
//
// whose Gram matrix is kept, so the large vectors are read once to take dot
// products (lbfgs_dots) and once to form the step (lbfgs_move); between them one
// thread decides (lbfgs_solve). One evaluation is these three launches, whether
// the line search accepts it or not. The same rules as gpu/lbfgs.go.
#include "optimizer.cuh"

// Memory is the small part, followed in memory by gram (n, n), total (3n+3),
// coef (n) and alpha (K) in float64 and order (K) in int64, n = 2K+1.
struct Memory {
	long long K, count, free;  // slots, pairs held, the slot of the step under way
	long long lineSearch, halvings;
	double lr, firstSum;  // firstSum: sum of |change| of a step along the bare gradient; 0: Torch7's rule
	double loss, absG;    // at the base
	long long good;       // lbfgs_move: x becomes the base
	long long stay;       // lbfgs_move: x goes back to the base, and no step is taken
	double shrink;        // lbfgs_move: 0 a new step, else multiply the step under way
	DEV int n() const { return 2 * int(K) + 1; }
	DEV double* gram() { return (double*)(this + 1); }
	DEV double* total() { return gram() + n() * n(); }
	DEV double* coef() { return total() + 3 * n() + 3; }
	DEV double* alpha() { return coef() + n(); }
	DEV long long* order() { return (long long*)(alpha() + K); }
	DEV int s(int slot) const { return slot; }
	DEV int y(int slot) const { return int(K) + slot; }
	DEV int g() const { return 2 * int(K); }
};

namespace {

constexpr double armijo = 1e-4;
constexpr int maxBacktracks = 12;

// set stores the dot products of basis vector i with all that are in use.
DEV void set_row(Memory* m, int i, const double* row) {
	const int n = m->n();
	double* gram = m->gram();
	auto one = [&](int j) { gram[i * n + j] = gram[j * n + i] = row[j]; };
	for (int q = 0; q < m->count; q++) one(m->s(int(m->order()[q]))), one(m->y(int(m->order()[q])));
	one(m->s(int(m->free))), one(m->y(int(m->free))), one(m->g());
}

// commit keeps the pair in the free slot if its curvature is positive,
// s.y > 1e-10 y.y, and picks the next free slot: the oldest when all are taken.
DEV void commit(Memory* m) {
	const int n = m->n(), f = int(m->free);
	const double sy = m->gram()[m->s(f) * n + m->y(f)], yy = m->gram()[m->y(f) * n + m->y(f)];
	if (!(sy > 1e-10 * yy)) return;
	long long* order = m->order();
	if (m->count == m->K - 1) {
		m->free = order[0];
		for (int q = 1; q < m->count; q++) order[q - 1] = order[q];
		order[m->count - 1] = f;
		return;
	}
	order[m->count++] = f;
	for (int slot = 0; slot < m->K; slot++) {
		bool taken = false;
		for (int q = 0; q < m->count; q++) taken = taken || order[q] == slot;
		if (!taken) {
			m->free = slot;
			return;
		}
	}
}

// direction fills coef with -H g by the two-loop recursion (Nocedal & Wright, 7.4).
DEV void direction(Memory* m) {
	const int n = m->n();
	double *c = m->coef(), *gram = m->gram(), *alpha = m->alpha();
	for (int j = 0; j < n; j++) c[j] = 0;
	c[m->g()] = -1;
	auto project = [&](int i) {
		double v = 0;
		for (int j = 0; j < n; j++) if (c[j] != 0) v += c[j] * gram[i * n + j];
		return v;
	};
	for (int q = int(m->count) - 1; q >= 0; q--) {
		const int slot = int(m->order()[q]), s = m->s(slot), y = m->y(slot);
		alpha[q] = project(s) / gram[s * n + y];
		c[y] -= alpha[q];
	}
	if (m->count > 0) {
		const int last = int(m->order()[m->count - 1]), s = m->s(last), y = m->y(last);
		const double gamma = gram[s * n + y] / gram[y * n + y];
		for (int j = 0; j < n; j++) c[j] *= gamma;
	}
	for (int q = 0; q < m->count; q++) {
		const int slot = int(m->order()[q]), s = m->s(slot), y = m->y(slot);
		c[s] += alpha[q] - project(y) / gram[s * n + y];
	}
}

// advance plans base + step * direction, the step shortened where the direction
// is just the gradient, whose length means nothing.
DEV void advance(Memory* m, const Track* t, Status* st) {
	double step = m->lr * t->scale;
	if (m->count == 0) {
		if (m->firstSum > 0 && m->absG > 0) step *= m->firstSum / m->absG;
		else if (m->absG > 1) step /= m->absG;
	}
	for (int j = 0; j < m->n(); j++) m->coef()[j] *= step;
	m->shrink = 0;
	st->stepSize = step;
}

// shorten: the minimum of the parabola through both values and the slope at the
// base, kept in 0.1..0.5; 0.1 where the loss is not finite.
DEV double shorten(double slope, double rise) {
	const double r = -slope / (2 * (rise - slope));
	return r > 0.1 ? (r < 0.5 ? r : 0.5) : 0.1;
}

}  // namespace

// lbfgs_dots: y = g - grad into the free slot, and per 4096 elements the sums of
// rows s_free, y_free and g of the Gram matrix, of |x| and of |g|, g without the
// held elements: partial (chunks, 3n+2), of which only what is in use is
// written. S, Y: (K, count).
KERNEL __launch_bounds__(THREADS)
    lbfgs_dots(Memory* m, const Track* __restrict__ t, const float* __restrict__ x, const float* __restrict__ g,
               const float* __restrict__ grad, const float* __restrict__ S, float* __restrict__ Y,
               const float* __restrict__ bounds, double* __restrict__ partial, int count, int C) {
	__shared__ double scratch[2][24];
	const int n = m->n(), free = int(m->free), first = BLOCK_X * CHUNK + THREAD;
	const bool has = t->has;
	double* part = partial + (size_t)BLOCK_X * (3 * n + 2);
	float gs[16], ss[16], ys[16];
	double absX = 0, absG = 0;
	UNROLL for (int r = 0; r < 16; r++) {
		const int i = first + r * THREADS;
		gs[r] = ss[r] = ys[r] = 0.f;
		if (i >= count) continue;
		const float all = g[i];
		gs[r] = held(x[i], all, bounds, i % C, C) ? 0.f : all;
		absX += fabsf(x[i]), absG += fabsf(gs[r]);
		if (!has) continue;
		ss[r] = S[(size_t)free * count + i];
		ys[r] = all - grad[i];
		Y[(size_t)free * count + i] = ys[r];
	}
	const double abs = block_sums(absX, absG, 0, scratch[1]);
	if (THREAD == 0) part[3 * n] = abs;
	if (THREAD == 8) part[3 * n + 1] = abs;
	// Vector q: the pairs held in their order, then the free pair, then g.
	const int pairs = int(m->count);
	ROLLED for (int q = 0; q <= 2 * pairs + 2; q++) {
		const bool isG = q == 2 * pairs + 2, isFree = q / 2 == pairs && !isG;
		const int slot = isG || isFree ? free : int(m->order()[q / 2]);
		const int at = isG ? m->g() : q % 2 ? m->y(slot) : m->s(slot);
		const float* other = (q % 2 ? Y : S) + (size_t)slot * count;
		double withS = 0, withY = 0, withG = 0;
		UNROLL for (int r = 0; r < 16; r++) {
			const int i = first + r * THREADS;
			if (i >= count) continue;
			const double v = isG ? gs[r] : isFree ? (q % 2 ? ys[r] : ss[r]) : other[i];
			withS += v * ss[r], withY += v * ys[r], withG += v * gs[r];
		}
		const double sum = block_sums(withS, withY, withG, scratch[q & 1]);
		if (THREAD < 24 && THREAD % 8 == 0) part[THREAD / 8 * n + at] = sum;
	}
}

// lbfgs_solve: one block. Adds the partial sums in order, and those of the slope
// grad . s of the step under way, judges the evaluation, and plans the move:
// accept, shorten the step (line search) or start again.
KERNEL __launch_bounds__(THREADS)
    lbfgs_solve(Status* st, Track* t, Memory* m, const double* __restrict__ partial,
                const double* __restrict__ slopes, int chunks) {
	const int n = m->n(), width = 3 * n + 2;
	double* total = m->total();
	for (int j = THREAD; j <= width; j += THREADS) {
		double sum = 0;
		for (int i = 0; i < chunks; i++) sum += j < width ? partial[(size_t)i * width + j] : slopes[i];
		total[j] = sum;
	}
	__syncthreads();
	if (THREAD) return;
	m->good = m->stay = 0;
	const double loss = total_loss(st), absX = total[3 * n], absG = total[3 * n + 1], gg = total[2 * n + m->g()];
	const double slope = total[width];
	const bool usable = evaluated(st, t, loss, absX, absG, gg), search = m->lineSearch && t->has;
	if (usable && !(search && loss > m->loss + armijo * slope)) {
		if (t->has) {
			set_row(m, m->s(int(m->free)), total);
			set_row(m, m->y(int(m->free)), total + n);
			commit(m);
		}
		set_row(m, m->g(), total + 2 * n);
		m->good = 1, m->loss = loss, m->absG = absG;
		accepted(st, t, loss);
	} else {
		if (!usable) reject(st, t);
		if (search && ++m->halvings <= maxBacktracks) {
			m->shrink = shorten(slope, usable ? loss - m->loss : 1e300);
			return;
		}
		// Shortened in vain: from the base along its gradient, unless that was it.
		if (search && m->count == 0) st->stalled = 1;
		if (!t->has || (search && m->count == 0)) {
			m->stay = 1;
			return;
		}
		m->count = 0;
	}
	m->halvings = 0;
	direction(m);
	advance(m, t, st);
}

// lbfgs_move: if the evaluation was good x and g become base and grad; then
// s = the planned step, kept inside the bounds, and x = base + s.
// slopes (chunks) = sums of grad * s per 4096 elements, without the held ones.
KERNEL __launch_bounds__(THREADS)
    lbfgs_move(Memory* m, const Track* __restrict__ t, float* __restrict__ x, const float* __restrict__ g,
               float* __restrict__ base, float* __restrict__ average, float* __restrict__ grad, float* __restrict__ S,
               const float* __restrict__ Y, const float* __restrict__ bounds, double* __restrict__ slopes, int count,
               int C) {
	__shared__ double scratch[8];
	const double* coef = m->coef();
	float* step = S + (size_t)m->free * count;
	double slope = 0;
	ROLLED for (int r = 0; r < CHUNK / THREADS; r++) {
		const int i = BLOCK_X * CHUNK + r * THREADS + THREAD;
		if (i >= count) continue;
		if (m->stay) {
			if (t->has) x[i] = base[i];
			continue;
		}
		if (m->good) {
			accept(t, base, average, i, x[i]);
			grad[i] = g[i];
		}
		const float from = base[i];
		const bool still = held(from, grad[i], bounds, i % C, C);
		float s;
		if (m->shrink != 0) {
			s = step[i] * float(m->shrink);  // the box is convex: still inside
			x[i] = from + s;
		} else {
			s = still ? 0.f : float(coef[m->g()]) * grad[i];
			for (int q = 0; q < m->count; q++) {
				const int slot = int(m->order()[q]);
				s += float(coef[m->s(slot)]) * S[(size_t)slot * count + i];
				s += float(coef[m->y(slot)]) * Y[(size_t)slot * count + i];
			}
			x[i] = still ? from : clamp(from + s, bounds, i % C, C);
			s = x[i] - from;
		}
		step[i] = s;
		if (!still) slope += double(grad[i]) * s;
	}
	if (m->stay) return;
	slope = block_sum<THREADS>(slope, scratch);
	if (THREAD == 0) slopes[BLOCK_X] = slope;
}
