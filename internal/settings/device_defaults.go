package settings

import (
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// DeviceDefaults returns the options of a mode whose defaults depend on the kind of
// device, with their values for the device on and these weights. A job that names
// them paints the same picture on any machine.
func DeviceDefaults(mode style.Mode, weights, on string) (names, texts []string) {
	own, cpu, gpu := Defaults(mode, weights, on), Defaults(mode, weights, "cpu"), Defaults(mode, weights, "cuda")
	for _, name := range optionNames() {
		if OptionText(&cpu, name) != OptionText(&gpu, name) {
			names, texts = append(names, name), append(texts, OptionText(&own, name))
		}
	}
	return names, texts
}

// InstalledWeights returns the name of the weights that this machine uses by
// default. It returns "" if only $IMPASTO_WEIGHTS names them.
func InstalledWeights() string {
	src, err := vgg.Resolve("")
	if err != nil || src.Why == "$"+vgg.Environment {
		return ""
	}
	return src.Name
}
