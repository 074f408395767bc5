package vgg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
)

// open tells a file's format by its first bytes, never by its name alone, and
// reads its table of contents.
func open(f *source) (a *archive, err error) {
	head := make([]byte, min(f.size, 512))
	if _, err := f.ReadAt(head, 0); err != nil && len(head) > 0 {
		return nil, cause(err)
	}
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	text := strings.ToLower(string(head))
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("is empty")
	case len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<40:
		return openSafetensors(f)
	case is("PK\x03\x04"):
		return openTorchZip(f)
	case is(torchMagic):
		return openTorchLegacy(f)
	case is("MATLAB 5.0 MAT-file"):
		return openMat(f)
	case is("BZh"):
		return openDoodle(f)
	case is("\x89HDF\r\n\x1a\n"), is("MATLAB 7.3 MAT-file"):
		return nil, refusedf([]string{
			"impasto weights get vgg19",
			"convert it in Python: load the model and save its convolutions with safetensors.numpy.save_file",
		}, "is HDF5 (Keras .h5 or MATLAB 7.3), which is not read")
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return nil, refusedf([]string{"load it in a newer PyTorch and save it again"}, "is a tar, as PyTorch wrote before 2017, which is not read")
	case is("version https://git-lfs"):
		return nil, refusedf([]string{"git lfs pull"}, "is a Git LFS pointer, not the weights themselves")
	case strings.HasPrefix(strings.TrimSpace(text), "<!doctype html"), strings.HasPrefix(strings.TrimSpace(text), "<html"):
		return nil, refusedf([]string{"download it again; the server sent a page in its place"}, "is a web page, not weights")
	case is("\x80"):
		return nil, refusedf([]string{"save it with torch.save(model.state_dict(), FILE)"}, "is a bare Python pickle, not a PyTorch file")
	}
	switch ext := strings.ToLower(filepath.Ext(f.name)); {
	case ext == ".onnx", ext != ".caffemodel" && head[0] == 0x08: // field 1, ir_version, a number
		return openONNX(f)
	case ext == ".caffemodel", head[0] == 0x0a: // field 1, name, a text
		return openCaffe(f)
	}
	return nil, refusedf([]string{"formats: .safetensors .pth .caffemodel .onnx .mat .pkl.bz2"}, "is in no format that is read")
}
