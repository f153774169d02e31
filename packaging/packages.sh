#!/usr/bin/env bash
# Installs the Debian packages that a job needs, only those that are missing, so that a second run is quick.
#
#   packaging/packages.sh build      what compiles the host and its plugins
#   packaging/packages.sh demo       build + what the demonstration call needs
#   packaging/packages.sh test       demo + what the tests, coverage and sanitizer runs need
set -euo pipefail

build=(
    build-essential cmake ninja-build ccache pkg-config git ca-certificates
    libboost1.81-dev libboost-filesystem1.81-dev libboost-system1.81-dev
    libtomlplusplus-dev libcli11-dev rapidjson-dev libfmt-dev prometheus-cpp-dev libarchive-dev zlib1g-dev libcurl4-openssl-dev libre2-dev
    libssl-dev libsqlite3-dev libhnswlib-dev libhowardhinnant-date-dev
    libspeexdsp-dev libwebrtc-audio-processing-dev
    libre-dev librem-dev libsrtp2-dev libspandsp-dev
    libpocketsphinx-dev libsphinxbase-dev pocketsphinx-en-us
    flite1-dev espeak-ng
)
demo=(baresip-core asterisk-core-sounds-en-wav sox)
test=(
    libgtest-dev libgmock-dev libbenchmark-dev sqlite3 binutils
    sip-tester gcovr clang-14 libclang-rt-14-dev rustc abigail-tools
)

case "${1:-}" in
    build) wanted=("${build[@]}") ;;
    demo) wanted=("${build[@]}" "${demo[@]}") ;;
    test) wanted=("${build[@]}" "${demo[@]}" "${test[@]}") ;;
    *)
        echo "usage: $0 build|demo|test" >&2
        exit 2
        ;;
esac

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "packages: all ${#wanted[@]} are installed"
    exit 0
fi

echo "packages: installing ${#missing[@]}: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "packages: not root and no sudo; as root run: apt-get install ${missing[*]}" >&2
        exit 1
    }
    run=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
"${run[@]}" apt-get install -y --no-install-recommends -qq "${missing[@]}" >/dev/null
echo "packages: installed"
