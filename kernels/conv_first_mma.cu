// conv_first_mma.cu: the gradient of the image from binary16 gradients of the first
// convolution's features, on tensor cores. It is memory-bound: three colours use only
// a part of a product, but the sums over channels run at the speed of tensor cores.
#include "mma.cuh"

namespace {

constexpr int TILE_H = 8, TILE_W = 16, HALO_W = TILE_W + 2, HALO_PIXELS = (TILE_H + 2) * HALO_W, THREADS = 64;
constexpr int SLICE = 64;  // channels, in rows of 128 bytes
constexpr int COLUMNS = 6; // of a product: for each colour a weight rounded to binary16, and its rounding error

// slice_at is the place of piece p of row r. The pieces of a row are rotated so that 8
// rows with different r mod 8 touch every bank once.
DEV int slice_at(int row, int turn, int piece) { return row * 128 + ((piece ^ turn) << 4); }

struct Tile {
	__attribute__((aligned(128))) unsigned char dy[HALO_PIXELS * 128], taps[9 * COLUMNS * 128];
};

// load copies the weights, and channels from k0 on of dy around the block's pixels. The
// pieces of a pixel are rotated by its column.
DEV void load(Tile& tile, const half* __restrict__ dy, const float* __restrict__ weights, int H, int W, int K, int k0, int tileY, int tileX) {
	const int piece = THREAD & 7, k = k0 + piece * PIECE_VALUES;
	int row = 0, col = THREAD >> 3;
	ROLLED for (int pixel = THREAD >> 3; pixel < HALO_PIXELS; pixel += THREADS / 8) {
		const int y = tileY + row - 1, x = tileX + col - 1;
		const bool in = inside(y, x, H, W) && k < K;
		copy_piece(shared_address(tile.dy) + slice_at(pixel, col & 7, piece), in ? dy + ((size_t)y * W + x) * K + k : dy, in);
		col += THREADS / 8;
		if (col >= HALO_W) col -= HALO_W, row++;
	}
	commit_copies();
	const int channel = (THREAD & 31) * 2;
	const bool in = k0 + channel < K;
	ROLLED for (int tap = THREAD >> 5; tap < 9; tap += THREADS / 32) UNROLL for (int c = 0; c < 3; c++) {
		const float2 w = in ? *(const float2*)(weights + (size_t)(tap * 3 + c) * K + k0 + channel) : float2{0.f, 0.f};
		const unsigned rounded = pack2(w.x, w.y);
		UNROLL for (int low = 0; low < 2; low++) {
			const int column = c * 2 + low, at = slice_at(tap * COLUMNS + column, column, channel / PIECE_VALUES) + channel % PIECE_VALUES * 2;
			*(unsigned*)(tile.taps + at) = low ? pack2(w.x - low_half(rounded), w.y - high_half(rounded)) : rounded;
		}
	}
	wait_copies<0>();
	__syncthreads();
}

// copies_of is the gradient, in colour c, of the copies of border pixel (y, x) that lie
// outside the image. The pixel is at (row, col) of the tile.
DEV float copies_of(const Tile& tile, int y, int x, int row, int col, int c, int H, int W, int channels) {
	float sum = 0.f;
	ROLLED for (int at = 0; at < 81; at++) {
		const int sy = at / 27 - 1, sx = at / 9 % 3 - 1, tap = at % 9, hy = row + 2 - tap / 3 + sy, hx = col + 2 - tap % 3 + sx;
		if ((!sy && !sx) || (sy && inside(y + sy, 0, H, 1)) || (sx && inside(0, x + sx, 1, W)) || !inside(hy, hx, TILE_H + 2, HALO_W)) continue;
		const int pixel = hy * HALO_W + hx;
		ROLLED for (int k = 0; k < channels; k++) {
			const int within = k % PIECE_VALUES * 2, piece = k / PIECE_VALUES, first = tap * COLUMNS + c * 2;
			const float w = float(*(const half*)(tile.taps + slice_at(first, c * 2, piece) + within)) +
			                float(*(const half*)(tile.taps + slice_at(first + 1, c * 2 + 1, piece) + within));
			sum = fma(*(const half*)(tile.dy + slice_at(pixel, hx & 7, piece) + within), w, sum);
		}
	}
	return sum;
}

}  // namespace

