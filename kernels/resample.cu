// resample.cu: separable resizing of (h, w, C) to (H, W, C), in two passes. The
// host lays out each output position's window: where it starts and its TAPS
// weights (sum 1, zero-padded), so that every backend resizes with the same
// numbers. A thread does one element. Grid: ceil(outputs / 256).
#include "common.cuh"

// resample_x: dst (h, W, C) from src (h, w, C).
template <class T> DEV void resample_x_stored(T* __restrict__ dst, const T* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C) {
	const int i = BLOCK_X * 256 + THREAD, c = i % C, x = i / C % W, y = i / C / W;
	if (y >= h) return;
	float sum = 0.f;
	for (int t = 0; t < taps; t++) {
		const int from = min(start[x] + t, w - 1);
		sum = fma(weights[x * taps + t], src[((size_t)y * w + from) * C + c], sum);
	}
	dst[i] = sum;
}
KERNEL __launch_bounds__(256) resample_x(float* __restrict__ dst, const float* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C) {
	resample_x_stored(dst, src, start, weights, taps, h, w, W, C);
}
KERNEL __launch_bounds__(256) resample_x_half(half* __restrict__ dst, const half* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C) {
	resample_x_stored(dst, src, start, weights, taps, h, w, W, C);
}

// resample_y: dst (H, W, C) from src (h, W, C).
template <class T> DEV void resample_y_stored(T* __restrict__ dst, const T* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C) {
	const int i = BLOCK_X * 256 + THREAD, rest = i % (W * C), y = i / (W * C);
	if (y >= H) return;
	float sum = 0.f;
	for (int t = 0; t < taps; t++) {
		const int from = min(start[y] + t, h - 1);
		sum = fma(weights[y * taps + t], src[(size_t)from * W * C + rest], sum);
	}
	dst[i] = sum;
}
KERNEL __launch_bounds__(256) resample_y(float* __restrict__ dst, const float* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C) {
	resample_y_stored(dst, src, start, weights, taps, h, H, W, C);
}
KERNEL __launch_bounds__(256) resample_y_half(half* __restrict__ dst, const half* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C) {
	resample_y_stored(dst, src, start, weights, taps, h, H, W, C);
}
