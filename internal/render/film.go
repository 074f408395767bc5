package render

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Film is a film whose request was read, checked and planned.
type Film struct {
	*Prepared
	tools  film.Tools
	source film.Source
	input  film.Info
	chosen film.Selection
	start  float64 // of the first frame, in seconds into the film

	sequence *style.Sequence
	next     style.Plan // of each frame except the first of a shot
	shots    []film.Shot

	frames string      // of painted frames: DIR/frame_%05d.png
	film   film.Target // Path is "" where the frames are the output
	rate   film.Rate
	order  filmOrder
	begun  time.Time
	anew   bool // the painted frames in the folder are painted again
}

// PrepareFilm prepares a film as Prepare prepares a picture, and finds the shots.
// The mode of its request is settings.ModeVideo, and the content is the film or a
// folder of frames.
func PrepareFilm(ctx context.Context, req Request, env Env) (*Film, error) {
	begun := time.Now()
	v := &Film{Prepared: newPrepared(req, env), tools: film.Find()}
	v.Request.Mode = style.ModeArt // of each frame
	bad := slices.Clone(req.Faults)
	if req.incomplete {
		return v, bad
	}
	in := ui.Home(req.Inputs.Content)
	if req.Inputs.Init != "" {
		bad.Add(ui.UsageFault("the first frame of a shot cannot begin with a picture from a file", "--init content"))
	}
	bad.Add(v.openInput(ctx, in))
	bad = append(bad, v.read(Inputs{Styles: req.Inputs.Styles})...)
	bad.Add(checkDevice(v.values))
	bad = append(bad, v.loadNetwork(ctx)...)
	bad = append(bad, v.checkOptions()...)
	bad.Add(v.chooseFilm(in))
	if len(bad) == 0 {
		bad.Add(v.planFilm(ctx))
	}
	v.took = time.Since(begun)
	return v, bad.Err()
}

// Shots lists the shots of the film.
func (v *Film) Shots() []film.Shot { return v.shots }

// Source returns the source of the frames.
func (v *Film) Source() film.Source { return v.source }

// Folder returns the directory of the painted frames.
func (v *Film) Folder() string { return filepath.Dir(v.frames) }

// planFilm opens the device, plans the frames and finds the shots.
func (v *Film) planFilm(ctx context.Context) error {
	if err := v.openDevice(); err != nil {
		return err
	}
	v.painter.Others, v.painter.Cache, v.painter.Every = nil, nil, 0
	v.painter.Pictures += v.frameBytes()
	if err := v.newSequence(); err != nil {
		return err
	}
	sum, err := v.source.Sum(ctx)
	if err != nil {
		return err
	}
	v.order = v.newOrder(hex.EncodeToString(sum[:]))
	return v.openFrames(ctx)
}

// newSequence plans the first frame of a shot and those after it.
func (v *Film) newSequence() error {
	o := style.SequenceOptions{Options: v.values.Options, Flow: style.Flow(cmp.Or(v.values.Text("flow"), string(style.FlowDense))), NextIterations: v.values.Number("next-iterations", 0)}
	var err error
	if v.sequence, err = style.NewSequence(v.input.W, v.input.H, v.inputs, o, v.painter); err != nil {
		return err
	}
	v.plan = v.sequence.Plan()
	v.values.Options = v.plan.Options
	v.film.W, v.film.H = v.plan.W(), v.plan.H()
	v.next = v.sequence.NextPlan()
	return nil
}

// frameBytes returns the memory of the frames held at a time: the photograph, the
// current frame, the previous frame, and the optical flow between them.
func (v *Film) frameBytes() int64 {
	if v.device.Info != nil {
		return 0 // a device with memory of its own
	}
	return 4 * 3 * 4 * int64(v.input.W) * int64(v.input.H)
}

// openInput opens the film or the folder of frames.
func (v *Film) openInput(ctx context.Context, in string) error {
	st, err := os.Stat(in)
	_, onePicture := picture.FormatOf(in)
	archive := film.IsArchive(in)
	numbered := archive || film.IsPattern(in) || err == nil && st.IsDir()
	if !numbered && onePicture == nil {
		return ui.UsageFault(fmt.Sprintf("%q is one picture", in), ui.ImpastoCommand(append([]string{"art", in}, v.Request.Inputs.Styles...)))
	}
	fps, rateErr := film.ParseRate(v.values.Text("fps"))
	rate := fps
	if numbered && rateErr != nil {
		rate = film.Rate{Num: 25, Den: 1}
	}
	var sel film.Selection
	if !numbered {
		info, err := v.tools.Probe(ctx, in)
		if err != nil {
			return err
		}
		if rateErr != nil {
			rate = info.Rate
		}
		sel.Rate = rate
	}
	sel.Every = v.values.Number("every", 1)
	if from, ok := settings.ParseMoment(v.values.Text("from")); ok {
		sel.From = from.Frame(rate)
	}
	if to, ok := settings.ParseMoment(v.values.Text("to")); ok {
		if sel.To = to.Frame(rate); sel.To <= sel.From {
			return ui.UsageFault(fmt.Sprintf("--to %s is not after --from %s", v.values.Text("to"), cmp.Or(v.values.Text("from"), "0")))
		}
	}
	switch {
	case archive:
		v.source, err = film.OpenArchive(in, sel)
	case numbered:
		v.source, err = film.OpenNumbered(in, sel)
	default:
		v.source, err = v.tools.OpenFilm(ctx, in, sel)
	}
	if err != nil {
		return err
	}
	v.input, v.chosen, v.rate, v.start = v.source.Info(), sel, rate.Over(sel.Every), rate.Seconds(sel.From)
	return nil
}

// newOrder collects everything that determines the painted frames.
func (v *Film) newOrder(sum string) filmOrder {
	o := v.sequence.Options()
	order := filmOrder{
		Options: o.Options, Flow: o.Flow, NextIterations: o.NextIterations, Cut: film.UsualCut,
		Frames: sum, Rate: v.rate.String(), From: v.chosen.From, To: v.chosen.To, Every: v.chosen.Every, Size: fmt.Sprintf("%dx%d", v.input.W, v.input.H),
		Weights: recipe.Weights{Name: v.network.Name, SHA256: v.network.Meta.SHA256}, Device: v.device.Class,
	}
	if cut, ok := settings.ParseThreshold(v.values.Text("cut")); ok {
		order.Cut = cut
	}
	for _, f := range v.files {
		order.Styles = append(order.Styles, hex.EncodeToString(f.info.SHA256[:]))
	}
	return order
}