// conv_first_bwd_half: conv_first_bwd of conv_first.cu, where dy (H, W, K) is binary16 times
// the scale of gradients. A warp has 4 rows of 16 pixels. Channels pass through shared
// memory 64 at a time; K is a multiple of 8. Grid: (tiles).
KERNEL __launch_bounds__(THREADS)
    conv_first_bwd_half(const half* __restrict__ dy, const float* __restrict__ weights, float* __restrict__ dimage, int H, int W, int K,
                        int tilesX, int add, int replicate, const GradientScale* __restrict__ gradient) {
	__shared__ Tile tile;
	const int tileY = BLOCK_X / tilesX * TILE_H, tileX = BLOCK_X % tilesX * TILE_W;
	const int lane = THREAD & 31, first = THREAD / 32 * 4, y0 = tileY + first, x0 = tileX + lane / 4, c = lane % 4;
	float acc[4][4], copies[4][2];
	UNROLL for (int o = 0; o < 4; o++) UNROLL for (int e = 0; e < 4; e++) acc[o][e] = copies[o][e / 2] = 0.f;
	ROLLED for (int k0 = 0; k0 < K; k0 += SLICE) {
		load(tile, dy, weights, H, W, K, k0, tileY, tileX);
		// Output pixel o read input pixel o + tap - 1, so input (y, x) gets
		// dy[y + 1 - ty][x + 1 - tx]; in halo coordinates row + 2 - ty. Columns 6 and 7
		// of a product repeat the first; nobody reads them.
		const int column = (lane & 7) < COLUMNS ? lane & 7 : 0;
		UNROLL for (int tx = 0; tx < 3; tx++) {
			const int col = 2 - tx + (lane & 15);
			const unsigned pixels = shared_address(tile.dy) + slice_at(first * HALO_W + col, col & 7, lane / 16);
			const unsigned taps = shared_address(tile.taps) + slice_at(tx * COLUMNS + column, column, lane / 8);
			ROLLED for (int k = 0; k < SLICE / PIECE_VALUES; k += 4) {  // pieces
				if (k0 + k * PIECE_VALUES >= K) break;
				unsigned w[3][4];
				UNROLL for (int ty = 0; ty < 3; ty++) load_matrices(w[ty], (taps ^ k << 4) + ty * 3 * COLUMNS * 128);
				UNROLL for (int row = 0; row < 6; row++) UNROLL for (int s = 0; s < 2; s++) {
					unsigned a[4];
					load_matrices(a, (pixels ^ (k + s * 2) << 4) + row * HALO_W * 128);
					UNROLL for (int o = 0; o < 4; o++)
						if (o + 2 - row >= 0 && o + 2 - row < 3) multiply_add(acc[o], a, w[o + 2 - row][s * 2], w[o + 2 - row][s * 2 + 1]);
				}
			}
		}
		if (replicate && c < 3) UNROLL for (int o = 0; o < 4; o++) UNROLL for (int e = 0; e < 2; e++) {
			const int y = y0 + o, x = x0 + e * 8;
			if (inside(y, x, H, W) && (y == 0 || x == 0 || y == H - 1 || x == W - 1))
				copies[o][e] += copies_of(tile, y, x, first + o, lane / 4 + e * 8, c, H, W, min(K - k0, SLICE));
		}
		__syncthreads();
	}
	UNROLL for (int o = 0; o < 4; o++) UNROLL for (int e = 0; e < 2; e++) {
		const int y = y0 + o, x = x0 + e * 8;
		if (c == 3 || !inside(y, x, H, W)) continue;
		float* to = dimage + ((size_t)y * W + x) * 3 + c;
		const float v = gradient->inverse * (acc[o][e * 2] + acc[o][e * 2 + 1] + copies[o][e]);
		*to = add ? *to + v : v;
	}
}
