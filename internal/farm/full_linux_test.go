//go:build !noserver

package farm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk is a folder to mount small disks on, for a process of these tests
// that may.
const smallDisk = "IMPASTO_TEST_SMALL_DISK"

// onSmallDisk runs a test again in a process that may mount, and returns the
// folder in that process, "" in this one.
func onSmallDisk(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv(smallDisk); dir != "" {
		return dir
	}
	t.Parallel()
	own := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	own.Env = append(os.Environ(), smallDisk+"="+t.TempDir())
	own.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := own.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || strings.Contains(string(out), "SKIPPED"):
		t.Skip("SKIPPED: this machine lets no user mount a disk of its own")
	case err != nil || !strings.Contains(string(out), "PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	}
	return ""
}

// mount makes a folder a disk of so many bytes; resize changes that.
func mount(t *testing.T, dir string, bytes int) (resize func(int)) {
	t.Helper()
	mount := func(flags uintptr, bytes int) error {
		return syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%d", bytes))
	}
	if err := mount(0, bytes); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return func(bytes int) {
		if err := mount(syscall.MS_REMOUNT, bytes); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk: a store without room says so, and is good once there is room.
// With the look at the room left out, the server runs into the end of the disk.
func TestFullDisk(t *testing.T) {
	dir := onSmallDisk(t)
	if dir == "" {
		return
	}
	defer func(open, serve int64) { roomToOpen.Store(open); roomToServe.Store(serve) }(roomToOpen.Load(), roomToServe.Load())
	for _, looked := range []bool{true, false} {
		if !looked {
			roomToOpen.Store(0)
			roomToServe.Store(0)
		}
		for _, kB := range []int{4, 20, 28, 44, 60, 100, 140, 200} {
			at := filepath.Join(dir, fmt.Sprint(kB, looked))
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
			resize := mount(t, at, kB<<10)
			o := Options{Store: filepath.Join(at, "queue"), Wait: silence}
			jobs := []Job{job(t, "a"), job(t, "b"), job(t, "c")}
			err := fill(soon(t), o, jobs)
			var full *FullError
			switch {
			case !errors.As(err, &full):
				t.Errorf("%d kB, looked %v: %v", kB, looked, err)
			case full.Store != o.Store || full.Free < 0 || full.Free > int64(kB)<<10:
				t.Errorf("%d kB: %+v", kB, full)
			}
			resize(16 << 20)
			q := open(t, o)
			if _, err := q.Submit(soon(t), jobs...); err != nil {
				t.Fatal(err)
			}
			for range jobs {
				if err := next(t, q).Finish(soon(t), Done, nothing); err != nil {
					t.Fatal(err)
				}
			}
			for _, j := range jobs {
				state(t, q, j, Done)
			}
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// fill uses a store until its disk is full.
func fill(ctx context.Context, o Options, jobs []Job) error {
	q, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	if _, err := q.Submit(ctx, jobs...); err != nil {
		return err
	}
	for {
		l, err := q.Next(ctx, ClassCPU, "w", 0)
		if err != nil {
			return err
		}
		text := strings.Repeat("x", 10<<10)
		if err := l.Update(ctx, func(s *Status) { s.Outcome = []byte(`"` + text + `"`) }); err != nil {
			return err
		}
		if err := l.Finish(ctx, Queued, nothing); err != nil {
			return err
		}
	}
}

// TestDiskFillsUp: what waits for the queue ends when the disk of a store that
// is served is full, and nothing is lost.
func TestDiskFillsUp(t *testing.T) {
	dir := onSmallDisk(t)
	if dir == "" {
		return
	}
	mount(t, dir, 4<<20)
	ctx := soon(t)
	q := open(t, Options{Store: filepath.Join(dir, "queue")})
	a, b := job(t, "a"), job(t, "b")
	submit(t, q, a)
	held := next(t, q)
	ended := make(chan error, 1)
	idle := worker(t, q, paints)
	idle.Empty = 0
	go func() { ended <- idle.Run(ctx, nil) }()
	changes, err := q.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 4<<20), 0o600) // as far as it goes
	var full *FullError
	if err := <-ended; !errors.As(err, &full) {
		t.Errorf("the worker ends with %v", err)
	}
	for range changes { // until it is closed
	}
	if err := held.Finish(ctx, Done, nothing); !errors.As(err, &full) {
		t.Errorf("finish: %v", err)
	}
	if _, err := q.Submit(ctx, b); !errors.As(err, &full) {
		t.Errorf("submit: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	q = open(t, Options{Store: filepath.Join(dir, "queue"), Wait: silence}) // who held a is gone
	if _, err := q.Submit(ctx, a, b); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := next(t, q).Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
	}
	state(t, q, a, Done)
	state(t, q, b, Done)
}
