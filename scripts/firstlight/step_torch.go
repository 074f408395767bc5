package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/bench"
)

// forms are the ways that PyTorch may run the iteration, see torch_peer.py.
var forms = []struct{ name, what string }{
	{"fp32", "float32, TF32 off"},
	{"default", "as it comes"},
	{"amp", "channels last, float16 autocast"},
	{"graph", "the same in a CUDA graph"},
}

// besideTorch runs the iteration of bench.Art in PyTorch and here, in turn, so
// that whatever else happens meets both.
func besideTorch(c *child) error {
	if _, err := tell(30*time.Second, nil, "python3", "-c", "import torch"); err != nil {
		c.find(result{What: "PyTorch", Head: true, Text: "not compared: python3 cannot import torch"})
		return nil
	}
	device, side, runs := "cuda", 1024, 15
	if out, err := tell(30*time.Second, nil, "python3", "-c", "import torch; print(torch.cuda.is_available())"); err != nil || strings.TrimSpace(out) != "True" {
		device, side, runs = "cpu", 128, 3
	}
	if c.toy {
		device, side, runs = "cpu", 32, 3
	}
	network, err := c.network()
	if err != nil {
		return err
	}
	ours := map[string]func(){}
	var order []string
	for _, p := range precisions() {
		b, err := open(options(p), nil)
		if err != nil {
			return err
		}
		defer b.Close()
		work, err := bench.Art(b, network, side)
		if err != nil {
			return err
		}
		work.Run()
		name := "Impasto " + p.String()
		ours[name], order = work.Run, append(order, name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.seconds(80))
	defer cancel()
	theirs := map[string]*peer{}
	for _, f := range forms {
		p, err := startPeer(ctx, f.name, side, device)
		if err != nil {
			c.find(result{What: "PyTorch " + f.name, Text: f.what + ": did not run: " + err.Error()})
			continue
		}
		defer p.close()
		theirs["PyTorch "+f.name], order = p, append(order, "PyTorch "+f.name)
	}
	times := map[string][]float64{}
	for range runs {
		for _, name := range order {
			if f := ours[name]; f != nil {
				start := time.Now()
				f()
				times[name] = append(times[name], time.Since(start).Seconds())
				continue
			}
			if p := theirs[name]; p != nil {
				seconds, memory, err := p.run()
				if err != nil {
					c.find(result{What: name, Text: "stopped: " + err.Error()})
					delete(theirs, name)
					continue
				}
				times[name], p.memory = append(times[name], seconds), memory
			}
		}
	}
	for _, name := range order {
		if len(times[name]) == 0 {
			continue
		}
		values := map[string]float64{"ms": 1e3 * middle(times[name])}
		for _, o := range order {
			if p := theirs[name]; p != nil && ours[o] != nil {
				values["times of "+o+" x"] = middle(times[name]) / middle(times[o])
				values["device gb"] = p.memory / 1e9
			}
		}
		c.find(result{What: name, Head: true, Text: fmt.Sprintf("art %d px, %d runs in turn; PyTorch on %s", side, len(times[name]), device), Values: values})
	}
	return nil
}

// peer is a process of torch_peer.py: it runs the work once for each line.
type peer struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr tail
	memory float64
}

func startPeer(ctx context.Context, form string, side int, device string) (*peer, error) {
	p := &peer{cmd: exec.CommandContext(ctx, "python3", "torch_peer.py", form, strconv.Itoa(side), device)}
	ownGroup(p.cmd)
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if _, _, err := p.run(); err != nil { // the first run finds algorithms
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *peer) run() (seconds, memory float64, err error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return 0, 0, err
	}
	line, err := p.out.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &seconds, &memory)
	}
	if err != nil {
		last := p.stderr.text()
		err = fmt.Errorf("%w %s", err, last[strings.LastIndexByte(last, '\n')+1:])
	}
	return seconds, memory, err
}

func (p *peer) close() {
	p.in.Close()
	p.cmd.Wait()
}
