// pool.cu: pooling where it is not fused into a convolution, and its gradients.
// Rounding up or down is the host's: PH = ceil or floor of H / size.
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

// pool_fwd: pooled (PH, PW, C) of x (H, W, C) by windows of 2x2, C a multiple of
// 4; winners may be null. A thread does one window of 4 channels.
// Grid: ceil(PH*PW*C/4 / 256).
template <class T> DEV void pool_fwd_stored(const T* __restrict__ x, T* __restrict__ pooled,
         unsigned char* __restrict__ winners, int H, int W, int C, int PH, int PW, int kind, float scale) {
	const Spot s(H, W, C, PH, PW);
	if (!s.live) return;
	const float4 zero = make4(0, 0, 0, 0);
	Window w = {load4(x + s.in), s.has(1) ? load4(x + s.at(1, W, C)) : zero, s.has(2) ? load4(x + s.at(2, W, C)) : zero,
	            s.has(3) ? load4(x + s.at(3, W, C)) : zero};
	unsigned char won;
	store4(pooled + s.out, pool_window(w, kind, s.right, s.below, scale, &won));
	if (winners) winners[s.out / 4] = won;
}
KERNEL __launch_bounds__(256) pool_fwd(const float* __restrict__ x, float* __restrict__ pooled,
         unsigned char* __restrict__ winners, int H, int W, int C, int PH, int PW, int kind, float scale) {
	pool_fwd_stored(x, pooled, winners, H, W, C, PH, PW, kind, scale);
}
KERNEL __launch_bounds__(256) pool_fwd_half(const half* __restrict__ x, half* __restrict__ pooled,
         unsigned char* __restrict__ winners, int H, int W, int C, int PH, int PW, int kind, float scale) {
	pool_fwd_stored(x, pooled, winners, H, W, C, PH, PW, kind, scale);
}

// unpool: the gradient of pooling, at every pixel: max sends it to the pixel that
// won, avg shares it out among the pixels inside, l2 gives dy * scale^2 * x / y,
// 0 where y is 0. Pixels that no window reaches get 0. winners are max's, x and
// pooled l2's; signs (H, W, C/4) of the activation below gates the result (null:
// no gate), to which add adds what dx holds. Grid: ceil(H*W*C/4 / 256).
template <class T> DEV void unpool_stored(T* __restrict__ dx, const T* __restrict__ dy,
         const unsigned char* __restrict__ winners, const unsigned char* __restrict__ signs, const T* __restrict__ x,
         const T* __restrict__ pooled, int H, int W, int C, int PH, int PW, int kind, float scale, int add) {
	const int i = BLOCK_X * 256 + THREAD, c = i % (C / 4) * 4, px = i / (C / 4) % W, py = i / (C / 4) / W;
	if (py >= H) return;
	const size_t to = (size_t)i * 4, from = ((size_t)(py / 2) * PW + px / 2) * C + c;
	float4 v = make4(0, 0, 0, 0);
	if (py / 2 < PH && px / 2 < PW) {
		const float4 g = load4(dy + from);
		if (kind != POOL_L2) {
			v = spread(g, winners + from / 4, py, px, H, W, kind, scale);
		} else {
			const float4 a = load4(x + to), y = load4(pooled + from);
			const float k = scale * scale;
			v = make4(y.x > 0.f ? g.x * k * a.x / y.x : 0.f, y.y > 0.f ? g.y * k * a.y / y.y : 0.f,
			          y.z > 0.f ? g.z * k * a.z / y.z : 0.f, y.w > 0.f ? g.w * k * a.w / y.w : 0.f);
		}
	}
	if (add) v = add4(v, load4(dx + to));
	if (signs) v = gate4(v, signs[to / 4]);
	store4(dx + to, v);
}
KERNEL __launch_bounds__(256) unpool(float* __restrict__ dx, const float* __restrict__ dy,
         const unsigned char* __restrict__ winners, const unsigned char* __restrict__ signs,
         const float* __restrict__ x, const float* __restrict__ pooled, int H, int W, int C, int PH, int PW, int kind,
         float scale, int add) {
	unpool_stored(dx, dy, winners, signs, x, pooled, H, W, C, PH, PW, kind, scale, add);
}
KERNEL __launch_bounds__(256) unpool_half(half* __restrict__ dx, const half* __restrict__ dy,
         const unsigned char* __restrict__ winners, const unsigned char* __restrict__ signs,
         const half* __restrict__ x, const half* __restrict__ pooled, int H, int W, int C, int PH, int PW, int kind,
         float scale, int add) {
	unpool_stored(dx, dy, winners, signs, x, pooled, H, W, C, PH, PW, kind, scale, add);
}

