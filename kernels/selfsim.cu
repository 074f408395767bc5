// selfsim.cu: the content loss on how similar features are to each other, at n
// positions. Formulas: gpu/selfsim.go. Matrices are (n, n) and (n, C), rows
// contiguous.
#include "common.cuh"

// selfsim_gather: length[i] = |x_i| and unit[i] = x_i / |x_i|, 0 where that is 0,
// with x_i the features at position at[i]. A block does a position. Grid: n.
template <class T> DEV void selfsim_gather_stored(const T* __restrict__ f, const int* __restrict__ at,
         float* __restrict__ unit, float* __restrict__ length, int C) {
	__shared__ double scratch[8];
	const T* x = f + (size_t)at[BLOCK_X] * C;
	double sum = 0;
	for (int c = THREAD; c < C; c += 256) {
		const float v = x[c];
		sum += double(v) * v;
	}
	const float norm = float(sqrt(block_sum<256>(sum, scratch)));
	for (int c = THREAD; c < C; c += 256) unit[(size_t)BLOCK_X * C + c] = norm > 0.f ? float(x[c]) / norm : 0.f;
	if (THREAD == 0) length[BLOCK_X] = norm;
}
KERNEL __launch_bounds__(256) selfsim_gather(const float* __restrict__ f, const int* __restrict__ at,
         float* __restrict__ unit, float* __restrict__ length, int C) {
	selfsim_gather_stored(f, at, unit, length, C);
}
KERNEL __launch_bounds__(256) selfsim_gather_half(const half* __restrict__ f, const int* __restrict__ at,
         float* __restrict__ unit, float* __restrict__ length, int C) {
	selfsim_gather_stored(f, at, unit, length, C);
}

// selfsim_distances: distance[i][j] = 1 - unit_i . unit_j, and 0 where that is below
// least or i = j. 32x32 tiles, a thread four rows apart. Grid: (ceil(n/32), ceil(n/32)).
KERNEL __launch_bounds__(256)
    selfsim_distances(float* __restrict__ distance, const float* __restrict__ unit, int n, int C, float least) {
	__shared__ float ta[32][33], tb[32][33];
	const int x = THREAD % 32, y = THREAD / 32, i0 = BLOCK_Y * 32, j0 = BLOCK_X * 32;
	float acc[4] = {0.f, 0.f, 0.f, 0.f};
	for (int k = 0; k < C; k += 32) {
		UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			ta[row][x] = i0 + row < n && k + x < C ? unit[(size_t)(i0 + row) * C + k + x] : 0.f;
			tb[row][x] = j0 + row < n && k + x < C ? unit[(size_t)(j0 + row) * C + k + x] : 0.f;
		}
		__syncthreads();
		UNROLL for (int q = 0; q < 32; q++) UNROLL for (int r = 0; r < 4; r++) acc[r] = fma(ta[y + r * 8][q], tb[x][q], acc[r]);
		__syncthreads();
	}
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = i0 + y + r * 8, j = j0 + x;
		const float d = 1.f - acc[r];
		if (i < n && j < n) distance[(size_t)i * n + j] = i == j || d < least ? 0.f : d;
	}
}

// selfsim_shares: a row of distances becomes shares of their sum, p. With target,
// E_j = sign(p_j - target_j):
//
//	loss[i] = coef sum_j |p_j - target_j|
//	p_j     = coef (E_j - sum_k E_k p_k) / sum of distances       where gradient
//
// A block does a row. Grid: n.
KERNEL __launch_bounds__(256)
    selfsim_shares(float* __restrict__ p, const float* __restrict__ target, double* __restrict__ loss, int n, float coef,
                   int gradient) {
	__shared__ double scratch[8];
	p += (size_t)BLOCK_X * n;
	double total = 0;
	for (int j = THREAD; j < n; j += 256) total += p[j];
	total = block_sum<256>(total, scratch);
	if (total > 0) for (int j = THREAD; j < n; j += 256) p[j] = float(p[j] / total);
	if (!target) return;
	target += (size_t)BLOCK_X * n;
	double sum = 0, mean = 0;
	for (int j = THREAD; j < n; j += 256) {
		const float d = p[j] - target[j];
		sum += fabsf(d);
		mean += d > 0.f ? p[j] : d < 0.f ? -p[j] : 0.f;
	}
	sum = block_sum<256>(sum, scratch);
	mean = block_sum<256>(mean, scratch);
	if (THREAD == 0) loss[BLOCK_X] = coef * sum;
	if (gradient) for (int j = THREAD; j < n; j += 256) {
		const float d = p[j] - target[j];
		const double e = d > 0.f ? 1 : d < 0.f ? -1 : 0;
		p[j] = total > 0 ? float(coef * (e - mean) / total) : 0.f;
	}
}

