// Mutate plants faults in the CUDA kernels, one at a time, and asks whether the
// tests see them: each mutant of kernels/mutants.txt is compiled, and the tests
// that cover its file run it on the software device. See scripts/mutate-kernels.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() {
	r := &runner{}
	flag.StringVar(&r.results, "results", "build/mutants.txt", "`file` of verdicts; what it says was caught is not run again")
	flag.StringVar(&r.pkg, "package", "./gpu", "`package` whose tests judge")
	flag.StringVar(&r.tests, "tests", "", "`regexp` of tests to run instead of the list's")
	flag.DurationVar(&r.timeout, "timeout", 4*time.Minute, "that one test may take; after it a mutant counts as caught")
	flag.IntVar(&r.jobs, "jobs", 2, "`number` of mutants judged at a time")
	only := flag.String("only", "", "`regexp` of the mutants to run, as \"file: name\"")
	check := flag.Bool("check", false, "only say whether every mutant can be planted")
	flag.Parse()
	if err := run(r, *only, *check); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(r *runner, only string, check bool) error {
	list, err := readList("kernels/mutants.txt", "kernels")
	if err != nil {
		return err
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	var chosen []*mutant
	for _, m := range list {
		if wanted.MatchString(m.String()) {
			chosen = append(chosen, m)
		}
	}
	fmt.Printf("%d mutants, %d chosen\n", len(list), len(chosen))
	if check {
		return nil
	}
	if err := r.prepare(); err != nil {
		return err
	}
	defer r.close()
	if err := r.judgeAll(chosen); err != nil {
		return err
	}
	return report(chosen, r.verdicts)
}

// report prints caught and all by file, and each survivor.
func report(list []*mutant, verdicts map[string]verdict) error {
	var files []string
	caught, all := map[string]int{}, map[string]int{}
	var survivors []string
	unexplained := 0
	for _, m := range list {
		if all[m.file] == 0 {
			files = append(files, m.file)
		}
		all[m.file]++
		all[""]++
		switch v := verdicts[m.String()]; {
		case v.caught:
			caught[m.file]++
			caught[""]++
		case m.excuse != "":
			survivors = append(survivors, fmt.Sprintf("%v (%s)", m, m.excuse))
		default:
			unexplained++
			survivors = append(survivors, fmt.Sprintf("%v: NOT SEEN, %s", m, v.by))
		}
	}
	fmt.Println()
	for _, f := range append(files, "") {
		name := f
		if f == "" {
			name = "all"
		}
		fmt.Printf("%-16s %3d of %3d caught, %5.1f %%\n", name, caught[f], all[f], 100*float64(caught[f])/float64(all[f]))
	}
	fmt.Printf("\n%d survive:\n%s\n", len(survivors), strings.Join(survivors, "\n"))
	if unexplained > 0 {
		return fmt.Errorf("%d mutants were not seen", unexplained)
	}
	return nil
}
