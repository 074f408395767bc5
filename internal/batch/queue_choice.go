package batch

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// QueueChoice says which queue a command uses. It holds the values of its flags, ""
// for those that were not given.
type QueueChoice struct {
	Queue          string // "": that of QueueVariable, or this user's
	TokenFile, TLS string
	Lease          string
	Who            string    // the command, for others who find the queue in use
	Warnings       io.Writer // of the permissions of the token file
}

// QueueVariable is the environment variable that names the queue if --queue is not
// given.
const QueueVariable = "IMPASTO_QUEUE"

func (c QueueChoice) where() string { return cmp.Or(c.Queue, os.Getenv(QueueVariable)) }

// hostAndPort matches an address without "nats://", which would otherwise be taken
// for a folder.
var hostAndPort = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{2,5}$`)

// Options returns how the chosen queue is opened.
func (c QueueChoice) Options() (farm.Options, error) {
	where, o := c.where(), farm.Options{Who: c.Who}
	if err := c.readLease(&o); err != nil {
		return o, err
	}
	own, err := OwnJobs()
	if err != nil {
		return o, err
	}
	o.Own = own
	if hostAndPort.MatchString(where) {
		if _, err := os.Stat(where); err != nil {
			f := ui.FaultsOf(c.bad("nats://HOST:PORT or a folder"))[0]
			f.Try = []string{"--queue nats://" + where}
			return o, f
		}
	}
	if !strings.Contains(where, "://") {
		if c.TokenFile != "" {
			return o, ui.UsageFault("--token-file is of a server elsewhere; --queue does not name one", "impasto queue serve --help   (makes such a server)")
		}
		if c.TLS != "" {
			return o, ui.UsageFault("--tls is for a server elsewhere; --queue does not name one", "impasto queue serve --help   (makes such a server)")
		}
		o.Store, err = StoreFolder(where)
		return o, err
	}
	var servers []string
	for one := range strings.SplitSeq(where, ",") {
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return o, c.bad("nats://HOST:PORT or a folder")
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), "4222")
		}
		servers = append(servers, u.String())
	}
	o.URL, o.TLS = strings.Join(servers, ","), c.TLS
	if c.TokenFile != "" {
		o.Secret, err = c.readToken()
	}
	return o, err
}

// Served returns how the chosen queue is served. Its folder is that of --queue, or
// this user's. The token file is written, not read.
func (c QueueChoice) Served() (farm.Options, error) {
	where := c.where()
	if strings.Contains(where, "://") {
		return farm.Options{}, c.bad("the folder of the queue that is to be served")
	}
	o := farm.Options{Who: c.Who, TLS: c.TLS}
	err := c.readLease(&o)
	if err == nil {
		o.Store, err = StoreFolder(where)
	}
	return o, err
}

// readLease reads --lease. All processes of one queue must use the same value.
func (c QueueChoice) readLease(o *farm.Options) (err error) {
	if c.Lease == "" {
		return nil
	}
	if o.Wait, err = time.ParseDuration(c.Lease); err != nil || o.Wait < leastLease {
		return settings.BadValue("lease", c.Lease, "a time from 2s")
	}
	return nil
}

// leastLease is the shortest lease. It leaves a worker two heartbeats.
const leastLease = 2 * time.Second

// bad returns the fault of a wrong name of a queue, which came from the flag or the
// variable.
func (c QueueChoice) bad(want string) error {
	if c.Queue != "" {
		return settings.BadValue("queue", c.Queue, want)
	}
	return ui.UsageFault(fmt.Sprintf("%s takes %s, got %q", QueueVariable, want, os.Getenv(QueueVariable)), "unset "+QueueVariable)
}

// CheckStore returns a fault if the chosen folder holds no queue. This user's own
// queue, which is chosen without a name, may be empty before the first batch.
func (c QueueChoice) CheckStore(o farm.Options) error {
	where := c.where()
	if o.Store == "" || where == "" || farm.IsStore(o.Store) {
		return nil
	}
	makes := "impasto batch submit --help   (makes a queue)"
	if c.Queue == "" {
		return ui.NewFault(ui.ExitQueue, "no_queue", fmt.Sprintf("there is no queue in the folder %q, which %s names", o.Store, QueueVariable), "unset "+QueueVariable, makes)
	}
	var hints []string
	if near := ui.Nearest(filepath.Base(o.Store), farm.StoresIn(filepath.Dir(o.Store))); near != "" {
		hints = append(hints, "--queue "+ui.ShellQuote(filepath.Join(filepath.Dir(where), near)))
	}
	return ui.NewFault(ui.ExitQueue, "no_queue", fmt.Sprintf("there is no queue in the folder %q", where), append(hints, "impasto queue ls   (this user's queue)", makes)...)
}

// readToken returns the secret in the token file.
func (c QueueChoice) readToken() (string, error) {
	if err := c.narrow(); err != nil {
		return "", err
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", ui.NewFault(ui.ExitInput, "token_file", fmt.Sprintf("token file %q: %s", c.TokenFile, ui.Reason(err)))
	}
	return strings.TrimSpace(string(text)), nil
}

// WriteToken writes a secret to the token file and makes it readable only for this
// user.
func (c QueueChoice) WriteToken(secret string) error {
	err := c.narrow()
	if err == nil {
		err = os.WriteFile(c.TokenFile, []byte(secret+"\n"), 0o600)
	}
	if err != nil {
		return ui.NewFault(ui.ExitOutput, "token_file", fmt.Sprintf("token file %q cannot be written: %s", c.TokenFile, ui.Reason(err)))
	}
	return nil
}

// narrow removes the permissions of other users from an existing token file, and
// warns about it. Whoever reads the file controls the queue.
func (c QueueChoice) narrow() error {
	file := c.TokenFile
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() || st.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return nil // reading or writing it reports what is wrong
	}
	if err := os.Chmod(file, st.Mode().Perm()&0o700); err != nil {
		return ui.NewFault(ui.ExitInput, "token_file", fmt.Sprintf("token file %q is open to others (mode %04o)", file, st.Mode().Perm()), "chmod 600 "+ui.ShellQuote(file))
	}
	fmt.Fprintf(c.Warnings, "token file %q was open to others (mode %04o); its mode is now %04o\n", file, st.Mode().Perm(), st.Mode().Perm()&0o700)
	return nil
}

// OwnJobs returns where the jobs that this user submitted are recorded.
func OwnJobs() (farm.Own, error) {
	dir, err := config.StateFolder()
	return farm.Own(filepath.Join(dir, "submitted")), err
}
