#!/usr/bin/env bash
# The demonstration's caller: baresip calls the clinic and books an appointment with a person's recorded words.
#
#   packaging/demo_call.sh SIP_URI SPEECH_DIR OUT_DIR
#
# SPEECH_DIR is what demo_speech.sh makes. Leaves OUT_DIR/caller.wav, OUT_DIR/agent.wav and OUT_DIR/baresip.log. Exit status 0: the call
# was answered and both sides were recorded.
set -euo pipefail
if [ $# -ne 3 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
uri=$1 speech=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"

# What the caller says, after so many seconds of listening. A file can't wait for the other side, so each pause is as long as the
# reply that it leaves room for and a second more.
script='
4.2  opening-hours
11.2 book-appointment
3.2  monday
4.0  nine-a-m
5.8  number-2127348
9.2  no-tuesday
8.2  yes-that-is-right
10.8 goodbye
4.0  -
'
parts=()
while read -r pause slug; do
    [ -n "$pause" ] || continue
    sox -n -r 8000 -c 1 -b 16 "$out/pause-$pause.wav" trim 0 "$pause"
    parts+=("$out/pause-$pause.wav")
    [ "$slug" = - ] && continue
    [ -f "$speech/$slug.wav" ] || {
        echo "demo_call: $speech/$slug.wav is missing; run packaging/demo_speech.sh $speech" >&2
        exit 2
    }
    parts+=("$speech/$slug.wav")
done <<<"$script"
sox "${parts[@]}" -r 8000 -c 1 -b 16 "$out/script.wav"
rm -f "$out"/pause-*.wav

"$here/baresip_call.sh" --uri "$uri" --play "$out/script.wav" --out "$out" --seconds 120 --linger 6
