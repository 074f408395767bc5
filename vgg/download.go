package vgg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Progress is the state of a download.
type Progress struct {
	File        string
	URL         string
	Done, Total int64 // bytes; Total is 0 while it is not known
}

// maxDownload bounds a file whose size is not known beforehand.
const maxDownload = 1 << 30

// download fetches one published file into a directory and checks it. The bytes that
// have arrived stay in FILE.part, and the next attempt continues from there.
type download struct {
	client   *http.Client
	file     *original
	dir      string
	progress func(Progress)
	idle     time.Duration // how long a server may be silent
}

func (d *download) path() string { return filepath.Join(d.dir, d.file.File) }
func (d *download) part() string { return d.path() + ".part" }

// origin is stored beside the part. It holds the part's address and the version of the
// file, for If-Range.
type origin struct {
	URL       string `json:"url"`
	Validator string `json:"validator"`
}

// run tries the mirrors in order until one has delivered the right bytes, and returns
// the path of the file. Otherwise the error says what each mirror did.
func (d *download) run(ctx context.Context) (string, error) {
	var reasons []string
	for _, from := range d.file.URLs {
		err := d.fetch(ctx, from)
		if err == nil {
			err = d.accept(ctx)
		}
		if err == nil {
			return d.path(), nil
		}
		if ctx.Err() != nil {
			return "", d.stopped(ctx.Err())
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", host(from), err))
		var full *fs.PathError
		if errors.As(err, &full) { // the disk is full, which is not the mirror's fault
			break
		}
	}
	return "", &Error{Kind: KindDownload, Msg: fmt.Sprintf("download of %s did not succeed: %s", d.file.File, strings.Join(reasons, "; ")),
		Hints: []string{
			"impasto weights get " + d.file.Name + "   (again: goes on where it stopped)",
			"impasto weights get " + d.file.Name + " --from FILE   (a copy of " + d.file.File + ")",
		}}
}

func (d *download) stopped(err error) error {
	return &Error{Kind: KindCancelled, Err: err, Msg: fmt.Sprintf("download of %s stopped at %d bytes", d.file.File, d.have()),
		Hints: []string{"impasto weights get " + d.file.Name + "   (resumes there)"}}
}

// have returns the number of bytes of the file that have arrived.
func (d *download) have() int64 {
	info, err := os.Stat(d.part())
	if err != nil {
		return 0
	}
	return info.Size()
}

// fetch completes the part from one mirror.
func (d *download) fetch(ctx context.Context, from string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(d.idle, func() { cancel(fmt.Errorf("the server has been silent for %v", d.idle)) })
	defer silence.Stop()

	have := d.have()
	if have > 0 && have == d.file.Size {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if o := d.origin(); o.URL == from && o.Validator != "" {
			req.Header.Set("If-Range", o.Validator)
		}
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return reason(ctx, err)
	}
	defer resp.Body.Close()
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	total, err := d.total(resp, &have)
	if err != nil {
		return err
	}
	if have == total && total > 0 {
		return nil
	}
	if have == 0 {
		flags |= os.O_TRUNC
	}
	d.remember(from, resp)
	f, err := os.OpenFile(d.part(), flags, 0o644)
	if err != nil {
		return err
	}
	body := &meter{r: resp.Body, heard: func(n int64) {
		silence.Reset(d.idle)
		d.progress(Progress{d.file.File, from, have + n, total})
	}}
	limit := total
	if limit == 0 {
		limit = maxDownload
	}
	n, err := io.Copy(f, io.LimitReader(body, limit-have))
	if syncErr := f.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("interrupted at %d of %d bytes: %w", have+n, total, reason(ctx, err))
	}
	if have+n < total {
		return fmt.Errorf("interrupted at %d of %d bytes", have+n, total)
	}
	return nil
}

// total evaluates the answer to a request for the bytes from *have on. It returns the
// size of the whole file, 0 if unknown. If the server sends everything again, it sets
// *have to zero.
func (d *download) total(resp *http.Response, have *int64) (int64, error) {
	total := int64(0)
	switch resp.StatusCode {
	case http.StatusOK:
		*have = 0
		if resp.ContentLength > 0 {
			total = resp.ContentLength
		}
	case http.StatusPartialContent:
		from, size, ok := parseContentRange(resp.Header.Get("Content-Range"))
		if !ok || from != *have {
			return 0, fmt.Errorf("answered with the wrong part of the file (%q)", clip(resp.Header.Get("Content-Range")))
		}
		total = size
	case http.StatusRequestedRangeNotSatisfiable:
		// Either the part is complete, or it is of another file and the download starts
		// over.
		if _, size, ok := parseContentRange(resp.Header.Get("Content-Range")); ok && size == *have {
			return size, nil
		}
		if err := os.Remove(d.part()); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("has another version of the file; start again")
	default:
		return 0, fmt.Errorf("answered %s", resp.Status)
	}
	if d.file.Size > 0 && total > 0 && total != d.file.Size {
		return 0, fmt.Errorf("offers %d bytes, %d were expected", total, d.file.Size)
	}
	if total > maxDownload {
		return 0, fmt.Errorf("offers %d bytes, at most %d were expected", total, maxDownload)
	}
	if total == 0 {
		total = d.file.Size
	}
	return total, nil
}

// parseContentRange reads "bytes 100-199/1000" and "bytes */1000".
func parseContentRange(s string) (from, size int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	part, all, ok2 := strings.Cut(s, "/")
	size, err := strconv.ParseInt(all, 10, 64)
	if !ok || !ok2 || err != nil || size < 0 {
		return 0, 0, false
	}
	if part == "*" {
		return 0, size, true
	}
	first, _, _ := strings.Cut(part, "-")
	from, err = strconv.ParseInt(first, 10, 64)
	return from, size, err == nil && from >= 0
}

// accept checks the finished part and renames it to its final name. A part with wrong
// bytes is renamed to FILE.bad.
func (d *download) accept(ctx context.Context) error {
	if err := d.file.check(ctx, d.part()); err != nil {
		if ctx.Err() == nil {
			os.Rename(d.part(), d.path()+".bad")
			os.Remove(d.part() + ".json")
		}
		return err
	}
	os.Remove(d.part() + ".json")
	return os.Rename(d.part(), d.path())
}

func (d *download) origin() (o origin) {
	if raw, err := os.ReadFile(d.part() + ".json"); err == nil {
		json.Unmarshal(raw, &o) // if it is damaged, there is no validator, and the checksum decides
	}
	return o
}

// remember stores the validator of an answer. Weak validators do not promise the same
// bytes and cannot be used for ranges (RFC 9110, 13.1.5).
func (d *download) remember(from string, resp *http.Response) {
	o := origin{URL: from, Validator: resp.Header.Get("ETag")}
	if o.Validator == "" || strings.HasPrefix(o.Validator, "W/") {
		o.Validator = resp.Header.Get("Last-Modified")
	}
	if raw, err := json.Marshal(o); err == nil {
		os.WriteFile(d.part()+".json", raw, 0o644) // it may fail: without it the checksum decides
	}
}

// meter reports how much has been read.
type meter struct {
	r     io.Reader
	n     int64
	heard func(n int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.n += int64(n); n > 0 {
		m.heard(m.n)
	}
	return n, err
}

// reason returns the cause of the context's end, if it has ended, instead of the error
// that followed from it. It removes the addresses that packages net and net/http put in
// front.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var dns *net.DNSError
	var u *url.Error
	switch {
	case errors.As(err, &dns):
		return errors.New(dns.Err)
	case errors.As(err, &u):
		return u.Err
	}
	return err
}

func host(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
