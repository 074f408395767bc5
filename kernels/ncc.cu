// ncc.cu: the most similar style patch for every canvas patch, by normalised
// cross-correlation. For 3x3 patches centred at p (canvas) and q (style),
//
//	score(p, q) = inv(q) * sum over the nine d of <F(p+d), S(q+d)>  +  bias(q)
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
// the order of the blocks. best starts at 0, "no patch". C is a multiple of 4.
#include "common.cuh"

namespace {

constexpr int STRIP = 64, STEP = 16, THREADS = 128, PITCH = STRIP + 1;

// ordered maps floats to integers that compare the same way.
DEV unsigned ordered(float v) {
	const unsigned u = bits(v);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

// slab adds to acc the dot products of row ty of F, columns px0.., with row sy of
// S, columns qx0.. (8x4 values a thread).
DEV void slab(float acc[8][4], const float* __restrict__ F, const float* __restrict__ S, int ty, int sy, int px0, int qx0,
              int W, int Ws, int C, float* a, float* b) {
	const int m = THREAD / 16 * 8, n = THREAD % 16 * 4;
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
		UNROLL for (int k = 0; k < STEP; k++) {
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
	const int delta = BLOCK_X / segments - (H - 1);
	// Rows t of F to march over: the segment's centres with R rows around them,
	// as far as both pictures reach.
	const int r0 = max(max(BLOCK_X % segments * rows, 0), -delta);
	const int r1 = min(min(BLOCK_X % segments * rows + rows + 2 * R, H), Hs - delta);
	if (r1 - r0 < 2 * R + 1) return;

	const int m = THREAD / 16 * 8, n = THREAD % 16 * 4;
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
		const int py = t - R, qy = py + delta;
		if (t - r0 >= 2 * R && (py - R) % stride == 0 && (qy - R) % styleStride == 0) {
			// Two threads a canvas column, each half of the style columns.
			const int col = THREAD / 2, half = THREAD % 2, px = px0 + col;
			float top = 0.f;
			int arg = -1;
			if (col >= R && col < STRIP - R && px < W - R && (px - R) % stride == 0) {
				const int from = R + half * (inner / 2), to = from + inner / 2;
				for (int j = from; j < to; j++) {
					const int qx = qx0 + j;
					if (qx >= Ws - R || (qx - R) % styleStride) continue;
					float v = 0.f;
					UNROLL for (int d = -R; d <= R; d++) v += sums[(col + d) * PITCH + j + d];
					const int q = qy * Ws + qx;
					v = bias ? fma(v, inv[q], bias[q]) : v * inv[q];
					if (arg < 0 || v > top) top = v, arg = q;
				}
			}
			const float otherTop = shuffle_xor(top, 1);
			const int otherArg = shuffle_xor(arg, 1);
			if (otherArg >= 0 && (arg < 0 || otherTop > top || (otherTop == top && otherArg < arg))) top = otherTop, arg = otherArg;
			if (half == 0 && arg >= 0) {
				const unsigned long long key = (unsigned long long)ordered(top) << 32 | ~(unsigned)arg;
				atomic_max(best + (size_t)py * W + px, key);
			}
		}
		__syncthreads();
	}
}

}  // namespace

// ncc_match1, ncc_match3: patches of 1x1 and 3x3 (see above). F (H, W, C),
// S (Hs, Ws, C), inv (Hs, Ws), bias (Hs, Ws) or null, best (H, W).
// Canvas and style patches whose upper left corner is a multiple of stride and
// styleStride take part. rows: centres a segment of the march covers.
// Grid: ((H+Hs-1) * ceil(H/rows), ceil(W/inner), ceil(Ws/inner)), inner 64 or 62.
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

// patch_norm: inv (Hs, Ws) = 1 / (|Q| + eps) for the (2R+1)^2 patch round each
// style position; 0 where no whole patch fits. One warp a position.
// Grid: ceil(Hs*Ws / 4), block 128.
KERNEL __launch_bounds__(THREADS)
    patch_norm(float* __restrict__ inv, const float* __restrict__ S, int Hs, int Ws, int C, int R, float eps) {
	const int q = BLOCK_X * 4 + THREAD / 32, lane = THREAD % 32, y = q / Ws, x = q % Ws;
	if (q >= Hs * Ws) return;
	const bool whole = y >= R && y < Hs - R && x >= R && x < Ws - R;
	double sum = 0;
	if (whole) for (int dy = -R; dy <= R; dy++) for (int dx = -R; dx <= R; dx++) {
		const float* s = S + ((size_t)(y + dy) * Ws + x + dx) * C;
		for (int c = lane; c < C; c += 32) sum += double(s[c]) * s[c];
	}
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) sum += shuffle_xor(sum, lanes);
	if (lane == 0) inv[q] = whole ? float(1 / (sqrt(sum) + eps)) : 0.f;
}

// patch_grad: the patch loss coef * sum over canvas patches p, their offsets d and
// channels of (F(p+d) - S(q(p)+d))^2, gathered per canvas position r:
//
//	dF(r) += 2 coef sum over d of (F(r) - S(q(r-d) + d))
//
// Nothing of patch size is made. A block does one position; its part of the loss
// goes to loss[block]. Grid: H*W.
KERNEL __launch_bounds__(THREADS)
    patch_grad(float* __restrict__ dF, const float* __restrict__ F, const float* __restrict__ S,
               const unsigned long long* __restrict__ best, double* __restrict__ loss, int H, int W, int Ws, int C, int R,
               float coef) {
	__shared__ double scratch[THREADS / 32];
	const int r = BLOCK_X, ry = r / W, rx = r % W;
	double sum = 0;
	for (int dy = -R; dy <= R; dy++) for (int dx = -R; dx <= R; dx++) {
		const int py = ry - dy, px = rx - dx;
		if (!inside(py, px, H, W)) continue;
		const unsigned long long key = best[(size_t)py * W + px];
		if (key == 0) continue;
		const int q = int(~(unsigned)key) + dy * Ws + dx;
		for (int c = THREAD; c < C; c += THREADS) {
			const float e = F[(size_t)r * C + c] - S[(size_t)q * C + c];
			sum += double(e) * e;
			if (dF) dF[(size_t)r * C + c] = fma(2.f * coef, e, dF[(size_t)r * C + c]);
		}
	}
	sum = block_sum<THREADS>(sum * coef, scratch);
	if (THREAD == 0) loss[r] = sum;
}
