//go:build !noserver

package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// serveWord makes this program run as a server: serve NAME DIR PORT CLUSTERPORT
// ROUTES SYNC.
const serveWord = "serve"

// serve runs until it is killed, with the settings of impasto queue serve.
func serve(args []string) {
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	o := &server.Options{
		ServerName: args[0], Host: "127.0.0.1", Port: number(args[2]), JetStream: true, StoreDir: args[1],
		MaxPayload: 8 << 20, SyncAlways: args[5] == "true", NoSigs: true, NoLog: true,
	}
	if args[4] != "" {
		o.Cluster = server.ClusterOpts{Name: "sim", Host: "127.0.0.1", Port: number(args[3])}
		for _, port := range strings.Split(args[4], ",") {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + port})
		}
	}
	srv, err := server.NewServer(o)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	srv.Start()
	if !srv.ReadyForConnections(20 * time.Second) {
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1)) // it is closed when the parent program ends
}

// servers are the processes that serve the queue.
type servers struct {
	urls    string
	running []*exec.Cmd
	dirs    []string
	peak    []usage
	killed  string
}

func startServers(o settings) (*servers, error) {
	n := 1
	if o.cluster {
		n = 3
	}
	ports, err := freePorts(2 * n)
	if err != nil {
		return nil, err
	}
	routes := ""
	if o.cluster {
		routes = strings.Join(ports[n:], ",")
	}
	s := &servers{peak: make([]usage, n)}
	var urls []string
	for i := range n {
		dir := filepath.Join(o.dir, fmt.Sprint("server", i))
		c := exec.Command(os.Args[0], serveWord, fmt.Sprint("n", i), dir, ports[i], ports[n+i], routes, strconv.FormatBool(o.sync))
		c.Stderr = os.Stderr
		if _, err := c.StdinPipe(); err != nil {
			return nil, err
		}
		out, err := c.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := c.Start(); err != nil {
			return nil, err
		}
		s.running, s.dirs = append(s.running, c), append(s.dirs, dir)
		urls = append(urls, "nats://127.0.0.1:"+ports[i])
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
			s.stop()
			return nil, fmt.Errorf("server %d does not start: %s", i, line)
		}
	}
	s.urls = strings.Join(urls, ",")
	return s, nil
}

// freePorts returns ports on which no process listens.
func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

func (s *servers) stop() {
	for _, c := range s.running {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// killOneAt kills a server for good when isTime returns true.
func (s *servers) killOneAt(ctx context.Context, isTime func() bool) {
	for !isTime() {
		if rest(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return
		}
	}
	s.killed = "n0"
	_ = s.running[0].Process.Kill()
}

// usage is the resource usage of a server.
type usage struct {
	memory int64 // most at once, bytes
	disk   int64 // bytes
	cpu    time.Duration
}

// usage reads the resource usage of the servers, where the system provides it
// (Linux).
func (s *servers) usage() []usage {
	for i, c := range s.running {
		u := &s.peak[i]
		if kB, ok := status(c.Process.Pid, "VmHWM:"); ok {
			u.memory = kB << 10
		}
		if t, ok := cpuTime(c.Process.Pid); ok {
			u.cpu = t
		}
		var size int64
		_ = filepath.WalkDir(s.dirs[i], func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if info, err := d.Info(); err == nil {
					size += info.Size()
				}
			}
			return nil
		})
		u.disk = max(u.disk, size)
	}
	return s.peak
}

func status(pid int, field string) (int64, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// cpuTime returns the processor time of a process, counted in Linux's 100 ticks a
// second.
func cpuTime(pid int) (time.Duration, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, false
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err1 == nil && err2 == nil
}
