package ptx

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseNumber reads an integer (decimal, 0x, 0b or octal, optional U) or a
// float (0f and 0d with hexadecimal bits, or decimal, which is a double).
// float is 0, 32 or 64.
func parseNumber(s string) (bits uint64, float int, err error) {
	bad := fmt.Errorf("%q is not a number", s)
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'f', 'F':
			v, err := strconv.ParseUint(s[2:], 16, 32)
			if err != nil || len(s) != 10 {
				return 0, 0, bad
			}
			return v, 32, nil
		case 'd', 'D':
			v, err := strconv.ParseUint(s[2:], 16, 64)
			if err != nil || len(s) != 18 {
				return 0, 0, bad
			}
			return v, 64, nil
		}
	}
	if strings.Contains(s, ".") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, 0, bad
		}
		return math.Float64bits(f), 64, nil
	}
	digits := strings.TrimSuffix(s, "U")
	if strings.Contains(digits, "_") {
		return 0, 0, bad
	}
	v, err := strconv.ParseUint(digits, 0, 64)
	if err != nil {
		return 0, 0, bad
	}
	return v, 0, nil
}

// immediate converts a parsed number to the bits of an operand of type t.
func immediate(bits uint64, float int, neg bool, t Type) (uint64, error) {
	if float != 0 {
		var f float64
		if float == 32 {
			f = float64(math.Float32frombits(uint32(bits)))
		} else {
			f = math.Float64frombits(bits)
		}
		if neg {
			f = -f
		}
		switch {
		case float == 32 && t.Size() == 4 && t != F16x2 && t != BF16x2:
			// The bits are kept, because a conversion would change signalling NaNs
			// to quiet ones.
			if neg {
				bits ^= 1 << 31
			}
			return bits, nil
		case float == 64 && (t == F64 || t == B64):
			return math.Float64bits(f), nil
		case t == F32:
			return uint64(math.Float32bits(float32(f))), nil
		case t == F64:
			return math.Float64bits(f), nil
		}
		return 0, fmt.Errorf("a float constant cannot be a .%v", t)
	}
	if neg {
		bits = -bits
	}
	switch t {
	case Pred:
		if bits != 0 {
			return 1, nil
		}
		return 0, nil
	case F16, BF16, TF32, F32, F64:
		return 0, fmt.Errorf("an integer constant cannot be a .%v", t)
	}
	if n := t.Size(); n < 8 {
		bits &= 1<<(8*n) - 1
	}
	return bits, nil
}
