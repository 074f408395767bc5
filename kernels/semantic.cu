// semantic.cu: features joined to semantic maps, for matching. The maps come to a
// layer's grid by average pooling (pool_any of pool.cu), not through the network.
#include "common.cuh"

// join: dst (N, width) = per pixel [k f | m | 0] for f (N, C) and m (N, K), k =
// scale, with unit scale / |f|; a pixel of zeros stays zeros. width is at least
// C + K. One warp a pixel. The forms with binary16 multiply m by gain, for what is
// stored as binary16 is a part of its value. Grid: ceil(N / 8).
template <class To, class From> DEV void join_stored(To* __restrict__ dst, const From* __restrict__ f, const float* __restrict__ m,
         int N, int C, int K, int width, float scale, int unit, float gain) {
	const int p = BLOCK_X * 8 + THREAD / 32, lane = THREAD % 32;
	if (p >= N) return;
	double squares = 0;
	if (unit) for (int c = lane; c < C; c += 32) squares += double(f[(size_t)p * C + c]) * f[(size_t)p * C + c];
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) squares += shuffle_xor(squares, lanes);
	const float k = squares > 0 ? float(scale / sqrt(squares)) : scale;
	for (int c = lane; c < width; c += 32)
		dst[(size_t)p * width + c] = c < C ? k * f[(size_t)p * C + c] : c < C + K ? gain * m[(size_t)p * K + c - C] : 0.f;
}
KERNEL __launch_bounds__(256) join(float* __restrict__ dst, const float* __restrict__ f, const float* __restrict__ m,
         int N, int C, int K, int width, float scale, int unit) {
	join_stored(dst, f, m, N, C, K, width, scale, unit, 1.f);
}
KERNEL __launch_bounds__(256) join_half(half* __restrict__ dst, const half* __restrict__ f,
         const float* __restrict__ m, int N, int C, int K, int width, float scale, int unit, float gain) {
	join_stored(dst, f, m, N, C, K, width, scale, unit, gain);
}
KERNEL __launch_bounds__(256) join_from_half(float* __restrict__ dst, const half* __restrict__ f,
         const float* __restrict__ m, int N, int C, int K, int width, float scale, int unit, float gain) {
	join_stored(dst, f, m, N, C, K, width, scale, unit, gain);
}
KERNEL __launch_bounds__(256) join_to_half(half* __restrict__ dst, const float* __restrict__ f,
         const float* __restrict__ m, int N, int C, int K, int width, float scale, int unit, float gain) {
	join_stored(dst, f, m, N, C, K, width, scale, unit, gain);
}
