#!/bin/bash
# Workers on machines that are reached by ssh, until the queue is empty:
#   ssh-workers.sh nats://queue.example:4222 farm.token one two three
# Each machine must have impasto in its PATH. Ctrl-C stops all workers; they give their
# jobs back.
set -euo pipefail
queue=$1 token=$2
shift 2
workers=()
trap 'kill "${workers[@]}" 2>/dev/null; wait' INT TERM
for host in "$@"; do
	scp -q -p "$token" "$host:impasto-farm.token"
	ssh -tt "$host" impasto worker --queue "$queue" --token-file impasto-farm.token --until-empty </dev/null &
	workers+=($!)
done
wait
