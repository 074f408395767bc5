// ncc_mma.cu: ncc.cu's march along the diagonals with the slabs' products on tensor
// cores, for binary16 features: score, keys and order are ncc.cu's. A block takes two
// neighbouring diagonals. A row of the painting that one diagonal needs now, the other
// needs at the next step, so it is read from memory once. The sums over three rows and
// over three columns stay in the registers of the products: each step of the march moves
// on by a row, and sums of neighbouring columns come from other lanes, at a warp's edge
// through shared memory. In the last strips a warp leaves out tiles that are past the
// picture. C is a multiple of 8.
#include "mma.cuh"

namespace {

constexpr int CANVAS = 128, STYLE = 64, DIAGONALS = 2, THREADS = 256, STAGES = 2;
constexpr int STYLE_BYTES = STYLE * ROW_BYTES, STAGE_BYTES = CANVAS * ROW_BYTES + DIAGONALS * STYLE_BYTES;
constexpr int TALL = 4, WIDE = 4;  // tiles of a warp: of 16 canvas columns, of 8 style columns

// canvas_column and style_column say which column of its strip lies in row r of a slice.
// By this order a lane's sums are of 8 consecutive canvas columns, and of two groups of 4
// consecutive style columns.
DEV int canvas_column(int r) { return (r & 7) * 8 + (r >> 3); }
DEV int style_column(int r) { return (r & ~15) + (r >> 1 & 3) * 4 + (r >> 3 & 1) * 2 + (r & 1); }

// Step is what the warps of a block exchange when a row is summed, by diagonal.
struct Step {
	// Sums at the edges of warps, for their neighbours: rows has those of canvas columns 64
	// and 65 with all style columns, columns those of style columns 32 and 33 with all
	// canvas columns.
	float4 rows[DIAGONALS][2][STYLE / 4];
	float2 columns[DIAGONALS][CANVAS];
	// By style column: the factor that makes a score of a patch's sum, NaN where there is no
	// patch, and the bias added to the score.
	float scale[DIAGONALS][STYLE], bias[DIAGONALS][STYLE];
};

// ordered maps floats to integers that compare the same way.
DEV unsigned ordered(float v) {
	const unsigned u = bits(v);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

// products adds to acc the products of 32 channels of a warp's tiles: tall tiles of 16
// canvas columns, wide tiles of 8 style columns.
DEV void products(float acc[TALL][WIDE][4], unsigned canvas, unsigned style, int tall, int wide) {
	UNROLL for (int k = 0; k < 2; k++) {
		unsigned a[4], b[WIDE / 2][4];
		UNROLL for (int j = 0; j < WIDE / 2; j++) if (2 * j < wide) load_matrices(b[j], (style ^ k << 5) + j * 16 * ROW_BYTES);
		UNROLL for (int i = 0; i < TALL; i++) {
			if (i < tall) load_matrices(a, (canvas ^ k << 5) + i * 16 * ROW_BYTES);
			UNROLL for (int j = 0; j < WIDE; j++)
				if (i < tall && j < wide) multiply_add(acc[i][j], a, b[j >> 1][(j & 1) * 2], b[j >> 1][(j & 1) * 2 + 1]);
		}
	}
}

// Registers are full of sums. forget makes the compiler read shared memory again instead of
// keeping earlier values in registers. thread_anew reads THREAD again, so that values
// computed from it take no registers before.
DEV void forget() { asm volatile("" ::: "memory"); }
DEV int thread_anew() {
	int thread;
	asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
	return thread;
}

// Lane is the place of a thread: its diagonal, and the first canvas and style column m and n
// of its warp. Its canvas columns are m + 8g + 0..7, its style columns n + 4t + 0..3 and
// n + 16 + 4t + 0..3.
struct Lane {
	int diagonal, m, n, g, t;
	DEV Lane(int thread) : diagonal(thread >> 7), m((thread >> 5 & 1) * 64), n((thread >> 6 & 1) * 32), g(thread >> 2 & 7), t(thread & 3) {}
	DEV int style(int k) const { return n + (k >> 2) * 16 + t * 4 + (k & 3); }
	// ends is the first of two canvas columns, 4 apart, that the lane ends up with in find_best.
	DEV int ends() const { return m + g * 8 + t; }
};

// sum_at is a lane's sum of canvas column b and style column k, both 0..7.
DEV float sum_at(const float acc[TALL][WIDE][4], int b, int k) { return acc[b >> 1][k >> 1][(b & 1) * 2 + (k & 1)]; }

// leave_edges stores the sums at a warp's edges for its neighbours.
DEV void leave_edges(Step& step, const Lane& lane, const float acc[TALL][WIDE][4]) {
	if (lane.m && lane.g == 0) UNROLL for (int b = 0; b < 2; b++) UNROLL for (int k = 0; k < 8; k += 4)
		step.rows[lane.diagonal][b][lane.style(k) / 4] = make4(sum_at(acc, b, k), sum_at(acc, b, k + 1), sum_at(acc, b, k + 2), sum_at(acc, b, k + 3));
	if (lane.n && lane.t == 0) UNROLL for (int b = 0; b < 8; b++)
		step.columns[lane.diagonal][lane.m + lane.g * 8 + b] = float2{sum_at(acc, b, 0), sum_at(acc, b, 1)};
}

// Row is a lane's sums of one canvas column with two groups of 6 style columns: 4 of its own,
// and the next 2 from the lane to the right.
struct Row {
	float v[2][6];
	// of fills the row with canvas column b of the lane; columns 8 and 9 are the first two of
	// the lane below. Sums past the block are 0, because no patch needs them.
	DEV void of(const float acc[TALL][WIDE][4], int b, const Step& step, const Lane& lane) {
		UNROLL for (int h = 0; h < 2; h++) {
			UNROLL for (int k = 0; k < 4; k++) {
				v[h][k] = sum_at(acc, b & 7, h * 4 + k);
				if (b >= 8) v[h][k] = shuffle_from(v[h][k], (THREAD & 31) + 4 & 31);
			}
			if (b >= 8 && lane.g == 7) {
				const float4 e = lane.m ? make4(0, 0, 0, 0) : step.rows[lane.diagonal][b & 1][lane.style(h * 4) / 4];
				v[h][0] = e.x, v[h][1] = e.y, v[h][2] = e.z, v[h][3] = e.w;
			}
		}
		const int right = (THREAD & 28) | (lane.t + 1 & 3);
		UNROLL for (int k = 0; k < 2; k++) {
			v[0][4 + k] = shuffle_from(lane.t == 0 ? v[1][k] : v[0][k], right);
			v[1][4 + k] = shuffle_from(v[1][k], right);
		}
		if (lane.t == 3) {
			const int column = lane.m + lane.g * 8 + b;
			const float2 e = lane.n || column >= CANVAS ? float2{0.f, 0.f} : step.columns[lane.diagonal][column];
			v[1][4] = e.x, v[1][5] = e.y;
		}
	}
};

// Best is the highest score of some style patches and its column, of equal scores the first.
// The score is minus infinity if there is no patch.
struct Best {
	float score;
	int column;
	DEV void offer(float v, int k) {
		if (v > score) score = v, column = k;
	}
	// shared compares the bests of two lanes that both have the canvas columns of a and b. It
	// returns the better for b's column to the upper lane, for a's column to the other.
	static DEV Best shared(const Best& a, const Best& b, int lanes) {
		const bool upper = THREAD & lanes;
		const float score = shuffle_xor(upper ? a.score : b.score, lanes);
		const int column = shuffle_xor(upper ? a.column : b.column, lanes);
		Best best{upper ? b.score : a.score, upper ? b.column : a.column};
		if (score > best.score || (score == best.score && column < best.column)) best.score = score, best.column = column;
		return best;
	}
};

// find_best enters the best of a warp's style patches for each of its canvas columns. best
// and q0 are of the strips' first columns. corners has a bit for each of the two canvas
// columns that the lane ends up with, set if a patch begins there.
template <int R>
DEV void find_best(unsigned long long* __restrict__ best, const float acc[TALL][WIDE][4], const Step& step, const Lane& lane, unsigned corners,
                   bool biased, int q0) {
	Best two, four[2];
	Row rows[4];  // of canvas column b at b % 4
	if (R == 1) UNROLL for (int b = 0; b < 2; b++) rows[b].of(acc, b, step, lane);
	UNROLL for (int b = 0; b < 8; b += 2) {
		if (R == 1) UNROLL for (int i = 2; i < 4; i++) rows[(b + i) % 4].of(acc, b + i, step, lane);
		Best now[2] = {{-__builtin_inff(), 0}, {-__builtin_inff(), 0}};
		UNROLL for (int h = 0; h < 2; h++) {
			forget();  // there are no registers for eight factors
			const float4 scale = load4(&step.scale[lane.diagonal][lane.style(h * 4)]);
			UNROLL for (int i = 0; i < 2; i++) {
				float v[4];
				UNROLL for (int k = 0; k < 4; k++) {
					v[k] = sum_at(acc, b + i, h * 4 + k);
					UNROLL for (int d = 1; d <= 2 * R; d++) v[k] += rows[(b + i + d) % 4].v[h][k + d];
				}
				v[0] *= scale.x, v[1] *= scale.y, v[2] *= scale.z, v[3] *= scale.w;
				if (biased) {
					const float4 bias = load4(&step.bias[lane.diagonal][lane.style(h * 4)]);
					v[0] += bias.x, v[1] += bias.y, v[2] += bias.z, v[3] += bias.w;
				}
				UNROLL for (int k = 0; k < 4; k++) now[i].offer(v[k], h * 16 + k);
			}
		}
		UNROLL for (int i = 0; i < 2; i++) now[i].column += lane.style(0);
		// Four lanes have parts of the same four canvas columns. Each ends up with one column.
		const Best better = Best::shared(now[0], now[1], 1);
		if (b % 4 == 0) two = better;
		else four[b / 4] = Best::shared(two, better, 2);
	}
	UNROLL for (int r = 0; r < 2; r++)
		if (corners & 1u << r && four[r].score > -__builtin_inff())
			atomic_max(best + lane.ends() + r * 4, (unsigned long long)ordered(four[r].score) << 32 | ~(unsigned)(q0 + four[r].column));
}

// march is the kernel's body for patches of side 2*R+1, R 0 or 1.
template <int R>
DEV void march(unsigned char* shared, Step& step, const half* __restrict__ F, const half* __restrict__ S, const float* __restrict__ inv,
               const float* __restrict__ bias, unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws, int C,
               int rows, int stride, int styleStride, float gain) {
	const int segments = (H + rows - 1) / rows, px0 = BLOCK_Y * (CANVAS - 2 * R), qx0 = BLOCK_Z * (STYLE - 2 * R);
	const int first = BLOCK_X / segments * DIAGONALS - (H - 1);
	// Rows t of F to march over: the rows of the segment's patches that both pictures have
	// on one of the diagonals.
	const int top = BLOCK_X % segments * rows, bottom = min(top + rows + 2 * R, H);
	const int r0 = max(top, -first - 1), r1 = min(bottom, Hs - first);
	if (r1 - r0 < 2 * R + 1) return;

	// Slices of 32 channels of the strips pass through two stages, row after row: the canvas's
	// row, and the painting's rows of the first and of the second diagonal. A thread copies a
	// piece of two columns of the canvas, 64 apart, and a piece of one column of both rows of
	// the painting.
	const int chunks = (C + ROW_VALUES - 1) / ROW_VALUES;
	auto copy = [&](int t, int chunk, int stage, int thread) INLINED {
		const int row = thread >> 2, c = chunk * ROW_VALUES + (thread & 3) * PIECE_VALUES;
		const int px = px0 + canvas_column(row), qx = qx0 + style_column(row);
		const half *f = F + ((size_t)t * W + px) * C + c, *s = S + ((long long)(t + first) * Ws + qx) * C + c;
		const unsigned to = shared_address(shared) + stage * STAGE_BYTES + piece_at(row, thread & 3);
		// Rows of tiles past the pictures are not copied, because they are not read.
		const bool used = qx0 + (row & 48) < Ws;
		UNROLL for (int r = 0; r < 2; r++) {
			const bool inF = c < C && px + r * 64 < W, inS = c < C && qx < Ws && inside(t + first + r, 0, Hs, 1);
			if (px0 + r * 64 + (row >> 4) * 2 < W) copy_piece(to + r * 64 * ROW_BYTES, inF ? f + r * 64 * C : F, inF);
			if (used) copy_cached(to + CANVAS * ROW_BYTES + r * STYLE_BYTES, inS ? s + r * Ws * C : S, inS);
		}
	};
	copy(r0, 0, 0, THREAD);
	commit_copies();

	const bool whole = W - px0 >= CANVAS && Ws - qx0 >= STYLE;
	const int delta = first + Lane(THREAD).diagonal;
	const bool active = W - px0 > Lane(THREAD).m && Ws - qx0 > Lane(THREAD).n && min(bottom, Hs - delta) - max(top, -delta) >= 2 * R + 1;
	unsigned corners = 0;
	UNROLL for (int r = 0; r < 2; r++) {
		const int i = Lane(THREAD).ends() + r * 4;
		if (i < min(CANVAS, W - px0) - 2 * R && (px0 + i) % stride == 0) corners |= 1u << r;
	}
	float acc[TALL][WIDE][4], last[TALL][WIDE][4], lastTwo[TALL][WIDE][4];  // A_t, A_{t-1}, A_{t-2} + A_{t-1}
	UNROLL for (int i = 0; i < TALL; i++) UNROLL for (int j = 0; j < WIDE; j++) UNROLL for (int e = 0; e < 4; e++) last[i][j][e] = lastTwo[i][j][e] = 0.f;
	int stage = 0;
	ROLLED for (int t = r0; t < r1; t++) {
		UNROLL for (int i = 0; i < TALL; i++) UNROLL for (int j = 0; j < WIDE; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0.f;
		const int thread = thread_anew(), py = t - 2 * R, qy = py + first + Lane(thread).diagonal;
		const Lane lane(thread);
		const bool scored = py >= top && qy >= 0 && qy + 2 * R < Hs && py % stride == 0 && qy % styleStride == 0;
		const bool multiplies = active && inside(qy + 2 * R, 0, Hs, 1);
		const unsigned canvas = shared_address(shared) + piece_at(lane.m + (thread & 15), thread >> 4 & 1);
		const unsigned style = shared_address(shared) + CANVAS * ROW_BYTES + lane.diagonal * STYLE_BYTES +
		                       piece_at(lane.n + (thread >> 4 & 1) * 8 + (thread & 7), thread >> 3 & 1);
		ROLLED for (int chunk = 0; chunk < chunks; chunk++, stage ^= 1) {
			wait_copies<0>();
			__syncthreads();
			const bool more = chunk + 1 < chunks;
			if (more || t + 1 < r1) copy(more ? t : t + 1, more ? chunk + 1 : 0, stage ^ 1, thread);
			commit_copies();
			// The barrier above separates the readers of the row before from these writers.
			if (const int j = thread & 127, qx = qx0 + j; chunk == 0 && scored && j < STYLE) {
				const bool in = j < min(STYLE, Ws - qx0) - 2 * R && qx % styleStride == 0;
				step.scale[lane.diagonal][j] = in ? inv ? gain * inv[qy * Ws + qx] : gain : __builtin_nanf("");
				if (bias) step.bias[lane.diagonal][j] = in ? bias[qy / styleStride * ((Ws - 2 * R - 1) / styleStride + 1) + qx / styleStride] : 0.f;
			}
			const unsigned at = stage * STAGE_BYTES;
			if (multiplies && whole)
				products(acc, canvas + at, style + at, TALL, WIDE);
			else if (multiplies)  // a canvas tile has two of each lane's 8 columns, two style tiles have 16
				products(acc, canvas + at, style + at, min((W - px0 - lane.m + 1) >> 1, TALL), min((Ws - qx0 - lane.n + 15) >> 4, WIDE / 2) * 2);
		}
		const Lane now(thread_anew());
		if (R == 1) UNROLL for (int i = 0; i < TALL; i++) UNROLL for (int j = 0; j < WIDE; j++) UNROLL for (int e = 0; e < 4; e++) {
			const float a = acc[i][j][e];
			acc[i][j][e] = lastTwo[i][j][e] + a, lastTwo[i][j][e] = last[i][j][e] + a, last[i][j][e] = a;
		}
		if (R == 1) leave_edges(step, now, acc);
		__syncthreads();
		if (active && scored) find_best<R>(best + (size_t)py * W + px0, acc, step, now, corners, bias, qy * Ws + qx0);
	}
}

}  // namespace

// ncc_half_match1, ncc_half_match3: ncc_match1 and ncc_match3 of ncc.cu with F and S
// binary16, products times gain. Grid: (ceil((H+Hs-1)/2) * ceil(H/rows), ceil((W-K+1)/inner), ceil((Ws-K+1)/styleInner)),
// inner 128 or 126, styleInner 64 or 62.
#define MATCH(name, R)                                                                                                 \
	KERNEL __launch_bounds__(THREADS, 1) name(const half* __restrict__ F, const half* __restrict__ S,                  \
	                                          const float* __restrict__ inv, const float* __restrict__ bias,           \
	                                          unsigned long long* __restrict__ best, int H, int W, int Hs, int Ws,     \
	                                          int C, int rows, int stride, int styleStride, float gain) {              \
		__shared__ __attribute__((aligned(128))) unsigned char shared[STAGES * STAGE_BYTES];                           \
		__shared__ Step step;                                                                                        \
		march<R>(shared, step, F, S, inv, bias, best, H, W, Hs, Ws, C, rows, stride, styleStride, gain);              \
	}
MATCH(ncc_half_match1, 0)
MATCH(ncc_half_match3, 1)
