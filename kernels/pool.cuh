// pool.cuh: one 2x2 pooling window of 4 channels, shared by the convolution
// that pools as it writes (conv.cu) and the pooling that stands alone (pool.cu).
//
//   max  the largest, NaN above all; which one is the gradient's only way back
//   avg  mean of the pixels inside the image (padding is not counted)
//   l2   sqrt of the sum of squares
// times scale, which restores the magnitude max pooling would have given.
#pragma once
#include "common.cuh"

enum Pool { POOL_MAX = 0, POOL_AVG = 1, POOL_L2 = 2 };

// Window: upper left, upper right, lower left, lower right. Where rounding up
// reaches over the image's edge, right or below is false for those pixels.
struct Window { float4 a, b, c, d; };

DEV float pool_one(float a, float b, float c, float d, int kind, bool right, bool below, float scale, unsigned* winner) {
	*winner = 0;
	if (kind == POOL_MAX) {
		float best = a;
		if (right && (b > best || b != b)) best = b, *winner = 1;
		if (below && (c > best || c != c)) best = c, *winner = 2;
		if (right && below && (d > best || d != d)) best = d, *winner = 3;
		return best * scale;
	}
	if (!right) b = d = 0.f;
	if (!below) c = d = 0.f;
	if (kind == POOL_AVG) return ((a + b) + (c + d)) * scale / float((1 + right) * (1 + below));
	return sqrtf(fma(a, a, b * b) + fma(c, c, d * d)) * scale;
}

DEV float4 pool_window(Window w, int kind, bool right, bool below, float scale, unsigned char* winners) {
	unsigned i, j, k, l;
	float4 v = make4(pool_one(w.a.x, w.b.x, w.c.x, w.d.x, kind, right, below, scale, &i),
	                 pool_one(w.a.y, w.b.y, w.c.y, w.d.y, kind, right, below, scale, &j),
	                 pool_one(w.a.z, w.b.z, w.c.z, w.d.z, kind, right, below, scale, &k),
	                 pool_one(w.a.w, w.b.w, w.c.w, w.d.w, kind, right, below, scale, &l));
	*winners = i | j << 2 | k << 4 | l << 6;
	return v;
}
