// gram_mma.cu: gram.cu's second moments, and the gradient of a loss on them, for
// binary16 features f (N, C), on tensor cores. C is a multiple of 8.
#include "mma.cuh"

namespace {

constexpr int TILE = 64, THREADS = 128, STAGES = 3;

// The pair (i, j), i <= j, of the p-th tile above the diagonal, row by row.
DEV void tile_pair(int p, int tiles, int* i, int* j) {
	int row = 0;
	while (p >= tiles - row) p -= tiles - row, row++;
	*i = row, *j = row + p;
}

// Where a warp works in a tile: 2 x 2 warps.
struct Warp {
	int lane, m, n;
	DEV Warp() { lane = THREAD & 31, m = THREAD >> 5 & 1, n = THREAD >> 6; }
};

// Slices of 32 pixels of 64 channels: rows of 128 bytes, whose pieces are turned
// so that 8 pixels of one piece touch every bank once.
constexpr int SLICE = 32, SLICE_BYTES = SLICE * 128;
DEV int slice_at(int pixel, int piece) { return pixel * 128 + ((piece ^ (pixel & 7)) << 4); }

}  // namespace

// gram_half_partial: gram_partial of gram.cu: partial (splits, pairs, 64, 64) = the
// tile's sum over this split's range of pixels, both operands transposed as they
// are read. Tensor cores drop bits as they add, so every 1024 pixels the sum moves
// on to one in ordinary float32. Grid: (splits, pairs).
KERNEL __launch_bounds__(THREADS, 3)
    gram_half_partial(const half* __restrict__ f, float* __restrict__ partial, int N, int C, int pixelsPerSplit) {
	__shared__ __attribute__((aligned(128))) unsigned char shared[STAGES * 2 * SLICE_BYTES];
	const int tiles = (C + TILE - 1) / TILE;
	int ti, tj;
	tile_pair(BLOCK_Y, tiles, &ti, &tj);
	const int p0 = BLOCK_X * pixelsPerSplit, p1 = min(p0 + pixelsPerSplit, N), steps = (p1 - p0 + SLICE - 1) / SLICE;
	const unsigned base = shared_address(shared), second = ti == tj ? 0 : SLICE_BYTES;
	auto copy = [&](int step) {
		const unsigned to = base + step % STAGES * 2 * SLICE_BYTES;
		UNROLL for (int r = 0; r < 2; r++) {
			const int i = THREAD + r * THREADS, pixel = i >> 3, piece = i & 7, p = p0 + step * SLICE + pixel;
			const int a = ti * TILE + piece * PIECE_VALUES, b = tj * TILE + piece * PIECE_VALUES;
			const half* row = f + (size_t)(p < p1 ? p : p0) * C;
			copy_piece(to + slice_at(pixel, piece), a < C ? row + a : row, p < p1 && a < C);
			if (second) copy_piece(to + second + slice_at(pixel, piece), b < C ? row + b : row, p < p1 && b < C);
		}
	};

	const Warp warp;
	const int aPixel = (warp.lane & 7) + (warp.lane >> 4) * 8, aPiece = warp.m * 4 + (warp.lane >> 3 & 1);
	const int bPixel = warp.lane & 15, bPiece = warp.n * 4 + (warp.lane >> 4);
	float acc[2][4][4], sum[2][4][4];
	UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = sum[i][j][e] = 0.f;
	UNROLL for (int s = 0; s < STAGES - 1; s++) {
		if (s < steps) copy(s);
		commit_copies();
	}
	ROLLED for (int step = 0; step < steps; step++) {
		wait_copies<STAGES - 2>();
		__syncthreads();
		if (step + STAGES - 1 < steps) copy(step + STAGES - 1);
		commit_copies();
		const unsigned from = base + step % STAGES * 2 * SLICE_BYTES;
		UNROLL for (int k = 0; k < SLICE; k += 16) {
			unsigned a[2][4], b[2][4];
			UNROLL for (int i = 0; i < 2; i++) load_transposed(a[i], from + slice_at(k + aPixel, aPiece + i * 2));
			UNROLL for (int j = 0; j < 2; j++) load_transposed(b[j], from + second + slice_at(k + bPixel, bPiece + j * 2));
			UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++)
				multiply_add(acc[i][j], a[i], b[j >> 1][(j & 1) * 2], b[j >> 1][(j & 1) * 2 + 1]);
		}
		if ((step & 31) == 31 || step == steps - 1) {
			UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++)
				sum[i][j][e] += acc[i][j][e], acc[i][j][e] = 0.f;
		}
	}
	float* to = partial + ((size_t)BLOCK_X * (tiles * (tiles + 1) / 2) + BLOCK_Y) * TILE * TILE;
	UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e += 2) {
		const int m = warp.m * 32 + i * 16 + (warp.lane >> 2) + e * 4, n = warp.n * 32 + j * 8 + (warp.lane & 3) * 2;
		*(float2*)(to + m * TILE + n) = float2{sum[i][j][e], sum[i][j][e + 1]};
	}
}

