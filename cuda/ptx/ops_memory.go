package ptx

// Memory ("ld", "st", "atom", "red") and asynchronous copies ("cp.async").
// Cache hints are read and have no meaning here.
func init() {
	types := " ; .type = b8 b16 b32 b64 u8 u16 u32 u64 s8 s16 s32 s64 f32 f64"
	grammar(`
	ld{.volatile}{.space}{.cop}{.evict}{.prefetch}{.vec}.type d*:~type, [a] ; .cop = ca cg cs lu cv ; .evict = L1::no_allocate L1::evict_last L1::evict_first L1::evict_normal L1::evict_unchanged ; .prefetch = L2::64B L2::128B L2::256B ` + types + `
	ld.global.nc{.cop}{.evict}{.vec}.type d*:~type, [a] ; .cop = ca cg cs ; .evict = L1::no_allocate L1::evict_last L1::evict_first` + types + `
	ld.order{.scope}{.space}{.vec}.type d*:~type, [a] ; .order = relaxed acquire weak` + types + `
	st{.volatile}{.space}{.cop}{.evict}{.vec}.type [a], b*:~type ; .space = global shared local ; .cop = wb cg cs wt ; .evict = L1::no_allocate L1::evict_last L1::evict_first` + types + `
	st.order{.scope}{.space}{.vec}.type [a], b*:~type ; .space = global shared local ; .order = relaxed release weak` + types + `

	atom{.sem}{.scope}{.space}.aop.type d, [a], b ; .space = global shared ; .aop = add min max ; .type = u32 s32 u64 s64
	atom{.sem}{.scope}{.space}.aop.type d, [a], b ; .space = global shared ; .aop = and or xor exch ; .type = b32 b64
	atom{.sem}{.scope}{.space}.aop.type d, [a], b ; .space = global shared ; .aop = inc dec ; .type = u32
	atom{.sem}{.scope}{.space}.aop.type d, [a], b ; .space = global shared ; .aop = add ; .type = f32 f64
	atom{.sem}{.scope}{.space}.cas.type d, [a], b, c ; .space = global shared ; .type = b32 b64
	red{.sem}{.scope}{.space}.aop.type [a], b ; .space = global shared ; .aop = add min max ; .type = u32 s32 u64 s64
	red{.sem}{.scope}{.space}.aop.type [a], b ; .space = global shared ; .aop = and or xor ; .type = b32 b64
	red{.sem}{.scope}{.space}.aop.type [a], b ; .space = global shared ; .aop = inc dec ; .type = u32
	red{.sem}{.scope}{.space}.aop.type [a], b ; .space = global shared ; .aop = add ; .type = f32 f64

	cp.async.cop.shared.global{.prefetch} [d], [a], n:imm, b?:u32 ; .cop = ca cg ; .prefetch = L2::64B L2::128B L2::256B
	cp.async.commit_group
	cp.async.wait_group n:imm
	cp.async.wait_all
	`)
}
