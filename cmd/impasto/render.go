package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// render is one picture from the command line to the file. prepare finds out
// everything that can be wrong before anything slow starts; paint does the
// slow part.
type render struct {
	*session
	set  *settings
	mode string

	inputs  style.Inputs
	files   []inputFile // what the inputs were read from
	source  vgg.Source
	network *vgg.Network
	device  device
	env     style.Env
	plan    style.Plan
	out     target
	report  string   // path of the page, "" for none
	notes   []string // told before the work starts

	explain, previewPath string   // where --explain and --preview write; "" for nowhere
	framesOf             string   // the output that frames are named after
	keepExisting         bool     // a frame that exists is left alone
	folders              []string // made when the work starts
	asks                 []string // existing files to ask about
	progressFile         *os.File // of --progress-fd
	takenFrom            string   // another output's checkpoint that this render goes on from

	recipe recipe.Recipe // without its result
	frames []frame       // kept for the page
}

// inputFile is a picture that was read.
type inputFile struct {
	role, path string
	info       *picture.Info
	picture    *picture.Picture
}

// prepare reads and checks everything. All faults are returned together.
func (r *render) prepare(in sources) error {
	var bad ui.Faults
	bad = append(bad, r.read(in)...)
	bad.Add(checkDevice(r.set.text("device")))
	bad = append(bad, r.loadNetwork()...)
	bad = append(bad, r.checkOptions()...)
	bad = append(bad, r.readGuides(in, len(bad) == 0)...)
	if len(bad) > 0 {
		// What remains needs inputs and options; the output's name may still
		// be checked, so that its faults are told with the others.
		bad.Add(r.checkOutputEarly())
		return bad
	}
	var err error
	if r.device, err = r.kept.device(r.set.text("device"), r.set.number("threads", 0)); err != nil {
		bad.Add(err)
		return bad
	}
	r.env = style.Env{Backend: r.device.backend, Others: r.device.others, Network: r.network, Cache: r.kept.cache(), MaxBytes: r.memoryLimit(), Pictures: r.pictureBytes(), Every: r.set.number("save-every", 0)}
	w, h := r.inputs.Canvas(r.mode)
	plan, err := style.NewPlan(w, h, r.set.options, r.env)
	var short *style.MemoryError
	if errors.As(err, &short) && r.kept.drop() {
		r.env.MaxBytes = r.memoryLimit()
		plan, err = style.NewPlan(w, h, r.set.options, r.env)
	}
	if err != nil {
		bad.Add(err)
		bad.Add(r.checkOutputEarly())
		return bad
	}
	r.plan = plan
	r.set.options = plan.Options
	r.recipe = r.newRecipe()
	bad.Add(r.chooseOutputs())
	return bad.Err()
}

// read reads the input pictures, but for maps.
func (r *render) read(in sources) ui.Faults {
	var bad ui.Faults
	stdin := 0
	one := func(role, path string) *picture.Picture {
		if path == "" {
			return nil
		}
		if path == ui.Stdout {
			if stdin++; stdin > 1 {
				bad.Add(ui.UsageFault("only one picture can come from standard input", "give the others as files"))
				return nil
			}
		}
		p, info, err := r.readInput(path, picture.ReadOptions{
			Role: role + " image", MaxPixels: r.set.number("max-pixels", 0), MaxBytes: r.pictureLimit(), Stdin: r.stdin})
		if err != nil {
			bad.Add(err)
			return nil
		}
		r.notes = append(r.notes, info.Warnings...)
		if share := p.Transparency(); role == "style" && share > 0.005 {
			r.notes = append(r.notes, fmt.Sprintf("%.0f %% of painting %q is transparent and counts as white", 100*share, path))
		}
		r.files = append(r.files, inputFile{role, path, info, p})
		return p
	}
	r.inputs.Content = one("content", in.content)
	r.inputs.A = one("a", in.a)
	r.inputs.B = one("b", in.b)
	r.inputs.Styles = nil
	for _, s := range in.styles {
		r.inputs.Styles = append(r.inputs.Styles, one("style", s))
	}
	r.inputs.Init = one("init", in.init)
	return bad
}

// loadNetwork reads the weights, up to the deepest layer that carries a loss.
func (r *render) loadNetwork() ui.Faults {
	source, err := vgg.Resolve(ui.Home(r.set.text("weights")))
	if err != nil {
		return ui.FaultsOf(err)
	}
	r.source = source
	name := source.Name
	if name == "" {
		name = source.Path
	}
	network, err := r.kept.network(name, deepestLayer(r.set.options))
	if err != nil {
		// A layer these weights do not have is an option's fault: read them
		// whole, so that it is told with the other options.
		var all *vgg.Network
		if all, err = r.kept.network(name, ""); err != nil {
			return ui.FaultsOf(err)
		}
		network = all
	}
	r.network = network
	return nil
}

