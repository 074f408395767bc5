// Timemodel writes the tables of the model of time in docs/kernels.md. With -check it
// writes only what is slower than it may be, and then fails.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/impasto/impasto/internal/timemodel"
)

func main() {
	log.SetFlags(0)
	side := flag.Int("side", 1024, "of the picture, in pixels")
	check := flag.Bool("check", false, "fail if a kernel's modelled time is more than 1.5 times its floor")
	flag.Parse()
	art, err := timemodel.Art(75, *side)
	if err != nil {
		log.Fatal(err)
	}
	if *check {
		bad := 0
		for _, m := range timemodel.Machines {
			for _, line := range art.Check(m) {
				bad++
				fmt.Println(line)
			}
		}
		if bad > 0 {
			os.Exit(1)
		}
		return
	}
	art.Table(os.Stdout, timemodel.Machines)
	for _, layer := range []string{"relu3_1", "relu4_1"} {
		matching, err := timemodel.Matching(75, layer, *side)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println()
		matching.Table(os.Stdout, timemodel.Machines)
	}
}
