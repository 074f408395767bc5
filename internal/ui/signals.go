package ui

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Signals holds the signals that the user has sent to a running command. The first
// Ctrl-C or SIGTERM, or the end of the terminal, cancels the context of
// WatchSignals. Then the iteration ends and the picture so far is saved. The second
// one ends the process at once. SIGUSR1, if the system has it, asks for the current
// picture.
type Signals struct {
	caught  atomic.Int32 // exit code, 0 until a signal is caught
	picture atomic.Bool
	stop    func()
}

// WatchSignals starts watching for signals. The caller must call Stop at the end.
func WatchSignals() (context.Context, *Signals) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Signals{}
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, append([]os.Signal{os.Interrupt, syscall.SIGTERM}, pictureSignals...)...)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
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

// Stop stops watching. The zero Signals watches nothing, and Stop does nothing for
// it.
func (s *Signals) Stop() {
	if s.stop != nil {
		s.stop()
	}
}

// Caught returns the exit code of the signal that was caught, 0 for none.
func (s *Signals) Caught() int { return int(s.caught.Load()) }

// WantsPicture reports whether SIGUSR1 came since the last call.
func (s *Signals) WantsPicture() bool { return s.picture.Swap(false) }

// Fault returns the fault of an interrupted command.
func (s *Signals) Fault(message string) *Fault {
	switch s.Caught() {
	case ExitTerminated:
		return NewFault(ExitTerminated, "terminated", message)
	case ExitHungUp:
		return NewFault(ExitHungUp, "hung_up", message)
	}
	return NewFault(ExitInterrupted, "interrupted", message)
}
