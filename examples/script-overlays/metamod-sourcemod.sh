#!/bin/bash
# Name: MetaMod and SourceMod
# Description: The plugin loader and the plugin platform that most servers use, in the versions that are named here.
#
# Pinned by checksum: a build installs what was looked at when the checksum was written down, or nothing.
# To change a version: look up the file's name among its releases, write it here and empty the checksum. The next build
# downloads it, prints its checksum and stops. Compare that with what others have, write it here, build again.
set -euo pipefail
# Else a failure inside $(…) would not end what follows it there.
shopt -s inherit_errexit

releases=https://github.com/alliedmodders
metamod=$releases/metamod-source/releases/download/1.12.0.1227/mmsource-1.12.0-git1227-linux.tar.gz
metamod_sha256=d70aa8e6b8c88a2a6ff770aadc8e070e8a331ae4fb91a019f3dc19d352c04f5e
sourcemod=$releases/sourcemod/releases/download/1.12.0.7253/sourcemod-1.12.0-git7253-linux.tar.gz
sourcemod_sha256=6bbcab989cda0ada83600d0dcb0f46affd16529b2b02ed2dba1b5baeaf02fdb4

command -v curl >/dev/null || { echo "curl is not installed on this machine: apt-get install curl" >&2 && exit 1; }

# fetch <address> <checksum>: prints where the file is. What was downloaded once stays in the cache.
fetch() {
  local file=$LEFT4ME_CACHE/${1##*/} found
  if [ ! -e "$file" ]; then
    echo "Downloading $1" >&2
    curl --fail --silent --show-error --location --retry 3 --output "$file.part" "$1"
    mv "$file.part" "$file"
  fi
  found=$(sha256sum "$file" | cut -d ' ' -f 1)
  if [ "$found" != "$2" ]; then
    echo "${1##*/} has the checksum $found, and this script names ${2:-none}" >&2
    # Cut off or changed: the next build downloads it again.
    rm "$file"
    return 1
  fi
  echo "$file"
}

# Both are made for the game's folder: they bring addons/ and cfg/.
mkdir "$LEFT4ME_OVERLAY/left4dead2"
metamod_file=$(fetch "$metamod" "$metamod_sha256")
sourcemod_file=$(fetch "$sourcemod" "$sourcemod_sha256")
for file in "$metamod_file" "$sourcemod_file"; do
  tar --extract --gzip --no-same-permissions --file "$file" --directory "$LEFT4ME_OVERLAY/left4dead2"
done

# Without this file the game does not load MetaMod.
cat >"$LEFT4ME_OVERLAY/left4dead2/addons/metamod.vdf" <<'VDF'
"Plugin"
{
	"file" "../left4dead2/addons/metamod/bin/server"
}
VDF
