// Timemodel writes the tables of the model of time in docs/kernels.md. With -check it
// writes only what is slower than it may be, and then fails.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/timemodel"
)

func main() {
	log.SetFlags(0)
	side := flag.Int("side", 1024, "of the picture, in pixels")
	check := flag.Bool("check", false, "fail if a kernel's modelled time is farther above its floor than it may be")
	nnst := flag.Bool("nnst", false, "write only what a whole picture by nearest neighbours takes")
	flag.Parse()
	bad := 0
	for _, c := range []struct {
		precision  gpu.Precision
		capability int
		machines   []timemodel.Machine
	}{
		{gpu.Half, 80, timemodel.Machines[1:]}, // a T4 has other tensor cores
		{gpu.Single, 75, timemodel.Machines},
	} {
		if *nnst {
			neighbours(c.precision, c.capability, *side, c.machines)
			continue
		}
		art, err := timemodel.Art(c.capability, *side, c.precision)
		if err != nil {
			log.Fatal(err)
		}
		all := []*timemodel.Iteration{art}
		for _, layer := range []string{"relu3_1", "relu4_1"} {
			matching, err := timemodel.Matching(c.capability, layer, *side, c.precision)
			if err != nil {
				log.Fatal(err)
			}
			all = append(all, matching)
		}
		for _, it := range all {
			if !*check {
				it.Table(os.Stdout, c.machines)
				fmt.Println()
				continue
			}
			for _, m := range c.machines {
				for _, line := range it.Check(m) {
					bad++
					fmt.Println(line)
				}
			}
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
}

// neighbours prints what a picture by nearest neighbours takes with the defaults:
// 200 iterations a scale, 200 more at the last.
func neighbours(p gpu.Precision, capability, side int, machines []timemodel.Machine) {
	list, err := timemodel.NeighboursSeconds(machines, capability, side, 200, 200, p)
	if err != nil {
		log.Fatal(err)
	}
	for i, m := range machines {
		fmt.Printf("nnst %d px, %v, %s: %.1f s\n", side, p, m.Name, list[i])
	}
}
