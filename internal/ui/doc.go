// Package ui holds what all commands share in their communication with the user:
// faults and exit codes, signals, the terminal, names of output files, suggestions
// for misspelt words, counts and sizes. It imports no other package of Impasto.
package ui
