package vgg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A Python pickle is a program for a small stack machine (protocol 2-4, see
// Lib/pickletools.py). This reader runs it as data only. A call is recorded, never
// made. Names outside a list are refused, so a pickle that would start a program is an
// error that names it. Values share the input's memory, and a length is checked against
// the input before anything is allocated for it.
//
// A library was tried (nlpodyssey/gopickle, which the tests still compare with). It
// reads every storage into memory, fully connected layers included, and trusts lengths,
// so a guard for it would have been as long as this file.

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
	// pyMark marks a place on the stack.
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
	defer caught(&err)
	u := &unpickler{in: in, memo: map[uint32]any{}, allowed: allowed}
	for range maxSteps {
		op := u.take(1)[0]
		if op == '.' {
			return u.pop(), u.pos, nil
		}
		at := u.pos - 1
		if err := u.step(op); err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
	return nil, 0, fmt.Errorf("pickle takes more than %d steps", maxSteps)
}

// step runs one instruction.
func (u *unpickler) step(op byte) (err error) {
	defer caught(&err)
	switch op {
	case 0x80: // PROTO
		if v := u.take(1)[0]; v < 2 || v > 5 {
			failf("protocol %d is not read", v)
		}
	case 0x95: // FRAME: a hint for buffering
		u.take(8)
	case '(':
		u.push(pyMark{})
	case 'N':
		u.push(nil)
	case 0x88, 0x89:
		u.push(op == 0x88)
	case 'K', 'M', 'J', 0x8a, 0x8b, 'G':
		u.number(op)
	case 'U', 'C', 0x8c, 'T', 'B', 'X', 0x8d, 0x8e:
		u.text(op)
	case 'c', 0x93:
		u.global(op)
	case 'q', 'r', 0x94, 'h', 'j':
		u.remember(op)
	case ')', 0x85, 0x86, 0x87:
		u.push(pyTuple(u.popN(max(0, int(op)-0x84))))
	case 't':
		u.push(pyTuple(u.popMark()))
	case ']':
		u.push(&pyList{})
	case '}':
		u.push(&pyDict{})
	case 'a', 'e':
		u.insert(op == 'e', 1)
	case 's', 'u':
		u.insert(op == 'u', 2)
	case 'R':
		u.call()
	case 'b':
		u.build()
	case 'Q':
		u.push(pyRef{u.pop()})
	default:
		failf("instruction %#02x does not belong in a file of weights", op)
	}
	return nil
}

func (u *unpickler) take(n int) []byte {
	if n < 0 || n > len(u.in)-u.pos {
		failf("ends at byte %d, in the middle of a value", len(u.in))
	}
	u.pos += n
	return u.in[u.pos-n : u.pos]
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pop() any { return u.popN(1)[0] }

// popN takes the topmost n values.
func (u *unpickler) popN(n int) []any {
	if len(u.stack) < n {
		failf("takes a value from an empty stack")
	}
	return u.cut(len(u.stack) - n)
}

// popMark takes everything above the topmost mark, and the mark.
func (u *unpickler) popMark() []any {
	for i, v := range slices.Backward(u.stack) {
		if _, ok := v.(pyMark); ok {
			return u.cut(i)[1:]
		}
	}
	failf("refers to a mark that was never set")
	return nil
}

// cut takes the values from the i-th on off the stack.
func (u *unpickler) cut(i int) []any {
	items := slices.Clone(u.stack[i:])
	u.stack = u.stack[:i]
	return items
}

func (u *unpickler) number(op byte) {
	raw := u.take(map[byte]int{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 0x8b: 4, 'G': 8}[op])
	switch op {
	case 'G':
		u.push(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	case 'J':
		u.push(int64(int32(binary.LittleEndian.Uint32(raw))))
	case 0x8a, 0x8b: // LONG1, LONG4: two's complement of that many bytes
		n := little(raw)
		raw = u.take(int(n))
		if n > 8 { // a number that is not used, such as PyTorch's magic
			u.push(string(raw))
			return
		}
		v := int64(little(raw))
		if n > 0 && n < 8 && raw[n-1]&0x80 != 0 {
			v -= 1 << (8 * n)
		}
		u.push(v)
	default:
		u.push(int64(little(raw)))
	}
}

// little decodes up to eight bytes, least significant first.
func little(raw []byte) uint64 {
	var v uint64
	for i, b := range raw {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// text pushes a string. Bytes and text are treated alike.
func (u *unpickler) text(op byte) {
	size := 4
	switch op {
	case 'U', 'C', 0x8c:
		size = 1
	case 0x8d, 0x8e:
		size = 8
	}
	n := little(u.take(size))
	if n > uint64(len(u.in)) {
		failf("claims a text of %d bytes in a pickle of %d", n, len(u.in))
	}
	u.push(string(u.take(int(n))))
}

func (u *unpickler) global(op byte) {
	var module, name string
	if op == 'c' {
		for _, part := range []*string{&module, &name} {
			rest := u.in[u.pos:]
			end := bytes.IndexByte(rest[:min(len(rest), 256)], '\n')
			if end < 0 {
				failf("has an unfinished name")
			}
			*part = string(rest[:end])
			u.pos += end + 1
		}
	} else {
		pair := u.popN(2)
		var ok1, ok2 bool
		module, ok1 = pair[0].(string)
		if name, ok2 = pair[1].(string); !ok1 || !ok2 {
			failf("has a name that is no text")
		}
	}
	full := module + "." + name
	if !u.allowed(full) {
		fail(refusedf([]string{"if you trust the file, load it in Python and save only model.state_dict()"},
			"asks to call %q, which has no place among weights; nothing was run", clip(full)))
	}
	u.push(pyGlobal(full))
}

func (u *unpickler) remember(op byte) {
	key := uint32(len(u.memo)) // MEMOIZE takes the next number
	if size := map[byte]int{'q': 1, 'h': 1, 'r': 4, 'j': 4}[op]; size > 0 {
		key = uint32(little(u.take(size)))
	}
	if op == 'h' || op == 'j' {
		v, ok := u.memo[key]
		if !ok {
			failf("recalls value %d, which was never stored", key)
		}
		u.push(v)
		return
	}
	if len(u.stack) == 0 {
		failf("stores a value from an empty stack")
	}
	u.memo[key] = u.stack[len(u.stack)-1]
}

// insert appends to the list under the values, or sets items of the dict under them.
// width is how many values one item has; all: the values reach down to the mark.
func (u *unpickler) insert(all bool, width int) {
	var items []any
	if all {
		items = u.popMark()
	} else {
		items = u.popN(width)
	}
	under := u.pop()
	u.push(under)
	list, isList := under.(*pyList)
	dict, isDict := under.(*pyDict)
	switch {
	case isList && width == 1:
		list.items = append(list.items, items...)
	case isDict && width == 2 && len(items)%2 == 0:
		for pair := range slices.Chunk(items, 2) {
			dict.set(pair)
		}
	default:
		failf("puts items into what is no list and no dict")
	}
}

// set adds a key and its value.
func (d *pyDict) set(pair []any) {
	d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
}

// build records the state of an object.
func (u *unpickler) build() {
	pair := u.popN(2)
	switch o := pair[0].(type) {
	case *pyCall:
		o.state = pair[1]
	case *pyDict: // attributes of an OrderedDict, such as _metadata
	default:
		failf("sets attributes of what is no object")
	}
	u.push(pair[0])
}

// call records a call.
func (u *unpickler) call() {
	pair := u.popN(2)
	fn, ok := pair[0].(pyGlobal)
	args, ok2 := pair[1].(pyTuple)
	if !ok || !ok2 {
		failf("calls what is no function")
	}
	if fn == "collections.OrderedDict" {
		u.push(orderedDict(args))
		return
	}
	u.push(&pyCall{fn: fn, args: args})
}

// orderedDict makes an OrderedDict: empty, to be filled by SETITEMS, or, as
// Python 2 wrote it, from a list of [key, value] lists.
func orderedDict(args pyTuple) *pyDict {
	dict := &pyDict{}
	if len(args) == 0 {
		return dict
	}
	list, ok := args[0].(*pyList)
	if !ok {
		failf("makes an OrderedDict of what is no list")
	}
	for _, item := range list.items {
		pair, ok := item.(*pyList)
		if !ok || len(pair.items) != 2 {
			failf("makes an OrderedDict of what are no pairs")
		}
		dict.set(pair.items)
	}
	return dict
}
