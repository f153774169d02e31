#!/usr/bin/env bash
# One command to a phone call: installs what is missing, builds the host, starts it with a clinic's reception, and lets a real SIP phone
# (baresip) call it with a person's recorded voice. The conversation is printed while it happens; then the host stays up, so that
# any softphone can call the address that is printed.
#
#   packaging/demo.sh            everything, host left running until Ctrl-C
#   packaging/demo.sh --exit     ends after the call, for scripts: exit status 0 when the call went as it should
set -euo pipefail

keep=yes
case "${1:-}" in
    '') ;;
    --exit) keep=no ;;
    --help | -h) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

step "packages"
packaging/packages.sh demo

step "build (the first time takes some minutes)"
mkdir -p build
[ -f build/demo/build.ninja ] || cmake --preset demo >build/demo-configure.log 2>&1 || {
    cat build/demo-configure.log >&2
    exit 1
}
cmake --build --preset demo
jackfield=$PWD/build/demo/bin/jackfield

step "configuration"
run=$PWD/var/demo
mkdir -p "$run"
# A port that nobody uses, so that the demonstration runs beside whatever runs here already; 5060 where it is free.
free_port() {
    for port in 5060 5062 5064 5066 5068 5070 5072 5074 5076 5078 5080; do
        if ! grep -qi ":$(printf '%04X' "$port") " /proc/net/udp /proc/net/tcp; then
            echo "$port"
            return
        fi
    done
    echo 0
}
port=${JACKFIELD_DEMO_PORT:-$(free_port)}
address=${JACKFIELD_DEMO_ADDRESS:-127.0.0.1}
export JACKFIELD_PLUGINS=$PWD/build/demo/plugins
export JACKFIELD_CONFIGS=$PWD/configs
export JACKFIELD_STATE=$run
export JACKFIELD_DATABASE_URL=sqlite:$run/jackfield.db
export JACKFIELD_SIP_UDP=udp:$address:$port
export JACKFIELD_SIP_TCP=tcp:$address:$port
export JACKFIELD_CONFIG=$PWD/configs/jackfield.toml
"$jackfield" check

step "the caller's words"
packaging/demo_speech.sh "$run/speech"

step "host"
"$jackfield" serve >"$run/host.log" 2>&1 &
host=$!
follower=
stop() {
    [ -z "$follower" ] || kill "$follower" 2>/dev/null || true
    kill "$host" 2>/dev/null || true
    wait "$host" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
until "$jackfield" status >/dev/null 2>&1; do
    kill -0 "$host" 2>/dev/null || {
        echo "the host ended at once; its log:" >&2
        cat "$run/host.log" >&2
        exit 1
    }
    read -r -t 0.2 <> <(:) || true
done
"$jackfield" status
sip_address=sip:reception@$address:$port

step "call: baresip dials $sip_address"
"$jackfield" calls follow &
follower=$!
set +e
packaging/demo_call.sh "$sip_address" "$run/speech" "$run/call"
called=$?
set -e
# The call's record is complete when the store says so, a moment after the phone hung up.
for _ in $(seq 50); do
    state=$("$jackfield" --json calls show last | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p')
    [ "$state" = ended ] && break
    read -r -t 0.1 <> <(:) || true
done
kill "$follower" 2>/dev/null || true
follower=

step "the call as it is stored (jackfield calls show last)"
"$jackfield" calls show last
echo
# What the call was for; a person would look for the same.
if [ "$called" -eq 0 ] && ! "$jackfield" --json calls show last | grep -q 'Your appointment is on Tuesday at nine in the morning'; then
    echo "the appointment was not made" >&2
    called=1
fi
if [ "$called" -ne 0 ]; then
    echo "the call did not go as it should; baresip's log: $run/call/baresip.log, the host's: $run/host.log" >&2
    exit 1
fi
[ "$keep" = yes ] || exit 0

step "the host stays up"
echo "Call it with any softphone on this machine: $sip_address"
echo "Watch: jackfield calls follow   Stored calls: jackfield calls list   (with JACKFIELD_CONFIG and the other variables as here)"
echo "Ctrl-C ends it."
wait "$host"
