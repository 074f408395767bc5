package render

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Painted frames are kept in a folder until the film is made. A file in it records
// the film and the settings that they belong to. A frame is written only when it is
// complete, so that frames in the folder need not be painted again. A frame depends
// only on the photograph and on the 8-bit codes of the previous frame. So a resumed
// film is the same to the byte.

// filmOrder is everything that determines the painted frames. It is kept in
// orderFile, with the shots that were found.
type filmOrder struct {
	Options        style.Options  `json:"options"`
	Flow           style.Flow     `json:"flow"`
	NextIterations int            `json:"next-iterations"`
	Cut            float64        `json:"cut"`
	Frames         string         `json:"input"` // SHA-256 of the film, or of the pictures together
	Rate           string         `json:"fps"`
	From           int            `json:"from"`
	To             int            `json:"to"` // excluded; 0: the end
	Every          int            `json:"every"`
	Size           string         `json:"size of the input"`
	Styles         []string       `json:"styles"`
	Weights        recipe.Weights `json:"weights"`
	Device         string         `json:"device"`
}

const orderFile = "impasto-video.json"

type keptOrder struct {
	Order filmOrder   `json:"order"`
	Shots []film.Shot `json:"shots"`
}

func (o filmOrder) hash() string {
	text, _ := json.Marshal(o) // numbers are checked, so this cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// frame returns the file of frame n, from 0.
func (v *Film) frame(n int) string {
	dir, base := filepath.Split(v.frames)
	return filepath.Join(dir, fmt.Sprintf(base, n+1))
}

// has reports whether a frame is painted.
func (v *Film) has(n int) bool {
	st, err := os.Stat(v.frame(n))
	return err == nil && st.Mode().IsRegular()
}

// painted lists the files of the painted frames, in order.
func (v *Film) painted() (files []string) {
	for i := range v.input.Frames {
		if v.has(i) {
			files = append(files, v.frame(i))
		}
	}
	return files
}

// done counts the painted frames.
func (v *Film) done() int { return len(v.painted()) }

// openFrames finds the shots. It takes those stored with the painted frames if they
// belong to this order, and otherwise scans the film.
func (v *Film) openFrames(ctx context.Context) error {
	dir := filepath.Dir(v.frames)
	if err := v.unpack(ctx); err != nil {
		return err
	}
	kept, err := readOrder(dir)
	v.anew = v.values.On("restart")
	if err != nil && !v.anew {
		return err
	}
	if kept != nil && v.env.Job && onlyDevice(kept.Order, v.order) {
		v.Notes = append(v.Notes, fmt.Sprintf("the frames so far were painted on %s; painting all on %s", kept.Order.Device, v.order.Device))
		v.anew = true
	}
	if kept != nil && !v.anew {
		if what := difference(kept.Order, v.order); len(what) > 0 {
			return ui.NewFault(ui.ExitOutput, "other_frames", fmt.Sprintf("the frames in %q are of another film: %s", dir, strings.Join(what[:min(3, len(what))], ", ")),
				"-o "+ui.ShellQuote(v.freeName())+"   (another place)", "--restart   (paint them anew)")
		}
		v.shots = kept.Shots
		v.input.Frames = v.shots[len(v.shots)-1].Last + 1
	} else {
		if there := v.unknownFrames(); kept == nil && len(there) > 0 && v.values.Text("overwrite") != "replace" {
			return ui.NewFault(ui.ExitOutput, "other_frames", fmt.Sprintf("%q exists, and nothing says what it was painted from", there[0]),
				"-o "+ui.ShellQuote(v.freeName())+"   (another place)", "--restart -y   (replaces it)")
		}
		if v.shots, err = film.Shots(ctx, v.source, v.order.Cut); err != nil {
			return err
		}
		v.input = v.source.Info()
	}
	if v.film.Path != "" && v.film.Sound.Path != "" {
		v.film.Sound.Len = v.rate.Seconds(v.input.Frames)
	}
	return nil
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// unknownFrames lists the files in the folder that are named like painted frames.
func (v *Film) unknownFrames() (names []string) {
	dir, base := filepath.Split(v.frames)
	at := numbers.FindStringIndex(base)
	entries, _ := os.ReadDir(filepath.Clean(dir)) // no folder, no entries
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), base[:at[0]])
		number, ok2 := strings.CutSuffix(number, base[at[1]:])
		if ok && ok2 && digits.MatchString(number) && !e.IsDir() {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}

// freeName proposes a name similar to the output's that does not exist.
func (v *Film) freeName() string {
	set := overwrite.New(picture.Fail, false)
	dir, base := filepath.Split(v.frames)
	switch {
	case v.film.Path != "":
		for name := set.Free(v.film.Path); ; name = set.Free(name) {
			if _, err := os.Stat(name + ".frames"); err != nil {
				return name
			}
		}
	case base == frameFile:
		return set.Free(filepath.Clean(dir)) + "/"
	}
	return filepath.Join(set.Free(filepath.Join(dir, "painted")), base)
}

// Begin makes the folder and removes the frames that are to be painted again.
func (v *Film) Begin() error {
	v.begun = time.Now()
	dir := filepath.Dir(v.frames)
	if err := MakeDirectory(dir); err != nil {
		return err
	}
	v.sweep()
	if v.anew {
		for i := 0; v.has(i) || i < v.input.Frames; i++ {
			_ = os.Remove(v.frame(i)) // a frame that remains is replaced later
		}
	}
	return picture.WriteFile(filepath.Join(dir, orderFile), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(keptOrder{v.order, v.shots})
	})
}

