#!/bin/sh
# server-init.sh <program> [argument…]
# The first process of a server's own pid namespace. The kernel keeps signals from a first process that has no handler
# for them, so a server in this place would survive SIGTERM and even its own abort(); this one passes SIGTERM on, waits,
# collects orphans and ends with the server's code (128 + signal). When it ends, the kernel ends whatever is left.
told=
server=
trap 'told=yes; kill -TERM "$server" 2>/dev/null' TERM
"$@" &
server=$!
# It may have come before there was a number to pass it on to.
[ -z "$told" ] || kill -TERM "$server" 2>/dev/null
while :; do
  wait "$server"
  code=$?
  # A signal for us ends wait early: the server is still there (or a zombie, whose code the next wait tells).
  kill -0 "$server" 2>/dev/null || break
done
# One that ended at once after such a signal is collected by whatever the shell did next, and its code is not asked for yet.
if [ -n "$told" ]; then
  wait "$server"
  again=$?
  [ "$again" = 127 ] || code=$again # 127: the shell has told it already
fi
exit "$code"
