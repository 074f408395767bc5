package ui

// Exit codes of the process. They are part of the interface: codes are added,
// never changed.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitSomeFailed  = 3
	ExitInput       = 4
	ExitOutput      = 5
	ExitWeights     = 10
	ExitQueue       = 11
	ExitDevice      = 12
	ExitMemory      = 13
	ExitDiverged    = 14
	ExitMismatch    = 15
	ExitBudget      = 16
	ExitHungUp      = 129
	ExitInterrupted = 130
	ExitTerminated  = 143
)

// An ExitCode is an exit code with its meaning.
type ExitCode struct {
	Code    int
	Meaning string
}

// ExitCodes lists all exit codes in order. `impasto version --exit-codes` and
// docs/cli.md print it.
var ExitCodes = []ExitCode{
	{ExitOK, "done"},
	{ExitFailure, "failure of another kind"},
	{ExitUsage, "the command line or the configuration is wrong"},
	{ExitSomeFailed, "a batch has ended and some of its jobs failed"},
	{ExitInput, "an input is unreadable or inconsistent"},
	{ExitOutput, "the output is refused or cannot be written"},
	{ExitWeights, "weights are missing or bad"},
	{ExitQueue, "the queue is in use or cannot be reached"},
	{ExitDevice, "the device is not available"},
	{ExitMemory, "there is not enough memory"},
	{ExitDiverged, "the optimisation diverged"},
	{ExitMismatch, "a comparison or a verification did not match"},
	{ExitBudget, "the budget of a batch is spent, and some of its jobs were not started"},
	{ExitHungUp, "the terminal was closed; the work so far was saved"},
	{ExitInterrupted, "interrupted; the work so far was saved"},
	{ExitTerminated, "terminated; the work so far was saved"},
}
