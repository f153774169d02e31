#include "conformance/kit/audio.hpp"
#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::TtsPort;

constexpr std::string_view greeting = "Good morning, this is the clinic.";
constexpr std::string_view long_text =
    "We are open from nine to five on Monday. On Tuesday we open at ten. On Wednesday we are closed. "
    "The dentist comes every Thursday in the afternoon. On Friday we close early, at three.";

struct Format {
    std::uint16_t codec;
    std::uint32_t rate_hz;
};

std::vector<Format> formats_of(const Target& target) {
    std::vector<Format> out;
    const base::JsonView declared = target.capability("tts", "formats");
    for (std::size_t i = 0; i < declared.size(); ++i)
        if (const auto codec = codec_named(declared.at(i)["codec"].text_or("")); codec != 0)
            out.push_back({codec, static_cast<std::uint32_t>(declared.at(i)["rate_hz"].integer_or(8000))});
    if (out.empty()) out.push_back({JF_CODEC_L16, 8000});
    return out;
}

/// L16 at the lowest rate where there is one, since its samples can be looked at.
Format plain_format(const Target& target) {
    for (const Format format : formats_of(target))
        if (format.codec == JF_CODEC_L16) return format;
    return formats_of(target).front();
}

std::string sentence(const Target& target) { return target.verify("text").text_or(greeting); }

