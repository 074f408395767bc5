package timemodel

// In half precision features have two bytes, and tensor cores multiply them.
func init() {
	for name, f := range map[string]func(l *Launch) Work{
		"conv_half_fwd_64": convHalf, "conv_half_fwd_128": convHalf,
		"conv_half_bwd_64": convGradHalf, "conv_half_bwd_128": convGradHalf,
		"conv_half_bwd_pooled_64": convGradPooledHalf, "conv_half_bwd_pooled_128": convGradPooledHalf,
		"conv_half_fwd_64_two": convHalf, "conv_half_fwd_128_two": convHalf,
		"conv_half_bwd_64_two": convGradHalf, "conv_half_bwd_128_two": convGradHalf,
		"conv_half_bwd_pooled_64_two": convGradPooledHalf, "conv_half_bwd_pooled_128_two": convGradPooledHalf,
		"conv_first_fwd_half": func(l *Launch) Work {
			out := l.i(0, 1, 2)
			return Work{Flop: 54 * out, Bytes: 12*l.i(0, 1) + l.p(3)*2*out + l.p(4)*out/4}
		},
		"conv_first_bwd_half": func(l *Launch) Work {
			in := l.i(0, 1, 2)
			return Work{Tensor: true, Flop: 54 * in, Bytes: 2*in + 12*l.i(0, 1)*(1+l.i(4))}
		},

		"gram_half_partial": func(l *Launch) Work { return Work{Tensor: true, Flop: l.i(0, 1, 1), Bytes: 2 * l.i(0, 1)} },
		"style_grad_half": func(l *Launch) Work {
			return Work{Tensor: true, Flop: 2 * l.i(0, 1, 1), Bytes: 6*l.i(0, 1) + 2*l.i(1, 1)}
		},
		"gradient_pack":        func(l *Launch) Work { return moves(6 * l.i(0, 0)) },
		"gradient_scale":       func(*Launch) Work { return moves(32) },
		"to_single":            func(l *Launch) Work { return moves(6 * l.i(0)) },
		"selfsim_gather_half":  func(l *Launch) Work { return moves(6 * float64(l.Grid.X) * l.i(0)) },
		"selfsim_scatter_half": func(l *Launch) Work { return moves(12 * float64(l.Grid.X) * l.i(0)) },
		"places_gather_half":   func(l *Launch) Work { return moves(6 * float64(l.Grid.X) * l.i(2)) },
		"places_scatter_half":  func(l *Launch) Work { return moves(8 * float64(l.Grid.X) * l.i(3)) },
		"gate_half":            func(l *Launch) Work { return moves(4.25 * l.i(0)) },
		"weigh_half":           func(l *Launch) Work { return moves(4*l.i(1) + 4*l.i(1)/l.i(0)) },

		"pool_fwd_half": func(l *Launch) Work { return moves(2*l.i(0, 1, 2) + l.i(3, 4, 2)*(2+l.p(2)/4)) },
		"unpool_half": func(l *Launch) Work {
			in, out := l.i(0, 1, 2), l.i(3, 4, 2)
			return moves(2*in*(1+l.i(6)) + 2*out + l.p(2)*out/4 + l.p(3)*in/4 + l.p(4)*2*in + l.p(5)*2*out)
		},

		"ncc_half_match1": nccHalf, "ncc_half_match3": nccHalf,
		"resize_x_half": func(l *Launch) Work { return moves(l.i(1, 4) * (2*l.i(2) + 4*l.i(3))) },
		"resize_y_half": func(l *Launch) Work { return moves(l.i(3, 4) * (4*l.i(1) + 2*l.i(2)*(1+l.i(7)))) },

		"ncc_match_any_half": func(l *Launch) Work {
			w := works["ncc_match_any"](l)
			return Work{Tensor: true, Flop: w.Flop, Bytes: w.Bytes / 2}
		},
		"match_cosines_half": func(l *Launch) Work { return moves(2*l.i(0, 1, 3) + 8*l.i(0, 1)) },
		"patch_norm_half":    func(l *Launch) Work { return moves(2*l.i(0, 1, 2) + 4*l.i(0, 1)) },

		// The map is float32 in all of them.
		"join_half":      func(l *Launch) Work { return moves(l.i(0) * (2*l.i(1) + 4*l.i(2) + 2*l.i(3))) },
		"join_to_half":   func(l *Launch) Work { return moves(l.i(0) * (4*l.i(1) + 4*l.i(2) + 2*l.i(3))) },
		"join_from_half": func(l *Launch) Work { return moves(l.i(0) * (2*l.i(1) + 4*l.i(2) + 4*l.i(3))) },
	} {
		works[name] = f
	}
	// What these move, and nothing else, takes half of the bytes.
	for _, name := range []string{
		"mean_partial", "content_loss", "axpy", "axpy_normalized", "abs_sum_partial", "dot_partial", "copy_window", "add_window",
		"resample_x", "resample_y", "pool_any", "pool_any_bwd", "cosine_loss", "sample", "add_sample", "add_channels", "patch_loss", "patch_vote",
	} {
		single := works[name]
		works[name+"_half"] = func(l *Launch) Work { return moves(single(l).Bytes / 2) }
	}
}

func convHalf(l *Launch) Work {
	in, out, pooled := l.i(0, 1, 2), l.i(0, 1, 3), l.i(7, 8, 3)
	return Work{Tensor: true, Flop: 18 * in * l.i(3),
		Bytes: 2*in + 18*l.i(2, 3) + l.p(3)*2*out + l.p(4)*out/4 + l.p(5)*2*pooled + l.p(6)*pooled/4}
}

func convGradHalf(l *Launch) Work {
	in, out := l.i(0, 1, 2), l.i(0, 1, 3)
	return withStyle(l, 5, Work{Tensor: true, Flop: 18 * in * l.i(3), Bytes: 2*in + 18*l.i(2, 3) + 2*out*(1+l.i(5)) + l.p(3)*out/4})
}

func convGradPooledHalf(l *Launch) Work {
	in, out, pooled := l.i(0, 1, 2), l.i(0, 1, 3), l.i(6, 7, 2)
	return withStyle(l, 7, Work{Tensor: true, Flop: 18 * in * l.i(3),
		Bytes: 2*pooled + l.p(1)*pooled/4 + in/4 + 18*l.i(2, 3) + 2*out*(1+l.i(5)) + l.p(5)*out/4})
}

// withStyle adds the tenth tap, where the pointer to features is not null: they are
// read and multiplied by the matrix of a style loss.
func withStyle(l *Launch, features int, w Work) Work {
	w.Flop += l.p(features) * 2 * l.i(0, 1, 3, 3)
	w.Bytes += l.p(features) * 2 * (l.i(0, 1, 3) + l.i(3, 3))
	return w
}

func nccHalf(l *Launch) Work {
	w := marchWork(l, 2)
	w.Tensor = true
	return w
}
