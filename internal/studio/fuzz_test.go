package studio

import (
	"bytes"
	"io"
	"testing"
)

// FuzzMap reads what claims to be a map: whatever it is, it is refused or has
// a region for every label.
func FuzzMap(f *testing.F) {
	seed, _ := io.ReadAll(wire(mapHeader{Name: "x_sem.png", W: 3, H: 2, Regions: []mapRegion{{"#0080ff", "sky"}, {"#00ff00", ""}}}, []byte{0, 1, 1, 0, 0, 1}))
	f.Add(seed)
	f.Add(seed[:len(seed)-1])
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		body := bytes.NewReader(data)
		var h mapHeader
		if takeHeader(body, &h) != nil || h.W > 1<<10 || h.H > 1<<10 {
			return
		}
		m, err := takeMap(body, h)
		if err != nil {
			return
		}
		for _, l := range used(m).Labels {
			if int(l) >= len(m.Regions) {
				t.Fatalf("label %d of %d regions", l, len(m.Regions))
			}
		}
	})
}
