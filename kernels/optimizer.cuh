// optimizer.cuh: what Adam and L-BFGS share on the device: the status block that
// the host polls, and the guard against evaluations that are not finite. All
// scalars of an iteration live here; the host takes no part in it.
#pragma once
#include "common.cuh"

constexpr int SLOTS = 64, CHUNK = 4096, THREADS = 256;

// Status has the layout that gpu/device_status.go reads: 8-byte cells.
struct Status {
	double loss[SLOTS], sum, gradNorm, stepSize;
	long long evaluations, accepted, rollbacks, diverged, stalled;
};

// Track follows the accepted images: see track in gpu/optimizer_cpu.go.
struct Track {
	double scale;   // of the step: halved by each rollback
	double worst;   // the highest accepted loss
	double weight;  // of the average of iterates
	long long has;  // base holds an accepted image
	long long failures, patience;
	double average;  // decay of the average; 0: none
};

DEV bool finite(double v) { return v - v == 0; }

// explosion: an evaluation this many times above the worst accepted one is
// thrown away like one that is not finite.
constexpr double explosion = 100;

// evaluated notes an evaluation in the status and says whether it is usable:
// finite like the image itself, and not exploded. absX, absG, gg are the sums
// of |x|, |g| and g^2. One thread calls it, and one of reject and accepted.
DEV bool evaluated(Status* st, const Track* t, double loss, double absX, double absG, double gg) {
	st->evaluations++;
	st->sum = loss, st->gradNorm = sqrt(gg);
	return finite(loss + absX + absG + gg) && !(t->worst > 0 && loss > explosion * t->worst);
}

DEV void reject(Status* st, Track* t) {
	st->rollbacks++;
	t->scale /= 2;
	if (++t->failures >= t->patience) st->diverged = 1;
}

DEV void accepted(Status* st, Track* t, double loss) {
	st->accepted++;
	t->has = 1, t->failures = 0;
	t->weight = t->average * t->weight + 1 - t->average;
	if (loss > t->worst) t->worst = loss;
}

DEV double total_loss(const Status* st) {
	double sum = 0;
	for (int i = 0; i < SLOTS; i++) sum += st->loss[i];
	return sum;
}

// block_sums adds three values over the block's THREADS threads, in a fixed
// order: a butterfly in each warp, then one over the warps. Threads 0, 8 and 16
// get the sums of a, b and c. scratch is 24 doubles; between two calls with the
// same one there must be a barrier.
DEV double block_sums(double a, double b, double c, double* scratch) {
	constexpr int warps = THREADS / 32;
	static_assert(warps == 8, "three times the warps must fit into one");
	UNROLL for (int lanes = 16; lanes; lanes >>= 1)
		a += shuffle_xor(a, lanes), b += shuffle_xor(b, lanes), c += shuffle_xor(c, lanes);
	double* to = scratch + (THREAD >> 5);
	if ((THREAD & 31) == 0) to[0] = a, to[warps] = b, to[2 * warps] = c;
	__syncthreads();
	if (THREAD >= 32) return 0;
	double v = THREAD < 3 * warps ? scratch[THREAD] : 0.0;
	UNROLL for (int lanes = warps / 2; lanes; lanes >>= 1) v += shuffle_xor(v, lanes);
	return v;
}

// accept notes an element of an accepted image in base and average.
DEV void accept(const Track* t, float* base, float* average, int i, float x) {
	base[i] = x;
	if (!average) return;
	const float d = float(t->average);
	average[i] = d * average[i] + (1 - d) * x;
}

// bounds: (2, C) low then high, or null.
DEV float clamp(float v, const float* bounds, int channel, int C) {
	if (!bounds) return v;
	const float lo = bounds[channel], hi = bounds[C + channel];
	return v < lo ? lo : v > hi ? hi : v;
}

// held: the element sits at a bound that its gradient pushes it against. It does
// not move, and L-BFGS must not see its gradient.
DEV bool held(float x, float g, const float* bounds, int channel, int C) {
	return bounds && ((x <= bounds[channel] && g > 0) || (x >= bounds[C + channel] && g < 0));
}
