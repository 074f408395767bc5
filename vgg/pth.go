package vgg

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"path"
	"strings"
)

// PyTorch files (torch/serialization.py) hold a pickle that describes tensors
// and, apart from it, the values ("storages") they are views of: since 2020 as
// entries of an uncompressed zip, before as one stretch behind four pickles.
// Both are read storage by storage.

// maxPickle bounds the pickles of a PyTorch file; VGG19's take 4 KB.
const maxPickle = 4 << 20

// torchMagic opens the older format: a pickled 0x1950a86a20f9469cfc6c.
const torchMagic = "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

// storageType maps PyTorch's classes to element types.
var storageType = map[pyGlobal]string{
	"torch.FloatStorage": "F32", "torch.HalfStorage": "F16", "torch.BFloat16Storage": "BF16",
	"torch.DoubleStorage": "F64", "torch.LongStorage": "I64", "torch.IntStorage": "I32",
	"torch.ShortStorage": "I16", "torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
}

// torchName lists what a state dict may name.
func torchName(name string) bool {
	switch name {
	case "collections.OrderedDict", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
		"torch._utils._rebuild_parameter":
		return true
	}
	return storageType[pyGlobal(name)] != ""
}

// storage is a stretch of values in the file.
type storage struct {
	dtype string
	count int64
	off   int64
}

func openTorchZip(f *source) (*archive, error) {
	z, err := zip.NewReader(f, f.size)
	if err != nil {
		return nil, fmt.Errorf("is a damaged zip: %v", err)
	}
	files := map[string]*zip.File{}
	for _, e := range z.File {
		_, name := path.Split(e.Name)
		if strings.Contains(e.Name, "/data/") || name == "data.pkl" || name == "constants.pkl" || name == "byteorder" {
			if files[name] != nil {
				return nil, fmt.Errorf("holds two entries %q", clip(name))
			}
			files[name] = e
		}
	}
	if files["constants.pkl"] != nil {
		return nil, refusedf([]string{"save it with torch.save(model.state_dict(), FILE)"}, "is a TorchScript program, not a state dict")
	}
	if files["data.pkl"] == nil {
		return nil, refusedf([]string{"formats: .safetensors .pth .caffemodel .onnx .mat .pkl.bz2"}, "is a zip, but not PyTorch's (it has no data.pkl)")
	}
	if e := files["byteorder"]; e != nil {
		order, err := readEntry(f, e, 16)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("was written on a big-endian machine")
		}
	}
	raw, err := readEntry(f, files["data.pkl"], maxPickle)
	if err != nil {
		return nil, err
	}
	root, _, err := unpickle(raw, torchName)
	if err != nil {
		return nil, err
	}
	return torchArchive(f, root, func(key, dtype string, count int64) (storage, error) {
		e := files[key]
		if e == nil {
			return storage{}, fmt.Errorf("values %q are missing", clip(key))
		}
		off, err := entryOffset(f, e)
		if err != nil {
			return storage{}, err
		}
		if have := int64(e.UncompressedSize64); count > have/int64(dtypeSize[dtype]) {
			return storage{}, fmt.Errorf("claims %d values of type %s in %d bytes (entry %q)", count, dtype, have, clip(e.Name))
		}
		return storage{dtype, count, off}, nil
	})
}

// entryOffset returns where an entry's bytes lie. PyTorch stores them as they
// are; a compressed entry, which might unpack to any size, is refused.
func entryOffset(f *source, e *zip.File) (int64, error) {
	if e.Method != zip.Store || e.CompressedSize64 != e.UncompressedSize64 {
		return 0, fmt.Errorf("entry %q is compressed; PyTorch does not compress", clip(e.Name))
	}
	off, err := e.DataOffset()
	if err != nil {
		return 0, fmt.Errorf("entry %q is damaged: %v", clip(e.Name), err)
	}
	if e.UncompressedSize64 > uint64(f.size) || off > f.size-int64(e.UncompressedSize64) {
		return 0, fmt.Errorf("entry %q of %d bytes goes past the end of the file", clip(e.Name), e.UncompressedSize64)
	}
	return off, nil
}

func readEntry(f *source, e *zip.File, limit uint64) ([]byte, error) {
	off, err := entryOffset(f, e)
	if err != nil {
		return nil, err
	}
	if e.UncompressedSize64 > limit {
		return nil, fmt.Errorf("entry %q has %d bytes, at most %d were expected", clip(e.Name), e.UncompressedSize64, limit)
	}
	return f.readRaw(off, int(e.UncompressedSize64))
}

