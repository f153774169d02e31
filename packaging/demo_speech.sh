#!/usr/bin/env bash
# Makes a caller's words as telephone audio: packaging/demo_speech.sh OUTDIR
#
# Words that Debian's Asterisk prompts have are a person's; they are joined into what a caller says. What those lack is spoken
# by espeak-ng, which is not the voice that the host answers with. Leaves 8 kHz mono files OUTDIR/<slug>.wav and
# OUTDIR/manifest.json with [{"slug", "text", "source": "human"|"synthetic", "seconds"}].
# A second run with nothing to do takes no time.
set -euo pipefail

if [ $# -ne 1 ] || [ "${1#-}" != "$1" ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    [ "${1:-}" = --help ] && exit 0
    exit 2
fi
out=$1

need() {
    echo "demo_speech: $1 is missing; install it: apt-get install $2" >&2
    exit 1
}
command -v sox >/dev/null && command -v soxi >/dev/null || need sox sox
command -v espeak-ng >/dev/null || need espeak-ng espeak-ng
prompts=
for folder in /usr/share/asterisk/sounds/en_US_f_Allison /usr/share/asterisk/sounds/en; do
    [ -f "$folder/digits/day-1.wav" ] && prompts=$folder && break
done
[ -n "$prompts" ] || need "the set of spoken prompts" asterisk-core-sounds-en-wav

# slug | text | prompts, joined; empty: spoken by espeak-ng
table='
hello                | hello                                    | hello
goodbye              | goodbye                                  | vm-goodbye
no                   | no                                       | vm-no
today                | today                                    | digits/today
tomorrow             | tomorrow                                 | digits/tomorrow
sunday               | sunday                                   | digits/day-0
monday               | monday                                   | digits/day-1
tuesday              | tuesday                                  | digits/day-2
wednesday            | wednesday                                | digits/day-3
thursday             | thursday                                 | digits/day-4
friday               | friday                                   | digits/day-5
saturday             | saturday                                 | digits/day-6
nine-a-m             | nine a m                                 | digits/9 digits/a-m
ten-a-m              | ten a m                                  | digits/10 digits/a-m
eleven-a-m           | eleven a m                               | digits/11 digits/a-m
two-p-m              | two p m                                  | digits/2 digits/p-m
three-p-m            | three p m                                | digits/3 digits/p-m
four-p-m             | four p m                                 | digits/4 digits/p-m
ten-oclock           | ten o'"'"'clock                          | digits/10 digits/oclock
monday-nine-a-m      | monday at nine a m                       | digits/day-1 digits/at digits/9 digits/a-m
tuesday-ten-a-m      | tuesday at ten a m                       | digits/day-2 digits/at digits/10 digits/a-m
thursday-two-p-m     | thursday at two p m                      | digits/day-4 digits/at digits/2 digits/p-m
friday-three-p-m     | friday at three p m                      | digits/day-5 digits/at digits/3 digits/p-m
number-5551234       | five five five one two three four        | digits/5 digits/5 digits/5 digits/1 digits/2 digits/3 digits/4
number-5559876       | five five five nine eight seven six      | digits/5 digits/5 digits/5 digits/9 digits/8 digits/7 digits/6
number-2127348       | two one two seven three four eight       | digits/2 digits/1 digits/2 digits/7 digits/3 digits/4 digits/8
number-2075550142    | two zero seven five five five zero one four two | digits/2 digits/0 digits/7 digits/5 digits/5 digits/5 digits/0 digits/1 digits/4 digits/2
yes                  | yes                                      |
yes-please           | yes please                               |
no-thank-you         | no thank you                             |
book-appointment     | i would like to book an appointment      |
opening-hours        | what are your opening hours              |
speak-to-person      | i would like to speak to someone         |
yes-that-is-right    | yes that is right                        |
no-tuesday           | no tuesday                               | vm-no digits/day-2
thank-you-goodbye    | thank you goodbye                        |
repeat-please        | could you repeat that please             |
unrelated            | the purple elephant sings in the garden  |
'

# The table is part of what the files depend on, and it is in this file.
stamp=$(cksum <"$0")
if [ -f "$out/manifest.json" ] && [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "demo_speech: $out is complete"
    exit 0
fi

mkdir -p "$out"
work=$(mktemp -d "$out/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A telephone's band and an even level, so that neither source stands out.
telephone=(gain -8 highpass 250 lowpass 3400 norm -6)
trim_start=(silence 1 0.01 0.4%)

human() { # slug prompt...
    local slug=$1 parts=() index=0 prompt
    shift
    for prompt in "$@"; do
        [ -f "$prompts/$prompt.wav" ] || need "the prompt $prompt" asterisk-core-sounds-en-wav
        index=$((index + 1))
        # Each word was recorded alone with silence around it: trimmed, and parted as a speaker would. Callers pause after the
        # third digit of a number, and a little between digits.
        local gap=0.06
        if [[ $slug == number-* ]]; then
            gap=0.12
            [ $index -eq 3 ] && gap=0.28
        fi
        sox "$prompts/$prompt.wav" -r 8000 -c 1 -b 16 "$work/$index.wav" "${trim_start[@]}" fade t 0.005 reverse "${trim_start[@]}" fade t 0.01 reverse pad 0 $gap
        parts+=("$work/$index.wav")
    done
    sox "${parts[@]}" -r 8000 -c 1 -b 16 "$work/$slug.wav" "${telephone[@]}" pad 0.1 0.1
}

synthetic() { # slug text
    espeak-ng -v en-us+f2 -s 140 -g 1 -w "$work/spoken.wav" "$2"
    sox "$work/spoken.wav" -r 8000 -c 1 -b 16 "$work/$1.wav" "${trim_start[@]}" reverse "${trim_start[@]}" reverse "${telephone[@]}" pad 0.1 0.1
}

entries=()
while IFS='|' read -r slug text parts; do
    slug=$(echo $slug) text=$(echo $text)
    [ -n "$slug" ] || continue
    if [ -n "$(echo $parts)" ]; then
        source=human
        human "$slug" $parts
    else
        source=synthetic
        synthetic "$slug" "$text"
    fi
    entries+=("  {\"slug\": \"$slug\", \"text\": \"$text\", \"source\": \"$source\", \"seconds\": $(soxi -D "$work/$slug.wav")}")
    mv "$work/$slug.wav" "$out/$slug.wav"
done <<<"$table"

{
    echo '['
    printf '%s,\n' "${entries[@]}" | sed '$ s/,$//'
    echo ']'
} >"$work/manifest.json"
mv "$work/manifest.json" "$out/manifest.json"
echo "$stamp" >"$out/.stamp"
echo "demo_speech: ${#entries[@]} utterances in $out"
