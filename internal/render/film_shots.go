package render

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

// The workers of a queue may paint the shots of a film, because no shot needs
// another. A shot is sent as an archive of its frames and returned as an archive of
// painted frames. Both archives are kept in a folder beside the painted frames
// until the shot is complete.

// shotsFolder is the name of the folder of these archives.
const shotsFolder = "shots"

// Title returns the name of the film in the queue.
func (v *Film) Title() string {
	return filepath.Base(cmp.Or(v.film.Path, filepath.Dir(v.frames)))
}

// ShotFiles returns the archives of a shot: its frames and its painted frames.
func (v *Film) ShotFiles(s film.Shot) (frames, painted string) {
	dir, _ := filepath.Abs(filepath.Join(filepath.Dir(v.frames), shotsFolder))
	span := fmt.Sprintf("%05d-%05d.tar", s.First+1, s.Last+1)
	return filepath.Join(dir, "frames_"+span), filepath.Join(dir, "painted_"+span)
}

// Missing reports whether a shot has frames that are not painted yet.
func (v *Film) Missing(s film.Shot) bool {
	for n := s.First; n <= s.Last; n++ {
		if !v.has(n) {
			return true
		}
	}
	return false
}

// TakeShot moves the painted frames of a shot to the others. After an error it
// keeps the frames before the first one that failed.
func (v *Film) TakeShot(ctx context.Context, s film.Shot) error {
	_, painted := v.ShotFiles(s)
	source, err := film.OpenArchive(painted, film.Selection{})
	if err != nil {
		return err
	}
	if i := source.Info(); i.Frames != s.Len() || i.W != v.plan.W() || i.H != v.plan.H() {
		return ui.NewFault(ui.ExitOutput, "other_frames", fmt.Sprintf("%q holds %s of %dx%d, not %d of %dx%d",
			painted, ui.Count(i.Frames, "frame"), i.W, i.H, s.Len(), v.plan.W(), v.plan.H()), "impasto version   (on each worker)")
	}
	cursor := film.NewCursor(source)
	defer cursor.Close()
	for n := range s.Len() {
		p, err := cursor.Frame(ctx, n)
		if err == nil {
			err = picture.Save(v.frame(s.First+n), p, picture.WriteOptions{Software: v.env.software()})
		}
		if err != nil {
			return err
		}
	}
	v.DropShot(s)
	return nil
}

// DropShot removes the archives of a shot that is complete.
func (v *Film) DropShot(s film.Shot) {
	frames, painted := v.ShotFiles(s)
	_ = os.Remove(frames) // a file that remains only takes space
	_ = os.Remove(painted)
}
