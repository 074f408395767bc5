package progress

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

// jsonLines writes one object per line. Every object has "type" (start,
// progress, checkpoint, preview, warning, result) and "time" (RFC 3339).
type jsonLines struct {
	w   io.Writer
	now func() time.Time
}

func (j *jsonLines) write(kind string, facts map[string]any, more map[string]any) {
	object := map[string]any{}
	for k, v := range facts {
		object[k] = v
	}
	for k, v := range more {
		object[k] = v
	}
	object["type"] = kind
	object["time"] = j.now().UTC().Format(time.RFC3339Nano)
	b, err := json.Marshal(object)
	if err != nil {
		b, _ = json.Marshal(map[string]any{"type": "warning", "message": err.Error()})
	}
	j.w.Write(append(b, '\n'))
}

func (j *jsonLines) Start(header string, facts map[string]any) {
	j.write("start", facts, map[string]any{"message": header})
}

func (j *jsonLines) Update(u Update) {
	loss := map[string]any{"total": finite(u.Loss)}
	for _, t := range u.Terms {
		loss[t.Name] = finite(t.Value)
	}
	object := map[string]any{
		u.what(): u.Scale, u.what() + "s": u.Scales, "width": u.W, "height": u.H,
		"iter": u.Iter, "iters": u.Iters, "loss": loss, "its": finite(u.ItsPerSecond),
	}
	if u.ETA >= 0 {
		object["eta_s"] = u.ETA.Seconds()
	}
	if u.Memory > 0 {
		object["mem_bytes"] = u.Memory
	}
	j.write("progress", object, nil)
}

func (j *jsonLines) Event(kind, message string, facts map[string]any) {
	j.write(kind, facts, map[string]any{"message": message})
}

func (j *jsonLines) Result(message string, facts map[string]any) {
	j.write("result", facts, map[string]any{"message": message})
}

func (j *jsonLines) Close() {}

// finite turns what JSON cannot say into null.
func finite(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}
