// The instance's way into service and out of it: sockets, what stands before them, and their end.

#include "libre_address.hpp"
#include "signalling.hpp"
#include "sockets.hpp"
#include "text.hpp"

#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace jackfield::sip {
namespace {

constexpr std::uint32_t table_size = 1024;  // of libre's transaction and dialog tables
constexpr auto close_patience = std::chrono::milliseconds(1500);

struct Credentials {
    char* username;
    char* password;
};

void free_credentials(void* object) {
    auto* credentials = static_cast<Credentials*>(object);
    mem_deref(credentials->username);
    mem_deref(credentials->password);
}

}  // namespace

int Signalling::on_credentials(char** username, char** password, const char*, void* object) {
    const auto* credentials = static_cast<const Credentials*>(object);
    if (!credentials || !credentials->username || !*credentials->username) return EACCES;
    const int problem = str_dup(username, credentials->username);
    return problem ? problem : str_dup(password, credentials->password);
}

void Signalling::start() {
    std::optional<sdk::Failure> failure;
    std::promise<int> filtered;
    std::future<int> result = filtered.get_future();
    loop_->run([&] {
        try {
            bind_all();
            filtered_ = &filtered;
            probe();
        } catch (const sdk::Failure& problem) {
            failure = problem;
            filtered_ = nullptr;
            close_everything();
        }
    });
    if (failure) throw *failure;
    const bool receiving = result.wait_for(std::chrono::seconds(2)) == std::future_status::ready;
    const int problem = receiving ? result.get() : 0;
    loop_->run([&] {
        filtered_ = nullptr;
        if (!receiving || problem)
            close_everything();
        else
            begin_service();
    });
    if (problem)
        throw sdk::Failure(JF_E_INVALID,
                           std::string("can't listen on every address: ") + std::strerror(problem));
    if (!receiving)
        throw sdk::Failure(JF_E_TIMEOUT,
                           "a UDP listener is bound but receives nothing that is sent to it on "
                           "this machine: a packet filter is in "
                           "the way of loopback traffic");
    for (const Listen& listen : bound_)
        host_.log(JF_LOG_INFO,
                  "sip.listening",
                  {{"transport", transport_name(listen.transport)},
                   {"address", endpoint_text(listen.address)}});
}

/// The library shows each message just before it goes out, which is the only place where a message and the connection that it opens
/// meet.
void Signalling::check_tls_name(const struct sa* from, std::string_view message) {
    // On a connection that the far end made there is no name to compare.
    const bool theirs = std::any_of(bound_.begin(), bound_.end(), [&](const Listen& one) {
        return one.transport == Transport::tls && one.address.port == sa_port(from);
    });
    if (tls_ && !theirs) tls_->before_request(message);
}

void Signalling::expect_tls(std::string_view uri) const {
    struct uri parsed;
    const struct pl text = pl_of(uri);
    if (tls_ && uri_decode(&parsed, &text) == 0) tls_->expect(std::string(view(parsed.host)));
}

