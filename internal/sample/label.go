package sample

import "image/color"

// label is a region of a picture. The colours of regions are far apart (corners and
// centres of the RGB cube), so that resizing or compression confuses no two of
// them. Their directions are far apart too, so that a comparison by cosine does not
// confuse them either.
type label uint8

const (
	sky label = iota
	sun
	mountain
	water
	land
	tree
	building
	wall
	table
	fruit
	jug
)

var labels = [...]struct {
	name   string
	colour color.NRGBA
}{
	sky:      {"sky", color.NRGBA{0, 128, 255, 255}},
	sun:      {"sun", color.NRGBA{255, 255, 0, 255}},
	mountain: {"mountain", color.NRGBA{128, 0, 128, 255}},
	water:    {"water", color.NRGBA{0, 0, 128, 255}},
	land:     {"land", color.NRGBA{0, 255, 0, 255}},
	tree:     {"tree", color.NRGBA{0, 128, 64, 255}},
	building: {"building", color.NRGBA{255, 0, 0, 255}},
	wall:     {"wall", color.NRGBA{192, 128, 255, 255}},
	table:    {"table", color.NRGBA{128, 0, 64, 255}},
	fruit:    {"fruit", color.NRGBA{255, 128, 0, 255}},
	jug:      {"jug", color.NRGBA{255, 255, 255, 255}},
}

func (l label) String() string      { return labels[l].name }
func (l label) colour() color.NRGBA { return labels[l].colour }
