package vgg

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// open determines a file's format by its first bytes, never by its name alone, and
// reads its table of contents.
func open(f *source) (a *archive, err error) {
	head := make([]byte, min(f.size, 512))
	if _, err := f.ReadAt(head, 0); err != nil && len(head) > 0 {
		return nil, cause(err)
	}
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	if err := unread(f, head); err != nil {
		return nil, err
	}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("is empty")
	case isSafetensors(head):
		return openSafetensors(f)
	case is("PK\x03\x04"):
		return openTorchZip(f)
	case is(torchMagic):
		return openTorchLegacy(f)
	case is("MATLAB 5.0 MAT-file"):
		return openMat(f)
	case is("BZh"):
		return openDoodle(f)
	case is("\x80"):
		return nil, refusedf(getVGG19, "is a bare Python pickle, not a PyTorch file; torch.save(model.state_dict(), FILE) writes one")
	}
	switch ext := strings.ToLower(filepath.Ext(f.name)); {
	case ext == ".onnx", ext != ".caffemodel" && head[0] == 0x08: // field 1, ir_version, a number
		return openONNX(f)
	case ext == ".caffemodel", head[0] == 0x0a: // field 1, name, a text
		return openCaffe(f)
	}
	return nil, refusedf(getVGG19, "is in no format that is read, which are %s", formatsRead)
}
