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

// answer turns a function that may fail into a handler.
func (s *Studio) answer(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
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
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": problems(err)})
	}
}

// problems takes an error apart into its messages.
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

func sendJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// maxText bounds what is read as JSON.
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
