package vgg

import (
	"cmp"
	"slices"
	"sort"
)

// span is a buffer's life, in steps of a pass (both ends included), and its size in
// bytes. at is its place in the arena.
type span struct {
	from, to int
	bytes    int64
	at       int64
}

// pack gives every span a place, so that no two spans that live at the same time
// overlap. It returns the arena's size. The largest span comes first, and each gets the
// lowest place that is free for its whole life. Inference engines use this greedy rule.
// It is exact for the nested lives of a network in nearly all cases.
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
