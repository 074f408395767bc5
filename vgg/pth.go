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

func openTorchZip(f *source) (a *archive, err error) {
	defer caught(&err)
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
		return nil, refusedf(getVGG19, "is a TorchScript program, not a state dict; torch.save(model.state_dict(), FILE) writes one")
	}
	if files["data.pkl"] == nil {
		return nil, unreadZip(z.File)
	}
	if e := files["byteorder"]; e != nil {
		if order := readEntry(f, e, 16); string(order) != "little" {
			return nil, fmt.Errorf("was written on a big-endian machine")
		}
	}
	root, _, err := unpickle(readEntry(f, files["data.pkl"], maxPickle), torchName)
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

func readEntry(f *source, e *zip.File, limit uint64) []byte {
	off := must(entryOffset(f, e))
	if e.UncompressedSize64 > limit {
		failf("entry %q has %d bytes, at most %d were expected", clip(e.Name), e.UncompressedSize64, limit)
	}
	return must(f.readRaw(off, int(e.UncompressedSize64)))
}

// openTorchLegacy reads the format before zip: pickles of the magic, the
// version, the machine, the tensors and the list of storage keys; then, in the
// order of that list, a count (int64) and the values of each storage.
func openTorchLegacy(f *source) (a *archive, err error) {
	defer caught(&err)
	head := must(f.readRaw(0, int(min(f.size, maxPickle))))
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
	places := legacyPlaces(f, keys.items, types, int64(pos))
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

func legacyPlaces(f *source, keys []any, types map[string]string, pos int64) map[string]storage {
	places := map[string]storage{}
	for _, k := range keys {
		key, _ := k.(string)
		dtype := types[key]
		if dtype == "" {
			failf("lists values %q, which no tensor uses", clip(key))
		}
		if _, twice := places[key]; twice {
			failf("lists values %q twice", clip(key))
		}
		count := binary.LittleEndian.Uint64(must(f.readRaw(pos, 8)))
		pos += 8
		width := int64(dtypeSize[dtype])
		if count > uint64((f.size-pos)/width) {
			failf("claims %d values in the last %d bytes (%q); it is incomplete", count, f.size-pos, clip(key))
		}
		places[key] = storage{dtype, int64(count), pos}
		pos += int64(count) * width
	}
	return places
}
