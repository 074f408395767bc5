// gram.cu: second moments of features f (N, C), N = H*W, and the gradient of a
// loss on them. Sums run in a fixed order: a block adds one range of pixels in
// sequence, the ranges are then added in sequence.
//
// A block computes a 64x64 tile of f^T f with 128 threads, 8x4 values each;
// only tiles on or above the diagonal are computed, the rest is their mirror.
#include "common.cuh"

namespace {
constexpr int TILE = 64, STEP = 16, THREADS = 128;

// load_rows copies rows r0.. of a (rows, C), 64 columns from c0, to shared
// memory (STEP, 64); past the end it writes zeros.
DEV void load_rows(float* to, const float* __restrict__ a, int r0, int r1, int c0, int C) {
	UNROLL for (int r = 0; r < 2; r++) {
		const int i = THREAD + r * THREADS, row = r0 + i / 16, col = c0 + i % 16 * 4;
		const bool in = row < r1 && col < C;
		store4(to + i * 4, in ? load4(a + (size_t)row * C + col) : make4(0, 0, 0, 0));
	}
}

// rank_step adds STEP outer products: acc[i][j] += sum_s a[s][m+i] * b[s][n+j].
DEV void rank_step(float acc[8][4], const float* a, const float* b, int m, int n) {
	UNROLL for (int s = 0; s < STEP; s++) {
		const float4 lo = load4(a + s * TILE + m), hi = load4(a + s * TILE + m + 4), w = load4(b + s * TILE + n);
		const float u[8] = {lo.x, lo.y, lo.z, lo.w, hi.x, hi.y, hi.z, hi.w}, v[4] = {w.x, w.y, w.z, w.w};
		UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = fma(u[i], v[j], acc[i][j]);
	}
}

DEV void clear(float acc[8][4]) {
	UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = 0.f;
}

// The pair (i, j), i <= j, of the p-th tile above the diagonal, row by row.
DEV void tile_pair(int p, int tiles, int* i, int* j) {
	int row = 0;
	while (p >= tiles - row) p -= tiles - row, row++;
	*i = row, *j = row + p;
}
}  // namespace

// gram_partial: partial (splits, pairs, 64, 64) = the tile's sum over this
// split's range of pixels. Grid: (splits, pairs).
KERNEL __launch_bounds__(THREADS)
    gram_partial(const float* __restrict__ f, float* __restrict__ partial, int N, int C, int pixelsPerSplit) {
	__shared__ __attribute__((aligned(16))) float a[STEP * TILE], b[STEP * TILE];
	int ti, tj;
	tile_pair(BLOCK_Y, (C + TILE - 1) / TILE, &ti, &tj);
	const int m = THREAD / 16 * 8, n = THREAD % 16 * 4;
	const int p0 = BLOCK_X * pixelsPerSplit, p1 = min(p0 + pixelsPerSplit, N);
	float acc[8][4];
	clear(acc);
	ROLLED for (int p = p0; p < p1; p += STEP) {
		load_rows(a, f, p, p1, ti * TILE, C);
		load_rows(b, f, p, p1, tj * TILE, C);
		__syncthreads();
		rank_step(acc, a, b, m, n);
		__syncthreads();
	}
	float* to = partial + ((size_t)BLOCK_X * ((C + TILE - 1) / TILE * ((C + TILE - 1) / TILE + 1) / 2) + BLOCK_Y) * TILE * TILE;
	UNROLL for (int i = 0; i < 8; i++) store4(to + (m + i) * TILE + n, make4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]));
}

// gram_finish: g (C, C) = norm * sum over splits, both triangles.
// Grid: (16, pairs), one thread a value.
KERNEL __launch_bounds__(256)
    gram_finish(const float* __restrict__ partial, float* __restrict__ g, int splits, int C, float norm) {
	int ti, tj;
	tile_pair(BLOCK_Y, (C + TILE - 1) / TILE, &ti, &tj);
	const int at = BLOCK_X * 256 + THREAD, i = ti * TILE + at / TILE, j = tj * TILE + at % TILE;
	const int tiles = (C + TILE - 1) / TILE, pairs = tiles * (tiles + 1) / 2;
	if (i >= C || j >= C) return;
	double sum = 0;
	for (int s = 0; s < splits; s++) sum += partial[((size_t)s * pairs + BLOCK_Y) * TILE * TILE + at];
	const float v = float(sum * norm);
	g[(size_t)i * C + j] = v;
	g[(size_t)j * C + i] = v;
}

