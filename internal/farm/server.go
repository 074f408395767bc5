package farm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/impasto/impasto/internal/filelock"
)

// Options say where the queue is.
type Options struct {
	// Store is the folder of a queue on this machine. The process that opens
	// it first is its server; others talk to that one.
	Store string
	// URL is a server elsewhere, nats://[TOKEN@]HOST:PORT, in place of Store.
	URL string
	// Listen is where the server of Store takes workers from, HOST:PORT;
	// "" is a port of its own that only this machine reaches.
	Listen string
	// MustServe refuses a store that another process serves.
	MustServe bool
	// Wait is how long a worker may be silent before its job goes to another; 0: 30 s.
	Wait time.Duration
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
	startWithin   = 20 * time.Second // a store of many jobs is read first
	maxPayload    = 8 << 20          // of a message; a record is one, and NATS by itself takes 1 MiB
	urlFile       = "url"            // how to reach the server, for this user only
	tokenFile     = "token"
	lockFile      = "LOCK"
)

// Open opens a queue. Errors are *BusyError, *UnreachableError or of the disk.
func Open(ctx context.Context, o Options) (Queue, error) {
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	if o.URL != "" {
		return dial(ctx, o, "")
	}
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, err
	}
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
	// Its server may be about to write down where it listens.
	for end := time.Now().Add(connectWithin); ; time.Sleep(50 * time.Millisecond) {
		if at, err := os.ReadFile(filepath.Join(o.Store, urlFile)); err == nil {
			o.URL = strings.TrimSpace(string(at))
			if q, err := dial(ctx, o, o.Store); err == nil {
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
func lockStore(o Options) (*os.File, *BusyError, error) {
	path := filepath.Join(o.Store, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	free, err := filelock.Try(f)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%q cannot be locked: %w", path, err)
	}
	if !free {
		busy := &BusyError{Store: o.Store, Who: "unknown"}
		text, _ := os.ReadFile(path)
		pid, who, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		busy.PID, _ = strconv.Atoi(pid)
		if who != "" {
			busy.Who = who
		}
		f.Close()
		return nil, busy, nil
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(fmt.Sprintf("%d %s\n", os.Getpid(), o.Who)), 0)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, nil, nil
}

// serve starts the server of a store whose lock is held.
func serve(ctx context.Context, o Options, lock *os.File) (_ Queue, err error) {
	var srv *server.Server
	stop := func() {
		if srv != nil {
			srv.Shutdown()
			srv.WaitForShutdown()
		}
		os.Remove(filepath.Join(o.Store, urlFile))
		lock.Close()
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	secret, err := secret(o.Store)
	if err != nil {
		return nil, err
	}
	host, port := "127.0.0.1", server.RANDOM_PORT
	if o.Listen != "" {
		h, p, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return nil, fmt.Errorf("%q is not HOST:PORT", o.Listen)
		}
		if port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("%q is not HOST:PORT", o.Listen)
		}
		host = h
	}
	srv, err = server.NewServer(&server.Options{
		ServerName: "impasto", Host: host, Port: port, Authorization: secret,
		JetStream: true, StoreDir: filepath.Join(o.Store, "jetstream"), MaxPayload: maxPayload,
		// JetStream acknowledges before the disk has it; a queue that is meant
		// to survive a power cut must wait.
		SyncAlways: true, NoSigs: true, NoLog: o.Log == nil,
	})
	if err != nil {
		return nil, err
	}
	if o.Log != nil {
		srv.SetLoggerV2(&serverLog{o.Log}, false, false, false)
	}
	srv.Start()
	if !srv.ReadyForConnections(startWithin) {
		return nil, fmt.Errorf("the queue's server does not start on %s", net.JoinHostPort(host, strconv.Itoa(port)))
	}
	at := &url.URL{Scheme: "nats", User: url.User(secret), Host: net.JoinHostPort(reachable(host), strconv.Itoa(srv.Addr().(*net.TCPAddr).Port))}
	if err := writePrivate(filepath.Join(o.Store, urlFile), at.String()); err != nil {
		return nil, err
	}
	conn, err := nats.Connect("", nats.InProcessServer(srv), nats.Token(secret), nats.MaxReconnects(-1), o.tellFaults())
	if err != nil {
		return nil, err
	}
	q, err := connect(ctx, conn, o.Wait)
	if err != nil {
		conn.Close()
		return nil, err
	}
	q.store.(*natsStore).stop = stop
	q.store.(*natsStore).at = shown(at.String())
	return q, nil
}

// reachable is a host that a server on it is reached by from this machine.
func reachable(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// secret is the store's token: the same for as long as the store lives, so that
// workers find the next server of it as well.
func secret(store string) (string, error) {
	path := filepath.Join(store, tokenFile)
	if text, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(text))) >= 16 {
		return strings.TrimSpace(string(text)), nil
	}
	secret := token() + token()
	return secret, writePrivate(path, secret)
}

// writePrivate writes a file that only its owner reads.
func writePrivate(path, text string) error {
	tmp := fmt.Sprintf("%s.tmp-%d", path, os.Getpid())
	if err := os.WriteFile(tmp, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
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
	}
	conn, err := nats.Connect(o.URL, options...)
	if err != nil {
		return nil, &UnreachableError{shown(o.URL), err}
	}
	q, err := connect(ctx, conn, o.Wait)
	if err != nil {
		conn.Close()
		return nil, &UnreachableError{shown(o.URL), err}
	}
	q.store.(*natsStore).at = shown(o.URL)
	return q, nil
}

// tellFaults keeps the client from writing to the standard error.
func (o Options) tellFaults() nats.Option {
	return nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if o.Log != nil {
			o.Log.Warn("connection to the queue", "error", err)
		}
	})
}

// shown is a URL without its secret.
func shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "that URL"
	}
	u.User = nil
	return u.String()
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

// Reach returns how workers elsewhere reach the server of a store: the URL
// with its token.
func Reach(store string) (string, error) {
	text, err := os.ReadFile(filepath.Join(store, urlFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no server runs on %q", store)
	}
	return strings.TrimSpace(string(text)), err
}

// serverLog hands what the server says to slog.
type serverLog struct{ log *slog.Logger }

func (l *serverLog) Noticef(f string, v ...any) { l.log.Debug(fmt.Sprintf(f, v...)) }
func (l *serverLog) Warnf(f string, v ...any)   { l.log.Warn(fmt.Sprintf(f, v...)) }
func (l *serverLog) Fatalf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l *serverLog) Errorf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l *serverLog) Debugf(f string, v ...any)  {}
func (l *serverLog) Tracef(f string, v ...any)  {}
