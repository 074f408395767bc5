package vgg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// A Python pickle is a program for a small stack machine (protocol 2-4, see
// Lib/pickletools.py). This reader runs it as data only: a call is recorded,
// never made, and names outside a list are refused, so a pickle that would
// start a program is an error that names it. Values share the input's memory;
// nothing is allocated on the word of a length that the input does not cover.
//
// A library was tried (nlpodyssey/gopickle, still the oracle of the tests). It
// reads every storage into memory, fully connected layers included, and trusts
// lengths, so a guard for it would have been as long as this file.

type (
	// pyTuple and pyList are Python's tuple and list.
	pyTuple []any
	pyList  struct{ items []any }
	// pyDict is a dict or an OrderedDict in the order of insertion.
	pyDict struct{ keys, values []any }
	// pyGlobal names a class or a function, "torch.FloatStorage".
	pyGlobal string
	// pyCall is a call that was not made; state is what BUILD would have set.
	pyCall struct {
		fn    pyGlobal
		args  pyTuple
		state any
	}
	// pyRef stands for an object kept outside the pickle.
	pyRef struct{ id any }
	// pyMark is the stack's bookmark.
	pyMark struct{}
)

// get returns the value of a text key, or nil.
func (d *pyDict) get(key string) any {
	for i, k := range d.keys {
		if k == key {
			return d.values[i]
		}
	}
	return nil
}

// unpickler is the state of the machine.
type unpickler struct {
	in      []byte
	pos     int
	stack   []any
	memo    map[uint32]any
	allowed func(name string) bool
}

// maxSteps bounds how long a pickle may run; VGG19's take some 1,500 steps.
const maxSteps = 1 << 20

// unpickle runs one pickle at the start of in and returns its value and its
// length in bytes. Only globals that allowed accepts may be named.
func unpickle(in []byte, allowed func(name string) bool) (value any, length int, err error) {
	u := &unpickler{in: in, memo: map[uint32]any{}, allowed: allowed}
	for range maxSteps {
		op, err := u.take(1)
		if err != nil {
			return nil, 0, err
		}
		if op[0] == '.' {
			v, err := u.pop()
			return v, u.pos, err
		}
		at := u.pos - 1
		if err := u.step(op[0]); err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
	return nil, 0, fmt.Errorf("pickle takes more than %d steps", maxSteps)
}

// step runs one instruction.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := u.take(1)
		if err == nil && (v[0] < 2 || v[0] > 5) {
			return fmt.Errorf("protocol %d is not read", v[0])
		}
		return err
	case 0x95: // FRAME: a hint for buffering
		_, err := u.take(8)
		return err
	case '(':
		return u.push(pyMark{})
	case 'N':
		return u.push(nil)
	case 0x88, 0x89:
		return u.push(op == 0x88)
	case 'K', 'M', 'J', 0x8a, 0x8b, 'G':
		return u.number(op)
	case 'U', 'C', 0x8c, 'T', 'B', 'X', 0x8d, 0x8e:
		return u.text(op)
	case 'c', 0x93:
		return u.global(op)
	case 'q', 'r', 0x94, 'h', 'j':
		return u.remember(op)
	case ')', 't', 0x85, 0x86, 0x87:
		return u.tuple(op)
	case ']':
		return u.push(&pyList{})
	case '}':
		return u.push(&pyDict{})
	case 'a', 'e', 's', 'u':
		return u.insert(op)
	case 'R', 'b', 'Q':
		return u.object(op)
	}
	return fmt.Errorf("instruction %#02x does not belong in a file of weights", op)
}

func (u *unpickler) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.in)-u.pos {
		return nil, fmt.Errorf("ends at byte %d, in the middle of a value", len(u.in))
	}
	u.pos += n
	return u.in[u.pos-n : u.pos], nil
}

func (u *unpickler) push(v any) error {
	u.stack = append(u.stack, v)
	return nil
}

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, fmt.Errorf("takes a value from an empty stack")
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

// popMark takes everything above the topmost mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, fmt.Errorf("refers to a mark that was never set")
}