class Speech {
  public:
    Speech(Bench& bench, std::shared_ptr<Bench::Instance> instance, Format format, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), format_(format), language_(bench.target().language("tts")),
          record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.tts/1");
    }

    jf_tts_open options(std::uint64_t credit = 0) const {
        jf_tts_open out = make<jf_tts_open>();
        out.format = make<jf_format>();
        out.format.codec = format_.codec;
        out.format.channels = 1;
        out.format.rate_hz = format_.rate_hz;
        out.format.ptime_ms = 20;
        out.language = str(language_);
        out.credit = credit;
        return out;
    }
    jf_status open(const jf_tts_open& wanted) {
        granted_ = wanted.credit;
        return bench_.begin(record_, *instance_, "open", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.open(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Speech& opened(std::uint64_t credit = 0) {
        const jf_status status = open(options(credit));
        if (status != JF_OK) fail(fmt::format("open answered {}: {}", status_name(status), record_.error));
        return *this;
    }
    jf_status text(std::string_view words, std::uint32_t flush = JF_TTS_END) {
        jf_tts_text wanted = make<jf_tts_text>();
        wanted.flush = flush;
        wanted.text = str(words);
        return bench_.call(record_, "text", [&] { return port_.text(record_.op, wanted); });
    }
    jf_status clear() {
        return bench_.call(record_, "clear", [&] { return port_.clear(record_.op); });
    }
    jf_status credit(std::uint64_t samples) {
        granted_ += samples;
        return bench_.call(record_, "credit", [&] { return port_.credit(record_.op, samples); });
    }
    jf_status close() {
        return bench_.call(record_, "close", [&] { return port_.close(record_.op); });
    }

    /// Under the bench's lock, or after the completion.
    std::uint64_t samples() const {
        std::uint64_t n = 0;
        for (const Heard& heard : record_.events)
            if (const auto* frame = heard.type() == JF_EV_AUDIO ? heard.as<jf_frame>() : nullptr) n += frame->samples;
        return n;
    }
    bool overran() const { return granted_ != 0 && samples() > granted_; }
    bool wait_samples(std::uint64_t n) {
        return bench_.wait([&] { return samples() >= n || record_.done(); });
    }
    void expect_done() {
        bench_.expect_done(record_, "the stretch of speech", patience * 4);
        if (record_.status != JF_OK) fail(fmt::format("it completed with {}: {}", status_name(record_.status), record_.error));
    }
    double seconds() const { return static_cast<double>(samples()) / format_.rate_hz; }
    std::uint64_t last_pos() const { return record_.events.empty() ? 0 : record_.events.back().event.pos; }
    OpRecord& record() { return record_; }
    const Format& format() const { return format_; }
    const std::shared_ptr<Bench::Instance>& instance() const { return instance_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    TtsPort port_;
    Format format_;
    std::string language_;
    OpRecord& record_;
    std::uint64_t granted_ = 0;
};

Speech speech(Bench& bench) { return Speech(bench, bench.start(), plain_format(bench.target())); }

/// What holds for every event of a stream.
void look_at_frames(const Speech& spoken, const OpRecord& record) {
    std::uint64_t pts = 0, pos = 0;
    for (const Heard& heard : record.events) {
        require(heard.event.pos >= pos, fmt::format("a position goes back from {} to {}", pos, heard.event.pos));
        pos = heard.event.pos;
        if (heard.type() != JF_EV_AUDIO) continue;
        const auto* frame = heard.as<jf_frame>();
        require(frame != nullptr, "an AUDIO event without jf_frame");
        require(frame->codec == spoken.format().codec && frame->rate_hz == spoken.format().rate_hz && frame->channels == 1,
                "a frame has another format than the stream");
        require(frame->pts == pts, fmt::format("a frame's pts is {}, and {} samples were emitted before it", frame->pts, pts));
        const std::uint64_t bytes = std::uint64_t{frame->samples} * (frame->codec == JF_CODEC_L16 ? 2 : 1);
        if (frame->codec != JF_CODEC_G722)
            require(frame->data.len == bytes, fmt::format("a frame of {} samples has {} bytes", frame->samples, frame->data.len));
        require(frame->samples > 0 && frame->samples <= frame->rate_hz, "a frame is empty or longer than a second");
        pts += frame->samples;
    }
}

double loudness(const OpRecord& record) {
    double sum = 0;
    std::size_t n = 0;
    for (const Heard& heard : record.events) {
        const auto* frame = heard.type() == JF_EV_AUDIO ? heard.as<jf_frame>() : nullptr;
        if (!frame || frame->codec != JF_CODEC_L16) continue;
        for (std::uint64_t i = 0; i + 1 < frame->data.len; i += 2) {
            std::int16_t sample;
            std::memcpy(&sample, static_cast<const char*>(frame->data.ptr) + i, 2);
            sum += static_cast<double>(sample) * sample;
            ++n;
        }
    }
    return n ? std::sqrt(sum / static_cast<double>(n)) : 0;
}

void speaks_each_format(Bench& bench) {
    auto instance = bench.start();
    for (const Format format : formats_of(bench.target())) {
        Speech spoken(bench, instance, format);
        require_status("text", spoken.opened().text(sentence(bench.target())), {JF_OK});
        spoken.expect_done();
        look_at_frames(spoken, spoken.record());
        require(spoken.seconds() > 0.3 && spoken.seconds() < 30, fmt::format("a sentence took {:.2f} s to say", spoken.seconds()));
        if (format.codec == JF_CODEC_L16) {
            const double level = loudness(spoken.record());
            require(level > 200, fmt::format("its level is {:.0f} of 32767: too low to be heard", level));
            require(level < 15'000, fmt::format("its level is {:.0f} of 32767: too loud", level));
        }
    }
}

void counts_text(Bench& bench) {
    Speech spoken = speech(bench);
    require_status("text", spoken.opened().text(long_text), {JF_OK});
    spoken.expect_done();
    look_at_frames(spoken, spoken.record());
    const OpRecord& record = spoken.record();
    require(spoken.last_pos() == long_text.size(), fmt::format("the last event's position is {}, the text has {} bytes", spoken.last_pos(), long_text.size()));
    require(record.last && record.last->type() == JF_EV_TTS_USAGE && record.last->as<jf_tts_usage>(), "the completion carries no TTS_USAGE");
    const jf_tts_usage& usage = *record.last->as<jf_tts_usage>();
    require(usage.characters == long_text.size(), fmt::format("{} characters were spoken, and the usage says {}", long_text.size(), usage.characters));
    const double said_ms = spoken.seconds() * 1000;
    require(std::abs(static_cast<double>(usage.audio_ms) - said_ms) <= 50, fmt::format("{:.0f} ms were emitted, and the usage says {}", said_ms, usage.audio_ms));
}

void says_how_far(Bench& bench) {
    Speech spoken = speech(bench);
    require_status("text", spoken.opened().text(long_text), {JF_OK});
    spoken.expect_done();
    std::uint64_t so_far = 0, at_half = 0;
    for (const Heard& heard : spoken.record().events) {
        if (heard.type() != JF_EV_AUDIO) continue;
        so_far += heard.as<jf_frame>()->samples;
        if (so_far <= spoken.samples() / 2) at_half = heard.event.pos;
    }
    require(at_half > long_text.size() / 5 && at_half < long_text.size() * 4 / 5,
            fmt::format("half of the audio is said to speak {} of {} bytes", at_half, long_text.size()));
}

void flushes(Bench& bench) {
    Speech spoken = speech(bench);
    spoken.opened();
    require_status("text", spoken.text("Your appointment is", JF_TTS_MORE), {JF_OK});
    require_status("text", spoken.text(" on Monday", JF_TTS_MORE), {JF_OK});
    require_status("FLUSH without text", spoken.text("", JF_TTS_FLUSH), {JF_OK});
    if (!spoken.wait_samples(1)) fail("nothing was spoken after FLUSH");
    require(!bench.locked([&] { return spoken.record().done(); }), "it completed without END");
    require_status("END without text", spoken.text("", JF_TTS_END), {JF_OK});
    spoken.expect_done();
    require(spoken.last_pos() == 29, fmt::format("the last position is {} of 29 bytes", spoken.last_pos()));
    look_at_frames(spoken, spoken.record());
}

void keeps_to_its_credit(Bench& bench) {
    Speech spoken = speech(bench);
    const std::uint64_t credit = spoken.format().rate_hz / 5;
    require_status("text", spoken.opened(credit).text(long_text), {JF_OK});
    if (!spoken.wait_samples(credit / 2)) fail("nothing was spoken within the credit");
    bench.expect_quiet([&] { return spoken.overran(); }, fmt::format("more than the credit of {} samples was emitted", credit));
    const bool ended = bench.wait([&] { return spoken.record().done(); }, milliseconds(100));
    require(!ended, "it completed although most of the text waits for credit");
    for (int i = 0; i < 2000 && !bench.locked([&] { return spoken.record().done(); }); ++i) {
        const jf_status status = spoken.credit(credit);
        require_status("credit", status, {JF_OK, JF_E_INVALID});
        bench.wait([&] { return spoken.record().done() || spoken.overran(); }, milliseconds(5));
        require(!bench.locked([&] { return spoken.overran(); }), "more than the credit was emitted");
    }
    spoken.expect_done();
    require(spoken.last_pos() == long_text.size(), "not all of the text was spoken although credit came");
}

void uses_small_credit(Bench& bench) {
    Speech spoken = speech(bench);
    require_status("text", spoken.opened(100).text(sentence(bench.target())), {JF_OK});
    bench.wait([&] { return spoken.samples() > 0; }, milliseconds(300));
    require(bench.locked([&] { return spoken.samples(); }) <= 100, "more than the credit of 100 samples was emitted");
    require_status("credit", spoken.credit(100'000'000), {JF_OK});
    spoken.expect_done();
}

void clears(Bench& bench) {
    Speech spoken = speech(bench);
    const std::uint64_t credit = spoken.format().rate_hz / 5;
    require_status("text", spoken.opened(credit).text(long_text, JF_TTS_FLUSH), {JF_OK});
    if (!spoken.wait_samples(credit / 2)) fail("nothing was spoken within the credit");
    require_status("clear", spoken.clear(), {JF_OK});
    if (!bench.wait([&] { return spoken.record().count(JF_EV_CLEARED) > 0; })) fail("CLEARED did not follow clear()");
    const std::uint64_t before = bench.locked([&] { return spoken.samples(); });
    require_status("credit", spoken.credit(100'000'000), {JF_OK});
    bench.expect_quiet([&] { return spoken.samples() > before; }, "audio of cleared text came after CLEARED");
    require_status("text", spoken.text("Goodbye."), {JF_OK});
    spoken.expect_done();
    require(spoken.samples() > before, "nothing was spoken after clear()");
    require(spoken.record().count(JF_EV_CLEARED) == 1, "clear() was answered more than once");
    require(spoken.last_pos() == long_text.size() + 8, fmt::format("positions count cleared text too: {} wanted, {} found", long_text.size() + 8, spoken.last_pos()));
    look_at_frames(spoken, spoken.record());
}

void cancels(Bench& bench) {
    Speech spoken = speech(bench);
    // With bounded credit, since a voice that is quicker than this thread may have said all of it by now.
    require_status("text", spoken.opened(spoken.format().rate_hz / 5).text(long_text), {JF_OK});
    bench.cancel(spoken.record());
    bench.cancel(spoken.record());
    bench.expect_done(spoken.record(), "the cancelled stream", milliseconds(1500));
    require_status("the cancelled stream", spoken.record().status, {JF_E_CANCELLED});
    require(bench.spy().completions_of(spoken.record().op) == 1, "the plugin did not complete the cancelled stream itself");
    require_status("cancel after the completion", bench.plugin_cancel(*spoken.instance(), spoken.record().op), {JF_E_INVALID});
}

void closes(Bench& bench) {
    Speech spoken = speech(bench);
    const std::uint64_t credit = spoken.format().rate_hz / 5;
    require_status("text", spoken.opened(credit).text(long_text), {JF_OK});
    if (!spoken.wait_samples(credit / 2)) fail("nothing was spoken within the credit");
    require_status("close", spoken.close(), {JF_OK});
    require_status("a second close", spoken.close(), {JF_OK, JF_E_INVALID});
    bench.expect_done(spoken.record(), "the stream after close()");
    require_status("the stream after close()", spoken.record().status, {JF_OK});
    require(!spoken.overran(), "more than the credit was emitted");
    require(spoken.record().last && spoken.record().last->type() == JF_EV_TTS_USAGE, "the completion carries no TTS_USAGE");
}

void knows_its_streams(Bench& bench) {
    Speech spoken = speech(bench);
    require_status("text", spoken.opened().text(""), {JF_OK});
    spoken.expect_done();
    require(spoken.samples() == 0, "audio came of no text");
    require_status("text on a stream that is over", spoken.text(greeting), {JF_E_INVALID});
    require_status("clear on a stream that is over", spoken.clear(), {JF_E_INVALID});
    require_status("credit on a stream that is over", spoken.credit(1), {JF_E_INVALID});
    require_status("close on a stream that is over", spoken.close(), {JF_E_INVALID});
}

void refuses_formats(Bench& bench) {
    auto instance = bench.start();
    const auto refused = [&](const char* what, const std::function<void(jf_tts_open&)>& spoil, std::initializer_list<jf_status> wanted) {
        Speech spoken(bench, instance, plain_format(bench.target()));
        jf_tts_open options = spoken.options();
        spoil(options);
        require_status(what, spoken.open(options), wanted);
        require(!spoken.record().error.empty(), std::string(what) + " was refused without a word of why");
    };
    refused("open with an unknown codec", [](jf_tts_open& o) { o.format.codec = 999; }, {JF_E_UNSUPPORTED});
    refused("open with 7 channels", [](jf_tts_open& o) { o.format.channels = 7; }, {JF_E_UNSUPPORTED});
    refused("open with 1 Hz", [](jf_tts_open& o) { o.format.rate_hz = 1; }, {JF_E_UNSUPPORTED});
    // A voice may be the far end's to know: then speaking with it fails.
    Speech spoken(bench, instance, plain_format(bench.target()));
    jf_tts_open options = spoken.options();
    options.voice = str("nobody_of_that_name");
    const jf_status status = spoken.open(options);
    if (status != JF_OK) return require_status("open with a voice that there is not", status, {JF_E_NOT_FOUND, JF_E_UNSUPPORTED});
    require_status("text", spoken.text(greeting), {JF_OK});
    bench.expect_done(spoken.record(), "speech in a voice that there is not");
    require(spoken.record().status != JF_OK, "a voice that there is not was taken, and it completed with OK");
}

void bounds_text(Bench& bench) {
    Speech spoken = speech(bench);
    spoken.opened(spoken.format().rate_hz / 5);
    const std::string chunk = std::string(long_text) + " ";
    jf_status status = JF_OK;
    std::size_t given = 0;
    for (int i = 0; i < 4000 && status == JF_OK; ++i) {
        status = spoken.text(chunk, JF_TTS_MORE);
        if (status == JF_OK) given += chunk.size();
    }
    require_status(fmt::format("text without end, after {} bytes,", given), status, {JF_E_AGAIN, JF_E_INVALID});
    bench.cancel(spoken.record());
    bench.expect_done(spoken.record(), "the cancelled stream", milliseconds(1500));
}

void refuses_text_after_end(Bench& bench) {
    Speech spoken = speech(bench);
    require_status("text", spoken.opened(100).text(long_text), {JF_OK});
    require_status("text after END", spoken.text("More?"), {JF_E_STATE});
    bench.cancel(spoken.record());
    bench.expect_done(spoken.record(), "the cancelled stream", milliseconds(1500));
}

void survives_odd_text(Bench& bench) {
    auto instance = bench.start();
    const std::string_view texts[] = {"\xff\xfe\x80 broken \xe2\x82 bytes \xc3",
                                      std::string_view("zero \0 byte", 11),
                                      "<speak><break time='999999s'/></speak>",
                                      "--help -f /etc/passwd `id` $(id) %s%n",
                                      "99999999999999999999999999999999999999999999999999999999999999",
                                      " ... !? -- ",
                                      "\xe4\xbd\xa0\xe5\xa5\xbd \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"};
    for (const std::string_view text : texts) {
        Speech spoken(bench, instance, plain_format(bench.target()));
        const jf_status status = spoken.opened().text(text);
        require_status("text that is no text", status, {JF_OK, JF_E_INVALID});
        if (status != JF_OK) {
            bench.cancel(spoken.record());
            continue;
        }
        spoken.expect_done();
        require(spoken.seconds() < 60, fmt::format("{:.0f} s were spoken of '{}'", spoken.seconds(), base::to_valid_utf8(std::string(text))));
    }
}

void slow_host(Bench& bench) {
    Speech spoken = speech(bench);
    spoken.opened();
    bench.spy().refuse_emits(10);
    require_status("text", spoken.text(long_text), {JF_OK});
    spoken.expect_done();
    require(bench.spy().emits_to_refuse() == 0, "a refused emit was not tried again");
    look_at_frames(spoken, spoken.record());
    require(spoken.last_pos() == long_text.size(), "text was lost while the host took nothing");
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    std::vector<std::unique_ptr<Speech>> all;
    for (unsigned i = 0; i < 6; ++i) all.push_back(std::make_unique<Speech>(bench, instance, plain_format(bench.target()), i % 2));
    for (const auto& spoken : all) spoken->opened();
    for (const auto& spoken : all) require_status("text", spoken->text("We open at nine. See you on Monday."), {JF_OK});
    for (const auto& spoken : all) {
        spoken->expect_done();
        look_at_frames(*spoken, spoken->record());
        require(spoken->last_pos() == 35, "a stream that spoke beside others lost text");
    }
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    Speech shorter(bench, instance, plain_format(bench.target()));
    jf_tts_open options = shorter.options();
    options.struct_size = offsetof(jf_tts_open, voice);
    options.voice = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};  // beyond the stated size: must not be followed
    options.credit = 1;
    const jf_status taken = shorter.open(options);
    require_status("open with a jf_tts_open without its last members", taken, {JF_OK, JF_E_INVALID});
    if (taken == JF_OK) {
        require_status("text", shorter.text(sentence(bench.target())), {JF_OK});
        shorter.expect_done();
    }

    Speech longer(bench, instance, plain_format(bench.target()));
    struct {
        jf_tts_open known;
        std::uint64_t appended[4];
    } later{longer.options(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("open with a longer jf_tts_open that ends in zeros", longer.open(later.known), {JF_OK});
    require_status("text", longer.text(""), {JF_OK});
    longer.expect_done();
}

void stops_with_streams(Bench& bench) {
    Speech spoken = speech(bench);
    auto instance = spoken.instance();
    require_status("text", spoken.opened(spoken.format().rate_hz / 5).text(sentence(bench.target())), {JF_OK});
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 8000);
    }), {JF_OK});
    Speech late(bench, instance, plain_format(bench.target()));
    require_status("open after quiesce", late.open(late.options()), {JF_E_STATE});
    bench.expect_quiet([&] { return quiet.done(); }, "quiesce completed while a stream was speaking");
    require_status("credit", spoken.credit(100'000'000), {JF_OK, JF_E_INVALID});
    spoken.expect_done();
    bench.expect_done(quiet, "quiesce after the last stream", milliseconds(3000));
}

void mid_op(Bench& bench) {
    auto* const spoken = new Speech(bench, bench.start(), plain_format(bench.target()));
    require_status("text", spoken->opened(spoken->format().rate_hz / 5).text(long_text, JF_TTS_FLUSH), {JF_OK});
    spoken->wait_samples(1);
}

constexpr Check checks[] = {
    {"tts.speaks_each_format", "A sentence can be heard in every declared format", "Declare only formats that open() takes, and look at the level.", speaks_each_format, 90},
    {"tts.counts_text", "Samples, positions and usage are without gaps", "Count samples where you emit them, and bytes where you are given them.", counts_text, 60},
    {"tts.says_how_far", "A frame's position says how far in the text it speaks", "Where the vendor gives no times, spread the positions evenly over a sentence's audio.", says_how_far, 60},
    {"tts.flushes", "Text waits for its sentence until FLUSH, the stream for END", "Keep a half sentence; speak it on FLUSH; complete on END only.", flushes, 60},
    {"tts.keeps_to_its_credit", "Never more than its credit is emitted", "Count granted and emitted samples, and wait for credit() between frames.", keeps_to_its_credit, 90},
    {"tts.uses_small_credit", "Credit below a frame's size is no dead end", "Cut a smaller frame, or wait for more; both are right.", uses_small_credit, 60},
    {"tts.clears", "clear forgets what was not spoken, once, and the stream goes on", "Drop audio and text, emit CLEARED, keep counting positions.", clears, 60},
    {"tts.cancels", "cancel completes a stream at once, and only once", "Complete from cancel(); let the voice find out later.", cancels},
    {"tts.closes", "close ends a stream with its usage", "Complete with OK and TTS_USAGE as `last`.", closes},
    {"tts.knows_its_streams", "A stream that is over is INVALID", "Look the op up first, and forget it when you complete.", knows_its_streams},
    {"tts.refuses_formats", "Formats and voices that it does not have are refused with a text", "Answer UNSUPPORTED or NOT_FOUND from open(), and fill the error.", refuses_formats},
    {"tts.bounds_text", "Text that piles up is refused", "Bound what waits, answer AGAIN, and emit CREDIT when there is room.", bounds_text, 60},
    {"tts.refuses_text_after_end", "Text after END is refused", "Answer STATE.", refuses_text_after_end},
    {"tts.survives_odd_text", "Odd text is spoken or refused, and never worse", "Replace what is no UTF-8; never pass text to a shell or as markup.", survives_odd_text, 90},
    {"tts.slow_host", "A host that takes no event for a while loses no audio", "Keep the frame that got AGAIN, and emit it after a moment.", slow_host, 60},
    {"tts.several_at_once", "Several streams on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 90},
    {"tts.struct_sizes", "Option structs are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member, or take sdk::known().", struct_sizes},
    {"tts.stops_with_streams", "While quiescing, speech goes on and no new one opens", "Refuse open() with STATE; complete quiesce with the last stream.", stops_with_streams, 40},
};

}  // namespace

std::span<const Check> tts_checks() { return checks; }
void tts_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
