// Package batch follows the jobs of a batch through the queue: Submit puts them
// there, a Follower reports their progress, Collect writes their results. It
// also prints jobs for people and for programs. What a job does is the business
// of package job, how the queue keeps it that of package farm.
package batch
