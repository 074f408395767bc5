// w2.cu: the small square matrices (C, C) of the mean+covariance style loss: the
// squared Wasserstein-2 distance of two normal distributions. Formulas and the
// order of the steps: gpu/w2.go. Work per launch is a matrix, not a picture.
#include "common.cuh"

// covariance: cov = second - mean mean^T + eps I. Grid: ceil(C*C / 256).
KERNEL __launch_bounds__(256)
    covariance(float* __restrict__ cov, const float* __restrict__ mean, const float* __restrict__ second, int C, float eps) {
	const int at = BLOCK_X * 256 + THREAD, i = at / C, j = at % C;
	if (i >= C) return;
	cov[at] = float(double(second[at]) - double(mean[i]) * mean[j] + (i == j ? eps : 0.f));
}

// matmul: dst (M, N) = scale * a (M, K) b (K, N) + diagonal * I, 32x32 tiles, a thread
// four rows apart. dst is neither a nor b. If symmetric, only the upper triangle is
// computed, and copied below. Grid: (ceil(N/32), ceil(M/32)).
KERNEL __launch_bounds__(256)
    matmul(float* __restrict__ dst, const float* __restrict__ a, const float* __restrict__ b, int M, int K, int N, float scale,
           float diagonal, int symmetric) {
	__shared__ float ta[32][33], tb[32][33];
	const int x = THREAD % 32, y = THREAD / 32, i0 = BLOCK_Y * 32, j0 = BLOCK_X * 32;
	if (symmetric && i0 > j0) return;
	float acc[4] = {0.f, 0.f, 0.f, 0.f};
	for (int k = 0; k < K; k += 32) {
		UNROLL for (int r = 0; r < 4; r++) {
			const int row = y + r * 8;
			ta[row][x] = i0 + row < M && k + x < K ? a[(size_t)(i0 + row) * K + k + x] : 0.f;
			tb[row][x] = k + row < K && j0 + x < N ? b[(size_t)(k + row) * N + j0 + x] : 0.f;
		}
		__syncthreads();
		UNROLL for (int q = 0; q < 32; q++) UNROLL for (int r = 0; r < 4; r++) acc[r] = fma(ta[y + r * 8][q], tb[q][x], acc[r]);
		__syncthreads();
	}
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = i0 + y + r * 8, j = j0 + x;
		if (i >= M || j >= N || (symmetric && i > j)) continue;
		const float v = scale * acc[r] + (i == j ? diagonal : 0.f);
		dst[(size_t)i * N + j] = v;
		if (symmetric) dst[(size_t)j * N + i] = v;
	}
}

// newton_schulz_start: *norm = |m|_F (1 if zero), y = m / norm, z = I. One block.
KERNEL __launch_bounds__(256)
    newton_schulz_start(double* __restrict__ norm, float* __restrict__ y, float* __restrict__ z, const float* __restrict__ m, int C) {
	__shared__ double scratch[8];
	double sum = 0;
	for (int i = THREAD; i < C * C; i += 256) sum += double(m[i]) * m[i];
	sum = sqrt(block_sum<256>(sum, scratch));
	if (sum == 0) sum = 1;
	for (int i = THREAD; i < C * C; i += 256) y[i] = float(m[i] / sum), z[i] = i / C == i % C ? 1.f : 0.f;
	if (THREAD == 0) *norm = sum;
}

// scale_root: root *= sqrt(*norm). Grid: ceil(n / 256).
KERNEL __launch_bounds__(256) scale_root(float* __restrict__ root, const double* __restrict__ norm, int n) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i < n) root[i] *= float(sqrt(*norm));
}

// w2_loss: *slot = coef/C (|mean-mean2|^2 + tr cov + sum variance2 - 2 sqrt(norm) tr root),
// root (R, R) = (M/norm)^(1/2), R at most C. One block.
KERNEL __launch_bounds__(256)
    w2_loss(double* __restrict__ slot, const float* __restrict__ mean, const float* __restrict__ mean2,
            const float* __restrict__ cov, const float* __restrict__ variance2, const float* __restrict__ root,
            const double* __restrict__ norm, int C, int R, float coef) {
	__shared__ double scratch[8];
	double sum = 0;
	for (int i = THREAD; i < C; i += 256) {
		const double e = double(mean[i]) - mean2[i];
		const float cross = i < R ? root[(size_t)i * R + i] : 0.f;
		sum += e * e + double(cov[(size_t)i * C + i]) + variance2[i] - 2 * sqrt(*norm) * cross;
	}
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) *slot = coef / double(C) * sum;
}

// w2_grad: d = 2k/pixels (I - inverse/sqrt(norm)), made symmetric to the bit, and
// shift = 2k/pixels (mean - mean2) - d mean, for inverse = S (M/norm)^(-1/2) S^T and
// k = coef/C. A block does a row. Grid: C.
KERNEL __launch_bounds__(256)
    w2_grad(float* __restrict__ d, float* __restrict__ shift, const float* __restrict__ inverse,
            const double* __restrict__ norm, const float* __restrict__ mean, const float* __restrict__ mean2, int C,
            int pixels, float coef) {
	__shared__ double scratch[8];
	const int i = BLOCK_X;
	const double k = coef / double(C), inv = 1 / sqrt(*norm);
	double slope = 0;
	for (int j = THREAD; j < C; j += 256) {
		double g = -inv * 0.5 * (double(inverse[(size_t)i * C + j]) + inverse[(size_t)j * C + i]);
		if (i == j) g++;
		g *= k;
		slope -= 2 * g * mean[j];
		d[(size_t)i * C + j] = float(2 * g / pixels);
	}
	slope = block_sum<256>(slope, scratch);
	if (THREAD == 0) shift[i] = float((2 * k * (double(mean[i]) - mean2[i]) + slope) / pixels);
}
