package bench

import "time"

// others is the share of all processors that other programs took in the time
// since before, 0 if unknown.
func (p processors) others(before processors, elapsed time.Duration) float64 {
	all := elapsed.Seconds() * p.count
	if all <= 0 || before.busy <= 0 {
		return 0
	}
	return min(max(0, (p.busy-before.busy)-(p.own-before.own))/all, 1)
}

// ProcessorTime is what this process has spent on all processors, 0 if unknown.
func ProcessorTime() time.Duration {
	return time.Duration(readProcessors().own * float64(time.Second))
}
