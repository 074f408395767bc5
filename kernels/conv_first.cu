// conv_first.cu: the first convolution, where the image has 3 channels and
// conv.cu's chunks of four have nothing to hold. Memory-bound both ways.
#include "common.cuh"

namespace {
constexpr int TILE_H = 8, TILE_W = 16, HALO_W = TILE_W + 2, HALO_PIXELS = (TILE_H + 2) * HALO_W, THREADS = 256;
}

// conv_first_fwd: act (H, W, K) = relu(image (H, W, 3) * w + bias), signs as in
// conv.cu. weights (27, K): tap-major, then colour. replicate repeats the border
// pixel outside the image instead of reading 0. A thread does 8 pixels of a row
// x 4 channels; 64 channels a block. Grid: (tiles, ceil(K/64)).
template <class T> DEV void conv_first_fwd_stored(const float* __restrict__ image, const float* __restrict__ weights,
         const float* __restrict__ bias, T* __restrict__ act, unsigned char* __restrict__ signs, int H, int W, int K,
         int tilesX, int replicate) {
	__shared__ __attribute__((aligned(16))) float taps[27 * 64];
	__shared__ float halo[HALO_PIXELS * 3];
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W, k0 = BLOCK_Y * 64;
	for (int i = THREAD; i < 27 * 64; i += THREADS) taps[i] = k0 + i % 64 < K ? weights[i / 64 * K + k0 + i % 64] : 0.f;
	for (int i = THREAD; i < HALO_PIXELS; i += THREADS) {
		int y = tileY + i / HALO_W - 1, x = tileX + i % HALO_W - 1;
		if (replicate) y = min(max(y, 0), H - 1), x = min(max(x, 0), W - 1);
		const bool in = inside(y, x, H, W);
		UNROLL for (int c = 0; c < 3; c++) halo[i * 3 + c] = in ? image[((size_t)y * W + x) * 3 + c] : 0.f;
	}
	__syncthreads();

	const int k = THREAD % 16 * 4, row = THREAD / 32, col = THREAD / 16 % 2 * 8;
	if (k0 + k >= K) return;
	float4 acc[8];
	UNROLL for (int i = 0; i < 8; i++) acc[i] = load4(bias + k0 + k);
	UNROLL for (int tap = 0; tap < 9; tap++) UNROLL for (int c = 0; c < 3; c++) {
		const float4 w = load4(taps + (tap * 3 + c) * 64 + k);
		UNROLL for (int i = 0; i < 8; i++) {
			const float v = halo[((row + tap / 3) * HALO_W + col + i + tap % 3) * 3 + c];
			acc[i] = make4(fma(v, w.x, acc[i].x), fma(v, w.y, acc[i].y), fma(v, w.z, acc[i].z), fma(v, w.w, acc[i].w));
		}
	}
	UNROLL for (int i = 0; i < 8; i++) {
		const int y = tileY + row, x = tileX + col + i;
		if (!inside(y, x, H, W)) continue;
		const size_t to = ((size_t)y * W + x) * K + k0 + k;
		const float4 v = relu(acc[i]);
		if (act) store4(act + to, v);
		if (signs) signs[to / 4] = sign_bits(v);
	}
}
KERNEL __launch_bounds__(THREADS) conv_first_fwd(const float* __restrict__ image, const float* __restrict__ weights,
         const float* __restrict__ bias, float* __restrict__ act, unsigned char* __restrict__ signs, int H, int W,
         int K, int tilesX, int replicate) {
	conv_first_fwd_stored(image, weights, bias, act, signs, H, W, K, tilesX, replicate);
}
KERNEL __launch_bounds__(THREADS) conv_first_fwd_half(const float* __restrict__ image,
         const float* __restrict__ weights, const float* __restrict__ bias, half* __restrict__ act,
         unsigned char* __restrict__ signs, int H, int W, int K, int tilesX, int replicate) {
	conv_first_fwd_stored(image, weights, bias, act, signs, H, W, K, tilesX, replicate);
}

// conv_first_bwd: dimage (H, W, 3) = dy (H, W, K) convolved with the mirrored
// taps, added to what dimage holds if add. weights (27, K) as forward. A thread
// does one pixel; K comes through shared memory 16 channels at a time. With
// replicate, a border pixel also collects what its copies outside received.
// Grid: (tiles). Block: 128, four a multiprocessor: left free, ptxas spills for a fifth.
KERNEL __launch_bounds__(128, 4) conv_first_bwd(const float* __restrict__ dy, const float* __restrict__ weights,
         float* __restrict__ dimage, int H, int W, int K, int tilesX, int add, int replicate) {
	__shared__ __attribute__((aligned(16))) float halo[HALO_PIXELS * 20];  // pitch 20: no bank is hit twice by a quarter warp
	__shared__ __attribute__((aligned(16))) float taps[27 * 16];
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	const int y = tileY + THREAD / 16, x = tileX + THREAD % 16;
	float sum[3] = {0.f, 0.f, 0.f};
	ROLLED for (int k0 = 0; k0 < K; k0 += 16) {
		for (int i = THREAD; i < HALO_PIXELS * 4; i += 128) {
			const int gy = tileY + i / 4 / HALO_W - 1, gx = tileX + i / 4 % HALO_W - 1, k = k0 + i % 4 * 4;
			const bool in = inside(gy, gx, H, W) && k < K;
			store4(halo + i / 4 * 20 + i % 4 * 4, in ? load4(dy + ((size_t)gy * W + gx) * K + k) : make4(0, 0, 0, 0));
		}
		for (int i = THREAD; i < 27 * 16; i += 128) taps[i] = k0 + i % 16 < K ? weights[i / 16 * K + k0 + i % 16] : 0.f;
		__syncthreads();
		// Output pixel o read input pixel o + tap - 1, so input (y, x) gets
		// dy[y + 1 - ty][x + 1 - tx]; in halo coordinates row + 2 - ty. A border
		// pixel stands for its copies too: the copy at (y + sy, x + sx) lies
		// outside the image and was read by outputs inside it.
		UNROLL for (int tap = 0; tap < 9; tap++) {
			for (int sy = -1; sy <= 1; sy++) for (int sx = -1; sx <= 1; sx++) {
				const bool self = sy == 0 && sx == 0;
				if (!self && (!replicate || (sy && inside(y + sy, 0, H, 1)) || (sx && inside(0, x + sx, 1, W)))) continue;
				const int hy = THREAD / 16 + 2 - tap / 3 + sy, hx = THREAD % 16 + 2 - tap % 3 + sx;
				if (!inside(hy, hx, TILE_H + 2, HALO_W)) continue;
				const float* d = halo + (hy * HALO_W + hx) * 20;
				UNROLL for (int k = 0; k < 16; k += 4) {
					const float4 g = load4(d + k);
					UNROLL for (int c = 0; c < 3; c++) {
						const float4 w = load4(taps + (tap * 3 + c) * 16 + k);
						sum[c] = fma(g.x, w.x, fma(g.y, w.y, fma(g.z, w.z, fma(g.w, w.w, sum[c]))));
					}
				}
			}
		}
		__syncthreads();
	}
	if (!inside(y, x, H, W)) return;
	float* to = dimage + ((size_t)y * W + x) * 3;
	UNROLL for (int c = 0; c < 3; c++) to[c] = add ? to[c] + sum[c] : sum[c];
}
