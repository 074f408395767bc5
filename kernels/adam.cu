// adam.cu: Adam (Kingma & Ba 2015) with every scalar on the device: sums over
// image and gradient, the verdict on the evaluation, then the move.
#include "optimizer.cuh"

// Adam's own scalars, beside Track.
struct Adam {
	double lr, beta1, beta2, eps;
	long long scheduleLength;
	long long step, all;    // since the moments were zero; all accepted
	double power1, power2;  // b1^step and b2^step
	long long good;         // the verdict, for adam_move
	double rate, root;      // lr/(1-b1^step) and 1/sqrt(1-b2^step), for adam_move
};

// image_sums: partial (chunks, 3) = sums of |x|, |g| and g^2 over each 4096 elements.
KERNEL __launch_bounds__(THREADS)
    image_sums(const float* __restrict__ x, const float* __restrict__ g, double* __restrict__ partial, int n) {
	__shared__ double scratch[24];
	double absX = 0, absG = 0, gg = 0;
	UNROLL for (int r = 0; r < CHUNK / THREADS; r++) {
		const int i = BLOCK_X * CHUNK + r * THREADS + THREAD;
		if (i < n) absX += fabsf(x[i]), absG += fabsf(g[i]), gg += double(g[i]) * g[i];
	}
	const double sum = block_sums(absX, absG, gg, scratch);
	if (THREAD < 24 && THREAD % 8 == 0) partial[BLOCK_X * 3 + THREAD / 8] = sum;
}

// adam_judge: one block. schedule multiplies the learning rate of each step,
// its last value stays; with scheduleLength 0 it is constant.
KERNEL __launch_bounds__(THREADS)
    adam_judge(Status* st, Track* t, Adam* a, const double* __restrict__ partial, int chunks,
               const double* __restrict__ schedule) {
	__shared__ double scratch[8];
	double absX = 0, absG = 0, gg = 0;
	for (int i = THREAD; i < chunks; i += THREADS) absX += partial[3 * i], absG += partial[3 * i + 1], gg += partial[3 * i + 2];
	absX = block_sum<THREADS>(absX, scratch);
	absG = block_sum<THREADS>(absG, scratch);
	gg = block_sum<THREADS>(gg, scratch);
	if (THREAD) return;
	const double loss = total_loss(st);
	a->good = evaluated(st, t, loss, absX, absG, gg);
	if (!a->good) {
		reject(st, t);
		a->step = 0, a->power1 = a->power2 = 1;
		return;
	}
	double lr = a->lr * t->scale;
	if (a->scheduleLength > 0) lr *= schedule[a->all < a->scheduleLength ? a->all : a->scheduleLength - 1];
	a->step++, a->all++;
	a->power1 *= a->beta1, a->power2 *= a->beta2;
	a->rate = lr / (1 - a->power1), a->root = 1 / sqrt(1 - a->power2);
	accepted(st, t, loss);
	st->stepSize = lr;
}

// adam_move: one step, or back to the last good image with the moments cleared.
// base, average (null: none), m, v: (n).
KERNEL __launch_bounds__(THREADS)
    adam_move(const Track* __restrict__ t, const Adam* __restrict__ a, float* __restrict__ x,
              const float* __restrict__ g, float* __restrict__ base, float* __restrict__ average,
              float* __restrict__ m, float* __restrict__ v, const float* __restrict__ bounds, int n, int C) {
	const float b1 = float(a->beta1), b2 = float(a->beta2), eps = float(a->eps), rate = float(a->rate), root = float(a->root);
	UNROLL for (int r = 0; r < CHUNK / THREADS; r++) {
		const int i = BLOCK_X * CHUNK + r * THREADS + THREAD;
		if (i >= n) return;
		if (!a->good) {
			if (t->has) x[i] = base[i];
			m[i] = v[i] = 0.f;
			continue;
		}
		accept(t, base, average, i, x[i]);
		m[i] = b1 * m[i] + (1 - b1) * g[i];
		v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
		x[i] = clamp(x[i] - rate * m[i] / (sqrtf(v[i]) * root + eps), bounds, i % C, C);
	}
}

// track_result: dst = the average of accepted images, or the last one; dst is
// left alone before there is one.
KERNEL __launch_bounds__(THREADS)
    track_result(float* __restrict__ dst, const Track* __restrict__ t, const float* __restrict__ base,
                 const float* __restrict__ average, int n) {
	UNROLL for (int r = 0; r < CHUNK / THREADS; r++) {
		const int i = BLOCK_X * CHUNK + r * THREADS + THREAD;
		if (i >= n || (!t->has && t->weight == 0)) return;
		dst[i] = average ? average[i] * float(1 / t->weight) : base[i];
	}
}