// openTorchLegacy reads the format before zip: pickles of the magic, the
// version, the machine, the tensors and the list of storage keys; then, in the
// order of that list, a count (int64) and the values of each storage.
func openTorchLegacy(f *source) (*archive, error) {
	head, err := f.readRaw(0, int(min(f.size, maxPickle)))
	if err != nil {
		return nil, err
	}
	pos := 0
	var parts [5]any
	for i := range parts {
		v, n, err := unpickle(head[pos:], torchName)
		if err != nil {
			return nil, err
		}
		parts[i], pos = v, pos+n
	}
	if v, ok := parts[1].(int64); !ok || v != 1001 {
		return nil, fmt.Errorf("is in version %v of PyTorch's format, 1001 was expected", parts[1])
	}
	if info, ok := parts[2].(*pyDict); !ok || info.get("little_endian") != true {
		return nil, fmt.Errorf("was written on a big-endian machine")
	}
	keys, ok := parts[4].(*pyList)
	if !ok {
		return nil, fmt.Errorf("has no list of its values")
	}
	// The storages' sizes are only known from the tensors, so their places
	// are found while the pickle's references are walked.
	types := map[string]string{}
	if err := walkStorages(parts[3], func(key, dtype string, _ int64) (storage, error) {
		if t := types[key]; t != "" && t != dtype {
			return storage{}, fmt.Errorf("values %q have two types", clip(key))
		}
		types[key] = dtype
		return storage{}, nil
	}); err != nil {
		return nil, err
	}
	places, err := legacyPlaces(f, keys.items, types, int64(pos))
	if err != nil {
		return nil, err
	}
	return torchArchive(f, parts[3], func(key, dtype string, count int64) (storage, error) {
		s, ok := places[key]
		if !ok {
			return storage{}, fmt.Errorf("values %q are missing", clip(key))
		}
		if count > s.count {
			return storage{}, fmt.Errorf("claims %d values, %d are stored (%q)", count, s.count, clip(key))
		}
		return s, nil
	})
}

func legacyPlaces(f *source, keys []any, types map[string]string, pos int64) (map[string]storage, error) {
	places := map[string]storage{}
	for _, k := range keys {
		key, _ := k.(string)
		dtype := types[key]
		if dtype == "" {
			return nil, fmt.Errorf("lists values %q, which no tensor uses", clip(key))
		}
		if _, twice := places[key]; twice {
			return nil, fmt.Errorf("lists values %q twice", clip(key))
		}
		raw, err := f.readRaw(pos, 8)
		if err != nil {
			return nil, err
		}
		count := binary.LittleEndian.Uint64(raw)
		pos += 8
		width := int64(dtypeSize[dtype])
		if count > uint64((f.size-pos)/width) {
			return nil, fmt.Errorf("claims %d values in the last %d bytes (%q); it is incomplete", count, f.size-pos, clip(key))
		}
		places[key] = storage{dtype, int64(count), pos}
		pos += int64(count) * width
	}
	return places, nil
}

// locate finds the values with a key, a type and at least count elements.
type locate func(key, dtype string, count int64) (storage, error)

// torchArchive turns an unpickled state dict into an archive.
func torchArchive(f *source, root any, at locate) (*archive, error) {
	dict, err := stateDict(root)
	if err != nil {
		return nil, err
	}
	a := &archive{format: "pth"}
	for i, k := range dict.keys {
		name, ok := k.(string)
		if !ok {
			continue
		}
		t, err := torchTensor(dict.values[i])
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", clip(name), err)
		}
		if t == nil {
			continue
		}
		s, err := at(t.key, t.dtype, t.count)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", clip(name), err)
		}
		if err := t.check(s.count); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", clip(name), err)
		}
		a.entries = append(a.entries, entry{name: name, shape: t.shape, read: func() ([]float32, error) {
			return t.read(f, s)
		}})
	}
	return a, nil
}

// stateDict finds the dict of tensors: the root, or its "state_dict" or
// "model", where training scripts put it.
func stateDict(root any) (*pyDict, error) {
	dict, ok := root.(*pyDict)
	if !ok {
		return nil, refusedf([]string{"save it with torch.save(model.state_dict(), FILE)"}, "does not hold a state dict")
	}
	for _, key := range []string{"state_dict", "model"} {
		if inner, ok := dict.get(key).(*pyDict); ok {
			return inner, nil
		}
	}
	return dict, nil
}

