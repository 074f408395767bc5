// neighbours.cu: what nearest-neighbour style transfer needs beside matching:
// features resized and joined, their directions compared, positions on a grid.
// Formulas: gpu/resize.go, gpu/cosine.go, gpu/sample.go.
#include "common.cuh"

// resize_x: strip (h, W, C) from C channels of src (h, w, P), from channel at on;
// as resample_x of resample.cu. A thread does one element. Grid: ceil(h*W*C / 256).
template <class T> DEV void resize_x_stored(float* __restrict__ strip, const T* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C, int P, int at) {
	const int i = BLOCK_X * 256 + THREAD, c = i % C, x = i / C % W, y = i / C / W;
	if (y >= h) return;
	float sum = 0.f;
	for (int t = 0; t < taps; t++) {
		const int from = min(start[x] + t, w - 1);
		sum = fma(weights[x * taps + t], src[((size_t)y * w + from) * P + at + c], sum);
	}
	strip[i] = sum;
}
KERNEL __launch_bounds__(256) resize_x(float* __restrict__ strip, const float* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C, int P, int at) {
	resize_x_stored(strip, src, start, weights, taps, h, w, W, C, P, at);
}
KERNEL __launch_bounds__(256) resize_x_half(float* __restrict__ strip, const half* __restrict__ src,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int w, int W, int C, int P, int at) {
	resize_x_stored(strip, src, start, weights, taps, h, w, W, C, P, at);
}

// resize_y: C channels of dst (H, W, P), from channel at on, = scale times strip
// (h, W, C) filtered along y, with add added. Grid: ceil(H*W*C / 256).
template <class T> DEV void resize_y_stored(T* __restrict__ dst, const float* __restrict__ strip,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C, int P, int at,
         float scale, int add) {
	const int i = BLOCK_X * 256 + THREAD, rest = i % (W * C), y = i / (W * C);
	if (y >= H) return;
	float sum = 0.f;
	for (int t = 0; t < taps; t++) {
		const int from = min(start[y] + t, h - 1);
		sum = fma(weights[y * taps + t], strip[(size_t)from * W * C + rest], sum);
	}
	const size_t to = ((size_t)y * W + rest / C) * P + at + rest % C;
	dst[to] = add ? fma(scale, sum, dst[to]) : scale * sum;
}
KERNEL __launch_bounds__(256) resize_y(float* __restrict__ dst, const float* __restrict__ strip,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C, int P, int at,
         float scale, int add) {
	resize_y_stored(dst, strip, start, weights, taps, h, H, W, C, P, at, scale, add);
}
KERNEL __launch_bounds__(256) resize_y_half(half* __restrict__ dst, const float* __restrict__ strip,
         const int* __restrict__ start, const float* __restrict__ weights, int taps, int h, int H, int W, int C, int P, int at,
         float scale, int add) {
	resize_y_stored(dst, strip, start, weights, taps, h, H, W, C, P, at, scale, add);
}

