package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func videoCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "video",
		Category:  categoryPaint,
		Usage:     "paint a film, or numbered pictures, in the manner of one or more paintings",
		ArgsUsage: "IN STYLE...",
		Description: "IN is a film, or numbered pictures: a folder, a .tar or a pattern such as frames/%05d.png. So is the output.\n" +
			"Each frame begins with the one before, moved along optical flow, and is kept near it where the scene\n" +
			"does not change. Frames painted so far are kept: the same command goes on where it was stopped.\n" +
			"Films need ffmpeg, numbered pictures do not.",
		Flags:  append(renderFlags(modeVideo), submitFlags()...),
		Action: func(c *cli.Context) error { return paintVideo(s, c) },
	})
}

// video is one film from the command line to the file.
type video struct {
	*render
	tools  film.Tools
	source film.Source
	input  film.Info
	chosen film.Selection
	start  float64 // of the first frame, in seconds into the film

	sequence *style.Sequence
	next     style.Plan // of each frame but the first of a shot
	shots    []film.Shot

	frames string      // of painted frames: DIR/frame_%05d.png
	film   film.Target // Path is "" where the frames are the output
	rate   film.Rate
	order  videoOrder
	begun  time.Time
}

func paintVideo(s *session, c *cli.Context) error {
	set, bad := resolve(c, modeVideo)
	in, styles := splitInputs(c.Args().Slice(), flagText(c, "content"), set.styles)
	if in == "" || len(styles) == 0 && set.options.StyleWeight > 0 {
		got := len(styles)
		if in != "" {
			got++
		}
		bad.Add(ui.UsageFault(fmt.Sprintf("video needs a film or frames and at least one style image, got %d", got),
			"impasto video "+either(in, "FILM.mp4")+" STYLE.jpg -o OUT.mp4"))
		return bad
	}
	r := &render{session: s, set: set, mode: style.ModeArt}
	if set.options.Seed == 0 {
		set.options.Seed = rand.Uint64N(1<<32-1) + 1
		r.notes = append(r.notes, fmt.Sprintf("seed %d was drawn; --seed %d repeats it", set.options.Seed, set.options.Seed))
	}
	v := &video{render: r, tools: film.Find()}
	bad.Add(checkSubmit(c))
	ctx, signals := s.watchSignals()
	defer signals.Stop()
	bad = append(bad, v.prepare(ctx, ui.Home(in), styles)...)
	if ctx.Err() != nil {
		return signals.Fault("interrupted before the first frame")
	}
	if len(bad) > 0 {
		return bad
	}
	if c.Bool("submit") {
		return v.submit(ctx, signals, c)
	}
	return v.run(ctx, signals)
}

// prepare finds out everything that can be wrong, and where the shots are.
func (v *video) prepare(ctx context.Context, in string, styles []string) ui.Faults {
	r := v.render
	var bad ui.Faults
	if _, err := initFile(v.set); err != nil || v.set.options.Init == style.InitFile {
		bad.Add(ui.UsageFault("the first frame of a shot cannot begin with a picture from a file", "--init content"))
	}
	bad.Add(v.openInput(ctx, in))
	bad = append(bad, r.read(sources{styles: styles})...)
	bad.Add(checkDevice(v.set.text("device")))
	bad = append(bad, r.loadNetwork()...)
	bad = append(bad, r.checkOptions()...)
	bad.Add(v.chooseFilm(in))
	if len(bad) > 0 {
		return bad
	}
	var err error
	if r.device, err = r.kept.device(v.set.text("device"), v.set.number("threads", 0)); err != nil {
		return ui.FaultsOf(err)
	}
	r.env = style.Env{Backend: r.device.backend, Network: r.network, MaxBytes: r.memoryLimit(), Pictures: r.pictureBytes() + v.frameBytes()}
	if err := v.newSequence(); err != nil {
		return ui.FaultsOf(err)
	}
	sum, err := v.source.Sum(ctx)
	if err != nil {
		return ui.FaultsOf(err)
	}
	v.order = v.newOrder(hex.EncodeToString(sum[:]))
	return toFaultsOrNil(v.openFrames(ctx))
}

func toFaultsOrNil(err error) ui.Faults {
	if err == nil {
		return nil
	}
	return ui.FaultsOf(err)
}

// newSequence plans the first frame of a shot and those after it. The progress
// of both goes through show, set when painting begins.
func (v *video) newSequence() error {
	o := style.SequenceOptions{Options: v.set.options, Flow: either(v.set.text("flow"), style.FlowDense), NextIterations: v.set.number("next-iterations", 0)}
	inputs := v.inputs
	var err error
	if v.sequence, err = style.NewSequence(v.input.W, v.input.H, inputs, o, v.env); err != nil {
		return err
	}
	v.plan = v.sequence.Plan()
	v.set.options = v.plan.Options
	v.film.W, v.film.H = v.plan.W(), v.plan.H()
	v.next, err = v.sequence.NextPlan()
	return err
}

