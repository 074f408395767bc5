package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

// jobView is a job as --json tells it. Fields are only ever added.
type jobView struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Batch    string            `json:"batch,omitempty"`
	State    farm.State        `json:"state"`
	Class    string            `json:"class"`
	Priority int               `json:"priority"`
	Fraction float64           `json:"fraction"`
	Text     string            `json:"text,omitempty"`
	Worker   string            `json:"worker,omitempty"`
	Attempts int               `json:"attempts"`
	Deaths   int               `json:"deaths,omitempty"`
	Error    string            `json:"error,omitempty"`
	Seconds  float64           `json:"seconds"`
	Started  time.Time         `json:"started,omitzero"`
	Ended    time.Time         `json:"ended,omitzero"`
	Commands []string          `json:"commands"` // as they are typed in a shell
	Inputs   map[string]string `json:"inputs,omitempty"`
	Outputs  []string          `json:"outputs"`
	Results  map[string]string `json:"results,omitempty"` // output -> SHA-256
}

func viewOf(st farm.Status) jobView {
	v := jobView{
		ID: st.Job.ID, Name: st.Job.Name, Batch: st.Job.Batch, State: st.State, Class: st.Job.Class, Priority: st.Job.Priority,
		Fraction: st.Fraction, Text: st.Text, Worker: st.Worker, Attempts: st.Attempts, Deaths: st.Deaths, Error: st.Error,
		Seconds: st.Seconds, Started: st.Started, Ended: st.Ended,
		Inputs: st.Job.Inputs, Outputs: st.Job.Outputs, Results: st.Results,
	}
	for _, step := range st.Job.Steps {
		v.Commands = append(v.Commands, ui.ImpastoCommand(step))
	}
	return v
}

// standing is what a table says of a job beside its state.
func standing(st farm.Status) string {
	switch st.State {
	case farm.Running:
		return strings.TrimSpace(fmt.Sprintf("%3.0f %%  %s  %s", 100*st.Fraction, st.Text, st.Worker))
	case farm.Done:
		return "in " + progress.Span(time.Duration(st.Seconds*float64(time.Second)))
	case farm.Queued:
		if st.Attempts > 0 {
			return fmt.Sprintf("again after: %s", firstLine(st.Error))
		}
		if st.Job.Priority > 0 {
			return fmt.Sprintf("priority %d", st.Job.Priority)
		}
	}
	return firstLine(st.Error)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// tally counts jobs by their state.
type tally map[farm.State]int

// jobStates are in the order in which they are told.
var jobStates = []farm.State{farm.Done, farm.Failed, farm.Running, farm.Queued, farm.Cancelled}

func tallyOf(list []farm.Status) tally {
	t := tally{}
	for _, st := range list {
		t[st.State]++
	}
	return t
}

func (t tally) String() string {
	total, parts := 0, []string{}
	for _, state := range jobStates {
		if n := t[state]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if total == 0 {
		return "no jobs"
	}
	return ui.Count(total, "job") + ": " + strings.Join(parts, ", ")
}

// chooseFlags choose jobs where they are not named.
func chooseFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("batch", "b", groupQueue, "NAME", "jobs of this batch"),
		textFlag("state", "", groupQueue, "STATE", "jobs that are queued, running, done, failed or cancelled"),
	}
}

// filterOf reads --batch and --state.
func filterOf(c *cli.Context) (farm.Filter, error) {
	f := farm.Filter{Batch: flagText(c, "batch"), State: farm.State(flagText(c, "state"))}
	if f.State != "" && !slices.Contains(jobStates, f.State) {
		return f, ui.UsageFault(fmt.Sprintf("--state %q is not one of %s", f.State, strings.Join(flagChoices["state"], ", ")))
	}
	return f, nil
}

// jobsNamed finds the jobs that arguments mean: an ID, the beginning of one,
// or a name. All that mean none or several are told together.
func jobsNamed(list []farm.Status, args []string) ([]farm.Status, error) {
	var bad ui.Faults
	var found []farm.Status
	taken := map[string]bool{}
	for _, arg := range args {
		var meant []farm.Status
		for _, st := range list {
			if st.Job.ID == arg {
				meant = []farm.Status{st}
				break
			}
			if st.Job.Name == arg || len(arg) >= 3 && strings.HasPrefix(st.Job.ID, arg) {
				meant = append(meant, st)
			}
		}
		switch {
		case len(meant) == 0:
			f := ui.NewFault(ui.ExitInput, "no_job", fmt.Sprintf("there is no job %q in the queue", arg), "impasto queue ls")
			var names []string
			for _, st := range list {
				names = append(names, st.Job.Name, st.Job.ID)
			}
			if near := ui.Nearest(arg, names); near != "" {
				f.Try = []string{fmt.Sprintf("did you mean %q?", near)}
			}
			bad.Add(f)
		case len(meant) > 1:
			f := ui.UsageFault(fmt.Sprintf("%q means %d jobs", arg, len(meant)))
			for _, st := range meant[:min(3, len(meant))] {
				f.Try = append(f.Try, fmt.Sprintf("%s   (%s, %s)", st.Job.ID, st.Job.Name, st.State))
			}
			bad.Add(f)
		case !taken[meant[0].Job.ID]:
			taken[meant[0].Job.ID] = true
			found = append(found, meant[0])
		}
	}
	return found, bad.Err()
}

// chosen are the jobs a command line means: those it names, or those that
// --batch, --state and --all choose. Choosing nothing is a fault, so that
// nobody changes every job by leaving out a word.
func chosen(ctx context.Context, c *cli.Context, q farm.Queue) ([]farm.Status, error) {
	f, err := filterOf(c)
	if err != nil {
		return nil, err
	}
	if c.NArg() > 0 && f != (farm.Filter{}) {
		return nil, ui.UsageFault("name jobs, or choose them by --batch and --state, not both")
	}
	if c.NArg() == 0 && f == (farm.Filter{}) && !c.Bool("all") {
		return nil, ui.UsageFault(fmt.Sprintf("queue %s needs jobs", c.Command.Name),
			fmt.Sprintf("impasto queue %s ID   (impasto queue ls lists them)", c.Command.Name), "--batch NAME, --state STATE or --all")
	}
	list, err := q.List(ctx, f)
	if err != nil || c.NArg() == 0 {
		return list, err
	}
	return jobsNamed(list, c.Args().Slice())
}
