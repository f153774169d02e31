#include "app/control_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <istream>
#include <set>
#include <thread>

#include "app/provider_status.hpp"
#include "base/json.hpp"

namespace jackfield::app {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t longest_request = 64 * 1024;
/// A follower that reads slower than calls talk loses its connection, not the host its memory.
constexpr std::size_t most_waiting_lines = 10000;
/// A listener that reads slower than people talk misses some of it: the tap drops, and counts.
constexpr std::size_t most_waiting_audio = 200;
constexpr std::chrono::milliseconds listen_interval{40};

std::string refusal(const std::string& text) {
    base::JsonWriter json;
    json.begin_object().member("ok", false).member("error", text).end_object();
    return json.take();
}

std::string not_live(base::JsonView request) {
    return "there is no live call '" + request["call"].text_or("") + "'; `jackfield calls list --live` shows those there are";
}

void write_live(base::JsonWriter& json, const LiveCall& call) {
    json.begin_object();
    json.member("id", call.id).member("tenant", call.tenant).member("agent", call.agent).member("direction", call.direction);
    json.member("from", call.from).member("to", call.to).member("started_us", call.started.us);
    json.end_object();
}

std::string answer(Host& host, base::JsonView request) {
    const std::string command = request["cmd"].text_or("");
    base::JsonWriter json;
    json.begin_object().member("ok", true);
    if (command == "status") {
        json.member("pid", static_cast<std::int64_t>(::getpid())).member("calls", static_cast<std::uint64_t>(host.calls().count()));
        json.member("draining", host.plugins().draining()).member("open_ops", host.plugins().ops().open_ops());
        write_providers(json, host.plugins().records(), host.directory(), host.plugins().runtime().clock().now());
    } else if (command == "calls") {
        json.key("calls").begin_array();
        for (const LiveCall& call : host.calls().live()) write_live(json, call);
        json.end_array();
    } else if (command == "call") {
        const auto placed = host.calls().place(request["tenant"].text_or(""), request["agent"].text_or(""),
                                               request["provider"].text_or(""), request["to"].text_or(""),
                                               request["from"].text_or(""),
                                               base::Milliseconds(request["ring_timeout_ms"].integer_or(30000)));
        if (!placed) return refusal(placed.error().text());
        json.member("call", *placed);
    } else if (command == "hangup") {
        if (!host.calls().hang_up(request["call"].text_or(""), JF_CAUSE_NORMAL, "operator")) return refusal(not_live(request));
    } else {
        return refusal("unknown command '" + command + "'");
    }
    json.end_object();
    return json.take();
}

/// One client. Shared with its pending operations: it lives until the last of them is done.
class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(Host& host, std::shared_ptr<asio::io_context> io, Protocol::socket socket)
        : host_(host), io_(std::move(io)), socket_(std::move(socket)), timer_(*io_), input_(longest_request) {}
    ~Session() {
        if (subscription_) host_.unsubscribe(subscription_);
    }

    void read() {
        asio::async_read_until(socket_, input_, '\n', [self = shared_from_this()](const auto& error, std::size_t) {
            if (error) return self->close();
            std::istream stream(&self->input_);
            std::string line;
            std::getline(stream, line);
            self->handle(line);
            self->read();
        });
    }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
        if (subscription_) host_.unsubscribe(std::exchange(subscription_, 0));
        if (tap_) std::exchange(tap_, nullptr)->abandon();
        timer_.cancel();
    }

  private:
    void handle(const std::string& line) {
        const auto request = base::JsonDocument::parse(line);
        if (!request) return send(refusal(request.error().text()));
        const std::string command = request->root()["cmd"].text_or("");
        if (command == "listen") return listen(request->root());
        if (command == "trace") return ask_call(request->root(), [](call::Call& call) { return call.trace_json(); });
        if (command == "why") return ask_call(request->root(), [](call::Call& call) { return call.why_json(); });
        if (command != "follow") return send(answer(host_, request->root()));
        if (subscription_) return send(refusal("this connection follows already"));
        subscription_ = host_.subscribe([weak = weak_from_this(), io = io_](const call::CallEvent& event) {
            asio::post(*io, [weak, json = event.json] {
                if (const auto self = weak.lock()) self->send(json);
            });
        });
        send(R"({"ok":true})");
    }
    /// Answers with the members of the object that `read` makes of the call on its shard.
    void ask_call(base::JsonView request, std::function<std::string(call::Call&)> read) {
        const bool there = host_.calls().with_call(
            request["call"].text_or(""), [weak = weak_from_this(), io = io_, read = std::move(read)](call::Call& call) {
                asio::post(*io, [weak, json = R"({"ok":true,)" + read(call).substr(1)] {
                    if (const auto self = weak.lock()) self->send(json);
                });
            });
        if (!there) send(refusal(not_live(request)));
    }
    /// Who is at the other end, as the kernel knows it.
    std::string peer() {
        ucred credentials{};
        socklen_t size = sizeof credentials;
        if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return "unknown";
        return "uid " + std::to_string(credentials.uid) + " pid " + std::to_string(credentials.pid);
    }
    void listen(base::JsonView request) {
        if (tap_) return send(refusal("this connection listens already"));
        const bool there = host_.calls().with_call(
            request["call"].text_or(""), [weak = weak_from_this(), io = io_, who = peer(), what = request["what"].text_or("listen")](call::Call& call) {
                asio::post(*io, [weak, tap = call.listen(who, what == "pcap" ? "pcap" : "listen")] {
                    if (const auto self = weak.lock()) self->begin_listening(tap);
                    else if (tap) tap->abandon();
                });
            });
        if (!there) send(refusal(not_live(request)));
    }
    void begin_listening(std::shared_ptr<call::AudioTap> tap) {
        if (!tap) return send(refusal("the call has not been answered, or is over"));
        if (!socket_.is_open()) return tap->abandon();
        tap_ = std::move(tap);
        base::JsonWriter json;
        json.begin_object().member("ok", true).member("law", tap_->law() == media::G711Law::mu ? "mu" : "a").member("rate_hz", media::narrowband_hz);
        json.end_object();
        send(json.take());
        pass_audio();
    }
    void pass_audio() {
        if (!tap_ || !socket_.is_open()) return;
        const bool over = tap_->ended(); // asked before the last look: what was written until then is read below
        media::RecordingChunk chunk;
        bool all = false;
        while (output_.size() < most_waiting_audio) {
            all = !tap_->read(chunk);
            if (all) break;
            constexpr const char* digits = "0123456789abcdef";
            std::string codes;
            codes.reserve(chunk.size * 2);
            for (std::size_t i = 0; i < chunk.size; ++i) {
                codes += digits[chunk.codes[i] >> 4];
                codes += digits[chunk.codes[i] & 15];
            }
            base::JsonWriter json;
            json.begin_object().member("side", chunk.side == media::RecordingSide::caller ? "caller" : "agent");
            json.member("at", static_cast<std::int64_t>(chunk.at)).member("codes", codes).end_object();
            send(json.take());
        }
        if (over && all) {
            base::JsonWriter json;
            json.begin_object().member("over", true).member("dropped_samples", tap_->dropped_samples()).end_object();
            send(json.take());
            tap_.reset();
            return;
        }
        timer_.expires_after(listen_interval);
        timer_.async_wait([self = shared_from_this()](const auto& error) {
            if (!error) self->pass_audio();
        });
    }
    void send(std::string line) {
        if (!socket_.is_open()) return;
        if (output_.size() > most_waiting_lines) return close();
        output_.push_back(std::move(line) + "\n");
        if (output_.size() == 1) write();
    }
    void write() {
        asio::async_write(socket_, asio::buffer(output_.front()), [self = shared_from_this()](const auto& error, std::size_t) {
            if (error) return self->close();
            self->output_.pop_front();
            if (!self->output_.empty()) self->write();
        });
    }

    Host& host_;
    std::shared_ptr<asio::io_context> io_; ///< shards may post to it while the server goes
    Protocol::socket socket_;
    asio::steady_timer timer_;
    std::shared_ptr<call::AudioTap> tap_;
    asio::streambuf input_;
    std::deque<std::string> output_;
    std::uint64_t subscription_ = 0;
};

}  // namespace