// frameBytes is the memory of the frames held at a time: the photograph, this
// frame's and the last one's, and what the flow between them takes.
func (v *video) frameBytes() int64 {
	if v.device.info != nil {
		return 0 // it has memory of its own
	}
	return 4 * 3 * 4 * int64(v.input.W) * int64(v.input.H)
}

// openInput opens the film or the folder.
func (v *video) openInput(ctx context.Context, in string) error {
	st, err := os.Stat(in)
	_, onePicture := picture.FormatOf(in)
	archive := film.IsArchive(in)
	numbered := archive || film.IsPattern(in) || err == nil && st.IsDir()
	if !numbered && onePicture == nil {
		return ui.UsageFault(fmt.Sprintf("%q is one picture", in), "impasto art "+ui.ShellQuote(in)+" STYLE.jpg", "a film, a folder, or a pattern such as frames/%05d.png")
	}
	fps, rateErr := film.ParseRate(v.set.text("fps"))
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
	sel.Every = v.set.number("every", 1)
	if from, ok := parseMoment(v.set.text("from")); ok {
		sel.From = from.at(rate)
	}
	if to, ok := parseMoment(v.set.text("to")); ok {
		if sel.To = to.at(rate); sel.To <= sel.From {
			return ui.UsageFault(fmt.Sprintf("--to %s is not after --from %s", v.set.text("to"), either(v.set.text("from"), "0")))
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

// numbers is where a name of frames has its number.
var numbers = regexp.MustCompile(`%0?[0-9]*d`)

// chooseFilm decides what is written: a film, or the painted frames.
func (v *video) chooseFilm(in string) error {
	template := ui.Home(either(v.set.text("output"), "out.mp4"))
	if template == ui.Stdout {
		return ui.NewFault(ui.ExitOutput, "stdout", "a film cannot be written to standard output: its end is written first", "-o out.mp4")
	}
	name, err := ui.Expand(template, v.names(in))
	if err != nil {
		return ui.UsageFault(fmt.Sprintf("output %q: of a film the fields are {content} {style} {mode} {seed} {date}", template))
	}
	own := ui.Home(flagValue(v.set, "frames"))
	v.film = film.Target{Rate: v.rate, Codec: v.set.text("codec"), CRF: v.set.text("crf")}
	var bad ui.Faults
	switch {
	case film.IsFilm(name), film.IsArchive(name):
		rule := v.set.text("overwrite")
		if rule == "" || rule == "ask" {
			rule = "fail"
			if _, err := os.Stat(name); err == nil && ui.IsTerminal(v.stdin) && ui.IsTerminal(v.stderr) && !v.json {
				rule, v.out.ask = "replace", true
			}
		}
		how, err := picture.ParseOverwrite(rule)
		bad.Add(err)
		if err == nil {
			path, skip, err := picture.Destination(name, how)
			bad.Add(err)
			v.film.Path = either(path, name)
			v.out.path, v.out.skip = v.film.Path, skip
		}
		v.frames = filepath.Join(either(own, v.film.Path+".frames"), frameFile)
		if v.input.Film && v.input.Sound != "" {
			v.film.Sound = film.Sound{Path: v.input.Path, Codec: v.input.Sound, From: v.start}
		}
		if !v.tools.OK() && !film.IsArchive(name) {
			v.notes = append(v.notes, fmt.Sprintf("ffmpeg is not installed: the frames stay in %q", filepath.Dir(v.frames)))
		}
	case own != "":
		bad.Add(ui.UsageFault(fmt.Sprintf("--frames %q is where frames lie until a film is made of them; %q takes the frames themselves", own, name), "without --frames", "-o out.mp4"))
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

// frameFile is the name of a painted frame, counted from 1.
const frameFile = "frame_%05d.png"

// flagValue is a setting that another mode spells alike: of video only what was
// said on the command line.
func flagValue(s *settings, name string) string {
	if s.origins[name] == "flag" {
		return s.text(name)
	}
	return ""
}

// names fill an output template.
func (v *video) names(in string) map[string]string {
	values := v.fieldValues()
	values["mode"], values["content"] = modeVideo, ui.Stem(strings.TrimSuffix(in, "/"))
	values["style"] = ""
	for i, s := range v.files {
		if i > 0 {
			values["style"] += "+"
		}
		values["style"] += ui.Stem(s.path)
	}
	return values
}

// header says in one line what was chosen and why.
func (v *video) header() string {
	parts := []string{v.device.String(), fmt.Sprintf("%dx%d", v.plan.W(), v.plan.H()),
		ui.Count(v.input.Frames, "frame") + " in " + ui.Count(len(v.shots), "shot")}
	if s := v.seconds(); s > 0 {
		parts = append(parts, "~"+progress.Span(time.Duration(s*float64(time.Second))))
	}
	if v.plan.PeakBytes > 0 {
		parts = append(parts, progress.Bytes(v.plan.PeakBytes))
	}
	return strings.Join(append(parts, "weights "+v.network.Name), " · ")
}

// seconds estimates what is still to be painted.
func (v *video) seconds() float64 {
	total := 0.0
	for _, s := range v.shots {
		for i := s.First; i <= s.Last; i++ {
			switch {
			case v.has(i):
			case i == s.First:
				total += v.plan.Seconds
			default:
				total += v.next.Seconds
			}
		}
	}
	return total
}

// describe is the header's facts by name.
func (v *video) describe() map[string]any {
	facts := v.render.describe()
	facts["mode"], facts["content"], facts["output"] = modeVideo, v.input.Path, v.out.path
	facts["frames"], facts["shots"], facts["done"] = v.input.Frames, v.shots, v.done()
	facts["fps"], facts["seconds"] = v.rate.String(), v.seconds()
	facts["next_iterations"], facts["flow"] = v.sequence.Options().NextIterations, v.sequence.Options().Flow
	facts["recipe"] = v.order.hash()
	return facts
}

// dryRun says what run would do.
func (v *video) dryRun() error {
	if v.json {
		facts := v.describe()
		facts["type"], facts["options"] = "plan", v.set.options
		return writeJSON(v.stdout, facts)
	}
	w := v.stdout
	fmt.Fprintln(w, v.header())
	sound := "no sound"
	if v.input.Sound != "" {
		sound = "sound " + v.input.Sound
	}
	if !v.input.Film {
		sound = "numbered"
	}
	fmt.Fprintf(w, "%-8s %s  %dx%d, %s at %s a second, %s\n", "film", v.input.Path, v.input.W, v.input.H, ui.Count(v.input.Frames, "frame"), v.rate, sound)
	for _, f := range v.files {
		fmt.Fprintf(w, "%-8s %s  %dx%d %s\n", f.role, f.path, f.picture.W, f.picture.H, f.info.Format)
	}
	for i, s := range v.shots {
		if i == 20 && len(v.shots) > 24 {
			fmt.Fprintf(w, "and %d more shots\n", len(v.shots)-i)
			break
		}
		fmt.Fprintf(w, "shot %-3d frames %d to %d  from %s\n", i+1, s.First+1, s.Last+1, clock(v.start+v.rate.Seconds(s.First)))
	}
	for i, s := range v.plan.Scales {
		fmt.Fprintf(w, "scale %d  %dx%d  %s of a first frame\n", i+1, s.W, s.H, ui.Count(s.Iterations, "iteration"))
	}
	fmt.Fprintf(w, "then     %s of each frame, ~%s; a first one ~%s\n", ui.Count(v.sequence.Options().NextIterations, "iteration"),
		progress.Span(time.Duration(v.next.Seconds*float64(time.Second))), progress.Span(time.Duration(v.plan.Seconds*float64(time.Second))))
	for _, part := range v.plan.Memory {
		if part.Bytes > 0 {
			fmt.Fprintf(w, "memory   %-9s %s\n", progress.Bytes(part.Bytes), part.What)
		}
	}
	fmt.Fprintf(w, "painted  %d of %s in %s\n", v.done(), ui.Count(v.input.Frames, "frame"), filepath.Dir(v.frames))
	_, err := fmt.Fprintf(w, "output   %s\n", v.out.path)
	return err
}

// clock writes a time of a film: 1:02.5.
func clock(seconds float64) string {
	m := math.Floor(seconds / 60)
	return fmt.Sprintf("%d:%05.2f", int(m), seconds-60*m)
}

// newOrder is everything that decides the painted frames.
func (v *video) newOrder(sum string) videoOrder {
	o := v.sequence.Options()
	order := videoOrder{
		Options: o.Options, Flow: o.Flow, NextIterations: o.NextIterations, Cut: film.UsualCut,
		Frames: sum, Rate: v.rate.String(), From: v.chosen.From, To: v.chosen.To, Every: v.chosen.Every, Size: fmt.Sprintf("%dx%d", v.input.W, v.input.H),
		Weights: recipe.Weights{Name: v.network.Name, SHA256: v.network.Meta.SHA256}, Device: v.device.class,
	}
	if cut, ok := parseCut(v.set.text("cut")); ok {
		order.Cut = cut
	}
	for _, f := range v.files {
		order.Styles = append(order.Styles, hex.EncodeToString(f.info.SHA256[:]))
	}
	return order
}
