#!/bin/sh
# small-disk.sh <folder> <node> <installer> <steamcmd> <script of the test>
# Runs the script in a mount namespace where the folder is a disk of 8 MB. It has $root and these functions:
# install; free: how many KB are free; fill <n>: leaves so many KB free.
set -eu
disk=$1 node=$2 installer=$3 steamcmd=$4 script=$5
mount -n -t tmpfs -o "size=8m" tmpfs "$disk"
root=$disk/state
mkdir "$root"
install() { "$node" "$installer" "$root" "$steamcmd" || true; }
free() { df --output=avail -k "$disk" | tail -n 1; }
fill() { head -c "$((($(free) - $1) * 1024))" /dev/zero >"$disk/filler"; }
eval "$script"
