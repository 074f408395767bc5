package render

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// ReadRecipe reads the recipe in, or beside, a picture.
func ReadRecipe(path string) (recipe.Recipe, error) {
	text, err := picture.ReadRecipe(path)
	if err != nil {
		return recipe.Recipe{}, err
	}
	r, err := recipe.Parse(text)
	if err != nil {
		return r, ui.NewFault(ui.ExitInput, "bad_recipe", fmt.Sprintf("%q: %v", path, err))
	}
	return r, nil
}

// Replay asks for the picture of a recipe once more.
type Replay struct {
	Original    string // the picture with the recipe
	Directories []string
	Changes     []string         // "name=value"
	Verify      bool             // prove that the same comes out; write nothing
	Values      *settings.Values // device, weights and outputs; the recipe has the options
	Recipe      recipe.Recipe
	Again       func(...Change) string // as of Request
}

// Request turns a replay into a request: inputs are found by their checksums.
func (p Replay) Request() (Request, ui.Faults) {
	var bad ui.Faults
	v, rec := p.Values, p.Recipe
	v.Replace(rec.Options, "recipe")
	for _, change := range p.Changes {
		bad.Add(v.ApplyChange(change))
	}
	if v.Origin("size") == "--set" && v.Origin("scales") != "--set" {
		// The recipe holds the number of scales that its size had.
		if o, err := style.Preset(rec.Options.Preset, rec.Mode); err == nil {
			v.Options.Scales = o.Scales
		}
	}
	if p.Verify && len(p.Changes) > 0 {
		bad.Add(ui.UsageFault("--verify repeats a recipe as it is; it does not go with --set", "impasto replay "+p.Original+" --verify"))
	}
	if v.Text("weights") == "" {
		name, err := findWeights(rec.Weights)
		bad.Add(err)
		v.SetText("weights", name, "recipe")
	}
	if v.Text("precision") == "" && rec.Precision != "" {
		on := v.Text("device")
		for _, p := range device.Precisions(on) { // if none is the recipe's, what this machine has
			if device.Format(on, p) == rec.Precision {
				v.SetText("precision", p.String(), "recipe")
			}
		}
	}
	in, missing := findInputs(p.Original, rec, append([]string{filepath.Dir(p.Original), "."}, p.Directories...))
	bad = append(bad, missing...)
	r := Request{Mode: rec.Mode, Inputs: in, Values: v, Output: outputOf(v), Again: p.Again}
	if p.Verify {
		r.Output.Name, r.Output.Overwrite, r.Output.Checkpoint.Off = p.Original, "replace", true
	}
	if r.Output.Name == "" {
		r.Output.Name = p.Original
		if r.Output.Overwrite == "" {
			r.Output.Overwrite = "number" // beside the original, which stays
		}
	}
	if r.Output.Depth == 0 && rec.Output.Depth == 16 {
		r.Output.Depth = 16
	}
	return r, bad
}

// Prepare prepares a replay.
func (p Replay) Prepare(ctx context.Context, env Env) (*Prepared, error) {
	req, bad := p.Request()
	if len(bad) > 0 {
		return nil, bad
	}
	r, err := Prepare(ctx, req, env)
	if err != nil {
		return nil, err
	}
	if r.network.Meta.SHA256 != p.Recipe.Weights.SHA256 {
		r.Notes = append(r.Notes, fmt.Sprintf("weights %q are not those of the recipe (%s); the picture will differ",
			r.network.Name, cmp.Or(p.Recipe.Weights.Name, "unknown")))
	}
	return r, nil
}

// findInputs finds the recipe's pictures.
func findInputs(original string, rec recipe.Recipe, dirs []string) (found Inputs, bad ui.Faults) {
	for _, in := range rec.Inputs {
		path := recipe.Find(in, dirs)
		if path == "" {
			path = findSample(in.Name, in.SHA256)
		}
		if path == "" {
			bad.Add(ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("%s image %q was not found (sha256 %s..., %d bytes; looked in %s)",
				in.Role, in.Name, in.SHA256[:12], in.Bytes, strings.Join(dirs, ", ")),
				"impasto recipe show "+ui.ShellQuote(original)+"   (their names and checksums; a folder with them goes after the picture)"))
			continue
		}
		found.add(in.Role, path)
	}
	return found, bad
}

// Verified says what a verification found.
type Verified struct {
	File   bool   `json:"file"` // the bytes of the file are those painted now
	Output string `json:"output"`
	Pixels bool   `json:"pixels"` // the pixels are the recipe's

	Then string   `json:"device_then"` // that the recipe's picture was painted on
	Now  string   `json:"device_now"`
	PSNR *float64 `json:"psnr,omitempty"` // of the picture painted now against the file's, in dB, where their pixels differ

	intact bool // the file has the recipe's pixels still, as far as its format keeps them
}

