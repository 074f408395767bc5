// conv_mma.cuh: conv.cu's convolution on tensor cores, with two stages of weights
// in shared memory or three: conv_mma.cu and conv_two_mma.cu. Features, their gradients
// and weights are binary16, sums float32; masks are conv.cu's.
//
// A block of 4 warps computes 8x16 pixels x BN output channels as a matrix product
// whose rows are pixels: a warp has 4 rows of the picture x BN/2 channels. Inputs
// come 32 channels at a time: the 10x18 halo tile is copied once and each of the 9
// taps multiplies rows of it that lie dx and dy further, so an activation crosses
// to shared memory once, not nine times. Taps of weights follow each other through
// STAGES buffers, halos through two. Where a style loss meets the gradient, its
// F D is a tenth tap, in the middle of the nine, that runs before them.
//
// Weights are packed (chunk of 32 inputs, tap, output, 32), filled up with zeros.
// Of 32 outputs, row r holds number 8t + 2j + e with j = r/8, t = r%8/2, e = r%2:
// what a lane gets of four products side by side is then 8 channels in a row.
#pragma once
#include "mma.cuh"
#include "pool.cuh"

namespace {

constexpr int TILE_H = 8, TILE_W = 16, HALO_W = TILE_W + 2, THREADS = 128;
constexpr int PIECES = (TILE_H + 2) * HALO_W * 4, HALO_BYTES = PIECES * 16;  // of 16 bytes
constexpr int ROUNDS = (PIECES + THREADS - 1) / THREADS;

constexpr int shared_bytes(int BN, int STAGES) { return 2 * HALO_BYTES + STAGES * BN * ROW_BYTES; }

// halo_at is where piece p of halo pixel (y, x) lies. HALO_W is even, so which
// half of the banks a pixel starts in depends on x alone.
DEV int halo_at(int y, int x, int piece) { return (y * HALO_W + x) * ROW_BYTES + ((piece ^ (x >> 1 & 3)) << 4); }

// A piece of the halo: its pixel in the picture, its first channel, its place.
struct Piece {
	int y, x, c, to;
	DEV Piece(int i, int tileY, int tileX, int chunk) {
		const int pixel = i >> 2, row = pixel / HALO_W, col = pixel - row * HALO_W;
		y = tileY + row - 1, x = tileX + col - 1, c = chunk * ROW_VALUES + (i & 3) * PIECE_VALUES, to = halo_at(row, col, i & 3);
	}
};

// Plain is the input of a convolution as it lies in memory, (H, W, cin): copied
// in the background.
struct Plain {
	const half* __restrict__ x;
	int H, W, cin, replicate;
	static constexpr bool COPIED = true;
	DEV void copy(unsigned halo, int tileY, int tileX, int chunk) const {
		// Unrolled, ptxas keeps the addresses of all rounds and spills.
		ROLLED for (int i = THREAD; i < PIECES; i += THREADS) {
			Piece p(i, tileY, tileX, chunk);
			if (replicate) p.y = min(max(p.y, 0), H - 1), p.x = min(max(p.x, 0), W - 1);
			const bool in = inside(p.y, p.x, H, W) && p.c < cin;
			copy_piece(halo + p.to, in ? x + ((size_t)p.y * W + p.x) * cin + p.c : x, in);
		}
	}
	DEV void first(unsigned halo, int tileY, int tileX) const { copy(halo, tileY, tileX, 0); }
	struct Held {};
	DEV void fetch(Held&, int, int, int, int) const {}
	DEV void stash(const Held&, unsigned) const {}
};

// Unpooled is the gradient dy (PH, PW, cin) of pooled features, spread over the
// pixels of the windows and gated by the signs of the features that were pooled.
// Thread by thread a piece is fetched as one tap begins and stored as it ends.
struct Unpooled {
	const half* __restrict__ dy;
	const unsigned char *__restrict__ winners, *__restrict__ signs;
	int H, W, cin, PH, PW, kind;
	float scale;
	static constexpr bool COPIED = false;
	struct Held {
		uint4 g;
		unsigned won, sign;
		int at, to, y, x;  // at < 0: nothing to store
	};
	DEV void copy(unsigned, int, int, int) const {}
	DEV void fetch(Held& h, int round, int tileY, int tileX, int chunk) const {
		int i = THREAD + round * THREADS;
		asm volatile("" : "+r"(i));  // else the addresses of all rounds are kept, and spill
		const Piece p(i, tileY, tileX, chunk);
		h.to = i < PIECES ? p.to : -1, h.y = p.y, h.x = p.x;
		h.g = uint4{0, 0, 0, 0}, h.won = 0, h.sign = 0;
		if (i >= PIECES || !inside(p.y, p.x, H, W) || p.c >= cin || p.y / 2 >= PH || p.x / 2 >= PW) return;
		const size_t from = ((size_t)(p.y / 2) * PW + p.x / 2) * cin + p.c, full = ((size_t)p.y * W + p.x) * cin + p.c;
		h.g = *(const uint4*)(dy + from);
		if (kind == POOL_MAX) h.won = *(const unsigned short*)(winners + from / 4);
		h.sign = *(const unsigned short*)(signs + full / 4);
	}
	DEV void stash(const Held& h, unsigned halo) const {
		if (h.to < 0) return;
		float v[8];
		unpack8(v, h.g);
		const unsigned corner = (h.y & 1) * 2 + (h.x & 1);
		const float share = kind == POOL_MAX ? scale : scale / float((1 + ((h.x | 1) < W)) * (1 + ((h.y | 1) < H)));
		UNROLL for (int q = 0; q < 8; q++) {
			const bool mine = (kind != POOL_MAX || (h.won >> (2 * q) & 3) == corner) && h.sign >> (q % 4 + q / 4 * 8) & 1;
			v[q] = mine ? v[q] * share : 0.f;
		}
		store_piece(halo + h.to, pack8(v));
	}
	DEV void first(unsigned halo, int tileY, int tileX) const {
		UNROLL for (int round = 0; round < ROUNDS; round++) {
			Held held;
			fetch(held, round, tileY, tileX, 0);
			stash(held, halo);
		}
	}
};

// Where a warp works: rows m*4.. of the tile, channels n*BN/2.. of the block's.
struct Warp {
	int lane, m, n;
	DEV Warp() { lane = THREAD & 31, m = THREAD >> 5 & 1, n = THREAD >> 6; }
	// channel is the first of the lane's 8 in the group-th 32 channels of its warp.
	template <int BN> DEV int channel(int group) const { return BLOCK_Y * BN + n * (BN / 2) + group * 32 + (lane & 3) * 8; }
};

// Style is the gradient of a style loss on the layer that dx belongs to, s (F D +
// shiftGain shift), see style_grad_half: F (H, W, cout) its features, D as
// gradient_pack left it, s the scale of gradients. The product runs before the nine
// taps, so its scales multiply the sums while nothing else is in them.
struct Style {
	const half *__restrict__ f, *__restrict__ packed;
	const float *__restrict__ scales, *__restrict__ shift;
	float shiftGain;
	int H, W, cout;
	const GradientScale* gradient;

