// ncc_mma.cu: ncc.cu's march along the diagonals with the slabs' products on tensor
// cores, for binary16 features: score, keys and order are ncc.cu's. The sum over
// three rows stays in the registers of the products: one step of the march moves
// all of them one row on. The last strips are as wide as what is left of their
// picture: a warp leaves out its tiles beyond. C is a multiple of 8.
#include "mma.cuh"

namespace {

constexpr int STRIP = 64, THREADS = 128, STAGES = 3, STRIP_BYTES = STRIP * ROW_BYTES;
// Rows of sums: odd, so that columns are read without conflicts. Values of a
// product stored 9 apart meet in a bank by twos.
constexpr int PITCH = STRIP + 9;

// ordered maps floats to integers that compare the same way.
DEV unsigned ordered(float v) {
	const unsigned u = bits(v);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

// products adds to acc those of 32 channels of a warp's tiles: as many of 16 canvas
// columns as tall says, of 8 style columns as wide says.
DEV void products(float acc[2][4][4], unsigned canvas, unsigned style, int tall, int wide) {
	UNROLL for (int k = 0; k < 2; k++) {
		unsigned a[2][4], b[2][4];
		UNROLL for (int i = 0; i < 2; i++) if (i < tall) load_matrices(a[i], (canvas ^ k << 5) + i * 16 * ROW_BYTES);
		UNROLL for (int j = 0; j < 2; j++) if (2 * j < wide) load_matrices(b[j], (style ^ k << 5) + j * 16 * ROW_BYTES);
		UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++)
			if (i < tall && j < wide) multiply_add(acc[i][j], a[i], b[j >> 1][(j & 1) * 2], b[j >> 1][(j & 1) * 2 + 1]);
	}
}

// march is the kernel's body for patches of side 2*R+1, R 0 or 1.
template <int R>
DEV void march(unsigned char* shared, float* sums, const half* __restrict__ F, const half* __restrict__ S, const float* __restrict__ inv,
               const float* __restrict__ bias, unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws, int C,
               int rows, int stride, int styleStride, float gain) {
	constexpr int inner = STRIP - 2 * R;
	const int segments = (H + rows - 1) / rows, px0 = BLOCK_Y * inner, qx0 = BLOCK_Z * inner;
	const int delta = BLOCK_X / segments - (H - 1), styleCols = (Ws - 2 * R - 1) / styleStride + 1;
	// Rows t of F to march over: those of the segment's patches, as far as both
	// pictures reach.
	const int r0 = max(BLOCK_X % segments * rows, -delta);
	const int r1 = min(min(BLOCK_X % segments * rows + rows + 2 * R, H), Hs - delta);
	if (r1 - r0 < 2 * R + 1) return;

	// Slices of 32 channels of both strips follow each other through the stages,
	// row after row.
	const int chunks = (C + ROW_VALUES - 1) / ROW_VALUES, steps = (r1 - r0) * chunks;
	const unsigned base = shared_address(shared);
	int nextChunk = 0, nextStage = 0;
	// This thread copies a piece of two columns of each strip, 32 apart.
	const int piece = THREAD & 3, column = THREAD >> 2;
	const half* f = F + ((size_t)r0 * W + px0 + column) * C + piece * PIECE_VALUES;
	const half* s = S + ((size_t)(r0 + delta) * Ws + qx0 + column) * C + piece * PIECE_VALUES;
	auto copy = [&]() {
		const unsigned to = base + nextStage * 2 * STRIP_BYTES + piece_at(column, piece);
		const int c = nextChunk * ROW_VALUES;
		const bool more = c + piece * PIECE_VALUES < C;
		UNROLL for (int r = 0; r < 2; r++) {
			const bool inF = more && px0 + column + r * 32 < W, inS = more && qx0 + column + r * 32 < Ws;
			copy_piece(to + r * 32 * ROW_BYTES, inF ? f + r * 32 * C + c : F, inF);
			copy_piece(to + STRIP_BYTES + r * 32 * ROW_BYTES, inS ? s + r * 32 * C + c : S, inS);
		}
		if (++nextChunk == chunks) nextChunk = 0, f += W * C, s += Ws * C;
		if (++nextStage == STAGES) nextStage = 0;
	};
	UNROLL for (int stage = 0; stage < STAGES - 1; stage++) {
		if (stage < steps) copy();
		commit_copies();
	}

	const int lane = THREAD & 31, m = (THREAD >> 5 & 1) * 32, n = (THREAD >> 6) * 32;
	const unsigned canvas = base + piece_at(m + (lane & 15), lane >> 4);
	const unsigned style = base + STRIP_BYTES + piece_at(n + (lane >> 4) * 8 + (lane & 7), lane >> 3 & 1);
	// Tiles of 16 canvas and 8 style columns of this warp that are not past the pictures.
	const int tall = min((min(W - px0, STRIP) - m + 15) >> 4, 2), wide = min((min(Ws - qx0, STRIP) - n + 7) >> 3, 4);
	const bool active = tall > 0 && wide > 0;
	float acc[2][4][4], last[2][4][4], lastTwo[2][4][4];  // A_t, A_{t-1}, A_{t-2} + A_{t-1}
	UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) last[i][j][e] = lastTwo[i][j][e] = 0.f;
	// This thread's column of the canvas, and which style columns it scores: two
	// threads a canvas column take turns at 16, half the banks.
	const int col = THREAD / 2, first = THREAD % 2 * 16, px = px0 + col;
	unsigned mine = 0;
	if (col < inner && px < W - 2 * R && px % stride == 0)
		ROLLED for (int i = 0; i < STRIP / 2; i++) {
			const int j = first + i % 16 + i / 16 * 32;
			if (j < inner && qx0 + j < Ws - 2 * R && (qx0 + j) % styleStride == 0) mine |= 1u << i;
		}
	int step = 0, stage = 0;
	ROLLED for (int t = r0; t < r1; t++) {
		UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0.f;
		ROLLED for (int chunk = 0; chunk < chunks; chunk++, step++) {
			wait_copies<STAGES - 2>();
			__syncthreads();
			if (step + STAGES - 1 < steps) copy();
			commit_copies();
			const unsigned from = stage * 2 * STRIP_BYTES;
			if (tall == 2 && wide == 4)
				products(acc, canvas + from, style + from, 2, 4);
			else if (active)
				products(acc, canvas + from, style + from, tall, wide);
			if (++stage == STAGES) stage = 0;
		}
		// The barriers above part the sums' readers of the row before from these writers.
		if (active) UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) {
			float* to = sums + (m + i * 16 + (lane >> 2) + (e >> 1) * 8) * PITCH + n + j * 8 + (lane & 3) * 2 + (e & 1);
			if (R == 0) {
				*to = acc[i][j][e];
				continue;
			}
			*to = lastTwo[i][j][e] + acc[i][j][e];
			lastTwo[i][j][e] = last[i][j][e] + acc[i][j][e];
			last[i][j][e] = acc[i][j][e];
		}
		__syncthreads();
		const int py = t - 2 * R, qy = py + delta;
		if (t - r0 < 2 * R || py % stride || qy % styleStride) continue;
		float top = 0.f;
		int arg = -1;
		unsigned left = mine;
		ROLLED for (int j0 = first; left; j0 += j0 & 8 ? 24 : 8, left >>= 8) {  // eight at a time: registers
			const float* at = sums + col * PITCH + j0;
			UNROLL for (int i = 0; i < 8; i++) {
				if (!(left >> i & 1)) continue;
				const int qx = qx0 + j0 + i, q = qy * Ws + qx;
				float v = 0.f;
				UNROLL for (int d = 0; d <= 2 * R; d++) v += at[i + d * (PITCH + 1)];
				v *= gain;
				if (inv) v *= inv[q];
				if (bias) v += bias[qy / styleStride * styleCols + qx / styleStride];
				if (v > top || (arg < 0 && v == v)) top = v, arg = q;
			}
		}
		const float otherTop = shuffle_xor(top, 1);
		const int otherArg = shuffle_xor(arg, 1);
		if (otherArg >= 0 && (arg < 0 || otherTop > top || (otherTop == top && otherArg < arg))) top = otherTop, arg = otherArg;
		if (THREAD % 2 == 0 && arg >= 0) atomic_max(best + (size_t)py * W + px, (unsigned long long)ordered(top) << 32 | ~(unsigned)arg);
	}
}

}  // namespace

// ncc_half_match1, ncc_half_match3: ncc_match1 and ncc_match3 of ncc.cu with F and S
// binary16, products times gain. Grid: ((H+Hs-1) * ceil(H/rows), ceil((W-K+1)/inner), ceil((Ws-K+1)/inner)), inner
// 64 or 62.
#define MATCH(name, R)                                                                                                 \
	KERNEL __launch_bounds__(THREADS, 3) name(const half* __restrict__ F, const half* __restrict__ S,                  \
	                                          const float* __restrict__ inv, const float* __restrict__ bias,           \
	                                          unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws,     \
	                                          int C, int rows, int stride, int styleStride, float gain) {              \
		__shared__ __attribute__((aligned(128))) unsigned char shared[STAGES * 2 * STRIP_BYTES];                       \
		__shared__ float sums[STRIP * PITCH];                                                                          \
		march<R>(shared, sums, F, S, inv, bias, best, H, W, Hs, Ws, C, rows, stride, styleStride, gain);                     \
	}
MATCH(ncc_half_match1, 0)
MATCH(ncc_half_match3, 1)
