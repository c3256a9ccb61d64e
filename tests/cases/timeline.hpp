// SPDX-License-Identifier: BSL-1.0
// Scripts of records, watermarks and clock moves, and the lines that come out, each with the number of the move that
// brought it. Every case is run as it stands, with a snapshot and restore after every move, and on 1, 2 and 3 shards.
#ifndef DRIFTLESS_TESTS_CASES_TIMELINE_HPP
#define DRIFTLESS_TESTS_CASES_TIMELINE_HPP

#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cases {
using namespace driftless;

struct hit {
    std::int64_t key;
    std::int64_t value;
};

/// Times are plain numbers, in the unit of the case.
struct move {
    enum class what {
        record,
        watermark,
        clock,
        end
    };
    what kind;
    std::int64_t time = 0;
    hit record{};
};
inline move hit_at(std::int64_t time, std::int64_t value = 1, std::int64_t key = 1) {
    return {move::what::record, time, {key, value}};
}
inline move wm(std::int64_t time) { return {move::what::watermark, time}; }
inline move pt(std::int64_t time) { return {move::what::clock, time}; }
inline move end() { return {move::what::end}; }

inline std::string text_of(event_time t) { return t.is_infinite() ? "inf" : std::to_string(t.ns()); }
inline std::string text_of(time_window w) {
    return "[" + (w.start.is_infinite() ? std::string{"-inf"} : text_of(w.start)) + "," + text_of(w.end) + ")";
}
inline std::string text_of(pane_info const& info) {
    std::string const when = info.timing == timing::early ? "early" : info.timing == timing::on_time ? "on time"
                                                                                                     : "late";
    return when + " " + std::to_string(info.index) + "," + std::to_string(info.non_speculative_index)
        + (info.first ? " first" : "") + (info.last ? " last" : "");
}

/// "3: 1 [0,10) = 7 on time 0,0 first": the fourth move brought 7 for key 1 in [0,10).
class recorder {
    std::vector<std::string>& lines_;
    std::size_t const& now_;

    template <class Row>
    std::string line(Row const& row) const {
        return std::to_string(now_) + ": " + std::to_string(row.key) + " " + text_of(row.window) + " = "
            + std::to_string(row.value) + " " + text_of(row.info);
    }

public:
    recorder(std::vector<std::string>& lines, std::size_t const& now) : lines_(lines), now_(now) {}
    template <class Value>
    void write(pane<std::int64_t, Value> const& row) {
        lines_.push_back(line(row));
    }
    void remove(std::int64_t key, time_window window) {
        lines_.push_back(std::to_string(now_) + ": " + std::to_string(key) + " " + text_of(window) + " removed");
    }
    template <class Value>
    void retract(pane<std::int64_t, Value> const& row) {
        lines_.push_back("not " + line(row));
    }
};

struct outcome {
    std::vector<std::string> lines;
    driftless::report report;
    [[nodiscard]] std::uint64_t refused(reason why) const { return report.refused(why); }
    [[nodiscard]] std::uint64_t refused() const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < reason_count; ++i) sum += refused(static_cast<reason>(i));
        return sum;
    }
};

template <class P>
outcome play(P const& pipeline, std::vector<move> const& script, bool restoring, std::size_t threads) {
    using engine = driftless::detail::engine<streaming, P, std::vector<event<hit>>&, recorder&>;
    outcome out;
    std::size_t now = 0;
    recorder sink{out.lines, now};
    std::vector<event<hit>> nothing;
    std::optional<thread_pool> pool;
    if (threads > 1) pool.emplace(threads);
    std::optional<engine> run;
    auto const start = [&] {
        run.emplace(pipeline, nullptr, error_policy{}, pool ? &*pool : nullptr, nothing, sink);
    };
    start();
    for (auto const& each : script) {
        event_time const time{each.time};
        run->each_chain([&](auto& chain) {
            switch (each.kind) {
                case move::what::record:
                    driftless::detail::push(chain, context<>{.from = {now, 0, 0}}, event<hit>{each.record, time});
                    break;
                case move::what::watermark: chain.on_watermark(time); break;
                case move::what::clock: chain.on_clock(time); break;
                case move::what::end: chain.on_watermark(event_time::max()); break;
            }
            chain.on_chunk();
        });
        if (restoring) {
            std::string bytes;
            run->visit_state(driftless::detail::save_visitor{bytes});
            start();
            byte_reader saved{bytes};
            run->visit_state(driftless::detail::load_visitor{saved});
            saved.expect_end();
            std::string again;
            run->visit_state(driftless::detail::save_visitor{again});
            CHECK(again == bytes);
        }
        ++now;
    }
    out.report = run->make_report();
    return out;
}

/// Plays a case in every way; all must say `lines`. Returns the outcome for the books.
template <class P>
outcome check(P const& pipeline, std::vector<move> const& script, std::vector<std::string> const& lines) {
    auto const once = play(pipeline, script, false, 1);
    CHECK(once.lines == lines);
    for (std::size_t threads = 1; threads <= 3; ++threads) {
        for (bool const restoring : {false, true}) {
            auto const other = play(pipeline, script, restoring, threads);
            INFO("threads " << threads << (restoring ? ", restoring" : ""));
            CHECK(other.lines == once.lines);
            CHECK(other.refused() == once.refused());
        }
    }
    return once;
}

/// Records with their event time, grouped by key; window and aggregate follow.
constexpr auto keyed_hits = from<event<hit>>() | key_by<&hit::key>();
}  // namespace cases
#endif
