package foreign

import (
	"slices"
	"strings"
	"testing"
)

// TestRowsAreComplete: a row says whose flag it is, and what it is here or why
// it is nothing. The command's tests run each row.
func TestRowsAreComplete(t *testing.T) {
	for _, f := range table {
		if f.Of == "" || f.Ours == "" && f.Why == "" && f.read == nil {
			t.Errorf("-%s: the row is not complete: %+v", f.Name, f)
		}
		if f.value != nil && f.read != nil {
			t.Errorf("-%s: value and read are both set", f.Name)
		}
		if f.Preset != "" && presetTool[f.Preset] == "" {
			t.Errorf("-%s: no program is named for preset %q", f.Name, f.Preset)
		}
	}
	if len(byName) != len(table) {
		t.Errorf("%d rows have %d names", len(table), len(byName))
	}
}

// command has some flags of its own.
func command(flags string) Command {
	list := strings.Fields(flags)
	return Command{
		Has:        func(name string) bool { return slices.Contains(list, name) },
		CanBeValue: func(word string) bool { return !strings.HasPrefix(word, "-") },
	}
}

func TestMatch(t *testing.T) {
	paint := command("weights size content normalize-gradients")
	for _, c := range []struct {
		name, word string
		rest       string
		want       string // the flag here; "-" for no match, "" for a flag without effect
	}{
		{"content-image", "-content_image", "a.png", "content"},
		{"content", "--content", "a.png", "-"},
		{"cudnn-autotune", "-cudnn_autotune", "", ""},
		{"normalize-gradients", "-normalize_gradients", "a.png", "normalize-gradients"},
		{"normalize-gradients", "-normalize_gradients", "l1", "-"},
		{"normalize-gradients", "--normalize-gradients", "l2", "-"},
		{"no-such-flag", "--no-such-flag", "", "-"},
	} {
		got := "-"
		if f := Match(paint, c.name, c.word, false, strings.Fields(c.rest)); f != nil {
			if got = f.Ours; f.read != nil {
				got = c.name
			}
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.word, c.rest, got, c.want)
		}
	}
	if f := Match(command("output"), "content-image", "-content_image", false, nil); f != nil {
		t.Error("a command that does not paint takes -content_image")
	}
}

func TestReader(t *testing.T) {
	var r Reader
	var flags []string
	for _, f := range [][2]string{{"width", "640"}, {"height", "480"}, {"save-iter", "0"}, {"content-image", "a.png"}} {
		got, err := r.Translate(byName[f[0]], "-"+f[0], f[1])
		if err != nil {
			t.Error(err)
		}
		flags = append(flags, got...)
	}
	if _, flags = r.Finish("art", nil, flags); !slices.Equal(flags, []string{"--content=a.png", "--size=640x480"}) {
		t.Errorf("got %q", flags)
	}
	if notes := strings.Join(r.Notes(flags), "\n"); !strings.Contains(notes, "-save-iter 0 has no effect here") || !strings.Contains(notes, "-content-image is --content here") {
		t.Errorf("notes %q", notes)
	}
	args, flags := new(Reader).Finish("analogy", []string{"a", "b", "c", "out/x"}, nil)
	if len(args) != 3 || !slices.Equal(flags, []string{"--output=out/x.png"}) {
		t.Errorf("got %q %q", args, flags)
	}
}

func TestTakeList(t *testing.T) {
	value, rest := TakeList("sw", "3", []string{"7", "a.png"})
	if value != "3,7" || !slices.Equal(rest, []string{"a.png"}) {
		t.Errorf("got %q %q", value, rest)
	}
	for text, want := range map[string]bool{"500": true, "1000,500": true, "": false, ",5": false, "5a": false, "-5": false} {
		if IsNumberList(text) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}
