// SPDX-License-Identifier: BSL-1.0
// bench/dedup.cpp - dedup over 10M ids that are remembered for a time, one record in ten a repetition, against what
// one would write by hand: a flat set of ids with their times, and a queue of what to forget. Remembered: 10k ids,
// which the cache holds, and 1M, which it does not; and all 10M of them, for ever.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;
constexpr std::size_t record_count = 10'000'000;
constexpr auto step = 1_us;
constexpr auto disorder = 100_us;

struct digest {
    std::uint64_t passed = 0;
    std::uint64_t mixed = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t late = 0;

    void row(sale const& s) {
        ++passed;
        mixed = (mixed ^ static_cast<std::uint64_t>(s.cents)) * 0x9e3779b97f4a7c15u;
        mixed += static_cast<std::uint64_t>(s.user);
    }
    friend bool operator==(digest const&, digest const&) = default;
};

/// Ids that are scattered; one record in ten has that of one of the last `within` before it. One in twenty is out of
/// order.
std::vector<sale> make_records(std::size_t within) {
    bench::random draw{7};
    std::vector<sale> out;
    out.reserve(record_count);
    for (std::size_t i = 0; i < record_count; ++i) {
        auto at = static_cast<std::int64_t>(i) * step.ns() + disorder.ns();
        if (draw.below(20) == 0) at -= static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(disorder.ns())));
        auto id = static_cast<std::int64_t>(bench::random{i}());
        if (i != 0 && draw.below(10) == 0) id = out[i - 1 - draw.below(i < within ? i : within)].user;
        out.push_back({id, static_cast<std::int64_t>(draw.below(10'000)), dl::event_time{at}});
    }
    return out;
}

/// Open addressing, linear probing, at most half full; an entry is taken out by moving those behind it up.
class flat_set {
    struct slot {
        std::int64_t id;
        std::int64_t at;  // empty: `nothing`
    };
    static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();
    std::vector<slot> slots_ = std::vector<slot>(1024, slot{0, nothing});
    std::size_t size_ = 0;

    [[nodiscard]] std::size_t home(std::int64_t id) const {
        auto const hash = static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15u;
        return static_cast<std::size_t>(hash >> (64 - std::countr_zero(slots_.size())));
    }

public:
    /// The time that stands there for an id, put there if there was none.
    std::int64_t* put(std::int64_t id, std::int64_t at, bool& fresh) {
        if (2 * size_ >= slots_.size()) grow();
        auto const mask = slots_.size() - 1;
        for (auto i = home(id);; i = (i + 1) & mask) {
            auto& s = slots_[i];
            fresh = s.at == nothing;
            if (fresh) {
                s = {id, at};
                ++size_;
                return &s.at;
            }
            if (s.id == id) return &s.at;
        }
    }
    /// Forgets an id, if that is still the time it is known from.
    void forget(std::int64_t id, std::int64_t at) {
        auto const mask = slots_.size() - 1;
        auto i = home(id);
        for (; slots_[i].at != nothing && slots_[i].id != id; i = (i + 1) & mask) {}
        if (slots_[i].at != at) return;
        --size_;
        for (auto next = (i + 1) & mask; slots_[next].at != nothing; next = (next + 1) & mask) {
            auto const at_home = home(slots_[next].id);
            if (((next - at_home) & mask) < ((next - i) & mask)) continue;
            slots_[i] = slots_[next];
            i = next;
        }
        slots_[i].at = nothing;
    }

private:
    void grow() {
        auto old = std::vector<slot>(2 * slots_.size(), slot{0, nothing});
        old.swap(slots_);
        size_ = 0;
        bool fresh = false;
        for (auto const& each : old) {
            if (each.at != nothing) put(each.id, each.at, fresh);
        }
    }
};

/// Nearly in order: what is to be forgotten is looked at as it came, which keeps an id a little longer than needed.
digest by_hand(std::vector<sale> const& records, std::int64_t ttl) {
    struct known {
        std::int64_t id;
        std::int64_t at;
    };
    digest out;
    flat_set ids;
    std::deque<known> queue;
    auto newest = std::numeric_limits<std::int64_t>::min();
    auto watermark = newest;
    for (auto const& each : records) {
        auto const at = each.at.ns();
        if (at < watermark) {
            ++out.late;
            continue;
        }
        bool fresh = false;
        auto* const there = ids.put(each.user, at, fresh);
        auto const apart = at < *there ? *there - at : at - *there;
        if (!fresh && apart < ttl) {
            ++out.duplicates;
        } else {
            *there = at;
            if (ttl != std::numeric_limits<std::int64_t>::max()) queue.push_back({each.user, at});
            out.row(each);
        }
        if (at <= newest) continue;
        newest = at;
        watermark = newest - disorder.ns();
        for (; !queue.empty() && watermark >= queue.front().at + ttl; queue.pop_front())
            ids.forget(queue.front().id, queue.front().at);
    }
    return out;
}
template <class P>
digest by_pipeline(dl::memory_log<sale> const& log, P const& first_of_each) {
    digest out;
    auto const report =
        dl::run(dl::stream{.until = dl::drained}, first_of_each, log, dl::to([&](sale const& s) { out.row(s); }));
    out.late = report.refused(dl::reason::late);
    out.duplicates = report.refused(dl::reason::duplicate);
    return out;
}

template <class P>
void contest(char const* name, std::size_t within, std::int64_t ttl, P const& first_of_each) {
    auto const records = make_records(within);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records, ttl); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log, first_of_each); });
    game.run({.seconds = bench::full() ? 30.0 : 6.0, .least_rounds = 5});
    game.ratio(name, pipeline, floor, {1.25});
}
}  // namespace

int main() {
    bench::print_circumstances();
    constexpr auto timed = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder});
    contest("dedup_10k", 5'000, (10_ms).ns(), timed | dl::dedup<&sale::user>(10_ms));
    contest("dedup_1M", 500'000, (1_s).ns(), timed | dl::dedup<&sale::user>(1_s));
    contest("dedup_for_ever", 5'000'000, std::numeric_limits<std::int64_t>::max(),
        timed | dl::dedup<&sale::user>(dl::unbounded_state{}));
}