// selfsim_slope: slope_i = -sum_j (g[i][j] + g[j][i]) unit_j. Tiles of 32
// positions and 32 channels, a thread four positions apart.
// Grid: (ceil(C/32), ceil(n/32)).
KERNEL __launch_bounds__(256)
    selfsim_slope(float* __restrict__ slope, const float* __restrict__ g, const float* __restrict__ unit, int n, int C) {
	__shared__ float rows[32][33], columns[32][33], tu[32][33];
	const int x = THREAD % 32, y = THREAD / 32, i0 = BLOCK_Y * 32, c0 = BLOCK_X * 32;
	float acc[4] = {0.f, 0.f, 0.f, 0.f};
	for (int k = 0; k < n; k += 32) {
		UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			rows[row][x] = i0 + row < n && k + x < n ? g[(size_t)(i0 + row) * n + k + x] : 0.f;
			columns[row][x] = k + row < n && i0 + x < n ? g[(size_t)(k + row) * n + i0 + x] : 0.f;
			tu[row][x] = k + row < n && c0 + x < C ? unit[(size_t)(k + row) * C + c0 + x] : 0.f;
		}
		__syncthreads();
		UNROLL for (int q = 0; q < 32; q++) UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			acc[r] = fma(rows[row][q] + columns[q][row], tu[q][x], acc[r]);
		}
		__syncthreads();
	}
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = i0 + y + r * 8, c = c0 + x;
		if (i < n && c < C) slope[(size_t)i * C + c] = -acc[r];
	}
}

// selfsim_scatter: dx at position at[i] += (slope_i - (slope_i . unit_i) unit_i) /
// length_i; nothing where that is 0. A block does a position. Grid: n.
template <class T> DEV void selfsim_scatter_stored(T* __restrict__ dx, const float* __restrict__ slope,
         const float* __restrict__ unit, const float* __restrict__ length, const int* __restrict__ at, int C,
         GradientScale* __restrict__ gradient) {
	__shared__ double scratch[8];
	const float norm = length[BLOCK_X];
	if (!(norm > 0.f)) return;
	slope += (size_t)BLOCK_X * C;
	unit += (size_t)BLOCK_X * C;
	dx += (size_t)at[BLOCK_X] * C;
	double along = 0;
	for (int c = THREAD; c < C; c += 256) along += double(slope[c]) * unit[c];
	along = block_sum<256>(along, scratch);
	float most = 0.f;
	for (int c = THREAD; c < C; c += 256) {
		const float v = float(dx[c]) + scale_of(gradient) * float((slope[c] - along * unit[c]) / norm);
		most = larger(most, v), dx[c] = v;
	}
	if (gradient) note_largest(gradient, most);
}
KERNEL __launch_bounds__(256) selfsim_scatter(float* __restrict__ dx, const float* __restrict__ slope,
         const float* __restrict__ unit, const float* __restrict__ length, const int* __restrict__ at, int C) {
	selfsim_scatter_stored(dx, slope, unit, length, at, C, nullptr);
}
KERNEL __launch_bounds__(256) selfsim_scatter_half(half* __restrict__ dx, const float* __restrict__ slope,
         const float* __restrict__ unit, const float* __restrict__ length, const int* __restrict__ at, int C,
         GradientScale* __restrict__ gradient) {
	selfsim_scatter_stored(dx, slope, unit, length, at, C, gradient);
}
