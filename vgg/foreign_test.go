package vgg

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// TestFormatsThatAreNotRead: each gets the sentence that helps, whatever the
// file is called, and a way to weights that are read.
func TestFormatsThatAreNotRead(t *testing.T) {
	var npz bytes.Buffer
	z := zip.NewWriter(&npz)
	if _, err := z.Create("conv1_1.npy"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	torch7 := binary.LittleEndian.AppendUint32(nil, 4)
	torch7 = append(binary.LittleEndian.AppendUint32(torch7, 1), "\x03\x00\x00\x00V 1...."...)
	table := binary.LittleEndian.AppendUint64(make([]byte, 60), 0xdb4775248b80fb57)
	for want, file := range map[string]string{
		".npy":         "\x93NUMPY\x01\x00v\x00{'descr': '<f4'}",
		".npz":         npz.String(),
		".t7":          string(torch7),
		"Torch 7":      "4\n1\n3\nV 1\n",
		".h5":          "\x89HDF\r\n\x1a\n........",
		".ckpt":        string(table),
		"Git LFS":      "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
		"web page":     "<?xml version=\"1.0\"?><html/>",
		"JSON":         "{\"message\": \"Not Found\"}",
		"the list bes": "model_checkpoint_path: \"model.ckpt-1\"\n",
	} {
		_, err := loadBytes("vgg19.pth", []byte(file), LoadOptions{})
		e, ok := err.(*Error)
		if !ok || e.ExitCode() != 10 || !strings.Contains(e.Error(), want) || len(e.Try()) == 0 {
			t.Errorf("%s: %v", want, err)
		}
	}
}
