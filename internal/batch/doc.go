// Package batch follows the jobs of a batch through the queue. Submit queues them,
// a Follower reports their progress, and Collect writes their results. The package
// also prints jobs for people and for programs. Package job runs a job, and package
// farm stores it.
package batch
