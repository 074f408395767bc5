package style

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
)

// Saving says where and how often a run writes checkpoints.
type Saving struct {
	Path string // path of the file; "": no checkpoints
	// Every is the time between two checkpoints. 0: half a minute, or longer if
	// writing them would take more than a hundredth of the time.
	Every time.Duration
	Note  string // for the caller, such as the recipe that the run follows

	// Saved, if set, is called from the loop after each checkpoint.
	Saved func(path string)
}

// Checkpoint is the state of an unfinished run: the scale, the iteration and the losses
// so far. The image and the optimiser's state stay in the file until the run
// continues.
//
// The file is a line that names the format, the length of the JSON form of this
// struct (4 bytes, little-endian), that JSON, the image (H, W, 3) as float32,
// the optimiser's state, and the SHA-256 of all this. What else a run needs
// follows from its inputs and options.
type Checkpoint struct {
	Note      string   `json:"note"`
	Options   Options  `json:"options"`
	Scale     int      `json:"scale"` // from 0
	W         int      `json:"w"`     // of that scale
	H         int      `json:"h"`
	Iteration int      `json:"iteration"` // done at that scale
	Done      int      `json:"done"`      // over all scales
	Rollbacks int      `json:"rollbacks"`
	Seen      int      `json:"seen"`      // rollbacks of that scale
	LastLoss  float64  `json:"last_loss"` // loss at the last check of the plateau
	Losses    Losses   `json:"losses"`
	History   []Sample `json:"history"`
	Seconds   float64  `json:"seconds"`

	// Damaged is the error of the newest file, if the file before it was used.
	Damaged error `json:"-"`

	path string
	body int64 // where the image begins
}

const checkpointFormat = "impasto checkpoint 1\n"

// before returns the path of the checkpoint that the one at path replaced.
func before(path string) string { return path + ".before" }

// CheckpointFiles returns the files that a run with its checkpoint at path may write.
func CheckpointFiles(path string) []string { return []string{path, before(path)} }

// LoadCheckpoint reads the last checkpoint at path and checks that it is complete. If
// the file is damaged, it reads the file before it. If there is neither, the error is
// fs.ErrNotExist.
func LoadCheckpoint(path string) (*Checkpoint, error) {
	c, err := readCheckpoint(path)
	if err == nil {
		return c, nil
	}
	older, olderErr := readCheckpoint(before(path))
	switch {
	case olderErr == nil:
		if !errors.Is(err, fs.ErrNotExist) {
			older.Damaged = err
		}
		return older, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, olderErr
	}
	return nil, err
}

// RemoveCheckpoint removes the checkpoints at path. It is called when a run is finished
// and its picture is written.
func RemoveCheckpoint(path string) {
	left, _ := filepath.Glob(path + ".tmp-*") // left by writers that were killed
	for _, name := range append(left, path, before(path)) {
		_ = os.Remove(name) // a file that stays only takes room
	}
}

func readCheckpoint(path string) (*Checkpoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	damaged := func(what string) error { return fmt.Errorf("checkpoint %q is damaged: %s", path, what) }
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := st.Size() - sha256.Size
	if size < int64(len(checkpointFormat)+4) {
		return nil, damaged(fmt.Sprintf("it has only %d bytes", st.Size()))
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, io.LimitReader(f, size), make([]byte, 1<<20)); err != nil {
		return nil, err
	}
	end := make([]byte, sha256.Size)
	if _, err := io.ReadFull(f, end); err != nil || !bytes.Equal(end, sum.Sum(nil)) {
		return nil, damaged("its checksum does not fit")
	}
	// The file is complete. Whether this program wrote it is checked next.
	head := make([]byte, len(checkpointFormat)+4)
	if _, err := f.ReadAt(head, 0); err != nil || string(head[:len(checkpointFormat)]) != checkpointFormat {
		return nil, damaged("it is of another version or no checkpoint")
	}
	n := int64(binary.LittleEndian.Uint32(head[len(checkpointFormat):]))
	c := &Checkpoint{path: path, body: int64(len(head)) + n}
	if c.body > size {
		return nil, damaged("its header is cut off")
	}
	text := make([]byte, n)
	if _, err := f.ReadAt(text, int64(len(head))); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, damaged("its header is not readable")
	}
	return c, nil
}

