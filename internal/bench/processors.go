package bench

import "time"

// others returns the share of all processors that other programs used since before,
// or 0 if unknown.
func (p processors) others(before processors, elapsed time.Duration) float64 {
	all := elapsed.Seconds() * p.count
	if all <= 0 || before.busy <= 0 {
		return 0
	}
	return min(max(0, (p.busy-before.busy)-(p.own-before.own))/all, 1)
}

// ProcessorTime returns the time that this process has used on all processors, or 0
// if unknown.
func ProcessorTime() time.Duration {
	return time.Duration(readProcessors().own * float64(time.Second))
}
