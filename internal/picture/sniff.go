package picture

import (
	"bytes"
	"path/filepath"
	"strings"
)

// Format is a picture file format this package reads and writes.
type Format int

const (
	PNG Format = iota + 1
	JPEG
	TIFF
	WebP
	GIF // read only
)

func (f Format) String() string { return [...]string{"none", "PNG", "JPEG", "TIFF", "WebP", "GIF"}[f] }

// FormatOf returns the format of a file name's extension.
func FormatOf(name string) (Format, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".png":
		return PNG, nil
	case ".jpg", ".jpeg":
		return JPEG, nil
	case ".tif", ".tiff":
		return TIFF, nil
	case ".webp":
		return WebP, nil
	case "":
		return 0, outputError("format", "%q has no extension to say what format it should be", name).
			Hint("%s.png", name)
	default:
		return 0, outputError("format", "%q: impasto does not write %s files", name, ext).
			Hint("%s", strings.TrimSuffix(name, ext)+".png")
	}
}

// sniff finds the format from the first bytes. ok is false for an unknown format.
func sniff(b []byte) (f Format, ok bool) {
	switch {
	case bytes.HasPrefix(b, []byte(pngSignature)):
		return PNG, true
	case bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}):
		return JPEG, true
	case bytes.HasPrefix(b, []byte("II*\x00")), bytes.HasPrefix(b, []byte("MM\x00*")):
		return TIFF, true
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return WebP, true
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return GIF, true
	}
	return 0, false
}

// foreign lists unsupported formats that users try, with the bytes that they begin
// with.
var foreign = []struct {
	name, magic string
	at          int
}{
	{"PSD", "8BPS", 0},
	{"PDF", "%PDF", 0},
	{"EPS", "%!PS", 0},
	{"BMP", "BM", 0},
	{"JPEG XL", "\xff\x0a", 0},
	{"JPEG XL", "JXL ", 4},
	{"JPEG 2000", "jP  ", 4},
	{"OpenEXR", "v/1\x01", 0},
	{"Radiance HDR", "#?RADIANCE", 0},
	{"XCF", "gimp xcf", 0},
	{"BigTIFF", "II+\x00", 0},
	{"BigTIFF", "MM\x00+", 0},
	{"RAW", "FUJIFILMCCD-RAW", 0},
	{"RAW", "IIRO", 0},
	{"RAW", "IIU\x00", 0},
	{"RAW", "ftypcrx ", 4},
	{"AVIF", "ftypavif", 4},
	{"AVIF", "ftypavis", 4},
	{"HEIF", "ftyphei", 4},
	{"HEIF", "ftyphev", 4},
	{"HEIF", "ftypmif1", 4},
	{"HEIF", "ftypmsf1", 4},
	{"a video", "ftyp", 4},
	{"a video", "\x1aE\xdf\xa3", 0},
	{"a ZIP archive", "PK\x03\x04", 0},
}

// rawExtensions are the extensions of camera raw files that are TIFF inside. A TIFF
// reader finds only a thumbnail in them, or nothing.
var rawExtensions = map[string]bool{
	".arw": true, ".cr2": true, ".dng": true, ".nef": true, ".nrw": true,
	".pef": true, ".srw": true, ".3fr": true, ".erf": true, ".kdc": true,
}

// recognise names the format of a file that is not read, or "".
func recognise(b []byte, name string) string {
	if f, ok := sniff(b); ok {
		if f == TIFF && rawExtensions[strings.ToLower(filepath.Ext(name))] {
			return "RAW"
		}
		return ""
	}
	for _, f := range foreign {
		if len(b) >= f.at && bytes.HasPrefix(b[f.at:], []byte(f.magic)) {
			return f.name
		}
	}
	text := strings.ToLower(string(bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))))
	switch {
	case strings.Contains(text, "<svg"):
		return "SVG"
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<html"):
		return "a web page"
	case strings.HasPrefix(text, "version https://git-lfs"):
		return "a Git LFS pointer"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "JSON"
	case strings.HasPrefix(text, "<?xml"):
		return "XML"
	}
	return ""
}
