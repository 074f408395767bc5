package vgg

import (
	"cmp"
	"slices"
	"sort"
)

// span is a buffer's life, in steps of a pass (both ends included), and its
// size in bytes. at is where the arena puts it.
type span struct {
	from, to int
	bytes    int64
	at       int64
}

// pack gives every span a place such that no two that live at the same time
// overlap, and returns the arena's size. Largest first, each at the lowest
// place that is free for its whole life: the greedy rule of inference engines,
// exact for the nested lives of a network in nearly all cases.
func pack(spans []*span) int64 {
	order := slices.Clone(spans)
	slices.SortStableFunc(order, func(a, b *span) int { return cmp.Compare(b.bytes, a.bytes) })
	var size int64
	var placed []*span // by place
	for _, s := range order {
		var at int64
		for _, p := range placed {
			if p.from > s.to || s.from > p.to {
				continue
			}
			if at+s.bytes <= p.at {
				break
			}
			at = max(at, p.at+p.bytes)
		}
		s.at = at
		size = max(size, at+s.bytes)
		i := sort.Search(len(placed), func(i int) bool { return placed[i].at > at })
		placed = slices.Insert(placed, i, s)
	}
	return size
}
