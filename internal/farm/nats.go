package farm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The queue on NATS JetStream (https://docs.nats.io/nats-concepts/jetstream):
//
//	stream IMPASTO_JOBS      work queue; subject impasto.job.CLASS.PRIORITY,
//	                         one durable consumer each; a message is a job's ID
//	bucket impasto_status    the records, by job ID
//	stream IMPASTO_INDEX     the IDs again, by state and batch (nats_index.go)
//	objects impasto_blobs    files by SHA-256
//	subject impasto.wake.CLASS  tells workers that there is a job to take
//
// JetStream delivers a message again if it is not extended within AckWait,
// without limit. How often a job has failed is counted in its record.

const (
	// pollEvery is how often a worker with nothing to do asks the server by itself.
	pollEvery = time.Second
	// longestPoll is the largest interval of pollEvery. The interval grows for a
	// worker that has had no job for a while, because a thousand idle workers may
	// ask too.
	longestPoll = 5 * time.Second
	// settle is how long a worker takes no job after its server came back. In that
	// time workers report the jobs they have, which the server would otherwise give
	// to others.
	settle = pollEvery
)

type natsStore struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	records jetstream.KeyValue
	bucket  jetstream.Stream // of the records
	index   jetstream.Stream
	direct  bool // no cluster, and the server answers requests for several messages
	wait    time.Duration
	at      string // for messages

	mu        sync.Mutex
	consumers map[string]bool         // names of consumers that exist
	classes   map[string]priorityList // by class

	connected  context.Context // ends when the connection has been made anew
	disconnect context.CancelFunc

	complete atomic.Bool   // the server has said that every record has an entry in the index
	stale    time.Duration // age from which no record is about to name an entry
	striking chan struct{} // holds a value for each deletion of an entry under way

	stop func() // ends the server of this process; nil: it is elsewhere

	reconnects uint64    // how often the connection had been made anew when a worker last looked
	returned   time.Time // when a worker first saw a new connection; zero: the server was never away

	life context.Context // ends when the queue cannot go on
	fail context.CancelCauseFunc
	full func() // ends life for lack of disk space; nil: another machine has the disk
}

// connect opens the queue of a server, and makes what it lacks.
func connect(ctx context.Context, conn *nats.Conn, wait time.Duration) (*queue, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	on, err := openStreams(ctx, conn, js)
	if err != nil {
		return nil, err
	}
	s := &natsStore{conn: conn, js: js, stream: on.jobs, records: on.records, bucket: on.bucket, index: on.index, wait: wait, stale: youth,
		consumers: map[string]bool{}, classes: map[string]priorityList{}, striking: make(chan struct{}, strikesAtOnce)}
	s.direct = on.alone && answersTogether(conn.ConnectedServerVersion())
	s.life, s.fail = context.WithCancelCause(context.Background())
	s.reconnected()
	conn.SetReconnectHandler(func(*nats.Conn) { s.reconnected() })
	if err := s.beginIndex(ctx); err != nil {
		return nil, err
	}
	files, err := openBlobs(ctx, conn, s)
	if err != nil {
		return nil, err
	}
	return &queue{store: s, blobs: files}, nil
}

// ended replaces an error by the reason why the queue cannot continue, if there is
// one.
func (s *natsStore) ended(err error) error {
	if err != nil && s.life.Err() != nil {
		return context.Cause(s.life)
	}
	return err
}

func (s *natsStore) get(ctx context.Context, id string) (Status, uint64, error) {
	e, err := answer(ctx, s, func(ctx context.Context) (jetstream.KeyValueEntry, error) { return s.records.Get(ctx, id) })
	switch {
	case errors.Is(err, jetstream.ErrInvalidKey):
		return s.odd(ctx, id)
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return Status{}, 0, ErrUnknown
	case err != nil:
		return Status{}, 0, s.gone(ctx, err)
	}
	return decode(id, e.Value()), e.Revision(), nil
}

// odd returns the record of a key that the client library refuses to ask for.
func (s *natsStore) odd(ctx context.Context, key string) (found Status, revision uint64, err error) {
	err = s.scan(ctx, 0, func(e jetstream.KeyValueEntry) bool {
		if e.Key() == key && e.Operation() == jetstream.KeyValuePut {
			found, revision = decode(key, e.Value()), e.Revision()
		}
		return true
	})
	if err == nil && revision == 0 {
		err = ErrUnknown
	}
	return found, revision, err
}