	// copy brings 32 channels of the tile to the middle of a halo.
	DEV void copy(unsigned halo, int tileY, int tileX, int chunk) const {
		ROLLED for (int i = THREAD; i < TILE_H * TILE_W * 4; i += THREADS) {
			const int row = i / (TILE_W * 4), col = i / 4 % TILE_W, piece = i & 3;
			const int y = tileY + row, x = tileX + col, c = chunk * ROW_VALUES + piece * PIECE_VALUES;
			const bool in = inside(y, x, H, W) && c < cout;
			copy_piece(halo + halo_at(row + 1, col + 1, piece), in ? f + ((size_t)y * W + x) * cout + c : f, in);
		}
	}

	// multiply_first runs its steps, if there is a style, and begins the nine taps. The
	// last step uses the second halo and the last stage, the one before it the first
	// halo and the stage before, and so on in turn: so what the nine taps begin with is
	// copied while the last step multiplies.
	template <int STAGES, class CopyTap, class Multiply, class Begin>
	DEV void multiply_first(unsigned halos, const unsigned char* from, int tileY, int tileX, const CopyTap& copyTap,
	                        const Multiply& multiply, const Begin& begin) const {
		const int steps = f ? (cout + ROW_VALUES - 1) / ROW_VALUES : 0;
		auto fetch = [&](int left) INLINED {  // with so many steps to come
			copy(halos + (left & 1 ? 0 : HALO_BYTES), tileY, tileX, steps - 1 - left);
			copyTap(STAGES - 1 - (left & 1), from);
			commit_copies();
		};
		int left = steps;
		if (left) fetch(left - 1);
		do {
			left--;
			if (steps) {
				wait_copies<0>();
				__syncthreads();
			}
			if (left > 0) fetch(left - 1);
			else begin();
			if (steps) multiply(4, left & 1 ? 0 : HALO_BYTES, STAGES - 1 - (left & 1));
		} while (left > 0);
	}