func (u *unpickler) number(op byte) error {
	size := map[byte]int{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 0x8b: 4, 'G': 8}[op]
	raw, err := u.take(size)
	if err != nil {
		return err
	}
	switch op {
	case 'G':
		return u.push(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	case 'J':
		return u.push(int64(int32(binary.LittleEndian.Uint32(raw))))
	case 0x8a, 0x8b: // LONG1, LONG4: two's complement of that many bytes
		n := little(raw)
		if raw, err = u.take(int(n)); err != nil {
			return err
		}
		if n > 8 { // a number we have no use for, such as PyTorch's magic
			return u.push(string(raw))
		}
		v := int64(little(raw))
		if n > 0 && n < 8 && raw[n-1]&0x80 != 0 {
			v -= 1 << (8 * n)
		}
		return u.push(v)
	}
	return u.push(int64(little(raw)))
}

// little reads up to eight bytes, least significant first.
func little(raw []byte) uint64 {
	var v uint64
	for i, b := range raw {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// text pushes a string; bytes and text are the same to us.
func (u *unpickler) text(op byte) error {
	size := 4
	switch op {
	case 'U', 'C', 0x8c:
		size = 1
	case 0x8d, 0x8e:
		size = 8
	}
	raw, err := u.take(size)
	if err != nil {
		return err
	}
	n := little(raw)
	if n > uint64(len(u.in)) {
		return fmt.Errorf("claims a text of %d bytes in a pickle of %d", n, len(u.in))
	}
	if raw, err = u.take(int(n)); err != nil {
		return err
	}
	return u.push(string(raw))
}

func (u *unpickler) global(op byte) error {
	var module, name string
	if op == 'c' {
		for _, part := range []*string{&module, &name} {
			rest := u.in[u.pos:]
			end := bytes.IndexByte(rest[:min(len(rest), 256)], '\n')
			if end < 0 {
				return fmt.Errorf("has an unfinished name")
			}
			*part = string(rest[:end])
			u.pos += end + 1
		}
	} else {
		n, err := u.pop()
		if err != nil {
			return err
		}
		m, err := u.pop()
		if err != nil {
			return err
		}
		var ok1, ok2 bool
		module, ok1 = m.(string)
		if name, ok2 = n.(string); !ok1 || !ok2 {
			return fmt.Errorf("has a name that is no text")
		}
	}
	full := module + "." + name
	if !u.allowed(full) {
		return refusedf([]string{"if you trust the file, load it in Python and save only model.state_dict()"},
			"asks to call %q, which has no place among weights; nothing was run", clip(full))
	}
	return u.push(pyGlobal(full))
}

func (u *unpickler) remember(op byte) error {
	key := uint32(len(u.memo)) // MEMOIZE takes the next number
	if size := map[byte]int{'q': 1, 'h': 1, 'r': 4, 'j': 4}[op]; size > 0 {
		raw, err := u.take(size)
		if err != nil {
			return err
		}
		key = uint32(little(raw))
	}
	if op == 'h' || op == 'j' {
		v, ok := u.memo[key]
		if !ok {
			return fmt.Errorf("recalls value %d, which was never stored", key)
		}
		return u.push(v)
	}
	if len(u.stack) == 0 {
		return fmt.Errorf("stores a value from an empty stack")
	}
	u.memo[key] = u.stack[len(u.stack)-1]
	return nil
}

func (u *unpickler) tuple(op byte) error {
	switch op {
	case ')':
		return u.push(pyTuple(nil))
	case 't':
		items, err := u.popMark()
		if err != nil {
			return err
		}
		return u.push(pyTuple(items))
	}
	n := int(op) - 0x84
	if len(u.stack) < n {
		return fmt.Errorf("takes a value from an empty stack")
	}
	items := append(pyTuple(nil), u.stack[len(u.stack)-n:]...)
	u.stack = u.stack[:len(u.stack)-n]
	return u.push(items)
}

// insert appends to the list, or sets items of the dict, under the values.
func (u *unpickler) insert(op byte) error {
	var items []any
	var err error
	switch op {
	case 'e', 'u':
		items, err = u.popMark()
	case 'a', 's':
		n := 1
		if op == 's' {
			n = 2
		}
		if len(u.stack) < n {
			return fmt.Errorf("takes a value from an empty stack")
		}
		items = append(items, u.stack[len(u.stack)-n:]...)
		u.stack = u.stack[:len(u.stack)-n]
	}
	if err != nil {
		return err
	}
	if len(u.stack) == 0 {
		return fmt.Errorf("takes a value from an empty stack")
	}
	switch to := u.stack[len(u.stack)-1].(type) {
	case *pyList:
		if op == 'a' || op == 'e' {
			to.items = append(to.items, items...)
			return nil
		}
	case *pyDict:
		if (op == 's' || op == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.keys, to.values = append(to.keys, items[i]), append(to.values, items[i+1])
			}
			return nil
		}
	}
	return fmt.Errorf("puts items into what is no list and no dict")
}

// object records a call (REDUCE), its state (BUILD) or a reference (BINPERSID).
func (u *unpickler) object(op byte) error {
	top, err := u.pop()
	if err != nil {
		return err
	}
	if op == 'Q' {
		return u.push(pyRef{top})
	}
	under, err := u.pop()
	if err != nil {
		return err
	}
	if op == 'b' {
		switch o := under.(type) {
		case *pyCall:
			o.state = top
		case *pyDict: // attributes of an OrderedDict, such as _metadata
		default:
			return fmt.Errorf("sets attributes of what is no object")
		}
		return u.push(under)
	}
	fn, ok := under.(pyGlobal)
	args, ok2 := top.(pyTuple)
	if !ok || !ok2 {
		return fmt.Errorf("calls what is no function")
	}
	if fn == "collections.OrderedDict" {
		dict, err := orderedDict(args)
		if err != nil {
			return err
		}
		return u.push(dict)
	}
	return u.push(&pyCall{fn: fn, args: args})
}

// orderedDict makes an OrderedDict: empty, to be filled by SETITEMS, or, as
// Python 2 wrote it, from a list of [key, value] lists.
func orderedDict(args pyTuple) (*pyDict, error) {
	dict := &pyDict{}
	if len(args) == 0 {
		return dict, nil
	}
	list, ok := args[0].(*pyList)
	if !ok {
		return nil, fmt.Errorf("makes an OrderedDict of what is no list")
	}
	for _, item := range list.items {
		pair, ok := item.(*pyList)
		if !ok || len(pair.items) != 2 {
			return nil, fmt.Errorf("makes an OrderedDict of what are no pairs")
		}
		dict.keys, dict.values = append(dict.keys, pair.items[0]), append(dict.values, pair.items[1])
	}
	return dict, nil
}
