// semantic.cu: semantic maps, average-pooled to a layer's grid (not through the
// network) and joined to its features.
#include "common.cuh"

// map_pool: pooled (PH, PW, K) = mean over size x size cells of map (H, W, K),
// counting only pixels inside. Grid: ceil(PH*PW*K / 256).
KERNEL __launch_bounds__(256)
    map_pool(float* __restrict__ pooled, const float* __restrict__ map, int H, int W, int K, int size, int PH, int PW) {
	const int i = BLOCK_X * 256 + THREAD, k = i % K, px = i / K % PW, py = i / K / PW;
	if (py >= PH) return;
	const int y1 = min((py + 1) * size, H), x1 = min((px + 1) * size, W);
	double sum = 0;
	for (int y = py * size; y < y1; y++) for (int x = px * size; x < x1; x++) sum += map[((size_t)y * W + x) * K + k];
	pooled[i] = float(sum / ((y1 - py * size) * (x1 - px * size)));
}

// join: joined (N, C + pad4(K)) = per pixel [f / (|f| + eps) | weight * m / (|m| + eps) | 0],
// neural-doodle's normalisation: only directions count, and a black map pixel is
// a zero vector instead of its 0/0. One warp a pixel. Grid: ceil(N / 8).
KERNEL __launch_bounds__(256)
    join(float* __restrict__ joined, const float* __restrict__ f, const float* __restrict__ map, int N, int C, int K,
         int width, float weight) {
	constexpr float eps = 1e-8f;
	const int p = BLOCK_X * 8 + THREAD / 32, lane = THREAD % 32;
	if (p >= N) return;
	float ff = 0.f, mm = 0.f;
	for (int c = lane; c < C; c += 32) ff = fma(f[(size_t)p * C + c], f[(size_t)p * C + c], ff);
	for (int k = lane; k < K; k += 32) mm = fma(map[(size_t)p * K + k], map[(size_t)p * K + k], mm);
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) ff += shuffle_xor(ff, lanes), mm += shuffle_xor(mm, lanes);
	const float kf = 1.f / (sqrtf(ff) + eps), km = weight / (sqrtf(mm) + eps);
	for (int c = lane; c < width; c += 32) {
		const float v = c < C ? f[(size_t)p * C + c] * kf : c < C + K ? map[(size_t)p * K + c - C] * km : 0.f;
		joined[(size_t)p * width + c] = v;
	}
}
