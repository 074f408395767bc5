// sliced.cu: the sliced style loss, which compares the distributions of features along
// directions; gpu/sliced.go has the formulas. Features x are (n, C), directions (D, C),
// values of features along directions (D, n).
#include "common.cuh"

namespace {

// ordered maps floats to integers that compare the same way; NaN comes first or
// last, by its sign. A sum that begins with 0 is never -0.
DEV unsigned ordered(float v) {
	const unsigned u = bits(v);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

DEV float unordered(unsigned u) {
	return __builtin_bit_cast(float, u & 0x80000000u ? u & 0x7fffffffu : ~u);
}

constexpr int DIGITS = 16;  // values of a digit of 4 bits

}  // namespace

// sliced_project: key[d][p] = u_d . x_p as an ordered integer. Tiles are 32x32; a thread
// has four directions, 8 apart. Grid: (ceil(n/32), ceil(D/32)).
KERNEL __launch_bounds__(256)
    sliced_project(unsigned* __restrict__ key, const float* __restrict__ u, const float* __restrict__ x, int n, int C, int D) {
	__shared__ float tu[32][33], tx[32][33];
	const int lane = THREAD % 32, y = THREAD / 32, d0 = BLOCK_Y * 32, p0 = BLOCK_X * 32;
	float acc[4] = {0.f, 0.f, 0.f, 0.f};
	for (int k = 0; k < C; k += 32) {
		UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			tu[row][lane] = d0 + row < D && k + lane < C ? u[(size_t)(d0 + row) * C + k + lane] : 0.f;
			tx[row][lane] = p0 + row < n && k + lane < C ? x[(size_t)(p0 + row) * C + k + lane] : 0.f;
		}
		__syncthreads();
		UNROLL for (int q = 0; q < 32; q++) UNROLL for (int r = 0; r < 4; r++) acc[r] = fma(tu[y + r * 8][q], tx[lane][q], acc[r]);
		__syncthreads();
	}
	UNROLL for (int r = 0; r < 4; r++) {
		const int d = d0 + y + r * 8, p = p0 + lane;
		if (d < D && p < n) key[(size_t)d * n + p] = ordered(acc[r]);
	}
}

// sliced_sort: sorts the keys (D, n) of each region in ascending order, and with them the
// positions they come from, by digits of 4 bits, the least significant first, so that
// equal keys keep their order. A block sorts a region along a direction. Each thread has
// a run of its keys and counts their digits. The sums of all counts before are the places
// to which it moves its keys. ends has the end of each region. Grid: (regions, D).
KERNEL __launch_bounds__(256)
    sliced_sort(unsigned* __restrict__ key, int* __restrict__ order, unsigned* __restrict__ key2, int* __restrict__ order2,
                const int* __restrict__ ends, int n) {
	__shared__ int counts[DIGITS][256], totals[DIGITS];
	const int first = BLOCK_X ? ends[BLOCK_X - 1] : 0, count = ends[BLOCK_X] - first;
	const size_t at = (size_t)BLOCK_Y * n + first;
	unsigned *from = key + at, *to = key2 + at;
	int *fromOrder = order + at, *toOrder = order2 + at;
	for (int i = THREAD; i < count; i += 256) fromOrder[i] = first + i;
	__syncthreads();
	// Runs are numbered so that a lane adds up the counts of eight consecutive runs,
	// which are those of threads 32 apart.
	const int lane = THREAD % 32, warp = THREAD / 32;
	const int length = (count + 255) / 256, begin = min(count, (lane * 8 + warp) * length), end = min(count, begin + length);
	ROLLED for (int shift = 0; shift < 32; shift += 4) {
		for (int d = 0; d < DIGITS; d++) counts[d][THREAD] = 0;
		for (int i = begin; i < end; i++) counts[from[i] >> shift & (DIGITS - 1)][THREAD]++;
		__syncthreads();
		int before[2];  // counts in the lanes below, of the two digits that this warp adds up
		UNROLL for (int r = 0; r < 2; r++) {
			int total = 0;
			for (int q = 0; q < 8; q++) total += counts[warp * 2 + r][q * 32 + lane];
			before[r] = 0;
			UNROLL for (int lanes = 1; lanes < 32; lanes <<= 1) {
				const int other = shuffle_xor(total, lanes);
				if (lane & lanes) before[r] += other;
				total += other;
			}
			if (lane == 0) totals[warp * 2 + r] = total;
		}
		__syncthreads();
		UNROLL for (int r = 0; r < 2; r++) {
			int sum = before[r];
			for (int d = 0; d < warp * 2 + r; d++) sum += totals[d];
			for (int q = 0; q < 8; q++) {
				const int own = counts[warp * 2 + r][q * 32 + lane];
				counts[warp * 2 + r][q * 32 + lane] = sum;
				sum += own;
			}
		}
		__syncthreads();
		for (int i = begin; i < end; i++) {
			const unsigned k = from[i];
			const int place = counts[k >> shift & (DIGITS - 1)][THREAD]++;
			to[place] = k, toOrder[place] = fromOrder[i];
		}
		__syncthreads();
		unsigned* const keys = from;
		from = to, to = keys;
		int* const orders = fromOrder;
		fromOrder = toOrder, toOrder = orders;
	}
}

