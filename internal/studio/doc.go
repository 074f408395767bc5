// Package studio serves the page in which a person paints maps of regions,
// paints pictures after paintings and looks at the results.
//
// The server holds no state that a restart would lose: pictures and maps are
// files of one folder, jobs are in a durable queue (internal/farm), strokes are
// in the browser's own store. What only the program knows (settings, plans, how
// a job is done) comes through Engine, so that this package knows no command
// line parser.
//
// Everything under web/ is sent as it is: ES modules without a bundler.
package studio
