package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// numbers matches the number in a name of frames.
var numbers = regexp.MustCompile(`%0?[0-9]*d`)

// chooseFilm decides what is written: a film or the painted frames.
func (v *Film) chooseFilm(in string) error {
	template := ui.Home(cmp.Or(v.Request.Output.Name, "out.mp4"))
	if template == ui.Stdout {
		return ui.NewFault(ui.ExitOutput, "stdout", "a film cannot be written to standard output: its end is written first", "-o out.mp4")
	}
	name, err := ui.Expand(template, v.names(in))
	if err != nil {
		return ui.UsageFault(fmt.Sprintf("output %q: of a film the fields are {content} {style} {mode} {seed} {date}", template))
	}
	own := ui.Home(v.values.Text("frames"))
	v.film = film.Target{Rate: v.rate, Codec: v.values.Text("codec"), CRF: v.values.Text("crf")}
	var bad ui.Faults
	switch {
	case film.IsFilm(name), film.IsArchive(name):
		rule, ask := v.env.settleRule(name, v.Request.Output.Overwrite)
		v.out.ask = ask
		how, err := picture.ParseOverwrite(rule)
		bad.Add(err)
		if err == nil {
			path, skip, err := picture.Destination(name, how)
			bad.Add(err)
			v.film.Path = cmp.Or(path, name)
			v.out.path, v.out.skip = v.film.Path, skip
		}
		v.frames = filepath.Join(cmp.Or(own, v.film.Path+".frames"), frameFile)
		if v.input.Film && v.input.Sound != "" {
			v.film.Sound = film.Sound{Path: v.input.Path, Codec: v.input.Sound, From: v.start}
		}
		if n := v.chosen.Every; n > 1 {
			v.Notes = append(v.Notes, fmt.Sprintf("one frame in %d is painted and stays %d times as long: the film keeps its length, %.1f s", n, n, v.rate.Seconds(v.input.Frames)))
		}
		if v.tools.OK() && film.IsFilm(name) && !v.out.skip && len(bad) == 0 && v.rate.Float() > 0 { // 0: the film was not read
			bad.Add(v.tryEncoder())
		}
		if !v.tools.OK() && !film.IsArchive(name) {
			v.Notes = append(v.Notes, fmt.Sprintf("%s: the frames stay in %q", v.tools.Missing(), filepath.Dir(v.frames)))
		}
	case own != "":
		bad.Add(ui.UsageFault(fmt.Sprintf("--frames %q is where frames lie until a film is made of them; %q takes the frames themselves", own, name), v.again(Change{Flag: "frames", Drop: true}), "-o "+ui.ShellQuote(overwrite.New(picture.Fail, false).Free("out.mp4"))))
	case numbers.MatchString(filepath.Base(name)):
		v.frames = name
		_, err := picture.FormatOf(name)
		bad.Add(err)
	case ui.IsFolder(name) || filepath.Ext(name) == "":
		v.frames = filepath.Join(name, frameFile)
	default:
		bad.Add(ui.UsageFault(fmt.Sprintf("output %q is neither a film (%s) nor frames: a folder, a .tar or a pattern", name, strings.Join(film.Extensions(), " ")),
			"-o out.mp4", "-o painted/", "-o painted/%05d.png"))
	}
	if v.film.Path == "" && v.out.path == "" {
		v.out.path = v.frames
	}
	if len(bad) == 0 {
		bad.Add(v.keepApart(in))
	}
	return bad.Err()
}

// tryEncoder checks that ffmpeg can make the film. If it cannot, the fault proposes
// a codec that works.
func (v *Film) tryEncoder() error {
	ctx := context.Background()
	err := v.tools.Try(ctx, v.film)
	if err == nil {
		return nil
	}
	f := ui.FaultsOf(err)[0]
	for _, codec := range []string{"", "libx264", "libvpx-vp9", "mpeg4", "ffv1"} {
		other := v.film
		other.Codec, other.CRF = codec, ""
		if v.tools.Try(ctx, other) == nil {
			f.Try = append(f.Try, v.again(Change{Flag: "crf", Drop: true}, Change{Flag: "codec", Value: codec, Drop: codec == ""}))
			break
		}
	}
	return f
}

// frameFile is the name of a painted frame, counted from 1.
const frameFile = "frame_%05d.png"

// names returns the values of the fields of an output template.
func (v *Film) names(in string) map[string]string {
	values := v.fieldValues()
	values["mode"], values["content"] = string(settings.ModeVideo), ui.Stem(strings.TrimSuffix(in, "/"))
	values["style"] = ""
	for i, s := range v.files {
		if i > 0 {
			values["style"] += "+"
		}
		values["style"] += ui.Stem(s.path)
	}
	return values
}

// keepApart refuses outputs of a film that are also its inputs.
func (v *Film) keepApart(in string) error {
	how, ask, err := v.env.existingRule(v.Request.Output.Overwrite)
	if err != nil {
		return err
	}
	set := overwrite.New(how, ask)
	v.inputsOf(set)
	if v.input.Film || film.IsArchive(in) {
		set.Reads("the film that is painted", v.input.Path)
	} else if ui.SameFile(filepath.Dir(v.frames), filepath.Dir(in+"/")) {
		return ui.NewFault(ui.ExitOutput, "same_file", fmt.Sprintf("painted frames would be written among the frames to paint, in %q", filepath.Dir(v.frames)), "-o "+ui.ShellQuote(set.Free("painted"))+"/")
	}
	if v.film.Path != "" {
		if err := set.Writes("output", "-o", v.film.Path); err != nil {
			return err
		}
	}
	for n := range v.input.Frames {
		if err := set.Writes("painted frame", "-o", v.frame(n)); err != nil {
			return ui.NewFault(ui.ExitOutput, "same_file", err.Error(), "-o "+ui.ShellQuote(set.Free("painted"))+"/")
		}
	}
	err = v.choosePreview(set)
	v.asks = append(v.asks, set.Existing...)
	return errors.Join(err, v.checkStreams(set))
}
