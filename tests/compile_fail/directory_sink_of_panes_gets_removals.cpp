// SPDX-License-Identifier: BSL-1.0
// expect: this pipeline takes rows back, and the target of its sink keeps no removals
#include <driftless/agg/count.hpp>
#include <driftless/io/directory_sink.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/run/batch.hpp>

using namespace driftless;

struct click {
    std::int64_t user;
    event_time at;
};
BOOST_HANA_ADAPT_STRUCT(click, user, at);

int main() {
    memory_log<click> const log;
    directory_sink<pane<std::int64_t, std::int64_t>> out{"out"};
    run(batch{},
        from<click>() | assign_time<&click::at>(bounded_disorder{}) | key_by<&click::user>()
            | window(session{duration{10}}, allowed_lateness{duration{10}}) | aggregate(count()),
        log, out);
}
