// Command peer is our side of scripts/bench-peers. Its arguments are a work
// (art, relu3_1, relu4_1), a side in pixels, a number of threads and a precision
// (single, half). For each line on standard input it runs the work once and prints
// the seconds it took by the clock, the seconds of processor time, and the process's
// peak memory in bytes.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/vgg"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want WORK SIDE THREADS PRECISION, got %d arguments", len(args))
	}
	side, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	threads, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	precision := map[string]gpu.Precision{"single": gpu.Single, "half": gpu.Half}[args[3]]
	if precision == gpu.Auto {
		return fmt.Errorf("precision %q: want single or half", args[3])
	}
	if name, without := gpu.CPUHalf(); precision == gpu.Half && name == "" {
		return fmt.Errorf("half precision: %w", without)
	}
	b := gpu.NewCPU(gpu.CPUOptions{Threads: threads, Precision: precision})
	if err := b.Err(); err != nil {
		return err
	}
	var w *bench.Work
	if args[0] == "art" {
		n, err := vgg.Random(1, "relu5_1")
		if err != nil {
			return err
		}
		if w, err = bench.Art(b, n, side); err != nil {
			return err
		}
	} else {
		w = bench.Matching(b, args[0], side)
	}
	w.Run()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		start, processor := time.Now(), bench.ProcessorTime()
		w.Run()
		seconds, processor := time.Since(start), bench.ProcessorTime()-processor
		fmt.Println(seconds.Seconds(), processor.Seconds(), bench.PeakRSS())
	}
	return nil
}
