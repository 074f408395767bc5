// common.cuh: what every kernel file starts with.
//
// The sources build with clang++-19 alone, no CUDA package needed: the few
// built-ins they use are declared here. nvcc is the other way. Both compile
// with contraction off, so a*b+c rounds twice and fma(a,b,c) once, and the PTX
// means the same on hardware, on the emulator and in the float64 references.
//
// Arrays are (H, W, C) float32, channels contiguous. C is a multiple of 4
// everywhere but in the image, so a thread moves 16 bytes (float4) at a time.
// Features may also be stored as binary16 (half), with C a multiple of 8; all
// arithmetic on them is in float32.
// No kernel uses float atomics: every sum has one fixed order.
#pragma once

#ifdef __NVCC__

#define THREAD (int(threadIdx.x))
#define BLOCK_X (int(blockIdx.x))
#define BLOCK_Y (int(blockIdx.y))
#define BLOCK_Z (int(blockIdx.z))
#define GRID_X (int(gridDim.x))
#define DEV __device__ __forceinline__
#define INLINED  // of a lambda

DEV float fma(float a, float b, float c) { return fmaf(a, b, c); }
DEV float shuffle_xor(float v, int lanes) { return __shfl_xor_sync(0xffffffffu, v, lanes); }
DEV double shuffle_xor(double v, int lanes) { return __shfl_xor_sync(0xffffffffu, v, lanes); }
DEV int shuffle_xor(int v, int lanes) { return __shfl_xor_sync(0xffffffffu, v, lanes); }
DEV float shuffle_from(float v, int lane) { return __shfl_sync(0xffffffffu, v, lane); }
DEV unsigned bits(float f) { return __float_as_uint(f); }
DEV void atomic_max(unsigned long long* p, unsigned long long v) { atomicMax(p, v); }
DEV void atomic_max(unsigned* p, unsigned v) { atomicMax(p, v); }

#else

#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __restrict__ __restrict
#define __syncthreads() __nvvm_bar_sync(0)
#define DEV __device__ inline __attribute__((always_inline))
#define INLINED __attribute__((always_inline))

#define THREAD (int(__nvvm_read_ptx_sreg_tid_x()))
#define BLOCK_X (int(__nvvm_read_ptx_sreg_ctaid_x()))
#define BLOCK_Y (int(__nvvm_read_ptx_sreg_ctaid_y()))
#define BLOCK_Z (int(__nvvm_read_ptx_sreg_ctaid_z()))
#define GRID_X (int(__nvvm_read_ptx_sreg_nctaid_x()))

typedef __SIZE_TYPE__ size_t;
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };

