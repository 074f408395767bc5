package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestFlow: each box stands to the right of those that it needs, no two overlap,
// and each need is a curve from one box's edge to the other's.
func TestFlow(t *testing.T) {
	f := Flow{Boxes: []Box{{Name: "a"}, {Name: "b"}, {Name: "c", Needs: []int{0, 1}}, {Name: "d", Needs: []int{0}}, {Name: "e", Needs: []int{2, 3}}}}
	x, y, width, height := f.places()
	for i, b := range f.Boxes {
		for _, k := range b.Needs {
			if x[i] < x[k]+boxW+boxAcross {
				t.Errorf("%s at %d is not right of %s at %d", b.Name, x[i], f.Boxes[k].Name, x[k])
			}
		}
		if x[i] < 0 || y[i] < 0 || x[i]+boxW > width || y[i]+boxH > height {
			t.Errorf("%s lies outside", b.Name)
		}
		for k := range i {
			if x[k] == x[i] && y[k]+boxH > y[i] {
				t.Errorf("%s lies on %s", b.Name, f.Boxes[k].Name)
			}
		}
	}
	var out strings.Builder
	f.write(&out)
	if n := strings.Count(out.String(), "<path "); n != 5 {
		t.Errorf("%d curves for 5 needs", n)
	}
}

// TestFlowOfHostileNames: names are text, whatever they hold.
func TestFlowOfHostileNames(t *testing.T) {
	var out strings.Builder
	Flow{Boxes: []Box{{Name: `"><script>&`, Text: "<b>", State: `x" onload="y`}, {Name: strings.Repeat("é", 100), Needs: []int{0}}}}.write(&out)
	d := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "b") {
			t.Errorf("a name became the element %s", e.Name.Local)
		}
	}
	if strings.Contains(out.String(), strings.Repeat("é", boxLetters+1)+"<") {
		t.Error("a long name is not shortened")
	}
	for _, quiet := range []Flow{{}, {Boxes: []Box{{Name: "a"}, {Name: "b"}}}} {
		out.Reset()
		if quiet.write(&out); out.Len() > 0 {
			t.Errorf("no need, but %s", out.String())
		}
	}
}
