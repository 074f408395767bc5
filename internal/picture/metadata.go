package picture

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"strings"

	"github.com/impasto/impasto/internal/replace"
)

// A picture carries the recipe it was made by, a JSON text that this package
// does not look into:
//
//	PNG         iTXt chunk "impasto:recipe", UTF-8
//	JPEG        XMP packet in APP1, property impasto:recipe, if it fits 64 KB
//	TIFF, WebP  a file beside: out.tif.recipe.json
const (
	recipeKey   = "impasto:recipe"
	softwareKey = "Software"
	software    = "Impasto" // the beginning of the Software text that this package writes

	xmpHeader    = "http://ns.adobe.com/xap/1.0/\x00"
	xmpNamespace = "https://github.com/impasto/impasto/ns/1.0/"
)

// Sidecar returns the path of the file beside a picture that holds its recipe.
func Sidecar(path string) string { return replace.Beside(path, ".recipe.json") }

// ReadRecipe returns the recipe in the picture at path or beside it. If there is
// none, the error has the code "no_recipe".
func ReadRecipe(path string) (string, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return "", openError(path, "", err)
	}
	if recipe, ok := embeddedRecipe(file); ok {
		return recipe, nil
	}
	if beside, err := os.ReadFile(Sidecar(path)); err == nil {
		return string(beside), nil
	}
	return "", InputError("no_recipe", "%q carries no recipe", path)
}

// StripRecipe removes the recipe and the program's name from the picture at path,
// and deletes the recipe's file beside it. It does not change the pixels' bytes. It
// removes an XMP packet that holds the recipe as a whole.
func StripRecipe(path string) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return openError(path, "", err)
	}
	if bare := withoutRecipe(file); len(bare) != len(file) {
		if err := WriteFile(path, func(w io.Writer) error { return writeAll(w, bare) }); err != nil {
			return err
		}
	}
	if err := os.Remove(Sidecar(path)); err != nil && !os.IsNotExist(err) {
		return outputError("unwritable", "%q cannot be removed: %s", Sidecar(path), cause(err)).because(err)
	}
	return nil
}

// embeddedRecipe returns the recipe in a PNG or JPEG file.
func embeddedRecipe(file []byte) (string, bool) {
	for _, s := range pngChunks(file) {
		if key, text, ok := readPNGText(s); ok && key == recipeKey {
			return text, true
		}
	}
	for _, s := range jpegSegments(file) {
		if recipe, ok := xmpRecipe(s); ok {
			return recipe, true
		}
	}
	return "", false
}

// withoutRecipe returns a PNG or JPEG file without the text segments that this
// package writes. All other bytes stay the same.
func withoutRecipe(file []byte) []byte {
	var bare []byte
	kept := 0
	for _, s := range append(pngChunks(file), jpegSegments(file)...) {
		key, text, isText := readPNGText(s)
		ours := isText && (key == recipeKey || key == softwareKey && strings.HasPrefix(text, software))
		if _, isRecipe := xmpRecipe(s); ours || isRecipe {
			bare = append(bare, file[kept:s.from]...)
			kept = s.to
		}
	}
	return append(bare, file[kept:]...)
}

// pngText returns the payload of an iTXt chunk: keyword, no compression, no
// language, no translated keyword, text.
func pngText(key, text string) []byte { return []byte(key + "\x00\x00\x00\x00\x00" + text) }

// readPNGText reads a text chunk with one of the two keys of this package, in any
// of the three kinds. The package writes iTXt. Editors that save the picture again
// may convert it to another kind. The standard says that those are Latin-1, but
// here they hold the same UTF-8 bytes.
func readPNGText(s segment) (key, text string, ok bool) {
	name, rest, ok := bytes.Cut(s.data, []byte{0})
	if !ok {
		return "", "", false
	}
	packed := s.kind == "zTXt"
	switch s.kind {
	case "tEXt":
	case "zTXt": // method, text
		if len(rest) < 1 {
			return "", "", false
		}
		rest = rest[1:]
	case "iTXt": // flag, method, language, 0, translated keyword, 0, text
		if len(rest) < 2 {
			return "", "", false
		}
		packed = rest[0] != 0
		parts := bytes.SplitN(rest[2:], []byte{0}, 3)
		if len(parts) < 3 {
			return "", "", false
		}
		rest = parts[2]
	default:
		return "", "", false
	}
	if key = string(name); key != recipeKey && key != softwareKey {
		return "", "", false // checked before anything is unpacked
	}
	if packed {
		rest, ok = inflate(rest)
	}
	return key, string(rest), ok
}

// xmpPacket returns the payload of an APP1 segment, or nil if it would be empty.
func xmpPacket(recipe, program string) []byte {
	if recipe == "" && program == "" {
		return nil
	}
	var b bytes.Buffer
	property := func(name, value string) {
		if value != "" {
			b.WriteString("<" + name + ">")
			xml.EscapeText(&b, []byte(value)) // a Buffer does not fail
			b.WriteString("</" + name + ">")
		}
	}
	b.WriteString(xmpHeader + "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:impasto="` + xmpNamespace + `">`)
	property("xmp:CreatorTool", program)
	property(recipeKey, recipe)
	b.WriteString(`</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>`)
	return b.Bytes()
}

// xmpRecipe returns the recipe in an XMP segment. It accepts any prefix, and an
// element or an attribute, because some editors rewrite one as the other.
func xmpRecipe(s segment) (string, bool) {
	packet, ok := bytes.CutPrefix(s.data, []byte(xmpHeader))
	if s.kind != app1 || !ok {
		return "", false
	}
	wanted := xml.Name{Space: xmpNamespace, Local: "recipe"}
	d := xml.NewDecoder(bytes.NewReader(packet))
	for {
		token, err := d.Token()
		if err != nil {
			return "", false
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range element.Attr {
			if a.Name == wanted {
				return a.Value, true
			}
		}
		if element.Name == wanted {
			var recipe string
			err := d.DecodeElement(&recipe, &element)
			return recipe, err == nil
		}
	}
}
