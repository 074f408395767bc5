// conv.cu: 3x3 convolution, stride 1, padding 1, as an implicit GEMM in fp32.
//
//   forward   y[p][k]  = relu(bias[k] + sum_{t,c} x[p + t][c] w[t][c][k])
//   backward  dx[p][c] = gate * (add + sum_{t,k} dy[p - t][k] w[t][c][k])
//
// Both are one body: backward is a convolution of dy with the taps mirrored and
// the channel roles swapped, which the host does once when it packs weights.
//
// A block computes 8x16 pixels x 64 output channels with 128 threads; a thread
// owns a run of 8 pixels in a row and two groups of 4 channels, so each value
// read from shared memory feeds 8 multiply-adds. Input channels come in chunks
// of 4: the 10x18 halo tile is stored channel by channel (pitch 20 floats keeps
// 16-byte reads aligned), the 9 taps of weights beside it, double buffered.
// Where pooling followed the layer, backward reads the pooled gradient and
// spreads it as it loads: the full-size one is never stored.
#include "common.cuh"
#include "pool.cuh"

namespace {

constexpr int TILE_H = 8, TILE_W = 16, TILE_K = 64, CHUNK = 4, THREADS = 128;
constexpr int PITCH = 20, HALO = CHUNK * (TILE_H + 2) * PITCH, TAPS = 9 * CHUNK * TILE_K;
constexpr int HALO_PIXELS = (TILE_H + 2) * (TILE_W + 2), STAGE = HALO + TAPS;

// Where a thread works: its row and first column in the tile, its channels.
struct Place {
	int y, x, k;
	DEV Place(int tileX0, int tileY0) {
		int run = (THREAD >> 5) << 2 | (THREAD >> 3 & 3);
		y = tileY0 + (run >> 1), x = tileX0 + (run & 1) * 8, k = (THREAD & 7) * 4;
	}
};

// Plain is the input of a convolution as it lies in memory, (H, W, cin).
struct Plain {
	const float* __restrict__ x;
	int H, W, cin;
	DEV float4 at(int y, int x_, int c) const { return load4(x + ((size_t)y * W + x_) * cin + c); }
};

// Unpooled is the gradient dy (PH, PW, cin) of pooled features, spread over the
// pixels of the windows and gated by the signs of the features that were pooled.
struct Unpooled {
	const float* __restrict__ dy;
	const unsigned char *__restrict__ winners, *__restrict__ signs;
	int H, W, cin, PH, PW, kind;
	float scale;
	DEV float4 at(int y, int x, int c) const {
		if (y / 2 >= PH || x / 2 >= PW) return make4(0, 0, 0, 0);
		const size_t from = ((size_t)(y / 2) * PW + x / 2) * cin + c;
		return gate4(spread(load4(dy + from), winners + from / 4, y, x, H, W, kind, scale), signs[(((size_t)y * W + x) * cin + c) / 4]);
	}
};

// accumulate leaves in acc[pixel][channel] the sums over all cin channels of
// block (tile, kBlock). Weights are packed (kBlock, chunk, tap, 4, 64). With
// replicate the border pixel is repeated outside the image, else zero is read.
template <class Input>
DEV void accumulate(float acc[8][8], const Input& in, const float* __restrict__ weights, int tileY, int tileX,
                    bool replicate, float* shared) {
	UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 8; j++) acc[i][j] = 0.f;
	const int H = in.H, W = in.W, chunks = in.cin / CHUNK;
	const float* mine = weights + (size_t)BLOCK_Y * chunks * TAPS;
	float4 pixels[2], taps[5];

