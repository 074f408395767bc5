package ptx

// Control flow ("Control Flow Instructions"), barriers and fences, and
// communication within a warp ("Parallel Synchronization and Communication
// Instructions").
func init() {
	grammar(`
	bra{.uni} l:label
	ret{.uni}
	exit
	trap

	bar{.cta}.sync a:u32, b?:u32
	barrier{.cta}.sync{.aligned} a:u32, b?:u32
	bar{.cta}.red.popc.u32 d:u32, a:u32, c:pred
	bar{.cta}.red.rop.pred p:pred, a:u32, c:pred ; .rop = and or
	barrier{.cta}.red.popc{.aligned}.u32 d:u32, a:u32, c:pred
	barrier{.cta}.red.rop{.aligned}.pred p:pred, a:u32, c:pred ; .rop = and or
	bar.warp.sync a:u32
	membar.level ; .level = cta gl sys
	fence{.order}.scope ; .order = sc acq_rel

	shfl.sync.mode.b32 d|p:b32, a:b32, b:u32, c:u32, m:u32 ; .mode = up down bfly idx
	vote.sync.mode.pred p:pred, a:pred, m:u32 ; .mode = all any uni
	vote.sync.ballot.b32 d:b32, a:pred, m:u32
	activemask.b32 d:b32
	match.any.sync.type d:b32, a, m:u32 ; .type = b32 b64
	`)
}
