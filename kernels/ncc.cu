// ncc.cu: the most similar style patch for every canvas patch, by normalised
// cross-correlation. For patches of K x K pixels whose upper left corners are p
// (canvas) and q (style),
//
//	score(p, q) = inv(q) * sum over the K*K offsets d of <F(p+d), S(q+d)>  +  bias(q)
//
// and <F(a), S(b)> is shared by all patches that overlap it along a diagonal. So
// a block fixes delta = qy - py, 64 columns of the canvas and 64 of the style, and
// marches down the rows t: one 64x64 slab A_t of C-long dot products a step, the
// sum over three rows kept in registers, the diagonal sum over three columns taken
// in shared memory, the best of the block's style columns kept per canvas patch.
// Nine times fewer multiplications than correlating whole patches, and nothing of
// size (canvas x style) is ever stored. |p| is the same for every q: no need.
//
// best (H, W) holds 64-bit keys: the score as an ordered integer above, ~q below,
// so the atomic maximum is the highest score and of equals the lowest q, whatever
// the order of the blocks. best starts at 0, "no patch"; NaN never wins. C is a
// multiple of 4.
#include "common.cuh"

namespace {

constexpr int STRIP = 64, STEP = 16, THREADS = 128, PITCH = STRIP + 1;

// ordered maps floats to integers that compare the same way.
DEV unsigned ordered(float v) {
	const unsigned u = bits(v);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

DEV float unordered(unsigned u) {
	return __builtin_bit_cast(float, u & 0x80000000u ? u & 0x7fffffffu : ~u);
}

DEV unsigned long long key_of(float score, int q) { return (unsigned long long)ordered(score) << 32 | ~(unsigned)q; }

// score_of is a sum of products as a score, for the style patch at q, number i of
// the bank. inv and bias may be null.
DEV float score_of(float v, const float* __restrict__ inv, const float* __restrict__ bias, int q, int i) {
	if (inv) v *= inv[q];
	return bias ? v + bias[i] : v;
}

// The 8 canvas and 4 style columns of a thread: those of a warp are 32 by 32, so that
// a warp beyond the end of a picture has nothing to do.
DEV int canvas_column() { return (THREAD >> 5 & 1) * 32 + (THREAD >> 3 & 3) * 8; }
DEV int style_column() { return (THREAD >> 6) * 32 + (THREAD & 7) * 4; }

// slab adds to acc the dot products of row ty of F, columns px0.., with row sy of
// S, columns qx0.. (8x4 values a thread).
DEV void slab(float acc[8][4], const float* __restrict__ F, const float* __restrict__ S, int ty, int sy, int px0, int qx0,
              int W, int Ws, int C, float* a, float* b) {
	const int m = canvas_column(), n = style_column();
	UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = 0.f;
	ROLLED for (int c0 = 0; c0 < C; c0 += STEP) {
		UNROLL for (int r = 0; r < 2; r++) {
			const int i = THREAD + r * THREADS, col = i % STRIP, c = i / STRIP * 4;
			const bool inF = px0 + col < W && c0 + c < C, inS = qx0 + col < Ws && c0 + c < C;
			const float4 f = inF ? load4(F + ((size_t)ty * W + px0 + col) * C + c0 + c) : make4(0, 0, 0, 0);
			const float4 s = inS ? load4(S + ((size_t)sy * Ws + qx0 + col) * C + c0 + c) : make4(0, 0, 0, 0);
			float *fa = a + c * STRIP + col, *sb = b + c * STRIP + col;
			fa[0] = f.x, fa[STRIP] = f.y, fa[2 * STRIP] = f.z, fa[3 * STRIP] = f.w;
			sb[0] = s.x, sb[STRIP] = s.y, sb[2 * STRIP] = s.z, sb[3 * STRIP] = s.w;
		}
		__syncthreads();
		if (px0 + m < W && qx0 + n < Ws) UNROLL for (int k = 0; k < STEP; k++) {
			const float4 lo = load4(a + k * STRIP + m), hi = load4(a + k * STRIP + m + 4), w = load4(b + k * STRIP + n);
			const float u[8] = {lo.x, lo.y, lo.z, lo.w, hi.x, hi.y, hi.z, hi.w}, v[4] = {w.x, w.y, w.z, w.w};
			UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = fma(u[i], v[j], acc[i][j]);
		}
		__syncthreads();
	}
}

// march is the kernel's body for patches of side 2*R+1, R 0 or 1.
template <int R>
DEV void march(const float* __restrict__ F, const float* __restrict__ S, const float* __restrict__ inv,
               const float* __restrict__ bias, unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws, int C,
               int rows, int stride, int styleStride, float* a, float* b, float* sums) {
	constexpr int inner = STRIP - 2 * R;
	const int segments = (H + rows - 1) / rows, px0 = BLOCK_Y * inner, qx0 = BLOCK_Z * inner;
	const int delta = BLOCK_X / segments - (H - 1), styleCols = (Ws - 2 * R - 1) / styleStride + 1;
	// Rows t of F to march over: those of the segment's patches, as far as both
	// pictures reach.
	const int r0 = max(max(BLOCK_X % segments * rows, 0), -delta);
	const int r1 = min(min(BLOCK_X % segments * rows + rows + 2 * R, H), Hs - delta);
	if (r1 - r0 < 2 * R + 1) return;

	const int m = canvas_column(), n = style_column();
	float acc[8][4], last[8][4], lastTwo[8][4];  // A_t, A_{t-1}, A_{t-2} + A_{t-1}
	UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) last[i][j] = lastTwo[i][j] = 0.f;
	ROLLED for (int t = r0; t < r1; t++) {
		slab(acc, F, S, t, t + delta, px0, qx0, W, Ws, C, a, b);
		UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 4; j++) {
			if (R == 0) {
				sums[(m + i) * PITCH + n + j] = acc[i][j];
				continue;
			}
			sums[(m + i) * PITCH + n + j] = lastTwo[i][j] + acc[i][j];
			lastTwo[i][j] = last[i][j] + acc[i][j];
			last[i][j] = acc[i][j];
		}
		__syncthreads();
		const int py = t - 2 * R, qy = py + delta;
		if (t - r0 >= 2 * R && py % stride == 0 && qy % styleStride == 0) {
			// Two threads a canvas column, each half of the style columns.
			const int col = THREAD / 2, half = THREAD % 2, px = px0 + col;
			float top = 0.f;
			int arg = -1;
			if (col < inner && px < W - 2 * R && px % stride == 0) {
				const int from = half * (inner / 2), to = from + inner / 2;
				for (int j = from; j < to; j++) {
					const int qx = qx0 + j;
					if (qx >= Ws - 2 * R || qx % styleStride) continue;
					float v = 0.f;
					UNROLL for (int d = 0; d <= 2 * R; d++) v += sums[(col + d) * PITCH + j + d];
					const int q = qy * Ws + qx;
					v = score_of(v, inv, bias, q, qy / styleStride * styleCols + qx / styleStride);
					if (v > top || (arg < 0 && v == v)) top = v, arg = q;
				}
			}
			const float otherTop = shuffle_xor(top, 1);
			const int otherArg = shuffle_xor(arg, 1);
			if (otherArg >= 0 && (arg < 0 || otherTop > top || (otherTop == top && otherArg < arg))) top = otherTop, arg = otherArg;
			if (half == 0 && arg >= 0) atomic_max(best + (size_t)py * W + px, key_of(top, arg));
		}
		__syncthreads();
	}
}

}  // namespace

