package vgg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// inTemp points every place weights are looked for into a temporary directory.
func inTemp(t *testing.T) *Store {
	t.Helper()
	t.Setenv(Environment, "")
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	return DefaultStore()
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWriteAndLoad(t *testing.T) {
	layers := exactLayers(2)
	layers[0].w[5] = 1.0 / 3 // not a float16
	n, err := loadBytes("vgg19.caffemodel", caffeOf(swapRB(layers), true), LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n.Pool, n.Meta.Licence = PoolL2, `CC BY 4.0 "Oxford"`
	for _, half := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "out.safetensors")
		sum, size, err := n.Write(path, half)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := os.ReadFile(path)
		if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum || int64(len(raw)) != size {
			t.Errorf("%d bytes, not the %d or the checksum that were returned", len(raw), size)
		}
		back, err := LoadFile(context.Background(), path, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := append([]testLayer(nil), layers...)
		if half {
			want[0].w = append([]float32(nil), layers[0].w...)
			want[0].w[5] = 0.333251953125 // 1365 / 4096
		}
		sameLayers(t, back, want)
		if back.Name != "vgg19" || back.Pool != PoolL2 || back.Mean != n.Mean || back.Meta.Licence != n.Meta.Licence {
			t.Errorf("%s, %s, %v, %q", back.Name, back.Pool, back.Mean, back.Meta.Licence)
		}
		again, _, err := n.Write(path, half)
		if err != nil || again != sum {
			t.Errorf("written again: %s, %v", again, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
			t.Errorf("debris: %v", left)
		}
	}
	n.Layers[0].Bias[0] = 1e6
	if _, _, err := n.Write(filepath.Join(t.TempDir(), "x"), true); err == nil || !strings.Contains(err.Error(), "conv1_1 holds 1e+06") {
		t.Errorf("1e6 as float16: %v", err)
	}
	if _, _, err := n.Write(filepath.Join(t.TempDir(), "no", "x"), false); err == nil {
		t.Error("written into a directory that does not exist")
	}
}

func TestImportListVerify(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	if list, err := s.List(); err != nil || len(list) != 0 {
		t.Fatalf("a store that does not exist: %v, %v", list, err)
	}
	file := writeFile(t, "my.caffemodel", caffeOf(swapRB(exactLayers(3)), true))
	w, err := s.Import(ctx, file, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "vgg19" || w.Last != "relu2_1" || w.Source != "my.caffemodel" || w.Layout != LayoutCaffe {
		t.Errorf("%+v", w)
	}
	if _, err := s.Import(ctx, file, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "already installed") {
		t.Errorf("imported twice: %v", err)
	}
	if _, err := s.Import(ctx, file, ImportOptions{Force: true}); err != nil {
		t.Error(err)
	}
	if _, err := s.Import(ctx, file, ImportOptions{Name: "../vgg"}); err == nil || err.(*Error).ExitCode() != 2 {
		t.Errorf("name ../vgg: %v", err)
	}
	torch := writeFile(t, "t.pth", torchZip(exactLayers(1)))
	if w, err := s.Import(ctx, torch, ImportOptions{Layout: LayoutTorchvision}); err != nil || w.Name != "vgg19-torchvision" {
		t.Errorf("%+v, %v", w, err)
	}
	if list, err := s.List(); err != nil || len(list) != 2 || list[0].Name != "vgg19" {
		t.Errorf("%+v, %v", list, err)
	}
	n, err := Load(ctx, "vgg19", LoadOptions{UpTo: "relu1_2"})
	if err != nil || n.Name != "vgg19" || len(n.Layers) != 2 || n.Meta.SHA256 != w.SHA256 {
		t.Fatalf("%v, %v", n, err)
	}
	if err := s.Verify(ctx, "vgg19"); err != nil {
		t.Error(err)
	}
	// One altered byte is noticed by both.
	path := filepath.Join(s.Dir, w.File)
	raw, _ := os.ReadFile(path)
	raw[len(raw)-1] ^= 1
	os.WriteFile(path, raw, 0o644)
	for _, err := range []error{s.Verify(ctx, "vgg19"), func() error { _, err := Load(ctx, "vgg19", LoadOptions{}); return err }()} {
		e, ok := err.(*Error)
		if !ok || e.Kind != KindDamaged || !strings.Contains(e.Msg, "checksum is") || e.Hints[0] != "impasto weights get vgg19 --force" {
			t.Errorf("altered: %v", err)
		}
	}
	// Nothing but the two files and the index is left.
	if left, _ := os.ReadDir(s.Dir); len(left) != 3 {
		t.Errorf("debris: %v", left)
	}
}

func TestResolve(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	file := writeFile(t, "a.caffemodel", caffeOf(swapRB(exactLayers(1)), true))
	check := func(name, wantName, wantPath, why string) {
		t.Helper()
		src, err := Resolve(name)
		if err != nil || src.Name != wantName || src.Path != wantPath || src.Why != why {
			t.Errorf("Resolve(%q) = %+v, %v", name, src, err)
		}
	}
	check("", "mini", "", "no other weights are installed")
	check("random:42", "random:42", "", "asked for")
	check("random", "random:1", "", "asked for")
	check(file, "", file, "asked for")
	t.Setenv(Environment, file)
	check("", "", file, "$IMPASTO_WEIGHTS")
	t.Setenv(Environment, "random:3")
	check("", "random:3", "", "$IMPASTO_WEIGHTS")
	t.Setenv(Environment, "")
	_, err := Resolve("vgg19")
	e, ok := err.(*Error)
	if !ok || e.ExitCode() != 10 || e.Code() != "weights_missing" || !strings.HasPrefix(e.Msg, "VGG-19 weights are not installed (looked in "+s.Dir) || len(e.Try()) != 3 {
		t.Errorf("missing: %v", err)
	}
	for _, bad := range []string{"random:x", "random:-1", "no/such/file.pth", t.TempDir(), "nothing"} {
		if _, err := Resolve(bad); err == nil {
			t.Errorf("Resolve(%q) is accepted", bad)
		}
	}
	if _, err := s.Import(ctx, file, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	check("", "vgg19", filepath.Join(s.Dir, "vgg19.safetensors"), "installed")
	check("vgg19", "vgg19", filepath.Join(s.Dir, "vgg19.safetensors"), "asked for")
	check("mini", "mini", "", "asked for")
	check("mini:1", "mini:1", "", "asked for")
	t.Setenv(Environment, s.Dir) // a directory: the store itself
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	check("", "vgg19", filepath.Join(s.Dir, "vgg19.safetensors"), "installed")
}

func TestLockWaits(t *testing.T) {
	s := inTemp(t)
	unlock, err := s.lock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.lock(ctx); err == nil || err.(*Error).Kind != KindCancelled {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	again, err := s.lock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	again()
	blocked := &Store{Dir: writeFile(t, "file", nil)}
	if _, err := blocked.lock(context.Background()); err == nil || err.(*Error).Kind != KindStore {
		t.Errorf("a file as directory: %v", err)
	}
}

// TestImportLeavesNoDebris: an import that fails leaves no file that was not there
// before it, and a file that is refused not even the folder.
func TestImportLeavesNoDebris(t *testing.T) {
	s := &Store{Dir: filepath.Join(t.TempDir(), "weights")}
	bad := writeFile(t, "bad.pth", []byte("no weights"))
	if _, err := s.Import(context.Background(), bad, ImportOptions{}); err == nil {
		t.Fatal("a file without weights is installed")
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("a file that is refused leaves %q (%v)", s.Dir, err)
	}
	n, err := Random(3, "relu1_2")
	if err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good.safetensors")
	if _, _, err := n.Write(good, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(context.Background(), good, ImportOptions{Name: "good"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(context.Background(), good, ImportOptions{Name: "good"}); err == nil {
		t.Fatal("installed twice")
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the store holds %v (%v), not the weights and the index alone", entries, err)
	}
}

// TestLockIsAlone: whoever waits for a lock whose file is removed meanwhile holds
// the lock of the file that is there then.
func TestLockIsAlone(t *testing.T) {
	s := inTemp(t)
	var inside, installs atomic.Int32
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			unlock, err := s.lock(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if inside.Add(1) != 1 {
				t.Error("two hold the lock")
			}
			installs.Add(1)
			inside.Add(-1)
		})
	}
	all.Wait()
	if installs.Load() != 6 {
		t.Errorf("%d of 6 had the lock", installs.Load())
	}
}

func TestIndexIsStrict(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	entry := `{"name":"a","file":"a.safetensors","bytes":5,"sha256":"` + sum + `","last":"","source":"","source_sha256":"","layout":"","time":"2020-01-01T00:00:00Z"}`
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{`{"version":1,"weights":[` + entry + `]}`, true},
		{`{"version":1,"weights":[]}`, true},
		{`{"version":2,"weights":[]}`, false},
		{`{"version":1,"weights":[` + entry + `,` + entry + `]}`, false},
		{`{"version":1,"weights":[` + strings.Replace(entry, "a.safetensors", "../x", 1) + `]}`, false},
		{`{"version":1,"weights":[` + strings.Replace(entry, sum, "zz", 1) + `]}`, false},
		{`{"version":1,"weights":[` + strings.Replace(entry, `"bytes":5`, `"bytes":-5`, 1) + `]}`, false},
		{`{"version":1,"weights":[],"more":1}`, false},
		{`{"version":1,"weights":[]} x`, false},
		{``, false}, {`[]`, false},
	} {
		if _, err := parseIndex([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	s := inTemp(t)
	os.MkdirAll(s.Dir, 0o755)
	os.WriteFile(filepath.Join(s.Dir, indexName), []byte("{"), 0o644)
	if _, err := Resolve(""); err == nil || err.(*Error).Kind != KindStore {
		t.Errorf("a damaged index: %v", err)
	}
}
