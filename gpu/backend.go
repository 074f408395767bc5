package gpu

// Backend is the interface of a device: the operations of style transfer. The
// destination is the first argument.
//
//   - Arguments are arrays of the same backend. Wrong shapes panic. A later failure (a
//     lost device, no memory) is returned by Err, and every operation after it does
//     nothing.
//   - There is no autodiff: each operation has its own backward pass. Gradients are
//     added to the destination where the documentation says so.
//   - An iteration needs nothing from the host: losses are written to numbered slots
//     of the status block, where the optimisers read them. So an iteration can be
//     recorded once for each scale and replayed.
//   - Results depend on the inputs only, never on the number of threads.
//   - A backend serves one render at a time; make several for several renders.
type Backend interface {
	Memory
	Network
	Losses
	Statistics
	Matching
	Neighbours
	Scattered
	Vectors
	Windows
	Optimizers

	// Record records the operations that f calls, so that they can be run many times
	// with the same arguments. It does not run them.
	Record(f func()) Program
	// Status returns the status block as of the last finished Optimizer.Step.
	Status() Status
	// ResetStatus clears every slot and counter.
	ResetStatus()
	// Sync waits for all operations called so far.
	Sync()
	// Err returns the first failure, or nil.
	Err() error
	// Close frees memory and threads.
	Close()
	// Name is "cpu", "cuda:0" or "emu".
	Name() string
}

// Program is a recorded sequence of operations.
type Program interface {
	Run()
	// Close frees the recording, which must not be run again. The backend's Close
	// does so too.
	Close()
}

// Memory makes arrays and copies values from and to the host.
type Memory interface {
	NewArray(Shape) *Array                   // of zeros
	View(a *Array, at int64, s Shape) *Array // an array in a's memory, at bytes from its start
	Bytes(Shape) int64                       // bytes of an array, with padding
	MaxLen() int                             // most elements of an array with more than one position
	NewMask(Shape, Pool) *Mask
	ViewMask(m *Mask, s Shape) *Mask // a mask of a smaller shape in another's memory
	MaskBytes(Shape, Pool) int64
	Free(...*Array)
	FreeMasks(...*Mask)
	Upload(dst *Array, src []float32)   // src in (H, W, C) order
	Download(dst []float32, src *Array) // waits
}

// Network is the 3x3 convolutions and poolings of a VGG; see conv.go, pool.go.
type Network interface {
	NewFilter(weight, bias []float32, in, out int) *Filter
	FreeFilters(...*Filter)
	ConvTile() int // side of the squares of outputs that are computed together
	Conv(out ConvOut, x *Array, f *Filter, pad Pad)
	ConvGrad(dx, dy *Array, f *Filter, o ConvGradOptions)
	Split(x, y Shape) Shape           // of features x with their rounding errors, which Conv to y can read
	Recomputes(from, x, y Shape) bool // whether Conv to y computes x from ConvFrom.X and does not read it
	StyleInPlace(dx, dy Shape) bool   // whether ConvGrad's dx may be its Style.F
	Pool(y, x *Array, p Pool)
	PoolGrad(dx, dy *Array, o PoolGradOptions)
	Gate(dx *Array, m *Mask)
}

// Losses write coef times their value to a slot and add their gradient to dx
// (nil: no gradient); see content.go, selfsim.go, gram.go, w2.go, covariance.go,
// moments.go, sliced.go, tv.go.
type Losses interface {
	ContentLoss(dx, f, target *Array, coef float64, slot int)
	NewSelfSimilarity(f *Array, positions []int32) *SelfSimilarity // waits
	SelfSimLoss(dx, f *Array, s *SelfSimilarity, coef float64, slot int)
	FreeSelfSimilarity(...*SelfSimilarity)
	Gram(g, f *Array, norm float64)
	GramLoss(d, g *Array, targets []GramTarget, norm float64, slot int)
	Mean(m, f *Array)
	NewW2Target(mean, second *Array, eps float64, form W2Form) *W2Target
	W2Loss(d, shift, mean, second *Array, t *W2Target, pixels int, coef float64, slot int)
	NewCovarianceTarget(mean, second *Array) *CovarianceTarget // waits
	CovarianceLoss(d, shift, mean, second *Array, t *CovarianceTarget, pixels int, coef float64, slot int)
	NewMomentsTarget(mean, second *Array) *MomentsTarget // waits
	MomentsLoss(d, shift, mean, second *Array, t *MomentsTarget, w MomentsWeights, pixels, slot int)
	StyleGrad(dx, f, d, shift *Array)
	NewSlicedTarget(n, channels, directions int, ends []int32) *SlicedTarget
	Aim(t *SlicedTarget, directions []float32, paintings []SlicedPainting) // waits
	SlicedLoss(x *Array, t *SlicedTarget, coef float64, slot int)
	FreeSlicedTargets(...*SlicedTarget)
	TV(dx, x, weight *Array, kind TVKind, coef float64, slot int)
}

