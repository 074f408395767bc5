package style

import (
	"slices"
	"sync"

	"github.com/impasto/impasto/gpu"
)

// A team computes the tiles of one image on several backends. Each of the n members
// holds the image, the checkpoints between stages, and the targets. It computes every
// n-th tile and receives the other members' parts of outputs and gradients through the
// host. Sums are kept tile by tile and added in the order of the tiles, so the picture
// does not depend on the number of members. The first member also has the optimiser,
// and computes everything that is not computed in tiles.

// sumsKey identifies the sums of a style term over a tile.
type sumsKey struct{ term, tile int }

// members lists the objective and its copies on the other backends.
func (ob *objective) members() []*objective { return append([]*objective{ob}, ob.others...) }

// join adds members on other backends, one for each of these tilings.
func (ob *objective) join(others []*tiling) {
	for _, t := range others {
		ob.others = append(ob.others, ob.member(t))
	}
}

// member returns a copy of the objective on another backend, with the parts that tiles
// need.
func (ob *objective) member(t *tiling) *objective {
	b := t.b
	m := &objective{b: b, o: ob.o, t: t, x: b.NewArray(ob.x.Shape), g: b.NewArray(ob.x.Shape), unit: ob.unit, torus: ob.torus}
	if ob.photo != nil {
		m.photo = across(b, ob.b, ob.photo)
	}
	content := func(list []contentTerm) (copies []contentTerm) {
		for _, c := range list {
			from := c.target
			c.target = &target{power: from.power}
			if from.f != nil {
				c.target.f = across(b, ob.b, from.f)
			}
			if from.room != nil {
				c.target.room = b.NewArray(from.room.Shape)
			}
			copies = append(copies, c)
		}
		return copies
	}
	m.content, m.analogies = content(ob.content), content(ob.analogies)
	for _, t := range ob.style {
		c := styleTerm{layer: t.layer, part: b.NewSums(t.part.Channels, t.part.Mean), gram: b.NewArray(t.gram.Shape)}
		if len(t.gaussians) > 0 {
			c.gaussians = make([]gaussianTerm, len(t.gaussians))
			c.d, c.shift = b.NewArray(t.d.Shape), b.NewArray(t.shift.Shape)
		}
		m.style = append(m.style, c)
	}
	for _, w := range ob.wholes {
		m.newWhole(w.layer)
	}
	for _, t := range ob.sliced {
		m.sliced = append(m.sliced, memberSliced(b, t))
	}
	return m
}

// across returns a copy of an array on another backend.
func across(to, from gpu.Backend, a *gpu.Array) *gpu.Array {
	return gpu.ArrayOf(to, a.Shape, gpu.Values(from, a))
}

func copyAcross(to gpu.Backend, dst *gpu.Array, from gpu.Backend, src *gpu.Array) {
	to.Upload(dst, gpu.Values(from, src))
}

// evaluateTeam does what evaluateTiles does, on several backends.
func (ob *objective) evaluateTeam() {
	team := ob.members()
	for _, m := range ob.others {
		copyAcross(m.b, m.x, ob.b, ob.x)
	}
	each := func(do func(m *objective, who int)) {
		var all sync.WaitGroup
		for who, m := range team {
			all.Go(func() {
				do(m, who)
				m.b.Sync()
			})
		}
		all.Wait()
	}
	for k := range ob.t.stages {
		each(func(m *objective, who int) {
			m.beginAhead(k)
			for i := who; i < len(m.t.stages[k].tiles); i += len(team) {
				m.t.forward(k, i, m.x, true, m.noteTile)
			}
		})
		if k+1 < len(ob.t.stages) {
			s := &ob.t.stages[k]
			next := func(m *objective) *gpu.Array { return m.t.stages[k+1].x }
			share(team, team, next, s.parts(s.Output(), ob.t.stages[k+1].shape))
		}
	}
	ob.addNotes(team)
	ob.joinRows()
	for i, w := range ob.wholes {
		features := func(m *objective) *gpu.Array { return m.wholes[i].f }
		s := ob.t.stageOf(w.layer)
		share(team, team[:1], features, s.parts(w.layer, ob.t.whole[w.layer]))
	}
	ob.lossGradients()
	for _, m := range ob.others {
		m.takeGradients(ob)
	}
	for k := len(ob.t.stages) - 1; k >= 0; k-- {
		each(func(m *objective, who int) {
			m.beginBack(k)
			for i := who; i < len(m.t.stages[k].tiles); i += len(team) {
				m.backTile(k, i)
			}
		})
		to, g := team, func(m *objective) *gpu.Array { return m.t.stages[k].g }
		if k == 0 {
			to, g = team[:1], func(m *objective) *gpu.Array { return m.g }
		}
		share(team, to, g, ob.t.stages[k].parts("", ob.t.stages[k].shape))
	}
	for _, m := range ob.others {
		m.addLosses(ob)
	}
}