void Signalling::bind_all() {
    const char* const software =
        options_.user_agent.empty() ? nullptr : options_.user_agent.c_str();
    struct sa servers[8];
    char domain[256];
    std::uint32_t count_of_servers = 8;
    const std::vector<jf_endpoint>& own_servers = options_.trunk.dns_servers;
    if (!own_servers.empty()) {
        count_of_servers = static_cast<std::uint32_t>(own_servers.size());
        std::transform(own_servers.begin(), own_servers.end(), servers, sa_of);
    }
    // Without a resolver the stack still serves; only names can't be dialled.
    if (!own_servers.empty() || dns_srv_get(domain, sizeof domain, servers, &count_of_servers) == 0)
        (void)dnsc_alloc(&dns_, nullptr, servers, count_of_servers);
    const auto on_exit = [](void* self) {
        auto* signalling = static_cast<Signalling*>(self);
        signalling->exited_ = true;
        signalling->closed_.set_value();
    };
    if (sip_alloc(&sip_, dns_, table_size, table_size, table_size, software, on_exit, this))
        throw sdk::Failure(JF_E_INTERNAL, "the SIP stack can't be made");
    sip_set_trace_handler(sip_, [](bool out,
                                   enum sip_transp transport,
                                   const struct sa* from,
                                   const struct sa* to,
                                   const std::uint8_t* packet,
                                   std::size_t length,
                                   void* self) {
        auto& signalling = *static_cast<Signalling*>(self);
        if (!out) signalling.note_cancel({reinterpret_cast<const char*>(packet), length});
        if (out && transport == SIP_TRANSP_TLS)
            signalling.check_tls_name(from, {reinterpret_cast<const char*>(packet), length});
        TracedMessage message;
        message.out = out;
        message.transport = transport == SIP_TRANSP_UDP   ? JF_SIGNALLING_UDP
                            : transport == SIP_TRANSP_TCP ? JF_SIGNALLING_TCP
                            : transport == SIP_TRANSP_TLS ? JF_SIGNALLING_TLS
                                                          : JF_SIGNALLING_OTHER;
        message.at_ns = signalling.host_.now_ns();
        message.local = endpoint_of(out ? *from : *to);
        message.remote = endpoint_of(out ? *to : *from);
        sdk::guarded(nullptr, [&] {
            signalling.trace(std::move(message),
                             {reinterpret_cast<const char*>(packet), length});
        });
    });
    for (const Listen& listen : options_.listen) bind(listen);

    // In the order in which requests pass: what is for nobody, what belongs to a call, what nobody
    // took.
    const auto gate = [](const struct sip_msg* msg, void* self) {
        return static_cast<Signalling*>(self)->on_request(msg);
    };
    const auto last = [](const struct sip_msg* msg, void* self) {
        return static_cast<Signalling*>(self)->on_unhandled(msg);
    };
    // The library writes stray responses to stderr when nobody takes them.
    const auto last_response = [](const struct sip_msg*, void*) { return true; };
    const auto first_response = [](const struct sip_msg* msg, void* self) {
        return static_cast<Signalling*>(self)->on_response(msg);
    };
    if (sip_listen(&gate_, sip_, true, gate, this) ||
        sip_listen(&first_response_, sip_, false, first_response, this) ||
        sipsess_listen(&socket_, sip_, table_size, nullptr, nullptr) ||
        sip_listen(&last_, sip_, true, last, this) ||
        sip_listen(&last_response_, sip_, false, last_response, this))
        throw sdk::Failure(JF_E_INTERNAL, "out of memory");

    auto* credentials =
        static_cast<Credentials*>(mem_zalloc(sizeof(Credentials), free_credentials));
    if (credentials) {
        (void)str_dup(&credentials->username, options_.username.c_str());
        (void)str_dup(&credentials->password, options_.password.c_str());
    }
    credentials_ = credentials;
}

void Signalling::bind(const Listen& listen) {
    const auto fail = [&](int problem) {
        const std::string where =
            std::string(transport_name(listen.transport)) + ":" + endpoint_text(listen.address);
        std::string remedy;
        if (problem == EADDRINUSE)
            remedy =
                ": another program or instance has it; stop that one (`ss -lnp` names it) or "
                "choose another port";
        else if (problem == EACCES)
            remedy = ": ports below 1024 need CAP_NET_BIND_SERVICE";
        else if (problem == EADDRNOTAVAIL)
            remedy = ": no interface of this machine has this address";
        throw sdk::Failure(problem == EADDRINUSE ? JF_E_CONFLICT : JF_E_INVALID,
                           "can't listen on " + where + ": " + std::strerror(problem) + remedy);
    };
    // The stack tells the port of its first listener only; so port 0 is settled here.
    Listen actual = listen;
    const bool udp = listen.transport == Transport::udp;
    if (listen.transport == Transport::tls && !tls_)
        tls_ = std::make_unique<Tls>(options_, [this](std::string_view host, std::string_view why) {
            count("sip_refused_tls_connections");
            host_.log(JF_LOG_WARN, "sip.tls_refused", {{"host", printable(host)}, {"reason", std::string(why)}});
        });
    if (const int problem = free_port(!udp, actual.address))
        fail(problem);
    // The stack refuses to listen on every address. For UDP it is given one, and its socket is
    // exchanged for a wide one when the probe has shown it; for TCP, where each connection is a
    // socket of its own, it listens on all that there are.
    std::vector<jf_endpoint> named{actual.address};
    if (is_any(actual.address)) {
        if (!udp)
            named = interface_addresses(actual.address.family);
        else
            named = {primary_address(actual.address.family)};
        if (named.empty()) fail(EADDRNOTAVAIL);
    }
    for (jf_endpoint& one : named) {
        one.port = actual.address.port;
        const struct sa address = sa_of(one);
        const enum sip_transp transport = udp                                   ? SIP_TRANSP_UDP
                                          : listen.transport == Transport::tcp ? SIP_TRANSP_TCP
                                                                               : SIP_TRANSP_TLS;
        if (const int problem =
                sip_transp_add(sip_, transport, &address, tls_ ? tls_->context() : nullptr))
            fail(problem);
    }
    bound_.push_back(actual);
    if (udp)
        filters_.push_back(std::make_unique<Filter>(Filter{*this, actual.address, named.front()}));
}