	// scale turns sums of products into gradients as they are stored.
	template <int N> DEV void scale(float acc[4][N][4], const Warp& warp) const {
		const float s = scale_of(gradient);
		UNROLL for (int j = 0; j < N; j++) {
			const int k = warp.channel<N * 16>(j / 4) + j % 4 * 2;
			const float2 gain = k < cout ? *(const float2*)(scales + k) : float2{0, 0};
			const float2 more = k < cout && shift ? *(const float2*)(shift + k) : float2{0, 0};
			UNROLL for (int i = 0; i < 4; i++) UNROLL for (int right = 0; right < 4; right += 2) {
				acc[i][j][right] = s * (acc[i][j][right] * gain.x + shiftGain * more.x);
				acc[i][j][right + 1] = s * (acc[i][j][right + 1] * gain.y + shiftGain * more.y);
			}
		}
	}
};

// accumulate leaves in acc[row][8 channels][...] the sums over all cin channels.
template <int BN, int STAGES, class Input>
DEV void accumulate(float acc[4][BN / 16][4], const Input& in, const half* __restrict__ weights, int cout, int tileY,
                    int tileX, unsigned char* shared, const Style& style) {
	constexpr int N = BN / 16, TAP_BYTES = BN * ROW_BYTES;
	UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < N; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0.f;
	const Warp warp;
	const unsigned halos = shared_address(shared), taps = halos + 2 * HALO_BYTES;
	const int chunks = (in.cin + ROW_VALUES - 1) / ROW_VALUES, steps = chunks * 9;
	const size_t tapBytes = (size_t)((cout + 63) / 64 * 64) * ROW_BYTES, mine = (size_t)BLOCK_Y * TAP_BYTES + THREAD * 16;
	const unsigned tapTo = taps + piece_at(THREAD >> 2, THREAD & 3);
	auto copyTap = [&](int stage, const unsigned char*& next) INLINED {
		UNROLL for (int r = 0; r < TAP_BYTES / (THREADS * 16); r++)
			copy_piece(tapTo + stage * TAP_BYTES + r * THREADS * 16, next + r * THREADS * 16, true);
		next += tapBytes;
	};

	// A lane's row in matrices of pixels, for each dx, and in those of weights.
	unsigned pixels[3];
	UNROLL for (int dx = 0; dx < 3; dx++) pixels[dx] = halos + halo_at(warp.m * 4, (warp.lane & 15) + dx, warp.lane >> 4);
	const unsigned outputs = taps + piece_at(warp.n * (BN / 2) + (warp.lane >> 4) * 8 + (warp.lane & 7), warp.lane >> 3 & 1);
	auto multiply = [&](int tap, unsigned halo, int stage) INLINED {
		UNROLL for (int k = 0; k < 2; k++) {
			unsigned a[4][4], b[N / 2][4];
			UNROLL for (int i = 0; i < 4; i++)
				load_matrices(a[i], (pixels[tap % 3] ^ k << 5) + halo + (i + tap / 3) * HALO_W * ROW_BYTES);
			UNROLL for (int j = 0; j < N / 2; j++)
				load_matrices(b[j], (outputs ^ k << 5) + stage * TAP_BYTES + j * 16 * ROW_BYTES);
			UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < N; j++)
				multiply_add(acc[i][j], a[i], b[j >> 1][(j & 1) * 2], b[j >> 1][(j & 1) * 2 + 1]);
		}
	};

