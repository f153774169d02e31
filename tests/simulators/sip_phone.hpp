#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "simulators/call_report.hpp"
#include "simulators/media_leg.hpp"
#include "simulators/sdp.hpp"
#include "simulators/sip_message.hpp"
#include "simulators/sip_transport.hpp"

namespace jackfield::sim {

/// What the phone does with an incoming call.
struct AnswerPlan {
    int status = 200;  // or 486, 603, any refusal
    bool rings = true;
    bool early_media = false;  // 183 with a session instead of 180
    bool never = false;        // rings for ever
    milliseconds after{100};   // from the INVITE to the final response
    std::optional<milliseconds> hang_up_after;  // from the answer
    bool echo = false;
    /// An automatic agent: says `greeting` when answered, then the next reply whenever the caller spoke and was quiet for `reply_quiet`.
    Pcm greeting;
    milliseconds reply_quiet{600};
    std::vector<Pcm> replies;
};

struct PhoneOptions {
    std::string user = "phone";
    std::uint16_t sip_port = 0;
    std::vector<Codec> codecs = {Codec::pcmu, Codec::pcma};
    bool offers_dtmf = true;
    bool trace = false;  // SIP to stderr
    milliseconds reply_pause{400};  // the longest silence inside one reply of the agent
    AnswerPlan answer;
};

/// One telephone on 127.0.0.1, good for one call at a time in either direction. A thread of its own carries signalling and media;
/// every method may be called from any other thread. Waits return false when their time is over.
class SipPhone {
  public:
    explicit SipPhone(PhoneOptions options = {});
    ~SipPhone();
    SipPhone(const SipPhone&) = delete;
    SipPhone& operator=(const SipPhone&) = delete;

    std::uint16_t port() const { return transport_.port(); }
    std::string uri() const { return "sip:" + options_.user + "@127.0.0.1:" + std::to_string(port()); }
    void set_answer(AnswerPlan plan);

    /// Sends an INVITE; `;transport=tcp` in the address chooses TCP. False when the address is none of ours or TCP was refused.
    bool call(std::string_view uri);
    void cancel();
    void hang_up();
    /// Falls silent in both signalling and media, with its sockets open: what a phone in a tunnel does.
    void vanish();

    struct Change {
        std::string direction;  // "sendonly" and "inactive" hold, "sendrecv" resumes; empty: as it was
        std::optional<Codec> codec;
        bool move_port = false;
    };
    /// Sends a re-INVITE and waits for its final status; 0: none came.
    int change(const Change& change, milliseconds timeout = milliseconds(5000));
    /// Pings; the status of the answer, 0 when none came.
    int ping(std::string_view uri, milliseconds timeout = milliseconds(5000));

    void say(std::string name, Pcm speech);
    void press(std::string_view keys);
    /// From now on the microphone hears the far end's voice, so many dB quieter and that much later.
    void use_loudspeaker(double quieter_db, milliseconds delay);
    void attack(int packets, bool same_ssrc);

    CallState state() const;
    bool wait_ringing(milliseconds timeout);
    bool wait_answered(milliseconds timeout);
    bool wait_ended(milliseconds timeout);
    /// Until all speech, keys and attack packets are sent.
    bool wait_said(milliseconds timeout);
    /// Until the agent has spoken after our last utterance (or the call's start) and then was quiet for `quiet`.
    bool wait_agent_quiet(milliseconds quiet, milliseconds timeout);
    /// Until the agent has been speaking for `length` without a pause, counted from our last utterance.
    bool wait_agent_speaking(milliseconds length, milliseconds timeout);
    bool wait_heard_key(std::string_view keys, milliseconds timeout);
    /// Lets call time pass; ends early, with false, when the call ends.
    bool wait(milliseconds time);

    CallReport report() const;
    Wav recording() const;
    /// The far end's media address as its session description says.
    Endpoint far_media() const;

  private:
    using Peer = SipTransport::Peer;
    using OnResponse = std::function<void(const SipMessage&)>;
    struct Transaction {
        std::string text;
        SipMessage request;
        Peer peer;
        Clock::time_point resend_at;
        Clock::duration interval;
        Clock::time_point give_up;
        bool resends = true;
        OnResponse on_response;
    };
    struct Dialog {
        bool outgoing = false;
        std::string call_id;
        std::string local;   // From or To value of ours, tag included
        std::string remote;  // and of theirs
        std::string target;
        std::uint32_t cseq = 0;
        Peer peer;
        SipMessage invite;  // ours, for CANCEL; theirs, for the final answer
        std::string ack;    // for repeated 200s
    };
    struct Repeat {  // a final response to an INVITE, until its ACK
        std::string call_id;
        std::string text;
        Peer peer;
        Clock::time_point at;
        Clock::duration interval;
        Clock::time_point give_up;
    };

    void run();
    void work(Clock::time_point now);
    Clock::time_point next_wake() const;
    void wake();
    bool wait_until(milliseconds timeout, const std::function<bool()>& holds) const;
    void after(milliseconds delay, std::function<void()> action);

    void on_text(const SipTransport::Incoming& incoming);
    void on_response(const SipMessage& response);
    void on_request(const SipMessage& request, const Peer& from);
    void on_invite(const SipMessage& request, const Peer& from);
    void on_new_call(const SipMessage& request, const Peer& from);
    void on_reinvite(const SipMessage& request, const Peer& from);
    void on_cancel(const SipMessage& request, const Peer& from);
    void on_invite_response(const SipMessage& response);
    void finish_incoming();
    bool in_dialog(const SipMessage& message) const;

    SipMessage new_request(std::string method, std::string uri, const Peer& peer) const;
    SipMessage dialog_request(std::string method, bool next_cseq = true);
    SipMessage response_to(const SipMessage& request, int status, std::string reason) const;
    void reply(const SipMessage& request, const Peer& to, const SipMessage& response);
    void repeat_until_ack(const SipMessage& response, const Peer& to);
    void transact(SipMessage request, const Peer& peer, OnResponse on_response);
    void send(const Peer& peer, const std::string& text);
    void send_ack(const SipMessage& response);
    void ack_refusal(const SipMessage& response, const SipMessage& invite, const Peer& peer);
    void send_bye();
    void send_cancel();
    std::string via(const Peer& peer, std::string_view branch) const;
    std::string contact() const;

    Sdp local_sdp() const;
    bool apply(const Sdp& remote);
    void begin_media();
    void connected();
    void end(EndedBy by);

    PhoneOptions options_;
    SipTransport transport_;
    Fd wake_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::thread thread_;
    bool stopping_ = false;
    bool vanished_ = false;
    bool cancelling_ = false;

    std::optional<MediaLeg> leg_;
    std::string direction_ = "sendrecv";
    unsigned sdp_version_ = 1;
    std::vector<Codec> offer_;
    int event_payload_ = 101;  // ours; sending uses the far end's

    CallState state_ = CallState::idle;
    CallReport facts_;
    std::optional<Dialog> dialog_;
    std::map<std::string, Transaction> transactions_;  // by branch and method
    std::map<std::string, std::string> replies_;       // to repeated requests, by branch and method
    std::optional<Repeat> repeat_;
    std::multimap<Clock::time_point, std::function<void()>> timers_;
    Clock::time_point dialled_;
    Clock::time_point answered_;
    Clock::time_point ended_;
    Clock::time_point media_began_;
    Clock::time_point spoke_;  // the end of our last utterance
};

/// What a response finds its request by.
std::string transaction_key(const SipMessage& message);

}  // namespace jackfield::sim
