#!/bin/sh
# server-init.sh <program> [argument…]
# The first process of a server's own pid namespace. The kernel keeps signals from a first process that has no handler
# for them, so a server in this place would survive SIGTERM and even its own abort(); this one passes SIGTERM on, waits,
# collects orphans and ends with the server's code (128 + signal). When it ends, the kernel ends whatever is left.
# A child of the shell has the shell's handlers until it has cleared them, and would lose a SIGTERM: it says when it has,
# and gets none before. One that comes before the handlers below are there is lost.
told=
cleared=
trap 'told=yes; [ -z "$cleared" ] || kill -TERM "$!" 2>/dev/null' TERM
trap 'cleared=yes; [ -z "$told" ] || kill -TERM "$!" 2>/dev/null' USR1
{
  kill -USR1 "$$"
  exec "$@"
} &
server=$!
while :; do
  wait "$server"
  code=$?
  # A signal for us ends wait early: the server is still there (or a zombie, whose code the next wait tells).
  kill -0 "$server" 2>/dev/null || break
done
# One that ended at once after such a signal is collected by whatever the shell did next, and its code is not asked for yet.
wait "$server"
again=$?
# 127: the shell has told it already, or there is no such program; 138 is what wait ends with for SIGUSR1.
[ "$again" = 127 ] && [ "$code" != 138 ] || code=$again
exit "$code"
