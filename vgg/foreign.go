package vgg

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
)

// unread returns an error for the formats that are not read, each with a sentence that
// helps. It tells them by their first bytes. It returns nil for anything else.
func unread(f *source, head []byte) error {
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	text := strings.ToLower(strings.TrimSpace(string(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))))
	refuse := func(what string, a ...any) error { return refusedf(getVGG19, what, a...) }
	switch {
	case is("\x89HDF\r\n\x1a\n"):
		return refuse("is HDF5, as Keras writes (.h5), which is not read; save its convolutions with safetensors.numpy.save_file, named conv1_1.weight and so on")
	case is("MATLAB 7.3 MAT-file"):
		return refuse("is HDF5, as MATLAB writes since 7.3, which is not read; save(..., '-v7') writes one that is")
	case is("\x93NUMPY"):
		return refuse("is a single array of NumPy (.npy), not a network; save all of them with safetensors.numpy.save_file, named conv1_1.weight and so on")
	case isTorch7(head):
		return refuse("is a file of Torch 7 (.t7), which is not read; the same weights come as .caffemodel and .pth")
	case is("model_checkpoint_path"):
		return refuse("is the list beside a TensorFlow checkpoint, not the weights")
	case isTable(f):
		return refuse("is a TensorFlow checkpoint (.ckpt), which is not read; load its variables and save them with safetensors.numpy.save_file, named conv1_1.weight and so on")
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return refuse("is a tar, as PyTorch wrote before 2017, which is not read; load it in a newer PyTorch and save it again")
	case strings.HasPrefix(text, "version https://git-lfs"):
		return refusedf([]string{"git lfs pull --include " + quoted(f)}, "is a Git LFS pointer, not the weights themselves")
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml"):
		return refuse("is a web page that a server sent in the weights' place")
	case !isSafetensors(head) && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")):
		return refuse("is JSON, not weights")
	}
	return nil
}

// isSafetensors reports whether a file begins with the length of a JSON header.
func isSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<40
}

// isTorch7 reports whether a file begins as Torch 7 writes an object: the type
// 4 and an index as 32-bit numbers, or in its text form as lines, and a version.
func isTorch7(head []byte) bool {
	binaryForm := len(head) > 15 && binary.LittleEndian.Uint32(head) == 4 && bytes.HasPrefix(head[12:], []byte("V "))
	return binaryForm || bytes.HasPrefix(head, []byte("4\n1\n3\nV "))
}

// isTable reports whether a file ends with the mark of LevelDB's tables, in
// which TensorFlow keeps checkpoints.
func isTable(f *source) bool {
	const mark = 0xdb4775248b80fb57
	tail := make([]byte, 8)
	if f.size < 48 {
		return false
	}
	_, err := f.ReadAt(tail, f.size-8)
	return err == nil && binary.LittleEndian.Uint64(tail) == mark
}

// unreadZip refuses a zip that is not PyTorch's.
func unreadZip(files []*zip.File) error {
	for _, e := range files {
		if strings.HasSuffix(e.Name, ".npy") {
			return refusedf(getVGG19, "is an archive of NumPy (.npz), which is not read; save its arrays with safetensors.numpy.save_file, named conv1_1.weight and so on")
		}
		if strings.HasSuffix(e.Name, "model.weights.h5") {
			return refusedf(getVGG19, "is an archive of Keras (.keras), which is not read")
		}
	}
	return refusedf(getVGG19, "is a zip, but not PyTorch's (it has no data.pkl)")
}

// formatsRead lists the formats that are read.
const formatsRead = "safetensors, PyTorch (.pth), Caffe (.caffemodel), ONNX, MatConvNet (.mat) and neural-doodle's .pkl.bz2"
