//go:build !noserver

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
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// The server library takes longer to compile than all of Impasto. A build with the
// tag noserver omits it, for users who want a quick build. Such a program can use
// only queues that other processes serve.

const (
	// startWithin is long, because the server first reads the store.
	startWithin = 2 * time.Minute
	// greetWithin is how long a client may take to authenticate.
	greetWithin = 10 * time.Second
)

// serve starts the server of a store. The caller holds the store's lock.
func serve(ctx context.Context, o Options, lock *folderLock) (_ Queue, err error) {
	var srv *server.Server
	stop := func() {
		if srv != nil {
			srv.Shutdown()
			srv.WaitForShutdown()
		}
		if lock.kept() { // otherwise the file belongs to the next server
			os.Remove(filepath.Join(o.Store, urlFile))
			os.Remove(filepath.Join(o.Store, tlsFile))
		}
		lock.close()
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	if err := hasRoom(o.Store, roomToOpen.Load()); err != nil {
		return nil, err
	}
	secret, err := secret(o.Store)
	if err != nil {
		return nil, err
	}
	host, port, err := listenAt(o.Listen)
	if err != nil {
		return nil, err
	}
	settings := &server.Options{
		ServerName: "impasto", Host: host, Port: port, Authorization: secret,
		JetStream: true, StoreDir: filepath.Join(o.Store, recordFolder), MaxPayload: maxPayload,
		// JetStream acknowledges before the data is on the disk. A queue that must
		// survive a power failure has to wait for the disk.
		SyncAlways: true, NoSigs: true, AuthTimeout: greetWithin.Seconds(),
	}
	if err := useTLS(settings, o); err != nil {
		return nil, err
	}
	if srv, err = server.NewServer(settings); err != nil {
		return nil, err
	}
	says := &serverLog{log: o.Log, full: make(chan struct{}), fatal: make(chan string, 1)}
	if o.Log == nil {
		says.log = slog.New(slog.DiscardHandler)
	}
	srv.SetLoggerV2(says, false, false, false)
	srv.Start()
	if err := ready(ctx, srv, says); err != nil {
		return nil, fmt.Errorf("the queue's server does not start on %s: %w", net.JoinHostPort(host, strconv.Itoa(port)), err)
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
		if says.isFull() || hasRoom(o.Store, roomToServe.Load()) != nil {
			err = fullStore(o.Store, err)
		}
		return nil, err
	}
	s := q.store.(*natsStore)
	s.at = shown(at.String())
	s.full = func() { s.fail(fullStore(o.Store, nil)) }
	watched, unwatch := context.WithCancel(context.Background())
	s.stop = func() { unwatch(); stop() }
	go guard(watched, o.Store, lock, says.full, s.fail)
	if complete, err := s.isIndexed(ctx); err == nil && !complete { // a queue of an earlier version
		go s.reindex(watched)
	}
	return q, nil
}

// ready waits until a server accepts connections.
func ready(ctx context.Context, srv *server.Server, says *serverLog) error {
	up := make(chan bool, 1)
	go func() { up <- srv.ReadyForConnections(startWithin) }()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case text := <-says.fatal:
		return errors.New(text)
	case ok := <-up:
		if !ok {
			return fmt.Errorf("it is not ready after %v", startWithin)
		}
		return nil
	}
}

// listenAt splits an address. "" means this machine and any free port.
func listenAt(address string) (host string, port int, err error) {
	if address == "" {
		return "127.0.0.1", server.RANDOM_PORT, nil
	}
	host, p, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil {
		return "", 0, fmt.Errorf("%q is not HOST:PORT", address)
	}
	if port == 0 { // the server library would use its default, 4222
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// useTLS makes the server encrypt, if the options say so. It records where clients
// on this machine find the certificates.
func useTLS(settings *server.Options, o Options) (err error) {
	note := filepath.Join(o.Store, tlsFile)
	os.Remove(note) // left by a server that was killed
	if o.TLS == "" {
		return nil
	}
	if o.TLS, err = filepath.Abs(o.TLS); err != nil {
		return err
	}
	if settings.TLSConfig, err = serverTLS(o.TLS); err != nil {
		return &CertificateError{err}
	}
	settings.TLS, settings.TLSTimeout = true, greetWithin.Seconds()
	return writePrivate(note, o.TLS)
}

// reachable returns a host name by which this machine reaches a server that listens
// on host.
func reachable(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// secret returns the store's token. It stays the same for the life of the store, so
// that workers can also connect to its next server.
func secret(store string) (string, error) {
	path := filepath.Join(store, tokenFile)
	if text, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(text))) >= 16 {
		return strings.TrimSpace(string(text)), nil
	}
	secret := token() + token()
	return secret, writePrivate(path, secret)
}

// writePrivate writes a file that only its owner can read.
func writePrivate(path, text string) error {
	tmp := fmt.Sprintf("%s.tmp-%d", path, os.Getpid())
	if err := os.WriteFile(tmp, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// serverLog passes the server's messages to slog. It notices when the server could
// not write, because the server then continues without telling its clients.
type serverLog struct {
	log   *slog.Logger
	once  sync.Once
	full  chan struct{} // closed when a write failed for lack of room
	fatal chan string   // why the server cannot go on
}

func (l *serverLog) Noticef(f string, v ...any) { l.log.Debug(fmt.Sprintf(f, v...)) }
func (l *serverLog) Warnf(f string, v ...any)   { l.record(slog.LevelWarn, f, v) }
func (l *serverLog) Errorf(f string, v ...any)  { l.record(slog.LevelError, f, v) }
func (l *serverLog) Debugf(f string, v ...any)  {}
func (l *serverLog) Tracef(f string, v ...any)  {}

func (l *serverLog) Fatalf(f string, v ...any) {
	l.record(slog.LevelError, f, v)
	select {
	case l.fatal <- fmt.Sprintf(f, v...):
	default: // the first message is the reason
	}
}

func (l *serverLog) record(level slog.Level, f string, v []any) {
	text := fmt.Sprintf(f, v...)
	l.log.Log(context.Background(), level, text)
	for _, a := range v {
		if err, ok := a.(error); ok && isFull(err) {
			l.once.Do(func() { close(l.full) })
		}
	}
	if strings.Contains(text, syscall.ENOSPC.Error()) || strings.Contains(text, "resources, will be DISABLED") {
		l.once.Do(func() { close(l.full) })
	}
}

func (l *serverLog) isFull() bool {
	select {
	case <-l.full:
		return true
	default:
		return false
	}
}
