package farm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// This file takes messages of JetStream's pull consumers by the protocol itself
// (https://docs.nats.io/reference/reference-protocols/nats_api_reference). The client
// library waits at most a second for a message and then assumes that there is none. If a
// slow server sends the message later, no worker has it until the server delivers it again.

// fetch takes a message of the first of the priorities that has one, and reports whether
// the server answered.
func (s *natsStore) fetch(ctx context.Context, class string, priorities []int) (m message, answered bool, err error) {
	for _, p := range priorities {
		consumer, err := s.consumer(ctx, class, p)
		if err == nil {
			m, err = s.next(ctx, consumer)
		}
		if err != nil {
			s.forget()
			return nil, false, err
		}
		if m != nil {
			return m, true, nil
		}
	}
	return nil, true, nil
}

// next asks a consumer for its next message, and returns nil if there is none. It
// does not stop at once when ctx ends, because the message may be on its way.
func (s *natsStore) next(ctx context.Context, consumer string) (message, error) {
	asked, cancel := s.asked(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(s.connection(), cancel)()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(pollEvery, cancel) })()
	m, err := s.request(asked, "$JS.API.CONSUMER.MSG.NEXT."+streamName+"."+consumer, []byte(`{"batch":1,"no_wait":true}`))
	if errors.Is(err, context.Canceled) {
		err = nats.ErrDisconnected
	}
	if err != nil {
		return nil, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404":
		return nil, nil
	case "503":
		return nil, nats.ErrNoResponders
	default:
		return nil, fmt.Errorf("the queue's server says %s %s", status, m.Header.Get("Description"))
	}
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	return &natsMessage{conn: s.conn, text: string(m.Data), reply: m.Reply, number: meta.Sequence.Stream}, nil
}

// request sends a request and waits for its answer. The client library's own request
// recognises an answer by its subject, but a message keeps the subject it was published under.
func (s *natsStore) request(ctx context.Context, subject string, text []byte) (*nats.Msg, error) {
	inbox := s.conn.NewInbox()
	answer, err := s.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Unsubscribe() }()
	if err := s.conn.PublishRequest(subject, inbox, text); err != nil {
		return nil, err
	}
	return answer.NextMsgWithContext(ctx)
}

// natsMessage is one delivery of a message.
type natsMessage struct {
	conn        *nats.Conn
	text, reply string
	number      uint64
	over        atomic.Bool // acknowledged or given back
}

func (d *natsMessage) id() string       { return d.text }
func (d *natsMessage) sequence() uint64 { return d.number }

func (d *natsMessage) extend() error {
	if d.over.Load() {
		return nats.ErrMsgAlreadyAckd
	}
	return d.conn.Publish(d.reply, []byte("+WPI"))
}

func (d *natsMessage) again(delay time.Duration) error {
	if d.over.Load() {
		return nats.ErrMsgAlreadyAckd
	}
	err := d.conn.Publish(d.reply, fmt.Appendf(nil, `-NAK {"delay": %d}`, delay.Nanoseconds()))
	if err == nil {
		d.over.Store(true)
	}
	return err
}

// acknowledge acknowledges the message and waits until the server confirms it.
func (d *natsMessage) acknowledge(ctx context.Context) error {
	if d.over.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := d.conn.RequestWithContext(ctx, d.reply, []byte("+ACK"))
	if err == nil {
		d.over.Store(true)
	}
	return err
}