// OtherDevicePSNR is how near a picture that another device painted comes at
// least, in dB: devices round differently, and L-BFGS enlarges that. The
// processor's own vector and plain code are 35 dB apart and more.
const OtherDevicePSNR = 35

// otherDevice reports whether pixels differ no more than devices do.
func (v Verified) otherDevice() bool {
	return !v.Pixels && v.intact && v.Then != v.Now && v.PSNR != nil && *v.PSNR >= OtherDevicePSNR
}

// Text says what was found, of a verification that holds.
func (v Verified) Text() string {
	if v.otherDevice() {
		return fmt.Sprintf("%s: painted on %s then and on %s now, %.1f dB apart; devices may be %d dB apart", v.Output, v.Then, v.Now, *v.PSNR, OtherDevicePSNR)
	}
	return v.Output + ": pixels and file are the same, byte for byte"
}

// deviceText names a device and its precision.
func deviceText(class, precision string) string {
	if precision == "" || precision == "f32" {
		return cmp.Or(class, "an unknown device")
	}
	return class + " in " + precision
}

// Verify paints the picture again and compares it with the file. It writes
// nothing. Err of the result is the fault of a difference.
func (r *Prepared) Verify(ctx context.Context, rec recipe.Recipe, watch Observer) (Verified, error) {
	v := Verified{Output: r.Request.Output.Name}
	onDisk, err := os.ReadFile(v.Output)
	if err != nil {
		return v, ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("%q cannot be read: %s", v.Output, ui.Reason(err)))
	}
	r.start(watch)
	running, stop := context.WithCancel(ctx)
	defer stop()
	stopThere := rec.Result.Stopped == "interrupted"
	if stopThere {
		r.painter.Every = 1 // so that it can be stopped where the original was
	}
	each := r.watchRun(watch)
	res, err := r.paint(running, watch, func(e style.Event) {
		each(e)
		if stopThere && e.Done >= rec.Result.Iterations {
			stop()
		}
	})
	if ctx.Err() != nil {
		return v, interrupted("interrupted; nothing was verified")
	}
	if res == nil || res.Picture == nil {
		return v, err
	}
	v.Then, v.Now = deviceText(rec.Device, rec.Precision), deviceText(r.recipe.Device, r.recipe.Precision)
	v.Pixels = pixelHash(res.Picture, max(rec.Output.Depth, 8)) == rec.Result.PixelSHA256
	if !v.Pixels {
		if old, _, err := picture.Decode(bytes.NewReader(onDisk), v.Output, picture.ReadOptions{}); err == nil && old.W == res.Picture.W && old.H == res.Picture.H {
			v.intact = r.out.format == picture.JPEG || pixelHash((*style.Picture)(old), max(rec.Output.Depth, 8)) == rec.Result.PixelSHA256
			psnr, err := picture.PSNR(old, (*picture.Picture)(res.Picture))
			if err == nil && !math.IsInf(psnr, 0) && !math.IsNaN(psnr) {
				v.PSNR = &psnr
			}
		}
	}
	text, err := rec.Canonical()
	if err != nil {
		return v, err
	}
	var again bytes.Buffer
	err = picture.Encode(&again, (*picture.Picture)(res.Picture), r.out.format, picture.WriteOptions{
		Depth: rec.Output.Depth, Recipe: text, Software: "Impasto " + rec.Program})
	v.File = bytes.Equal(again.Bytes(), onDisk)
	return v, err
}

// Err returns the fault of a picture that is not what its recipe says.
func (v Verified) Err() error {
	apart := ""
	if v.PSNR != nil {
		apart = fmt.Sprintf(", %.1f dB apart", *v.PSNR)
	}
	if v.Then != v.Now {
		apart += fmt.Sprintf("; it was painted on %s then and on %s now, which may be %d dB apart", v.Then, v.Now, OtherDevicePSNR)
	}
	switch {
	case v.otherDevice():
	case !v.Pixels:
		return ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q: other pixels came out than the recipe says%s", v.Output, apart),
			"impasto recipe show "+v.Output+"   (program version, weights, device)")
	case !v.File:
		return ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q: the pixels painted again are the recipe's, but the file holds other bytes; it was changed or written by another version", v.Output))
	}
	return nil
}

// findWeights finds the weights of a recipe: installed or built-in weights with its
// checksum, else weights of its name, else the default weights, unless these are only
// the built-in ones.
func findWeights(w recipe.Weights) (string, error) {
	store := vgg.DefaultStore()
	list, err := store.List()
	if err != nil {
		return "", err
	}
	for _, i := range list {
		if i.SHA256 == w.SHA256 {
			return i.Name, nil
		}
	}
	if name := vgg.BuiltinOf(w.SHA256); name != "" {
		return name, nil
	}
	if _, err = store.Resolve(w.Name); err == nil {
		return w.Name, nil
	}
	if used, usedErr := store.Resolve(""); usedErr == nil && used.Builtin == "" {
		return "", nil
	}
	return "", err
}
