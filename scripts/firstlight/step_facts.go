package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// facts says what there is. A machine whose driver has no usable device is found
// out here.
func facts(c *child) error {
	c.find(result{What: "machine", Text: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())})
	if text, err := os.ReadFile("/proc/driver/nvidia/version"); err == nil {
		first, _, _ := strings.Cut(string(text), "\n")
		c.find(result{What: "driver", Text: first, Head: true})
	}
	for _, ask := range []struct {
		what string
		argv []string
	}{
		{"nvidia-smi", []string{"nvidia-smi", "--format=csv,noheader",
			"--query-gpu=name,driver_version,memory.total,memory.used,clocks.max.sm,clocks.max.mem,power.limit,temperature.gpu,utilization.gpu,compute_mode,ecc.mode.current,mig.mode.current"}},
		{"program", []string{"./impasto", "version"}},
		{"PyTorch", []string{"python3", "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.backends.cudnn.version())"}},
	} {
		out, err := tell(10*time.Second, nil, ask.argv...)
		if err != nil {
			text := strings.TrimSpace(err.Error())
			c.find(result{What: ask.what, Text: "not there: " + text[strings.LastIndexByte(text, '\n')+1:]}) // a traceback's last line
			continue
		}
		c.find(result{What: ask.what, Text: strings.ReplaceAll(strings.TrimSpace(out), "\n", "; ")})
	}
	list, err := listDevices()
	if err != nil {
		return err
	}
	for n, i := range list {
		c.find(result{What: fmt.Sprintf("cuda:%d", n), Head: n == 0,
			Text: fmt.Sprintf("%s, sm_%d%d, multiprocessors: %d, driver for CUDA %d.%d", i.Name, i.Major, i.Minor, i.SMs, i.Driver/1000, i.Driver%1000/10),
			Values: map[string]float64{
				"memory gb": float64(i.Memory) / 1e9, "shared kb of a block": float64(i.SharedBlock) / 1024}})
	}
	return nil
}

// tell runs a command for at most a time and returns what it prints.
func tell(limit time.Duration, env []string, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	ownGroup(cmd)
	cmd.WaitDelay = time.Second
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped after %.0f s", limit.Seconds())
	}
	if err != nil {
		last := stderr.text()
		if i := strings.LastIndexByte(last, '\n'); i >= 0 && len(last) > 400 {
			last = last[i+1:]
		}
		return string(out), fmt.Errorf("%s: %v %s", argv[0], err, last)
	}
	return string(out), nil
}
