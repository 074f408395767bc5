// Package ui holds what every command says to its user in the same way: faults
// and exit codes, signals, the terminal, names of output files, near misses of
// words, counts and sizes. It imports no other package of Impasto.
package ui
