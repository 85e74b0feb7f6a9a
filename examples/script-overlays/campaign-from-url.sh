#!/bin/bash
# Name: A campaign from an address
# Description: Downloads a campaign (a .vpk, or a .zip with one in it) from a web address that you write into it.
#
# For campaigns that are not in the Steam Workshop; for those that are, make an overlay of items of the workshop instead.
# Every build asks whether the file has changed, and downloads it only then.
set -euo pipefail

# Write the address here. Public web addresses only: a build does not reach your own network.
campaign=

if [ -z "$campaign" ]; then
  echo "Write the address of a .vpk or .zip into the script first (campaign=…)." >&2
  exit 1
fi

command -v curl >/dev/null || { echo "curl is not installed on this machine: apt-get install curl" >&2 && exit 1; }

name=${campaign%%[?#]*}
name=${name##*/}
file=$LEFT4ME_CACHE/$name
# --time-cond: no body when it is not newer than what is there; the old file stays then.
# What a download that was cut has left would be taken for the new file otherwise.
rm -f "$file.part"
curl --fail --silent --show-error --location --retry 3 --remote-time --time-cond "$file" --output "$file.part" "$campaign"
if [ -s "$file.part" ]; then mv "$file.part" "$file"; fi

addons=$LEFT4ME_OVERLAY/left4dead2/addons
mkdir -p "$addons"
case $name in
*.vpk) cp "$file" "$addons/" ;;
*.zip)
  command -v unzip >/dev/null || { echo "unzip is not installed on this machine: apt-get install unzip" >&2 && exit 1; }
  # -j: without the archive's own folders.
  unzip -q -j "$file" '*.vpk' -d "$addons"
  ;;
*) echo "$name is neither a .vpk nor a .zip" >&2 && exit 1 ;;
esac

# A broken file would end the server again and again: every VPK begins with the same four bytes.
for vpk in "$addons"/*.vpk; do
  [ "$(head -c 4 "$vpk" | od -An -tx1 | tr -d ' ')" = 3412aa55 ] || { echo "${vpk##*/} is not a VPK" >&2 && exit 1; }
  echo "${vpk##*/}: $(stat --format=%s "$vpk") bytes"
done