// put replaces a record. If its state is new, put writes the new entry first and deletes
// the old entry afterwards.
func (s *natsStore) put(ctx context.Context, st *Status, revision uint64) (uint64, error) {
	if err := s.life.Err(); err != nil {
		return 0, s.ended(err) // a message sent now would be written but not answered
	}
	before, moves := st.Entry, st.Entry.State != st.State
	if moves {
		if err := s.enter(ctx, st); err != nil {
			return 0, err
		}
	}
	revision, err := s.write(ctx, st, revision)
	switch {
	case moves && err == nil:
		s.strike(before.Number)
	case moves && errors.Is(err, errConflict):
		s.strike(st.Entry.Number)
		st.Entry = before
	}
	return revision, err
}

// write replaces the record if it still has that revision.
func (s *natsStore) write(ctx context.Context, st *Status, revision uint64) (made uint64, err error) {
	data, err := json.Marshal(st)
	if err != nil {
		return 0, err
	}
	again := false
	made, err = answer(ctx, s, func(ctx context.Context) (uint64, error) {
		if again { // the first request may have been carried out
			switch e, err := s.records.Get(ctx, st.Job.ID); {
			case err == nil && bytes.Equal(e.Value(), data):
				return e.Revision(), nil
			case err != nil && !errors.Is(err, jetstream.ErrKeyNotFound):
				return 0, err
			}
		}
		again = true
		if revision == 0 {
			return s.records.Create(ctx, st.Job.ID, data)
		}
		return s.records.Update(ctx, st.Job.ID, data, revision)
	})
	switch code(err) {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant: // the latter from a cluster
		err = errConflict
	}
	return made, s.gone(ctx, err)
}

// gone distinguishes a server that does not answer from one that refuses.
func (s *natsStore) gone(ctx context.Context, err error) error {
	if s.full != nil && isFull(err) {
		s.full()
	}
	if s.life.Err() != nil {
		return s.ended(err)
	}
	if ctx.Err() != nil {
		return cmp.Or(err, ctx.Err())
	}
	if isSilence(err) {
		return &UnreachableError{s.at, err}
	}
	return err
}

func (s *natsStore) remove(ctx context.Context, st Status) error {
	id := st.Job.ID
	err := s.asking(ctx, func(ctx context.Context) error {
		err := s.records.Purge(ctx, id)
		if errors.Is(err, jetstream.ErrInvalidKey) {
			// This does the same as Purge, which refuses a key that could be a
			// pattern.
			gone := nats.NewMsg("$KV." + bucketName + "." + id)
			gone.Header.Set("KV-Operation", "PURGE")
			gone.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
			_, err = s.js.PublishMsg(ctx, gone)
		}
		return err
	})
	if err == nil {
		s.strike(st.Entry.Number)
	}
	return s.gone(ctx, err)
}

// limit returns the size of the largest message, less what the client library adds
// to it.
func (s *natsStore) limit() int { return int(s.conn.MaxPayload()) - 4<<10 }

func (s *natsStore) has(ctx context.Context, sequence uint64) (bool, error) {
	_, err := answer(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) { return s.stream.GetMsg(ctx, sequence) })
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, s.gone(ctx, err)
}

func (s *natsStore) publish(ctx context.Context, st Status) error {
	_, err := s.send(ctx, fmt.Sprintf("impasto.job.%s.%d", st.Job.Class, st.Job.Priority), st.Job.ID, jetstream.WithMsgID(st.Ticket))
	s.mu.Lock()
	delete(s.classes, st.Job.Class) // the job's priority may be new
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.conn.Publish("impasto.wake."+st.Job.Class, nil)
}

// consumer returns the name of the consumer of a class and priority. The first worker
// makes it. The others only look it up, because making it waits for the server's disk.
func (s *natsStore) consumer(ctx context.Context, class string, priority int) (string, error) {
	config := jetstream.ConsumerConfig{
		Durable: fmt.Sprintf("%s-%d", class, priority), FilterSubject: fmt.Sprintf("impasto.job.%s.%d", class, priority),
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.wait, MaxDeliver: -1, MaxAckPending: -1,
	}
	s.mu.Lock()
	known := s.consumers[config.Durable]
	s.mu.Unlock()
	if known {
		return config.Durable, nil
	}
	asked, cancel := s.asked(ctx)
	defer cancel()
	c, err := s.stream.Consumer(asked, config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || err == nil && c.CachedInfo().Config.AckWait != s.wait {
		_, err = s.stream.CreateOrUpdateConsumer(asked, config)
	}
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consumers[config.Durable] = true
	return config.Durable, nil
}

// forget clears the cached consumers and priorities, because the server may have
// been replaced.
func (s *natsStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.consumers)
	clear(s.classes)
}

