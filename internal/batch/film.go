package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// PackedAhead limits the bytes of archives of shots that are not painted yet, because the
// frames of a film of hours would fill a disk. One archive is always allowed. Tests lower
// it.
var PackedAhead int64 = 4 << 30

// FilmShots lets the workers of a queue paint the shots of a film. One
// goroutine packs and submits them, while Paint follows the queue and takes the
// painted frames back.
type FilmShots struct {
	*render.Film
	Queue  farm.Queue
	Class  string         // of the workers; "" for this machine's
	Given  settings.Given // the flags of the command line
	Env    render.Env     // in which the jobs are planned
	Upload bool           // the workers may not see the files of this machine
	Own    farm.Own       // the jobs that this user submitted
}

// Paint fetches the missing frames, and returns what was painted. The caller then makes
// the film.
func (v *FilmShots) Paint(ctx context.Context, r progress.Reporter) (o *render.FilmResult, err error) {
	o = &render.FilmResult{}
	if err := v.Begin(); err != nil {
		return o, err
	}
	missing, err := v.missingShots(ctx)
	if err != nil {
		return o, err
	}
	plan := v.Plan()
	facts := plan.Facts()
	facts["shots_before"], facts["shots_missing"] = len(plan.Shots)-len(missing), len(missing)
	r.Event(progress.Start, shotsText(plan.Input.Frames, len(plan.Shots), len(missing)), facts)
	whole := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	calls := make(chan func())
	f := Follow(r, nil)
	f.Weights, f.Calls, f.Coming = map[string]float64{}, calls, len(missing)
	p := &shotPacker{v: v, follow: f, calls: calls, submitted: map[string]*submittedShot{}, back: make(chan struct{}, 1)}
	stays := func(err error) {
		if err != nil {
			r.Event("warning", fmt.Sprintf("painted shots stay in the queue: %v", err), nil)
		}
	}
	sum, precisions := 0.0, []string{}
	f.Collect = func(ctx context.Context, st farm.Status) error {
		if err := Collect(ctx, v.Queue, st, true); err != nil {
			return err
		}
		var one render.FilmResult
		if err := json.Unmarshal(st.Outcome, &one); err == nil && one.Flicker != nil {
			sum += *one.Flicker * float64(one.Compared)
			o.Compared += one.Compared
		}
		precisions = append(precisions, one.Precision)
		shot := p.shot(st.Job.ID)
		o.Painted += shot.Len()
		if err := v.TakeShot(ctx, shot); err != nil {
			return err
		}
		p.taken(ctx, st)
		stays(p.forget(ctx, PackedAhead/forgetShare))
		return nil
	}
	f.Ended = func(st farm.Status) { p.returned(st.Job.ID) }
	var packing sync.WaitGroup
	packing.Go(func() {
		defer close(calls)
		if err := p.run(ctx, r, missing); err != nil {
			stop(err)
		}
	})
	err = f.Run(ctx, v.Queue)
	cause := context.Cause(ctx)
	stop(nil)
	packing.Wait()
	folder, _ := v.ShotFiles(film.Shot{})
	_ = os.Remove(filepath.Dir(folder)) // if it is empty
	if err != nil {
		if cause != nil {
			err = cause
		}
		return o, err
	}
	if f.Fault() == nil {
		stays(p.forgetAll(whole))
	}
	o.Painted -= p.before
	slices.Sort(precisions)
	if o.Precision = strings.Join(slices.Compact(precisions), ", "); strings.Contains(o.Precision, ", ") {
		r.Event("warning", "workers painted shots in different precisions: "+o.Precision, nil)
	}
	if o.Compared > 0 {
		mean := sum / float64(o.Compared)
		o.Flicker = &mean
	}
	return o, f.Fault()
}

// shotsText says how many shots of a film were painted before, and how many are
// to be painted.
func shotsText(frames, shots, missing int) string {
	text := fmt.Sprintf("%s in %s", ui.Count(frames, "frame"), ui.Count(shots, "shot"))
	if before := shots - missing; before > 0 {
		return fmt.Sprintf("%s: %s painted before, %d to paint", text, ui.Count(before, "shot"), missing)
	}
	return fmt.Sprintf("%s, %d to paint", text, missing)
}

// missingShots returns the shots with frames that are not painted.
func (v *FilmShots) missingShots(ctx context.Context) (missing []int, err error) {
	for i, s := range v.Shots() {
		_, painted := v.ShotFiles(s)
		if _, err := os.Stat(painted); err == nil && v.Missing(s) { // the command was stopped before it took the archive
			if err := v.TakeShot(ctx, s); err != nil {
				return nil, err
			}
		}
		if v.Missing(s) {
			missing = append(missing, i)
		} else {
			v.DropShot(s)
		}
	}
	return missing, nil
}

// shotPacker packs shots and submits them.
type shotPacker struct {
	v      *FilmShots
	follow *Follower
	calls  chan<- func()
	before int // frames of shots that were painted before; for calls

	mu        sync.Mutex
	submitted map[string]*submittedShot // by job ID
	bytes     int64                     // of all submitted archives
	back      chan struct{}             // receives when a shot came back
}

type submittedShot struct {
	shot  film.Shot
	bytes int64
	ended bool

	sent      bool                 // it is in the queue
	taken     bool                 // its painted frames are here
	forgotten bool                 // it has left the queue
	files     map[string]time.Time // its archives in the queue, and when they were stored
}