	// What the first taps need: the first halo, and all stages but one.
	const unsigned char* next = (const unsigned char*)weights + mine;
	auto begin = [&]() INLINED {
		in.first(halos, tileY, tileX);
		UNROLL for (int s = 0; s < STAGES - 1; s++) copyTap(s, next), commit_copies();
	};

	style.multiply_first<STAGES>(halos, (const unsigned char*)style.packed + mine, tileY, tileX, copyTap, multiply, begin);
	if (style.f) style.scale(acc, warp);

	int step = 0;
	ROLLED for (int chunk = 0; chunk < chunks; chunk++) {
		const unsigned halo = (chunk & 1) * HALO_BYTES, other = halos + HALO_BYTES - halo;
		UNROLL for (int tap = 0; tap < 9; tap++, step++) {
			// The tap's weights have landed, and what is overwritten next was read
			// by all: this tap's are in stage (9 chunk + tap) mod STAGES.
			const int stage = STAGES == 3 ? tap % 3 : (tap + chunk) & 1, free = STAGES == 3 ? (tap + 2) % 3 : (tap + chunk + 1) & 1;
			wait_copies<STAGES - 2>();
			__syncthreads();
			if (step + STAGES - 1 < steps) copyTap(free, next);
			const bool more = chunk + 1 < chunks;
			typename Input::Held held;
			if (Input::COPIED) {
				if (tap == 0 && more) in.copy(other, tileY, tileX, chunk + 1);
			} else if (tap < ROUNDS && more) {
				in.fetch(held, tap, tileY, tileX, chunk + 1);
			}
			commit_copies();
			multiply(tap, halo, stage);
			if (!Input::COPIED && tap < ROUNDS && more) in.stash(held, other);
		}
	}
}

// gathered collects 8 channels of a pixel: row i of the warp, right half or left,
// 32 channels from group*32.
template <int N> DEV void gathered(float v[8], const float acc[4][N][4], int i, int right, int group) {
	UNROLL for (int q = 0; q < 4; q++) v[2 * q] = acc[i][group * 4 + q][right * 2], v[2 * q + 1] = acc[i][group * 4 + q][right * 2 + 1];
}

DEV unsigned sign_bits8(const float v[8]) {
	unsigned s = 0;
	UNROLL for (int q = 0; q < 8; q++) s |= (v[q] > 0.f) << (q % 4 + q / 4 * 8);
	return s;
}