// priorityList holds the priorities that had jobs when the server was asked.
type priorityList struct {
	list []int
	when time.Time
}

// recentPriorities returns the priorities of a class if the server gave them less
// than a second ago, and nil otherwise. So a worker with short jobs need not ask
// before each job, but notices a job of a higher priority within a second.
func (s *natsStore) recentPriorities(class string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.classes[class]; time.Since(c.when) < pollEvery {
		return c.list
	}
	return nil
}

// priorities returns the priorities at which a class has jobs that have not ended, the
// highest first. It is one request instead of ten, most of which would find nothing.
func (s *natsStore) priorities(ctx context.Context, class string) (list []int, err error) {
	asked, cancel := s.asked(ctx)
	defer cancel()
	begun := time.Now()
	info, err := s.stream.Info(asked, jetstream.WithSubjectFilter("impasto.job."+class+".*"))
	if err != nil {
		return nil, err
	}
	for subject := range info.State.Subjects {
		if p, err := strconv.Atoi(subject[strings.LastIndex(subject, ".")+1:]); err == nil && p >= 0 && p <= MaxPriority {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.classes[class] = priorityList{list, begun}
	return list, nil
}

// take asks again when the server is away, because a worker continues when its
// server restarts.
func (s *natsStore) take(ctx context.Context, class string, empty time.Duration) (message, error) {
	ctx, release := s.alive(context.WithCancel(ctx))
	defer release()
	var woken *nats.Subscription // once there was nothing
	pause, longest := pollEvery, max(pollEvery, min(s.wait/6, longestPoll))
	var idle time.Time    // since when the server says that there is nothing
	var refused time.Time // since when it says no
	for {
		if err := ctx.Err(); err != nil {
			return nil, s.gone(ctx, err)
		}
		if s.life.Err() != nil || s.conn.IsClosed() {
			return nil, s.gone(ctx, nats.ErrConnectionClosed)
		}
		m, answered, err := s.ask(ctx, class)
		err = s.gone(ctx, err)
		switch {
		case err == nil || isSilence(err):
			refused = time.Time{}
		case refused.IsZero(): // as in a cluster between two leaders
			refused = time.Now()
		case time.Since(refused) >= answerWithin:
			return nil, err
		}
		switch {
		case m != nil:
			return m, nil
		case !answered:
			idle = time.Time{}
		case idle.IsZero():
			idle = time.Now()
		case empty > 0 && time.Since(idle) >= empty:
			return nil, ErrEmpty
		}
		if empty > 0 {
			pause = min(pause, empty)
		}
		if woken == nil {
			if woken, err = s.conn.SubscribeSync("impasto.wake." + class); err != nil {
				return nil, s.gone(ctx, err)
			}
			defer woken.Unsubscribe()
			continue // a job may have just arrived
		}
		soon, cancel := context.WithTimeout(ctx, pause)
		_, _ = woken.NextMsgWithContext(soon)
		cancel()
		pause = min(longest, pause*3/2)
	}
}

// ask takes a message if there is one, and reports whether the server answered. It
// asks only a server that can be reached. Otherwise the request would be answered
// when the server comes back, and the worker may no longer wait for the answer
// then.
func (s *natsStore) ask(ctx context.Context, class string) (m message, answered bool, err error) {
	if !s.settled() {
		return nil, false, nil
	}
	if recent := s.recentPriorities(class); recent != nil {
		if m, _, err := s.fetch(ctx, class, recent); m != nil || err != nil {
			return m, true, err
		}
	}
	priorities, err := s.priorities(ctx, class)
	if err != nil {
		return nil, false, err
	}
	return s.fetch(ctx, class, priorities)
}

// settled reports whether the server can be reached and has not just come back. It
// compares the connection's count, because a handler would learn of the return too
// late.
func (s *natsStore) settled() bool {
	if !s.conn.IsConnected() {
		return false
	}
	n := s.conn.Stats().Reconnects
	s.mu.Lock()
	defer s.mu.Unlock()
	if n != s.reconnects {
		s.reconnects, s.returned = n, time.Now()
	}
	return time.Since(s.returned) >= settle
}

func (s *natsStore) lives() context.Context { return s.life }

func (s *natsStore) close() error {
	s.struck()
	s.conn.Close()
	if s.stop != nil {
		s.stop()
	}
	return nil
}
