package film

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is a number of frames a second as a ratio: 25/1, 30000/1001.
type Rate struct{ Num, Den int64 }

// ParseRate reads "25", "23.976", "30000/1001" or "30000:1001". A decimal close to
// a broadcast rate, such as 29.97, is read as that rate.
func ParseRate(text string) (Rate, error) {
	bad := fmt.Errorf("%q is no frame rate", text)
	num, den, isRatio := strings.Cut(strings.Replace(strings.TrimSpace(text), ":", "/", 1), "/")
	if isRatio {
		n, errN := strconv.ParseInt(num, 10, 64)
		d, errD := strconv.ParseInt(den, 10, 64)
		if errors.Join(errN, errD) != nil {
			return Rate{}, bad
		}
		return checked(Rate{n, d}, bad)
	}
	v, err := strconv.ParseFloat(num, 64)
	if err != nil || !(v >= leastRate && v <= mostRate) {
		return Rate{}, bad
	}
	if whole := math.Ceil(v); v != whole && math.Abs(v-whole*1000/1001) < 0.005 {
		return checked(Rate{int64(whole) * 1000, 1001}, bad)
	}
	return checked(Rate{int64(math.Round(v * 1000)), 1000}, bad)
}

// leastRate and mostRate are the limits of frame rates. Other rates are mistakes,
// such as the 90000 that ffprobe reports for a single picture.
const (
	leastRate = 0.01
	mostRate  = 1000
)

func checked(r Rate, bad error) (Rate, error) {
	if r.Num <= 0 || r.Den <= 0 || r.Float() < leastRate || r.Float() > mostRate {
		return Rate{}, bad
	}
	a, b := r.Num, r.Den
	for b != 0 {
		a, b = b, a%b
	}
	return Rate{r.Num / a, r.Den / a}, nil
}

// Float returns the rate as a number.
func (r Rate) Float() float64 { return float64(r.Num) / float64(r.Den) }

// Over returns the rate of a film that has only every nth frame.
func (r Rate) Over(n int) Rate {
	slower, _ := checked(Rate{r.Num, r.Den * int64(n)}, nil)
	return slower
}

// String returns the rate in the form that ffmpeg reads.
func (r Rate) String() string {
	if r.Den == 1 {
		return strconv.FormatInt(r.Num, 10)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}

// Seconds returns the time at which frame n (from 0) begins.
func (r Rate) Seconds(n int) float64 { return float64(n) * float64(r.Den) / float64(r.Num) }

// Frame returns the frame that is shown at a time. A time that is before a frame
// only by a rounding error belongs to that frame.
func (r Rate) Frame(seconds float64) int { return int(math.Floor(seconds*r.Float() + 1e-6)) }

// Duration returns how long n frames last.
func (r Rate) Duration(n int) time.Duration {
	return time.Duration(r.Seconds(n) * float64(time.Second))
}