// removeFrames removes the frames once the film is made, and the folder if it is empty.
func (v *Film) removeFrames() {
	dir := filepath.Dir(v.frames)
	for i := range v.input.Frames {
		_ = os.Remove(v.frame(i))
	}
	_ = os.Remove(filepath.Join(dir, orderFile))
	_ = os.Remove(dir) // fails if other files are there
}

// A film that is a job of a queue may be continued in another folder. So its
// painted frames are also packed into a checkpoint beside the output, which the
// worker stores with the job. They are packed at most every packEvery, and packing
// takes at most a tenth of the time.
const packEvery = 30 * time.Second

func (v *Film) packEvery() time.Duration {
	if v.env.PackEvery > 0 {
		return v.env.PackEvery
	}
	return packEvery
}

// pack writes the checkpoint. If that fails, the film is painted without it.
func (v *Film) pack(ctx context.Context, r *roll) {
	if !v.env.Job || v.film.Path == "" || v.done() == 0 {
		return
	}
	begun := time.Now()
	order := filepath.Join(filepath.Dir(v.frames), orderFile) // first, because it says what the frames belong to
	err := film.Pack(ctx, CheckpointOf(v.film.Path), append([]string{order}, v.painted()...)...)
	if err != nil && ctx.Err() == nil {
		r.watch.send(Warning{Text: fmt.Sprintf("no checkpoint was saved: %v", err)})
	}
	if err == nil {
		r.watch.send(CheckpointSaved{CheckpointOf(v.film.Path)})
	}
	r.packed, r.packing = time.Now(), time.Since(begun)
}

// unpack copies the frames of the checkpoint that the folder does not have.
func (v *Film) unpack(ctx context.Context) error {
	path := CheckpointOf(v.film.Path)
	if !v.env.Job || path == "" || v.env.DryRun {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	dir := filepath.Dir(v.frames)
	if err := MakeDirectory(dir); err != nil {
		return err
	}
	err := film.Unpack(ctx, path, dir, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		ours, _ := filepath.Match(numbers.ReplaceAllString(frameFile, "*"), name) // the pattern is valid
		return err != nil && (ours || name == orderFile)
	})
	if err != nil && ctx.Err() == nil {
		v.Notes = append(v.Notes, fmt.Sprintf("checkpoint %q cannot be read whole: %v", path, err))
		return nil
	}
	return err
}

// sweep removes the unfinished files of a killed process: frames, shots and the
// film.
func (v *Film) sweep() {
	shots := filepath.Join(filepath.Dir(v.frames), shotsFolder)
	patterns := []string{numbers.ReplaceAllString(v.frames, "*") + ".tmp-*", filepath.Join(shots, "*.tmp-*")}
	if v.anew { // they may be of another film
		patterns = append(patterns, filepath.Join(shots, "frames_*.tar"), filepath.Join(shots, "painted_*.tar"))
	}
	if v.film.Path != "" {
		patterns = append(patterns, v.film.Path+".tmp-*")
	}
	for _, p := range patterns {
		left, _ := filepath.Glob(p) // a path that is itself a pattern finds nothing
		for _, name := range left {
			_ = os.Remove(name) // a file that remains only takes space
		}
	}
}

// readOrder reads the order that is stored in a folder. It returns nil if there is
// none.
func readOrder(dir string) (*keptOrder, error) {
	path := filepath.Join(dir, orderFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept keptOrder
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err == nil && !whole(kept.Shots) {
		err = errors.New("its shots do not follow each other")
	}
	if err != nil {
		return nil, ui.NewFault(ui.ExitOutput, "other_frames", fmt.Sprintf("%q, which describes the frames beside it, cannot be read: %s", path, ui.Reason(err)), "--restart   (paint them anew)")
	}
	return &kept, nil
}

// whole reports whether shots cover frames from 0 on, each exactly once.
func whole(shots []film.Shot) bool {
	next := 0
	for _, s := range shots {
		if s.First != next || s.Last < s.First {
			return false
		}
		next = s.Last + 1
	}
	return next > 0
}

// onlyDevice reports whether the device is all that differs between two orders.
func onlyDevice(then, now filmOrder) bool {
	other := then.Device != now.Device
	then.Device = now.Device
	return other && len(difference(then, now)) == 0
}

// difference names the fields in which two orders differ.
func difference(then, now filmOrder) (what []string) {
	flat := func(o filmOrder) map[string]string {
		text, _ := json.Marshal(o)
		var all, options map[string]json.RawMessage
		_ = json.Unmarshal(text, &all) // it was just written
		_ = json.Unmarshal(all["options"], &options)
		list := map[string]string{}
		for name, value := range all {
			if name != "options" {
				list[name] = string(value)
			}
		}
		for name, value := range options {
			list[name] = string(value)
		}
		return list
	}
	a, b := flat(then), flat(now)
	for name := range b {
		if _, ok := a[name]; !ok {
			a[name] = "not set"
		}
	}
	for name, was := range a {
		is := cmp.Or(b[name], "not set")
		switch {
		case was == is:
		case len(was)+len(is) > 40: // sums, lists
			what = append(what, name+" differs")
		default:
			what = append(what, fmt.Sprintf("%s is %s there and %s here", name, was, is))
		}
	}
	slices.Sort(what)
	return what
}
