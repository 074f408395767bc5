// Looks paints pairs of photographs and paintings in several ways and measures
// what the eye complains of: fine noise in flat areas, colour specks,
// checkerboards, and how far style and content are missed. With -texture it paints
// textures of paintings, without photographs. It prints a table and writes a contact
// sheet. See docs/looks.md and docs/textures.md; scripts/bench-looks runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/style"
)

// pair is a photograph and a painting. A texture has no photograph.
type pair struct {
	name            string
	photo, painting *style.Picture
}

func (p pair) texture() bool { return p.photo == nil }

// samples are the pairs of our own drawings.
var samples = [][2]string{
	{"lighthouse", "strokes"}, {"lighthouse", "woodblock"}, {"valley", "mosaic"}, {"valley", "strokes"},
	{"still-life", "strokes"}, {"still-life", "woodblock"}, {"lighthouse", "mosaic"}, {"valley", "woodblock"},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("looks: ")
	var list ways
	flag.Var(&list, "try", "a way to paint, `\"name: option=value ...\"` or \"name: preset@option=value ...\"; may be given several times")
	weights := flag.String("weights", "", "network to paint with")
	ruler := flag.String("ruler", "", "network to measure with; the default is the one that paints")
	size := flag.String("size", "256", "long side of the pictures, in pixels")
	most := flag.Int("pairs", 8, "how many of our own pairs to paint")
	texture := flag.Bool("texture", false, "paint textures; -pairs and the arguments are paintings")
	threads := flag.Int("threads", 0, "processors to use; 0: all")
	equal := flag.Bool("equal", false, "paint each pair in all ways in the time of the first; iterations are more or fewer in proportion")
	dir := flag.String("o", "looks", "folder for the pictures, sheet.jpg among them")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: looks [flags] [CONTENT STYLE]...   pairs of your own, after our samples; with -texture [STYLE]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if len(list) == 0 {
		list = usual
	}
	read := readPairs
	if *texture {
		read = readPaintings
	}
	pairs, err := read(*most, flag.Args())
	if err == nil {
		err = run(list, pairs, *weights, *ruler, *size, *threads, *equal, *dir)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(list []way, pairs []pair, weights, rulerName, size string, threads int, equal bool, dir string) error {
	ctx := context.Background()
	s, err := newStudio(ctx, weights, rulerName, size, threads)
	if err != nil {
		return err
	}
	defer s.painter.Close()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	fmt.Printf("painted with %s, measured with %s; processor seconds of the painting alone\n\n", s.network.Name, s.ruler.network.Name)
	fmt.Println("| pair | way | fine | colour | checker | strokes | Gram | mean | deviation | " + likeness(pairs) + " | seconds | iterations |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	sheet, totals := [][]*style.Picture{}, make([]row, len(list))
	for _, p := range pairs {
		line := []*style.Picture{p.painting}
		if !p.texture() {
			line = []*style.Picture{p.photo, p.painting}
		}
		limit := 0.0 // seconds for each way; 0: those of all its iterations
		for i, w := range list {
			res, measured, err := s.paint(ctx, p, w, limit)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.name, w.name, err)
			}
			if equal && i == 0 {
				if limit = measured.seconds; limit == 0 {
					return errors.New("-equal: this system does not tell processor time")
				}
			}
			if err := style.Save(filepath.Join(dir, p.name+"_"+strings.ReplaceAll(w.name, " ", "-")+".png"), res); err != nil {
				return err
			}
			line = append(line, res)
			fmt.Printf("| %s | %s | %v |\n", p.name, w.name, measured)
			totals[i].add(measured, 1/float64(len(pairs)))
		}
		sheet = append(sheet, line)
	}
	for i, w := range list {
		fmt.Printf("| **mean** | %s | %v |\n", w.name, totals[i])
	}
	return style.Save(filepath.Join(dir, "sheet.jpg"), contactSheet(sheet))
}

func readPairs(most int, files []string) ([]pair, error) {
	var list []pair
	for _, s := range samples[:min(most, len(samples))] {
		p := pair{name: s[0] + "_" + s[1]}
		for i, to := range []**style.Picture{&p.photo, &p.painting} {
			img, err := sample.Draw(s[i], 720, 480)
			if err != nil {
				return nil, err
			}
			*to = style.FromImage(img)
		}
		list = append(list, p)
	}
	if len(files)%2 != 0 {
		return nil, fmt.Errorf("%q has no painting beside it", files[len(files)-1])
	}
	for i := 0; i < len(files); i += 2 {
		p := pair{name: stem(files[i]) + "_" + stem(files[i+1])}
		var err error
		if p.photo, err = style.Open(files[i]); err != nil {
			return nil, err
		}
		if p.painting, err = style.Open(files[i+1]); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
