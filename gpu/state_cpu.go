package gpu

import "io"

func (t *track) state(s *stateIO) {
	s.status(&t.b.status)
	s.flag(&t.has)
	s.number(&t.weight)
	s.number(&t.scale)
	s.number(&t.worst)
	s.count(&t.failures)
	s.vector(t.base)
	s.vector(t.average)
}

func (a *cpuAdam) state(s *stateIO) error {
	s.header("adam", a.shape, 0)
	a.track.state(s)
	s.count(&a.step)
	s.count(&a.all)
	s.vector(a.m)
	s.vector(a.v)
	return s.err
}

func (a *cpuAdam) Save(w io.Writer) error { return a.state(&stateIO{w: w}) }
func (a *cpuAdam) Load(r io.Reader) error { return a.state(&stateIO{r: r}) }

// state leaves out what the next step overwrites: the slots without a pair, and the
// change of the gradient over the step under way.
func (l *cpuLBFGS) state(s *stateIO) error {
	s.header("l-bfgs", l.shape, l.o.History)
	l.track.state(s)
	s.number(&l.loss)
	s.number(&l.absG)
	s.number(&l.slope)
	s.count(&l.halvings)
	s.vector(l.grad)
	s.memory(&l.mem)
	if s.err != nil {
		return s.err
	}
	s.vector(l.s[l.mem.free])
	for _, slot := range l.mem.order {
		s.vector(l.s[slot])
		s.vector(l.y[slot])
	}
	return s.err
}

func (l *cpuLBFGS) Save(w io.Writer) error { return l.state(&stateIO{w: w}) }
func (l *cpuLBFGS) Load(r io.Reader) error { return l.state(&stateIO{r: r}) }