struct ControlServer::Impl {
    Impl(Host& h, std::filesystem::path p) : host(h), path(std::move(p)), acceptor(io) {}

    void accept() {
        acceptor.async_accept([this](const auto& error, Protocol::socket socket) {
            if (error) return;
            const auto session = std::make_shared<Session>(host, shared_io, std::move(socket));
            session->read();
            sessions.insert(session);
            std::erase_if(sessions, [](const auto& weak) { return weak.expired(); });
            accept();
        });
    }

    Host& host;
    std::filesystem::path path;
    std::shared_ptr<asio::io_context> shared_io = std::make_shared<asio::io_context>(1);
    asio::io_context& io = *shared_io;
    Protocol::acceptor acceptor;
    std::set<std::weak_ptr<Session>, std::owner_less<>> sessions;
    std::thread thread;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<ControlServer>> ControlServer::create(Host& host, const std::filesystem::path& socket) {
    std::error_code folder_error;
    std::filesystem::create_directories(socket.parent_path(), folder_error);
    {
        asio::io_context io;
        Protocol::socket probe(io);
        boost::system::error_code error;
        probe.connect(Protocol::endpoint(socket.string()), error);
        if (!error)
            return base::Error(base::ErrorCode::conflict, socket.string() + ": another host answers there; stop it, or give this one its own [host] control_socket");
    }
    ::unlink(socket.c_str());
    auto impl = std::make_unique<Impl>(host, socket);
    boost::system::error_code error;
    impl->acceptor.open(Protocol(), error);
    const mode_t before = ::umask(0177); // whoever may connect may place calls: the owner only
    if (!error) impl->acceptor.bind(Protocol::endpoint(socket.string()), error);
    ::umask(before);
    if (!error) impl->acceptor.listen(16, error);
    if (error) return base::Error(base::ErrorCode::quota, socket.string() + ": " + error.message());
    impl->accept();
    impl->thread = std::thread([&io = impl->io] { io.run(); });
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::~ControlServer() {
    asio::post(impl_->io, [this] {
        impl_->acceptor.close();
        for (const auto& weak : impl_->sessions)
            if (const auto session = weak.lock()) session->close();
        impl_->io.stop();
    });
    impl_->thread.join();
    // What the closing cancelled still holds its session, and the session holds the context that holds it.
    impl_->io.restart();
    impl_->io.poll();
    ::unlink(impl_->path.c_str());
}

base::Result<> control_request(const std::filesystem::path& socket, const std::string& request,
                               const std::function<bool(const std::string&)>& on_line) {
    asio::io_context io;
    Protocol::socket peer(io);
    boost::system::error_code error;
    peer.connect(Protocol::endpoint(socket.string()), error);
    if (error)
        return base::Error(base::ErrorCode::not_found, "no host answers on " + socket.string() + " (" + error.message() +
                                                           "); start one with `jackfield serve`, or name its configuration with --config");
    asio::write(peer, asio::buffer(request + "\n"), error);
    asio::streambuf input;
    while (!error) {
        asio::read_until(peer, input, '\n', error);
        if (error) break;
        std::istream stream(&input);
        std::string line;
        std::getline(stream, line);
        if (!on_line(line)) return {};
    }
    return {};
}

}  // namespace jackfield::app
