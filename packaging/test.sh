#!/usr/bin/env bash
# Installs what the tests need, builds everything in Debug with warnings as errors, and runs ctest. Quick the second time.
#
#   packaging/test.sh            all tests
#   packaging/test.sh -L unit    arguments go to ctest: only unit tests, a name with -R, ...
set -euo pipefail
case "${1:-}" in
    --help | -h) sed -n '2,5s/^# \{0,1\}//p' "$0" && exit 0 ;;
esac
cd "$(dirname "$0")/.."
preset=${JACKFIELD_PRESET:-dev}

printf '\n== packages\n'
packaging/packages.sh test
printf '\n== build (%s)\n' "$preset"
mkdir -p build
cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 || {
    cat "build/$preset-configure.log" >&2
    exit 1
}
cmake --build --preset "$preset"
printf '\n== tests\n'
ctest --test-dir "build/$preset" --output-on-failure --timeout 300 "$@"
