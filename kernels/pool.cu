// pool.cu: 2x2 pooling, stride 2, where it is not fused into a convolution, and
// its gradients. A thread does one window of 4 channels. Rounding up or down is
// the host's: PH = ceil or floor of H/2. Grid: ceil(PH*PW*C/4 / 256).
#include "pool.cuh"

namespace {
// The window a thread owns: upper left input element and what is inside.
struct Spot {
	size_t in, out;
	bool live, right, below;
	DEV Spot(int H, int W, int C, int PH, int PW) {
		const int i = BLOCK_X * 256 + THREAD, c = i % (C / 4), p = i / (C / 4), px = p % PW, py = p / PW;
		live = py < PH, right = 2 * px + 1 < W, below = 2 * py + 1 < H;
		in = ((size_t)(2 * py) * W + 2 * px) * C + c * 4, out = (size_t)i * 4;
	}
	DEV bool has(int q) const { return (!(q & 1) || right) && (!(q & 2) || below); }
	DEV size_t at(int q, int W, int C) const { return in + ((size_t)(q >> 1) * W + (q & 1)) * C; }
};
}  // namespace

// pool_fwd: pooled (PH, PW, C) of x (H, W, C); winners and signs may be null.
KERNEL __launch_bounds__(256)
    pool_fwd(const float* __restrict__ x, float* __restrict__ pooled, unsigned char* __restrict__ winners, int H, int W,
             int C, int PH, int PW, int kind, float scale) {
	const Spot s(H, W, C, PH, PW);
	if (!s.live) return;
	const float4 zero = make4(0, 0, 0, 0);
	Window w = {load4(x + s.in), s.has(1) ? load4(x + s.at(1, W, C)) : zero, s.has(2) ? load4(x + s.at(2, W, C)) : zero,
	            s.has(3) ? load4(x + s.at(3, W, C)) : zero};
	unsigned char won;
	store4(pooled + s.out, pool_window(w, kind, s.right, s.below, scale, &won));
	if (winners) winners[s.out / 4] = won;
}

// pool_max_bwd: the gradient goes to the pixel that won. signs (H, W, C/4) of
// the activation below gates it (null: no gate); add keeps what dx holds.
KERNEL __launch_bounds__(256)
    pool_max_bwd(const float* __restrict__ dy, const unsigned char* __restrict__ winners,
                 const unsigned char* __restrict__ signs, float* __restrict__ dx, int H, int W, int C, int PH, int PW,
                 float scale, int add) {
	const Spot s(H, W, C, PH, PW);
	if (!s.live) return;
	const float4 g = load4(dy + s.out);
	const unsigned won = winners[s.out / 4];
	UNROLL for (int q = 0; q < 4; q++) {
		if (!s.has(q)) continue;
		const size_t to = s.at(q, W, C);
		float4 v = make4((won & 3) == q ? g.x * scale : 0.f, (won >> 2 & 3) == q ? g.y * scale : 0.f,
		                 (won >> 4 & 3) == q ? g.z * scale : 0.f, (won >> 6) == q ? g.w * scale : 0.f);
		if (add) v = add4(v, load4(dx + to));
		if (signs) v = gate4(v, signs[to / 4]);
		store4(dx + to, v);
	}
}

// pool_avg_bwd: the gradient is shared out equally among the pixels inside.
KERNEL __launch_bounds__(256)
    pool_avg_bwd(const float* __restrict__ dy, const unsigned char* __restrict__ signs, float* __restrict__ dx, int H,
                 int W, int C, int PH, int PW, float scale, int add) {
	const Spot s(H, W, C, PH, PW);
	if (!s.live) return;
	const float share = scale / float((1 + s.right) * (1 + s.below));
	const float4 g = load4(dy + s.out);
	UNROLL for (int q = 0; q < 4; q++) {
		if (!s.has(q)) continue;
		const size_t to = s.at(q, W, C);
		float4 v = make4(g.x * share, g.y * share, g.z * share, g.w * share);
		if (add) v = add4(v, load4(dx + to));
		if (signs) v = gate4(v, signs[to / 4]);
		store4(dx + to, v);
	}
}

// pool_l2_bwd: y = scale * sqrt(sum x^2), so dx = dy * scale^2 * x / y; 0 where y is 0.
KERNEL __launch_bounds__(256)
    pool_l2_bwd(const float* __restrict__ dy, const float* __restrict__ x, const float* __restrict__ pooled,
                const unsigned char* __restrict__ signs, float* __restrict__ dx, int H, int W, int C, int PH, int PW,
                float scale, int add) {
	const Spot s(H, W, C, PH, PW);
	if (!s.live) return;
	const float4 g = load4(dy + s.out), y = load4(pooled + s.out);
	const float k = scale * scale;
	const float4 r = make4(y.x > 0.f ? g.x * k / y.x : 0.f, y.y > 0.f ? g.y * k / y.y : 0.f,
	                       y.z > 0.f ? g.z * k / y.z : 0.f, y.w > 0.f ? g.w * k / y.w : 0.f);
	UNROLL for (int q = 0; q < 4; q++) {
		if (!s.has(q)) continue;
		const size_t to = s.at(q, W, C);
		const float4 a = load4(x + to);
		float4 v = make4(r.x * a.x, r.y * a.y, r.z * a.z, r.w * a.w);
		if (add) v = add4(v, load4(dx + to));
		if (signs) v = gate4(v, signs[to / 4]);
		store4(dx + to, v);
	}
}
