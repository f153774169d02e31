#!/usr/bin/env bash
# Makes one call with baresip, a SIP phone that shares nothing with ours, without a sound card:
#
#   packaging/baresip_call.sh --uri sip:reception@127.0.0.1:5060 --play caller.wav --out DIR [--seconds 90] [--tcp] [--linger 8] \
#       [--tls own.pem] [--ca ca.pem] [--srtp] [--codecs PCMU/8000/1,PCMA/8000/1] [--ptime 20]
#
# --tls calls over TLS and shows the certificate and key of own.pem; --ca is whose word it takes for the other side's. --srtp makes it
# offer SRTP only, with its keys in the description (SDES). --codecs and --ptime are baresip's own notation.
#
# caller.wav is the caller's whole side at 8 kHz mono, pauses included; --linger adds silence, because baresip hangs up where the
# file ends. Leaves DIR/caller.wav (sent), DIR/agent.wav (heard), DIR/baresip.log. Exit status: 0 the call was answered and both
# recordings exist, 1 it was not, 2 it could not be tried.
set -euo pipefail

usage() {
    sed -n '2,12s/^# \{0,1\}//p' "$0"
}
uri='' play='' out='' seconds=90 transport=udp linger=8 own= ca= encryption= codecs=PCMU/8000/1,PCMA/8000/1 ptime=20
while [ $# -gt 0 ]; do
    case "$1" in
        --uri) uri=$2 && shift ;;
        --play) play=$2 && shift ;;
        --out) out=$2 && shift ;;
        --seconds) seconds=$2 && shift ;;
        --linger) linger=$2 && shift ;;
        --tcp) transport=tcp ;;
        --tls) transport=tls own=$(realpath "$2") && shift ;;
        --ca) ca=$(realpath "$2") && shift ;;
        --srtp) encryption=';mediaenc=srtp-mand' ;;
        --codecs) codecs=$2 && shift ;;
        --ptime) ptime=$2 && shift ;;
        --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
if [ -z "$uri" ] || [ -z "$play" ] || [ -z "$out" ]; then
    usage >&2
    exit 2
fi
command -v baresip >/dev/null || { echo "baresip_call: baresip is missing; install it: apt-get install baresip-core" >&2; exit 2; }
command -v sox >/dev/null || { echo "baresip_call: sox is missing; install it: apt-get install sox" >&2; exit 2; }
[ -f "$play" ] || { echo "baresip_call: $play is missing" >&2; exit 2; }
modules=
for folder in /usr/lib/baresip/modules /usr/lib/*/baresip/modules; do
    [ -f "$folder/sndfile.so" ] && modules=$folder && break
done
[ -n "$modules" ] || { echo "baresip_call: baresip's modules are missing; install them: apt-get install baresip-core" >&2; exit 2; }

mkdir -p "$out"
out=$(cd "$out" && pwd)
config=$(mktemp -d)
trap 'rm -rf "$config"' EXIT
mkdir "$config/dump"
rate=8000
case "$codecs" in G722/*) rate=16000 ;; esac
sox "$play" -r $rate -c 1 -b 16 "$config/source.wav" pad 0 "$linger"

# `aufile` as a player would need a sound device's clock; the far end's audio is taken from the dump, and played to nowhere.
cat >"$config/config" <<END
sip_listen 127.0.0.1:0
audio_path $config
audio_source aufile,$config/source.wav
audio_player aufile,$config/played.wav
audio_alert aufile,$config/alert.wav
audio_level no
statmode_default off
ausrc_srate $rate
auplay_srate $rate
ausrc_channels 1
auplay_channels 1
rtp_ports 20000-60000
rtp_timeout 30
net_interface 127.0.0.1
module_path $modules
module g711.so
module aufile.so
module sndfile.so
module g722.so
module srtp.so
module_app account.so
module_app menu.so
module_app contact.so
snd_path $config/dump
END
[ -z "$own" ] || echo "sip_certificate $own" >>"$config/config"
[ -z "$ca" ] || printf 'sip_cafile %s\nsip_verify_server yes\n' "$ca" >>"$config/config"
echo "<sip:caller@127.0.0.1;transport=$transport>;regint=0;audio_codecs=$codecs;ptime=$ptime$encryption" >"$config/accounts"
: >"$config/contacts"

# Standard input stays open and silent: at its end baresip would leave.
pipe=$config/stdin
mkfifo "$pipe"
sleep $((seconds + 5)) >"$pipe" &
holder=$!
: >"$out/baresip.log"
(cd "$config" && exec baresip -f "$config" -4 -t "$seconds" -e "/dial $uri") <"$pipe" >"$out/baresip.log" 2>&1 &
phone=$!
trap 'kill $phone $holder 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$config"' EXIT

# baresip stays after its call: the end of the call is a line in its log.
deadline=$((SECONDS + seconds + 1))
while kill -0 $phone 2>/dev/null && [ $SECONDS -lt $deadline ]; do
    if grep -qaE 'session closed|Call with .* terminated|call closed' "$out/baresip.log"; then
        sleep 0.3
        break
    fi
    sleep 0.1
done
kill $phone 2>/dev/null || true
# An INVITE that nobody answers would keep it for another 32 seconds.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 $phone 2>/dev/null || break
    sleep 0.2
done
kill -KILL $phone 2>/dev/null || true
wait $phone 2>/dev/null || true

caller=$(ls "$config"/dump/dump-*-enc.wav 2>/dev/null | head -1 || true)
agent=$(ls "$config"/dump/dump-*-dec.wav 2>/dev/null | head -1 || true)
if ! grep -qaE 'Call established|call: established' "$out/baresip.log" || [ -z "$caller" ] || [ -z "$agent" ]; then
    echo "baresip_call: the call was not answered; see $out/baresip.log" >&2
    exit 1
fi
cp "$caller" "$out/caller.wav"
cp "$agent" "$out/agent.wav"
echo "baresip_call: sent $(soxi -D "$out/caller.wav" 2>/dev/null || echo '?') s, heard $(soxi -D "$out/agent.wav" 2>/dev/null || echo '?') s; recordings in $out"
