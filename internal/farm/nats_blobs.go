package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// storeWithin is the time limit for the server to store a chunk of a file.
const storeWithin = 30 * time.Second

// openBlobs opens the object store of a queue that exists.
func openBlobs(ctx context.Context, conn *nats.Conn, s *natsStore) (natsBlobs, error) {
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(storeWithin))
	if err != nil {
		return natsBlobs{}, err
	}
	b := natsBlobs{js: js, s: s}
	b.objects, err = answer(ctx, s, func(ctx context.Context) (jetstream.ObjectStore, error) { return js.ObjectStore(ctx, blobsName) })
	return b, err
}

type natsBlobs struct {
	objects jetstream.ObjectStore
	js      jetstream.JetStream
	s       *natsStore
}

func (b natsBlobs) Put(ctx context.Context, sum string, r io.Reader) error {
	alive, cancel := b.s.alive(context.WithCancel(ctx))
	defer cancel()
	_, err := b.objects.Put(alive, jetstream.ObjectMeta{Name: sum}, verified(r, sum))
	return b.s.ended(err)
}

// Get has no time limit as long as chunks arrive. The client library alone would
// end it after a few seconds.
func (b natsBlobs) Get(ctx context.Context, sum string) (io.ReadCloser, error) {
	for tries := 1; ; tries++ {
		alive, cancel := b.s.alive(context.WithCancel(ctx))
		late := time.AfterFunc(answerWithin, cancel)
		r, err := b.objects.Get(gettingOn{alive}, sum)
		isLate := !late.Stop()
		switch {
		case err == nil && !isLate:
			return &answered{r, cancel, func(err error) error { return b.s.gone(ctx, err) }}, nil
		case err == nil:
			r.Close()
		}
		cancel()
		switch {
		case errors.Is(err, jetstream.ErrObjectNotFound):
			return nil, fmt.Errorf("blob %s: %w", sum, fs.ErrNotExist)
		case !isLate || ctx.Err() != nil || b.s.life.Err() != nil:
			return nil, b.s.gone(ctx, err)
		case tries == askTimes || !b.s.there():
			return nil, b.s.gone(ctx, nats.ErrTimeout)
		}
	}
}

// gettingOn is a context whose deadline is always answerWithin from now.
type gettingOn struct{ context.Context }

func (c gettingOn) Deadline() (time.Time, bool) {
	next := time.Now().Add(answerWithin)
	if last, ok := c.Context.Deadline(); ok && last.Before(next) {
		next = last
	}
	return next, true
}

// answered reads a blob that the server sends. A read that ends because the server
// is gone returns an error.
type answered struct {
	io.ReadCloser
	end  func()
	gone func(error) error
}

func (a *answered) Read(p []byte) (int, error) {
	for tries := 1; ; tries++ {
		n, err := a.ReadCloser.Read(p)
		if err == nil && n == 0 && len(p) > 0 && tries == askTimes {
			err = nats.ErrTimeout // the client library returns no error
		}
		if err != nil && err != io.EOF {
			err = a.gone(err)
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

func (a *answered) Close() error {
	defer a.end()
	return a.ReadCloser.Close()
}

func (b natsBlobs) Has(ctx context.Context, sum string) (bool, error) {
	_, err := b.Stored(ctx, sum)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (b natsBlobs) Delete(ctx context.Context, sum string) error {
	err := b.s.asking(ctx, func(ctx context.Context) error { return b.objects.Delete(ctx, sum) })
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil
	}
	return err
}

// Touch writes what the server knows about the file again, because the time of a
// file is the time of that message.
func (b natsBlobs) Touch(ctx context.Context, sum string) (bool, error) {
	err := b.s.asking(ctx, func(ctx context.Context) error {
		return b.objects.UpdateMeta(ctx, sum, jetstream.ObjectMeta{Name: sum})
	})
	if errors.Is(err, jetstream.ErrUpdateMetaDeleted) {
		return false, nil
	}
	return err == nil, b.s.ended(err)
}

func (b natsBlobs) Stored(ctx context.Context, sum string) (time.Time, error) {
	info, err := answer(ctx, b.s, func(ctx context.Context) (*jetstream.ObjectInfo, error) { return b.objects.GetInfo(ctx, sum) })
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return time.Time{}, fmt.Errorf("blob %s: %w", sum, fs.ErrNotExist)
	}
	if err != nil {
		return time.Time{}, b.s.ended(err)
	}
	return info.ModTime, nil
}

func (b natsBlobs) List(ctx context.Context) ([]Blob, error) {
	infos, err := b.objects.List(ctx)
	if errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil, nil
	}
	list := make([]Blob, len(infos))
	for i, o := range infos {
		list[i] = Blob{o.Name, o.ModTime}
	}
	return list, err
}

// Tidy deletes the chunks of files that were not stored completely. A file is a
// series of chunks under a subject of its own, followed by the message that names
// it. Chunks without such a message are from a Put that was killed.
func (b natsBlobs) Tidy(ctx context.Context, before time.Time) error {
	const chunks = "$O." + blobsName + ".C."
	stream, err := b.js.Stream(ctx, "OBJ_"+blobsName)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(chunks+">"))
	if err != nil {
		return err
	}
	objects, err := b.objects.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return err
	}
	named := map[string]bool{}
	for _, o := range objects {
		named[chunks+o.NUID] = true
	}
	for subject := range info.State.Subjects {
		if named[subject] {
			continue
		}
		last, err := stream.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && last.Time.After(before) {
			continue
		}
		if err == nil {
			err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
