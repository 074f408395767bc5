// half.cu: what storing features as binary16 needs beside the kernels' own forms:
// changing between the two, and the scale that keeps gradients in range.
#include "common.cuh"

// to_single: dst = gain * src. Grid: blocks of 1024 elements.
KERNEL __launch_bounds__(256) to_single(float* __restrict__ dst, const half* __restrict__ src, float gain, int n) {
	UNROLL for (int r = 0; r < 4; r++) {
		const int i = BLOCK_X * 1024 + r * 256 + THREAD;
		if (i < n) dst[i] = gain * src[i];
	}
}

// gradient_scale chooses the scale for the next gradients by the largest of the
// last ones: their largest is brought to 2^10 .. 2^11 where it left 2^4 .. 2^13.
// So it has 5 binary places to grow before it is cut off at 65504, and what is
// 2^-24 of it is still an ordinary binary16. Powers of two lose nothing. Where the
// largest was cut off or infinite on the way, the next gradients tell anew.
// Grid: 1.
KERNEL __launch_bounds__(32) gradient_scale(GradientScale* s) {
	if (THREAD) return;
	const int at = int(s->largest >> 23) - 127;  // the largest is 2^at .. 2^(at+1)
	s->largest = 0;
	if (at == -127 || (at >= 4 && at < 13)) return;
	const int now = int(bits(s->scale) >> 23) - 127, next = min(max(now + 10 - at, -60), 60);
	s->scale = __builtin_bit_cast(float, unsigned(127 + next) << 23);
	s->inverse = __builtin_bit_cast(float, unsigned(127 - next) << 23);
}
