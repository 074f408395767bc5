// Package studio serves the page in which a person paints maps of regions, paints
// pictures after paintings and looks at the results.
//
// The server holds no state that a restart would lose. Pictures and maps are files
// of one folder, jobs are in a durable queue (internal/farm), and strokes are in
// the browser's own store. Settings, plans and the way to do a job come through
// Engine, so that this package does not depend on the command line parser.
//
// Everything under web/ is sent as it is: ES modules without a bundler.
package studio