	auto fetch = [&](int chunk) {
		UNROLL for (int r = 0; r < 2; r++) {
			int i = THREAD + r * THREADS;
			pixels[r] = make4(0, 0, 0, 0);
			if (i >= HALO_PIXELS) continue;
			int gy = tileY + i / 18 - 1, gx = tileX + i % 18 - 1;
			if (replicate) gy = min(max(gy, 0), H - 1), gx = min(max(gx, 0), W - 1);
			if (inside(gy, gx, H, W)) pixels[r] = in.at(gy, gx, chunk * CHUNK);
		}
		UNROLL for (int r = 0; r < 5; r++) {
			int i = THREAD + r * THREADS;
			if (i < TAPS / 4) taps[r] = load4(mine + (size_t)chunk * TAPS + i * 4);
		}
	};
	auto stash = [&](int stage) {
		float* halo = shared + stage * STAGE;
		UNROLL for (int r = 0; r < 2; r++) {
			int i = THREAD + r * THREADS;
			if (i >= HALO_PIXELS) continue;
			float* p = halo + i / 18 * PITCH + i % 18;
			p[0] = pixels[r].x, p[10 * PITCH] = pixels[r].y, p[20 * PITCH] = pixels[r].z, p[30 * PITCH] = pixels[r].w;
		}
		UNROLL for (int r = 0; r < 5; r++) {
			int i = THREAD + r * THREADS;
			if (i < TAPS / 4) store4(halo + HALO + i * 4, taps[r]);
		}
	};

	const int run = (THREAD >> 5) << 2 | (THREAD >> 3 & 3), row = run >> 1, col = (run & 1) * 8, k = (THREAD & 7) * 4;
	fetch(0);
	stash(0);
	__syncthreads();
	ROLLED for (int chunk = 0; chunk < chunks; chunk++) {
		if (chunk + 1 < chunks) fetch(chunk + 1);
		const float* halo = shared + (chunk & 1) * STAGE + row * PITCH + col;
		const float* tap = shared + (chunk & 1) * STAGE + HALO + k;
		UNROLL for (int c = 0; c < CHUNK; c++) UNROLL for (int dy = 0; dy < 3; dy++) {
			float a[12];
			UNROLL for (int q = 0; q < 3; q++) {
				float4 v = load4(halo + (c * 10 + dy) * PITCH + q * 4);
				a[q * 4] = v.x, a[q * 4 + 1] = v.y, a[q * 4 + 2] = v.z, a[q * 4 + 3] = v.w;
			}
			UNROLL for (int dx = 0; dx < 3; dx++) {
				const float* w = tap + ((dy * 3 + dx) * CHUNK + c) * TILE_K;
				float4 lo = load4(w), hi = load4(w + 32);
				float b[8] = {lo.x, lo.y, lo.z, lo.w, hi.x, hi.y, hi.z, hi.w};
				UNROLL for (int i = 0; i < 8; i++) UNROLL for (int j = 0; j < 8; j++)
					acc[i][j] = fma(a[i + dx], b[j], acc[i][j]);
			}
		}
		if (chunk + 1 < chunks) stash((chunk + 1) & 1);
		__syncthreads();
	}
}

}  // namespace

