#!/bin/sh
# with-output.sh <command> [argument…]
# Becomes the command, whose lines go to the worker through the two pipes beside this file: complete, and no faster than it takes them.
exec >"${0%/*}/out" 2>"${0%/*}/err" </dev/null
exec "$@"
