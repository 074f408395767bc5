package vgg

import (
	"fmt"
	"strings"
)

// A PyTorch state dict holds names, and tensors as views of storages that lie elsewhere
// in the file.

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
		var s storage
		t, err := torchTensor(dict.values[i])
		if t == nil && err == nil {
			continue
		}
		if err == nil {
			s, err = at(t.key, t.dtype, t.count)
		}
		if err == nil {
			err = t.check(s.count)
		}
		if err != nil {
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
		return nil, refusedf(getVGG19, "does not hold a state dict; torch.save(model.state_dict(), FILE) writes one")
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

// torchTensor reads one value of a state dict. It returns nil for a value that is no
// tensor.
func torchTensor(v any) (t *torchView, err error) {
	defer caught(&err)
	call, ok := v.(*pyCall)
	if ok && call.fn == "torch._utils._rebuild_parameter" && len(call.args) > 0 {
		call, ok = call.args[0].(*pyCall)
	}
	if !ok || !strings.HasPrefix(string(call.fn), "torch._utils._rebuild_tensor") {
		return nil, nil
	}
	if len(call.args) < 4 {
		failf("is described by %d values, at least 4 were expected", len(call.args))
	}
	t = &torchView{}
	t.key, t.dtype, t.count = torchRef(call.args[0])
	if t.offset, ok = call.args[1].(int64); !ok || t.offset < 0 {
		failf("has no valid offset")
	}
	for i, to := range []*[]int{&t.shape, &t.stride} {
		tuple, ok := call.args[2+i].(pyTuple)
		if !ok || len(tuple) > 8 {
			failf("has no valid shape")
		}
		for _, v := range tuple {
			d, ok := v.(int64)
			if !ok || d < 0 || d > 1<<40 {
				failf("has no valid shape")
			}
			*to = append(*to, int(d))
		}
	}
	if len(t.shape) != len(t.stride) {
		failf("has %d dimensions and %d strides", len(t.shape), len(t.stride))
	}
	return t, nil
}

// torchRef reads a reference to a storage: ("storage", class, key, device,
// count), with a sixth value in the older format for views, which is None.
func torchRef(v any) (key, dtype string, count int64) {
	ref, _ := v.(pyRef)
	id, _ := ref.id.(pyTuple)
	if len(id) < 5 || id[0] != "storage" || len(id) > 5 && id[5] != nil {
		failf("does not refer to stored values")
	}
	class, _ := id[1].(pyGlobal)
	key, ok := id[2].(string)
	count, ok2 := id[4].(int64)
	if dtype = storageType[class]; dtype == "" || !ok || !ok2 || count < 0 {
		failf("does not refer to stored values")
	}
	return key, dtype, count
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

// check checks that every element of the view lies in its storage of count elements.
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

// read copies the view into row-major order. Its strides differ from that order for
// weights that were saved channels-last.
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