/// The library's UDP sockets aren't to be had from outside, except from a message that came in on
/// one. So a message is sent to each of them; its arrival also shows that the listener receives.
void Signalling::probe() {
    std::uint64_t random[2];
    rand_bytes(reinterpret_cast<std::uint8_t*>(random), sizeof random);
    char id[40];
    std::snprintf(id, sizeof id, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    probe_id_ = id;
    unfiltered_ = filters_.size();
    if (unfiltered_ == 0) filtered_->set_value(0);
    for (std::size_t i = 0; i < filters_.size(); ++i)
        send_datagram(
            filters_[i]->named,
            "OPTIONS sip:" + endpoint_text(filters_[i]->named) +
                " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + probe_id_ +
                "\r\nFrom: <sip:probe@localhost>;tag=1\r\nTo: <sip:probe@localhost>\r\nCall-ID: " +
                probe_id_ + "\r\nCSeq: " + std::to_string(i + 1) +
                " OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n");
}

bool Signalling::on_probe(const struct sip_msg* msg) {
    if (probe_id_.empty() || pl_strcmp(&msg->callid, probe_id_.c_str()) != 0 ||
        msg->tp != SIP_TRANSP_UDP)
        return false;
    const std::size_t index = msg->cseq.num - 1;
    if (index >= filters_.size() || filters_[index]->helper || unfiltered_ == 0) return true;
    const int problem = filter(*filters_[index], static_cast<struct udp_sock*>(msg->sock));
    if (problem)
        unfiltered_ = 0;
    else
        --unfiltered_;
    if (unfiltered_ == 0) {
        probe_id_.clear();
        if (filtered_) filtered_->set_value(problem);
    }
    return true;
}

/// Sets the filter before a socket of the stack's; makes it a wide one where that is asked for.
int Signalling::filter(Filter& filter, struct udp_sock* socket) {
    const auto on_receive = [](struct sa* from, struct mbuf* mb, void* self) {
        return static_cast<Filter*>(self)->owner.drop_datagram(endpoint_of(*from), mb);
    };
    const auto on_send = [](int*, struct sa* to, struct mbuf* mb, void* self) {
        const auto* one = static_cast<Filter*>(self);
        if (is_any(one->address)) one->owner.name_our_address(*one, to, mb);
        return false;
    };
    filter.socket = socket;
    if (const int problem =
            udp_register_helper(&filter.helper, socket, 0, on_send, on_receive, &filter))
        return problem;
    if (!is_any(filter.address)) return 0;
    const int fd = udp_sock_fd(socket, filter.address.family == JF_NET_IPV6 ? AF_INET6 : AF_INET);
    udp_thread_detach(socket);  // the loop forgets a socket that is closed under it
    const int problem = widen(fd, filter.address);
    const int attached = udp_thread_attach(socket);
    return problem ? problem : attached;
}

jf_endpoint Signalling::listener_of(const struct sip_msg* msg) const {
    for (const std::unique_ptr<Filter>& one : filters_)
        if (msg->tp == SIP_TRANSP_UDP && one->socket == msg->sock) return one->address;
    return endpoint_of(msg->dst);
}

/// True when the datagram goes no further: from an address that isn't allowed, or nothing that the
/// stack could make sense of (it would say so on stderr, once for each).
bool Signalling::drop_datagram(const jf_endpoint& from, struct mbuf* mb) {
    if (!may_send(from)) {
        count("sip_refused_sources");
        return true;
    }
    const std::size_t begin = mb->pos;
    struct sip_msg* msg = nullptr;
    const int problem = sip_msg_decode(&msg, mb);
    const bool unwanted = !problem && is_unwanted(from, msg);
    mem_deref(msg);
    mb->pos = begin;
    if (problem) count("sip_malformed_messages");
    return problem != 0 || unwanted;
}

/// A listener on every address has one name for itself in Via; the peer gets the one that faces it.
void Signalling::name_our_address(const Filter& filter,
                                  const struct sa* to,
                                  struct mbuf* mb) const {
    const std::string_view message(reinterpret_cast<const char*>(mbuf_buf(mb)), mbuf_get_left(mb));
    const std::size_t line = message.find("\r\n");
    if (message.starts_with("SIP/2.0 ") || line == std::string_view::npos) return;
    const std::string ours = "\r\nVia: SIP/2.0/UDP " + endpoint_text(filter.named) + ";";
    if (!message.substr(line).starts_with(ours)) return;
    jf_endpoint facing = local_facing(filter.address, endpoint_of(*to));
    facing.port = filter.named.port;
    if (same_endpoint(facing, filter.named)) return;
    const std::string text = std::string(message.substr(0, line)) + "\r\nVia: SIP/2.0/UDP " +
                             endpoint_text(facing) + ";" +
                             std::string(message.substr(line + ours.size()));
    mbuf_rewind(mb);
    if (mbuf_write_mem(mb, reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) == 0)
        mb->pos = 0;
}

Signalling::~Signalling() {
    bool open = false;
    loop_->run([&] {
        open = sip_ != nullptr;
        if (open) hang_up_everything();
    });
    if (!open) return;
    (void)closed_.get_future().wait_for(close_patience);
    loop_->run([&] { close_everything(); });
}

void Signalling::hang_up_everything() {
    const auto sessions = sessions_;  // each takes itself out
    for (const auto& [id, session] : sessions) session->hang_up(JF_CAUSE_UNAVAILABLE);
    while (!reaps_.empty()) cancel_reap(reaps_.begin()->first);
    end_service();
    closing_ = true;
    sip_close(sip_, false);
}

void Signalling::close_everything() {
    if (!sip_) return;
    if (closing_ && !exited_) {
        // Transactions that nobody answered. A session passes through two states on its way out,
        // each of which may wait.
        sipsess_close_all(socket_);
        sip_close(sip_, true);
        sipsess_close_all(socket_);
        sip_close(sip_, true);
    }
    trunks_.stop();
    registration_.reset();
    for (const std::unique_ptr<Filter>& filter : filters_) mem_deref(filter->helper);
    filters_.clear();
    gate_ = static_cast<struct sip_lsnr*>(mem_deref(gate_));
    last_ = static_cast<struct sip_lsnr*>(mem_deref(last_));
    last_response_ = static_cast<struct sip_lsnr*>(mem_deref(last_response_));
    first_response_ = static_cast<struct sip_lsnr*>(mem_deref(first_response_));
    socket_ = static_cast<struct sipsess_sock*>(mem_deref(socket_));
    // Between sip_close() and the exit handler the stack is not ours to drop.
    if (!closing_ || exited_) mem_deref(sip_);
    sip_ = nullptr;
    bound_.clear();
    unfiltered_ = 0;
    dns_ = static_cast<struct dnsc*>(mem_deref(dns_));
    credentials_ = mem_deref(credentials_);
    tls_.reset();
}

}  // namespace jackfield::sip
