package farm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams of the queue are made when a queue is first opened on a server.
// Existing streams stay as they are, because the owner of a cluster may have chosen
// their replicas, limits and places. Only the properties that the queue relies on
// are corrected.

const (
	streamName = "IMPASTO_JOBS"
	bucketName = "impasto_status"
	blobsName  = "impasto_blobs"

	// twiceWithin is how long the server recognises a message sent twice.
	twiceWithin = time.Hour
	// clusterReplicas is how many servers of a cluster store everything. Of three,
	// one may be lost.
	clusterReplicas = 3
	// electWithin is how long a cluster may be without a leader.
	electWithin = 20 * time.Second
)

// Errors of a server (server/errors.json of nats-server) that the client has no
// names for.
const (
	codeNoPeers     jetstream.ErrorCode = 10005 // too few servers have space
	codeUnavailable jetstream.ErrorCode = 10008 // no leader has been elected
	codeNotLeader   jetstream.ErrorCode = 10009
	codeNoReplicas  jetstream.ErrorCode = 10074 // the server is not in a cluster
)

// streams holds what the queue keeps on a server.
type streams struct {
	jobs    jetstream.Stream
	records jetstream.KeyValue
	bucket  jetstream.Stream // that of the records
	index   jetstream.Stream
	alone   bool // there is one server, so direct reads are safe
}

// openStreams opens the streams. It waits a little for a cluster that has just been
// started to elect its leaders and to have enough servers.
func openStreams(ctx context.Context, conn *nats.Conn, js jetstream.JetStream) (streams, error) {
	replicas, alone := 1, conn.ConnectedClusterName() == ""
	if !alone {
		replicas = clusterReplicas
	}
	for begun := time.Now(); ; pause(ctx, 100*time.Millisecond) {
		s, err := makeStreams(ctx, js, replicas, alone)
		late := time.Since(begun) > connectWithin
		switch {
		case err == nil || ctx.Err() != nil:
			return s, err
		case code(err) == codeNoReplicas || code(err) == codeNoPeers && late:
			if replicas == 1 {
				return s, err
			}
			replicas = 1
		case errors.Is(err, nats.ErrNoResponders) && late:
			return s, fmt.Errorf("JetStream is not enabled there: %w", err)
		case code(err) != codeNoPeers && !isSilence(err), time.Since(begun) > electWithin:
			return s, err
		}
	}
}

func makeStreams(ctx context.Context, js jetstream.JetStream, replicas int, alone bool) (s streams, err error) {
	s.alone = alone
	reads := func(c *jetstream.StreamConfig) bool { return readsFrom(c, alone) }
	s.jobs, err = ensure(ctx, js, streamName, func() error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{
			Name: streamName, Subjects: jobSubjects, Retention: jetstream.WorkQueuePolicy,
			Storage: jetstream.FileStorage, Duplicates: twiceWithin, Replicas: replicas,
		})
		return err
	}, func(c *jetstream.StreamConfig) bool {
		same := slices.Equal(c.Subjects, jobSubjects) && c.Duplicates == twiceWithin
		c.Subjects, c.Duplicates = jobSubjects, twiceWithin
		return !same
	})
	if err != nil {
		return s, err
	}
	s.bucket, err = ensure(ctx, js, "KV_"+bucketName, func() error {
		_, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucketName, Storage: jetstream.FileStorage, Replicas: replicas})
		return err
	}, reads)
	if err != nil {
		return s, err
	}
	s.index, err = ensure(ctx, js, indexName, func() error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{
			Name: indexName, Subjects: []string{indexSubject + ">"}, Storage: jetstream.FileStorage, Replicas: replicas, AllowDirect: s.alone,
		})
		return err
	}, reads)
	if err != nil {
		return s, err
	}
	_, err = ensure(ctx, js, "OBJ_"+blobsName, func() error {
		_, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: blobsName, Storage: jetstream.FileStorage, Replicas: replicas})
		return err
	}, func(c *jetstream.StreamConfig) bool { return readsFrom(c, false) })
	if err != nil {
		return s, err
	}
	s.records, err = js.KeyValue(ctx, bucketName)
	return s, err
}

var jobSubjects = []string{"impasto.job.>"}

// readsFrom turns direct reads on for a single server, where they are cheap, and off in a
// cluster, so that the leader answers. There any replica answers a direct read, also one
// that lags behind, and a record it does not know yet would look like a removed job.
func readsFrom(c *jetstream.StreamConfig, alone bool) bool {
	same := c.AllowDirect == alone
	c.AllowDirect = alone
	return !same
}

// ensure makes a stream if it does not exist. Another process may be making it too.
// If the stream exists, ensure changes its configuration if change says so.
func ensure(ctx context.Context, js jetstream.JetStream, name string, create func() error, change func(*jetstream.StreamConfig) bool) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err = create(); err == nil || errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			stream, err = js.Stream(ctx, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the queue's %s cannot be set up: %w", name, err)
	}
	config := stream.CachedInfo().Config
	if !change(&config) {
		return stream, nil
	}
	return js.UpdateStream(ctx, config)
}

// code returns the code of a server's error, or 0.
func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

// isSilence distinguishes a server that does not answer, or a missing server, from
// one that refuses.
func isSilence(err error) bool {
	silences := []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed, nats.ErrDisconnected,
		nats.ErrReconnectBufExceeded, nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse,
	}
	return slices.ContainsFunc(silences, func(silence error) bool { return errors.Is(err, silence) }) || code(err) == codeUnavailable || code(err) == codeNotLeader
}