// ncc_match1, ncc_match3: patches of 1x1 and 3x3 (see above). F (H, W, C),
// S (Hs, Ws, C), inv (Hs, Ws) or null, bias by number of the style patch or null,
// best (H, W). Canvas and style patches whose corner is a multiple of stride and
// styleStride take part. rows: patches a segment of the march covers.
// Grid: ((H+Hs-1) * ceil(H/rows), ceil((W-K+1)/inner), ceil((Ws-K+1)/inner)), inner 64 or 62.
// Two blocks a multiprocessor: left free, ptxas spills for a fifth of the 1x1 form.
#define MATCH(name, R)                                                                                               \
	KERNEL __launch_bounds__(THREADS, 2) name(const float* __restrict__ F, const float* __restrict__ S,              \
	                                       const float* __restrict__ inv, const float* __restrict__ bias,            \
	                                       unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws, int C, \
	                                       int rows, int stride, int styleStride) {                                  \
		__shared__ __attribute__((aligned(16))) float a[STEP * STRIP], b[STEP * STRIP];                              \
		__shared__ float sums[STRIP * PITCH];                                                                        \
		march<R>(F, S, inv, bias, best, H, W, Hs, Ws, C, rows, stride, styleStride, a, b, sums);                      \
	}
MATCH(ncc_match1, 0)
MATCH(ncc_match3, 1)