// noteTile keeps a tile's sums. It also keeps the tile's features if a loss needs those
// of the whole image.
func (ob *objective) noteTile(s *stage, i int, tap string, f *gpu.Array, own gpu.Rect) {
	ob.keepFeatures(s, i, tap, f, own)
	for j := range ob.style {
		if t := &ob.style[j]; t.layer == tap && ob.tileSums(t, s, i, f, own) {
			ob.notes[sumsKey{j, i}] = ob.b.ReadSums(t.part)
		}
	}
}

// addNotes adds up the sums of all tiles, in the order of the tiles.
func (ob *objective) addNotes(team []*objective) {
	for j := range ob.style {
		t := &ob.style[j]
		ob.b.ClearSums(t.sums)
		for i := range ob.t.stageOf(t.layer).tiles {
			if v := team[i%len(team)].notes[sumsKey{j, i}]; v != nil {
				ob.b.WriteSums(t.part, v)
				ob.b.JoinSums(t.sums, t.part)
			}
		}
	}
}

// takeGradients copies the gradients that lossGradients computed on the first member.
func (ob *objective) takeGradients(first *objective) {
	for i := range ob.style {
		t, from := &ob.style[i], &first.style[i]
		if len(t.gaussians) == 0 {
			copyAcross(ob.b, t.gram, first.b, from.gram)
			continue
		}
		copyAcross(ob.b, t.d, first.b, from.d)
		copyAcross(ob.b, t.shift, first.b, from.shift)
	}
	for i, w := range ob.wholes {
		copyAcross(ob.b, w.g, first.b, first.wholes[i].g)
	}
	for i := range ob.sliced {
		copyAcross(ob.b, ob.sliced[i].rows, first.b, first.sliced[i].rows)
	}
}

// addLosses adds this member's values of terms that are summed over tiles to those of
// the first member.
func (ob *objective) addLosses(first *objective) {
	for _, t := range slices.Concat(ob.content, ob.analogies) {
		if t.begun {
			first.b.AddLoss(t.slot, ob.b.Loss(t.slot))
		}
	}
}

// parts lists the tiles' own parts of a tap's features or of the stage's output, whose
// whole shape is given. The tap "" stands for the stage's input.
func (s *stage) parts(tap string, whole gpu.Shape) []gpu.Rect {
	var list []gpu.Rect
	for i := range s.tiles {
		list = append(list, s.own(&s.tiles[i], &window{}, tap, whole))
	}
	return list
}

// share copies parts of an array to the members in to. Member i%len(team) has computed
// part i, which is zero in the arrays of all others, so the part is added there.
func share(team, to []*objective, array func(*objective) *gpu.Array, parts []gpu.Rect) {
	for i, r := range parts {
		from := team[i%len(team)]
		src := array(from)
		from.t.eachStrip(r, src.Shape.C, func(strip gpu.Rect) {
			part := from.t.part(0, strip, src.Shape.C)
			from.b.CopyWindow(part, src, strip.Y, strip.X)
			v := gpu.Values(from.b, part)
			for _, m := range to {
				if m != from {
					part := m.t.part(0, strip, src.Shape.C)
					m.b.Upload(part, v)
					m.b.AddWindow(array(m), part, strip.Y, strip.X)
				}
			}
		})
	}
}

// freeOthers frees the arrays and tilings of the other members.
func (ob *objective) freeOthers() {
	for _, m := range ob.others {
		m.t.free()
		m.b.Free(m.x, m.g, m.photo)
		for _, c := range append(m.content, m.analogies...) {
			c.target.free(m.b)
		}
		for _, t := range m.style {
			m.b.Free(t.gram, t.d, t.shift)
			m.b.FreeSums(t.part)
		}
		for _, w := range m.wholes {
			w.free(m.b)
		}
		for i := range m.sliced {
			m.sliced[i].free(m.b)
		}
	}
}
