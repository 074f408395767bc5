package ptx

import "math/bits"

// flow divides the body into basic blocks and sets Branches. For each branch this
// is the first instruction of its immediate post-dominator: the nearest block that
// every path from the branch to the exit passes. There the lanes of a warp that
// took different paths run together again.
func (k *Kernel) flow() {
	n := len(k.Body)
	k.Branches = make([]Flow, n)
	starts := map[int]bool{0: true}
	for i := range k.Body {
		switch in := &k.Body[i]; in.Op {
		case "bra":
			starts[in.Args[0].Target] = true
			starts[i+1] = true
		case "ret", "exit", "trap":
			starts[i+1] = true
		}
	}
	// first holds the start of each block, in order. Block len(first) is the exit.
	var first []int
	blockOf := make([]int, n+1)
	for i := range n {
		if starts[i] {
			first = append(first, i)
		}
		blockOf[i] = len(first) - 1
	}
	exit := len(first)
	blockOf[n] = exit
	first = append(first, n)

	succ := make([][]int, exit)
	for b := range exit {
		last := first[b+1] - 1
		switch in := &k.Body[last]; {
		case in.Op == "bra":
			succ[b] = append(succ[b], blockOf[in.Args[0].Target])
			if in.Guard >= 0 {
				succ[b] = append(succ[b], blockOf[last+1])
			}
		case (in.Op == "ret" || in.Op == "exit" || in.Op == "trap") && in.Guard < 0:
			succ[b] = append(succ[b], exit)
		case in.Op == "ret" || in.Op == "exit" || in.Op == "trap":
			// Lanes that leave here meet no other lanes, so a guarded exit does not
			// move the meeting point of the others.
			succ[b] = append(succ[b], blockOf[last+1])
		default:
			succ[b] = append(succ[b], blockOf[last+1])
		}
	}

	meet := postDominators(succ, exit)
	for b := range exit {
		last := first[b+1] - 1
		if k.Body[last].Op == "bra" {
			k.Branches[last].Meet = first[meet[b]]
		}
	}
}

// postDominators returns each block's immediate post-dominator. For a block from
// which the exit cannot be reached, that is the exit. Sets are bit vectors,
// iterated to a fixed point. Kernels have a few hundred blocks.
func postDominators(succ [][]int, exit int) []int {
	words := exit/64 + 1
	sets := make([][]uint64, exit+1)
	for b := range sets {
		sets[b] = make([]uint64, words)
		if b < exit {
			for w := range sets[b] {
				sets[b][w] = ^uint64(0)
			}
		}
	}
	sets[exit][exit/64] = 1 << (exit % 64)
	next := make([]uint64, words)
	for changed := true; changed; {
		changed = false
		for b := exit - 1; b >= 0; b-- {
			for w := range next {
				next[w] = ^uint64(0)
				for _, s := range succ[b] {
					next[w] &= sets[s][w]
				}
			}
			next[b/64] |= 1 << (b % 64)
			for w := range next {
				if next[w] != sets[b][w] {
					sets[b][w] = next[w]
					changed = true
				}
			}
		}
	}
	count := make([]int, exit+1)
	for b := range count {
		for _, w := range sets[b] {
			count[b] += bits.OnesCount64(w)
		}
	}
	// The post-dominators of b form a chain. The nearest one is the one that has
	// one post-dominator fewer than b.
	out := make([]int, exit)
	for b := range out {
		out[b] = exit
		want := count[b] - 1
		for c := 0; c <= exit; c++ {
			if c != b && sets[b][c/64]>>(c%64)&1 == 1 && count[c] == want {
				out[b] = c
				break
			}
		}
	}
	return out
}
