package farm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say where the queue is.
type Options struct {
	// Store is the folder of a queue on this machine. The process that opens it
	// first is its server. Other processes connect to that server.
	Store string
	// URL is a server elsewhere, nats://[TOKEN@]HOST:PORT (or tls://), instead of
	// Store. It may list several servers of a cluster, separated by commas.
	URL string
	// Secret is the credential for the server of URL: its token, or the text of a
	// NATS credentials file. If it is "", the credential in URL is used.
	Secret string
	// TLS is a folder of certificates. ca.pem is the authority to trust. cert.pem
	// and key.pem belong to this side. A client needs ca.pem or the other two. The
	// server of a store needs the other two. If it also has ca.pem, it accepts only
	// clients with a certificate of that authority. If TLS is "", the server of a
	// store does not encrypt, and a client does what URL says.
	TLS string
	// Listen is the address, HOST:PORT, at which the server of Store accepts
	// workers. If it is "", the server uses a free port that only this machine
	// reaches.
	Listen string
	// Own is where the submitted jobs are recorded; "": nowhere.
	Own Own
	// MustServe refuses a store that another process serves.
	MustServe bool
	// Wait is how long a worker may be silent before its job goes to another; 0: 30 s.
	Wait time.Duration
	// Patience is how long to retry when a server of URL does not answer, for
	// example because it is starting or has no leader yet. 0 means no retry. A
	// server that refuses is not retried.
	Patience time.Duration
	// Waiting is called once before the first retry, with the reason; may be nil.
	Waiting func(error)
	// Who names the program that opened the store, for the message to the next one:
	// "impasto worker".
	Who string
	Log *slog.Logger // of the server and of the connection; nil: none
}

// BusyError says that another process has the store open and does not answer.
type BusyError struct {
	Store, Who string
	PID        int
}

func (e *BusyError) Error() string {
	if e.PID == 0 { // its lock file was deleted, and it will notice soon
		return "queue store is in use by another process"
	}
	return fmt.Sprintf("queue store is in use by process %d (%s)", e.PID, e.Who)
}

// UnreachableError says that a server does not answer.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the queue at %s does not answer: %v", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

const (
	connectWithin = 5 * time.Second
	holderWithin  = 20 * time.Second // limit of the search for the process that serves a store
	maxPayload    = 8 << 20          // of a message, and so of a record; NATS's default is 1 MiB
	urlFile       = "url"            // how to reach the server, readable for this user only
	tokenFile     = "token"
	tlsFile       = "tls" // names the folder of the server's certificates
	lockFile      = "LOCK"
	recordFolder  = "jetstream" // what the server keeps
)

// IsStore reports whether a folder holds a queue.
func IsStore(folder string) bool {
	for _, name := range []string{lockFile, recordFolder} {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// StoresIn lists the folders in a folder that hold queues, by name.
func StoresIn(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var stores []string
	for _, e := range entries {
		if path := filepath.Join(folder, e.Name()); e.IsDir() && IsStore(path) {
			stores = append(stores, e.Name())
		}
	}
	return stores
}

// Open opens a queue. Its error is *BusyError, *UnreachableError, *FullError, that
// of ctx, or one of the disk.
func Open(ctx context.Context, o Options) (Queue, error) {
	q, err := openQueue(ctx, o)
	if o.Store != "" && isFull(err) {
		return nil, fullStore(o.Store, err)
	}
	if own, ok := q.(*queue); ok {
		own.own = o.Own
	}
	return q, err
}

func openQueue(ctx context.Context, o Options) (Queue, error) {
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	if o.URL != "" {
		return dialPatiently(ctx, o)
	}
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, err
	}
	for end := time.Now().Add(holderWithin); ; pause(ctx, 50*time.Millisecond) {
		lock, holder, err := lockStore(o)
		if err != nil {
			return nil, err
		}
		if lock != nil {
			return serve(ctx, o, lock)
		}
		if o.MustServe {
			return nil, holder
		}
		// The server of the store may be about to write its address, or to end.
		if at, err := os.ReadFile(filepath.Join(o.Store, urlFile)); err == nil {
			found := o
			found.URL = strings.TrimSpace(string(at))
			if q, err := dial(ctx, found, o.Store); err == nil {
				return q, nil
			}
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return nil, holder
		}
	}
}

// lockStore makes this process the store's server, or says which process is. The
// server library itself would let two processes write to one store.
func lockStore(o Options) (*folderLock, *BusyError, error) {
	lock, err := lockFolder(o.Store)
	if err != nil {
		return nil, nil, err
	}
	if lock == nil {
		busy := &BusyError{Store: o.Store}
		text, _ := os.ReadFile(filepath.Join(o.Store, lockFile))
		pid, who, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		busy.PID, _ = strconv.Atoi(pid)
		busy.Who = cmp.Or(who, "unknown")
		return nil, busy, nil
	}
	if err = lock.file.Truncate(0); err == nil {
		_, err = lock.file.WriteAt([]byte(fmt.Sprintf("%d %s\n", os.Getpid(), o.Who)), 0)
	}
	if err != nil {
		lock.close()
		return nil, nil, err
	}
	return lock, nil, nil
}

// dialPatiently calls dial again while the server may come back.
func dialPatiently(ctx context.Context, o Options) (Queue, error) {
	for end := time.Now().Add(o.Patience); ; {
		q, err := dial(ctx, o, "")
		if err == nil || ctx.Err() != nil || !mayReturn(err) || time.Now().After(end) {
			return q, err
		}
		if o.Waiting != nil {
			o.Waiting(err)
			o.Waiting = nil
		}
		pause(ctx, time.Second)
	}
}

// mayReturn distinguishes a server that is away from one that refuses and from a
// name that does not exist.
func mayReturn(err error) bool {
	var name *net.DNSError
	if errors.As(err, &name) {
		return !name.IsNotFound
	}
	var network *net.OpError
	return isSilence(err) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, io.EOF) || errors.As(err, &network)
}

