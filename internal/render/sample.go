package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/ui"
)

// SamplePrefix begins the name of an input that is a sample: sample:mosaic.
const SamplePrefix = "sample:"

// SampleW and SampleH are the default size of samples: half as large again as the
// demo's canvas. Drawing a sample of this size takes a second or two.
const SampleW, SampleH = 576, 384

// CutSample returns NAME of "sample:NAME".
func CutSample(path string) (name string, ok bool) { return strings.CutPrefix(path, SamplePrefix) }

// sampleFile returns the bytes of a sample's PNG, the same as the command samples
// writes. So recipes of the demo can also be replayed from files.
func sampleFile(name string) ([]byte, error) {
	img, err := sample.Draw(name, SampleW, SampleH)
	if of, isMap := strings.CutSuffix(name, maps.Suffix); isMap {
		img, _, err = sample.Map(of, SampleW, SampleH)
	}
	if err != nil {
		return nil, ui.UsageFault(err.Error())
	}
	var b bytes.Buffer
	err = picture.Encode(&b, picture.FromImage(img), picture.PNG, picture.WriteOptions{})
	return b.Bytes(), err
}

func readSample(path string, o picture.ReadOptions) (*picture.Picture, *picture.Info, error) {
	name, _ := CutSample(path)
	file, err := sampleFile(name)
	if err != nil {
		return nil, nil, err
	}
	return picture.Decode(bytes.NewReader(file), name+".png", o)
}

// findSample returns "sample:NAME" if an input of a recipe is that sample.
func findSample(file, sum string) string {
	name := strings.TrimSuffix(file, ".png")
	for _, i := range sample.Names() {
		if i.Name != strings.TrimSuffix(name, maps.Suffix) {
			continue
		}
		if data, err := sampleFile(name); err == nil {
			if got := sha256.Sum256(data); hex.EncodeToString(got[:]) == sum {
				return SamplePrefix + name
			}
		}
	}
	return ""
}

// SampleMap returns the map of a sample, with the names of its regions, at the size
// at which samples are drawn.
func SampleMap(name string) (*maps.Map, *maps.Source, error) {
	img, legend, err := sample.Map(strings.TrimSuffix(name, maps.Suffix), SampleW, SampleH)
	if err != nil {
		return nil, nil, ui.UsageFault(err.Error())
	}
	m, src, err := maps.FromPicture(picture.FromImage(img), SamplePrefix+name)
	if err != nil {
		return nil, nil, err
	}
	for called, c := range legend {
		if i, err := m.Find(maps.Hex(c)); err == nil {
			m.Regions[i].Name = called
		}
	}
	return m, src, nil
}

// ReadMap reads a map; "sample:NAME" is that of a sample.
func (e Env) ReadMap(path, role string) (*maps.Map, *maps.Source, error) {
	if name, ok := CutSample(path); ok {
		return SampleMap(name)
	}
	return maps.Read(ui.Home(path), picture.ReadOptions{Role: role, Stdin: e.Stdin})
}

// mapBeside returns the map beside a picture, or "" if there is none.
func mapBeside(path, suffix string) string {
	if name, ok := CutSample(path); ok {
		return SamplePrefix + name + maps.Suffix
	}
	if path == "" || path == ui.Stdout {
		return ""
	}
	found := strings.TrimSuffix(maps.MapPath(ui.Home(path)), maps.Suffix+".png") + suffix + ".png"
	if _, err := os.Stat(found); err != nil {
		return ""
	}
	return found
}
