// Package batch follows the jobs of a batch through the queue: Submit puts them
// there, a Follower reports their progress, Collect writes their results. It
// also prints jobs for people and for programs. Package job runs a job, and package
// farm keeps it.
package batch
