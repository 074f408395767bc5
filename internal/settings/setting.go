// Package settings holds the one table of all settings of a picture. Each setting
// has a row with its name, type, choices, default, commands, places where it may be
// given, and help. Flags, checks, completion, configuration keys, the manifest of a
// batch, its JSON schema and the tables of docs/cli.md are all derived from this
// table. The package does not depend on a flag parser.
package settings

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/impasto/impasto/style"
)

// Kind says how the text of a value is read.
type Kind int

// These are the kinds of values. An option of style.Options has the type of its
// field there, so its kind says only whether the value names a file.
const (
	Text       Kind = iota
	Switch          // yes or no
	Word            // one of Choices
	Count           // a whole number from Least
	Bytes           // an amount of memory: 500MB
	Interval        // a duration, or off: 30s
	Threshold       // a number from 0 to 1, or off
	Rate            // frames per second: 30000/1001
	Time            // a moment of a film: 1:02.5 or 300f
	File            // a file that is read
	FileOrWord      // a file that is read, or one of Choices
	Output          // a file or directory that is written
)

// place is a set of places in which a setting may be given, or to which it is
// passed.
type place uint

const (
	inConfig   place = 1 << iota // the environment and configuration files
	inManifest                   // the manifest of a batch
	inFilm                       // the command video, for a setting of art
	inJob                        // a job's command line, from the submitter's configuration
	inShot                       // the job that paints one shot of a film
	inReplay                     // the command replay
)

// The places that several rows leave out.
const (
	notOneCommand = inConfig                      // belongs to one command line
	notTerminal   = inConfig | inManifest | inJob // belongs to one terminal
	notInput      = inConfig | inReplay | inShot  // names an input picture
	ofWorker      = inJob                         // belongs to the machine that paints
	ofSource      = inShot                        // is not needed once the shots are known
	ofOnePicture  = inFilm                        // has no meaning for a film
)

// Setting is one row of the table.
type Setting struct {
	Name    string // the long flag, the configuration key, and IMPASTO_NAME in the environment
	Short   string // the one-letter flag
	Alias   string // a second long name, such as alpha
	Group   string
	Value   string // the placeholder of the value in help; "" for a switch
	Help    string
	Default string // of a setting that is not an option of style
	Kind    Kind
	Choices []string
	Least   int // of a Count
	Most    int // of a Count; 0 for no limit
	Modes   string
	Repeats bool // may be given several times

	HelpIn map[style.Mode]string // help in modes for which Help and Default are wrong

	Minor    string // modes in which it is Advanced and has only its long name
	Common   bool   // every command has it
	Main     bool   // --help shows it; --help-all shows all
	Advanced bool   // neither the completion of flags nor --help shows it
	Demo     bool   // demo also has it

	not place
}

// These are the sets of modes that start from a photograph, match patches, or take
// maps. ModeVideo is the mode of a film, whose frames are painted as in ModeArt.
const (
	ModeVideo    style.Mode = "video"
	videoMode               = string(ModeVideo)
	artMode                 = string(style.ModeArt)
	contentModes            = "art patch doodle"
	patchModes              = "patch doodle analogy"
	mapModes                = "doodle analogy"
	guideModes              = "art doodle"
	stillModes              = "art patch doodle analogy texture"
)

// Groups of settings.
const (
	GroupInputs = "Inputs"
	GroupOutput = "Output"
	GroupFilm   = "Film"
	GroupLoss   = "Loss"
	GroupOptim  = "Optimisation"
	GroupScale  = "Scale"
	GroupDevice = "Device"
	GroupQueue  = "Queue"
	GroupCommon = "Common"
)

// Groups lists the groups in the order of help.
var Groups = []string{GroupInputs, GroupOutput, GroupFilm, GroupLoss, GroupOptim, GroupScale, GroupDevice, GroupQueue, GroupCommon}

// commands are the commands that paint, with their modes.
var commands = map[string]style.Mode{
	"art": style.ModeArt, "transfer": style.ModeArt, "patch": style.ModePatch, "doodle": style.ModeDoodle,
	"analogy": style.ModeAnalogy, "texture": style.ModeTexture, "video": ModeVideo,
}

// CommandMode returns the mode of a command that paints. For any other command, ok
// is false.
func CommandMode(command string) (mode style.Mode, ok bool) {
	mode, ok = commands[command]
	return mode, ok
}

// Commands lists the commands that paint.
func Commands() []string { return slices.Sorted(maps.Keys(commands)) }

// All lists the rows of the table in the order of help.
func All() []Setting { return table }

// Find returns the row of a setting for a mode. The mode "" means any mode.
func Find(name string, mode style.Mode) (Setting, bool) {
	for _, s := range table {
		if s.Name == name && (mode == "" || s.In(mode)) {
			return s, true
		}
	}
	return Setting{}, false
}

