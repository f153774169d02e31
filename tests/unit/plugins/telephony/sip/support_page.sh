#!/bin/sh
# Makes docs/reference/sip-support.md of support.tsv, and fails when the table names a test that none of the
# test programs has, so that nothing stands there that nobody has tried.
#
#   support_page.sh write|check PAGE TABLE TEST_PROGRAM...
#
# The table is tab separated: RFC, section, feature, supported (yes, partly, no), tests (comma separated
# Suite.Name; "-" is possible where the feature isn't supported, and a test there shows how it is refused).
set -eu

mode=$1 page=$2 table=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in "$@"; do
    [ -x "$program" ] || { echo "$program isn't built" >&2; exit 1; }
    "$program" --gtest_list_tests
done | awk '/^[^ ]/ { suite = $1; next } /^  / { print suite $1 }' | sort -u >"$work/tests"

awk -F '\t' -v tests="$work/tests" '
    BEGIN {
        while ((getline name <tests) > 0) known[name] = 1
        print "# What the SIP plugin does"
        print ""
        print "Generated from `tests/unit/plugins/telephony/sip/support.tsv` by `support_page.sh` beside it; a test fails when this page and"
        print "the table differ, or when a test that is named here does not exist. \"partly\" says what is missing in its own line."
        print ""
        print "| RFC | Section | Feature | Supported | Tests |"
        print "|---|---|---|---|---|"
    }
    function bad(why) { print FILENAME ":" FNR ": " why >"/dev/stderr"; failed = 1 }
    FNR == 1 {
        if ($0 != "RFC\tSection\tFeature\tSupported\tTests") bad("the header line is another one")
        next
    }
    /^$/ { next }
    NF != 5 { bad("five fields are wanted, there are " NF); next }
    $4 != "yes" && $4 != "partly" && $4 != "no" { bad("supported is yes, partly or no, not \"" $4 "\"") }
    $5 == "-" && $4 != "no" { bad("what is supported names the test that shows it") }
    {
        shown = "–"
        if ($5 != "-") {
            shown = ""
            n = split($5, names, /, */)
            for (i = 1; i <= n; ++i) {
                if (!(names[i] in known)) bad("no test program has a test " names[i])
                shown = shown (i > 1 ? ", " : "") "`" names[i] "`"
            }
        }
        feature = $3
        gsub(/\|/, "\\|", feature)
        print "| " $1 " | " $2 " | " feature " | " $4 " | " shown " |"
    }
    END { exit failed }
' "$table" >"$work/page"

case $mode in
write) cp "$work/page" "$page" ;;
check)
    if ! diff -u "$page" "$work/page"; then
        echo "$page is not what the table says: build the target sip_support_page" >&2
        exit 1
    fi
    ;;
*) echo "write or check" >&2; exit 2 ;;
esac
