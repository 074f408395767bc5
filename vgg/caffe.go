package vgg

import "fmt"

// A .caffemodel is a NetParameter (caffe.proto). Its layers are field 2 in
// V1LayerParameter form (name 4, blobs 6), as in the original VGG files, or
// field 100 in LayerParameter form (name 1, blobs 7). A blob's values are
// field 5 (packed float); its shape is field 7, or num, channels, height and
// width in 1 to 4, where biases are (1, 1, 1, K). Kernels are OIHW, for BGR.

// blob is a BlobProto.
type blob struct {
	shape []int
	data  extent
}

func openCaffe(f *source) (a *archive, err error) {
	defer caught(&err)
	r := &wireReader{f: f}
	a = &archive{format: "caffemodel", layout: LayoutCaffe}
	for fd := range r.fields(extent{0, f.size}) {
		switch {
		case fd.num == 2 && fd.wire == wireBytes:
			a.addCaffeLayer(r, fd.extent, 4, 6)
		case fd.num == 100 && fd.wire == wireBytes:
			a.addCaffeLayer(r, fd.extent, 1, 7)
		case fd.num == 1 && fd.wire == wireBytes && a.origin == "":
			a.origin = r.text(fd.extent)
		}
	}
	return a, nil
}

// addCaffeLayer adds the blobs of a layer: weights and, if any, biases.
func (a *archive) addCaffeLayer(r *wireReader, s extent, nameField, blobField int) {
	var name string
	var blobs []blob
	for fd := range r.fields(s) {
		switch {
		case fd.num == nameField && fd.wire == wireBytes:
			name = r.text(fd.extent)
		case fd.num == blobField && fd.wire == wireBytes && len(blobs) < 2:
			blobs = append(blobs, readBlob(r, fd.extent))
		}
	}
	if len(a.entries) > maxTensors {
		fail(errTooMany)
	}
	for i, b := range blobs {
		role := [2]string{".weight", ".bias"}[i]
		if i == 1 && len(b.shape) == 4 && b.shape[0] == 1 && b.shape[1] == 1 && b.shape[2] == 1 {
			b.shape = b.shape[3:]
		}
		count := (b.data.to - b.data.from) / 4
		a.entries = append(a.entries, entry{name: name + role, shape: b.shape, read: func() ([]float32, error) {
			if n, err := elements(b.shape, 1, count); err != nil || int64(n) != count {
				return nil, fmt.Errorf("has %d values, its shape is %v", count, b.shape)
			}
			return r.f.readFloats(b.data.from, int(count), "F32")
		}})
	}
}

func readBlob(r *wireReader, s extent) (b blob) {
	old := [4]int{1, 1, 1, 1}
	hasOld, hasData := false, false
	for fd := range r.fields(s) {
		switch {
		case fd.num >= 1 && fd.num <= 4 && fd.wire == wireVarint:
			if fd.value > 1<<31 {
				failf("has a blob with a dimension of %d", fd.value)
			}
			old[fd.num-1], hasOld = int(fd.value), true
		case fd.num == 5 && fd.wire == wireBytes && !hasData:
			b.data, hasData = fd.extent, true
		case fd.num == 5, fd.num == 8:
			fail(refusedf(nil, "has values that are not one packed list of float32 (byte %d)", fd.from))
		case fd.num == 7 && fd.wire == wireBytes:
			b.shape = readBlobShape(r, fd.extent)
		}
	}
	if hasOld && b.shape == nil {
		b.shape = old[:]
	}
	return b
}

// readBlobShape reads a BlobShape: its dimensions are field 1.
func readBlobShape(r *wireReader, s extent) (shape []int) {
	for fd := range r.fields(s) {
		if fd.num == 1 {
			shape = r.numbers(shape, fd)
		}
	}
	return shape
}
