#!/usr/bin/env python3
"""Writes the list that the figures in plugins/stt/pocketsphinx/README.md were measured with.

Needs: apt install asterisk-core-sounds-en asterisk-core-sounds-en-wav pocketsphinx-en-us
"""
import glob
import gzip
import os
import random
import re

SOUNDS = "/usr/share/asterisk/sounds/en_US_f_Allison/"
DICTIONARY = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"
DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split()))


def transcripts():
    known = {line.split(" ", 1)[0] for line in open(DICTIONARY)}
    said = {}
    for line in gzip.open(glob.glob("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")[0], "rt", errors="replace"):
        if line.startswith(";") or ": " not in line:
            continue
        name, text = line.strip().split(": ", 1)
        if ("[" in text and not name.startswith("letters")) or "(" in text or "<" in text:
            continue
        text = re.sub(r"\[.*?\]", "", text).lower().replace("a.m.", "a m").replace("p.m.", "p m")
        text = text.replace("exclaimation", "exclamation").replace("fourtieth", "fortieth")
        words = [DIGITS.get(word, word) for word in re.sub(r"[^a-z0-9' ]+", " ", text).split()]
        if words and all(word in known for word in words) and os.path.exists(SOUNDS + name + ".wav"):
            said[name] = " ".join(words)
    return said


def main():
    random.seed(7)
    said = transcripts()

    def named(pattern):
        return [name for name in said if re.match(pattern, name)]

    days, months = named("digits/day"), named("digits/mon-")
    digits, ordinals = named(r"digits/\d+$"), named("digits/h-")
    phonetic, letters = named("phonetic"), named("letters/.$")
    short = [n for n in said if 2 <= len(said[n].split()) <= 8 and not n.startswith(("letters", "spy"))]
    long = [n for n in said if len(said[n].split()) > 8]
    single = [n for n in said if len(said[n].split()) == 1 and n not in letters]

    def task(name, inside, outside):
        grammar = sorted({said[n] for n in inside})
        print(f"G {name}\t{'|'.join(grammar)}")
        for n in inside:
            print(f"T 1\t{n}\t{said[n]}")
        for n in outside:
            if said[n] not in grammar:
                print(f"T 0\t{n}\t{said[n]}")

    def others():
        return random.sample(short, 25) + random.sample(long, 8)

    task("days", days + ["digits/today", "digits/tomorrow", "digits/yesterday"],
         digits + phonetic + others() + random.sample(single, 10))
    task("months", months, days + digits[:14] + phonetic + others())
    task("digits", digits, days + months + phonetic + others())
    task("ordinals", ordinals, days + months + phonetic + others())
    task("phonetic", phonetic, days + months + digits + others())
    random.shuffle(short)
    for i in range(6):
        inside = short[i * 20:(i + 1) * 20]
        texts = {said[n] for n in inside}
        task(f"phrases{i}", inside, random.sample([n for n in short if said[n] not in texts], 30) +
             random.sample(single, 15) + random.sample(long, 5))


main()
