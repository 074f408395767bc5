package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// driverTests runs the tests that hold every driver to its contract.
func driverTests(c *child) error {
	return c.goTests("tests/cu.test", 50*time.Second, "-test.v", "-test.run", "^TestDriver$")
}

// operationTests compares every operation with float64 on the device. -short
// leaves out what concerns the software device alone.
func operationTests(c *child) error {
	if c.toy {
		return c.goTests("tests/gpu.test", 100*time.Second, "-test.v", "-test.run", "^(TestPool|TestContent|TestTV)$")
	}
	return c.goTests("tests/gpu.test", 140*time.Second, "-test.v", "-test.short")
}

func (c *child) goTests(file string, limit time.Duration, args ...string) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	env := []string{"IMPASTO_TEST_CUDA=driver"}
	out, err := tell(c.seconds(int(limit.Seconds())), env, append([]string{"./" + file}, args...)...)
	passed, skipped := strings.Count(out, "--- PASS"), strings.Count(out, "--- SKIP")
	failed := 0
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "--- FAIL") {
			continue
		}
		if failed++; failed <= 20 {
			c.find(result{What: strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "--- FAIL:"))[0], Bad: true, Text: after(out, line)})
		}
	}
	r := result{What: file, Head: true, Bad: failed > 0 || passed == 0, Text: fmt.Sprintf("%d passed, %d failed, %d skipped", passed, failed, skipped)}
	if err != nil && failed == 0 {
		r.Bad, r.Text = true, r.Text+": "+err.Error()
	}
	c.find(r)
	return nil
}

// after is what a test says after the line of its failure.
func after(out, line string) string {
	_, rest, _ := strings.Cut(out, line)
	if lines := strings.SplitN(rest, "\n", 6); len(lines) > 5 {
		rest = strings.Join(lines[:5], "\n")
	}
	return strings.TrimSpace(rest)
}
