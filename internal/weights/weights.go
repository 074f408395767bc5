// Package weights lists, installs and checks the weights of networks for the
// command: the networks themselves are read and stored by vgg.
package weights

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// Installable lists the names that Get knows.
func Installable() []string { return vgg.Available() }

// Default returns the name or file of the weights that are used where none are
// asked for. installed is false for the network inside the program.
func Default() (name string, installed bool, err error) {
	src, err := vgg.Resolve("")
	return cmp.Or(src.Name, src.Path), src.Builtin == "", err
}

// Listing is what is installed.
type Listing struct {
	Default   string          `json:"default"`
	Directory string          `json:"directory"`
	Installed []vgg.Installed `json:"installed"`
	Reason    string          `json:"reason"` // why Default is
}

// List reads what is installed.
func List() (Listing, error) {
	store := vgg.DefaultStore()
	list, err := store.List()
	if err != nil {
		return Listing{}, err
	}
	if list == nil {
		list = []vgg.Installed{} // [] in JSON, not null
	}
	chosen, err := store.Resolve("")
	return Listing{Default: chosen.Name, Directory: store.Dir, Installed: list, Reason: chosen.Why}, err
}

// String is a line for each network, the default marked.
func (l Listing) String() string {
	var b strings.Builder
	mark := func(name string) string {
		if name == l.Default {
			return "*"
		}
		return " "
	}
	for _, w := range l.Installed {
		fmt.Fprintf(&b, "%s %-20s %8s  to %s  %s  sha256 %s...\n", mark(w.Name), w.Name, progress.Bytes(w.Bytes), w.Last, ui.Printable(w.Source), w.SHA256[:12])
	}
	fmt.Fprintf(&b, "%s %-20s part of the program, no download\n", mark("mini"), "mini")
	return b.String()
}

// Folder is where weights are installed.
func Folder() string { return vgg.DefaultStore().Dir }

// Path returns the file of installed weights.
func Path(name string) (string, error) {
	src, err := vgg.Resolve(name)
	if err == nil && src.Path == "" {
		err = ui.NewFault(ui.ExitWeights, "weights_builtin", fmt.Sprintf("weights %q are part of the program and have no file", src.Name))
	}
	return src.Path, err
}

// Options say how weights are installed.
type Options struct {
	From         string // of Get: a copy of the published file
	Name, Layout string // of Import: what the file does not say
	Force, Half  bool   // replace what is installed; store 16-bit numbers
	Progress     io.Writer
	Terminal     bool // Progress is one
}

// Get downloads published weights and installs them.
func Get(ctx context.Context, name string, o Options) (vgg.Installed, error) {
	get := vgg.GetOptions{From: o.From, Force: o.Force, Half: o.Half}
	if o.Progress != nil {
		get.Progress = downloadLine(o.Progress, o.Terminal)
	}
	return vgg.DefaultStore().Get(ctx, name, get)
}

// Import installs the weights of a file.
func Import(ctx context.Context, file string, o Options) (vgg.Installed, error) {
	return vgg.DefaultStore().Import(ctx, file, vgg.ImportOptions{Name: o.Name, Layout: vgg.Layout(o.Layout), Force: o.Force, Half: o.Half})
}

// Line says of installed weights what they are.
func Line(w vgg.Installed) string {
	return fmt.Sprintf("%s: installed, %s, to %s, sha256 %s", w.Name, progress.Bytes(w.Bytes), w.Last, w.SHA256)
}

// Verify compares installed weights with their checksums, all of them where none
// are named, and calls ok for each that agrees. It returns all faults together.
func Verify(ctx context.Context, names []string, ok func(name string)) error {
	store := vgg.DefaultStore()
	if len(names) == 0 {
		list, err := store.List()
		if err != nil {
			return err
		}
		for _, w := range list {
			names = append(names, w.Name)
		}
	}
	var bad ui.Faults
	for _, name := range names {
		if err := store.Verify(ctx, name); err != nil {
			bad.Add(err)
			continue
		}
		ok(name)
	}
	return bad.Err()
}

// downloadLine says how far a download is: one line that is redrawn on a
// terminal, a line every tenth elsewhere.
func downloadLine(out io.Writer, terminal bool) func(vgg.Progress) {
	var last time.Time
	tenth := int64(-1)
	return func(p vgg.Progress) {
		text := fmt.Sprintf("%s  %s", p.File, progress.Bytes(p.Done))
		if p.Total > 0 {
			text += fmt.Sprintf(" of %s  %d %%", progress.Bytes(p.Total), p.Done*100/p.Total)
		}
		finished := p.Total > 0 && p.Done >= p.Total
		switch {
		case terminal && (finished || time.Since(last) > 200*time.Millisecond):
			last = time.Now()
			end := ""
			if finished {
				end = "\n"
			}
			fmt.Fprintf(out, "\r\x1b[K%s%s", text, end)
		case !terminal && p.Total > 0 && p.Done*10/p.Total > tenth:
			tenth = p.Done * 10 / p.Total
			fmt.Fprintln(out, text)
		}
	}
}