// cosine_loss: loss[p] = coef (1 - cos(x_p, t_p)), dx_p its gradient by x_p, for
// x, t (N, C); dx may be null or x. A warp does a position. Grid: ceil(N / 4).
template <class T> DEV void cosine_loss_stored(T* dx, const T* x, const T* __restrict__ t, double* __restrict__ loss,
         int N, int C, float coef, GradientScale* __restrict__ gradient) {
	const int p = BLOCK_X * 4 + THREAD / 32, lane = THREAD % 32;
	float most = 0.f;
	if (p < N) {
		const T *xp = x + (size_t)p * C, *tp = t + (size_t)p * C;
		double xx = 0, tt = 0, xt = 0;
		for (int c = lane; c < C; c += 32) {
			const double u = float(xp[c]), v = float(tp[c]);
			xx += u * u, tt += v * v, xt += u * v;
		}
		UNROLL for (int lanes = 16; lanes; lanes >>= 1)
			xx += shuffle_xor(xx, lanes), tt += shuffle_xor(tt, lanes), xt += shuffle_xor(xt, lanes);
		double cosine = 0, ofX = 0, ofT = 0;
		if (xx > 0 && tt > 0) {
			const double root = sqrt(xx) * sqrt(tt);
			cosine = xt / root;
			ofX = coef * cosine / xx, ofT = -coef / root;
		}
		if (lane == 0) loss[p] = coef * (1 - cosine);
		const float a = float(ofX * scale_of(gradient)), b = float(ofT * scale_of(gradient));
		if (dx) for (int c = lane; c < C; c += 32) {
			const float v = fma(a, float(xp[c]), b * float(tp[c]));
			most = larger(most, v), dx[(size_t)p * C + c] = v;
		}
	}
	if (gradient) note_largest(gradient, most);
}
KERNEL __launch_bounds__(128) cosine_loss(float* dx, const float* x, const float* __restrict__ t,
         double* __restrict__ loss, int N, int C, float coef) {
	cosine_loss_stored(dx, x, t, loss, N, C, coef, nullptr);
}
KERNEL __launch_bounds__(128) cosine_loss_half(half* dx, const half* x, const half* __restrict__ t,
         double* __restrict__ loss, int N, int C, float coef, GradientScale* __restrict__ gradient) {
	cosine_loss_stored(dx, x, t, loss, N, C, coef, gradient);
}

namespace {
// Where element i of a grid w wide lies in an array W wide.
DEV size_t on_grid(int i, int w, int W, int C, int y, int x, int step) {
	const int c = i % C, col = i / C % w, row = i / C / w;
	return ((size_t)(y + row * step) * W + x + col * step) * C + c;
}
}  // namespace

// sample: few (h, w, C) = the positions of all (H, W, C) at rows y, y + step, ...
// and columns x, x + step, ...; add_sample the other way, added. n elements of few.
// Grid: ceil(n / 256).
template <class T> DEV void sample_stored(T* __restrict__ few, const T* __restrict__ all, int w, int W, int C,
         int y, int x, int step, int n) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i < n) few[i] = all[on_grid(i, w, W, C, y, x, step)];
}
KERNEL __launch_bounds__(256) sample(float* __restrict__ few, const float* __restrict__ all, int w, int W, int C,
         int y, int x, int step, int n) {
	sample_stored(few, all, w, W, C, y, x, step, n);
}
KERNEL __launch_bounds__(256) sample_half(half* __restrict__ few, const half* __restrict__ all, int w, int W, int C,
         int y, int x, int step, int n) {
	sample_stored(few, all, w, W, C, y, x, step, n);
}
template <class T> DEV void add_sample_stored(T* __restrict__ all, const T* __restrict__ few, int w, int W, int C,
         int y, int x, int step, int n) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i < n) all[on_grid(i, w, W, C, y, x, step)] += few[i];
}
KERNEL __launch_bounds__(256) add_sample(float* __restrict__ all, const float* __restrict__ few, int w, int W, int C,
         int y, int x, int step, int n) {
	add_sample_stored(all, few, w, W, C, y, x, step, n);
}
KERNEL __launch_bounds__(256) add_sample_half(half* __restrict__ all, const half* __restrict__ few, int w, int W, int C,
         int y, int x, int step, int n) {
	add_sample_stored(all, few, w, W, C, y, x, step, n);
}

// add_channels: dst (N, C) += a m (C). n elements. Grid: ceil(n / 256).
template <class T> DEV void add_channels_stored(T* __restrict__ dst, const float* __restrict__ m, float a, int C, int n) {
	const int i = BLOCK_X * 256 + THREAD;
	if (i < n) dst[i] = fma(a, m[i % C], dst[i]);
}
KERNEL __launch_bounds__(256) add_channels(float* __restrict__ dst, const float* __restrict__ m, float a, int C, int n) {
	add_channels_stored(dst, m, a, C, n);
}
KERNEL __launch_bounds__(256) add_channels_half(half* __restrict__ dst, const float* __restrict__ m, float a, int C, int n) {
	add_channels_stored(dst, m, a, C, n);
}
