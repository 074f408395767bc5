package main

import (
	"fmt"

	"github.com/impasto/impasto/gpu"
)

// precisions are those that the device has: half from compute capability 8.0 on.
func precisions() []gpu.Precision {
	if list, err := listDevices(); err == nil && len(list) > 0 && list[0].Major >= 8 {
		return []gpu.Precision{gpu.Half, gpu.Single}
	}
	return []gpu.Precision{gpu.Single}
}

func options(p gpu.Precision) gpu.DeviceOptions { return gpu.DeviceOptions{Precision: p} }

// convForms are the precisions, and the other form of half's convolutions, so that the
// device can decide between them.
func convForms() []gpu.DeviceOptions {
	var all []gpu.DeviceOptions
	for _, p := range precisions() {
		all = append(all, options(p))
		if p == gpu.Half {
			all = append(all, gpu.DeviceOptions{Precision: p, Stages: 2})
		}
	}
	return all
}

// formName is what results call a form.
func formName(o gpu.DeviceOptions) string {
	if o.Stages == 0 {
		return o.Precision.String()
	}
	return fmt.Sprintf("%s with %d stages", o.Precision, o.Stages)
}

// precisionFlags choose a precision for the program.
func precisionFlags(p gpu.Precision) []string { return []string{"--precision", p.String()} }
