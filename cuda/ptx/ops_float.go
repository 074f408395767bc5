package ptx

// Floating-point arithmetic ("Floating-Point Instructions"). add, sub and mul
// need a rounding: without one the assembler may fuse them into fma.
func init() {
	grammar(`
	add.rnd{.ftz}{.sat}.f32 d:f32, a:f32, b:f32 ; .rnd = rn rz rm rp
	sub.rnd{.ftz}{.sat}.f32 d:f32, a:f32, b:f32 ; .rnd = rn rz rm rp
	mul.rnd{.ftz}{.sat}.f32 d:f32, a:f32, b:f32 ; .rnd = rn rz rm rp
	fma.rnd{.ftz}{.sat}.f32 d:f32, a:f32, b:f32, c:f32 ; .rnd = rn rz rm rp
	div.rnd{.ftz}.f32 d:f32, a:f32, b:f32 ; .rnd = rn rz rm rp
	rcp.rnd{.ftz}.f32 d:f32, a:f32 ; .rnd = rn rz rm rp
	sqrt.rnd{.ftz}.f32 d:f32, a:f32 ; .rnd = rn rz rm rp
	add.rn.f64 d:f64, a:f64, b:f64
	sub.rn.f64 d:f64, a:f64, b:f64
	mul.rn.f64 d:f64, a:f64, b:f64
	fma.rn.f64 d:f64, a:f64, b:f64, c:f64
	div.rn.f64 d:f64, a:f64, b:f64
	rcp.rn.f64 d:f64, a:f64
	sqrt.rn.f64 d:f64, a:f64

	div.acc{.ftz}.f32 d:f32, a:f32, b:f32 ; .acc = approx full
	rcp.approx{.ftz}.f32 d:f32, a:f32
	sqrt.approx{.ftz}.f32 d:f32, a:f32
	rsqrt.approx{.ftz}.f32 d:f32, a:f32
	sin.approx{.ftz}.f32 d:f32, a:f32
	cos.approx{.ftz}.f32 d:f32, a:f32
	ex2.approx{.ftz}.f32 d:f32, a:f32
	lg2.approx{.ftz}.f32 d:f32, a:f32
	tanh.approx.f32 d:f32, a:f32

	abs{.ftz}.f32 d:f32, a:f32
	neg{.ftz}.f32 d:f32, a:f32
	min{.ftz}{.NaN}.f32 d:f32, a:f32, b:f32
	max{.ftz}{.NaN}.f32 d:f32, a:f32, b:f32
	abs.f64 d:f64, a:f64
	neg.f64 d:f64, a:f64
	min.f64 d:f64, a:f64, b:f64
	max.f64 d:f64, a:f64, b:f64
	copysign.type d, a, b ; .type = f32 f64
	testp.test.type p:pred, a ; .test = finite infinite number notanumber normal subnormal ; .type = f32 f64
	`)
}
