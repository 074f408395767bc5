package gpu

import (
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/internal/testutil"
	"github.com/impasto/impasto/kernels"
)

// everyKernel launches the device's kernels at shapes that fill tiles and warps,
// as the middle of a large picture does.
func everyKernel(b *Device) {
	s := Shape{16, 32, 64}
	pool := Pool{Kind: MaxPool}
	up := func(s Shape) *Array { return upload(b, s, random(1, s.Len(), 1)) }
	image, feat, other := up(Shape{16, 32, 3}), up(s), up(s)
	first := b.NewFilter(random(2, 27*64, 0.1), random(3, 64, 0.1), 3, 64)
	conv := b.NewFilter(random(4, 9*64*64, 0.1), random(5, 64, 0.1), 64, 64)
	pooled, mask, plain := up(pool.Out(s)), b.NewMask(s, pool), b.NewMask(s, Pool{})
	b.Conv(ConvOut{Act: feat, Mask: plain}, image, first, ZeroPad)
	b.Conv(ConvOut{Act: other, Pooled: pooled, Mask: mask, Pool: pool}, feat, conv, ZeroPad)
	dx, dimage := up(s), up(image.Shape)
	b.ConvGrad(dx, other, conv, ConvGradOptions{Gate: plain})
	b.ConvGrad(dx, pooled, conv, ConvGradOptions{Unpool: mask, Add: true, Gate: plain})
	b.ConvGrad(dimage, dx, first, ConvGradOptions{})
	b.Pool(pooled, other, pool)
	b.PoolGrad(dx, pooled, PoolGradOptions{Mask: mask})
	maps, cells := up(Shape{16, 32, 3}), up(Shape{4, 8, 3})
	b.Pool(cells, maps, Pool{Kind: AvgPool, Size: 4})
	b.PoolGrad(maps, cells, PoolGradOptions{Pool: Pool{Kind: AvgPool, Size: 4}})
	b.Gate(dx, plain)

	g, d, mean, shift := b.NewArray(Matrix(64)), b.NewArray(Matrix(64)), b.NewArray(Vector(64)), b.NewArray(Vector(64))
	b.Gram(g, feat, 1)
	b.GramLoss(d, g, []GramTarget{{up(Matrix(64)), 1}}, 1, 0)
	b.Mean(mean, feat)
	b.StyleGrad(dx, feat, d, shift)
	for _, form := range []W2Form{W2Full, W2Fast} {
		b.W2Loss(d, shift, mean, g, b.NewW2Target(mean, g, 1e-4, form), s.Pixels(), 1, 1)
	}
	b.CovarianceLoss(d, shift, mean, g, b.NewCovarianceTarget(mean, g), s.Pixels(), 1, 5)
	b.MomentsLoss(d, shift, mean, g, b.NewMomentsTarget(mean, g), MomentsWeights{1, 1, 1}, s.Pixels(), 6)
	b.SelfSimLoss(dx, feat, b.NewSelfSimilarity(other, everyNth(s, 7)), 1, 7)
	places := b.NewPlaces(s, everyNth(s, 2))
	rows, sliced := b.NewArray(places.Rows()), b.NewSlicedTarget(places.Len(), s.C, 32, []int32{int32(places.Len())})
	b.Gather(rows, feat, places, s.Whole(), 0, 0)
	b.Aim(sliced, unitDirections(1, 32, s.C), []SlicedPainting{{rows, []int32{int32(places.Len())}, 1}})
	b.SlicedLoss(rows, sliced, 1, 8)
	b.Scatter(dx, rows, places, 0, 0)
	b.ContentLoss(dx, feat, other, 1, 2)
	b.TV(dimage, image, nil, TVL2, 1, 3)
	b.TV(dimage, image, nil, TVStencil, 1, 4)

	b.Axpy(dx, 2, feat)
	b.AddNormalized(dx, 2, feat)
	b.Weigh(dx, up(Shape{16, 32, 1}))
	b.Dot(dx, feat)
	small := up(Shape{8, 16, 64})
	b.CopyWindow(small, feat, 4, 8)
	b.AddWindow(feat, small, 4, 8)
	b.MoveLoss(5, 4)
	b.Resample(up(Shape{8, 16, 3}), image, Bilinear)
	quarter := b.NewResizer(Shape{4, 8, 0}, s, Bilinear)
	both := up(Shape{4, 8, 128})
	b.Resize(both, feat, quarter, ResizeOptions{To: 64})
	b.Resize(dx, both, quarter.Back(), ResizeOptions{From: 64, Channels: 64, Add: true})
	b.Sample(small, feat, Grid{1, 0, 2})
	b.AddSample(dx, small, Grid{0, 1, 2})
	b.AddChannels(dx, 1, mean)
	b.CosineLoss(dx, feat, other, 1, 6)

	joined := b.NewArray(Shape{16, 32, 68})
	b.Join(joined, feat, up(Shape{16, 32, 4}), 1, true)
	strip := up(Shape{4, 64, 32})
	for _, size := range []int{1, 2, 3} {
		bank := b.NewBank(strip, BankOptions{Size: size})
		m := b.NewMatches(bank.MatchGrid(strip.Shape, 1))
		b.Match(m, strip, bank, MatchOptions{})
		b.Cosines(m, strip, size, 1)
		b.MatchBias(up(m.Shape), m, 1)
		from, to := []PatchSource{{F: strip}}, up(strip.Shape)
		b.PatchLoss(to, strip, m, from, PatchOptions{Size: size}, 1, 5)
		b.Vote(to, m, from, PatchOptions{Size: size})
	}
	for _, opt := range []Optimizer{b.NewAdam(image.Shape, AdamOptions{}), b.NewLBFGS(image.Shape, LBFGSOptions{})} {
		for range 3 {
			opt.Step(image, dimage)
		}
		opt.Result(dimage)
	}
}