// torchView is a tensor: a view of a storage, with offset and strides counted
// in elements.
type torchView struct {
	key, dtype    string
	count, offset int64
	shape, stride []int
}

// torchTensor understands one value of a state dict; nil for what is none.
func torchTensor(v any) (*torchView, error) {
	call, ok := v.(*pyCall)
	if ok && call.fn == "torch._utils._rebuild_parameter" && len(call.args) > 0 {
		call, ok = call.args[0].(*pyCall)
	}
	if !ok || !strings.HasPrefix(string(call.fn), "torch._utils._rebuild_tensor") {
		return nil, nil
	}
	if len(call.args) < 4 {
		return nil, fmt.Errorf("is described by %d values, at least 4 were expected", len(call.args))
	}
	t := &torchView{}
	var err error
	if t.key, t.dtype, t.count, err = torchRef(call.args[0]); err != nil {
		return nil, err
	}
	if t.offset, ok = call.args[1].(int64); !ok || t.offset < 0 {
		return nil, fmt.Errorf("has no valid offset")
	}
	for i, to := range []*[]int{&t.shape, &t.stride} {
		tuple, ok := call.args[2+i].(pyTuple)
		if !ok || len(tuple) > 8 {
			return nil, fmt.Errorf("has no valid shape")
		}
		for _, v := range tuple {
			d, ok := v.(int64)
			if !ok || d < 0 || d > 1<<40 {
				return nil, fmt.Errorf("has no valid shape")
			}
			*to = append(*to, int(d))
		}
	}
	if len(t.shape) != len(t.stride) {
		return nil, fmt.Errorf("has %d dimensions and %d strides", len(t.shape), len(t.stride))
	}
	return t, nil
}

// torchRef reads a reference to a storage: ("storage", class, key, device,
// count), with a sixth value in the older format for views, which is None.
func torchRef(v any) (key, dtype string, count int64, err error) {
	ref, _ := v.(pyRef)
	id, _ := ref.id.(pyTuple)
	if len(id) < 5 || id[0] != "storage" || len(id) > 5 && id[5] != nil {
		return "", "", 0, fmt.Errorf("does not refer to stored values")
	}
	class, _ := id[1].(pyGlobal)
	key, ok := id[2].(string)
	count, ok2 := id[4].(int64)
	if dtype = storageType[class]; dtype == "" || !ok || !ok2 || count < 0 {
		return "", "", 0, fmt.Errorf("does not refer to stored values")
	}
	return key, dtype, count, nil
}

// walkStorages calls fn for the storage of every tensor of a state dict.
func walkStorages(root any, fn locate) error {
	dict, err := stateDict(root)
	if err != nil {
		return err
	}
	for i := range dict.values {
		t, err := torchTensor(dict.values[i])
		if err == nil && t != nil {
			_, err = fn(t.key, t.dtype, t.count)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check sees that every element of the view lies in its storage of count
// elements.
func (t *torchView) check(count int64) error {
	if _, err := elements(t.shape, 1, count); err != nil {
		return err
	}
	last := t.offset
	for i, d := range t.shape {
		if d == 0 {
			return nil
		}
		if t.stride[i] > 0 && int64(d-1) > (count-1)/int64(t.stride[i]) {
			return fmt.Errorf("reaches past its %d values", count)
		}
		if last += int64(d-1) * int64(t.stride[i]); last >= count {
			return fmt.Errorf("reaches past its %d values", count)
		}
	}
	return nil
}

// read gathers the view into row-major order; strides differ from it for
// weights that were kept channels-last.
func (t *torchView) read(f *source, s storage) ([]float32, error) {
	if err := readable(s.dtype); err != nil {
		return nil, err
	}
	n, span := 1, int64(1)
	for i, d := range t.shape {
		n *= d
		span += int64(d-1) * int64(t.stride[i])
	}
	if n == 0 {
		return nil, nil
	}
	flat, err := f.readFloats(s.off+t.offset*int64(dtypeSize[s.dtype]), int(span), s.dtype)
	if err != nil {
		return nil, err
	}
	out := make([]float32, n)
	index := make([]int, len(t.shape))
	from := 0
	for i := range out {
		out[i] = flat[from]
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			from += t.stride[d]
			if index[d] < t.shape[d] {
				break
			}
			from -= index[d] * t.stride[d]
			index[d] = 0
		}
	}
	return out, nil
}
