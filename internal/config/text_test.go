package config

import (
	"testing"
)

func TestByteOrderMarks(t *testing.T) {
	for name, text := range map[string]string{
		"none": "size: 5", "UTF-8": "\xef\xbb\xbfsize: 5",
		"UTF-16LE": "\xff\xfes\x00i\x00z\x00e\x00:\x00 \x005\x00", "UTF-16BE": "\xfe\xff\x00s\x00i\x00z\x00e\x00:\x00 \x005",
	} {
		entries, faults := Parse("c.yaml", []byte(text), known)
		if len(faults) > 0 || len(entries) != 1 || entries[0] != (Entry{"size", "5", 1, 1}) {
			t.Errorf("%s: %v %v", name, entries, faults)
		}
	}
	for _, short := range []string{"\xff\xfe", "\xfe\xff\x00", "\xef\xbb\xbf", ""} {
		if text := Text([]byte(short)); len(text) != 0 {
			t.Errorf("%q: %q", short, text)
		}
	}
}
