package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

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

func (b natsBlobs) Get(ctx context.Context, sum string) (io.ReadCloser, error) {
	r, err := b.objects.Get(ctx, sum)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("blob %s: %w", sum, fs.ErrNotExist)
	}
	if err != nil {
		return nil, b.s.gone(ctx, err)
	}
	return answered{r, func(err error) error { return b.s.gone(ctx, err) }}, nil
}

// answered is a blob that the server sends: a read that ends because the server is
// gone says so.
type answered struct {
	io.ReadCloser
	gone func(error) error
}

func (a answered) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = a.gone(err)
	}
	return n, err
}

func (b natsBlobs) Has(ctx context.Context, sum string) (bool, error) {
	ctx, cancel := b.s.asked(ctx)
	defer cancel()
	_, err := b.objects.GetInfo(ctx, sum)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return false, nil
	}
	return err == nil, b.s.ended(err)
}

func (b natsBlobs) Delete(ctx context.Context, sum string) error {
	err := b.objects.Delete(ctx, sum)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil
	}
	return err
}

// Touch writes what the server knows of the file anew: its time is that of
// the message.
func (b natsBlobs) Touch(ctx context.Context, sum string) (bool, error) {
	ctx, cancel := b.s.asked(ctx)
	defer cancel()
	err := b.objects.UpdateMeta(ctx, sum, jetstream.ObjectMeta{Name: sum})
	if errors.Is(err, jetstream.ErrUpdateMetaDeleted) {
		return false, nil
	}
	return err == nil, b.s.ended(err)
}

func (b natsBlobs) Stored(ctx context.Context, sum string) (time.Time, error) {
	ctx, cancel := b.s.asked(ctx)
	defer cancel()
	info, err := b.objects.GetInfo(ctx, sum)
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

// Tidy: a file is a series of chunks under a subject of its own, and then the
// message that names it. Chunks that none names are of a put that was killed.
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