// write writes a checkpoint after iteration it. It replaces the file at path only once
// the new file is complete and on the disk, and keeps the old file beside it.
func (c *Checkpoint) write(path string, backend gpu.Backend, arrays []*gpu.Array, optimizer gpu.Optimizer) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.Rename(path, before(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return picture.WriteFile(path, func(w io.Writer) error {
		s := &summed{w: w, sum: sha256.New()}
		b := bufio.NewWriterSize(s, 1<<20)
		head := binary.LittleEndian.AppendUint32([]byte(checkpointFormat), uint32(len(text)))
		if _, err := b.Write(append(head, text...)); err != nil {
			return err
		}
		var raw []byte
		for _, a := range arrays {
			err := download(backend, a, func(values []float32, _ int) error {
				raw = slices.Grow(raw[:0], 4*len(values))[:4*len(values)]
				if _, err := binary.Encode(raw, binary.LittleEndian, values); err != nil {
					return err
				}
				_, err := b.Write(raw)
				return err
			})
			if err != nil {
				return err
			}
		}
		if err := optimizer.Save(b); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return err
		}
		_, err = w.Write(s.sum.Sum(nil))
		return err
	})
}

// summed writes to w and computes the hash of what it writes.
type summed struct {
	w   io.Writer
	sum hash.Hash
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	return n, err
}

// fits reports whether the checkpoint is of a run with this plan.
func (c *Checkpoint) fits(p Plan) error {
	then, err1 := json.Marshal(c.Options)
	now, err2 := json.Marshal(p.Options)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(then, now) || c.Scale < 0 || c.Scale >= len(p.Scales) {
		return fmt.Errorf("checkpoint %q is of a run with other options", c.path)
	}
	return nil
}

// restore restores the arrays and the optimiser. image is the shape of the picture.
func (c *Checkpoint) restore(b gpu.Backend, image gpu.Shape, arrays []*gpu.Array, optimizer gpu.Optimizer) error {
	if (image != gpu.Shape{H: c.H, W: c.W, C: 3}) {
		return fmt.Errorf("checkpoint %q is of %dx%d, the run of %dx%d", c.path, c.W, c.H, image.W, image.H)
	}
	f, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(c.body, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	var raw []byte
	for _, a := range arrays {
		upload(b, a, func(values []float32, _ int) {
			raw = slices.Grow(raw[:0], 4*len(values))[:4*len(values)]
			if _, readErr := io.ReadFull(r, raw); readErr != nil {
				err = readErr
				return
			}
			_, _ = binary.Decode(raw, binary.LittleEndian, values) // raw has their length
		})
	}
	if err != nil {
		return fmt.Errorf("checkpoint %q: %w", c.path, err)
	}
	if err := optimizer.Load(r); err != nil {
		return fmt.Errorf("checkpoint %q: %w", c.path, err)
	}
	return nil
}

// continueFrom restores what a checkpoint keeps of the whole run; loop.resume
// restores what it keeps of one scale.
func (r *run) continueFrom(c *Checkpoint) {
	r.done, r.rollbacks, r.losses, r.history = c.Done, c.Rollbacks, c.Losses, c.History
	r.started = time.Now().Add(-time.Duration(c.Seconds * float64(time.Second)))
}

// keeper decides when a run writes its checkpoint.
type keeper struct {
	Saving
	last time.Time
	cost time.Duration // of the last one
}

// Unless the caller sets the time, a checkpoint is written after usualEvery, and not
// before usualPause times as long as the last one took.
const (
	usualEvery = 30 * time.Second
	usualPause = 100
)

func (k *keeper) due(now time.Time) bool {
	every := k.Every
	if every == 0 {
		every = max(usualEvery, usualPause*k.cost)
	}
	return k.Path != "" && now.Sub(k.last) >= every
}

// keep writes a checkpoint after iteration it. A full disk does not end the render: it
// is reported, and the next checkpoint is tried later.
func (l *loop) keep(it int) {
	begun := time.Now()
	s := l.plan.Scales[l.index]
	c := &Checkpoint{
		Note: l.keeper.Note, Options: l.o, Scale: l.index, W: s.W, H: s.H, Iteration: it, Done: l.done,
		Rollbacks: l.rollbacks, Seen: l.seen, LastLoss: l.lastLoss, Losses: l.losses, History: l.history,
		Seconds: time.Since(l.started).Seconds(),
	}
	if err := c.write(l.keeper.Path, l.env.Backend, l.ob.kept(), l.optimizer); err != nil {
		l.notice = fmt.Sprintf("no checkpoint: %v", err)
	} else if l.keeper.Saved != nil {
		l.keeper.Saved(l.keeper.Path)
	}
	l.keeper.last = time.Now()
	l.keeper.cost = l.keeper.last.Sub(begun)
}
