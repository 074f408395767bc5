package batch

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

// A View is a job in the output of --json. Later versions only add fields.
type View struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Batch    string     `json:"batch,omitempty"`
	State    farm.State `json:"state"`
	Class    string     `json:"class"`
	Priority int        `json:"priority"`
	Fraction float64    `json:"fraction"`
	Text     string     `json:"text,omitempty"`
	Worker   string     `json:"worker,omitempty"`
	Attempts int        `json:"attempts"`
	Deaths   int        `json:"deaths,omitempty"`
	Error    string     `json:"error,omitempty"`
	Seconds  float64    `json:"seconds"`
	farm.Bill
	Started  time.Time         `json:"started,omitzero"`
	Ended    time.Time         `json:"ended,omitzero"`
	Commands []string          `json:"commands"` // as they are typed in a shell
	Needs    []farm.Need       `json:"needs,omitempty"`
	Inputs   map[string]string `json:"inputs,omitempty"`
	Outputs  []string          `json:"outputs"`
	Results  map[string]string `json:"results,omitempty"` // output -> SHA-256
	painter
}

// painter says what painted the last picture or film of a job that is done.
type painter struct {
	Device    string `json:"device,omitempty"`    // its class
	Precision string `json:"precision,omitempty"` // "f32", "f16" or "bf16"
}

func painterOf(st farm.Status) (p painter) {
	_ = json.Unmarshal(st.Outcome, &p) // the outcome of a map names none
	return p
}

// text returns the device and the precision, or "" if they are not known.
func (p painter) text() string {
	if p.Precision == "" {
		return ""
	}
	return strings.TrimSpace(p.Device + " in " + p.Precision)
}

func ViewOf(st farm.Status) View {
	v := View{
		ID: st.Job.ID, Name: st.Job.Name, Batch: st.Job.Batch, State: st.State, Class: st.Job.Class, Priority: st.Job.Priority,
		Fraction: st.Fraction, Text: st.Text, Worker: st.Worker, Attempts: st.Attempts, Deaths: st.Deaths, Error: st.Error,
		Seconds: st.Seconds, Bill: st.Bill, Started: st.Started, Ended: st.Ended,
		Needs: st.Job.Needs, Inputs: st.Job.Inputs, Outputs: st.Job.Outputs, Results: st.Results,
		painter: painterOf(st),
	}
	for _, step := range st.Job.Steps {
		v.Commands = append(v.Commands, ui.ImpastoCommand(step))
	}
	return v
}

// Describe returns what a table shows of a job besides its state.
func Describe(st farm.Status) string {
	switch st.State {
	case farm.Running:
		return strings.TrimSpace(fmt.Sprintf("%3.0f %%  %s  %s", 100*st.Fraction, st.Text, st.Worker))
	case farm.Done:
		return "in " + progress.Seconds(st.Seconds)
	case farm.Queued:
		if st.Attempts > 0 {
			return fmt.Sprintf("again after: %s", FirstLine(st.Error))
		}
		if len(st.Job.Needs) > 0 {
			return "after " + NeedsText(st.Job)
		}
		if st.Job.Priority > 0 {
			return fmt.Sprintf("priority %d", st.Job.Priority)
		}
	}
	return FirstLine(st.Error)
}

// NeedsText names the jobs that a job waits for. If there are many, it names the
// first few.
func NeedsText(j farm.Job) string {
	var names []string
	for _, n := range j.Needs[:min(3, len(j.Needs))] {
		names = append(names, strconv.Quote(n.Name))
	}
	text := strings.Join(names, ", ")
	if more := len(j.Needs) - len(names); more > 0 {
		text += fmt.Sprintf(" and %s", ui.Count(more, "other"))
	}
	return text
}

// FirstLine returns text up to its first line break.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// A Tally counts jobs by their state.
type Tally map[farm.State]int

// States lists the states of jobs in the order of reports.
var States = []farm.State{farm.Done, farm.Failed, farm.Running, farm.Queued, farm.Cancelled}

// TallyOf counts jobs.
func TallyOf(list []farm.Status) Tally {
	t := Tally{}
	for _, st := range list {
		t[st.State]++
	}
	return t
}

