#pragma once

#include <jackfield/sdk/plugin.hpp>

#include <memory>

#include "config.hpp"
#include "hints.hpp"
#include "pool.hpp"

namespace jackfield::pocketsphinx {

/// What the streams of one instance share. Lives as long as the instance, hence longer than any stream's job.
struct Engine {
    /// Ends of jobs say nothing that the job didn't say itself.
    class Ignored : public sdk::OpUser {
        void on_event(jf_op, const jf_event&) override {}
        void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {}
    };

    Engine(sdk::Host host_in, Options options_in)
        : host(host_in),
          options(std::move(options_in)),
          worker(host.facility<jf_host_worker_v1>(JF_FACILITY_WORKER)),
          timer(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)),
          metrics(host.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS)),
          lexicon(std::make_shared<const Lexicon>(Dictionary::open(options.dictionary), options.pronunciations)),
          vocabularies(options, lexicon),
          pool(options, lexicon) {
        if (!worker || !timer) throw sdk::Failure(JF_E_UNSUPPORTED, "the host has no jf.host.worker/1 or jf.host.timer/1");
    }

    void count(std::string_view name, std::uint64_t n = 1) const {
        if (metrics) metrics->count(host.ctx(), sdk::str(name), n);
    }

    const sdk::Host host;
    const Options options;
    const jf_host_worker_v1* const worker;
    const jf_host_timer_v1* const timer;
    const jf_host_metrics_v1* const metrics;
    const std::shared_ptr<const Lexicon> lexicon;
    VocabularyCache vocabularies;
    Pool pool;
    Ignored ignored;
};

}  // namespace jackfield::pocketsphinx