// FindFlag returns the first row whose flag has a name: long, short or alias.
func FindFlag(name string) (Setting, bool) { return findFlag(table, name) }

func findFlag(rows []Setting, name string) (Setting, bool) {
	i := slices.IndexFunc(rows, func(s Setting) bool { return slices.Contains(s.Names(), name) })
	if i < 0 {
		return Setting{}, false
	}
	return rows[i], true
}

// For lists the settings of a mode.
func For(mode style.Mode) []Setting { return rowsOf()[mode] }

var rowsOf = sync.OnceValue(func() map[style.Mode][]Setting {
	rows := map[style.Mode][]Setting{}
	for _, mode := range commands {
		if rows[mode] == nil {
			rows[mode] = rowsIn(mode)
		}
	}
	return rows
})

func rowsIn(mode style.Mode) (rows []Setting) {
	for _, s := range table {
		if !s.In(mode) {
			continue
		}
		if slices.Contains(strings.Fields(s.Minor), string(mode)) {
			s.Advanced, s.Main, s.Short, s.Alias = true, false, "", ""
		}
		rows = append(rows, s)
	}
	return rows
}

// In reports whether a setting belongs to a mode.
func (s Setting) In(mode style.Mode) bool {
	if mode == ModeVideo && s.Modes != videoMode {
		return s.In(style.ModeArt) && s.not&inFilm == 0
	}
	return s.Modes == "" || slices.Contains(strings.Fields(s.Modes), string(mode))
}

// Option reports whether a setting is a field of style.Options, and so determines
// the picture.
func (s Setting) Option() bool { return isOption()[s.Name] }

var isOption = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, n := range optionNames() {
		names[n] = true
	}
	return names
})

// InConfig reports whether the environment and configuration files may set the
// setting.
func (s Setting) InConfig() bool { return s.not&inConfig == 0 }

// InManifest reports whether a job of a batch may set the setting.
func (s Setting) InManifest() bool { return s.not&inManifest == 0 && !s.Common }

// InJob reports whether the setting's value in the submitter's environment and
// configuration is written into the command lines of jobs. Settings of the machine
// that paints are not.
func (s Setting) InJob() bool { return s.InConfig() && s.InManifest() && s.not&inJob == 0 }

// InShot reports whether the job that paints a shot of a film gets the setting.
func (s Setting) InShot() bool { return s.InManifest() && s.not&(inJob|inShot) == 0 }

// InReplay reports whether replay has the setting as a flag. Settings that
// determine the picture come from the recipe instead.
func (s Setting) InReplay() bool {
	return !s.Option() && s.In(style.ModeArt) && s.not&inReplay == 0 && !s.Common
}

// TakesValue reports whether the flag has a value.
func (s Setting) TakesValue() bool { return s.Kind != Switch }

// Names lists the names of the flag: long, short and alias.
func (s Setting) Names() []string {
	names := []string{s.Name}
	for _, n := range []string{s.Short, s.Alias} {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

// HelpFor returns the help of a setting for a mode, in one line. The mode "" means
// any mode.
func (s Setting) HelpFor(mode style.Mode) string {
	if help, ok := s.HelpIn[mode]; ok {
		return help
	}
	choices := s.ChoicesFor(mode)
	help := strings.ReplaceAll(s.Help, "{choices}", joinOr(choices))
	help = strings.ReplaceAll(help, "{systems}", joinOr(slices.DeleteFunc(slices.Clone(choices), ownPreset)))
	if s.Default != "" {
		help += " (default: " + s.Default + ")"
	}
	return help
}

// ChoicesFor lists the words that a setting takes in a mode; nil if it has none.
func (s Setting) ChoicesFor(mode style.Mode) []string {
	if s.Name == "preset" && mode != "" {
		if mode == ModeVideo {
			mode = style.ModeArt
		}
		return style.PresetsFor(mode)
	}
	if s.Name == "init" && mode == style.ModeTexture { // this mode has no content picture
		return slices.DeleteFunc(slices.Clone(s.Choices), func(word string) bool { return word == string(style.InitContent) })
	}
	return s.Choices
}

// ownPreset reports whether a preset is Impasto's own, not that of another system.
func ownPreset(name string) bool { return name == "default" || name == "best" }

// joinOr writes a list as "a, b or c".
func joinOr(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// names lists the settings for which a condition holds.
func names(condition func(Setting) bool) (list []string) {
	for _, s := range table {
		if condition(s) && !slices.Contains(list, s.Name) {
			list = append(list, s.Name)
		}
	}
	return list
}

// ConfigKeys lists the keys of a configuration file.
func ConfigKeys() []string { return names(Setting.InConfig) }

// OptionNames lists the settings that determine the picture and may be changed in a
// recipe.
func OptionNames() []string {
	return names(func(s Setting) bool { return s.Option() && s.Name != "preset" })
}