func (t Tally) total() (n int) {
	for _, count := range t {
		n += count
	}
	return n
}

func (t Tally) String() string {
	total, parts := 0, []string{}
	for _, state := range States {
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

// Find returns the jobs that arguments name by an ID, the beginning of an ID, or a
// name. The faults of all arguments that name none or several jobs are returned
// together.
func Find(list []farm.Status, args []string) ([]farm.Status, error) {
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

// Sort orders jobs for a table: running, queued in the order in which they are
// taken, failed, cancelled, done. Jobs of one state are sorted by batch and name,
// with shot 9 of a film before shot 10.
func Sort(list []farm.Status) {
	rank := func(st farm.Status) int {
		return slices.Index([]farm.State{farm.Running, farm.Queued, farm.Failed, farm.Cancelled, farm.Done}, st.State)
	}
	slices.SortStableFunc(list, func(a, b farm.Status) int {
		if n := rank(a) - rank(b); n != 0 {
			return n
		}
		if a.State == farm.Queued && a.Job.Priority != b.Job.Priority {
			return b.Job.Priority - a.Job.Priority
		}
		if n := strings.Compare(a.Job.Batch, b.Job.Batch); n != 0 {
			return n
		}
		return film.ByNumber(a.Job.Name, b.Job.Name)
	})
}

// WriteFacts writes all facts about a job, one on each line. It omits empty ones.
func WriteFacts(w io.Writer, st farm.Status) {
	line := func(key, format string, a ...any) {
		if text := fmt.Sprintf(format, a...); text != "" {
			fmt.Fprintf(w, "%-11s%s\n", key, ui.Printable(text))
		}
	}
	line("job", "%s  %s", st.Job.ID, st.Job.Name)
	line("batch", "%s", st.Job.Batch)
	state := string(st.State)
	if st.State == farm.Running {
		state += fmt.Sprintf(", %.0f %%", 100*st.Fraction)
		if st.Text != "" {
			state += ", " + st.Text
		}
	}
	line("state", "%s", state)
	line("worker", "%s", st.Worker)
	line("painted on", "%s", painterOf(st).text())
	line("needs", "%s", NeedsText(st.Job))
	line("class", "%s, priority %d", st.Job.Class, st.Job.Priority)
	if st.Attempts > 0 || st.Deaths > 0 {
		text := fmt.Sprintf("%d of %d", st.Attempts, 1+st.Job.Retries)
		if st.Deaths > 0 {
			text += ", and " + ui.Count(st.Deaths, "worker") + " lost since the last checkpoint"
		}
		line("attempts", "%s", text)
	}
	line("error", "%s", strings.ReplaceAll(st.Error, "\n", "\n           "))
	if st.Seconds > 0 || st.Bill != (farm.Bill{}) {
		line("time", "%s", progress.Seconds(st.Seconds)+BillText(st.Bill))
	}
	if !st.Ended.IsZero() {
		line("ended", "%s", st.Ended.Local().Format(time.DateTime))
	} else if !st.Started.IsZero() {
		line("started", "%s", st.Started.Local().Format(time.DateTime))
	}
	for _, step := range st.Job.Steps {
		line("step", "%s", ui.ImpastoCommand(step))
	}
	for _, output := range st.Job.Outputs {
		note := ""
		if sum := st.Results[output]; sum != "" {
			note = "  sha256 " + sum[:min(12, len(sum))] + "..."
		} else if st.Checkpoints[output] != "" {
			note = "  has a checkpoint"
		}
		line("output", "%s%s", output, note)
	}
}

// BillText says what a job or a batch has cost besides its time, with a comma
// before each part. It returns "" if there is nothing to say.
func BillText(b farm.Bill) string {
	text := ""
	if b.Lost >= 0.05 {
		text += ", and " + progress.Seconds(b.Lost) + " of workers that were lost"
	}
	if b.Wasted >= 0.05 {
		text += ", " + progress.Seconds(b.Wasted) + " of all wasted"
	}
	if b.Cost > 0 {
		text += ", cost " + MoneyText(b.Cost)
	}
	return text
}
