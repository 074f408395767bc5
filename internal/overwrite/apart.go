package overwrite

import (
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// Apart refuses an output that is an input of the same run. "" and standard
// input are no files.
func Apart(output string, inputs ...string) error {
	set := New(picture.Replace, false)
	for _, path := range inputs {
		if path != "" && path != ui.Stdout {
			set.Reads("an input", ui.Home(path))
		}
	}
	return set.Writes("output", "-o", output)
}
