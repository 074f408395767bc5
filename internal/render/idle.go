package render

import (
	"fmt"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/style"
)

// noteIdle notes each flag that is about a loss which does not count in this render.
// Such a render is painted all the same: a batch may give all its jobs one flag.
func (r *Prepared) noteIdle() {
	o := r.values.Options
	const noStyle = "the style loss has weight 0; --style-weight 1 adds it"
	noContent := "the content loss has weight 0"
	if o.Mode == style.ModeDoodle && r.Request.Inputs.Content == "" {
		noContent = "there is no photograph; --content FILE adds one"
	}
	neighbours := o.Method == style.MethodNNST
	const noStatistics = "--method nnst has losses of its own"
	for _, idle := range []struct {
		option string
		is     bool
		why    string
	}{
		{"style-loss", neighbours, noStatistics},
		{"content-loss", neighbours, noStatistics},
		{"style-loss", !neighbours && o.StyleWeight == 0, noStyle},
		{"content-loss", !neighbours && o.ContentWeight == 0, noContent},
		{"sliced-hold", o.StyleLoss != style.LossSliced, "it is for --style-loss sliced"},
	} {
		if idle.is && r.values.Origin(idle.option) == settings.OriginFlag {
			r.Notes = append(r.Notes, fmt.Sprintf("--%s changes nothing here: %s", idle.option, idle.why))
		}
	}
}