// ncc_match_any: patches of any side K, by whole patches: for the sides that are
// seldom asked for. A block takes one canvas patch, a thread every 128th style
// patch. Grid: (ceil((W-K+1)/stride), ceil((H-K+1)/stride)). Eight blocks a
// multiprocessor: left free, ptxas spills for more.
template <class T> DEV void ncc_match_any_stored(const T* __restrict__ F, const T* __restrict__ S,
         const float* __restrict__ inv, const float* __restrict__ bias, unsigned long long* __restrict__ best, int W,
         int Hs, int Ws, int C, int K, int stride, int styleStride, float gain) {
	const int py = BLOCK_Y * stride, px = BLOCK_X * stride, cols = (Ws - K) / styleStride + 1, all = ((Hs - K) / styleStride + 1) * cols;
	float top = 0.f;
	int arg = -1;
	for (int i = THREAD; i < all; i += THREADS) {
		const int qy = i / cols * styleStride, qx = i % cols * styleStride;
		float v = 0.f;
		for (int y = 0; y < K; y++) {
			const T *f = F + ((size_t)(py + y) * W + px) * C, *s = S + ((size_t)(qy + y) * Ws + qx) * C;
			for (int c = 0; c < K * C; c++) v = fma(f[c], s[c], v);
		}
		v = score_of(gain * v, inv, bias, qy * Ws + qx, i);
		if (v > top || (arg < 0 && v == v)) top = v, arg = qy * Ws + qx;
	}
	if (arg >= 0) atomic_max(best + (size_t)py * W + px, key_of(top, arg));
}
KERNEL __launch_bounds__(THREADS, 8) ncc_match_any(const float* __restrict__ F, const float* __restrict__ S,
         const float* __restrict__ inv, const float* __restrict__ bias, unsigned long long* __restrict__ best, int W,
         int Hs, int Ws, int C, int K, int stride, int styleStride) {
	ncc_match_any_stored(F, S, inv, bias, best, W, Hs, Ws, C, K, stride, styleStride, 1.f);
}
KERNEL __launch_bounds__(THREADS, 8) ncc_match_any_half(const half* __restrict__ F, const half* __restrict__ S,
         const float* __restrict__ inv, const float* __restrict__ bias, unsigned long long* __restrict__ best, int W,
         int Hs, int Ws, int C, int K, int stride, int styleStride, float gain) {
	ncc_match_any_stored(F, S, inv, bias, best, W, Hs, Ws, C, K, stride, styleStride, gain);
}

