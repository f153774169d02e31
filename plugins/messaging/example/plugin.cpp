// messaging/example: the smallest messenger there is. A message sent is a file in outbox/, a file laid into inbox/ is a message received, and
// accept() moves it to accepted/. One that comes as a webhook is a file's contents, with the secret that both sides know. Copy the folder, put a
// real provider's protocol where the files are.

#include <jackfield/sdk/async.hpp>
#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/messaging.hpp>
#include <jackfield/sdk/webhook.hpp>

#include <mutex>
#include <set>

#include "folder.hpp"

namespace jackfield::messaging_example {

constexpr std::size_t most_at_once = 100;

/// The poll that is open. Timers and workers hold it too, so that they find out when it is over.
struct Poll {
    jf_op op;
    std::set<std::string> told;     ///< emitted and not accepted; comes again with the next poll
    std::set<std::string> accepted; ///< and still on their way out of inbox/
    bool over = false;
};

class Messenger {
  public:
    static std::unique_ptr<Messenger> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Messenger>(host, Folder(config.text("folder", "var/messages")), std::chrono::milliseconds(config.integer("poll_ms", 1000)),
                                           config.text("webhook_secret"));
    }
    Messenger(sdk::Host host, Folder folder, std::chrono::milliseconds pause, std::string secret)
        : host_(host), folder_(std::move(folder)), pause_(pause), secret_(std::move(secret)) {}

