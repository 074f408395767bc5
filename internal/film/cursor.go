package film

import (
	"context"
	"io"

	"github.com/impasto/impasto/internal/picture"
)

// Cursor reads frames of a source by their numbers. It keeps one reader open,
// because frames are mostly read in order. It opens another reader to go back or
// far ahead.
type Cursor struct {
	source Source
	reader Reader
	at     int // the frame the reader gives next
}

// NewCursor returns a cursor of a source. The caller must close it.
func NewCursor(s Source) *Cursor { return &Cursor{source: s} }

// Frame reads frame n, from 0.
func (c *Cursor) Frame(ctx context.Context, n int) (*picture.Picture, error) {
	if c.reader != nil && (n < c.at || n > c.at+c.skip()) {
		c.Close()
	}
	if c.reader == nil {
		reader, err := c.source.Read(ctx, n)
		if err != nil {
			return nil, err
		}
		c.reader, c.at = reader, n
	}
	for {
		p, err := c.reader.Next()
		if err == io.EOF {
			return nil, inputError("no_frames", "%q ends before frame %d, which was there before", c.source.Info().Path, n+1).hint("--restart")
		}
		if err != nil {
			return nil, err
		}
		c.at++
		if c.at > n {
			return p, nil
		}
	}
}

// skip returns how many frames the open reader may skip. To skip more, another
// reader is opened.
func (c *Cursor) skip() int {
	if c.source.Info().Film {
		return 250 // seeking decodes about as many
	}
	return 0
}

// Close closes the reader. Frame opens another one.
func (c *Cursor) Close() {
	if c.reader != nil {
		c.reader.Close()
		c.reader = nil
	}
}