// pool_any: pooling by windows of any size, of any number of channels: semantic
// maps, and what the kernels above do not take. A thread does one element.
// Grid: ceil(PH*PW*C / 256).
template <class T> DEV void pool_any_stored(T* __restrict__ pooled, const T* __restrict__ x, int H, int W, int C,
         int PH, int PW, int size, int kind, float scale) {
	const int i = BLOCK_X * 256 + THREAD, c = i % C, px = i / C % PW, py = i / C / PW;
	if (py >= PH) return;
	const int y1 = min((py + 1) * size, H), x1 = min((px + 1) * size, W);
	float best = x[((size_t)py * size * W + px * size) * C + c];
	double sum = 0;
	for (int y = py * size; y < y1; y++) for (int xx = px * size; xx < x1; xx++) {
		const float v = x[((size_t)y * W + xx) * C + c];
		if (v > best || v != v) best = v;
		sum += kind == POOL_L2 ? double(v) * v : v;
	}
	const float mean = float(sum / ((y1 - py * size) * (x1 - px * size)));
	pooled[i] = scale * (kind == POOL_MAX ? best : kind == POOL_AVG ? mean : float(sqrt(sum)));
}
KERNEL __launch_bounds__(256) pool_any(float* __restrict__ pooled, const float* __restrict__ x, int H, int W, int C,
         int PH, int PW, int size, int kind, float scale) {
	pool_any_stored(pooled, x, H, W, C, PH, PW, size, kind, scale);
}
KERNEL __launch_bounds__(256) pool_any_half(half* __restrict__ pooled, const half* __restrict__ x, int H, int W,
         int C, int PH, int PW, int size, int kind, float scale) {
	pool_any_stored(pooled, x, H, W, C, PH, PW, size, kind, scale);
}

// pool_any_bwd: its gradient; x is max's and l2's, pooled l2's. Grid: ceil(H*W*C / 256).
template <class T> DEV void pool_any_bwd_stored(T* __restrict__ dx, const T* __restrict__ dy, const T* __restrict__ x,
         const T* __restrict__ pooled, int H, int W, int C, int PH, int PW, int size, int kind, float scale, int add) {
	const int i = BLOCK_X * 256 + THREAD, c = i % C, px = i / C % W, py = i / C / W;
	if (py >= H) return;
	const int wy = py / size, wx = px / size, y1 = min((wy + 1) * size, H), x1 = min((wx + 1) * size, W);
	float v = 0.f;
	if (wy < PH && wx < PW) {
		const size_t from = ((size_t)wy * PW + wx) * C + c;
		const float g = dy[from] * scale;
		if (kind == POOL_MAX) {
			int won = wy * size * W + wx * size;
			float best = x[(size_t)won * C + c];
			for (int y = wy * size; y < y1; y++) for (int xx = wx * size; xx < x1; xx++) {
				const float e = x[((size_t)y * W + xx) * C + c];
				if (e > best || e != e) best = e, won = y * W + xx;
			}
			v = won == py * W + px ? g : 0.f;
		} else if (kind == POOL_AVG) {
			v = g / float((y1 - wy * size) * (x1 - wx * size));
		} else {
			const float y = pooled[from];
			v = y > 0.f ? g * scale * x[i] / y : 0.f;
		}
	}
	dx[i] = add ? dx[i] + v : v;
}
KERNEL __launch_bounds__(256) pool_any_bwd(float* __restrict__ dx, const float* __restrict__ dy,
         const float* __restrict__ x, const float* __restrict__ pooled, int H, int W, int C, int PH, int PW, int size,
         int kind, float scale, int add) {
	pool_any_bwd_stored(dx, dy, x, pooled, H, W, C, PH, PW, size, kind, scale, add);
}
KERNEL __launch_bounds__(256) pool_any_bwd_half(half* __restrict__ dx, const half* __restrict__ dy,
         const half* __restrict__ x, const half* __restrict__ pooled, int H, int W, int C, int PH, int PW, int size,
         int kind, float scale, int add) {
	pool_any_bwd_stored(dx, dy, x, pooled, H, W, C, PH, PW, size, kind, scale, add);
}