// conv3x3_fwd: y = relu(x * w + b), and what the backward pass will need.
// Any output may be null:
//   act     (H, W, K)       the activation
//   signs   (H, W, K/4)     bit j of a byte: channel 4c+j is positive
//   pooled  (PH, PW, K)     the activation pooled 2x2 (see pool.cuh for kind)
//   winners (PH, PW, K/4)   max pooling: 2 bits a channel, which of the four won
// Grid: (tiles, ceil(K/64)).
KERNEL __launch_bounds__(THREADS, 3)
    conv3x3_fwd(const float* __restrict__ x, const float* __restrict__ weights, const float* __restrict__ bias,
                float* __restrict__ act, unsigned char* __restrict__ signs, float* __restrict__ pooled,
                unsigned char* __restrict__ winners, int H, int W, int cin, int cout, int tilesX, int replicate,
                int kind, int PH, int PW, float scale) {
	__shared__ __attribute__((aligned(16))) float shared[2 * STAGE];
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	float acc[8][8];
	accumulate(acc, Plain{x, H, W, cin}, weights, tileY, tileX, replicate != 0, shared);

	const Place at(tileX, tileY);
	UNROLL for (int group = 0; group < 2; group++) {
		const int k = BLOCK_Y * TILE_K + group * 32 + at.k;
		const bool live = k < cout;
		const float4 b = live ? load4(bias + k) : make4(0, 0, 0, 0);
		float4 v[8];
		UNROLL for (int i = 0; i < 8; i++) {
			v[i] = relu(make4(acc[i][group * 4] + b.x, acc[i][group * 4 + 1] + b.y, acc[i][group * 4 + 2] + b.z,
			                  acc[i][group * 4 + 3] + b.w));
			if (!live || !inside(at.y, at.x + i, H, W)) continue;
			const size_t at4 = ((size_t)at.y * W + at.x + i) * cout + k;
			if (act) store4(act + at4, v[i]);
			if (signs) signs[at4 / 4] = sign_bits(v[i]);
		}
		if (!pooled && !winners) continue;
		UNROLL for (int q = 0; q < 4; q++) {
			// The thread of the row below is 16 lanes away in the same warp.
			Window win = {v[2 * q], v[2 * q + 1], shuffle4(v[2 * q], 16), shuffle4(v[2 * q + 1], 16)};
			const int py = at.y / 2, px = at.x / 2 + q;
			if (!live || at.y % 2 || !inside(py, px, PH, PW)) continue;
			const bool right = at.x + 2 * q + 1 < W, below = at.y + 1 < H;
			const size_t to = ((size_t)py * PW + px) * cout + k;
			unsigned char winner;
			const float4 best = pool_window(win, kind, right, below, scale, &winner);
			if (pooled) store4(pooled + to, best);
			if (winners) winners[to / 4] = winner;
		}
	}
}

namespace {

// backward is the body of both kernels below.
template <class Input>
DEV void backward(const Input& dy, const float* __restrict__ weights, float* __restrict__ dx,
                  const unsigned char* __restrict__ signs, int H, int W, int cout, int tilesX, int add) {
	__shared__ __attribute__((aligned(16))) float shared[2 * STAGE];
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	float acc[8][8];
	accumulate(acc, dy, weights, tileY, tileX, false, shared);

	const Place at(tileX, tileY);
	UNROLL for (int i = 0; i < 8; i++) UNROLL for (int group = 0; group < 2; group++) {
		const int k = BLOCK_Y * TILE_K + group * 32 + at.k;
		if (k >= cout || !inside(at.y, at.x + i, H, W)) continue;
		const size_t to = ((size_t)at.y * W + at.x + i) * cout + k;
		float4 v = make4(acc[i][group * 4], acc[i][group * 4 + 1], acc[i][group * 4 + 2], acc[i][group * 4 + 3]);
		if (add) v = add4(v, load4(dx + to));
		if (signs) v = gate4(v, signs[to / 4]);
		store4(dx + to, v);
	}
}

}  // namespace

// conv3x3_bwd: dx = (dy convolved with mirrored taps + dx if add) gated by the
// signs of the activation x was (null: no gate). Grid: (tiles, ceil(C/64)).
KERNEL __launch_bounds__(THREADS, 3)
    conv3x3_bwd(const float* __restrict__ dy, const float* __restrict__ weights, float* __restrict__ dx,
                const unsigned char* __restrict__ signs, int H, int W, int cin, int cout, int tilesX, int add) {
	backward(Plain{dy, H, W, cin}, weights, dx, signs, H, W, cout, tilesX, add);
}

// conv3x3_bwd_pooled: the same from dy (PH, PW, K), the gradient of the layer's
// max or average pooling, whose winners (PH, PW, K/4) and activation's signs
// (H, W, K/4) the forward pass stored.
KERNEL __launch_bounds__(THREADS, 3)
    conv3x3_bwd_pooled(const float* __restrict__ dy, const unsigned char* __restrict__ winners,
                       const unsigned char* __restrict__ active, const float* __restrict__ weights, float* __restrict__ dx,
                       const unsigned char* __restrict__ signs, int H, int W, int cin, int cout, int tilesX, int add, int PH,
                       int PW, int kind, float scale) {
	backward(Unpooled{dy, winners, active, H, W, cin, PH, PW, kind, scale}, weights, dx, signs, H, W, cout, tilesX, add);
}
