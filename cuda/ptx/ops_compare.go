package ptx

// Comparison and selection ("Comparison and Selection Instructions").
func init() {
	grammar(`
	setp.cmp.type p|q:pred, a, b ; .cmp = eq ne lt le gt ge lo ls hi hs ; .type = b16 b32 b64 u16 u32 u64 s16 s32 s64
	setp.cmp.bool.type p|q:pred, a, b, c:pred ; .cmp = eq ne lt le gt ge lo ls hi hs ; .bool = and or xor ; .type = b16 b32 b64 u16 u32 u64 s16 s32 s64
	setp.cmp{.ftz}.type p|q:pred, a, b ; .cmp = eq ne lt le gt ge equ neu ltu leu gtu geu num nan ; .type = f32 f64
	setp.cmp.bool{.ftz}.type p|q:pred, a, b, c:pred ; .cmp = eq ne lt le gt ge equ neu ltu leu gtu geu num nan ; .bool = and or xor ; .type = f32 f64
	selp.type d, a, b, c:pred ; .type = b16 b32 b64 u16 u32 u64 s16 s32 s64 f32 f64
	`)
}