// match_finish: index and score (rows, cols) from the keys of every stride-th
// patch of a canvas W wide: first plus the number of the style patch, in rows of
// styleCols every styleStride pixels. add keeps what is there unless the new
// score is higher; where no patch won, the score is minus infinity.
// Grid: ceil(rows*cols / 128).
KERNEL __launch_bounds__(THREADS)
    match_finish(int* __restrict__ index, float* __restrict__ score, const unsigned long long* __restrict__ best, int rows,
                 int cols, int W, int Ws, int stride, int styleStride, int styleCols, int first, int add) {
	const int p = BLOCK_X * THREADS + THREAD;
	if (p >= rows * cols) return;
	const unsigned long long key = best[(size_t)(p / cols) * stride * W + p % cols * stride];
	const int q = key ? int(~(unsigned)key) : 0;
	const float v = key ? unordered(unsigned(key >> 32)) : -__builtin_inff();
	if (add && !(v > score[p])) return;
	index[p] = first + q / Ws / styleStride * styleCols + q % Ws / styleStride;
	score[p] = v;
}

// match_cosines: score (rows, cols) /= the norm of the canvas patch; 0 for a
// patch of zeros. One warp a patch. Grid: ceil(rows*cols / 4).
template <class T> DEV void match_cosines_stored(float* __restrict__ score, const T* __restrict__ F, int rows,
         int cols, int W, int C, int K, int stride, float gain) {
	const int p = BLOCK_X * 4 + THREAD / 32, lane = THREAD % 32;
	if (p >= rows * cols) return;
	double sum = 0;
	for (int y = 0; y < K; y++) {
		const T* f = F + ((size_t)(p / cols * stride + y) * W + p % cols * stride) * C;
		for (int c = lane; c < K * C; c += 32) sum += double(f[c]) * f[c];
	}
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) sum += shuffle_xor(sum, lanes);
	if (lane == 0) score[p] = sum == 0 ? 0.f : float(score[p] / (gain * sqrt(sum)));
}
KERNEL __launch_bounds__(THREADS) match_cosines(float* __restrict__ score, const float* __restrict__ F, int rows,
         int cols, int W, int C, int K, int stride) {
	match_cosines_stored(score, F, rows, cols, W, C, K, stride, 1.f);
}
KERNEL __launch_bounds__(THREADS) match_cosines_half(float* __restrict__ score, const half* __restrict__ F, int rows,
         int cols, int W, int C, int K, int stride, float gain) {
	match_cosines_stored(score, F, rows, cols, W, C, K, stride, gain);
}

// match_bias: bias = scale * score. Grid: ceil(n / 128).
KERNEL __launch_bounds__(THREADS) match_bias(float* __restrict__ bias, const float* __restrict__ score, float scale, int n) {
	const int i = BLOCK_X * THREADS + THREAD;
	if (i < n) bias[i] = scale * score[i];
}

// patch_norm: inv (Hs, Ws) = 1 / |Q| for the K x K patch whose corner each style
// position is, as if |Q|^2 were at least 1e-12; 0 where no whole patch fits. One
// warp a position. Grid: ceil(Hs*Ws / 4).
template <class T> DEV void patch_norm_stored(float* __restrict__ inv, const T* __restrict__ S, int Hs, int Ws, int C,
         int K) {
	const int q = BLOCK_X * 4 + THREAD / 32, lane = THREAD % 32, y = q / Ws, x = q % Ws;
	if (q >= Hs * Ws) return;
	const bool whole = y + K <= Hs && x + K <= Ws;
	double sum = 0;
	if (whole) for (int dy = 0; dy < K; dy++) {
		const T* s = S + ((size_t)(y + dy) * Ws + x) * C;
		for (int c = lane; c < K * C; c += 32) sum += double(s[c]) * s[c];
	}
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) sum += shuffle_xor(sum, lanes);
	if (lane == 0) inv[q] = whole ? float(1 / sqrt(sum + 1e-12)) : 0.f;
}
KERNEL __launch_bounds__(THREADS) patch_norm(float* __restrict__ inv, const float* __restrict__ S, int Hs, int Ws,
         int C, int K) {
	patch_norm_stored(inv, S, Hs, Ws, C, K);
}
KERNEL __launch_bounds__(THREADS) patch_norm_half(float* __restrict__ inv, const half* __restrict__ S, int Hs, int Ws,
         int C, int K) {
	patch_norm_stored(inv, S, Hs, Ws, C, K);
}