// Statistics are moments of features that are given part by part; see sums.go.
type Statistics interface {
	NewSums(channels int, mean bool) *Sums
	SumsBytes(channels int) int64
	FreeSums(...*Sums)
	ClearSums(s *Sums)
	AddSums(s *Sums, f *Array, r Rect, cell int)
	JoinSums(into, from *Sums)
	ReadSums(s *Sums) []float64 // waits
	WriteSums(s *Sums, v []float64)
	Moments(second, mean *Array, s *Sums, norm float64, pixels int)
}

// Matching finds for each patch of a canvas the most similar patch of a painting, and
// pulls the canvas towards it; see ncc.go, prune.go, join.go, patch.go.
type Matching interface {
	Join(dst, f, m *Array, scale float64, unit bool)
	NewBank(f *Array, o BankOptions) *Bank
	FillBank(bank *Bank, f *Array)
	NewMatches(Shape) *Matches
	NewPruning(x *Array, banks []*Bank, stride int, slack float64) []*Pruning // waits
	Match(m *Matches, x *Array, bank *Bank, o MatchOptions)
	Cosines(m *Matches, x *Array, size, stride int)
	MatchBias(bias *Array, m *Matches, scale float64)
	PatchLoss(dx, f *Array, m *Matches, from []PatchSource, o PatchOptions, coef float64, slot int)
	Vote(dst *Array, m *Matches, from []PatchSource, o PatchOptions)
	UploadMatches(m *Matches, index []int32, score []float32)
	DownloadMatches(index []int32, score []float32, m *Matches) // waits
	FreeBanks(...*Bank)
	FreeMatches(...*Matches)
}

// Neighbours are the operations of nearest-neighbour style transfer, except for
// matching. They join features at one size, sample positions on a grid, and compare
// directions; see resize.go, sample.go, cosine.go.
type Neighbours interface {
	NewResizer(to, from Shape, filter ResampleFilter) *Resizer
	FreeResizers(...*Resizer)
	Resize(dst, src *Array, r *Resizer, o ResizeOptions)
	Sample(dst, src *Array, g Grid)
	AddSample(dst, src *Array, g Grid)
	AddChannels(dst *Array, a float64, m *Array)
	CosineLoss(dx, x, t *Array, coef float64, slot int)
}

// Scattered copies features at some positions of a layer; see places.go.
type Scattered interface {
	NewPlaces(f Shape, at []int32) *Places
	FreePlaces(...*Places)
	Gather(dst, f *Array, p *Places, own Rect, y, x int)
	Scatter(dx, src *Array, p *Places, y, x int)
}

// Vectors are the element-wise operations and reductions; see vector.go.
type Vectors interface {
	Fill(dst *Array, v float32)
	Copy(dst, src *Array)
	Axpy(dst *Array, a float64, x *Array)
	AddNormalized(dst *Array, a float64, x *Array)
	Weigh(dst, w *Array)
	Dot(a, b *Array) float64 // waits: not for use inside an iteration
	Resample(dst, src *Array, filter ResampleFilter)
}

// Windows are parts of arrays, for images computed in tiles; see window.go.
type Windows interface {
	CopyWindow(dst, src *Array, y, x int)
	AddWindow(dst, src *Array, y, x int)
	MoveLoss(into, from int)
	Loss(slot int) float64 // waits
	AddLoss(slot int, v float64)
}

// Optimizers make the optimisers of images; see optimizer.go.
type Optimizers interface {
	NewAdam(Shape, AdamOptions) Optimizer
	NewLBFGS(Shape, LBFGSOptions) Optimizer
}
