package ptx

// Integer arithmetic ("Integer Arithmetic Instructions" in the manual) and
// logic and shifts ("Logic and Shift Instructions").
func init() {
	grammar(`
	add.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	add.sat.s32 d:s32, a:s32, b:s32
	sub.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	sub.sat.s32 d:s32, a:s32, b:s32
	mul.mode.type d, a, b ; .mode = lo hi ; .type = u16 u32 u64 s16 s32 s64
	mul.wide.type d:2type, a, b ; .type = u16 u32 s16 s32
	mad.mode.type d, a, b, c ; .mode = lo hi ; .type = u16 u32 u64 s16 s32 s64
	mad.wide.type d:2type, a, b, c:2type ; .type = u16 u32 s16 s32
	div.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	rem.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	abs.type d, a ; .type = s16 s32 s64
	neg.type d, a ; .type = s16 s32 s64
	min.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	max.type d, a, b ; .type = u16 u32 u64 s16 s32 s64
	popc.type d:u32, a ; .type = b32 b64
	clz.type d:u32, a ; .type = b32 b64
	brev.type d, a ; .type = b32 b64
	bfe.type d, a, b:u32, c:u32 ; .type = u32 u64 s32 s64
	bfi.type d, a, b, c:u32, e:u32 ; .type = b32 b64

	and.type d, a, b ; .type = pred b16 b32 b64
	or.type d, a, b ; .type = pred b16 b32 b64
	xor.type d, a, b ; .type = pred b16 b32 b64
	not.type d, a ; .type = pred b16 b32 b64
	shl.type d, a, b:u32 ; .type = b16 b32 b64
	shr.type d, a, b:u32 ; .type = b16 b32 b64 u16 u32 u64 s16 s32 s64
	shf.dir.mode.b32 d:b32, a:b32, b:b32, c:u32 ; .dir = l r ; .mode = clamp wrap
	lop3.b32 d:b32, a:b32, b:b32, c:b32, n:imm
	prmt.b32 d:b32, a:b32, b:b32, c:b32
	`)
}