// deepestLayer is the last layer in use, in the network's order; "" when one
// of them is unknown, so that all are read and can be named in the message.
func deepestLayer(o style.Options) string {
	deepest := ""
	for _, l := range slices.Concat(o.ContentLayers, o.StyleLayers, o.PatchLayers) {
		name, err := vgg.ParseLayer(l.Layer)
		if err != nil {
			return ""
		}
		deepest = max(deepest, name) // relu1_1 < relu1_2 < relu2_1 also as text
	}
	return deepest
}

func (r *render) checkOptions() ui.Faults {
	var layers []string
	if r.network != nil {
		layers = r.network.Taps()
	}
	var bad ui.Faults
	bad.Add(r.set.options.Validate(layers...))
	if _, err := picture.ParseSize(r.set.options.Size); err != nil {
		f := ui.FaultsOf(err)[0]
		f.Exit = ui.ExitUsage
		bad = append(bad, f)
	}
	if n, styles := len(r.set.options.StyleWeights), len(r.inputs.Styles); n > 0 && n != styles && styles > 0 {
		bad.Add(ui.UsageFault(fmt.Sprintf("--style-weights has %s for %s", ui.Count(n, "number"), ui.Count(styles, "style image"))))
	}
	return bad
}

func (r *render) memoryLimit() int64 {
	if n, ok := ui.ParseBytes(r.set.text("max-memory")); ok {
		return n
	}
	return r.device.memory() / 10 * 9
}

// pictureLimit is the memory that one picture may take while it is read. That of
// a device is not meant: pictures are read into the processor's.
func (r *render) pictureLimit() int64 {
	if n, ok := ui.ParseBytes(r.set.text("max-memory")); ok && !strings.HasPrefix(r.set.text("device"), "cuda") {
		return n
	}
	return freeMemory() / 10 * 9
}

// makeRoom gives up what is kept for other jobs, and keeps nothing of this one,
// where the plan does not leave room for all that may be kept beside it. The plan
// itself goes by the limit alone, so that a job's picture does not depend on the
// jobs before it. A device's own memory holds nothing that is kept. Only a job that
// is painted makes room: a batch plans all its jobs first, from the pictures kept.
func (r *render) makeRoom() {
	if r.kept == nil || r.device.info != nil || r.env.MaxBytes <= 0 {
		return
	}
	if r.plan.PeakBytes+keptBytes+style.CacheBytes > r.env.MaxBytes {
		r.kept.drop()
		r.env.Cache = nil
	}
}

// pictureBytes is the memory of the input pictures, which is not that of a
// device with its own.
func (r *render) pictureBytes() int64 {
	if r.device.info != nil {
		return 0
	}
	total := 0
	for _, f := range r.files {
		total += 4 * (len(f.picture.Pix) + len(f.picture.Alpha))
	}
	return int64(total)
}

// newRecipe is the recipe without its result.
func (r *render) newRecipe() recipe.Recipe {
	rec := recipe.Recipe{
		Version: recipe.Version, Program: shortVersion(), Mode: r.mode, Options: r.set.options,
		Weights: recipe.Weights{Name: r.network.Name, SHA256: r.network.Meta.SHA256},
		Device:  r.device.class, Precision: "f32",
	}
	for _, f := range r.files {
		rec.Inputs = append(rec.Inputs, recipe.Input{
			Role: f.role, Name: baseName(f.info.Name), SHA256: hex.EncodeToString(f.info.SHA256[:]), Bytes: f.info.Bytes})
	}
	return rec
}

// baseName drops directories in the fashion of any system: a recipe may travel.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// fieldValues fill an output template.
func (r *render) fieldValues() map[string]string {
	v := map[string]string{"mode": r.mode, "date": ui.Today(), "seed": strconv.FormatUint(r.set.options.Seed, 10)}
	var styles []string
	beside := "" // what stands for the content where there is none
	for _, f := range r.files {
		switch f.role {
		case "content":
			v["content"] = ui.Stem(f.path)
		case "style":
			styles = append(styles, ui.Stem(f.path))
		case "b", "map":
			beside = either(beside, ui.Stem(f.path))
		}
	}
	v["style"] = strings.Join(styles, "+")
	v["content"] = either(either(v["content"], beside), v["style"])
	v["default"] = v["content"] + "__" + v["style"] + ".png"
	if r.mode == style.ModeTexture {
		v["default"] = v["style"] + ".png"
	}
	if len(r.plan.Scales) > 0 {
		v["w"], v["h"] = strconv.Itoa(r.plan.W()), strconv.Itoa(r.plan.H())
		v["size"] = v["w"] + "x" + v["h"]
		v["recipe"] = r.recipe.Hash()[:8]
	}
	return v
}

func (r *render) outputName() string {
	if o := r.set.text("output"); o != "" {
		return o
	}
	return "out.png"
}

