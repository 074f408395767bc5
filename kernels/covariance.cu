// covariance.cu: the loss that compares means and covariances of features
// directly, with channels weighted. Formula and gradient: gpu/covariance.go.
// Work per launch is a matrix (C, C), not a picture.
#include "common.cuh"

// covariance_loss: with E = second - mean mean^T - cov2 and e = mean - mean2,
//
//	loss[i]  = meanShare w_i e_i^2 + covShare sum_j w_i w_j E_ij^2
//	d[i][j]  = 2/pixels G_ij                        G_ij = 2 covShare w_i w_j E_ij
//	shift[i] = 2/pixels (meanShare w_i e_i - sum_j G_ij mean_j)
//
// d and shift null: the loss alone. A block does a row; sum_finish of vector.cu
// adds the rows in order. Grid: C.
KERNEL __launch_bounds__(256)
    covariance_loss(float* __restrict__ d, float* __restrict__ shift, double* __restrict__ loss,
                    const float* __restrict__ mean, const float* __restrict__ second, const float* __restrict__ mean2,
                    const float* __restrict__ cov2, const float* __restrict__ weight, int C, int pixels, float meanShare,
                    float covShare) {
	__shared__ double scratch[8];
	const int i = BLOCK_X;
	const double mi = mean[i], wi = weight[i], scale = 2.0 / pixels;
	double pairs = 0, slope = 0;
	for (int j = THREAD; j < C; j += 256) {
		const size_t at = (size_t)i * C + j;
		const double e = double(second[at]) - mi * mean[j] - cov2[at];
		const double g = wi * weight[j] * e;
		pairs += g * e;
		if (!d) continue;
		slope -= 2 * double(covShare) * g * mean[j];
		d[at] = float(scale * 2 * double(covShare) * g);
	}
	pairs = block_sum<256>(pairs, scratch);
	slope = block_sum<256>(slope, scratch);
	if (THREAD != 0) return;
	const double e = mi - mean2[i];
	loss[i] = meanShare * wi * e * e + covShare * pairs;
	if (d) shift[i] = float(scale * (meanShare * wi * e + slope));
}
