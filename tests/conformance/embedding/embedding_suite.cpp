#include "conformance/kit/bench.hpp"
#include "conformance/kit/lent.hpp"
#include "conformance/suites.hpp"
#include "plugin_host/adapters/embedding.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::EmbeddingPort;
using Vectors = std::vector<std::vector<float>>;

/// One request; what it lends is the object's own.
class Request {
  public:
    Request(Bench& bench, std::shared_ptr<Bench::Instance> instance, std::vector<std::string> texts, std::uint32_t dim = 0, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), texts_(std::move(texts)), dim_(dim),
          language_(bench.target().language("embedding")), record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.embedding/1");
        for (const std::string& text : texts_) strings_.push_back(str(text));
    }

    jf_embedding_request request() const {
        jf_embedding_request out = make<jf_embedding_request>();
        out.dim = dim_;
        out.deadline_ms = 20'000;
        out.texts = sdk::array(strings_);
        out.language = str(language_);
        return out;
    }
    jf_status start(const jf_embedding_request& wanted) {
        return bench_.begin(record_, *instance_, "embed", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.embed(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Request& started() {
        const jf_status status = start(request());
        if (status != JF_OK) fail(fmt::format("embed answered {}: {}", status_name(status), record_.error));
        return *this;
    }
    /// Waits for it, and checks all that the header promises.
    Vectors vectors() {
        bench_.expect_done(record_, "the request", milliseconds(30'000));
        if (record_.status != JF_OK) fail(fmt::format("the request completed with {}: {}", status_name(record_.status), record_.error));
        Vectors out(texts_.size());
        std::uint32_t dim = dim_;
        for (const Heard& heard : record_.events) {
            if (heard.type() != JF_EV_EMBEDDINGS) continue;
            const auto* part = heard.as<jf_embeddings>();
            require(part != nullptr, "EMBEDDINGS without jf_embeddings");
            require(part->n > 0 && part->first < out.size() && part->n <= out.size() - part->first,
                    fmt::format("EMBEDDINGS for texts {} to {} of {}", part->first, part->first + part->n, out.size()));
            require(part->dim > 0 && (dim == 0 || part->dim == dim), fmt::format("a vector of {} values; wanted: {}", part->dim, dim));
            require(part->values.n == std::uint64_t{part->n} * part->dim, fmt::format("{} vectors of {} values came as {} values", part->n, part->dim, part->values.n));
            dim = part->dim;
            for (std::uint32_t i = 0; i < part->n; ++i) {
                require(out[part->first + i].empty(), fmt::format("text {} is answered twice", part->first + i));
                for (std::uint32_t k = 0; k < dim; ++k) {
                    const float value = *JF_AT(float, part->values, std::size_t{i} * dim + k);
                    require(std::isfinite(value), fmt::format("the vector of text {} holds a value that is not finite", part->first + i));
                    out[part->first + i].push_back(value);
                }
            }
        }
        for (std::size_t i = 0; i < out.size(); ++i) require(!out[i].empty(), fmt::format("text {} got no vector", i));
        require(!record_.last || record_.last->type() == JF_EV_EMBEDDING_USAGE, "it completed with something else than EMBEDDING_USAGE");
        return out;
    }
    OpRecord& record() { return record_; }
    const EmbeddingPort& port() const { return port_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    EmbeddingPort port_;
    std::vector<std::string> texts_;
    std::uint32_t dim_;
    std::string language_;
    std::vector<jf_str> strings_;
    OpRecord& record_;
};

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
    double product = 0, length_a = 0, length_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += static_cast<double>(a[i]) * b[i];
        length_a += static_cast<double>(a[i]) * a[i];
        length_b += static_cast<double>(b[i]) * b[i];
    }
    return product / std::sqrt(length_a * length_b);
}

const std::vector<std::string> some_texts = {"The garage is in Main Street.", "Where can I leave my car? In the garage in Main Street.", "Winter in Norway is long."};

void answers_every_text(Bench& bench) {
    const Vectors found = Request(bench, bench.start(), some_texts).started().vectors();
    const auto declared = bench.target().capability("embedding", "dim").integer_or(0);
    require(declared == 0 || found[0].size() == static_cast<std::size_t>(declared), fmt::format("its capabilities say {} values, and it gave {}", declared, found[0].size()));
}

void is_about_meaning(Bench& bench) {
    const Vectors found = Request(bench, bench.start(), some_texts).started().vectors();
    require(cosine(found[0], found[1]) > cosine(found[0], found[2]), "two texts about one garage are farther apart than one of them and one about winter");
}

void is_normalised(Bench& bench) {
    if (!bench.target().capability("embedding", "normalised").boolean_or(false)) not_applicable("its capabilities don't say that it normalises");
    for (const auto& vector : Request(bench, bench.start(), some_texts).started().vectors()) {
        double length = 0;
        for (const float value : vector) length += static_cast<double>(value) * value;
        require(std::abs(std::sqrt(length) - 1) < 1e-3, fmt::format("a vector has the length {:.4f}, and its capabilities say that it normalises", std::sqrt(length)));
    }
}

void odd_texts(Bench& bench) {
    auto instance = bench.start();
    for (const std::string& odd : {std::string("."), std::string("\xf0\x9f\x98\x80"), std::string("\xff\xfe broken"), std::string("zero\0in it", 10), std::string(20'000, 'x')}) {
        Request request(bench, instance, {"usual", odd});
        const jf_status status = request.start(request.request());
        require_status("embed of an odd text", status, {JF_OK, JF_E_INVALID});
        if (status != JF_OK) continue;
        bench.expect_done(request.record(), "an odd request", milliseconds(30'000));
        if (request.record().status == JF_OK) request.vectors();
    }
}

void refuses(Bench& bench) {
    auto instance = bench.start();
    const auto refused = [&](std::vector<std::string> texts, std::uint32_t dim, std::initializer_list<jf_status> wanted, const char* what) {
        Request request(bench, instance, std::move(texts), dim);
        const jf_status status = request.start(request.request());
        if (status == JF_OK) bench.expect_done(request.record(), what, milliseconds(30'000));
        require_status(what, status == JF_OK ? request.record().status : status, wanted);
    };
    refused({}, 0, {JF_E_INVALID}, "embed without a text");
    refused({"usual", ""}, 0, {JF_E_INVALID}, "embed of an empty text");
    refused({"usual"}, 1'000'003, {JF_E_UNSUPPORTED}, "embed in a million dimensions");
    const auto most = bench.target().capability("embedding", "max_texts").integer_or(0);
    if (most > 0 && most < 2048)
        refused(std::vector<std::string>(static_cast<std::size_t>(most) + 1, "x"), 0, {JF_E_QUOTA}, "embed of more than max_texts");
}

void takes_max_texts(Bench& bench) {
    const auto most = std::min<std::int64_t>(bench.target().capability("embedding", "max_texts").integer_or(1), 256);
    Request(bench, bench.start(), std::vector<std::string>(static_cast<std::size_t>(most), "one of many")).started().vectors();
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    for (int i = 0; i < 2; ++i) {
        Request request(bench, instance, some_texts);
        request.started();
        bench.cancel(request.record());
        bench.cancel(request.record());
        bench.expect_done(request.record(), "the cancelled request", milliseconds(1500));
        require_status("the cancelled request", request.record().status, {JF_E_CANCELLED, JF_OK});
        require(bench.spy().completions_of(request.record().op) == 1, "the plugin did not complete the cancelled request itself");
        require_status("cancel after the completion", bench.plugin_cancel(*instance, request.record().op), {JF_E_INVALID});
    }
}

void slow_host(Bench& bench) {
    auto instance = bench.start();
    Request request(bench, instance, some_texts);
    bench.spy().refuse_emits(2);
    const jf_status status = request.start(request.request());
    require_status("embed while the host takes nothing", status, {JF_OK, JF_E_AGAIN});
    if (status == JF_OK) request.vectors();
    bench.spy().refuse_emits(0);
    Request(bench, instance, some_texts).started().vectors();
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    const Vectors alone = Request(bench, instance, {some_texts[0]}).started().vectors();
    std::vector<std::unique_ptr<Request>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(std::make_unique<Request>(bench, instance, std::vector{some_texts[i % 3]}, 0, i % 2));
    for (const auto& one : all) one->started();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Vectors found = all[i]->vectors();
        if (i % 3 == 0) require(cosine(found[0], alone[0]) > 0.99, "the same text got another vector beside other requests");
    }
}

void borrows_only(Bench& bench) {
    auto instance = bench.start();
    const Vectors usual = Request(bench, instance, some_texts).started().vectors();
    Request request(bench, instance, some_texts);
    Lent lent;
    jf_embedding_request wanted = request.request();
    std::vector<jf_str> texts;
    for (const std::string& text : some_texts) texts.push_back(lent.text(text));
    wanted.texts = lent.array(texts);
    wanted.language = lent.text(wanted.language);
    const jf_embedding_request* const lent_request = lent.copy(wanted);
    require_status("embed", bench.begin(request.record(), *instance, "embed", [&] {
        jf_error error = make<jf_error>();
        const jf_status status = request.port().embed(request.record().op, *lent_request, &error);
        lent.take_back();
        return status;
    }), {JF_OK});
    const Vectors found = request.vectors();
    for (std::size_t i = 0; i < found.size(); ++i) require(cosine(found[i], usual[i]) > 0.99, "the vectors changed with the caller's memory after embed had returned");
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    Request shorter(bench, instance, some_texts);
    jf_embedding_request known = shorter.request();
    known.struct_size = offsetof(jf_embedding_request, language);
    known.language = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    require_status("embed with a jf_embedding_request without its last member", shorter.start(known), {JF_OK});
    shorter.vectors();

    Request longer(bench, instance, some_texts);
    struct {
        jf_embedding_request known;
        std::uint64_t appended[4];
    } later{longer.request(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("embed with a longer jf_embedding_request that ends in zeros", longer.start(later.known), {JF_OK});
    longer.vectors();
}

void refuses_while_quiescing(Bench& bench) {
    auto instance = bench.start();
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    Request late(bench, instance, some_texts);
    require_status("embed after quiesce", late.start(late.request()), {JF_E_STATE});
}

void mid_op(Bench& bench) {
    auto* const request = new Request(bench, bench.start(), some_texts);
    request->started();
}

constexpr Check checks[] = {
    {"embedding.answers_every_text", "Every text gets one vector of the declared dimension, with finite values", "Emit EMBEDDINGS with first, n, dim and n * dim floats.", answers_every_text, 60},
    {"embedding.is_about_meaning", "Texts about one thing are nearer than texts about two", "Look whether vectors go with the right texts.", is_about_meaning, 60},
    {"embedding.is_normalised", "Vectors have the length 1 where the capabilities say so", "Divide by the length, or leave \"normalised\" out.", is_normalised, 60},
    {"embedding.odd_texts", "Odd texts are embedded or refused, and never worse", "Replace what is no UTF-8; answer INVALID to what is too long.", odd_texts, 120},
    {"embedding.refuses", "Empty requests and texts, too many texts and other dimensions are refused", "INVALID, QUOTA, UNSUPPORTED, before anything is sent.", refuses, 60},
    {"embedding.takes_max_texts", "As many texts as the capabilities say fit one request", "Lower max_texts, or send in parts.", takes_max_texts, 60},
    {"embedding.cancels", "cancel completes a request at once, and only once", "Complete from cancel(), and drop what the vendor still sends.", cancels, 60},
    {"embedding.slow_host", "A host that takes no event for a while loses no vector", "Keep what got AGAIN, or answer AGAIN while nothing was emitted.", slow_host, 60},
    {"embedding.several_at_once", "Several requests on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 120},
    {"embedding.borrows_only", "What embed was lent is copied before it returns", "Copy the texts: they are gone when embed returns.", borrows_only, 60},
    {"embedding.struct_sizes", "Requests are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes, 60},
    {"embedding.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE from embed().", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> embedding_checks() { return checks; }
void embedding_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
