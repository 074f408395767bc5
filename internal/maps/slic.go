package maps

import "math"

// superpixels divides a picture into about n compact cells whose edges follow
// the picture's (SLIC: Achanta et al., "SLIC superpixels compared to
// state-of-the-art superpixel methods", PAMI 2012). lab is (h, w, 3). The
// distance of a pixel from a cell's centre is
//
//	D^2 = |dLab|^2 + (compact / S)^2 |dxy|^2      S = sqrt(w h / n)
//
// It returns the cell of each pixel and how many there are. Cells are connected.
func superpixels(lab []float64, w, h, n int, compact float64) (of []int, cells int) {
	step := math.Max(1, math.Sqrt(float64(w*h)/float64(n)))
	type centre struct{ l, a, b, x, y float64 }
	var centres []centre
	rows := max(1, int(math.Round(float64(h)/step)))
	cols := max(1, int(math.Round(float64(w)/step)))
	for r := range rows {
		for c := range cols {
			x, y := (float64(c)+0.5)*float64(w)/float64(cols), (float64(r)+0.5)*float64(h)/float64(rows)
			i := 3 * (int(y)*w + int(x))
			centres = append(centres, centre{lab[i], lab[i+1], lab[i+2], x, y})
		}
	}
	of = make([]int, w*h)
	nearest := make([]float64, w*h)
	spatial := compact * compact / (step * step)
	reach := 2 * step
	for range 8 {
		for i := range nearest {
			nearest[i] = math.Inf(1)
		}
		for k, c := range centres {
			y0, y1 := max(0, int(c.y-reach)), min(h-1, int(c.y+reach))
			x0, x1 := max(0, int(c.x-reach)), min(w-1, int(c.x+reach))
			for y := y0; y <= y1; y++ {
				for x := x0; x <= x1; x++ {
					i := y*w + x
					dl, da, db := lab[3*i]-c.l, lab[3*i+1]-c.a, lab[3*i+2]-c.b
					dx, dy := float64(x)+0.5-c.x, float64(y)+0.5-c.y
					if d := dl*dl + da*da + db*db + spatial*(dx*dx+dy*dy); d < nearest[i] {
						nearest[i], of[i] = d, k
					}
				}
			}
		}
		sum := make([]centre, len(centres))
		count := make([]float64, len(centres))
		for i, k := range of {
			s := &sum[k]
			s.l += lab[3*i]
			s.a += lab[3*i+1]
			s.b += lab[3*i+2]
			s.x += float64(i%w) + 0.5
			s.y += float64(i/w) + 0.5
			count[k]++
		}
		for k, s := range sum {
			if m := count[k]; m > 0 {
				centres[k] = centre{s.l / m, s.a / m, s.b / m, s.x / m, s.y / m}
			}
		}
	}
	return connect(of, w, int(step*step/4))
}

// connect renumbers cells so that each is connected. Pieces of fewer than least
// pixels join the cell before them in row order.
func connect(of []int, w, least int) ([]int, int) {
	out := make([]int, len(of))
	for i := range out {
		out[i] = -1
	}
	cells := 0
	var stack, members []int
	for start := range of {
		if out[start] >= 0 {
			continue
		}
		beside := -1
		stack, members = append(stack[:0], start), members[:0]
		out[start] = cells
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			members = append(members, i)
			each4(i, w, len(of), func(j int) {
				switch {
				case out[j] < 0 && of[j] == of[start]:
					out[j] = cells
					stack = append(stack, j)
				case out[j] >= 0 && out[j] != cells:
					beside = out[j]
				}
			})
		}
		if len(members) < least && beside >= 0 {
			for _, i := range members {
				out[i] = beside
			}
			continue
		}
		cells++
	}
	return out, cells
}
