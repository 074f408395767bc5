package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/testutil"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

// The scripts of testdata run the command as a user does. Each starts in a
// directory of its own with the pictures and the spoiled files of makeFiles.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"impasto": watchedMain})
}

// theCommand is a path under which this binary is the command, for tests that
// need a process.
func theCommand(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "impasto") // the name that TestMain goes by
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScripts(t *testing.T) { runScripts(t, "testdata") }

// watchedForRaces are the scripts that run under the race detector: between them
// they start all the goroutines of the command. The other scripts read flags and
// files, refuse, and paint as these do.
var watchedForRaces = []string{
	"art", "batch_run", "bench", "budget", "demo", "explain", "needs", "outputs", "queue", "resume", "sliced", "studio", "video", "video_queue",
}

func runScripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"debris": debris},
		Setup: func(env *testscript.Env) error {
			if name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-"); testutil.Race && !slices.Contains(watchedForRaces, name) {
				env.T().Skip("SKIPPED: the race detector watches only scripts that start goroutines of their own")
			}
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", "config"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "home", "data"))
			env.Setenv("TERM", "dumb")
			watchFiles(env)
			if text, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", "needs.yaml")); err != nil {
				return err
			} else if err := os.WriteFile(filepath.Join(env.WorkDir, "needs.yaml"), text, 0o644); err != nil {
				return err
			}
			if err := makeMaps(env.WorkDir); err != nil {
				return err
			}
			return makeFiles(env.WorkDir)
		},
	})
}

// debris fails if a temporary file was left in the directories named.
func debris(ts *testscript.TestScript, neg bool, dirs []string) {
	for _, dir := range append(dirs, ".") {
		entries, err := os.ReadDir(ts.MkAbs(dir))
		ts.Check(err)
		for _, e := range entries {
			if strings.Contains(e.Name(), ".tmp-") || strings.HasSuffix(e.Name(), ".part") {
				ts.Fatalf("%s was left behind", filepath.Join(dir, e.Name()))
			}
		}
	}
}

// makeFiles writes what the scripts use.
func makeFiles(dir string) error {
	files := map[string][]byte{
		"photo.png":    encodePNG(drawing(48, 32, 0)),
		"painting.png": encodePNG(drawing(40, 40, 1)),
		"second.png":   encodePNG(drawing(32, 40, 2)),
		"long.png":     encodePNG(drawing(1000, 44, 1)),
		"thin.png":     encodePNG(drawing(900, 40, 0)),
		"photo.jpg":    encodeJPEG(drawing(48, 32, 0)),
		"one.png":      encodePNG(drawing(1, 1, 0)),
		"grey.png":     encodePNG(greyAlpha(24, 16)),
		"veil.png":     encodePNG(greyAlpha(48, 40)),
		"really.jpg":   encodePNG(drawing(24, 24, 3)), // a PNG that calls itself JPEG
		"huge.png":     hugePNG(60000, 60000),
		"empty.png":    {},
		"phone.heic":   append([]byte("\x00\x00\x00\x18ftypheic"), make([]byte, 64)...),
		"notes.png":    []byte("these are words, not pixels, whatever the name says\n"),
		"bad.pth":      []byte("not weights at all, only words that go on for a while\n"),
	}
	files["plain.safetensors"] = plainWeights()
	files["cut.png"] = files["painting.png"][:len(files["painting.png"])/2]
	cmyk, err := base64.StdEncoding.DecodeString(cmykJPEG)
	if err != nil {
		return err
	}
	files["inks.jpg"] = cmyk
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	n, err := vgg.Random(1, "relu1_2")
	if err != nil {
		return err
	}
	kept := n.Layers[1].Weight[7]
	n.Layers[1].Weight[7] = float32(math.NaN())
	if _, _, err = n.Write(filepath.Join(dir, "nan.safetensors"), false); err != nil {
		return err
	}
	// Finite, but what it makes of a picture is not.
	n.Layers[1].Weight[7] = kept
	for i := range n.Layers[1].Weight {
		n.Layers[1].Weight[i] *= 1e37
	}
	_, _, err = n.Write(filepath.Join(dir, "wild.safetensors"), false)
	return err
}

// plainWeights are those of one layer, which do not say their channel order.
func plainWeights() []byte {
	const head = `{"conv1_1.weight":{"dtype":"F32","shape":[8,3,3,3],"data_offsets":[0,864]},"conv1_1.bias":{"dtype":"F32","shape":[8],"data_offsets":[864,896]}}`
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), make([]byte, 896)...)
}

// drawing is a small picture with edges and colours; kinds differ in both.
func drawing(w, h, kind int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			a := math.Sin(float64(x*(kind+2)) / 5)
			b := math.Cos(float64(y*(5-kind)) / 7)
			v := color.NRGBA{uint8(128 + 100*a), uint8(128 + 100*b), uint8(128 + 60*a*b), 255}
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < w*h/(16+8*kind) {
				v.R, v.B = v.B, 255-v.R
			}
			img.SetNRGBA(x, y, v)
		}
	}
	return img
}

func greyAlpha(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		v := uint8(i * 7)
		img.SetNRGBA(i%w, i/w, color.NRGBA{v, v, v, uint8(255 - i%w*8)})
	}
	return img
}

func encodePNG(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func encodeJPEG(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// hugePNG is a valid header that promises w x h pixels, and no pixels.
func hugePNG(w, h int) []byte {
	ihdr := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(ihdr[4:], uint32(w))
	binary.BigEndian.PutUint32(ihdr[8:], uint32(h))
	ihdr[12], ihdr[13] = 8, 2
	out := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	out = append(out, ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

// cmykJPEG is an 8x8 picture of four inks with Adobe's marker.
const cmykJPEG = "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/9sAQwEREhIYFRgvGhovY0I4QmNjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj/8AAFAgACAAIBAEiAAIRAQMRAQQiAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAFBv/EABgQAQADAQAAAAAAAAAAAAAAAAAEFCVh/8QAFQEBAQAAAAAAAAAAAAAAAAAABAb/xAAaEQACAgMAAAAAAAAAAAAAAAAABAEVUVKR/9oADgQBAAIRAxEEAAA/ALtSRwBK2bW4GqWxPTSa4D//2Q=="

func TestExitCodesAreListedOnce(t *testing.T) {
	seen := map[int]bool{}
	for _, e := range ui.ExitCodes {
		if seen[e.Code] {
			t.Errorf("exit code %d is listed twice", e.Code)
		}
		seen[e.Code] = true
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range ui.ExitCodes {
		if !strings.Contains(string(text), fmt.Sprintf("| %d | %s |", e.Code, e.Meaning)) {
			t.Errorf("docs/cli.md does not list exit code %d as %q", e.Code, e.Meaning)
		}
	}
}

func TestDocsHaveTheTables(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range settings.Groups {
		if table := settings.Markdown(group); strings.Count(table, "\n") > 2 && !strings.Contains(string(text), table) {
			t.Errorf("docs/cli.md does not have this table of %s:\n%s", group, table)
		}
	}
	for _, c := range testApp().Commands {
		if !strings.Contains(string(text), "`"+c.Name) && !strings.Contains(string(text), ", `"+c.Name+"`") {
			t.Errorf("docs/cli.md does not name %s", c.Name)
		}
	}
}
