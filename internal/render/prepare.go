package render

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

func init() {
	ui.RegisterErrors(func(err error) *ui.Fault {
		var e *picture.Error
		if !errors.As(err, &e) {
			return nil
		}
		exit := ui.ExitInput
		switch e.Kind {
		case picture.Output:
			exit = ui.ExitOutput
		case picture.Memory:
			exit = ui.ExitMemory
		}
		return ui.NewFault(exit, e.Code, err.Error(), e.Try()...)
	})
}

// Prepared is a picture whose request was read, checked and planned.
type Prepared struct {
	Request Request
	Notes   []string // what the user should know before the work starts

	env     Env
	values  *settings.Values // of the request
	inputs  style.Inputs
	files   []inputFile // what the inputs were read from
	source  vgg.Source
	network *vgg.Network
	device  device.Device
	painter style.Env
	plan    style.Plan
	took    time.Duration // the time to prepare it
	out     target
	recipe  recipe.Recipe // without its result
	frames  []frame       // kept for the page

	asks         []string // existing files to ask about, besides the picture
	folders      []string // that outputs need
	report       string
	explain      string
	previewPath  string
	framesOf     string // name from which those of intermediate pictures are made
	takenFrom    string // checkpoint of another output that this render continues from
	keepExisting bool   // existing intermediate pictures stay as they are
}

// inputFile is a picture that was read.
type inputFile struct {
	role, path string
	info       *picture.Info
	picture    *picture.Picture
}

// Prepare reads the inputs and weights, checks everything that can be wrong, and
// plans the render. It returns all faults together, as ui.Faults. It writes
// nothing.
func Prepare(ctx context.Context, req Request, env Env) (*Prepared, error) {
	begun := time.Now()
	r := newPrepared(req, env)
	bad := r.prepare(ctx)
	r.took = time.Since(begun)
	return r, bad.Err()
}

func newPrepared(req Request, env Env) *Prepared {
	r := &Prepared{Request: req, env: env, values: req.Values}
	if o := &r.values.Options; o.Seed == 0 {
		o.Seed = rand.Uint64N(1<<32-1) + 1
		if !env.DryRun { // painting draws another one
			r.Notes = append(r.Notes, fmt.Sprintf("seed %d was drawn; --seed %d repeats it", o.Seed, o.Seed))
		}
	}
	return r
}

func (r *Prepared) prepare(ctx context.Context) ui.Faults {
	bad := slices.Clone(r.Request.Faults)
	if r.Request.incomplete {
		return bad
	}
	in := r.Request.Inputs
	if r.Request.Mode == style.ModeAnalogy && in.A == "" {
		own, err := r.ownMap(ctx, in.Styles[0])
		bad.Add(err)
		in.A = own
	}
	bad = append(bad, r.read(in)...)
	bad.Add(checkDevice(r.values))
	bad = append(bad, r.loadNetwork(ctx)...)
	bad = append(bad, r.checkOptions()...)
	bad = append(bad, r.readGuides(in, len(bad) == 0)...)
	if len(bad) > 0 {
		// The remaining checks need inputs and options. The output's name is
		// checked even without them, so that its faults are returned too.
		bad.Add(r.checkOutputEarly())
		return bad
	}
	bad.Add(r.openDevice())
	if len(bad) > 0 {
		return bad
	}
	if err := r.makePlan(); err != nil {
		bad.Add(err)
		bad.Add(r.checkOutputEarly())
		return bad
	}
	r.recipe = r.newRecipe()
	bad.Add(r.chooseOutputs())
	return bad
}

// overWhite names the pictures that are put over white where they are transparent.
// The result of a transparent photograph has the same transparency.
var overWhite = map[string]string{"style": "painting", "a": "A", "b": "B", "init": "the start"}

