package gpu

import "fmt"

// Precision says how a backend stores features and their gradients, and which units
// multiply them. Images, optimisers and all sums are always float32 or better.
//
//	Auto   Half if a device has the tensor cores for it, else Single
//	Half   16 bits, multiplied as such and added up in float32: twice as much
//	       picture in the same memory. Devices have binary16 and tensor cores, at a
//	       relative error of 2^-11 a value; processors have bfloat16, at 2^-8
//	Single float32 throughout
type Precision int

const (
	Auto Precision = iota
	Half
	Single
)

var precisionNames = [...]string{"auto", "half", "single"}

func (p Precision) String() string {
	if p < 0 || int(p) >= len(precisionNames) {
		return fmt.Sprintf("Precision(%d)", int(p))
	}
	return precisionNames[p]
}

// MarshalText returns the text of String.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads "auto", "half" or "single".
func (p *Precision) UnmarshalText(text []byte) error {
	for i, name := range precisionNames {
		if name == string(text) {
			*p = Precision(i)
			return nil
		}
	}
	return fmt.Errorf("precision %q: there are auto, half and single", text)
}
