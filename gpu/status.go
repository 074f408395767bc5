package gpu

// Slots is the number of loss terms a status block holds.
const Slots = 64

// Status is a block of scalars on the backend: the losses by slot, and what the
// optimiser did with them. Operations write it, Optimizer.Step sums and checks it, and
// the host only reads it.
type Status struct {
	Loss [Slots]float64 // by slot, coefficient included
	Sum  float64        // of all slots, at the last evaluation

	Evaluations int     // calls of Optimizer.Step since the reset
	Accepted    int     // of these, the evaluations that were kept
	GradNorm    float64 // Euclidean norm of the last gradient
	StepSize    float64 // learning rate or step length last used
	Rollbacks   int     // evaluations thrown away: not finite, or the loss exploded
	Diverged    bool    // too many rollbacks in a row: the image is the last good one
	Stalled     bool    // the line search finds no lower point along the gradient
}

// total sums the slots in their order.
func (s *Status) total() float64 {
	sum := 0.0
	for _, v := range s.Loss {
		sum += v
	}
	return sum
}