// read reads the input pictures, except the maps.
func (r *Prepared) read(in Inputs) ui.Faults {
	var bad ui.Faults
	stdin := 0
	one := func(role, path string) *style.Picture {
		if path == "" {
			return nil
		}
		if path == ui.Stdout {
			if stdin++; stdin > 1 {
				bad.Add(ui.UsageFault("only one picture can come from standard input; the others are files"))
				return nil
			}
		}
		p, info, err := r.env.Library.Read(path, picture.ReadOptions{
			Role: role + " image", MaxPixels: r.values.Number("max-pixels", 0), MaxBytes: r.pictureLimit(), Stdin: r.env.Stdin})
		if err != nil {
			bad.Add(err)
			return nil
		}
		r.Notes = append(r.Notes, info.Warnings...)
		if what, share := overWhite[role], p.Transparency(); what != "" && share > 0.005 {
			r.Notes = append(r.Notes, fmt.Sprintf("%.0f %% of %s %q is transparent and counts as white", 100*share, what, path))
		}
		r.files = append(r.files, inputFile{role, path, info, p})
		return (*style.Picture)(p)
	}
	r.inputs.Content = one("content", in.Content)
	r.inputs.A = one("a", in.A)
	r.inputs.B = one("b", in.B)
	r.inputs.Styles = nil
	for _, s := range in.Styles {
		r.inputs.Styles = append(r.inputs.Styles, one("style", s))
	}
	r.inputs.Init = one("init", in.Init)
	return bad
}

// loadNetwork reads the weights up to the deepest layer that has a loss.
func (r *Prepared) loadNetwork(ctx context.Context) ui.Faults {
	source, err := vgg.Resolve(ui.Home(r.values.Text("weights")))
	if err != nil {
		return ui.FaultsOf(err)
	}
	r.source = source
	name := cmp.Or(source.Name, source.Path)
	network, err := r.env.Library.network(ctx, name, deepestLayer(r.values.Options))
	if err != nil {
		// If the network lacks a layer, an option is wrong. The whole network is
		// read, so that the fault is found with those of the other options.
		if network, err = r.env.Library.network(ctx, name, ""); err != nil {
			return ui.FaultsOf(err)
		}
	}
	r.network = network
	return nil
}

// deepestLayer returns the last layer in use, in the network's order. It returns ""
// if a layer is unknown. Then all layers are read, so that the message can name
// them.
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

// checkOptions checks the options for the network, and notes flags without effect.
func (r *Prepared) checkOptions() ui.Faults {
	var layers []string
	if r.network != nil {
		layers = r.network.Taps()
	}
	o := r.values.Options
	r.noteIdle()
	var bad ui.Faults
	bad = append(bad, r.values.LocateOptions(o.Validate(layers...))...)
	if _, err := picture.ParseSize(o.Size); err != nil {
		f := ui.FaultsOf(err)[0]
		f.Exit = ui.ExitUsage
		bad.Add(r.values.Locate("size", f))
	}
	if n, styles := len(o.StyleWeights), len(r.inputs.Styles); n > 0 && n != styles && styles > 0 {
		bad.Add(ui.UsageFault(fmt.Sprintf("--style-weights has %s for %s", ui.Count(n, "number"), ui.Count(styles, "style image"))))
	}
	return bad
}

// checkDevice checks that the device exists and has the requested precision.
func checkDevice(v *settings.Values) error {
	if err := device.Check(v.Text("device")); err != nil {
		return v.Locate("device", err)
	}
	p, err := device.ParsePrecision(v.Text("precision"))
	if err != nil {
		return nil // reported with the settings
	}
	return device.CheckPrecision(v.Text("device"), p)
}

// openDevice opens the device and gives it to the painter.
func (r *Prepared) openDevice() (err error) {
	p, err := device.ParsePrecision(r.values.Text("precision"))
	if err != nil {
		return err
	}
	p, note := device.Settle(r.values.Text("device"), p)
	if note != "" {
		r.Notes = append(r.Notes, note)
	}
	if p, err = device.For(r.network, p); err != nil {
		return err
	}
	if r.device, err = r.env.Devices.open(r.values.Text("device"), r.values.Number("threads", 0), p); err != nil {
		return r.values.Locate("device", err)
	}
	if note := r.device.Cost(); note != "" {
		r.Notes = append(r.Notes, note)
	}
	r.painter = style.Env{
		Backend: r.device.Backend, Others: r.device.Others, Network: r.network, Cache: r.env.Library.cache(),
		MaxBytes: r.memoryLimit(), Pictures: r.pictureBytes(), Every: r.Request.Output.SaveEvery,
	}
	return nil
}

