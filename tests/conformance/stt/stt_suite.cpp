#include "conformance/kit/audio.hpp"
#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::SttPort;

struct Format {
    std::uint16_t codec;
    std::uint32_t rate_hz;
};

/// A stream with what a host does to it. The audio's clock is the stream's own: 20 ms packets, as fast as they are taken.
class Stream {
  public:
    Stream(Bench& bench, std::shared_ptr<Bench::Instance> instance, Format format, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), format_(format), language_(bench.target().language("stt")),
          record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.stt/1");
    }

    jf_stt_open options() const {
        jf_stt_open out = make<jf_stt_open>();
        out.format = make<jf_format>();
        out.format.codec = format_.codec;
        out.format.channels = 1;
        out.format.rate_hz = format_.rate_hz;
        out.format.ptime_ms = 20;
        out.language = str(language_);
        out.flags = JF_STT_PARTIALS;
        return out;
    }
    jf_status open(const jf_stt_open& wanted) {
        return bench_.begin(record_, *instance_, "open", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.open(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Stream& opened() {
        const jf_status status = open(options());
        if (status != JF_OK) fail(fmt::format("open answered {}: {}", status_name(status), record_.error));
        return *this;
    }

    jf_status push(std::span<const std::int16_t> samples, std::uint8_t flags = 0) {
        const std::vector<std::byte> data = encode(samples, format_.codec);
        jf_frame frame = make<jf_frame>();
        frame.codec = format_.codec;
        frame.channels = 1;
        frame.flags = flags;
        frame.rate_hz = format_.rate_hz;
        frame.samples = static_cast<std::uint32_t>(samples.size());
        frame.pts = pts;
        frame.data = {data.data(), data.size()};
        const jf_status status = bench_.call(record_, "push", [&] { return port_.push(record_.op, frame); });
        pts += samples.size();
        if (status == JF_E_AGAIN) ++dropped;
        else if (record_.done()) require_status("push to a stream that is over", status, {JF_E_INVALID, JF_E_STATE});
        else require_status("push", status, {JF_OK});
        return status;
    }
    void feed(const std::vector<std::int16_t>& audio) {
        const std::size_t packet = format_.rate_hz / 50;
        for (std::size_t at = 0; at + packet <= audio.size(); at += packet) push(std::span(audio).subspan(at, packet));
    }
    void feed_silence(unsigned ms) { feed(std::vector<std::int16_t>(format_.rate_hz / 1000 * ms)); }
    /// Tones that come and go like syllables: sound, and no words.
    void feed_babble(unsigned ms) { feed(babble(format_.rate_hz, ms)); }

    jf_status control(std::uint32_t verb, std::uint64_t value = 0, const jf_hints* hints = nullptr) {
        jf_stt_control wanted = make<jf_stt_control>();
        wanted.verb = verb;
        wanted.value = value;
        wanted.hints = hints;
        return bench_.call(record_, "control", [&] { return port_.control(record_.op, wanted); });
    }
    jf_status close() {
        return bench_.call(record_, "close", [&] { return port_.close(record_.op); });
    }
    void close_and_expect_done() {
        require_status("close", close(), {JF_OK});
        bench_.expect_done(record_, "the stream after close()");
        require_status("the stream after close()", record_.status, {JF_OK});
    }

    int answers() const { return record_.count(JF_EV_FINAL) + record_.count(JF_EV_NO_MATCH); }
    /// FINALIZE, and its one answer.
    void finalize(std::uint64_t value) {
        const auto answered = [&] {
            int n = 0;
            for (const Heard& heard : record_.events)
                n += (heard.type() == JF_EV_FINAL || heard.type() == JF_EV_NO_MATCH) && heard.event.pos == value;
            return n;
        };
        require_status("FINALIZE", control(JF_STT_FINALIZE, value), {JF_OK});
        if (!bench_.wait([&] { return answered() > 0 || record_.done(); })) fail(fmt::format("FINALIZE with value {} got no FINAL or NO_MATCH with that pos", value));
        require(!bench_.locked([&] { return record_.done(); }), "the stream completed instead of answering FINALIZE: " + record_.error);
        bench_.expect_quiet([&] { return answered() > 1; }, "FINALIZE was answered twice");
    }
    OpRecord& record() { return record_; }
    const std::shared_ptr<Bench::Instance>& instance() const { return instance_; }
    const SttPort& port() const { return port_; }

    std::uint64_t pts = 0;
    int dropped = 0;

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    SttPort port_;
    Format format_;
    std::string language_;
    OpRecord& record_;
};

std::vector<Format> formats_of(const Target& target) {
    std::vector<Format> out;
    const base::JsonView declared = target.capability("stt", "formats");
    for (std::size_t i = 0; i < declared.size(); ++i)
        if (const auto codec = codec_named(declared.at(i)["codec"].text_or("")); codec != 0 && codec != JF_CODEC_G722)
            out.push_back({codec, static_cast<std::uint32_t>(declared.at(i)["rate_hz"].integer_or(8000))});
    if (out.empty()) out.push_back({JF_CODEC_PCMU, 8000});
    return out;
}
Format first_format(const Target& target) { return formats_of(target).front(); }

/// What holds for every stream that has been fed to its end.
void look_at_order(const OpRecord& record, std::uint64_t pts) {
    std::uint64_t position = 0;
    bool text_without_speech = false, speech = false;
    for (const Heard& heard : record.events) {
        const auto* text = heard.as<jf_text>();
        switch (heard.type()) {
            case JF_EV_SPEECH_START: speech = true; [[fallthrough]];
            case JF_EV_SPEECH_END:
                require(heard.event.pos >= position, "a SPEECH event's position is before the one ahead of it");
                require(heard.event.pos <= pts, fmt::format("a SPEECH event stands at sample {}, and only {} were fed", heard.event.pos, pts));
                position = heard.event.pos;
                break;
            case JF_EV_FINAL:
                require(text != nullptr, "a FINAL without jf_text");
                require(text->text.len > 0, "a FINAL with empty text: NO_MATCH is its name");
                [[fallthrough]];
            case JF_EV_PARTIAL:
                require(text != nullptr, "a PARTIAL without jf_text");
                require(text->audio_from <= text->audio_to, "a text's audio_to is before its audio_from");
                require(text->audio_to <= pts, fmt::format("a text reaches to sample {}, and only {} were fed", text->audio_to, pts));
                if (!speech && record.count(JF_EV_SPEECH_START) > 0) text_without_speech = true;
                for (std::uint32_t i = 0; i < text->words.n; ++i) {
                    const jf_word* word = JF_AT(jf_word, text->words, i);
                    require(word->audio_from <= word->audio_to, "a word ends before it begins");
                }
                break;
            default: break;
        }
    }
    require(!text_without_speech, "text came before the SPEECH_START of its speech");
}

void opens_each_format(Bench& bench) {
    auto instance = bench.start();
    for (const Format format : formats_of(bench.target())) {
        Stream stream(bench, instance, format);
        stream.opened().feed_silence(200);
        stream.close_and_expect_done();
    }
}

void refuses_other_formats(Bench& bench) {
    auto instance = bench.start();
    const Format good = first_format(bench.target());
    const auto refused = [&](const char* what, const std::function<void(jf_stt_open&)>& spoil) {
        Stream stream(bench, instance, good);
        jf_stt_open options = stream.options();
        spoil(options);
        require_status(what, stream.open(options), {JF_E_UNSUPPORTED, JF_E_INVALID});
    };
    refused("open with an unknown codec", [](jf_stt_open& o) { o.format.codec = 999; });
    refused("open with 7 channels", [](jf_stt_open& o) { o.format.channels = 7; });
    refused("open with 1 Hz", [](jf_stt_open& o) { o.format.rate_hz = 1; });
    if (bench.target().capability("stt", "languages").at(0).text_or("*") == "*") return;  // all languages are the same to it
    refused("open in the language tlh-Latn-x-none", [](jf_stt_open& o) { o.language = str("tlh-Latn-x-none"); });
}

void finalize_is_answered(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened();
    for (const std::uint64_t value : {7u, 8u, 9u}) {
        stream.feed_babble(400);
        stream.feed_silence(100);
        stream.finalize(value);
    }
    stream.close_and_expect_done();
    look_at_order(stream.record(), stream.pts);
}

void silence_has_no_words(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened().feed_silence(1500);
    stream.finalize(1);
    stream.close_and_expect_done();
    for (const Heard& heard : stream.record().events)
        if (heard.type() == JF_EV_FINAL || heard.type() == JF_EV_TURN_END)
            fail(fmt::format("silence was recognised as '{}'", view(heard.as<jf_text>()->text)));
}

void finalize_without_audio(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened().finalize(1);
    stream.finalize(2);
    require(stream.record().count(JF_EV_FINAL) == 0, "words were found in no audio at all");
    stream.close_and_expect_done();
}

void recognises(Bench& bench) {
    const base::JsonView phrases = bench.target().verify("phrases");
    if (phrases.size() == 0) not_applicable("\"verify.phrases\" of its plugin.json names no recording (docs/plugins/verify.md)");
    auto instance = bench.start();
    for (std::size_t i = 0; i < phrases.size(); ++i) {
        const std::string file = phrases.at(i)["audio"].text_or(""), says = phrases.at(i)["says"].text_or("");
        Stream stream(bench, instance, first_format(bench.target()));
        const std::vector<std::int16_t> audio = read_wav(bench.target().fixtures / file, first_format(bench.target()).rate_hz);
        const std::vector<jf_str> words{str(says)};
        jf_hints hints = make<jf_hints>();
        hints.phrases = sdk::array(words);
        stream.opened();
        require_status("HINTS", stream.control(JF_STT_HINTS, 0, &hints), {JF_OK, JF_E_UNSUPPORTED});
        stream.feed_silence(200);
        stream.feed(audio);
        stream.feed_silence(300);
        stream.finalize(1);
        stream.close_and_expect_done();
        std::string heard_text;
        for (const Heard& heard : stream.record().events)
            if (heard.type() == JF_EV_FINAL) heard_text += (heard_text.empty() ? "" : " ") + std::string(view(heard.as<jf_text>()->text));
        require(same_words(heard_text, says), fmt::format("{} says '{}', and was heard as '{}'", file, says, heard_text));
        look_at_order(stream.record(), stream.pts);
    }
}

void counts_usage(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened().feed_silence(1000);
    stream.close_and_expect_done();
    const OpRecord& record = stream.record();
    require(record.last && record.last->type() == JF_EV_STT_USAGE, "the completion of a closed stream carries no STT_USAGE");
    const auto* usage = record.last->as<jf_stt_usage>();
    require(usage != nullptr, "STT_USAGE has no jf_stt_usage");
    require(usage->audio_ms <= 1100, fmt::format("1000 ms were fed, and the usage says {} ms", usage->audio_ms));
}

void keeps_going_through_jumps(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened();
    // A re-feed after another provider failed begins in the middle of the stream's time; a lost packet makes a hole in it.
    stream.pts = 480'000;
    const std::vector<std::int16_t> quiet(first_format(bench.target()).rate_hz / 50);
    stream.push(quiet, JF_FRAME_DISCONTINUITY);
    stream.feed_babble(200);
    stream.pts += 1'600;
    stream.push(quiet, JF_FRAME_DISCONTINUITY);
    stream.feed_silence(200);
    stream.finalize(5);
    stream.close_and_expect_done();
    look_at_order(stream.record(), stream.pts);
    for (const Heard& heard : stream.record().events)
        if (heard.type() == JF_EV_SPEECH_START) require(heard.event.pos >= 480'000, "positions count from the re-feed and not from the stream's time");
}

void audio_after_close(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened().feed_silence(100);
    require_status("close", stream.close(), {JF_OK});
    const std::vector<std::int16_t> quiet(160);
    jf_frame frame = make<jf_frame>();
    const auto data = encode(quiet, first_format(bench.target()).codec);
    frame.codec = first_format(bench.target()).codec;
    frame.channels = 1;
    frame.rate_hz = first_format(bench.target()).rate_hz;
    frame.samples = 160;
    frame.pts = stream.pts;
    frame.data = {data.data(), data.size()};
    const auto push = [&] { return bench.call(stream.record(), "push", [&] { return stream.port().push(stream.record().op, frame); }); };
    require_status("push after close()", push(), {JF_E_STATE, JF_E_INVALID});
    require_status("a second close()", stream.close(), {JF_OK, JF_E_INVALID});
    bench.expect_done(stream.record(), "the stream after close()");
    require_status("push after the completion", push(), {JF_E_INVALID});
    require_status("control after the completion", stream.control(JF_STT_FINALIZE, 1), {JF_E_INVALID});
    require_status("close after the completion", stream.close(), {JF_E_INVALID});
}

void unknown_verbs(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened();
    require_status("control with the verb 4000", stream.control(4000), {JF_E_UNSUPPORTED});
    require_status("DISCARD", stream.control(JF_STT_DISCARD), {JF_OK});
    stream.feed_babble(200);
    require_status("DISCARD", stream.control(JF_STT_DISCARD), {JF_OK});
    bench.expect_quiet([&] { return stream.answers() > 0; }, "DISCARD was answered");
    stream.close_and_expect_done();
}

void odd_hints(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened();
    const std::string huge(300'000, 'a');
    const std::vector<jf_str> phrases{str(""), str("\xff\xfe broken"), str("yes"), str(std::string_view("nul\0l", 5)), str("[<*;|&$(x)")};
    const std::vector<std::string> grammars{"#JSGF V1.0; grammar g; public <a> = <a>;", "not a grammar {{{", huge};
    for (const std::string& grammar : grammars) {
        jf_hints hints = make<jf_hints>();
        hints.grammar = str(grammar);
        hints.phrases = sdk::array(phrases);
        hints.slot = 4000;
        hints.min_digits = 4'000'000'000u;
        const jf_status status = stream.control(JF_STT_HINTS, 0, &hints);
        require_status("HINTS that make no sense", status, {JF_OK, JF_E_INVALID, JF_E_UNSUPPORTED});
    }
    stream.feed_silence(200);
    stream.finalize(3);
    stream.close_and_expect_done();
}

void cancel_mid_stream(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened().feed_babble(400);
    require_status("FINALIZE", stream.control(JF_STT_FINALIZE, 1), {JF_OK});
    bench.cancel(stream.record());
    bench.cancel(stream.record());
    bench.expect_done(stream.record(), "the cancelled stream", milliseconds(1500));
    require_status("the cancelled stream", stream.record().status, {JF_E_CANCELLED});
    require(bench.spy().completions_of(stream.record().op) == 1, "the plugin did not complete the cancelled stream itself");
    require_status("cancel after the completion", bench.plugin_cancel(*stream.instance(), stream.record().op), {JF_E_INVALID});
}

void slow_host(Bench& bench) {
    Stream stream(bench, bench.start(), first_format(bench.target()));
    stream.opened();
    bench.spy().refuse_emits(3);
    stream.feed_babble(600);
    stream.feed_silence(300);
    stream.finalize(4);
    bench.spy().refuse_emits(0);
    stream.close_and_expect_done();
}

void two_at_once(Bench& bench) {
    auto instance = bench.start();
    Stream one(bench, instance, first_format(bench.target()), 0);
    Stream other(bench, instance, first_format(bench.target()), 1);
    one.opened();
    other.opened();
    for (int i = 0; i < 10; ++i) {
        one.feed_babble(40);
        other.feed_silence(40);
    }
    other.finalize(1);
    one.finalize(2);
    one.close_and_expect_done();
    other.feed_silence(100);
    other.close_and_expect_done();
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    Stream shorter(bench, instance, first_format(bench.target()));
    jf_stt_open options = shorter.options();
    options.struct_size = offsetof(jf_stt_open, hints);
    options.hints = reinterpret_cast<const jf_hints*>(std::uintptr_t{0xdead});  // beyond the stated size: must not be followed
    const jf_status taken = shorter.open(options);
    require_status("open with a jf_stt_open without its last member", taken, {JF_OK, JF_E_INVALID});
    if (taken == JF_OK) {
        shorter.close_and_expect_done();
    }

    Stream longer(bench, instance, first_format(bench.target()));
    struct {
        jf_stt_open known;
        std::uint64_t appended[4];
    } later{longer.options(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("open with a longer jf_stt_open that ends in zeros", longer.open(later.known), {JF_OK});
    longer.close_and_expect_done();
}

void stops_with_streams(Bench& bench) {
    auto instance = bench.start();
    Stream stream(bench, instance, first_format(bench.target()));
    stream.opened().feed_silence(100);
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 8000);
    }), {JF_OK});
    Stream late(bench, instance, first_format(bench.target()));
    require_status("open after quiesce", late.open(late.options()), {JF_E_STATE});
    stream.finalize(1);
    stream.close_and_expect_done();
    bench.expect_done(quiet, "quiesce after the last stream", milliseconds(3000));
}

void mid_op(Bench& bench) {
    auto* const stream = new Stream(bench, bench.start(), first_format(bench.target()));
    stream->opened().feed_babble(400);
    stream->control(JF_STT_FINALIZE, 1);
    stream->feed_babble(200);
}

constexpr Check checks[] = {
    {"stt.opens_each_format", "Every declared format can be opened, fed and closed", "Declare only formats that open() takes.", opens_each_format},
    {"stt.refuses_other_formats", "Other formats and languages are refused by open", "Answer UNSUPPORTED from open(), before anything is connected.", refuses_other_formats},
    {"stt.finalize_is_answered", "FINALIZE gets one FINAL or NO_MATCH with its value", "Keep the value with the segment; answer NO_MATCH where there are no words.", finalize_is_answered, 60},
    {"stt.silence_has_no_words", "Silence yields no words", "Gate on the level, or reject below a confidence.", silence_has_no_words, 40},
    {"stt.finalize_without_audio", "FINALIZE without audio is NO_MATCH", "Answer it at once when nothing was pushed.", finalize_without_audio, 40},
    {"stt.recognises", "It hears what the recordings of its own plugin.json say", "Listen to the file, and look at the hints.", recognises, 90},
    {"stt.counts_usage", "The completion of a closed stream says how much was heard", "Complete with STT_USAGE as `last`.", counts_usage},
    {"stt.keeps_going_through_jumps", "Jumps of pts are survived, and positions are the stream's", "Take positions from pts, never from a count of what was pushed.", keeps_going_through_jumps, 40},
    {"stt.audio_after_close", "Audio that comes late is refused and harms nothing", "Answer STATE or INVALID from push().", audio_after_close},
    {"stt.unknown_verbs", "Unknown verbs are UNSUPPORTED, DISCARD is silent", "Switch over the verbs that you know.", unknown_verbs},
    {"stt.odd_hints", "Hints that make no sense do no harm", "Bound what you take, and skip what you can't use.", odd_hints, 40},
    {"stt.cancel_mid_stream", "cancel completes a stream at once, and only once", "Complete from cancel(); let the decoder find out later.", cancel_mid_stream},
    {"stt.slow_host", "A host that takes no event for a while loses no answer", "Keep FINAL and NO_MATCH and emit them again after a moment; a PARTIAL may go.", slow_host, 60},
    {"stt.two_at_once", "Two streams on two threads don't mix", "Keep state per op; lock what is shared.", two_at_once, 60},
    {"stt.struct_sizes", "Option structs are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes},
    {"stt.stops_with_streams", "While quiescing, streams go on and no new one opens", "Refuse open() with STATE; complete quiesce with the last stream.", stops_with_streams, 40},
};

}  // namespace

std::span<const Check> stt_checks() { return checks; }
void stt_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
