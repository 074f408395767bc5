package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// rescue keeps a painted picture that could not be written to its output. Its
// checkpoint stays. Without a checkpoint, the picture is written to a folder with
// enough space. The fault says how to write it elsewhere.
func (r *Prepared) rescue(p *style.Picture, rec recipe.Recipe, watch Observer, cause error) error {
	f := ui.FaultsOf(cause)[0]
	if r.out.path == ui.Stdout || r.env.Job {
		return cause
	}
	left := onlyExisting(style.CheckpointFiles(CheckpointOf(r.out.path)))
	first := r.out
	for _, dir := range []string{os.TempDir(), homeFolder(), "."} {
		name := filepath.Join(dir, filepath.Base(first.path))
		if ui.SameFile(dir, filepath.Dir(first.path)) {
			continue
		}
		if _, err := os.Lstat(name); err == nil {
			name = overwrite.New(picture.Fail, false).Free(name)
		}
		r.out.path = name
		err := r.save(p, rec, watch)
		r.out = first
		if err != nil {
			_ = os.Remove(name)
			continue
		}
		if len(left) == 0 {
			f.Message += fmt.Sprintf("; the painted picture is kept in %q", name)
			f.Try = []string{r.again(Change{Flag: "o", Value: name}, Change{Flag: "y"}) + "   (paints it there again)"}
			return f
		}
		for _, file := range append(onlyExisting([]string{picture.Sidecar(name)}), name) {
			_ = os.Remove(file) // the checkpoint holds the picture
		}
		f.Message += fmt.Sprintf("; its checkpoint %q stays", left[0])
		f.Try = []string{r.again(Change{Flag: "resume"}, Change{Flag: "o", Value: name}) + "   (writes it elsewhere)"}
		return f
	}
	if len(left) > 0 {
		f.Message += fmt.Sprintf("; its checkpoint %q stays", left[0])
		f.Try = []string{r.again(Change{Flag: "resume"}) + "   (when there is room)"}
	}
	return f
}

func homeFolder() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "."
	}
	return dir
}

// mostSearched is the most checkpoints that are read to find that of this render.
const mostSearched = 20

// searchCheckpoint finds the checkpoint of this render under the name of another
// output, for --resume with another -o. It searches beside the new output, in the
// current directory, and beside the inputs.
func (r *Prepared) searchCheckpoint(output string) (string, *style.Checkpoint) {
	folders := []string{filepath.Dir(output), "."}
	for _, f := range r.files {
		folders = append(folders, filepath.Dir(ui.Home(f.path)))
	}
	var names []string
	for _, dir := range folders {
		found, _ := filepath.Glob(filepath.Join(dir, "*.checkpoint")) // the pattern is valid
		names = append(names, found...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names[:min(len(names), mostSearched)] {
		c, err := style.LoadCheckpoint(name)
		if err == nil && r.compareRecipe(name, c.Note) == nil {
			return name, c
		}
	}
	return "", nil
}

// loadCheckpoint returns the checkpoint at path, or one of the same render
// elsewhere.
func (r *Prepared) loadCheckpoint(path, output string) (c *style.Checkpoint, elsewhere bool, err error) {
	c, err = style.LoadCheckpoint(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return c, false, err
	}
	if name, other := r.searchCheckpoint(output); other != nil {
		r.takenFrom = name
		r.Notes = append(r.Notes, fmt.Sprintf("checkpoint %q is of the same render", name))
		return other, true, nil
	}
	return nil, false, err
}
