package ptx

// Tensor-core matrix multiply ("Warp-Level Matrix Instructions").
// m16n8k16 and tf32 need sm_80, ldmatrix and f16 m16n8k8 sm_75.
func init() {
	grammar(`
	ldmatrix.sync.aligned.m8n8.x1{.trans}{.shared}.b16 d#1:b32, [a]
	ldmatrix.sync.aligned.m8n8.x2{.trans}{.shared}.b16 d#2:b32, [a]
	ldmatrix.sync.aligned.m8n8.x4{.trans}{.shared}.b16 d#4:b32, [a]
	mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 d#4:f32, a#2:b32, b#1:b32, c#4:f32
	mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 d#4:f32, a#4:b32, b#2:b32, c#4:f32
	mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 d#4:f32, a#4:b32, b#2:b32, c#4:f32
	mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 d#4:f32, a#4:b32, b#2:b32, c#4:f32
	`)
}
