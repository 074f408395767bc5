// vector.cu: element-wise operations and reductions over whole arrays.
// Reductions leave one float64 per block of 4096 elements; sum_finish adds them
// in order. Grid of the element-wise ones: blocks of 1024 elements.
#include "common.cuh"

namespace {
constexpr int CHUNK = 4096;
}

// axpy: dst += a * x.
template <class T> DEV void axpy_stored(T* __restrict__ dst, const T* __restrict__ x, float a, int n) {
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i < n) dst[i] = fma(a, x[i], dst[i]);
	}
}
KERNEL __launch_bounds__(256) axpy(float* __restrict__ dst, const float* __restrict__ x, float a, int n) {
	axpy_stored(dst, x, a, n);
}
KERNEL __launch_bounds__(256) axpy_half(half* __restrict__ dst, const half* __restrict__ x, float a, int n) {
	axpy_stored(dst, x, a, n);
}

// axpy_normalized: dst += a * x / (norm + 1e-8) for norm = |x|_1, one float64.
template <class T> DEV void axpy_normalized_stored(T* __restrict__ dst, const T* __restrict__ x,
         const double* __restrict__ norm, float a, int n, GradientScale* __restrict__ gradient) {
	const double gain = scale_of(gradient);
	const float k = float(a * gain / (*norm + 1e-8 * gain));
	float most = 0.f;
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i >= n) continue;
		const float v = fma(k, x[i], dst[i]);
		most = larger(most, v), dst[i] = v;
	}
	if (gradient) note_largest(gradient, most);
}
KERNEL __launch_bounds__(256) axpy_normalized(float* __restrict__ dst, const float* __restrict__ x,
         const double* __restrict__ norm, float a, int n) {
	axpy_normalized_stored(dst, x, norm, a, n, nullptr);
}
KERNEL __launch_bounds__(256) axpy_normalized_half(half* __restrict__ dst, const half* __restrict__ x,
         const double* __restrict__ norm, float a, int n, GradientScale* __restrict__ gradient) {
	axpy_normalized_stored(dst, x, norm, a, n, gradient);
}

// weigh: dst (N, C) *= w (N), channel by channel.
template <class T> DEV void weigh_stored(T* __restrict__ dst, const float* __restrict__ w, int C, int n) {
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i < n) dst[i] *= w[i / C];
	}
}
KERNEL __launch_bounds__(256) weigh(float* __restrict__ dst, const float* __restrict__ w, int C, int n) {
	weigh_stored(dst, w, C, n);
}
KERNEL __launch_bounds__(256) weigh_half(half* __restrict__ dst, const float* __restrict__ w, int C, int n) {
	weigh_stored(dst, w, C, n);
}

namespace {
// Where element i of a window w wide lies in an array W wide, whose row y and
// column x the window starts at.
DEV size_t in_large(int i, int W, int w, int C, int y, int x) {
	const int row = i / (w * C), col = i % (w * C);
	return ((size_t)(y + row) * W + x) * C + col;
}
}  // namespace

// copy_window: small (h, w, C) = the window of large (H, W, C); add_window the
// other way, added. n elements of small.
template <class T> DEV void copy_window_stored(const T* __restrict__ large, T* __restrict__ small, int W, int w,
         int C, int y, int x, int n) {
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i < n) small[i] = large[in_large(i, W, w, C, y, x)];
	}
}
KERNEL __launch_bounds__(256) copy_window(const float* __restrict__ large, float* __restrict__ small, int W, int w,
         int C, int y, int x, int n) {
	copy_window_stored(large, small, W, w, C, y, x, n);
}
KERNEL __launch_bounds__(256) copy_window_half(const half* __restrict__ large, half* __restrict__ small, int W, int w,
         int C, int y, int x, int n) {
	copy_window_stored(large, small, W, w, C, y, x, n);
}
template <class T> DEV void add_window_stored(T* __restrict__ large, const T* __restrict__ small, int W, int w, int C,
         int y, int x, int n) {
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i < n) large[in_large(i, W, w, C, y, x)] += small[i];
	}
}
KERNEL __launch_bounds__(256) add_window(float* __restrict__ large, const float* __restrict__ small, int W, int w,
         int C, int y, int x, int n) {
	add_window_stored(large, small, W, w, C, y, x, n);
}
KERNEL __launch_bounds__(256) add_window_half(half* __restrict__ large, const half* __restrict__ small, int W, int w,
         int C, int y, int x, int n) {
	add_window_stored(large, small, W, w, C, y, x, n);
}

// move_loss: *into += *from, *from = 0. One thread.
KERNEL __launch_bounds__(32) move_loss(double* into, double* from) {
	if (THREAD) return;
	*into += *from;
	*from = 0;
}

// gate: dx = 0 where the sign bit is clear. n a multiple of 4.
template <class T> DEV void gate_stored(T* __restrict__ dx, const unsigned char* __restrict__ signs, int n) {
	const int i = (BLOCK_X * 256 + THREAD) * 4;
	if (i < n) store4(dx + i, gate4(load4(dx + i), signs[i / 4]));
}
KERNEL __launch_bounds__(256) gate(float* __restrict__ dx, const unsigned char* __restrict__ signs, int n) {
	gate_stored(dx, signs, n);
}
KERNEL __launch_bounds__(256) gate_half(half* __restrict__ dx, const unsigned char* __restrict__ signs, int n) {
	gate_stored(dx, signs, n);
}

// abs_sum_partial and dot_partial: one float64 per block of 4096 elements.
template <class T> DEV void abs_sum_partial_stored(const T* __restrict__ x, double* __restrict__ partial, int n) {
	__shared__ double scratch[8];
	double sum = 0;
	UNROLL for (int r = 0; r < CHUNK / 256; r++) {
		const int i = BLOCK_X * CHUNK + r * 256 + THREAD;
		if (i < n) sum += fabsf(x[i]);
	}
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) partial[BLOCK_X] = sum;
}
KERNEL __launch_bounds__(256) abs_sum_partial(const float* __restrict__ x, double* __restrict__ partial, int n) {
	abs_sum_partial_stored(x, partial, n);
}
KERNEL __launch_bounds__(256) abs_sum_partial_half(const half* __restrict__ x, double* __restrict__ partial, int n) {
	abs_sum_partial_stored(x, partial, n);
}
template <class T> DEV void dot_partial_stored(const T* __restrict__ a, const T* __restrict__ b,
         double* __restrict__ partial, int n) {
	__shared__ double scratch[8];
	double sum = 0;
	UNROLL for (int r = 0; r < CHUNK / 256; r++) {
		const int i = BLOCK_X * CHUNK + r * 256 + THREAD;
		if (i < n) sum += double(a[i]) * b[i];
	}
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) partial[BLOCK_X] = sum;
}
KERNEL __launch_bounds__(256) dot_partial(const float* __restrict__ a, const float* __restrict__ b,
         double* __restrict__ partial, int n) {
	dot_partial_stored(a, b, partial, n);
}
KERNEL __launch_bounds__(256) dot_partial_half(const half* __restrict__ a, const half* __restrict__ b,
         double* __restrict__ partial, int n) {
	dot_partial_stored(a, b, partial, n);
}

// sum_finish: *total = the n partial sums added in a fixed order: each thread a
// stride of 256 of them, then the block. Grid: 1.
KERNEL __launch_bounds__(256) sum_finish(double* __restrict__ total, const double* __restrict__ partial, int n) {
	__shared__ double scratch[8];
	double sum = 0;
	for (int i = THREAD; i < n; i += 256) sum += partial[i];
	sum = block_sum<256>(sum, scratch);
	if (THREAD == 0) *total = sum;
}
