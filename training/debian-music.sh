#!/usr/bin/env bash
# More music to distil from: the songs inside Debian's packages of free games, a folder a package.
# Usage: training/debian-music.sh FOLDER     (Debian or Ubuntu; downloads about 3 GB, installs nothing)
set -euo pipefail
mkdir -p "$1"
target=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
packages="
fretsonfire-songs-muldjord fretsonfire-songs-sectoid redeclipse-data freedroidrpg-data 
drascula-music ardentryst widelands-data warmux-data supertuxkart-data flare-game hyperrogue-music 
supertux-data btanks-data naev-data lugaru-data megaglest-data plee-the-bear-data unknown-horizons 
caveexpress-data wesnoth-1.16-music warzone2100-music starfighter-data berusky2-data 
frozen-bubble-data colobot-common-sounds pushover-data singularity-music zaz-data hex-a-hop-data 
marsshooter-data extremetuxracer-data neverball-common fillets-ng-data asc-music 0ad-data 
performous planetblupi-music-ogg amoebax-data xmoto-data hedgewars-data triplea cube2-data 
trackballs-data enigma-data noiz2sa-data gigalomania-data lordsawar-data dustracing2d-data 
castle-game-engine-doc glob2-data freedink-data mu-cade-data funnyboat knights tumiki-fighters-data 
torus-trooper-data parsec47-data gunroar-data titanion-data rrootage-data wizznic-data 
davegnukem-data mazeofgalious-data adonthell-data 
"
cd "$scratch"
for package in $packages; do
  [ -d "$target/$package" ] && continue
  apt-get download -qq "$package" || { echo "not to be had: $package" >&2; continue; }
  dpkg-deb -x "$package"_*.deb "$package"
  mkdir -p "$target/$package.partial"
  # What is smaller is an effect or a voice, not a song.
  number=0
  while IFS= read -r -d '' song; do
    number=$((number + 1))
    cp "$song" "$target/$package.partial/$(printf %04d "$number")-$(basename "$song")"
  done < <(find "$package" -type f -size +120k -regextype egrep \
    -iregex '.*\.(ogg|oga|mp3|opus|flac|m4a)' -print0 | LC_ALL=C sort -z)
  mv "$target/$package.partial" "$target/$package"
  rm -rf "$package" "$package"_*.deb
  echo "$package: $(find "$target/$package" -type f | wc -l)"
done
