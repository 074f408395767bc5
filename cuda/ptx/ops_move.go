package ptx

// Data movement and conversion ("Data Movement and Conversion Instructions"):
// register moves, addresses and cvt. Memory is in ops_memory.go.
func init() {
	grammar(`
	mov.type d:sym, a:sym ; .type = pred b16 b32 b64 u16 u32 u64 s16 s32 s64 f32 f64
	cvta{.space}.type d, a:sym ; .space = global shared local const ; .type = u64
	cvta.to.space.type d, a ; .space = global shared local const ; .type = u64

	cvt{.sat}.dtype.atype d:~dtype, a:~atype ; .dtype = u8 u16 u32 u64 s8 s16 s32 s64 ; .atype = u8 u16 u32 u64 s8 s16 s32 s64
	cvt.rnd{.sat}.dtype.atype d:~dtype, a:~atype ; .rnd = rn rz rm rp ; .dtype = f32 f64 ; .atype = u8 u16 u32 u64 s8 s16 s32 s64
	cvt.rnd{.ftz}{.sat}.dtype.atype d:~dtype, a:~atype ; .rnd = rni rzi rmi rpi ; .dtype = u8 u16 u32 u64 s8 s16 s32 s64 ; .atype = f32 f64
	cvt.rnd{.ftz}{.sat}.f32.f32 d:f32, a:f32 ; .rnd = rni rzi rmi rpi
	cvt.rnd.f64.f64 d:f64, a:f64 ; .rnd = rni rzi rmi rpi
	cvt{.ftz}{.sat}.f32.f32 d:f32, a:f32
	cvt.rnd{.ftz}{.sat}.f32.f64 d:f32, a:f64 ; .rnd = rn rz rm rp
	cvt{.ftz}.f64.f32 d:f64, a:f32
	cvt.rn{.ftz}.f16.f32 d:b16, a:f32
	cvt{.ftz}.f32.f16 d:f32, a:b16
	cvt.rn.bf16.f32 d:b16, a:f32
	cvt.rn.type.f32 d, a:f32, b:f32 ; .type = f16x2 bf16x2
	cvt.rna.tf32.f32 d:b32, a:f32
	`)
}