DEV float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEV double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
DEV float sqrtf(float a) { return __nvvm_sqrt_rn_f(a); }
DEV double sqrt(double a) { return __nvvm_sqrt_rn_d(a); }
DEV float fabsf(float a) { return __builtin_fabsf(a); }
DEV unsigned bits(float f) { return __builtin_bit_cast(unsigned, f); }
DEV float shuffle_xor(float v, int lanes) { return __nvvm_shfl_sync_bfly_f32(0xffffffffu, v, lanes, 31); }
DEV int shuffle_xor(int v, int lanes) { return __nvvm_shfl_sync_bfly_i32(0xffffffffu, v, lanes, 31); }
DEV float shuffle_from(float v, int lane) { return __nvvm_shfl_sync_idx_f32(0xffffffffu, v, lane, 31); }
DEV double shuffle_xor(double v, int lanes) {
	unsigned long long u = __builtin_bit_cast(unsigned long long, v);
	unsigned lo = shuffle_xor(int(u), lanes), hi = shuffle_xor(int(u >> 32), lanes);
	return __builtin_bit_cast(double, (unsigned long long)hi << 32 | lo);
}
DEV void atomic_max(unsigned long long* p, unsigned long long v) {
	asm volatile("red.global.max.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
DEV void atomic_max(unsigned* p, unsigned v) { asm volatile("red.global.max.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory"); }

#endif

#define KERNEL extern "C" __global__ void
#define UNROLL _Pragma("unroll")
#define ROLLED _Pragma("unroll 1")

DEV float4 make4(float x, float y, float z, float w) { return float4{x, y, z, w}; }
DEV float4 load4(const float* p) { return *(const float4*)p; }
DEV void store4(float* p, float4 v) { *(float4*)p = v; }
DEV float relu(float v) { return v < 0.f ? 0.f : v; }  // NaN passes: the guard must see it
DEV float4 relu(float4 v) { return make4(relu(v.x), relu(v.y), relu(v.z), relu(v.w)); }
DEV float4 add4(float4 a, float4 b) { return make4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
DEV float4 shuffle4(float4 v, int lanes) {
	return make4(shuffle_xor(v.x, lanes), shuffle_xor(v.y, lanes), shuffle_xor(v.z, lanes), shuffle_xor(v.w, lanes));
}

// half is a stored binary16. Rounded to nearest, with what is too large kept at
// the largest finite value; NaN stays NaN.
DEV float finite_half(float v) { return v > 65504.f ? 65504.f : v < -65504.f ? -65504.f : v; }
struct half {
	unsigned short bits;
	DEV operator float() const {
		float v;
		asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(bits));
		return v;
	}
	DEV half& operator=(float v) {
		asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(finite_half(v)));
		return *this;
	}
	DEV half& operator+=(float v) { return *this = float(*this) + v; }
	DEV half& operator*=(float v) { return *this = float(*this) * v; }
};

// Two halves in 32 bits, the first below.
DEV unsigned pack2(float a, float b) {
	half l, h;
	l = a, h = b;
	return l.bits | (unsigned)h.bits << 16;
}
DEV float low_half(unsigned v) { return half{(unsigned short)v}; }
DEV float high_half(unsigned v) { return half{(unsigned short)(v >> 16)}; }
DEV float4 load4(const half* p) {
	const uint2 v = *(const uint2*)p;
	return make4(low_half(v.x), high_half(v.x), low_half(v.y), high_half(v.y));
}
DEV void store4(half* p, float4 v) { *(uint2*)p = uint2{pack2(v.x, v.y), pack2(v.z, v.w)}; }

// GradientScale is what gradients of features are multiplied by where they are
// stored as half, and the largest magnitude met since it was last chosen, as the
// bits of a float. Null stands for a scale of 1.
struct GradientScale {
	float scale, inverse;
	unsigned largest;
};
DEV float scale_of(const GradientScale* s) { return s ? s->scale : 1.f; }

// note_largest enters a warp's magnitudes. Every lane of the warp takes part.
DEV void note_largest(GradientScale* s, float v) {
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) {
		const float other = shuffle_xor(v, lanes);
		v = other > v ? other : v;
	}
	if (s && (THREAD & 31) == 0 && v > 0.f) atomic_max(&s->largest, bits(v));
}
DEV float larger(float a, float v) { return fabsf(v) > a ? fabsf(v) : a; }  // NaN is left out
DEV float larger(float a, float4 v) { return larger(larger(larger(larger(a, v.x), v.y), v.z), v.w); }

// ReLU masks: a byte for 4 channels, bit j set where channel j is positive.
DEV unsigned char sign_bits(float4 v) {
	return (v.x > 0.f) | (v.y > 0.f) << 1 | (v.z > 0.f) << 2 | (v.w > 0.f) << 3;
}
DEV float4 gate4(float4 v, unsigned char signs) {
	return make4(signs & 1 ? v.x : 0.f, signs & 2 ? v.y : 0.f, signs & 4 ? v.z : 0.f, signs & 8 ? v.w : 0.f);
}

DEV int min(int a, int b) { return a < b ? a : b; }
DEV int max(int a, int b) { return a > b ? a : b; }
DEV bool inside(int y, int x, int H, int W) { return (unsigned)y < (unsigned)H && (unsigned)x < (unsigned)W; }

// block_sum adds v over the block's THREADS threads, in a fixed order: a
// butterfly in each warp, then one over the warps. Every thread gets the sum.
// scratch is THREADS/32 doubles of shared memory, reusable at once.
template <int THREADS> DEV double block_sum(double v, double* scratch) {
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) v += shuffle_xor(v, lanes);
	if ((THREAD & 31) == 0) scratch[THREAD >> 5] = v;
	__syncthreads();
	v = (THREAD & 31) < THREADS / 32 ? scratch[THREAD & 31] : 0.0;
	UNROLL for (int lanes = 16; lanes; lanes >>= 1) v += shuffle_xor(v, lanes);
	__syncthreads();
	return v;
}