// dial connects to a server. It looks up the address of a store's server at every
// attempt, because the next server listens at another address.
func dial(ctx context.Context, o Options, store string) (Queue, error) {
	options := []nats.Option{
		nats.Name("impasto"), nats.Timeout(connectWithin), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		o.tellFaults(),
	}
	if store != "" {
		options = append(options, nats.SetCustomDialer(storeDialer{store}))
		o.TLS = servedWith(store)
	}
	if o.TLS != "" {
		config, err := clientTLS(o.TLS)
		if err != nil {
			return nil, &CertificateError{err}
		}
		options = append(options, nats.Secure(config))
	}
	switch {
	case strings.Contains(o.Secret, "BEGIN NATS USER JWT"):
		options = append(options, nats.UserCredentialBytes([]byte(o.Secret)))
	case o.Secret != "":
		options = append(options, nats.Token(o.Secret))
	}
	conn, err := natsConnect(ctx, o.URL, options)
	if err == nil {
		var q *queue
		if q, err = connect(ctx, conn, o.Wait); err == nil {
			q.store.(*natsStore).at = shown(o.URL)
			return q, nil
		}
		conn.Close()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, &UnreachableError{shown(o.URL), err}
}

// natsConnect is like nats.Connect, which tries one server after the other, but
// stops when ctx ends.
func natsConnect(ctx context.Context, servers string, options []nats.Option) (*nats.Conn, error) {
	type outcome struct {
		conn *nats.Conn
		err  error
	}
	tried := make(chan outcome, 1)
	go func() {
		conn, err := nats.Connect(servers, options...)
		tried <- outcome{conn, err}
	}()
	select {
	case o := <-tried:
		return o.conn, o.err
	case <-ctx.Done():
		go func() {
			if o := <-tried; o.err == nil {
				o.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// tellFaults keeps the client library from writing to standard error.
func (o Options) tellFaults() nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if o.Log != nil {
			o.Log.Warn("connection to the queue", "error", err)
		}
	})
}

// shown returns a URL, or several, without the secret.
func shown(text string) string {
	list := strings.Split(text, ",")
	for i, one := range list {
		u, err := url.Parse(one)
		if err != nil {
			return "that URL"
		}
		u.User = nil
		list[i] = u.String()
	}
	return strings.Join(list, ",")
}

// storeDialer connects to whichever process serves a store now.
type storeDialer struct{ store string }

func (d storeDialer) Dial(network, address string) (net.Conn, error) {
	if text, err := os.ReadFile(filepath.Join(d.store, urlFile)); err == nil {
		if u, err := url.Parse(strings.TrimSpace(string(text))); err == nil && u.Host != "" {
			address = u.Host
		}
	}
	return net.DialTimeout(network, address, connectWithin)
}

// servedWith returns the folder of the certificates that the server of a store
// uses, or "" if there is none. Clients on the same machine use them too.
func servedWith(store string) string {
	text, err := os.ReadFile(filepath.Join(store, tlsFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Reach returns the URL, with its token, by which workers elsewhere reach the
// server of a store.
func Reach(store string) (string, error) {
	text, err := os.ReadFile(filepath.Join(store, urlFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no server runs on %q", store)
	}
	return strings.TrimSpace(string(text)), err
}
