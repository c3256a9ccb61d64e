// SPDX-License-Identifier: BSL-1.0
// bench/top.cpp - the ten dearest sales of each minute, of all and of each of 1000 users, and the ten users with most
// sales of 10,000 (their counts are the library's on both sides): 1M records, one in twenty up to 5 s out of order, as
// a stream, against loops with heaps written by hand.
#include <driftless/agg/count.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr auto size = 60_s;
constexpr std::size_t record_count = 1'000'000;
constexpr std::size_t best = 10;

constexpr auto timed = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder});
constexpr auto dearest = timed | dl::window(dl::tumbling{size}) | dl::top<&sale::cents>(best);
constexpr auto dearest_per_user =
    timed | dl::key_by<&sale::user>() | dl::window(dl::tumbling{size}) | dl::top<&sale::cents>(best);
constexpr auto counts =
    timed | dl::key_by<&sale::user>() | dl::window(dl::tumbling{size}) | dl::aggregate(dl::count());
constexpr auto busiest = counts | dl::top(best);

template <class P, class Row>
digest by_pipeline(P const& pipeline, dl::memory_log<sale> const& log, Row row) {
    digest out;
    auto const report = dl::run(
        dl::stream{.until = dl::drained}, pipeline, log, dl::to([&](auto const& pane) { row(out, pane); }));
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}

/// The ten best as a heap with the worst of them on top; of two that tie the later one is worse.
class heap {
    struct entry {
        std::uint64_t arrival;
        sale record;
    };
    std::vector<entry> all_;
    std::uint64_t arrivals_ = 0;
    std::int64_t worst_ = std::numeric_limits<std::int64_t>::min();  // of ten

    static bool better(entry const& a, entry const& b) {
        return a.record.cents != b.record.cents ? a.record.cents > b.record.cents : a.arrival < b.arrival;
    }

public:
    void add(sale const& record) {
        if (record.cents <= worst_) return;
        if (all_.size() == best) {
            std::pop_heap(all_.begin(), all_.end(), better);
            all_.pop_back();
        }
        all_.push_back({++arrivals_, record});
        std::push_heap(all_.begin(), all_.end(), better);
        if (all_.size() == best) worst_ = all_.front().record.cents;
    }
    void fire(auto&& row) {
        std::sort(all_.begin(), all_.end(), better);
        for (auto const& each : all_) row(each.record);
        all_.clear();
        arrivals_ = 0;
        worst_ = std::numeric_limits<std::int64_t>::min();
    }
};
/// A value for each key of a window: open addressing, entries in a list behind it.
template <class Value>
class table {
    struct entry {
        std::int64_t key;
        Value value;
    };
    std::vector<std::uint32_t> index_;
    std::vector<entry> entries_;
    std::size_t used_ = 0;
    int shift_;

public:
    explicit table(std::size_t keys)
        : index_(std::bit_ceil(keys * 4)), entries_(keys), shift_(64 - std::countr_zero(index_.size())) {}
    Value& of(std::int64_t key) {
        for (std::size_t i = (static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15u) >> shift_;; ++i) {
            auto& number = index_[i & (index_.size() - 1)];
            if (number == 0) {
                number = static_cast<std::uint32_t>(++used_);
                entries_[used_ - 1].key = key;
                return entries_[used_ - 1].value;
            }
            if (entries_[number - 1].key == key) return entries_[number - 1].value;
        }
    }
    void fire(auto&& row) {
        for (std::size_t i = 0; i < used_; ++i) row(entries_[i].key, entries_[i].value);
        std::fill(index_.begin(), index_.end(), 0);
        used_ = 0;
    }
};

