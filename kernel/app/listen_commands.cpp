// `jackfield call listen` and `call pcap`: a live call's audio, as samples or as packets.

#include <csignal>
#include <fstream>
#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/listen_mixer.hpp"
#include "app/pcap.hpp"
#include "app/which_call.hpp"
#include "base/json.hpp"
#include "media/g711.hpp"
#include "media/types.hpp"

namespace jackfield::app {
namespace {

volatile std::sig_atomic_t interrupted = 0;

int value_of(char digit) { return digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10; }

std::string codes_of(const std::string& hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(value_of(hex[i]) << 4 | value_of(hex[i + 1]));
    return out;
}

struct Packet {
    media::RecordingSide side;
    media::SamplePos at;
    std::string codes;
};

/// Hands what is said in a live call to `on_packet` until `seconds` (0: all) of it have passed, the call is over or the user has enough. Fails with what
/// the host says when there is no such call. Answers how many samples the host had to drop.
base::Result<std::int64_t> hear(const config::HostConfig& config, const std::string& call, const char* what, int seconds, media::G711Law& law,
                                const std::function<bool(const Packet&)>& on_packet) {
    base::JsonWriter request;
    request.begin_object().member("cmd", "listen").member("call", call).member("what", what).end_object();
    base::Result<std::int64_t> out = std::int64_t{0};
    bool begun = false;
    std::optional<media::SamplePos> first;
    std::signal(SIGINT, [](int) { interrupted = 1; });
    const auto sent = control_request(config.control_socket, request.str(), [&](const std::string& line) {
        const auto document = base::JsonDocument::parse(line);
        if (!document) return false;
        const base::JsonView said = document->root();
        if (!begun) {
            begun = true;
            law = said["law"].text_or("mu") == "a" ? media::G711Law::a : media::G711Law::mu;
            if (said["ok"].boolean_or(false)) return true;
            out = base::Error(base::ErrorCode::not_found, said["error"].text_or(line));
            return false;
        }
        if (said["over"].boolean_or(false)) {
            out = said["dropped_samples"].integer_or(0);
            return false;
        }
        const Packet packet{said["side"].text_or("") == "caller" ? media::RecordingSide::caller : media::RecordingSide::agent, said["at"].integer_or(0),
                            codes_of(said["codes"].text_or(""))};
        if (!first) first = packet.at;
        if (!on_packet(packet)) return false;
        return interrupted == 0 && (seconds == 0 || packet.at - *first < media::SamplePos{seconds} * media::narrowband_hz);
    });
    if (!sent) return sent.error();
    return out;
}

}  // namespace

int run_call_listen(const CommonOptions& common, const ListenCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    const auto call = live_call(*config, command.call);
    if (!call) return fail(call.error().text());
    std::ofstream file;
    const bool to_file = !command.output.empty() && command.output != "-";
    std::ostream& out = to_file ? file : std::cout;
    ListenMixer mixer(command.stereo);
    std::uint64_t frames = 0;
    bool opened = false;
    const auto write = [&](const void* bytes, std::size_t size) {
        out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
        if (!to_file) out.flush();
    };
    // The file is made when there is a call to listen to: a mistyped id leaves none behind.
    const auto open = [&] {
        if (to_file) file.open(command.output, std::ios::binary | std::ios::trunc);
        if (!out) return false;
        if (!command.raw) {
            const auto header = pcm_wav_header(mixer.channels(), 0);
            write(header.data(), header.size());
        }
        return opened = true;
    };
    const auto pass_on = [&](bool over) {
        const std::vector<std::int16_t> samples = mixer.take(over);
        frames += samples.size() / static_cast<std::size_t>(mixer.channels());
        if (!samples.empty()) write(samples.data(), samples.size() * sizeof(std::int16_t)); // WAV and every machine that we build for are little-endian
    };
    media::G711Law law = media::G711Law::mu;
    const auto heard = hear(*config, *call, "listen", command.seconds, law, [&](const Packet& packet) {
        if (!opened && !open()) return false;
        std::vector<std::int16_t> samples(packet.codes.size());
        media::decode(law, std::span(reinterpret_cast<const std::uint8_t*>(packet.codes.data()), packet.codes.size()), samples);
        mixer.add(packet.side, packet.at, samples);
        pass_on(false);
        return static_cast<bool>(out);
    });
    if (!heard) return fail(heard.error().text());
    if (opened) pass_on(true);
    if (!out) return fail((to_file ? command.output : "standard output") + ": it cannot be written");
    if (to_file && opened && !command.raw) {
        const auto header = pcm_wav_header(mixer.channels(), frames);
        file.seekp(0);
        write(header.data(), header.size());
    }
    if (*heard > 0) std::cerr << "jackfield: " << *heard << " samples were dropped, since they were not taken in time\n";
    return exit_ok;
}

int run_call_pcap(const CommonOptions& common, const PcapCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    // Media is there of live calls only.
    const auto wanted = command.seconds > 0 ? live_call(*config, command.call) : command.call;
    if (!wanted) return fail(wanted.error().text());
    std::string id = *wanted;
    const auto text = read_trace(*config, id);
    if (!text) return fail(text.error().text());
    const auto trace = base::JsonDocument::parse(*text);
    if (!trace) return fail(trace.error().text());
    std::ofstream file(command.output, std::ios::binary | std::ios::trunc);
    if (!file) return fail(command.output + ": it cannot be written");
    PcapWriter writer(file);
    const std::int64_t started_us = trace->root()["started_us"].integer_or(0);
    const base::JsonView entries = trace->root()["entries"];
    PcapEndpoint ours;
    PcapEndpoint theirs;
    bool know_ours = false;
    bool know_theirs = false;
    int messages = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const base::JsonView entry = entries.at(i);
        PcapEndpoint local;
        PcapEndpoint remote;
        if (entry["kind"].text_or("") != "sip" || !PcapEndpoint::parse(entry["local"].text_or(""), local) ||
            !PcapEndpoint::parse(entry["remote"].text_or(""), remote))
            continue;
        const bool out = entry["out"].boolean_or(false);
        const std::string message = entry["text"].text_or("");
        writer.write_udp(started_us + entry["at_us"].integer_or(0), out ? local : remote, out ? remote : local, message);
        ++messages;
        if (out) know_ours |= audio_endpoint(message, ours);
        else know_theirs |= audio_endpoint(message, theirs);
    }
    int packets = 0;
    if (command.seconds > 0) {
        if (!know_ours || !know_theirs || ours.six != theirs.six) return fail("the trace of call " + id + " does not say where its audio goes: no session descriptions of both sides are in its signalling");
        const std::int64_t now_us = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
        media::G711Law law = media::G711Law::mu;
        std::optional<media::SamplePos> first;
        std::uint16_t sequence[2] = {0, 0};
        const auto heard = hear(*config, id, "pcap", command.seconds, law, [&](const Packet& packet) {
            const auto side = static_cast<std::size_t>(packet.side);
            const bool caller = packet.side == media::RecordingSide::caller;
            if (!first) first = packet.at;
            const std::int64_t at_us = now_us + (packet.at - *first) * 1'000'000 / media::narrowband_hz;
            writer.write_udp(at_us, caller ? theirs : ours, caller ? ours : theirs,
                             rtp_packet(law == media::G711Law::mu ? 0 : 8, sequence[side]++, static_cast<std::uint32_t>(packet.at),
                                        caller ? 0x43414c4cU : 0x4a41434bU, packet.codes));
            ++packets;
            return static_cast<bool>(file);
        });
        if (!heard) return fail(heard.error().text());
    }
    file.flush();
    if (!file) return fail(command.output + ": it cannot be written");
    if (common.json) {
        base::JsonWriter json;
        json.begin_object().member("call", id).member("messages", messages).member("media_packets", packets).end_object();
        std::cout << json.str() << "\n";
    } else {
        std::cout << command.output << ": " << messages << " SIP messages, " << packets << " media packets\n";
    }
    return exit_ok;
}

}  // namespace jackfield::app
