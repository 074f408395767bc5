package ui

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Stdout as the name of an output means standard output, and as the name of an
// input standard input.
const Stdout = "-"

// TemplateFields are the {fields} that an output name may hold.
var TemplateFields = []string{"content", "style", "mode", "w", "h", "size", "seed", "n", "date", "recipe"}

// Expand replaces the {fields} of an output name by their values.
func Expand(template string, values map[string]string) (string, error) {
	var b strings.Builder
	rest := template
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		field, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", UsageFault(fmt.Sprintf("output %q has a { without a }", template))
		}
		value, known := values[field]
		if !known {
			f := UsageFault(fmt.Sprintf("output %q: unknown field {%s}; there are {%s}", template, field, strings.Join(TemplateFields, "} {")))
			if near := Nearest(field, TemplateFields); near != "" {
				f.Try = []string{"-o " + ShellQuote(strings.Replace(template, "{"+field+"}", "{"+near+"}", 1))}
			}
			return "", f
		}
		b.WriteString(value)
		rest = tail
	}
}

// Stem returns the name of a file without folder and extension, for use in another
// name: "photo" for "pictures/photo.jpg", "coast" for "sample:coast".
func Stem(path string) string {
	if path == Stdout {
		return "stdin"
	}
	base := filepath.Base(strings.TrimPrefix(path, "sample:"))
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// FrameName returns the name of the picture saved after an iteration:
// out_00100.png for out.png, in folder dir if that is not "".
func FrameName(output, dir string, iteration int) string {
	ext := filepath.Ext(output)
	base := strings.TrimSuffix(output, ext)
	if output == Stdout {
		base, ext = "out", ".png"
	}
	if dir != "" {
		base = filepath.Join(dir, filepath.Base(base))
	}
	return fmt.Sprintf("%s_%05d%s", base, iteration, ext)
}

// Today returns the value of {date} in output names.
func Today() string { return time.Now().Format("2006-01-02") }

// IsFolder reports whether an output names a folder: one that exists, or any
// name with a separator at its end.
func IsFolder(path string) bool {
	if strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)) {
		return true
	}
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// Home replaces a leading ~/ as a shell does.
func Home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	return path
}

// SameFile reports whether two paths name the same file.
func SameFile(a, b string) bool {
	sa, errA := os.Stat(a)
	sb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(sa, sb)
}

// Reason returns the message of an error of the operating system without the
// operation and the path: "no space left on device".
func Reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// PrintResult writes the path of a result to standard output, unless the result
// itself was written there.
func PrintResult(w io.Writer, path string) error {
	if path == Stdout {
		return nil
	}
	_, err := fmt.Fprintln(w, path)
	return err
}

// ListenReason returns why an address cannot be listened on, without the address:
// "address already in use".
func ListenReason(err error) string {
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ":")+1:])
}
