// colour.cu: colour transforms of an image (N, 3), RGB 0..255 minus the
// network's mean. A thread does a pixel. Grid: ceil(N / 256).
#include "common.cuh"

// colour_matrix: dst = matrix (3, 3, row-major) * (src + shift) + offset, the
// form of every linear transform: recolouring by mean and covariance, RGB to YIQ.
// params holds matrix, shift and offset: 15 floats. dst may be src.
KERNEL __launch_bounds__(256) colour_matrix(float* dst, const float* src, const float* __restrict__ params, int N) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i >= N) return;
	float v[3], out[3];
	UNROLL for (int c = 0; c < 3; c++) v[c] = src[i * 3 + c] + params[9 + c];
	UNROLL for (int c = 0; c < 3; c++) out[c] = fma(params[c * 3], v[0], fma(params[c * 3 + 1], v[1], fma(params[c * 3 + 2], v[2], params[12 + c])));
	UNROLL for (int c = 0; c < 3; c++) dst[i * 3 + c] = out[c];
}

// keep_colours: dst = the colours of content with the luma (BT.601) of dst; both
// with the mean taken off. Y'UV is linear, so only the difference of lumas moves.
KERNEL __launch_bounds__(256)
    keep_colours(float* __restrict__ dst, const float* __restrict__ content, int N) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i >= N) return;
	const float luma = fma(0.299f, dst[i * 3] - content[i * 3], fma(0.587f, dst[i * 3 + 1] - content[i * 3 + 1], 0.114f * (dst[i * 3 + 2] - content[i * 3 + 2])));
	UNROLL for (int c = 0; c < 3; c++) dst[i * 3 + c] = content[i * 3 + c] + luma;
}
