package studio

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
)

// problem is a message for the user: what is wrong, and what to try.
type problem struct {
	Message string   `json:"message"`
	Try     []string `json:"try,omitempty"`
	Code    string   `json:"code,omitempty"`
}

// failure is an error with its HTTP status.
type failure struct {
	status int
	problem
}

func (f *failure) Error() string { return f.Message }

func bad(status int, message string, try ...string) error {
	return &failure{status, problem{Message: message, Try: try}}
}

// handler answers a request, or returns an error that says what is wrong with it.
type handler func(http.ResponseWriter, *http.Request) error

// value returns a handler that answers with the result of f, as JSON.
func value(f func(*http.Request) (any, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := f(r)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(v)
	}
}

// asked is like value, but f also gets the body of the request, decoded from JSON.
func asked[T any](f func(*http.Request, T) (any, error)) handler {
	return value(func(r *http.Request) (any, error) {
		var ask T
		if err := readJSON(r, &ask); err != nil {
			return nil, err
		}
		return f(r, ask)
	})
}

// answer turns a handler into one of the standard library.
func answer(f handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil {
			return
		}
		status := http.StatusUnprocessableEntity
		var large *http.MaxBytesError
		var own *failure
		switch {
		case errors.As(err, &own):
			status = own.status
		case errors.As(err, &large):
			status = http.StatusRequestEntityTooLarge
		case errors.Is(err, os.ErrDeadlineExceeded):
			status = http.StatusRequestTimeout
		case errors.Is(err, os.ErrNotExist):
			status = http.StatusNotFound
		}
		refuse(w, status, problems(err)...)
	}
}

// refuse answers with what is wrong.
func refuse(w http.ResponseWriter, status int, what ...problem) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": what})
}

// problems splits an error into its messages.
func problems(err error) []problem {
	switch e := err.(type) {
	case nil:
		return nil
	case *failure:
		return []problem{e.problem}
	case interface{ Unwrap() []error }:
		var all []problem
		for _, one := range e.Unwrap() {
			all = append(all, problems(one)...)
		}
		return all
	}
	p := problem{Message: err.Error()}
	var hints interface{ Try() []string }
	if errors.As(err, &hints) {
		p.Try = hints.Try()
	}
	return []problem{p}
}

// maxText is the most bytes that are read as JSON.
const maxText = 1 << 20

// readJSON reads a body of at most maxText bytes.
func readJSON(r *http.Request, v any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxText+1))
	if err != nil {
		return err
	}
	if len(text) > maxText {
		return bad(http.StatusRequestEntityTooLarge, "the request is too large")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return bad(http.StatusBadRequest, "the request is not what the page sends: "+err.Error())
	}
	return nil
}
