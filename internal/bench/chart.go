package bench

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

const (
	chartWidth = 760
	chartLabel = 210 // pixels left of the bars
	chartRow   = 22
	chartHead  = 56
)

// Chart draws the medians as bars of throughput, with the measured peak as a line.
// It writes a complete SVG file.
func (r *Report) Chart(w io.Writer) error {
	var rows []Result
	most := r.Machine.Peak
	for _, x := range r.Results {
		if x.Flops > 0 {
			rows = append(rows, x)
			most = max(most, x.Flops)
		}
	}
	h := chartHead + chartRow*len(rows) + 24
	scale := float64(chartWidth-chartLabel-70) / most
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="speed of each work">`+"\n", chartWidth, h)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><text x="12" y="22" font-size="15">%s</text>`+"\n", chartWidth, h,
		escape(fmt.Sprintf("GFLOP/s of the direct form, %d threads, %s", r.Machine.Threads, r.Machine.Kernels)))
	fmt.Fprintf(&b, `<text x="12" y="40" fill="#666">%s</text>`+"\n", escape(r.Machine.Processor))
	for i, x := range rows {
		y := chartHead + i*chartRow
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, chartLabel-8, y+14, escape(fmt.Sprintf("%s %d px", x.label(), x.Side)))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="#3b6ea5"/>`, chartLabel, y+2, x.Flops*scale, chartRow-6)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#444">%.0f</text>`+"\n", chartLabel+x.Flops*scale+5, y+14, x.Flops/1e9)
	}
	x := chartLabel + r.Machine.Peak*scale
	fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#a33" stroke-dasharray="4 3"/>`, x, chartHead-4, x, h-20)
	fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#a33">peak %.0f</text>`+"\n</svg>\n", x, h-7, r.Machine.Peak/1e9)
	_, err := io.WriteString(w, b.String())
	return err
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // writing to a strings.Builder does not fail
	return b.String()
}
