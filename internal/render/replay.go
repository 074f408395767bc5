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

// ReadRecipe reads the recipe in a picture or beside it.
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

// Replay is a request to paint the picture of a recipe again.
type Replay struct {
	Original    string // the picture with the recipe
	Directories []string
	Changes     []string         // "name=value"
	Verify      bool             // check that the result is the same; write nothing
	Values      *settings.Values // device, weights and outputs; the recipe has the options
	Recipe      recipe.Recipe
	Again       func(...Change) string // as in Request
}

// Request turns a replay into a request. It finds the inputs by their checksums.
func (p Replay) Request() (Request, ui.Faults) {
	var bad ui.Faults
	v, rec := p.Values, p.Recipe
	v.Replace(rec.Options, "recipe")
	for _, change := range p.Changes {
		bad.Add(v.ApplyChange(change))
	}
	if (v.Origin("size") == "--set" || v.Origin("supersample") == "--set") && v.Origin("scales") != "--set" {
		// The number of scales in the recipe was chosen for the size of its canvas.
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
		for _, p := range device.Precisions(on) { // if none of them is the recipe's, this machine's default applies
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
			r.Output.Overwrite = "number" // beside the original, which is kept
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

// Verified is the result of a verification.
type Verified struct {
	File   bool   `json:"file"` // the file equals the one painted now, byte for byte
	Output string `json:"output"`
	Pixels bool   `json:"pixels"` // the pixels equal those of the recipe

	Then string   `json:"device_then"` // the device that painted the recipe's picture
	Now  string   `json:"device_now"`
	PSNR *float64 `json:"psnr,omitempty"` // of the picture painted now compared with the file, in dB, if their pixels differ

	intact bool // the file still has the recipe's pixels, as far as its format keeps them
}

// OtherDevicePSNR is the least PSNR, in dB, between pictures painted on different
// devices. Devices round differently, and L-BFGS amplifies the differences. The PSNR
// between the vector code and the plain code of the processor is 35 dB or more.
const OtherDevicePSNR = 35

// otherDevice reports whether the pixels differ by no more than those of different
// devices do.
func (v Verified) otherDevice() bool {
	return !v.Pixels && v.intact && v.Then != v.Now && v.PSNR != nil && *v.PSNR >= OtherDevicePSNR
}

// Text says what a successful verification found.
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

// Verify paints the picture again and compares it with the file. It writes nothing.
// If they differ, Err of the result returns the fault.
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
		r.painter.Every = 1 // so that it can be stopped at the iteration of the original
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

// Err returns the fault of a picture that does not match its recipe.
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

// findWeights finds the weights of a recipe. It looks for installed or built-in
// weights with the recipe's checksum, then for weights of its name, and then takes
// the default weights unless those are the built-in ones.
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