// strided are the kernels whose threads read global memory farther apart than
// the sectors of 32 bytes it comes in: by how much more than the least possible
// they may ask for. All others ask for no more than the bytes they use.
var strided = map[string]float64{
	// 4 channels of a pixel are half a sector; the other half comes next.
	"conv3x3_fwd": 1.25, "conv3x3_bwd": 1.25, "conv3x3_bwd_pooled": 1.4, "conv_first_fwd": 1.2, "conv_first_bwd": 1.1,
	"style_grad": 1.3, "ncc_match1": 2, "ncc_match3": 2, "ncc_match_any": 7,
	// 3 colours to a thread.
	"tv_loss": 3, "tv_stencil": 3, "resample_x": 2.2, "pool_any": 3.5, "pool_any_bwd": 1.1,
	// Matrices of C x C and scalars, not pictures; matmul writes the half below the
	// diagonal across rows.
	"gram_finish": 1.8, "matmul": 1.2, "w2_grad": 2.6, "w2_loss": 5, "sum_finish": 1.2, "lbfgs_dots": 1.1, "lbfgs_solve": 1.1,
	// Rows that do not start where a sector does.
	"join": 1.1, "match_finish": 1.1, "patch_loss": 1.1, "patch_vote": 1.1, "join_half": 1.1, "join_from_half": 1.1,
	"join_to_half": 1.2, "patch_loss_half": 1.1, "patch_vote_half": 1.1, "patch_norm_half": 1.2,
	"selfsim_distances": 1.1, "selfsim_shares": 1.2, "selfsim_slope": 1.1, "sliced_quantiles": 1.1,
	// Each thread reads a run of its own and writes its keys to many places.
	"sliced_sort": 8, "sliced_loss": 2.2,
	// Masks of 8 channels are 2 bytes, biases and scales the same for many lanes;
	// features and weights cross by cp.async, which is not counted here.
	"conv_half_fwd_64": 1.5, "conv_half_fwd_128": 1.4, "conv_half_bwd_64": 1.2, "conv_half_bwd_128": 1.2,
	"conv_half_bwd_pooled_64": 1.5, "conv_half_bwd_pooled_128": 1.2, "gram_half_partial": 1.6, "style_grad_half": 2,
	"conv_first_fwd_half": 1.3, "conv_first_bwd_half": 1.2, "ncc_match_any_half": 11,
}

// conflicting are the kernels that ask a bank of shared memory for two words at
// once: which part of their passes that may cost. In all others no bank is asked
// twice.
var conflicting = map[string]float64{
	"conv3x3_fwd": 0.02, "conv3x3_bwd": 0.02, "conv3x3_bwd_pooled": 0.02, "conv_first_bwd": 0.05,
	"ncc_match1": 0.25, "ncc_match3": 0.25, "ncc_half_match3": 0.3, // few channels here; less with more
}

