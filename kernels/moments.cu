// moments.cu: the loss that compares second moments, means and standard
// deviations of features. Formula and gradient: gpu/moments.go. Work per launch is
// a matrix (C, C), not a picture.
#include "common.cuh"

// moments_loss: with E = second - second2, e = mean - mean2,
// sigma = sqrt(max(second_ii - mean_i^2, 0) + floor) and r = sigma - deviation2,
//
//	loss[i]  = gram sum_j E_ij^2 + means e_i^2 + deviations r_i^2
//	d[i][j]  = (4 gram E_ij + [i = j] 2 deviations r_i / sigma_i) / pixels
//	shift[i] = 2 (means e_i - deviations mean_i r_i / sigma_i) / pixels
//
// d and shift null: the loss alone. A block does a row; sum_finish of vector.cu
// adds the rows in order. Grid: C.
KERNEL __launch_bounds__(256)
    moments_loss(float* __restrict__ d, float* __restrict__ shift, double* __restrict__ loss,
                 const float* __restrict__ mean, const float* __restrict__ second, const float* __restrict__ mean2,
                 const float* __restrict__ second2, const float* __restrict__ deviation2, int C, int pixels, float floor,
                 float gram, float means, float deviations) {
	__shared__ double scratch[8];
	const int i = BLOCK_X;
	const double mu = mean[i], scale = 1.0 / pixels;
	const double variance = double(second[(size_t)i * C + i]) - mu * mu;
	const double sigma = sqrt((variance > 0 ? variance : 0) + double(floor));
	const double e = mu - mean2[i], r = sigma - deviation2[i];
	double pairs = 0;
	for (int j = THREAD; j < C; j += 256) {
		const size_t at = (size_t)i * C + j;
		const double E = double(second[at]) - second2[at];
		pairs += E * E;
		if (!d) continue;
		d[at] = float(scale * (4 * double(gram) * E + (i == j ? 2 * deviations * r / sigma : 0)));
	}
	pairs = block_sum<256>(pairs, scratch);
	if (THREAD != 0) return;
	loss[i] = gram * pairs + means * e * e + deviations * r * r;
	if (d) shift[i] = float(scale * 2 * (means * e - deviations * mu * r / sigma));
}
