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
	// Store is the folder of a queue on this machine. The process that opens
	// it first is its server; others talk to that one.
	Store string
	// URL is a server elsewhere, nats://[TOKEN@]HOST:PORT (or tls://), in place of
	// Store; or several of a cluster, with commas between.
	URL string
	// Secret is what the server of URL wants to see: its token, or the text of a
	// NATS credentials file. "": what URL says.
	Secret string
	// TLS is a folder of certificates: ca.pem, the authority to trust; cert.pem and
	// key.pem, this side's own. A client needs the first or the other two. The
	// server of a store needs the other two, and with the first it lets in only
	// those with a certificate of that authority. "": the server of a store speaks
	// in the clear, and what URL says for a client.
	TLS string
	// Listen is where the server of Store takes workers from, HOST:PORT;
	// "" is a port of its own that only this machine reaches.
	Listen string
	// Own is where the jobs that are submitted are remembered; "": nowhere.
	Own Own
	// MustServe refuses a store that another process serves.
	MustServe bool
	// Wait is how long a worker may be silent before its job goes to another; 0: 30 s.
	Wait time.Duration
	// Patience is how long a server of URL that does not answer is asked again, as
	// one that starts or has no leader yet; 0: not at all. One that says no is not.
	Patience time.Duration
	// Waiting is called once when a server is asked again, with the reason; may be nil.
	Waiting func(error)
	// Who says what opened the store, for the message to the next: "impasto worker".
	Who string
	Log *slog.Logger // of the server and of the connection; nil: none
}

// BusyError says that another process has the store open and does not answer.
type BusyError struct {
	Store, Who string
	PID        int
}

func (e *BusyError) Error() string {
	if e.PID == 0 { // its lock file was deleted, and it is about to notice
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

// IsStore reports whether a queue was kept in a folder before.
func IsStore(folder string) bool {
	for _, name := range []string{lockFile, recordFolder} {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// StoresIn lists the folders in a folder that hold queues, by their names there.
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

// Open opens a queue. Errors are *BusyError, *UnreachableError, *FullError, that
// of ctx, or another of the disk.
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

// lockStore makes this process the store's server, or says which one is. The
// server library itself would let two processes write one store.
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

// dialPatiently is dial, again and again while the server may come back.
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

// mayReturn tells a server that is away from one that says no and a name that
// does not exist.
func mayReturn(err error) bool {
	var name *net.DNSError
	if errors.As(err, &name) {
		return !name.IsNotFound
	}
	var network *net.OpError
	return isSilence(err) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, io.EOF) || errors.As(err, &network)
}

// dial connects to a server. That of a store is looked for anew at every
// attempt, for the next one listens elsewhere.
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

// natsConnect is nats.Connect, which tries one server after the other, with an end by ctx.
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

// tellFaults keeps the client from writing to the standard error.
func (o Options) tellFaults() nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if o.Log != nil {
			o.Log.Warn("connection to the queue", "error", err)
		}
	})
}

// shown is a URL, or several, without the secret.
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

// servedWith is the folder of the certificates that the server of a store speaks
// with, "" for none. On the same machine they serve the other side as well.
func servedWith(store string) string {
	text, err := os.ReadFile(filepath.Join(store, tlsFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Reach returns how workers elsewhere reach the server of a store: the URL
// with its token.
func Reach(store string) (string, error) {
	text, err := os.ReadFile(filepath.Join(store, urlFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no server runs on %q", store)
	}
	return strings.TrimSpace(string(text)), err
}