// everyHalfKernel runs what half precision has beside: 128 channels at once, and
// features beside maps.
func everyHalfKernel(b Backend) {
	up := func(s Shape) *Array { return upload(b, s, random(1, s.Len(), 1)) }
	s, wide, pool := Shape{16, 32, 64}, Shape{16, 32, 128}, Pool{Kind: MaxPool}
	feat, dx, dy, image := up(s), up(s), up(wide), up(Shape{16, 32, 3})
	out := b.NewFilter(random(2, 9*64*128, 0.1), random(3, 128, 0.1), 64, 128)
	in := b.NewFilter(random(4, 9*64*128, 0.1), random(5, 64, 0.1), 128, 64)
	pooled, mask := up(pool.Out(wide)), b.NewMask(wide, pool)
	b.Conv(ConvOut{Act: dy, Pooled: pooled, Mask: mask, Pool: pool}, feat, out, ZeroPad)
	b.ConvGrad(dy, feat, in, ConvGradOptions{Add: true, Gate: &Mask{Shape: wide, device: mask.device}})
	last := b.NewMask(s, pool)
	narrow := up(pool.Out(s))
	b.Conv(ConvOut{Pooled: narrow, Mask: last, Pool: pool}, dy, in, ZeroPad)
	b.ConvGrad(dy, narrow, in, ConvGradOptions{Unpool: last})
	b.Resample(up(Shape{8, 16, 64}), feat, Bilinear)
	b.Pool(up(Shape{4, 8, 64}), feat, Pool{Kind: AvgPool, Size: 4})
	b.PoolGrad(dx, up(Shape{4, 8, 64}), PoolGradOptions{Pool: Pool{Kind: AvgPool, Size: 4}})
	b.Join(up(Shape{16, 32, 72}), feat, up(Shape{16, 32, 8}), 1, true)
	b.NewBank(up(Shape{4, 64, 68}), BankOptions{})
	first := b.NewFilter(random(2, 27*64, 0.1), random(3, 64, 0.1), 3, 64)
	style, wideStyle := StyleTerm{F: feat, D: up(Matrix(64)), Shift: up(Vector(64))}, StyleTerm{F: up(wide), D: up(Matrix(128)), Shift: up(Vector(128))}
	b.ConvGrad(dx, up(wide), out, ConvGradOptions{Style: style})
	b.ConvGrad(dx, up(pool.Out(wide)), out, ConvGradOptions{Unpool: mask, Style: style})
	b.ConvGrad(dy, up(s), in, ConvGradOptions{Style: wideStyle})
	b.ConvGrad(dy, narrow, in, ConvGradOptions{Unpool: last, Style: wideStyle})
	b.ContentLoss(dx, feat, up(s), 1, 0)
	b.ConvGrad(image, dx, first, ConvGradOptions{})
}

// TestKernelTraffic holds every kernel to these claims, and the convolutions to
// spending their instructions on products. With -v it prints what docs/kernels.md
// shows: share of fma or of tensor instructions, active lanes of 32, sectors a
// request, sectors over the least possible, bank conflicts.
func TestKernelTraffic(t *testing.T) {
	testutil.NeedDevices(t)
	ran := map[string]bool{}
	for _, o := range []DeviceOptions{{Precision: Single}, {Precision: Half, Stages: 3}, {Precision: Half, Stages: 2}} {
		dev := emu.Open(emu.Options{Traffic: true})
		b := NewDevice(testutil.Driver(dev), o)
		if o.Stages != 2 { // other kernels have no stages
			everyKernel(b)
		}
		if o.Precision == Half {
			everyHalfKernel(b)
		}
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		for _, c := range dev.Counters() {
			if c.Launches > 0 && !ran[c.Kernel] {
				ran[c.Kernel] = true
				checkTraffic(t, &c)
			}
		}
		b.Close()
	}
	for _, target := range kernels.Targets {
		for _, name := range kernels.Names(target) {
			text, err := kernels.PTX(name, target)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text) {
				if entry, ok := strings.CutPrefix(line, ".visible .entry "); ok && !ran[strings.TrimRight(entry, "(\n")] {
					t.Errorf("%s of %s was not run", strings.TrimRight(entry, "(\n"), name)
				}
			}
		}
	}
}

func checkTraffic(t *testing.T, c *emu.Counters) {
	total, global, shared := c.Total(), c.Class(emu.ClassGlobal), c.Class(emu.ClassShared)
	products := float64(c.Class(emu.ClassFMA).Issued+c.Class(emu.ClassTensor).Issued) / float64(total.Issued)
	excess := float64(global.Units) / float64(max(1, global.Ideal))
	t.Logf("%s %.0f%% %.1f %.2f %.2f %d", c.Kernel, 100*products, float64(total.Lanes)/float64(total.Issued),
		float64(global.Units)/float64(max(1, global.Requests)), excess, shared.Conflicts)
	if limit := max(1, strided[strings.TrimSuffix(c.Kernel, "_two")]); excess > limit {
		t.Errorf("%s asks for %.2f times the sectors it needs, want at most %g", c.Kernel, excess, limit)
	}
	if limit := conflicting[c.Kernel]; float64(shared.Conflicts) > limit*float64(shared.Units) {
		t.Errorf("%s loses %d of %d passes to bank conflicts, want at most %g of them", c.Kernel, shared.Conflicts, shared.Units, limit)
	}
	for _, l := range c.Lines {
		if strings.HasPrefix(l.Inst, "ldmatrix") && l.Conflicts > 0 {
			t.Errorf("%s: ldmatrix at line %d loses %d passes to bank conflicts", c.Kernel, l.Line, l.Conflicts)
		}
	}
	if strings.HasPrefix(c.Kernel, "conv3x3") && products < 0.85 {
		t.Errorf("%s: %.1f%% of its instructions are fma, want 85", c.Kernel, 100*products)
	}
	if c.Class(emu.ClassLocal).Issued > 0 {
		t.Errorf("%s uses local memory", c.Kernel)
	}
}
