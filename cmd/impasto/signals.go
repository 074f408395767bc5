package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// signals turns Ctrl-C and SIGTERM into the end of the iteration: the first
// one cancels the context, so that the picture so far is saved; the second
// ends the process at once. SIGUSR1, where there is one, asks for the picture
// as it is.
type signals struct {
	caught  atomic.Int32 // exit code, 0 while nothing was caught
	picture atomic.Bool
	stop    func()
}

func watchSignals() (context.Context, *signals) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &signals{}
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, append([]os.Signal{os.Interrupt, syscall.SIGTERM}, pictureSignals...)...)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case sig := <-ch:
				code := int32(exitInterrupted)
				switch {
				case isPictureSignal(sig):
					s.picture.Store(true)
					continue
				case sig == syscall.SIGTERM:
					code = exitTerminated
				}
				if s.caught.Swap(code) != 0 {
					os.Exit(int(code))
				}
				cancel()
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

// watchSignals is what ends the work of a session: signals, or for a step of a
// job whoever runs the job.
func (s *session) watchSignals() (context.Context, *signals) {
	if s.job != nil {
		return s.job, &signals{stop: func() {}}
	}
	return watchSignals()
}

// wantsPicture reports, once, that SIGUSR1 came.
func (s *signals) wantsPicture() bool { return s.picture.Swap(false) }

// fault is how an interrupted command ends.
func (s *signals) fault(message string) *fault {
	code := int(s.caught.Load())
	word := "interrupted"
	if code == exitTerminated {
		word = "terminated"
	}
	if code == 0 {
		code = exitInterrupted
	}
	return newFault(code, word, message)
}
