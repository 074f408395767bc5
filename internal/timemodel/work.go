package timemodel

import "math"

// Work is the work of a launch, whatever the kernel.
type Work struct {
	Flop   float64 // multiplications and additions
	Tensor bool    // in binary16, for tensor cores
	Bytes  float64 // operands and results, each once
	L2     float64 // bytes that every kernel must read again
}

// history is the pairs of L-BFGS that the model assumes, the default.
const history = 10

// Work is that of the launch's kernel, by its arguments: i the integers, p
// whether the pointers are there, both in the order of the kernel's parameters.
// Unknown kernels have none.
func (l *Launch) Work() Work {
	if f := works[l.Kernel]; f != nil {
		return f(l)
	}
	return Work{}
}

// Known reports whether the model knows the work of the kernel.
func Known(kernel string) bool { return works[kernel] != nil }

func moves(bytes float64) Work { return Work{Bytes: bytes} }

// i is the product of integer arguments.
func (l *Launch) i(at ...int) float64 {
	v := 1.0
	for _, n := range at {
		v *= float64(l.Ints[n])
	}
	return v
}

// p is 1 where the pointer is there, else 0.
func (l *Launch) p(at int) float64 {
	if l.Ptrs[at] != 0 {
		return 1
	}
	return 0
}

// works tells for each kernel what it has to do. Parameters are those of the
// declaration in kernels/*.cu.
var works = map[string]func(l *Launch) Work{
	// conv.cu, conv_first.cu: signs are 1 bit a value, winners 2.
	"conv3x3_fwd": func(l *Launch) Work {
		in, out, pooled := l.i(0, 1, 2), l.i(0, 1, 3), l.i(7, 8, 3)
		return Work{Flop: 18 * in * l.i(3), Bytes: 4*in + 36*l.i(2, 3) + l.p(3)*4*out + l.p(4)*out/4 + l.p(5)*4*pooled + l.p(6)*pooled/4}
	},
	"conv3x3_bwd": func(l *Launch) Work {
		in, out := l.i(0, 1, 2), l.i(0, 1, 3)
		return Work{Flop: 18 * in * l.i(3), Bytes: 4*in + 36*l.i(2, 3) + 4*out*(1+l.i(5)) + l.p(3)*out/4}
	},
	"conv3x3_bwd_pooled": func(l *Launch) Work {
		in, out, pooled := l.i(0, 1, 2), l.i(0, 1, 3), l.i(6, 7, 2)
		return Work{Flop: 18 * in * l.i(3), Bytes: 4*pooled + l.p(1)*pooled/4 + in/4 + 36*l.i(2, 3) + 4*out*(1+l.i(5)) + l.p(5)*out/4}
	},
	"conv_first_fwd": func(l *Launch) Work {
		out := l.i(0, 1, 2)
		return Work{Flop: 54 * out, Bytes: 12*l.i(0, 1) + l.p(3)*4*out + l.p(4)*out/4}
	},
	"conv_first_bwd": func(l *Launch) Work {
		in := l.i(0, 1, 2)
		return Work{Flop: 54 * in, Bytes: 4*in + 12*l.i(0, 1)*(1+l.i(4))}
	},

	// gram.cu: the matrix is symmetric, so half of it is work.
	"gram_partial": func(l *Launch) Work { return Work{Flop: l.i(0, 1, 1), Bytes: 4 * l.i(0, 1)} },
	"gram_finish":  func(l *Launch) Work { return moves(4*l.i(0)*64*64*float64(l.Grid.Y) + 4*l.i(1, 1)) },
	"gram_loss":    func(l *Launch) Work { return moves(4 * l.i(0) * (3 + l.i(1))) },
	"style_grad":   func(l *Launch) Work { return Work{Flop: 2 * l.i(0, 1, 1), Bytes: 12*l.i(0, 1) + 4*l.i(1, 1)} },
	"mean_partial": func(l *Launch) Work { return moves(4 * l.i(0, 1)) },
	"mean_finish":  func(l *Launch) Work { return moves(8 * l.i(0, 2)) },

	// covariance.cu
	"covariance_loss": func(l *Launch) Work { return moves(4 * l.i(0, 0) * (2 + l.p(0))) },

	// moments.cu
	"moments_loss": func(l *Launch) Work { return moves(4 * l.i(0, 0) * (2 + l.p(0))) },

	// w2.cu
	"covariance": func(l *Launch) Work { return moves(8 * l.i(0, 0)) },
	"matmul": func(l *Launch) Work {
		return Work{Flop: 2 * l.i(0, 1, 2) / (1 + l.i(3)), Bytes: 4 * (l.i(0, 1) + l.i(1, 2) + l.i(0, 2))}
	},
	"newton_schulz_start": func(l *Launch) Work { return moves(12 * l.i(0, 0)) },
	"scale_root":          func(l *Launch) Work { return moves(8 * l.i(0)) },
	"w2_loss":             func(l *Launch) Work { return moves(20 * l.i(0)) },
	"w2_grad":             func(l *Launch) Work { return moves(8 * l.i(0, 0)) },

	// loss.cu: a gradient is read and written.
	"content_loss": func(l *Launch) Work { return moves(8 * l.i(0) * (1 + l.p(0))) },
	"tv_loss":      func(l *Launch) Work { return moves(12 * l.i(0, 1) * (1 + 2*l.p(0))) },
	"tv_stencil":   func(l *Launch) Work { return moves(12 * l.i(0, 1) * (1 + 2*l.p(0))) },

	// places.cu: the grid is the positions.
	"places_gather":  func(l *Launch) Work { return moves(8 * float64(l.Grid.X) * l.i(2)) },
	"places_scatter": func(l *Launch) Work { return moves(12 * float64(l.Grid.X) * l.i(3)) },

	// sliced.cu: a sort reads keys twice and positions once, and writes both, eight times.
	"sliced_project":   func(l *Launch) Work { return Work{Flop: 2 * l.i(0, 1, 2), Bytes: 4*l.i(0, 1) + 4*l.i(0, 2)} },
	"sliced_sort":      func(l *Launch) Work { return moves(164 * float64(l.Grid.Y) * l.i(0)) },
	"sliced_quantiles": func(l *Launch) Work { return moves(float64(l.Grid.Y) * (8*l.i(0) + 4*l.i(1))) },
	"sliced_loss":      func(l *Launch) Work { return moves(16 * float64(l.Grid.X) * l.i(0)) },
	"sliced_gradient":  func(l *Launch) Work { return Work{Flop: 2 * l.i(0, 1, 2), Bytes: 4*l.i(0, 1) + 4*l.i(0, 2)} },

	// selfsim.cu: the grid is the positions; what is gathered counts once.
	"selfsim_gather":    func(l *Launch) Work { return moves(8 * float64(l.Grid.X) * l.i(0)) },
	"selfsim_distances": func(l *Launch) Work { return Work{Flop: 2 * l.i(0, 0, 1), Bytes: 4*l.i(0, 0) + 4*l.i(0, 1)} },
	"selfsim_shares":    func(l *Launch) Work { return moves(4 * l.i(0, 0) * (2 + l.p(1))) },
	"selfsim_slope":     func(l *Launch) Work { return Work{Flop: 2 * l.i(0, 0, 1), Bytes: 4*l.i(0, 0) + 8*l.i(0, 1)} },
	"selfsim_scatter":   func(l *Launch) Work { return moves(16 * float64(l.Grid.X) * l.i(0)) },

	// pool.cu
	"pool_fwd": func(l *Launch) Work { return moves(4*l.i(0, 1, 2) + l.i(3, 4, 2)*(4+l.p(2)/4)) },
	"unpool": func(l *Launch) Work {
		in, out := l.i(0, 1, 2), l.i(3, 4, 2)
		return moves(4*in*(1+l.i(6)) + 4*out + l.p(2)*out/4 + l.p(3)*in/4 + l.p(4)*4*in + l.p(5)*4*out)
	},
	"pool_any":     func(l *Launch) Work { return moves(4*l.i(0, 1, 2) + 4*l.i(3, 4, 2)) },
	"pool_any_bwd": func(l *Launch) Work { return moves(4*l.i(0, 1, 2) + 4*l.i(3, 4, 2)) },

	// ncc.cu: the similarity of every pixel of the canvas to every one of the
	// painting; patches are sums of those.
	"ncc_match1": nccWork, "ncc_match3": nccWork,
	"ncc_match_any": func(l *Launch) Work {
		return Work{Flop: 2 * l.i(3, 4, 4) * float64(l.Grid.Count()) * l.i(1, 2) / l.i(6) / l.i(6), Bytes: 4 * l.i(3) * (float64(l.Grid.Count()) + l.i(1, 2))}
	},
	"match_finish":  func(l *Launch) Work { return moves(16 * l.i(0, 1)) },
	"match_cosines": func(l *Launch) Work { return moves(4*l.i(0, 1, 3) + 8*l.i(0, 1)) },
	"match_bias":    func(l *Launch) Work { return moves(8 * l.i(0)) },
	"patch_norm":    func(l *Launch) Work { return moves(4*l.i(0, 1, 2) + 4*l.i(0, 1)) },

	// patch.cu: what is gathered comes from the second-level cache.
	"patch_loss": func(l *Launch) Work { return moves(4 * float64(l.Grid.X) * l.i(2) * (2 + 2*l.p(0))) },
	"patch_vote": func(l *Launch) Work { return moves(8 * float64(l.Grid.X) * l.i(2)) },
	"join":       func(l *Launch) Work { return moves(4 * l.i(0) * (l.i(1) + l.i(2) + l.i(3))) },

	// neighbours.cu
	"resize_x":     func(l *Launch) Work { return moves(4 * l.i(1, 4) * (l.i(2) + l.i(3))) },
	"resize_y":     func(l *Launch) Work { return moves(4 * l.i(3, 4) * (l.i(1) + l.i(2)*(1+l.i(7)))) },
	"cosine_loss":  func(l *Launch) Work { return moves(4 * l.i(0, 1) * (2 + l.p(0))) },
	"sample":       func(l *Launch) Work { return moves(8 * l.i(6)) },
	"add_sample":   func(l *Launch) Work { return moves(12 * l.i(6)) },
	"add_channels": func(l *Launch) Work { return moves(8 * l.i(1)) },

	// adam.cu, lbfgs.cu
	"image_sums":   func(l *Launch) Work { return moves(8 * l.i(0)) },
	"adam_judge":   func(l *Launch) Work { return moves(24 * l.i(0)) },
	"adam_move":    func(l *Launch) Work { return moves(4 * l.i(0) * (8 + 2*l.p(5))) },
	"track_result": func(l *Launch) Work { return moves(8 * l.i(0)) },
	"lbfgs_dots":   func(l *Launch) Work { return moves(4 * l.i(0) * (2*history + 5)) },
	"lbfgs_solve":  func(l *Launch) Work { return moves(8 * l.i(0) * (3*(2*(history+1)+1) + 3)) },
	"lbfgs_move":   func(l *Launch) Work { return moves(4 * l.i(0) * (2*history + 6)) },

	// vector.cu, resample.cu
	"axpy":            func(l *Launch) Work { return moves(12 * l.i(0)) },
	"axpy_normalized": func(l *Launch) Work { return moves(12 * l.i(0)) },
	"weigh":           func(l *Launch) Work { return moves(8*l.i(1) + 4*l.i(1)/l.i(0)) },
	"gate":            func(l *Launch) Work { return moves(8.25 * l.i(0)) },
	"copy_window":     func(l *Launch) Work { return moves(8 * l.i(5)) },
	"add_window":      func(l *Launch) Work { return moves(12 * l.i(5)) },
	"move_loss":       func(l *Launch) Work { return moves(32) },
	"abs_sum_partial": func(l *Launch) Work { return moves(4 * l.i(0)) },
	"dot_partial":     func(l *Launch) Work { return moves(8 * l.i(0)) },
	"sum_finish":      func(l *Launch) Work { return moves(8 * l.i(0)) },
	"resample_x":      func(l *Launch) Work { return moves(4 * l.i(1, 4) * (l.i(2) + l.i(3))) },
	"resample_y":      func(l *Launch) Work { return moves(4 * l.i(3, 4) * (l.i(1) + l.i(2))) },
}

// held is the side of the largest square of pairs of pixels whose sums a multiprocessor
// can hold in its 65536 registers. The march keeps three sums for each pair: the products
// of a row and two sums of the rows before. Each such square reads a row of both operands
// at each step.
var held = math.Sqrt(65536 / 3.0)

// nccWork compares every pixel of the canvas with every one of the painting.
func nccWork(l *Launch) Work { return marchWork(l, 4) }

func marchWork(l *Launch, width float64) Work {
	canvas, painting, channels := l.i(0, 1), l.i(2, 3), l.i(4)
	return Work{Flop: 2 * canvas * painting * channels, Bytes: width * channels * (canvas + painting),
		L2: width * channels * canvas * painting * 2 / held}
}
