package studio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
)

// mapHeader begins a map as it is sent. A map is sent as exact labels, not as
// colours: four bytes (little-endian) with the length of the JSON header, the
// header, and then one byte for each pixel.
type mapHeader struct {
	Name    string      `json:"name"`
	W       int         `json:"width"`
	H       int         `json:"height"`
	Regions []mapRegion `json:"regions"`
	Notes   []string    `json:"notes,omitempty"` // what was repaired
}

type mapRegion struct {
	Colour string `json:"colour"` // "#0080ff"
	Name   string `json:"name"`
}

// maxRegionName is the greatest length of a region's name.
const maxRegionName = 60

func headerOf(name string, m *maps.Map) mapHeader {
	h := mapHeader{Name: name, W: m.W, H: m.H, Regions: []mapRegion{}}
	for _, r := range m.Regions {
		h.Regions = append(h.Regions, mapRegion{maps.Hex(r.Colour), r.Name})
	}
	return h
}

// sendMap sends a map: its header and labels (see mapHeader).
func sendMap(w http.ResponseWriter, name string, m *maps.Map, notes ...string) error {
	h := headerOf(name, m)
	h.Notes = notes
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = w.Write(append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...), m.Labels...))
	return err
}

// takeHeader reads a JSON header of at most 64 kB.
func takeHeader(body io.Reader, v any) error {
	var size [4]byte
	if _, err := io.ReadFull(body, size[:]); err != nil {
		return bad(http.StatusBadRequest, "the map has no header")
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > 64<<10 {
		return bad(http.StatusRequestEntityTooLarge, "the map's header is too large")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(body, text); err != nil {
		return bad(http.StatusBadRequest, "the map's header is cut off")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return bad(http.StatusBadRequest, "the map's header: "+err.Error())
	}
	return nil
}

// takeMap reads the labels that follow a header, and checks each of them.
func takeMap(body io.Reader, h mapHeader) (*maps.Map, error) {
	if h.W < 1 || h.H < 1 || h.W > maxMap || h.H > maxMap || h.W*h.H > maxMap {
		return nil, bad(http.StatusRequestEntityTooLarge, fmt.Sprintf("a map of %dx%d is too large; the studio keeps %d million pixels", h.W, h.H, maxMap>>20))
	}
	if len(h.Regions) < 1 || len(h.Regions) > maps.MaxRegions {
		return nil, bad(http.StatusBadRequest, fmt.Sprintf("a map has 1 to %d regions, not %d", maps.MaxRegions, len(h.Regions)))
	}
	var regions []maps.Region
	had := map[string]int{}
	for i, r := range h.Regions {
		c, err := maps.ParseColour(r.Colour)
		if err != nil || c.A != 255 || !strings.HasPrefix(r.Colour, "#") {
			return nil, bad(http.StatusBadRequest, fmt.Sprintf("region %d has no colour such as #0080ff, but %q", i+1, r.Colour))
		}
		if other, twice := had[maps.Hex(c)]; twice {
			return nil, bad(http.StatusBadRequest, fmt.Sprintf("regions %d and %d have the same colour %s", other+1, i+1, maps.Hex(c)))
		}
		had[maps.Hex(c)] = i
		regions = append(regions, maps.Region{Colour: c, Name: regionName(r.Name)})
	}
	labels := make([]uint8, h.W*h.H)
	if _, err := io.ReadFull(body, labels); err != nil {
		return nil, bad(http.StatusBadRequest, fmt.Sprintf("the map of %dx%d has not as many labels", h.W, h.H))
	}
	for i, l := range labels {
		if int(l) >= len(regions) {
			return nil, bad(http.StatusBadRequest, fmt.Sprintf("pixel %d,%d has label %d of %d regions", i%h.W, i/h.W, l, len(regions)))
		}
		regions[l].Pixels++
	}
	return maps.Of(h.W, h.H, labels, regions), nil
}

// regionName shortens a region's name to one line that fits in a legend.
func regionName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > maxRegionName {
		name = string(runes[:maxRegionName])
	}
	return strings.TrimSpace(name)
}

// used returns the map without the regions that have no pixels.
func used(m *maps.Map) *maps.Map {
	var regions []maps.Region
	to := make([]uint8, len(m.Regions))
	for i, r := range m.Regions {
		to[i] = uint8(len(regions))
		if r.Pixels > 0 {
			regions = append(regions, r)
		}
	}
	if len(regions) == len(m.Regions) {
		return m
	}
	labels := make([]uint8, len(m.Labels))
	for i, l := range m.Labels {
		labels[i] = to[l]
	}
	return maps.Of(m.W, m.H, labels, regions)
}

// readMap sends the map in a file of the folder, or that of a sample.
func (s *Studio) readMap(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	p, _, err := s.read(name)
	if err != nil {
		return err
	}
	if p.W*p.H > maxMap {
		return tooLarge(name, p.W, p.H)
	}
	m, src, err := maps.FromPicture(p, name)
	if err != nil {
		return err
	}
	if of, _, ok := isSample(name); ok {
		if _, legend, err := sample.Map(of, 8, 8); err == nil {
			for called, c := range legend {
				if i, err := m.Find(maps.Hex(c)); err == nil {
					m.Regions[i].Name = called
				}
			}
		}
	} else if text, err := s.root.ReadFile(maps.LegendPath(name)); err == nil {
		_ = m.ReadLegend(bytes.NewReader(text), maps.LegendPath(name)) // a map is usable without names
	}
	var notes []string
	if !src.Exact || src.Clear > 0 {
		notes = maps.Repair(m, src)
	}
	return sendMap(w, name, m, notes...)
}

// importMap reads a map that another program made, and repairs it.
func (s *Studio) importMap(w http.ResponseWriter, r *http.Request) error {
	name := cleanName(r.URL.Query().Get("name"))
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	defer s.decode()()
	p, _, err := picture.Decode(bytes.NewReader(data), name, picture.ReadOptions{Role: "map", MaxPixels: maxMap})
	if err != nil {
		return err
	}
	m, src, err := maps.FromPicture(p, name)
	if err != nil {
		return err
	}
	return sendMap(w, name, m, maps.Repair(m, src)...)
}

// saveMap writes a map into the folder, as PNG with its legend. An existing file
// with other content is moved to .impasto/older.
func (s *Studio) saveMap(r *http.Request) (any, error) {
	var h mapHeader
	if err := takeHeader(r.Body, &h); err != nil {
		return nil, err
	}
	if err := checkName(h.Name); err != nil {
		return nil, err
	}
	if !strings.EqualFold(filepath.Ext(h.Name), ".png") {
		return nil, bad(http.StatusBadRequest, fmt.Sprintf("maps are kept as PNG, not as %q", h.Name))
	}
	m, err := takeMap(r.Body, h)
	if err != nil {
		return nil, err
	}
	m = used(m)
	text, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if had, err := s.root.ReadFile(h.Name); err != nil || !bytes.Equal(had, text) {
		if err == nil { // another program may have made it, and saving loses details
			_ = s.root.Mkdir(own+"/older", 0o700)
			if err := writeRoot(s.root, own+"/older/"+time.Now().UTC().Format("20060102-150405.000-")+h.Name, had); err != nil {
				return nil, err
			}
		}
		if err := writeRoot(s.root, h.Name, text); err != nil {
			return nil, err
		}
	}
	if legend := m.Legend(); legend != "" {
		if err := writeRoot(s.root, maps.LegendPath(h.Name), []byte(legend)); err != nil {
			return nil, err
		}
	}
	return map[string]any{"name": h.Name}, nil
}

// mapPNG sends a map as a PNG file.
func (s *Studio) mapPNG(w http.ResponseWriter, r *http.Request) error {
	var h mapHeader
	if err := takeHeader(r.Body, &h); err != nil {
		return err
	}
	m, err := takeMap(r.Body, h)
	if err != nil {
		return err
	}
	text, err := used(m).Encode()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	_, err = w.Write(text)
	return err
}

// derive draws a first map of a picture.
func (s *Studio) derive(w http.ResponseWriter, r *http.Request) error {
	var ask struct {
		Name    string
		Regions int
	}
	if err := readJSON(r, &ask); err != nil {
		return err
	}
	p, _, err := s.read(ask.Name)
	if err != nil {
		return err
	}
	if p.W*p.H > maxMap {
		return tooLarge(ask.Name, p.W, p.H)
	}
	m, err := s.o.Engine.Derive(r.Context(), p, ask.Regions)
	if err != nil {
		return err
	}
	return sendMap(w, ask.Name, m)
}

// superpixels sends the cell number of each pixel of a picture, two bytes each, at
// the size of the map that is painted over it.
func (s *Studio) superpixels(w http.ResponseWriter, r *http.Request) error {
	number := func(key string, least, most int) (int, error) {
		n, err := strconv.Atoi(r.URL.Query().Get(key))
		if err != nil || n < least || n > most {
			return 0, bad(http.StatusBadRequest, fmt.Sprintf("%s is a number from %d to %d", key, least, most))
		}
		return n, nil
	}
	width, err := number("width", 16, 8192)
	if err != nil {
		return err
	}
	height, err := number("height", 16, 8192)
	if err != nil {
		return err
	}
	if width*height > maxMap {
		return tooLarge("the map", width, height)
	}
	cells, err := number("cells", 16, 8000)
	if err != nil {
		return err
	}
	p, _, err := s.read(r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	of := maps.Superpixels(p, cells)
	out := make([]byte, 2*width*height)
	for y := range height {
		row := (2*y + 1) * of.H / (2 * height) * of.W
		for x := range width {
			binary.LittleEndian.PutUint16(out[2*(y*width+x):], of.Cell[row+(2*x+1)*of.W/(2*width)])
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = w.Write(out)
	return err
}
