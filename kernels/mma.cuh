// mma.cuh: the tensor-core instructions of compute capability 8.0: asynchronous
// copies to shared memory, loads of matrices and their products.
//
// Rows of matrices are 64 bytes in shared memory, 32 binary16 in four pieces of
// 16 bytes. Piece p of row r lies at place p ^ (r/2 mod 4) of its row, so the 8
// rows that ldmatrix reads at once touch every bank once.
#pragma once
#include "common.cuh"

constexpr int ROW_BYTES = 64, ROW_VALUES = 32, PIECE_VALUES = 8;

DEV unsigned shared_address(const void* p) {
#ifdef __NVCC__
	return (unsigned)__cvta_generic_to_shared(p);
#else
	return (unsigned)(size_t)(__attribute__((address_space(3))) const void*)p;
#endif
}

// copy_piece starts a copy of 16 bytes, or of zeros where in is false; source
// must be readable either way.
DEV void copy_piece(unsigned to, const void* source, bool in) {
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(source), "r"(in ? 16 : 0) : "memory");
}
// copy_cached is copy_piece, but keeps the piece in the first-level cache, for a block that
// soon reads it again.
DEV void copy_cached(unsigned to, const void* source, bool in) {
	const int bytes = in ? 16 : 0;
	asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(source), "r"(bytes) : "memory");
}
DEV void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int NEWEST> DEV void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(NEWEST) : "memory"); }
DEV void store_piece(unsigned to, uint4 v) {
	asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
}

// piece_at is where piece p of row r lies.
DEV int piece_at(int row, int piece) { return row * ROW_BYTES + ((piece ^ (row >> 1 & 3)) << 4); }

// load_matrices reads four 8x8 matrices; lane l gives the address of row l%8 of
// matrix l/8. Lane 4g+t gets columns 2t and 2t+1 of row g of each; transposed,
// rows 2t and 2t+1 of column g.
DEV void load_matrices(unsigned m[4], unsigned address) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
	             : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(address) : "memory");
}
DEV void load_transposed(unsigned m[4], unsigned address) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
	             : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3]) : "r"(address) : "memory");
}

// multiply_add: acc (16x8) += a (16x16) b (16x8), in float32. Lane 4g+t holds of
// acc (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1).
DEV void multiply_add(float acc[4], const unsigned a[4], unsigned b0, unsigned b1) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
	             : "+f"(acc[0]), "+f"(acc[1]), "+f"(acc[2]), "+f"(acc[3])
	             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Eight binary16 as float32 and back.
DEV void unpack8(float v[8], uint4 p) {
	const unsigned u[4] = {p.x, p.y, p.z, p.w};
	UNROLL for (int q = 0; q < 4; q++) v[2 * q] = low_half(u[q]), v[2 * q + 1] = high_half(u[q]);
}
DEV uint4 pack8(const float v[8]) {
	return uint4{pack2(v[0], v[1]), pack2(v[2], v[3]), pack2(v[4], v[5]), pack2(v[6], v[7])};
}