// checkOutputEarly checks the output's name as far as it can be known when
// inputs are missing, so that its faults are told together with theirs.
func (r *render) checkOutputEarly() error {
	template := ui.Home(r.outputName())
	if template == ui.Stdout || strings.Contains(template, "{") || ui.IsFolder(template) {
		return nil
	}
	_, err := r.chooseTarget(template, r.set.text("overwrite"), r.fieldValues())
	return err
}

// header says in one line what was chosen and why.
func (r *render) header() string {
	parts := []string{r.device.String(), fmt.Sprintf("%dx%d", r.plan.W(), r.plan.H()), ui.Count(len(r.plan.Scales), "scale")}
	if r.plan.Seconds > 0 {
		parts = append(parts, "~"+progress.Span(time.Duration(r.plan.Seconds*float64(time.Second))))
	}
	if cut := r.plan.Cut.String(); cut != "" {
		parts = append(parts, cut)
	}
	if r.plan.PeakBytes > 0 {
		parts = append(parts, progress.Bytes(r.plan.PeakBytes))
	}
	weights := "weights " + r.network.Name
	if r.source.Builtin == "mini" && r.source.Why != "asked for" {
		weights += " (VGG-19 is not installed)"
	}
	return strings.Join(append(parts, weights), " · ")
}

// describe is the header's facts by name.
func (r *render) describe() map[string]any {
	styles := []string{}
	content := ""
	for _, f := range r.files {
		if f.role == "style" {
			styles = append(styles, f.path)
		} else if f.role == "content" {
			content = f.path
		}
	}
	return map[string]any{
		"mode": r.mode, "device": r.device.class, "threads": r.device.threads, "reason": r.device.reason,
		"width": r.plan.W(), "height": r.plan.H(), "scales": r.plan.Scales, "iterations": r.plan.Iterations(),
		"seconds": r.plan.Seconds, "peak_bytes": r.plan.PeakBytes, "tile": r.plan.Tile.String(), "checkpoints": r.plan.Cut.Ends, "weights": r.network.Name,
		"weights_reason": r.source.Why, "content": content, "styles": styles, "output": r.out.path,
		"recipe": r.recipe.Hash(), "seed": r.set.options.Seed,
	}
}

// garbagePercent is how much may lie about beside what is in use. The heap is a
// few large arrays without pointers: looking through it costs next to nothing,
// and Go's usual 100 would double what the plan says.
const garbagePercent = 10

// jobGarbage may lie about, in bytes, where jobs of a batch paint one after the
// other: a process of many parts, the queue's among them, and looking through it
// every few megabytes took a job of 256 pixels 8 ms (scripts/bench-batch).
const jobGarbage = 32 << 20

// setGarbage says how much garbage may lie beside peak bytes in use.
func (s *session) setGarbage(peak int64) {
	percent := garbagePercent
	if s.job != nil {
		percent = max(percent, int(100*jobGarbage/max(peak, jobGarbage)))
	}
	debug.SetGCPercent(percent)
}

// paint runs the optimisation. The picture may be there even when there is an
// error: interrupted and diverged runs keep what they have.
func (r *render) paint(ctx context.Context, watch func(style.Event)) (*style.Result, error) {
	r.setGarbage(r.plan.PeakBytes)
	r.makeRoom()
	r.env.Progress = watch
	r.env.Saving = r.saving()
	recipes := map[string]func(context.Context, style.Inputs, style.Options, style.Env) (*style.Result, error){
		style.ModeArt: style.Art, style.ModeTexture: style.Texture,
		style.ModePatch: style.Patch, style.ModeDoodle: style.Doodle, style.ModeAnalogy: style.Analogy,
	}
	return recipes[r.mode](ctx, r.inputs, r.set.options, r.env)
}

// finished completes the recipe with what came of it.
func (r *render) finished(res *style.Result, stopped string) recipe.Recipe {
	rec := r.recipe
	rec.Options = res.Options
	rec.Output = r.encoding()
	p := res.Picture
	rec.Result = recipe.Result{
		W: p.W, H: p.H, Iterations: res.Iterations, Planned: r.plan.Iterations(),
		Loss: recipe.Finite(res.Losses.Total), Stopped: stopped, PixelSHA256: pixelHash(p, rec.Output.Depth),
	}
	return rec
}

// encoding is how the picture will be written.
func (r *render) encoding() recipe.Output {
	o := recipe.Output{Format: strings.ToLower(r.out.format.String()), Depth: 8}
	switch r.out.format {
	case picture.TIFF:
		o.Depth = r.set.number("depth", 16)
	case picture.PNG:
		o.Depth = r.set.number("depth", 8)
	}
	return o
}

// stopReason names why a run ended early, "" when it did not.
func stopReason(err error) string {
	var diverged *style.DivergedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &diverged):
		return "diverged"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return "failed"
}
