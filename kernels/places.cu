// places.cu: copies features at some positions out of a window of a layer, and adds
// rows to a window at these positions; see gpu/places.go. Rows are (n, C), float32.
#include "common.cuh"

// places_gather: row i = unit * the features of window f (., fw, C) at position at[i]. The
// layer is w wide, and f begins at its row y and column x. Only positions in the part
// h x wide at (top, left) of f are copied. A block has one position. Grid: n.
template <class T> DEV void places_gather_stored(float* __restrict__ rows, const T* __restrict__ f, const int* __restrict__ at,
         int w, int fw, int C, int top, int left, int h, int wide, int y, int x, float unit) {
	const int py = at[BLOCK_X] / w - y, px = at[BLOCK_X] % w - x;
	if (py < top || px < left || py >= top + h || px >= left + wide) return;
	rows += (size_t)BLOCK_X * C;
	f += ((size_t)py * fw + px) * C;
	for (int c = THREAD; c < C; c += 128) rows[c] = unit * float(f[c]);
}
KERNEL __launch_bounds__(128) places_gather(float* __restrict__ rows, const float* __restrict__ f, const int* __restrict__ at,
         int w, int fw, int C, int top, int left, int h, int wide, int y, int x) {
	places_gather_stored(rows, f, at, w, fw, C, top, left, h, wide, y, x, 1.f);
}
KERNEL __launch_bounds__(128) places_gather_half(float* __restrict__ rows, const half* __restrict__ f, const int* __restrict__ at,
         int w, int fw, int C, int top, int left, int h, int wide, int y, int x, float unit) {
	places_gather_stored(rows, f, at, w, fw, C, top, left, h, wide, y, x, unit);
}

// places_scatter: window dx (h, wide, C) += unit * row i at position at[i], if dx has that
// position. The layer is w wide, and dx begins at its row y and column x. A block has
// one position. Grid: n.
template <class T> DEV void places_scatter_stored(T* __restrict__ dx, const float* __restrict__ rows, const int* __restrict__ at,
         int w, int h, int wide, int C, int y, int x, float unit, GradientScale* __restrict__ gradient) {
	const int py = at[BLOCK_X] / w - y, px = at[BLOCK_X] % w - x;
	if (py < 0 || px < 0 || py >= h || px >= wide) return;
	rows += (size_t)BLOCK_X * C;
	dx += ((size_t)py * wide + px) * C;
	float most = 0.f;
	for (int c = THREAD; c < C; c += 128) {
		const float v = float(dx[c]) + unit * scale_of(gradient) * rows[c];
		most = larger(most, v), dx[c] = v;
	}
	if (gradient) note_largest(gradient, most);
}
KERNEL __launch_bounds__(128) places_scatter(float* __restrict__ dx, const float* __restrict__ rows, const int* __restrict__ at,
         int w, int h, int wide, int C, int y, int x) {
	places_scatter_stored(dx, rows, at, w, h, wide, C, y, x, 1.f, nullptr);
}
KERNEL __launch_bounds__(128) places_scatter_half(half* __restrict__ dx, const float* __restrict__ rows, const int* __restrict__ at,
         int w, int h, int wide, int C, int y, int x, float unit, GradientScale* __restrict__ gradient) {
	places_scatter_stored(dx, rows, at, w, h, wide, C, y, x, unit, gradient);
}