// forward is conv3x3_fwd of conv.cu.
template <int BN, int STAGES>
DEV void forward(unsigned char* shared, const half* __restrict__ x, const half* __restrict__ weights, const float* __restrict__ bias, half* __restrict__ act,
                 unsigned char* __restrict__ signs, half* __restrict__ pooled, unsigned char* __restrict__ winners, int H, int W,
                 int cin, int cout, int tilesX, int replicate, int kind, int PH, int PW, float scale) {
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	float acc[4][BN / 16][4];
	accumulate<BN, STAGES>(acc, Plain{x, H, W, cin, replicate}, weights, cout, tileY, tileX, shared, Style{});

	const Warp warp;
	const int g = warp.lane >> 2, odd = g & 1;
	UNROLL for (int group = 0; group < BN / 64; group++) {
		const int k = warp.channel<BN>(group);
		const bool live = k < cout;
		const float4 lo = live ? load4(bias + k) : make4(0, 0, 0, 0), hi = live ? load4(bias + k + 4) : make4(0, 0, 0, 0);
		const float b[8] = {lo.x, lo.y, lo.z, lo.w, hi.x, hi.y, hi.z, hi.w};
		UNROLL for (int i = 0; i < 4; i += 2) {
			float v[2][2][8];  // row, left or right half of the tile, channel
			UNROLL for (int row = 0; row < 2; row++) UNROLL for (int right = 0; right < 2; right++) {
				float(&u)[8] = v[row][right];
				gathered<BN / 16>(u, acc, i + row, right, group);
				UNROLL for (int q = 0; q < 8; q++) u[q] = relu(u[q] + b[q]);
				// What follows judges the values as they are stored.
				const uint4 stored = pack8(u);
				unpack8(u, stored);
				const int y = tileY + warp.m * 4 + i + row, xx = tileX + g + right * 8;
				if (!live || !inside(y, xx, H, W)) continue;
				const size_t to = ((size_t)y * W + xx) * cout + k;
				if (act) *(uint4*)(act + to) = stored;
				if (signs) *(unsigned short*)(signs + to / 4) = sign_bits8(u);
			}
			if (!pooled && !winners) continue;
			// A window's other column is 4 lanes away: even columns pool the left
			// half of the tile, odd ones the right half.
			const int y = tileY + warp.m * 4 + i, left = tileX + (g & 6) + odd * 8;
			float best[8];
			unsigned won = 0;
			UNROLL for (int q = 0; q < 8; q++) {
				const float above = shuffle_xor(odd ? v[0][0][q] : v[0][1][q], 4), below = shuffle_xor(odd ? v[1][0][q] : v[1][1][q], 4);
				unsigned winner;
				best[q] = pool_one(odd ? above : v[0][0][q], odd ? v[0][1][q] : above, odd ? below : v[1][0][q], odd ? v[1][1][q] : below,
				                   kind, left + 1 < W, y + 1 < H, scale, &winner);
				won |= winner << (2 * q);
			}
			if (!live || !inside(y / 2, left / 2, PH, PW)) continue;
			const size_t to = ((size_t)(y / 2) * PW + left / 2) * cout + k;
			if (pooled) *(uint4*)(pooled + to) = pack8(best);
			if (winners) *(unsigned short*)(winners + to / 4) = won;
		}
	}
}

// backward is conv3x3_bwd and conv3x3_bwd_pooled of conv.cu.
template <int BN, int STAGES, class Input>
DEV void backward(unsigned char* shared, const Input& dy, const half* __restrict__ weights, half* __restrict__ dx, const unsigned char* __restrict__ signs,
                  GradientScale* __restrict__ gradient, int H, int W, int cout, int tilesX, int add, const Style& style) {
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	float acc[4][BN / 16][4];
	accumulate<BN, STAGES>(acc, dy, weights, cout, tileY, tileX, shared, style);

	const Warp warp;
	float most = 0.f;
	UNROLL for (int group = 0; group < BN / 64; group++) {
		const int k = warp.channel<BN>(group);
		UNROLL for (int i = 0; i < 4; i++) UNROLL for (int right = 0; right < 2; right++) {
			const int y = tileY + warp.m * 4 + i, x = tileX + (warp.lane >> 2) + right * 8;
			if (k >= cout || !inside(y, x, H, W)) continue;
			const size_t to = ((size_t)y * W + x) * cout + k;
			float v[8], before[8];
			gathered<BN / 16>(v, acc, i, right, group);
			if (add) {
				unpack8(before, *(const uint4*)(dx + to));
				UNROLL for (int q = 0; q < 8; q++) v[q] += before[q];
			}
			if (signs) {
				const unsigned s = *(const unsigned short*)(signs + to / 4);
				UNROLL for (int q = 0; q < 8; q++) v[q] = s >> (q % 4 + q / 4 * 8) & 1 ? v[q] : 0.f;
			}
			UNROLL for (int q = 0; q < 8; q++) most = larger(most, v[q]);
			*(uint4*)(dx + to) = pack8(v);
		}
	}
	note_largest(gradient, most);
}

}  // namespace

