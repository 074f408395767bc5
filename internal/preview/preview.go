// Package preview shows a picture in a terminal while it is being painted.
//
// It can draw in four ways, from sharp to coarse: the kitty graphics protocol,
// iTerm2's inline images, sixel, and half blocks (two pixels a character cell,
// 24-bit colour). It imports nothing of Impasto.
package preview

import (
	"strings"
	"time"

	"github.com/mattn/go-sixel"
)

// Protocol is a way to draw pictures in a terminal.
type Protocol string

const (
	None   Protocol = "none"
	Kitty  Protocol = "kitty"
	ITerm  Protocol = "iterm"
	Sixel  Protocol = "sixel"
	Blocks Protocol = "blocks"
)

// Protocols are the names a user may give, besides "auto" and a file.
var Protocols = []Protocol{Kitty, ITerm, Sixel, Blocks, None}

// Detect chooses the best protocol that the terminal supports. env reads the
// environment. asksSixel asks the terminal itself. It is called last, and only if
// the environment does not decide.
func Detect(env func(string) string, asksSixel func() bool) Protocol {
	term, program := env("TERM"), env("TERM_PROGRAM")
	switch {
	case env("CI") != "" || term == "" || term == "dumb" || term == "linux":
		return None
	case env("TMUX") != "" || strings.HasPrefix(term, "screen") || strings.HasPrefix(term, "tmux"):
		// A multiplexer drops graphics by default, but passes character cells.
		return blocks(env)
	case term == "xterm-kitty" || env("KITTY_WINDOW_ID") != "" || program == "ghostty" || term == "xterm-ghostty":
		return Kitty
	case program == "iTerm.app" || program == "WezTerm":
		return ITerm
	case asksSixel():
		return Sixel
	}
	return blocks(env)
}

func blocks(env func(string) string) Protocol {
	if c := env("COLORTERM"); (c == "truecolor" || c == "24bit") && env("NO_COLOR") == "" {
		return Blocks
	}
	return None
}

// Pace limits the cost of previews: at most one every two seconds, and at most one
// hundredth of the time.
type Pace struct{ next time.Time }

// Due reports whether a preview may be drawn now.
func (p *Pace) Due(now time.Time) bool { return !now.Before(p.next) }

// Took records how long a preview took that was finished at now.
func (p *Pace) Took(now time.Time, cost time.Duration) {
	p.next = now.Add(max(2*time.Second, 99*cost))
}

// AsksSixel asks the terminal whether it draws sixel pictures.
func AsksSixel() bool { return sixel.IsSupported() }