// sliced_quantiles: quantile[d][i] += share of the region times the i-th quantile of a
// painting's m sorted keys (D, m), whose regions end at ends2. Grid: (regions, D).
KERNEL __launch_bounds__(256)
    sliced_quantiles(float* __restrict__ quantile, const unsigned* __restrict__ key, const int* __restrict__ ends,
                     const int* __restrict__ ends2, const float* __restrict__ share, int n, int m) {
	const int first = BLOCK_X ? ends[BLOCK_X - 1] : 0, count = ends[BLOCK_X] - first;
	const int first2 = BLOCK_X ? ends2[BLOCK_X - 1] : 0, count2 = ends2[BLOCK_X] - first2;
	if (share[BLOCK_X] == 0.f) return;
	key += (size_t)BLOCK_Y * m + first2;
	quantile += (size_t)BLOCK_Y * n + first;
	for (int i = THREAD; i < count; i += 256) {
		double at = (i + 0.5) * count2 / count - 0.5;
		at = at < 0 ? 0 : at > count2 - 1 ? count2 - 1 : at;
		const int low = int(at);
		const double a = unordered(key[low]), b = unordered(key[min(low + 1, count2 - 1)]);
		quantile[i] += share[BLOCK_X] * float(a + (at - low) * (b - a));
	}
}

// sliced_loss: along direction d, with v_i the sorted values and q_i the quantiles,
// loss[d] = coef sum_i (v_i - q_i)^2 and slope[d][order_i] = 2 coef (v_i - q_i).
// A block has one direction. Grid: D.
KERNEL __launch_bounds__(256)
    sliced_loss(float* __restrict__ slope, double* __restrict__ loss, const unsigned* __restrict__ key,
                const int* __restrict__ order, const float* __restrict__ quantile, int n, float coef) {
	__shared__ double scratch[8];
	const size_t at = (size_t)BLOCK_X * n;
	double sum = 0;
	for (int i = THREAD; i < n; i += 256) {
		const double e = double(unordered(key[at + i])) - quantile[at + i];
		sum += e * e;
		slope[at + order[at + i]] = float(2 * double(coef) * e);
	}
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) loss[BLOCK_X] = coef * sum;
}

// sliced_gradient: x_p = sum_d slope[d][p] u_d. Tiles are 32 positions by 32 channels;
// a thread has four positions, 8 apart. Grid: (ceil(C/32), ceil(n/32)).
KERNEL __launch_bounds__(256)
    sliced_gradient(float* __restrict__ x, const float* __restrict__ slope, const float* __restrict__ u, int n, int C, int D) {
	__shared__ float ts[32][33], tu[32][33];
	const int lane = THREAD % 32, y = THREAD / 32, p0 = BLOCK_Y * 32, c0 = BLOCK_X * 32;
	float acc[4] = {0.f, 0.f, 0.f, 0.f};
	for (int k = 0; k < D; k += 32) {
		UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			ts[row][lane] = k + row < D && p0 + lane < n ? slope[(size_t)(k + row) * n + p0 + lane] : 0.f;
			tu[row][lane] = k + row < D && c0 + lane < C ? u[(size_t)(k + row) * C + c0 + lane] : 0.f;
		}
		__syncthreads();
		UNROLL for (int q = 0; q < 32; q++) UNROLL for (int r = 0; r < 4; r++) acc[r] = fma(ts[q][y + r * 8], tu[q][lane], acc[r]);
		__syncthreads();
	}
	UNROLL for (int r = 0; r < 4; r++) {
		const int p = p0 + y + r * 8, c = c0 + lane;
		if (p < n && c < C) x[(size_t)p * C + c] = acc[r];
	}
}