// gram_loss: with d (C, C) = g - target, adds to loss[block] the block's part of
// coef * sum d^2, and writes grad = 4 * norm * coef * d (add: to what it holds).
// Grid: blocks of 1024 values; sum_finish of vector.cu adds them in order.
KERNEL __launch_bounds__(256)
    gram_loss(float* __restrict__ grad, const float* __restrict__ g, const float* __restrict__ target,
              double* __restrict__ loss, int n, float coef, float norm, int add) {
	__shared__ double scratch[8];
	double sum = 0;
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i >= n) continue;
		const float d = g[i] - target[i];
		sum += double(d) * d * coef;
		if (!grad) continue;
		const float v = 4.f * norm * coef * d;
		grad[i] = add ? grad[i] + v : v;
	}
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) loss[BLOCK_X] = add ? loss[BLOCK_X] + sum : sum;
}

// style_grad: dx (N, C) += f (N, C) d (C, C) + shift (C) (null: none); d is
// symmetric. A block does 64 pixels x 64 channels. Grid: (ceil(N/64), ceil(C/64)).
KERNEL __launch_bounds__(THREADS)
    style_grad(float* __restrict__ dx, const float* __restrict__ f, const float* __restrict__ d,
               const float* __restrict__ shift, int N, int C) {
	__shared__ __attribute__((aligned(16))) float a[STEP * TILE], b[STEP * TILE];
	const int p0 = BLOCK_X * TILE, c0 = BLOCK_Y * TILE, m = THREAD / 16 * 8, n = THREAD % 16 * 4;
	float acc[8][4];
	clear(acc);
	ROLLED for (int k = 0; k < C; k += STEP) {
		// f comes in pixel by pixel and is needed channel by channel: transpose.
		UNROLL for (int r = 0; r < 2; r++) {
			const int i = THREAD + r * THREADS, p = i % TILE, c = i / TILE * 4;
			const bool in = p0 + p < N && k + c < C;
			const float4 v = in ? load4(f + (size_t)(p0 + p) * C + k + c) : make4(0, 0, 0, 0);
			a[c * TILE + p] = v.x, a[(c + 1) * TILE + p] = v.y, a[(c + 2) * TILE + p] = v.z, a[(c + 3) * TILE + p] = v.w;
		}
		load_rows(b, d, k, min(k + STEP, C), c0, C);
		__syncthreads();
		rank_step(acc, a, b, m, n);
		__syncthreads();
	}
	if (c0 + n >= C) return;
	const float4 s = shift ? load4(shift + c0 + n) : make4(0, 0, 0, 0);
	UNROLL for (int i = 0; i < 8; i++) {
		if (p0 + m + i >= N) break;
		float* to = dx + (size_t)(p0 + m + i) * C + c0 + n;
		store4(to, add4(load4(to), add4(make4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]), s)));
	}
}

// mean_partial and mean_finish: mean (C) of f (N, C) over pixels.
// Grid: (splits, ceil(C/128)), then ceil(C/128).
template <class T> DEV void mean_partial_stored(const T* __restrict__ f, double* __restrict__ partial, int N, int C,
         int pixelsPerSplit, float gain) {
	const int c = BLOCK_Y * THREADS + THREAD, p0 = BLOCK_X * pixelsPerSplit, p1 = min(p0 + pixelsPerSplit, N);
	if (c >= C) return;
	double sum = 0;
	for (int p = p0; p < p1; p++) sum += f[(size_t)p * C + c];
	partial[(size_t)BLOCK_X * C + c] = sum * gain;
}
KERNEL __launch_bounds__(THREADS) mean_partial(const float* __restrict__ f, double* __restrict__ partial, int N,
         int C, int pixelsPerSplit) {
	mean_partial_stored(f, partial, N, C, pixelsPerSplit, 1.f);
}
KERNEL __launch_bounds__(THREADS) mean_partial_half(const half* __restrict__ f, double* __restrict__ partial, int N,
         int C, int pixelsPerSplit, float gain) {
	mean_partial_stored(f, partial, N, C, pixelsPerSplit, gain);
}
KERNEL __launch_bounds__(THREADS)
    mean_finish(const double* __restrict__ partial, float* __restrict__ mean, int splits, int N, int C) {
	const int c = BLOCK_X * THREADS + THREAD;
	if (c >= C) return;
	double sum = 0;
	for (int s = 0; s < splits; s++) sum += partial[(size_t)s * C + c];
	mean[c] = float(sum / N);
}
