package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// readToken returns the secret in a token file.
func readToken(c *cli.Context, file string) (string, error) {
	if err := narrow(c, file); err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", ui.NewFault(ui.ExitInput, "token_file", fmt.Sprintf("token file %q: %s", file, ui.Reason(err)))
	}
	return strings.TrimSpace(string(text)), nil
}

// writeToken writes a secret to a token file that only this user can read.
func writeToken(c *cli.Context, file, secret string) error {
	if err := narrow(c, file); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(secret+"\n"), 0o600)
}

// narrow takes the permissions of others from a token file that exists, and prints
// so: whoever reads it owns the queue.
func narrow(c *cli.Context, file string) error {
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() || st.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return nil // reading or writing it tells what is wrong
	}
	if err := os.Chmod(file, st.Mode().Perm()&0o700); err != nil {
		return ui.NewFault(ui.ExitInput, "token_file", fmt.Sprintf("token file %q is open to others (mode %04o)", file, st.Mode().Perm()), "chmod 600 "+ui.ShellQuote(file))
	}
	fmt.Fprintf(c.App.ErrWriter, "token file %q was open to others (mode %04o); its mode is now %04o\n", file, st.Mode().Perm(), st.Mode().Perm()&0o700)
	return nil
}

// ownJobs is where the jobs are remembered that this user submitted.
func ownJobs() (farm.Own, error) {
	dir, err := config.StateFolder()
	return farm.Own(filepath.Join(dir, "submitted")), err
}