/// The loop around what a window holds: two of them are open at any time, a third never is.
template <class Window, class Add, class Fire>
void run_windows(std::vector<sale> const& records, digest& out, Window& first, Window& second, Add add, Fire fire) {
    Window* windows[2] = {&first, &second};
    unsigned older = 0;
    std::int64_t low = records[0].at.ns() / size.ns() * size.ns();
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    for (auto const& each : records) {
        auto const into = static_cast<std::uint64_t>(each.at.ns() - low);
        if (into < static_cast<std::uint64_t>(2 * size.ns())) {
            add(*windows[older ^ (into >= static_cast<std::uint64_t>(size.ns()) ? 1u : 0u)], each);
            ++out.applied;
        } else {
            ++out.late;
        }
        if (each.at.ns() <= newest) continue;
        newest = each.at.ns();
        while (newest - disorder.ns() >= low + size.ns()) {
            fire(*windows[older], low);
            older ^= 1;
            low += size.ns();
        }
    }
    for (int i = 0; i < 2; ++i, older ^= 1, low += size.ns()) fire(*windows[older], low);
}

digest dearest_by_hand(std::vector<sale> const& records) {
    digest out;
    heap windows[2];
    run_windows(
        records, out, windows[0], windows[1], [](heap& in, sale const& each) { in.add(each); },
        [&](heap& in, std::int64_t start) {
            in.fire([&](sale const& each) { out.row(each.user, start, each.at.ns(), each.cents); });
        });
    return out;
}
digest dearest_per_user_by_hand(std::vector<sale> const& records, std::size_t keys) {
    digest out;
    table<heap> windows[2] = {table<heap>{keys}, table<heap>{keys}};
    run_windows(
        records, out, windows[0], windows[1], [](table<heap>& in, sale const& each) { in.of(each.user).add(each); },
        [&](table<heap>& in, std::int64_t start) {
            in.fire([&](std::int64_t, heap& of) {
                of.fire([&](sale const& each) { out.row(each.user, start, each.at.ns(), each.cents); });
            });
        });
    return out;
}
/// The same counts, and a heap where they come out.
digest busiest_by_hand(dl::memory_log<sale> const& log) {
    struct row {
        std::int64_t key;
        std::int64_t count;
    };
    digest out;
    std::vector<row> top;
    dl::time_window window{};
    auto const better = [](row const& a, row const& b) {
        return a.count != b.count ? a.count > b.count : a.key < b.key;
    };
    auto const fire = [&] {
        std::sort(top.begin(), top.end(), better);
        for (auto const& each : top) out.row(each.key, window.start.ns(), each.count, 0);
        top.clear();
    };
    auto const report = dl::run(dl::stream{.until = dl::drained}, counts, log, dl::to([&](auto const& pane) {
        if (pane.window != window) fire();
        window = pane.window;
        row const mine{pane.key, pane.value};
        if (top.size() < best) {
            top.push_back(mine);
            std::push_heap(top.begin(), top.end(), better);
        } else if (better(mine, top.front())) {
            std::pop_heap(top.begin(), top.end(), better);
            top.back() = mine;
            std::push_heap(top.begin(), top.end(), better);
        }
    }));
    fire();
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}

template <class Hand, class Pipeline>
void contest(char const* name, std::size_t keys, Hand hand, Pipeline pipeline) {
    auto const records = bench::make_sales(record_count, keys, 1_ms, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] {
        if constexpr (requires { hand(records); }) return hand(records);
        else return hand(log);
    });
    auto const mine = game.add("pipeline", [&] { return pipeline(log); });
    game.run({.seconds = bench::full() ? 12.0 : 2.5, .least_rounds = 5});
    game.ratio(name, mine, floor, {1.2});
}
}  // namespace

int main() {
    bench::print_circumstances();
    auto const row_of = [](digest& out, auto const& pane) {
        sale const& each = pane.value;
        out.row(each.user, pane.window.start.ns(), each.at.ns(), each.cents);
    };
    contest("top_of_window", 1000, dearest_by_hand,
        [&](dl::memory_log<sale> const& log) { return by_pipeline(dearest, log, row_of); });
    contest(
        "top_per_key", 1000, [](std::vector<sale> const& records) { return dearest_per_user_by_hand(records, 1000); },
        [&](dl::memory_log<sale> const& log) { return by_pipeline(dearest_per_user, log, row_of); });
    contest(
        "top_of_counts", 10'000, busiest_by_hand,
        [&](dl::memory_log<sale> const& log) {
            return by_pipeline(busiest, log, [](digest& out, auto const& pane) {
                out.row(pane.key, pane.window.start.ns(), pane.value, 0);
            });
        });
}
