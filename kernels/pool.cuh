// pool.cuh: one 2x2 pooling window of 4 channels and the way back from it, shared
// by the convolution that pools as it writes and whose gradient undoes that as it
// reads (conv.cu), and the pooling that stands alone (pool.cu).
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

// spread: what the gradient g of a window's pooled value is for its pixel (y, x)
// of (H, W): max sends it to the pixel that won, avg shares it out among the
// pixels inside. winner points at the window's byte, read for max alone.
DEV float4 spread(float4 g, const unsigned char* __restrict__ winner, int y, int x, int H, int W, int kind, float scale) {
	if (kind == POOL_MAX) {
		const unsigned won = *winner, q = (y & 1) * 2 + (x & 1);
		return make4((won & 3) == q ? g.x * scale : 0.f, (won >> 2 & 3) == q ? g.y * scale : 0.f,
		             (won >> 4 & 3) == q ? g.z * scale : 0.f, (won >> 6) == q ? g.w * scale : 0.f);
	}
	const float share = scale / float((1 + ((x | 1) < W)) * (1 + ((y | 1) < H)));
	return make4(g.x * share, g.y * share, g.z * share, g.w * share);
}
