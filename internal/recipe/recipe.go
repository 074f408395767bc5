// Package recipe stores in a picture's file, as canonical JSON, everything that is
// needed to paint the picture again. It imports style for the options and nothing
// else of Impasto.
package recipe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/impasto/impasto/style"
)

// Version is the version of the format that this package writes.
const Version = 1

// maxBytes is the most that is parsed. A recipe has two or three kilobytes.
const maxBytes = 1 << 20

// Recipe says how a picture was made.
type Recipe struct {
	Version   int           `json:"recipe"`
	Program   string        `json:"impasto"` // version and commit
	Mode      style.Mode    `json:"mode"`
	Options   style.Options `json:"options"` // all effective options, including defaults
	Inputs    []Input       `json:"inputs"`
	Weights   Weights       `json:"weights"`
	Device    string        `json:"device"`    // class: "cpu"
	Precision string        `json:"precision"` // "f32"
	Output    Output        `json:"output"`
	Result    Result        `json:"result"`
}

// Input is a picture that was read. It has a name without directories, because a
// recipe is published together with its picture.
type Input struct {
	Role   string `json:"role"` // "content", "style" or "init"
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of the file
	Bytes  int64  `json:"bytes"`
}

// Weights are those of the network.
type Weights struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"`
}

// Output is how the result was encoded.
type Output struct {
	Format string `json:"format"` // "png", "jpg", "tif" or "webp"
	Depth  int    `json:"depth,omitempty"`
}

// Result is the outcome of the render.
type Result struct {
	W          int      `json:"w"`
	H          int      `json:"h"`
	Iterations int      `json:"iterations"` // done, over all scales
	Planned    int      `json:"planned"`
	Loss       *float64 `json:"loss"` // null when it was not finite
	// Stopped is "interrupted" or "diverged" when the run ended early.
	Stopped string `json:"stopped,omitempty"`
	// PixelSHA256 is PixelHash of the picture, for "replay --verify".
	PixelSHA256 string `json:"pixels_sha256"`
}

// Finite returns a pointer to v, or nil if JSON cannot represent v.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Canonical writes the recipe as JSON with sorted keys, no spaces, the shortest
// numbers and only the necessary escapes. So the same recipe always has the same
// bytes.
func (r Recipe) Canonical() (string, error) { return canonical(r) }

// Indented is like Canonical, but writes many lines.
func (r Recipe) Indented() (string, error) {
	text, err := r.Canonical()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = json.Indent(&b, []byte(text), "", "  ")
	return b.String(), err
}

func canonical(v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	// A generic map makes the encoder sort keys. Numbers stay text.
	var generic any
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	if err := d.Decode(&generic); err != nil {
		return "", err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(generic); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// Hash identifies what determines the picture: options, the contents of inputs and
// weights, and the class of device. It does not include names of files or the
// result. So it is known before painting and does not change when files are
// renamed.
func (r Recipe) Hash() string {
	type input struct {
		Role   string `json:"role"`
		SHA256 string `json:"sha256"`
	}
	inputs := make([]input, len(r.Inputs))
	for i, in := range r.Inputs {
		inputs[i] = input{in.Role, in.SHA256}
	}
	weights := r.Weights.SHA256
	if weights == "" {
		weights = r.Weights.Name
	}
	text, err := canonical(map[string]any{
		"mode": r.Mode, "options": r.Options, "inputs": inputs,
		"weights": weights, "device": r.Device, "precision": r.Precision,
	})
	if err != nil {
		// Only a NaN in the options cannot be encoded. Such options are refused
		// before a recipe is made.
		panic("recipe: options that are not finite: " + err.Error())
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Parse reads a recipe. It refuses unknown fields, because it would otherwise
// silently drop what a newer version has written.
func Parse(text string) (Recipe, error) {
	var r Recipe
	if len(text) > maxBytes {
		return r, fmt.Errorf("the recipe is over 1 MiB")
	}
	var head struct {
		Version int `json:"recipe"`
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return r, fmt.Errorf("the recipe is damaged: %s", words(err))
	}
	if head.Version != Version {
		return r, fmt.Errorf("the recipe is of version %d, this program reads version %d", head.Version, Version)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("the recipe is damaged: %s", words(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return r, fmt.Errorf("the recipe is damaged: text follows it")
	}
	for _, in := range r.Inputs {
		if len(in.SHA256) != 64 || in.Role == "" {
			return r, fmt.Errorf("the recipe is damaged: input %q has no role or no checksum", in.Name)
		}
	}
	return r, nil
}

// words rewrites an error of encoding/json for the user.
func words(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("no valid JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("%q is a %s", kind.Field, kind.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// PixelHash returns the SHA-256 of a picture's width, height and 8-bit or 16-bit
// RGBA codes, big-endian. The function write writes the codes. The hash is the same
// for every file format that holds them exactly.
func PixelHash(w, h int, write func(io.Writer)) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %d\n", w, h)
	write(sum)
	return hex.EncodeToString(sum.Sum(nil))
}
