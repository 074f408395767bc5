package recipe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Change is a field in which two recipes differ. Path is, for example,
// "options.size" or "inputs.0.sha256". A value is "" if the field is absent.
type Change struct {
	Path string `json:"path"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Diff lists the fields in which a and b differ, by path. If there are none, the
// list is empty but not nil.
func Diff(a, b Recipe) ([]Change, error) {
	fa, err := flatten(a)
	if err != nil {
		return nil, err
	}
	fb, err := flatten(b)
	if err != nil {
		return nil, err
	}
	changes := []Change{}
	for path, va := range fa {
		if vb := fb[path]; va != vb {
			changes = append(changes, Change{path, va, vb})
		}
	}
	for path, vb := range fb {
		if _, both := fa[path]; !both {
			changes = append(changes, Change{path, "", vb})
		}
	}
	slices.SortFunc(changes, func(x, y Change) int { return strings.Compare(x.Path, y.Path) })
	return changes, nil
}

// flatten maps the path of every value of r to its JSON text.
func flatten(r Recipe) (map[string]string, error) {
	text, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return nil, err
	}
	out := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		under := func(key string) string {
			if path == "" {
				return key
			}
			return path + "." + key
		}
		switch v := v.(type) {
		case map[string]any:
			for k, item := range v {
				walk(under(k), item)
			}
		case []any:
			if scalars(v) {
				t, _ := json.Marshal(v)
				out[path] = string(t)
				return
			}
			for i, item := range v {
				walk(under(strconv.Itoa(i)), item)
			}
		case string:
			out[path] = v
		case nil:
			out[path] = "null"
		default:
			t, _ := json.Marshal(v)
			out[path] = string(t)
		}
	}
	walk("", tree)
	return out, nil
}

func scalars(list []any) bool {
	for _, v := range list {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}

func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, cmp.Or(c.A, "-"), cmp.Or(c.B, "-"))
}
