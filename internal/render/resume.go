package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/replace"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// A render keeps its checkpoint beside its output, as out.png.checkpoint, until the
// picture is finished and written. --resume with the same command line continues
// from it.

// CheckpointOf returns the checkpoint's file of an output, or "" if it has none.
func CheckpointOf(output string) string {
	if output == ui.Stdout || output == "" {
		return ""
	}
	if long := replace.Beside(output, ".checkpoint.before"); !strings.HasPrefix(long, output) {
		return strings.TrimSuffix(long, ".before") // the longer of the two names has to fit
	}
	return output + ".checkpoint"
}

// saving returns where and how often style saves checkpoints.
func (r *Prepared) saving() style.Saving {
	how := r.Request.Output.Checkpoint
	path := CheckpointOf(r.out.path)
	note, err := r.recipe.Canonical()
	if how.Off || path == "" || err != nil {
		return style.Saving{}
	}
	return style.Saving{Path: path, Every: how.Every, Note: note}
}

// findCheckpoint looks for the checkpoint that --resume continues from.
func (r *Prepared) findCheckpoint() (found bool, err error) {
	where, err := r.env.chooseTarget(r.outputName(), "replace", r.fieldValues())
	path := CheckpointOf(where.path)
	if err != nil || path == "" {
		return false, nil // reported when the output is chosen
	}
	c, elsewhere, err := r.loadCheckpoint(path, where.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Notes = append(r.Notes, fmt.Sprintf("there is no checkpoint %q; painting from the beginning", path))
		return false, nil
	case err != nil:
		return false, ui.NewFault(ui.ExitInput, "checkpoint", err.Error(), r.again(Change{Flag: "resume", Drop: true}, Change{Flag: "y"})+"   (from the beginning)")
	}
	if then := r.otherDevice(c.Note); r.env.Job && then != "" {
		r.Notes = append(r.Notes, fmt.Sprintf("the checkpoint is of a picture on %s; painting from the beginning on %s", then, deviceText(r.recipe.Device, r.recipe.Precision)))
		return true, nil
	}
	// Tiles depend on the available memory. A resumed render keeps the tiles that
	// it began with.
	r.painter.Resume = c
	asked := r.values.Options
	changed := r.takeDefaults(&asked, c.Options)
	if changed || asked.Tile != c.Options.Tile {
		if r.plan, err = r.inputs.Plan(asked, r.painter); err != nil {
			return false, err
		}
		r.values.Options = r.plan.Options
		r.recipe = r.newRecipe()
	}
	if err := r.compareRecipe(path, c.Note); err != nil {
		return false, err
	}
	if c.Damaged != nil {
		r.Notes = append(r.Notes, c.Damaged.Error()+"; the one before it is used")
	}
	r.Notes = append(r.Notes, fmt.Sprintf("going on at scale %d, iteration %d", c.Scale+1, c.Iteration))
	return !elsewhere, nil
}

// takeDefaults sets the options in o that have their default to the values in the
// checkpoint, because an older version may have had other defaults. It reports
// whether anything changed.
func (r *Prepared) takeDefaults(o *style.Options, then style.Options) (changed bool) {
	for _, name := range style.OptionNames() {
		own, old := reflect.ValueOf(o.Field(name)).Elem(), reflect.ValueOf(then.Field(name)).Elem()
		if r.values.Origin(name) == settings.OriginDefault && !reflect.DeepEqual(own.Interface(), old.Interface()) {
			own.Set(old)
			changed = true
		}
	}
	return changed
}

// otherDevice returns the device of the recipe of a checkpoint if its class or precision
// is all that differs from this recipe, and otherwise "". A job may come from such a
// worker.
func (r *Prepared) otherDevice(note string) string {
	var then recipe.Recipe
	if json.Unmarshal([]byte(note), &then) != nil || then.Hash() == r.recipe.Hash() {
		return ""
	}
	here := then
	if here.Device, here.Precision = r.recipe.Device, r.recipe.Precision; here.Hash() != r.recipe.Hash() {
		return ""
	}
	return deviceText(then.Device, then.Precision)
}

// compareRecipe refuses the checkpoint of another render.
func (r *Prepared) compareRecipe(path, note string) error {
	var then recipe.Recipe
	if err := json.Unmarshal([]byte(note), &then); err != nil {
		return ui.NewFault(ui.ExitInput, "checkpoint", fmt.Sprintf("checkpoint %q was not written by this command", path), r.again(Change{Flag: "resume", Drop: true}, Change{Flag: "y"})+"   (from the beginning)")
	}
	if then.Hash() == r.recipe.Hash() {
		return nil
	}
	what := []string{}
	changes, _ := recipe.Diff(then, r.recipe)
	for _, c := range changes {
		if c.Path != "impasto" && !strings.HasSuffix(c.Path, ".name") {
			what = append(what, fmt.Sprintf("%s is %s there and %s here", strings.TrimPrefix(c.Path, "options."), c.A, c.B))
		}
	}
	tries := []string{
		r.again(Change{Flag: "resume", Drop: true}, Change{Flag: "o", Value: overwrite.New(picture.Fail, false).Free(strings.TrimSuffix(path, ".checkpoint"))}) + "   (beside it)",
		r.again(Change{Flag: "resume", Drop: true}, Change{Flag: "y"}) + "   (in its place, from the beginning)",
	}
	if own := vgg.BuiltinOf(then.Weights.SHA256); own != "" && then.Weights != r.recipe.Weights {
		tries = slices.Insert(tries, 0, r.again(Change{Flag: "weights", Value: own})+"   (with its weights)")
	}
	return ui.NewFault(ui.ExitUsage, "checkpoint",
		fmt.Sprintf("checkpoint %q is of another render: %s", path, strings.Join(what[:min(3, len(what))], ", ")), tries...)
}

// removeCheckpoint removes the checkpoint once the picture is finished.
func (r *Prepared) removeCheckpoint() {
	path := CheckpointOf(r.out.path)
	if path == "" {
		return
	}
	style.RemoveCheckpoint(path)
	if r.takenFrom != "" {
		style.RemoveCheckpoint(r.takenFrom)
	}
	if r.painter.Resume != nil { // the previous process may have been killed while it wrote the picture
		left, _ := filepath.Glob(r.out.path + ".tmp-*")
		for _, name := range left {
			_ = os.Remove(name)
		}
	}
}

// nextSteps proposes what the user can do after an interruption.
func (r *Prepared) nextSteps() []string {
	if r.Request.Again == nil {
		return nil
	}
	if path := r.saving().Path; path != "" {
		if _, err := os.Stat(path); err == nil {
			return []string{r.again(Change{Flag: "resume"})}
		}
	}
	return []string{"impasto replay " + r.out.path + " -y   (from the beginning, to the end)"}
}
