//go:build !noserver

package farm

import (
	"context"
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
)

// The server library takes longer to compile than all of Impasto. A build with
// the tag noserver does without it, for whoever wants a first picture soon: it
// speaks to queues that others serve.

// startWithin is long, for a store of many jobs is read first.
const startWithin = 20 * time.Second

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
		if port == 0 { // which the server library takes for its own default, 4222
			port = server.RANDOM_PORT
		}
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

// serverLog hands what the server says to slog.
type serverLog struct{ log *slog.Logger }

func (l *serverLog) Noticef(f string, v ...any) { l.log.Debug(fmt.Sprintf(f, v...)) }
func (l *serverLog) Warnf(f string, v ...any)   { l.log.Warn(fmt.Sprintf(f, v...)) }
func (l *serverLog) Fatalf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l *serverLog) Errorf(f string, v ...any)  { l.log.Error(fmt.Sprintf(f, v...)) }
func (l *serverLog) Debugf(f string, v ...any)  {}
func (l *serverLog) Tracef(f string, v ...any)  {}