// makePlan plans the scales and the memory. If memory is short, it drops what the
// library keeps for other renders.
func (r *Prepared) makePlan() error {
	plan, err := r.inputs.Plan(r.values.Options, r.painter)
	var short *style.MemoryError
	if errors.As(err, &short) && r.env.Library.drop() {
		r.painter.MaxBytes = r.memoryLimit()
		plan, err = r.inputs.Plan(r.values.Options, r.painter)
	}
	if err != nil {
		return r.withDeviceMemory(err)
	}
	r.plan, r.values.Options = plan, plan.Options
	return nil
}

// withDeviceMemory adds the free memory of the device to an error about too little
// memory, if the device set the limit.
func (r *Prepared) withDeviceMemory(err error) error {
	var short *style.MemoryError
	if !errors.As(err, &short) || r.values.Text("max-memory") != "" || r.device.MemoryText() == "" {
		return err
	}
	all := ui.FaultsOf(err)
	all[0].Message += " (" + r.device.MemoryText() + ")"
	return all
}

// memoryAsked returns the value of --max-memory if it is valid. settings.Check
// reports an invalid value, so that it is not reported for each picture too.
func (r *Prepared) memoryAsked() (bytes int64, ok bool) {
	n, ok := ui.ParseBytes(r.values.Text("max-memory"))
	return n, ok && n >= settings.LeastMemory
}

func (r *Prepared) memoryLimit() int64 {
	if n, ok := r.memoryAsked(); ok {
		return n
	}
	return r.device.Memory() / 10 * 9
}

// pictureLimit returns the memory that one picture may take while it is read. A
// device's memory does not count, because pictures are read into the processor's
// memory.
func (r *Prepared) pictureLimit() int64 {
	if n, ok := r.memoryAsked(); ok && !strings.HasPrefix(r.values.Text("device"), "cuda") {
		return n
	}
	return device.FreeMemory() / 10 * 9
}

// pictureBytes returns the memory of the input pictures. They are not in the memory
// of a device that has its own.
func (r *Prepared) pictureBytes() int64 {
	if r.device.Info != nil {
		return 0
	}
	total := 0
	for _, f := range r.files {
		total += 4 * (len(f.picture.Pix) + len(f.picture.Alpha))
	}
	return int64(total)
}

// makeRoom frees memory if the plan leaves too little room for all that may be kept
// beside it. It drops what the library keeps for other renders, and keeps nothing
// of this one. The plan itself depends on the limit alone, so that a picture does
// not depend on earlier renders. A device's own memory holds nothing that is kept.
// Only Run makes room: a batch first plans all its jobs with the kept pictures.
func (r *Prepared) makeRoom() {
	if r.env.Library == nil || r.device.Info != nil || r.painter.MaxBytes <= 0 {
		return
	}
	if r.plan.PeakBytes+keptBytes+style.CacheBytes > r.painter.MaxBytes {
		r.env.Library.drop()
		r.painter.Cache = nil
	}
}

// newRecipe returns the recipe without its result.
func (r *Prepared) newRecipe() recipe.Recipe {
	rec := recipe.Recipe{
		Version: recipe.Version, Program: r.env.Program, Mode: r.Request.Mode, Options: r.values.Options,
		Weights: recipe.Weights{Name: r.network.Name, SHA256: r.network.Meta.SHA256},
		Device:  r.device.Class, Precision: r.format(),
	}
	for _, f := range r.files {
		rec.Inputs = append(rec.Inputs, recipe.Input{
			Role: f.role, Name: baseName(f.info.Name), SHA256: hex.EncodeToString(f.info.SHA256[:]), Bytes: f.info.Bytes})
	}
	return rec
}

// format returns the number format of features.
func (r *Prepared) format() string {
	return device.Format(r.values.Text("device"), r.device.Precision)
}

// baseName removes directories written in the style of any operating system,
// because recipes are moved between systems.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
