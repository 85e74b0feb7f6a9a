#!/bin/sh
# with-lock.sh <lock file> <command> [argument…]
# Becomes the command while holding an exclusive flock: the kernel lets go of it when the last process that has the
# descriptor ends, however it ends. Ends with 75 when somebody else holds the lock. Node has no flock(2).
# --no-fork: /proc/locks names the process that locked, and inside a process namespace (a container) it leaves out locks
# whose process is gone, as flock(1)'s own would be.
set -eu
lock=$1
shift
exec flock --nonblock --no-fork --conflict-exit-code 75 "$lock" "$@"
