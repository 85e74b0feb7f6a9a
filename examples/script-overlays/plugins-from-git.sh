#!/bin/bash
# Name: Plugins from git
# Description: Takes a git repository of plugins and settings at one commit. Needs git on the machine.
#
# Keep your own plugins and cfg files in a repository that looks like the game's folder (left4dead2/addons/…,
# left4dead2/cfg/…), push, write the new commit here, build.
set -euo pipefail

# By https, and readable without a password: what is written here can be read by everybody who sees the overlay.
repository=
# A commit, not a branch: a build twice makes the same.
commit=

if [ -z "$repository" ] || [ -z "$commit" ]; then
  echo "Write the repository's address and a commit into the script first (repository=…, commit=…)." >&2
  exit 1
fi

command -v git >/dev/null || { echo "git is not installed on this machine: apt-get install git" >&2 && exit 1; }

# The cache keeps the history: a later build fetches only what is new.
clone=$LEFT4ME_CACHE/repository.git
[ -e "$clone" ] || git init --quiet --bare "$clone"
git -C "$clone" cat-file -e "$commit^{commit}" 2>/dev/null ||
  git -C "$clone" fetch --quiet --no-tags "$repository" '+refs/heads/*:refs/heads/*'
git -C "$clone" log -1 --format='%h of %cs: %s' "$commit"

# Only the game's folder, without the repository's own files.
git -C "$clone" archive "$commit" left4dead2 | tar --extract --directory "$LEFT4ME_OVERLAY"
