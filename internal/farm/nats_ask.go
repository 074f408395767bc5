package farm

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// answerWithin is the time limit for one answer.
	answerWithin = 5 * time.Second
	// askTimes is how often a request without an answer is sent.
	askTimes = 3
)

// asked returns a context with the time limit of a request to the server.
func (s *natsStore) asked(ctx context.Context) (context.Context, context.CancelFunc) {
	return s.askedFor(ctx, answerWithin)
}

func (s *natsStore) askedFor(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	return s.alive(context.WithTimeout(ctx, within))
}

// alive makes a context end when the queue cannot continue.
func (s *natsStore) alive(ctx context.Context, cancel context.CancelFunc) (context.Context, context.CancelFunc) {
	unbind := context.AfterFunc(s.life, cancel)
	return ctx, func() { unbind(); cancel() }
}

// answer sends a request that may be sent twice, and returns its answer. A request
// sent just before the server leaves is lost without an error. So it is sent again
// when the connection has been made anew. It is also sent again, with more time, if
// the server can be reached but has not answered, for example because its disk is
// slow.
func answer[T any](ctx context.Context, s *natsStore, ask func(context.Context) (T, error)) (T, error) {
	for tries := 1; ; tries++ {
		connected := s.connection()
		asked, cancel := s.askedFor(ctx, time.Duration(tries)*answerWithin)
		unbind := context.AfterFunc(connected, cancel)
		answered, err := ask(asked)
		unbind()
		cancel()
		switch {
		case err == nil || ctx.Err() != nil || s.life.Err() != nil:
			return answered, err
		case connected.Err() != nil && errors.Is(err, context.Canceled):
			err = nats.ErrDisconnected
		case !isLate(err) || connected.Err() == nil && !s.there():
			return answered, err
		}
		if tries == askTimes {
			return answered, err
		}
	}
}

// asking is like answer, for a request whose answer says only whether it was
// carried out.
func (s *natsStore) asking(ctx context.Context, ask func(context.Context) error) error {
	_, err := answer(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, ask(ctx) })
	return err
}

// send publishes a message, waits until the server has stored it, and returns its
// sequence.
func (s *natsStore) send(ctx context.Context, subject, text string, options ...jetstream.PublishOpt) (uint64, error) {
	stored, err := answer(ctx, s, func(ctx context.Context) (*jetstream.PubAck, error) {
		return s.js.Publish(ctx, subject, []byte(text), options...)
	})
	if err != nil {
		return 0, s.gone(ctx, err)
	}
	return stored.Sequence, nil
}

// isLate reports whether an answer did not come in time.
func isLate(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}

// there reports whether the server can be reached and answers.
func (s *natsStore) there() bool {
	return s.conn.IsConnected() && s.conn.FlushTimeout(answerWithin) == nil
}

// connection returns a context that ends when the connection has been made anew.
func (s *natsStore) connection() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
}

// reconnected ends the context of the last connection and makes one for the new.
func (s *natsStore) reconnected() {
	s.mu.Lock()
	before := s.disconnect
	s.connected, s.disconnect = context.WithCancel(context.Background())
	s.mu.Unlock()
	if before != nil {
		before()
	}
}