    /// A control call may block.
    void start(jf_op op) {
        folder_.prepare();
        gate_.open();
        host_.complete(op);
    }
    /// Letters on their way are waited for; a poll would go on for ever.
    void quiesce(jf_op op, std::uint32_t budget_ms) {
        end_poll();
        gate_.close(host_, op, budget_ms);
    }
    const void* query(std::string_view interface_id) {
        if (interface_id == JF_MESSAGING_V1) return sdk::messaging_table<Messenger>();
        if (interface_id == JF_WEBHOOK_V1) return sdk::webhook_table<Messenger>();
        return nullptr;
    }
    /// A message on its way to the disk is there in a moment: its op completes by itself, as messaging.h allows.
    jf_status cancel(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            if (!poll_ || poll_->op != op) return gate_.has(op) ? JF_OK : JF_E_INVALID;
        }
        end_poll();
        return JF_OK;
    }

    void send(jf_op op, const jf_outbound_message& message) {
        if (sdk::view(message.channel) != "file") throw sdk::Failure(JF_E_UNSUPPORTED, "this messenger has the channel 'file'");
        if (message.template_name.len || message.attachments.n) throw sdk::Failure(JF_E_UNSUPPORTED, "letters have neither templates nor attachments");
        Letter letter;
        letter.from = sdk::view(message.from);
        letter.to = sdk::view(message.to);
        letter.subject = sdk::view(message.subject);
        letter.text = sdk::view(message.text);
        if (letter.to.empty()) throw sdk::Failure(JF_E_INVALID, "a letter needs somebody that it goes to");
        // One key, one file: a message that is sent again finds itself there.
        const std::string key(sdk::view(message.idempotency_key));
        if (key.empty()) letter.id = std::to_string(host_.now_ns()) + "-" + std::to_string(op);
        else letter.id = is_plain_name(key) ? key : hex(key);
        gate_.enter(op);
        auto problem = std::make_shared<std::string>();
        const auto write = [this, letter, problem] {
            try {
                folder_.put(letter);
                return JF_OK;
            } catch (const sdk::Failure& failure) {
                *problem = failure.what();
                return failure.code();
            }
        };
        try {
            sdk::blocking(host_, op, write, [this, op, id = letter.id, to = letter.to, problem](jf_status status) {
                const sdk::Host host = host_;
                gate_.leave(host, op);
                if (status == JF_OK) sdk::sent(host, op, id, to);
                else host.fail(op, sdk::Failure(status, *problem, JF_RETRY_AFTER));
            });
        } catch (...) {
            gate_.leave(host_, op);
            throw;
        }
    }

    void poll(jf_op op) {
        gate_.enter(op);
        std::shared_ptr<Poll> opened;
        {
            const std::lock_guard lock(mutex_);
            if (poll_) {
                gate_.leave(host_, op);
                throw sdk::Failure(JF_E_STATE, "this messenger is polled already");
            }
            poll_ = opened = std::make_shared<Poll>(Poll{op, {}, {}, false});
        }
        look(opened);
    }
    jf_status accept(jf_op op, std::string_view id) {
        const std::string name(id);
        std::shared_ptr<Poll> poll;
        {
            const std::lock_guard lock(mutex_);
            if (!poll_ || poll_->op != op) return JF_E_INVALID;
            if (poll_->told.erase(name) == 0) return JF_E_NOT_FOUND;
            poll_->accepted.insert(name);
            poll = poll_;
        }
        // Should the move fail the letter comes again, which is what the contract wants.
        sdk::blocking(host_, JF_NO_OP, [this, name] { return folder_.accept(name) ? JF_OK : JF_E_NOT_FOUND; }, [this, poll, name](jf_status) {
            const std::lock_guard lock(mutex_);
            poll->accepted.erase(name);
        });
        return JF_OK;
    }

    /// Whom a letter is for stands in its head. No secret, no instance, nothing but the bytes.
    static std::optional<std::string_view> route(const jf_http_request& request) {
        const std::string_view body = sdk::view(request.body);
        const std::size_t head = std::min(body.find("\n\n"), body.size()), to = body.starts_with("to: ") ? 0 : body.substr(0, head).find("\nto: ");
        if (to == std::string_view::npos) return std::nullopt;
        const std::size_t from = to + (to == 0 ? 4 : 5);
        return body.substr(from, std::min(body.find('\n', from), head) - from).substr(0, JF_ROUTE_KEY_BYTES);
    }
    /// First who sent it, then whether it has come before, then what it says. A provider of yours signs the body instead of sending the secret.
    void receive(jf_op op, const jf_http_request& request) {
        if (!sdk::equal_secrets(sdk::header(request, "x-letter-secret"), secret_)) throw sdk::Failure(JF_E_AUTH, "the secret is another one");
        const std::string id(sdk::header(request, "x-letter-id"));
        if (!is_plain_name(id)) throw sdk::Failure(JF_E_INVALID, "x-letter-id: letters, digits, '.', '_' and '-'");
        if (host_.emit(op, JF_EV_HTTP_ONCE, sdk::str(id)) != JF_OK) throw sdk::Failure(JF_E_AGAIN, "the host takes nothing at present");
        Letter letter = read_letter(sdk::view(request.body));
        letter.id = id;
        // Not taken: the sender is told so and comes again.
        if (emit_letter(op, letter) != JF_OK) throw sdk::Failure(JF_E_AGAIN, "the host takes nothing at present");
        sdk::http_reply(host_, op, 204);
    }

  private:
    static std::string hex(std::string_view key) {
        constexpr const char* digits = "0123456789abcdef";
        std::string out = "key-";
        for (const char c : key.substr(0, 90)) (out += digits[static_cast<unsigned char>(c) >> 4]) += digits[static_cast<unsigned char>(c) & 15];
        return out;
    }
    void end_poll() {
        std::shared_ptr<Poll> ended;
        {
            const std::lock_guard lock(mutex_);
            ended.swap(poll_);
            if (ended) ended->over = true;
        }
        if (!ended) return;
        const sdk::Host host = host_;
        gate_.leave(host, ended->op);
        host.complete(ended->op, JF_E_CANCELLED);
    }

    /// Reads the folder on a worker, tells what is new, and comes back after a pause.
    void look(const std::shared_ptr<Poll>& poll) {
        auto found = std::make_shared<std::vector<Letter>>();
        const auto read = [this, found] {
            *found = folder_.incoming(most_at_once);
            return JF_OK;
        };
        try {
            sdk::blocking(host_, poll->op, read, [this, poll, found](jf_status status) {
                if (status != JF_OK) host_.log(JF_LOG_WARN, "messaging.inbox_unreadable");
                for (const Letter& letter : *found)
                    if (!tell(*poll, letter)) break;
                look_later(poll);
            });
        } catch (const sdk::Failure&) {
            look_later(poll); // the workers are busy
        }
    }
    void look_later(const std::shared_ptr<Poll>& poll) {
        const std::lock_guard lock(mutex_);
        // Under the lock, so that the op cannot end in between.
        if (!poll->over) sdk::after(host_, poll->op, pause_, [this, poll] { look(poll); });
    }
    /// False: the host takes no more; what is left is told after the pause.
    bool tell(Poll& poll, const Letter& letter) {
        {
            const std::lock_guard lock(mutex_);
            if (poll.over) return false;
            if (poll.accepted.contains(letter.id)) return true;
            if (!poll.told.insert(letter.id).second) return true;
        }
        if (emit_letter(poll.op, letter) == JF_OK) return true;
        const std::lock_guard lock(mutex_);
        poll.told.erase(letter.id);
        return false;
    }
    jf_status emit_letter(jf_op op, const Letter& letter) const {
        jf_inbound_message message = sdk::make<jf_inbound_message>();
        message.id = sdk::str(letter.id);
        message.channel = sdk::str("file");
        message.from = sdk::str(letter.from);
        message.to = sdk::str(letter.to);
        message.subject = sdk::str(letter.subject);
        message.text = sdk::str(letter.text);
        return host_.emit(op, JF_EV_MSG_INBOUND, message);
    }

    const sdk::Host host_;
    const Folder folder_;
    const std::chrono::milliseconds pause_;
    const std::string secret_;
    std::mutex mutex_; // ops run side by side
    sdk::Gate gate_;
    std::shared_ptr<Poll> poll_;
};

}  // namespace jackfield::messaging_example

JACKFIELD_MODULE(jackfield::messaging_example::Messenger)
