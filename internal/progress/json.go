package progress

import (
	"encoding/json"
	"io"
	"maps"
	"math"
	"time"
)

// jsonLines writes one object per line. Every object has "type" (start, progress,
// batch, job, checkpoint, preview, warning, result) and "time" (RFC 3339).
type jsonLines struct {
	w   io.Writer
	now func() time.Time
}

func (j *jsonLines) write(kind string, object map[string]any) {
	object["type"] = kind
	object["time"] = j.now().UTC().Format(time.RFC3339Nano)
	b, err := json.Marshal(object)
	if err != nil {
		b, _ = json.Marshal(map[string]any{"type": "warning", "message": err.Error()})
	}
	j.w.Write(append(b, '\n'))
}

func (j *jsonLines) Event(kind, message string, facts map[string]any) {
	object := map[string]any{}
	maps.Copy(object, facts)
	object["message"] = message
	j.write(kind, object)
}

func (j *jsonLines) Update(s State) { j.write(s.object()) }

func (u Update) object() (kind string, facts map[string]any) {
	loss := map[string]any{"total": finite(u.Loss)}
	for _, t := range u.Terms {
		loss[t.Name] = finite(t.Value)
	}
	facts = map[string]any{
		u.what(): u.Scale, u.what() + "s": u.Scales, "width": u.W, "height": u.H,
		"iter": u.Iter, "iters": u.Iters, "loss": loss, "its": finite(u.ItsPerSecond),
	}
	if u.ETA >= 0 {
		facts["eta_s"] = u.ETA.Seconds()
	}
	if u.Memory > 0 {
		facts["mem_bytes"] = u.Memory
	}
	return "progress", facts
}

func (j *jsonLines) Close() {}

// finite replaces values that JSON cannot express by null.
func finite(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}
