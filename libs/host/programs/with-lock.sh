#!/bin/sh
# with-lock.sh <lock file> <command> [argument…]
# Becomes the command while holding an exclusive flock on file descriptor 9: the kernel lets go of it when the last
# process that has the descriptor ends, however it ends. Ends with 75 when somebody else holds the lock.
# Node has no flock(2); util-linux's flock(1) works on a descriptor that the shell opened.
set -eu
exec 9>>"$1"
shift
flock --nonblock 9 || exit 75
exec "$@"
