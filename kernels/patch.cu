// patch.cu: the loss that pulls features towards their matched patches, and what
// the matches vote for. Formulas: gpu/patch.go. Everything is gathered per canvas
// position from the patches that cover it; nothing of patch size is made.
#include "common.cuh"

namespace {

constexpr int THREADS = 128, MOST = 25;  // offsets in a patch of 5 x 5

// Source is a painting that patches come from: features (h, w, C), patches every
// stride pixels in rows of cols, numbered from first.
template <class T> struct Source {
	const T* features;
	int first, cols, w, stride;
};

// Grid of the canvas's patches: (rows, cols) of side K every stride pixels.
struct Patches {
	const int* index;
	const float* score;
	int rows, cols, K, stride;
	float least;  // patches with a lower score are left out
};

// covering lists in shared memory the source pixels that the patches covering
// canvas position (y, x) have there, in the order of the offset, and returns how
// many there are. null: no patch at that offset.
template <class T>
DEV int covering(const T** pixels, const Patches& m, const Source<T>* __restrict__ sources, int n, int C, int y, int x) {
	const int d = THREAD;
	if (d < m.K * m.K) {
		const int py = y - d / m.K, px = x - d % m.K;
		const T* from = nullptr;
		if (py >= 0 && px >= 0 && py % m.stride == 0 && px % m.stride == 0 && py / m.stride < m.rows && px / m.stride < m.cols) {
			const int p = py / m.stride * m.cols + px / m.stride;
			if (!(m.score[p] < m.least)) {
				int k = n - 1;
				while (sources[k].first > m.index[p]) k--;
				const Source<T>& s = sources[k];
				const int q = m.index[p] - s.first;
				from = s.features + ((size_t)(q / s.cols * s.stride + d / m.K) * s.w + q % s.cols * s.stride + d % m.K) * C;
			}
		}
		pixels[d] = from;
	}
	__syncthreads();
	int count = 0;
	for (int i = 0; i < m.K * m.K; i++) count += pixels[i] != nullptr;
	return count;
}

}  // namespace

// patch_loss: loss[r] = coef * omega * sum over covering pixels of |f(r) - S|^2,
// dx(r) += 2 coef omega (n f(r) - sum of S), omega 1, or 1/n with average. A block
// does position r of (H, W); dx may be null. Grid: H*W.
template <class T> DEV void patch_loss_stored(T* __restrict__ dx, const T* __restrict__ f, double* __restrict__ loss,
         const int* __restrict__ index, const float* __restrict__ score, const Source<T>* __restrict__ sources, int n,
         int W, int C, int rows, int cols, int K, int stride, float least, int average, float coef,
         GradientScale* __restrict__ gradient) {
	__shared__ const T* pixels[MOST];
	__shared__ double scratch[THREADS / 32];
	const Patches m = {index, score, rows, cols, K, stride, least};
	const int count = covering(pixels, m, sources, n, C, BLOCK_X / W, BLOCK_X % W);
	const float k = average && count ? coef / count : coef;
	double sum = 0;
	float most = 0.f;
	if (count) for (int c = THREAD; c < C; c += THREADS) {
		const size_t at = (size_t)BLOCK_X * C + c;
		const float v = f[at];
		float votes = 0.f;
		for (int d = 0; d < K * K; d++) {
			if (!pixels[d]) continue;
			const float e = pixels[d][c];
			votes += e;
			sum += double(v - e) * (v - e);
		}
		if (!dx) continue;
		const float slope = dx[at] + 2.f * k * scale_of(gradient) * (count * v - votes);
		most = larger(most, slope), dx[at] = slope;
	}
	if (gradient) note_largest(gradient, most);
	sum = block_sum<THREADS>(sum * k, scratch);
	if (THREAD == 0) loss[BLOCK_X] = sum;
}
KERNEL __launch_bounds__(THREADS) patch_loss(float* __restrict__ dx, const float* __restrict__ f,
         double* __restrict__ loss, const int* __restrict__ index, const float* __restrict__ score,
         const Source<float>* __restrict__ sources, int n, int W, int C, int rows, int cols, int K, int stride,
         float least, int average, float coef) {
	patch_loss_stored(dx, f, loss, index, score, sources, n, W, C, rows, cols, K, stride, least, average, coef, nullptr);
}
KERNEL __launch_bounds__(THREADS) patch_loss_half(half* __restrict__ dx, const half* __restrict__ f,
         double* __restrict__ loss, const int* __restrict__ index, const float* __restrict__ score,
         const Source<half>* __restrict__ sources, int n, int W, int C, int rows, int cols, int K, int stride,
         float least, int average, float coef, GradientScale* __restrict__ gradient) {
	patch_loss_stored(dx, f, loss, index, score, sources, n, W, C, rows, cols, K, stride, least, average, coef, gradient);
}

// patch_vote: dst(r) = the mean of the covering pixels, 0 where there is none.
template <class T> DEV void patch_vote_stored(T* __restrict__ dst, const int* __restrict__ index,
         const float* __restrict__ score, const Source<T>* __restrict__ sources, int n, int W, int C, int rows,
         int cols, int K, int stride, float least) {
	__shared__ const T* pixels[MOST];
	const Patches m = {index, score, rows, cols, K, stride, least};
	const int count = covering(pixels, m, sources, n, C, BLOCK_X / W, BLOCK_X % W);
	for (int c = THREAD; c < C; c += THREADS) {
		float votes = 0.f;
		for (int d = 0; d < K * K; d++) if (pixels[d]) votes += pixels[d][c];
		dst[(size_t)BLOCK_X * C + c] = count ? votes / count : 0.f;
	}
}
KERNEL __launch_bounds__(THREADS) patch_vote(float* __restrict__ dst, const int* __restrict__ index,
         const float* __restrict__ score, const Source<float>* __restrict__ sources, int n, int W, int C, int rows,
         int cols, int K, int stride, float least) {
	patch_vote_stored(dst, index, score, sources, n, W, C, rows, cols, K, stride, least);
}
KERNEL __launch_bounds__(THREADS) patch_vote_half(half* __restrict__ dst, const int* __restrict__ index,
         const float* __restrict__ score, const Source<half>* __restrict__ sources, int n, int W, int C, int rows,
         int cols, int K, int stride, float least) {
	patch_vote_stored(dst, index, score, sources, n, W, C, rows, cols, K, stride, least);
}