// gradient_pack: d (C, C), symmetric, as binary16 for style_grad_half: packed (chunks
// of 32, rows, 32) by rows in the order of conv_mma.cu, filled up with zeros to
// whole chunks and 64 rows. Row n is divided by the power of two scales[n] that
// brings its largest to 1 .. 2; scales holds these times gain. Grid: rows, C rounded
// up to 64.
KERNEL __launch_bounds__(THREADS)
    gradient_pack(half* __restrict__ packed, float* __restrict__ scales, const float* __restrict__ d, float gain, int C) {
	__shared__ float largest[THREADS / 32];
	const int n = BLOCK_X, rows = (C + 63) / 64 * 64, columns = (C + ROW_VALUES - 1) / ROW_VALUES * ROW_VALUES;
	float most = 0.f;
	if (n < C) for (int k = THREAD; k < C; k += THREADS) most = larger(most, d[(size_t)n * C + k]);
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) {
		const float other = shuffle_xor(most, lanes);
		most = other > most ? other : most;
	}
	if ((THREAD & 31) == 0) largest[THREAD >> 5] = most;
	__syncthreads();
	UNROLL for (int w = 0; w < THREADS / 32; w++) most = largest[w] > most ? largest[w] : most;
	const int exponent = min(max(int(bits(most) >> 23), 1), 253);
	if (THREAD == 0) scales[n] = gain * __builtin_bit_cast(float, (unsigned)exponent << 23);
	const float inverse = __builtin_bit_cast(float, (unsigned)(254 - exponent) << 23);
	// Channel 8t + 2j + e of 32 lies in row 8j + 2t + e.
	const int row = (n & ~31) + (n >> 1 & 3) * 8 + (n >> 3 & 3) * 2 + (n & 1);
	for (int k = THREAD; k < columns; k += THREADS)
		packed[((size_t)(k / ROW_VALUES) * rows + row) * ROW_VALUES + k % ROW_VALUES] = n < C && k < C ? d[(size_t)n * C + k] * inverse : 0.f;
}

// style_grad_half: dx (N, C) += s (f (N, C) d (C, C) + shiftGain shift (C)), shift null:
// none, s the scale of gradients; d as gradient_pack left it. A block does 128 pixels x
// 64 channels. Grid: (ceil(N/128), ceil(C/64)).
KERNEL __launch_bounds__(THREADS, 3)
    style_grad_half(half* __restrict__ dx, const half* __restrict__ f, const half* __restrict__ packed,
                    const float* __restrict__ scales, const float* __restrict__ shift, float shiftGain,
                    GradientScale* __restrict__ gradient, int N, int C) {
	constexpr int PIXELS = 128, A_BYTES = PIXELS * ROW_BYTES, STAGE = A_BYTES + TILE * ROW_BYTES;
	__shared__ __attribute__((aligned(128))) unsigned char shared[STAGES * STAGE];
	const int p0 = BLOCK_X * PIXELS, c0 = BLOCK_Y * TILE, rows = (C + 63) / 64 * 64, steps = (C + ROW_VALUES - 1) / ROW_VALUES;
	const unsigned base = shared_address(shared);
	auto copy = [&](int step) {
		const unsigned to = base + step % STAGES * STAGE;
		const int piece = THREAD & 3, k = step * ROW_VALUES + piece * PIECE_VALUES;
		UNROLL for (int r = 0; r < PIXELS / 32; r++) {
			const int pixel = (THREAD >> 2) + r * 32, p = p0 + pixel;
			const bool in = p < N && k < C;
			copy_piece(to + piece_at(pixel, piece), in ? f + (size_t)p * C + k : f, in);
		}
		UNROLL for (int r = 0; r < TILE / 32; r++) {
			const int row = (THREAD >> 2) + r * 32;
			copy_piece(to + A_BYTES + piece_at(row, piece), packed + ((size_t)step * rows + c0 + row) * ROW_VALUES + piece * PIECE_VALUES, true);
		}
	};

	const Warp warp;
	const unsigned pixels = base + piece_at(warp.m * 64 + (warp.lane & 15), warp.lane >> 4);
	const unsigned outputs = base + A_BYTES + piece_at(warp.n * 32 + (warp.lane >> 4) * 8 + (warp.lane & 7), warp.lane >> 3 & 1);
	float acc[4][4][4];
	UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0.f;
	UNROLL for (int s = 0; s < STAGES - 1; s++) {
		if (s < steps) copy(s);
		commit_copies();
	}
	ROLLED for (int step = 0; step < steps; step++) {
		wait_copies<STAGES - 2>();
		__syncthreads();
		if (step + STAGES - 1 < steps) copy(step + STAGES - 1);
		commit_copies();
		const unsigned stage = step % STAGES * STAGE;
		UNROLL for (int k = 0; k < 2; k++) {
			unsigned a[4][4], b[2][4];
			UNROLL for (int i = 0; i < 4; i++) load_matrices(a[i], (pixels ^ k << 5) + stage + i * 16 * ROW_BYTES);
			UNROLL for (int j = 0; j < 2; j++) load_matrices(b[j], (outputs ^ k << 5) + stage + j * 16 * ROW_BYTES);
			UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++)
				multiply_add(acc[i][j], a[i], b[j >> 1][(j & 1) * 2], b[j >> 1][(j & 1) * 2 + 1]);
		}
	}

	const float gain = scale_of(gradient);
	const int c = c0 + warp.n * 32 + (warp.lane & 3) * 8;
	float most = 0.f;
	if (c < C) UNROLL for (int i = 0; i < 4; i++) UNROLL for (int lower = 0; lower < 2; lower++) {
		const int p = p0 + warp.m * 64 + i * 16 + (warp.lane >> 2) + lower * 8;
		if (p >= N) continue;
		uint4* to = (uint4*)(dx + (size_t)p * C + c);
		float v[8];
		unpack8(v, *to);
		UNROLL for (int q = 0; q < 8; q++) {
			const float g = acc[i][q >> 1][lower * 2 + (q & 1)] * scales[c + q] + (shift ? shiftGain * shift[c + q] : 0.f);
			v[q] += g * gain;
			most = larger(most, v[q]);
		}
		*to = pack8(v);
	}
	if (gradient) note_largest(gradient, most);
}