// FORWARD is conv3x3_fwd with x, weights, act and pooled binary16, cin and cout
// multiples of 8. Grid: (tiles, ceil(cout/BN)); 128 needs that ceil(cout/64) is even.
#define FORWARD(name, BN, STAGES, BLOCKS)                                                                                      \
	KERNEL __launch_bounds__(THREADS, BLOCKS)                                                                                  \
	    name(const half* __restrict__ x, const half* __restrict__ weights, const float* __restrict__ bias,                     \
	         half* __restrict__ act, unsigned char* __restrict__ signs, half* __restrict__ pooled,                             \
	         unsigned char* __restrict__ winners, int H, int W, int cin, int cout, int tilesX, int replicate, int kind, int PH, \
	         int PW, float scale) {                                                                                            \
		__shared__ __attribute__((aligned(128))) unsigned char shared[shared_bytes(BN, STAGES)];                               \
		forward<BN, STAGES>(shared, x, weights, bias, act, signs, pooled, winners, H, W, cin, cout, tilesX, replicate, kind,   \
		                    PH, PW, scale);                                                                                    \
	}

// BACKWARD is conv3x3_bwd with dy, weights and dx binary16, whose largest magnitude
// goes to gradient (null: nowhere). f null: no style.
#define BACKWARD(name, BN, STAGES, BLOCKS)                                                                               \
	KERNEL __launch_bounds__(THREADS, BLOCKS)                                                                                  \
	    name(const half* __restrict__ dy, const half* __restrict__ weights, half* __restrict__ dx,                             \
	         const unsigned char* __restrict__ signs, GradientScale* __restrict__ gradient, int H, int W, int cin, int cout,   \
	         int tilesX, int add, const half* __restrict__ f, const half* __restrict__ packed,                                 \
	         const float* __restrict__ scales, const float* __restrict__ shift, float shiftGain) {                             \
		__shared__ __attribute__((aligned(128))) unsigned char shared[shared_bytes(BN, STAGES)];                               \
		backward<BN, STAGES>(shared, Plain{dy, H, W, cin, 0}, weights, dx, signs, gradient, H, W, cout, tilesX, add,           \
		                     Style{f, packed, scales, shift, shiftGain, H, W, cout, gradient});                                \
	}

// BACKWARD_POOLED is conv3x3_bwd_pooled the same way.
#define BACKWARD_POOLED(name, BN, STAGES, BLOCKS)                                                                        \
	KERNEL __launch_bounds__(THREADS, BLOCKS)                                                                                  \
	    name(const half* __restrict__ dy, const unsigned char* __restrict__ winners, const unsigned char* __restrict__ active, \
	         const half* __restrict__ weights, half* __restrict__ dx, const unsigned char* __restrict__ signs,                 \
	         GradientScale* __restrict__ gradient, int H, int W, int cin, int cout, int tilesX, int add, int PH, int PW,       \
	         int kind, float scale, const half* __restrict__ f, const half* __restrict__ packed,                               \
	         const float* __restrict__ scales, const float* __restrict__ shift, float shiftGain) {                             \
		__shared__ __attribute__((aligned(128))) unsigned char shared[shared_bytes(BN, STAGES)];                               \
		backward<BN, STAGES>(shared, Unpooled{dy, winners, active, H, W, cin, PH, PW, kind, scale}, weights, dx, signs,        \
		                     gradient, H, W, cout, tilesX, add,                                                                \
		                     Style{f, packed, scales, shift, shiftGain, H, W, cout, gradient});                                \
	}
