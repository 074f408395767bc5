package settings

import (
	"errors"
	"fmt"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func init() {
	ui.RegisterErrors(styleFault)
	ui.RegisterErrors(func(err error) *ui.Fault {
		var e *config.Error
		if !errors.As(err, &e) {
			return nil
		}
		return ui.NewFault(ui.ExitUsage, "config", err.Error())
	})
}

// styleFault converts an error of package style to a fault with its exit code. It
// writes the suggestions as flags.
func styleFault(err error) *ui.Fault {
	if option, ok := errors.AsType[*style.OptionError](err); ok {
		tries := asFlags(option.Try)
		if option.Option == "size" && option.Value == "max" && len(tries) == 0 {
			tries = []string{"--max-memory 4G"} // the limit is not an option of style
		}
		return ui.NewFault(ui.ExitUsage, "bad_option", err.Error(), tries...)
	}
	if memory, ok := errors.AsType[*style.MemoryError](err); ok {
		return ui.NewFault(ui.ExitMemory, "out_of_memory", err.Error(), asFlags(memory.Try)...)
	}
	if diverged, ok := errors.AsType[*style.DivergedError](err); ok {
		return ui.NewFault(ui.ExitDiverged, "diverged", err.Error(), asFlags(diverged.Try)...)
	}
	return nil
}

// asFlags writes suggestions as a user types them.
func asFlags(list []style.Suggestion) []string {
	var tries []string
	for _, s := range list {
		text := fmt.Sprintf("--%s %s", s.Option, s.Value)
		switch {
		case s.Option == "mode" && style.Mode(s.Value) == style.ModePatch:
			text = "impasto patch --help"
		case s.Option == "mode" && style.Mode(s.Value) == style.ModeAnalogy:
			text = "impasto analogy --help"
		}
		if s.Note != "" {
			text += "   (" + s.Note + ")"
		}
		tries = append(tries, text)
	}
	return tries
}
