package ui

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Signals are what the user asks of a running command. The first Ctrl-C or
// SIGTERM, or the end of the terminal, cancels the context of WatchSignals, so that the iteration ends and
// the picture so far is saved. The second one ends the process at once. SIGUSR1,
// where the system has it, asks for the picture as it is.
type Signals struct {
	caught  atomic.Int32 // exit code, 0 while nothing was caught
	picture atomic.Bool
	stop    func()
}

// WatchSignals starts to watch. The caller calls Stop in the end.
func WatchSignals() (context.Context, *Signals) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Signals{}
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, append([]os.Signal{os.Interrupt, syscall.SIGTERM}, pictureSignals...)...)
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signal.Notify(ch, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case sig := <-ch:
				s.handle(sig, cancel)
			}
		}
	}()
	s.stop = func() {
		signal.Stop(ch)
		close(done)
		cancel()
	}
	return ctx, s
}

func (s *Signals) handle(sig os.Signal, cancel func()) {
	code := int32(ExitInterrupted)
	switch {
	case isPictureSignal(sig):
		s.picture.Store(true)
		return
	case sig == syscall.SIGTERM:
		code = ExitTerminated
	case sig == syscall.SIGHUP:
		code = ExitHungUp
	}
	if s.caught.Swap(code) != 0 {
		os.Exit(int(code))
	}
	cancel()
}

// Stop ends the watch. The zero Signals watches nothing and may be stopped too.
func (s *Signals) Stop() {
	if s.stop != nil {
		s.stop()
	}
}

// Caught returns the exit code of the signal that was caught, 0 for none.
func (s *Signals) Caught() int { return int(s.caught.Load()) }

// WantsPicture reports, once for each, that SIGUSR1 came.
func (s *Signals) WantsPicture() bool { return s.picture.Swap(false) }

// Fault returns the fault with which an interrupted command ends.
func (s *Signals) Fault(message string) *Fault {
	switch s.Caught() {
	case ExitTerminated:
		return NewFault(ExitTerminated, "terminated", message)
	case ExitHungUp:
		return NewFault(ExitHungUp, "hung_up", message)
	}
	return NewFault(ExitInterrupted, "interrupted", message)
}