// run packs and submits shots, by their numbers.
func (p *shotPacker) run(ctx context.Context, r progress.Reporter, shots []int) error {
	v := p.v
	b := NewBuilder(ctx, filepath.Join(v.Folder(), v.Title()), v.Class, v.Env)
	cursor := film.NewCursor(v.Source())
	defer cursor.Close()
	for _, i := range shots {
		if err := p.room(ctx); err != nil {
			return err
		}
		frames, painted := v.ShotFiles(v.Shots()[i])
		if _, err := os.Stat(frames); errors.Is(err, fs.ErrNotExist) {
			p.call(ctx, func() {
				r.Event("packing", fmt.Sprintf("%s, shot %d of %d", frames, i+1, len(v.Shots())), map[string]any{"shot": i + 1, "output": frames})
			})
			err := render.MakeDirectory(filepath.Dir(frames))
			if err == nil {
				err = film.PackShot(ctx, frames, cursor, v.Shots()[i])
			}
			if err != nil {
				return err
			}
		}
		b.Add(v.shotEntry(i, frames, painted))
		if err := b.Err(); err != nil {
			return err
		}
		j := b.Batch.Jobs[len(b.Batch.Jobs)-1]
		if err := p.submit(ctx, j, b.Batch.Seconds[j.ID], v.Shots()[i], frames); err != nil {
			return err
		}
	}
	return nil
}

// submit puts a job into the queue, or takes its result if it is done already.
func (p *shotPacker) submit(ctx context.Context, j farm.Job, seconds float64, shot film.Shot, frames string) error {
	size := int64(0)
	if st, err := os.Stat(frames); err == nil {
		size = st.Size()
	}
	p.mu.Lock()
	p.submitted[j.ID] = &submittedShot{shot: shot, bytes: size}
	p.bytes += size
	p.mu.Unlock()
	if p.v.Upload {
		sum, isNew, err := farm.PutNew(ctx, p.v.Queue.Blobs(), frames)
		if err != nil {
			return err
		}
		if _, err := farm.Upload(ctx, p.v.Queue, []farm.Job{j}); err != nil {
			return err
		}
		if isNew {
			if err := p.noteFrames(ctx, j.ID, sum); err != nil {
				return err
			}
		}
	}
	p.call(ctx, func() { p.follow.Add(j, seconds) }) // before the queue reports on it
	e, err := Submit(ctx, p.v.Queue, []farm.Job{j}, true)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.submitted[j.ID].sent = true
	p.mu.Unlock()
	if st := e.Jobs[0]; st.State.Ended() {
		p.call(ctx, func() {
			if p.follow.AddEnded(ctx, st) {
				p.before += shot.Len()
			}
		})
	}
	return nil
}

// room waits until another shot may be packed.
func (p *shotPacker) room(ctx context.Context) error {
	for {
		p.mu.Lock()
		bytes := p.bytes
		p.mu.Unlock()
		if bytes < PackedAhead {
			return ctx.Err()
		}
		select {
		case <-p.back:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// call calls a function on follow's goroutine.
func (p *shotPacker) call(ctx context.Context, f func()) {
	select {
	case p.calls <- f:
	case <-ctx.Done():
	}
}

func (p *shotPacker) shot(id string) film.Shot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.submitted[id].shot
}

// returned counts a shot whose job has ended as no longer submitted.
func (p *shotPacker) returned(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.submitted[id]; s != nil && !s.ended {
		p.bytes -= s.bytes
		s.ended = true
		select {
		case p.back <- struct{}{}:
		default:
		}
	}
}

// shotEntry returns the job of a shot: the video command with the settings of this command
// line. Builder adds the settings of the configuration.
func (v *FilmShots) shotEntry(nth int, frames, painted string) manifest.Entry {
	step := manifest.Step{Command: string(settings.ModeVideo), Args: []string{frames}, Inputs: []string{frames}, Outputs: []string{painted}}
	say := func(name, text string) { step.Flags = append(step.Flags, manifest.Value{Key: name, Text: text}) }
	g := v.Given
	layers, _ := settings.UserLayers(g.Last("config")) // its faults were reported
	layers = append([]settings.Layer{g.Layer()}, layers...)
	for _, row := range settings.For(settings.ModeVideo) {
		if !row.InShot() {
			continue
		}
		text, ok := settings.LookUp(row, layers...)
		if !ok {
			continue
		}
		if _, err := os.Stat(ui.Home(text)); err == nil && row.Name == "weights" {
			text, _ = filepath.Abs(ui.Home(text))
			step.Inputs = append(step.Inputs, text)
		}
		say(row.Name, text)
	}
	say("seed", fmt.Sprint(v.Plan().Options.Seed))
	say("cut", "off")
	for _, f := range v.Plan().Files {
		path := f.Path
		if _, isSample := render.CutSample(path); !isSample {
			path, _ = filepath.Abs(path)
			step.Inputs = append(step.Inputs, path)
		}
		step.Args = append(step.Args, path)
	}
	say("output", painted)
	return manifest.Entry{Name: shotName(v.Title(), v.Shots(), nth), Steps: []manifest.Step{step}}
}

// shotName returns the name of a shot's job. It says which shot it is, and which
// frames of the film it holds, from 1.
func shotName(title string, shots []film.Shot, nth int) string {
	s := shots[nth]
	frames := fmt.Sprintf("frames %d to %d", s.First+1, s.Last+1)
	if s.Len() == 1 {
		frames = fmt.Sprintf("frame %d", s.First+1)
	}
	return fmt.Sprintf("%s: shot %d of %d, %s", title, nth+1, len(shots), frames)
}
