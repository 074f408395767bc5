package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// StateFolder returns the folder for what outlives a process and is neither
// configuration nor a cache: queues, and the files of jobs.
func StateFolder() (string, error) {
	if dir := os.Getenv("IMPASTO_STATE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "impasto"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir() // neither has a place for state alone
		return filepath.Join(dir, "impasto", "state"), err
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("there is no directory for state: neither $IMPASTO_STATE nor $HOME is set")
	}
	return filepath.Join(dir, ".local", "state", "impasto"), nil
}
