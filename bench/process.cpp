// SPDX-License-Identifier: BSL-1.0
// bench/process.cpp - a process function with one value and one timer per key, over 2M records as a stream: sums up
// what a user spends until nothing has come for a while, and says the sum then. Against a hand loop: a flat table of
// sums and deadlines, and a priority queue of deadlines that are looked at again when they come. 10k and 500k users.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace spending {
using bench::sale;

struct until_quiet {
    struct state {
        dl::value_state<std::int64_t> cents;
        dl::event_timer quiet;
    };
    dl::duration gap;

    void on_record(state& own, sale const& s, auto& context) const {
        own.cents = own.cents.value_or(0) + s.cents;
        context.set(own.quiet, s.at + gap);
    }
    void on_timer(state& own, dl::fired_timer const&, auto& context) const {
        context.emit(*own.cents);
        own.cents.reset();
    }
};
}  // namespace spending
BOOST_HANA_ADAPT_STRUCT(spending::until_quiet::state, cents, quiet);

namespace {
using bench::digest;
using bench::sale;
constexpr std::size_t record_count = 2'000'000;
constexpr auto step = 1_us;
constexpr auto disorder = 100_us;

digest by_pipeline(dl::memory_log<sale> const& log, dl::duration gap) {
    digest out;
    auto const pipeline = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
        | dl::key_by<&sale::user>() | dl::process<std::int64_t>(spending::until_quiet{gap}, dl::unbounded_state{});
    auto const report = dl::run(dl::stream{.until = dl::drained}, pipeline, log,
        dl::to([&](dl::pane<std::int64_t, std::int64_t> const& row) { out.row(row.key, 0, 1, row.value); }));
    out.applied = report.stages[0].applied;
    return out;
}

/// Open addressing, linear probing, at most half full; an entry that goes is filled by those behind it.
class accounts {
public:
    struct slot {
        std::int64_t user;
        std::int64_t cents;
        std::int64_t deadline;  // empty: `nothing`
    };
    static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();

    slot& of(std::int64_t user, bool& fresh) {
        if (2 * size_ >= slots_.size()) grow();
        auto const mask = slots_.size() - 1;
        for (auto i = home(user);; i = (i + 1) & mask) {
            auto& s = slots_[i];
            fresh = s.deadline == nothing;
            if (fresh) {
                ++size_;
                s.user = user;
                return s;
            }
            if (s.user == user) return s;
        }
    }
    slot* find(std::int64_t user) {
        auto const mask = slots_.size() - 1;
        for (auto i = home(user); slots_[i].deadline != nothing; i = (i + 1) & mask) {
            if (slots_[i].user == user) return &slots_[i];
        }
        return nullptr;
    }
    void erase(slot& gone) {
        auto const mask = slots_.size() - 1;
        auto i = static_cast<std::size_t>(&gone - slots_.data());
        for (auto next = (i + 1) & mask; slots_[next].deadline != nothing; next = (next + 1) & mask) {
            auto const at_home = home(slots_[next].user);
            if (((next - at_home) & mask) < ((next - i) & mask)) continue;
            slots_[i] = slots_[next];
            i = next;
        }
        slots_[i].deadline = nothing;
        --size_;
    }

private:
    std::vector<slot> slots_ = std::vector<slot>(1024, slot{0, 0, nothing});
    std::size_t size_ = 0;

    [[nodiscard]] std::size_t home(std::int64_t user) const {
        auto const hash = static_cast<std::uint64_t>(user) * 0x9e3779b97f4a7c15u;
        return static_cast<std::size_t>(hash >> (64 - std::countr_zero(slots_.size())));
    }
    void grow() {
        auto old = std::vector<slot>(2 * slots_.size(), slot{0, 0, nothing});
        old.swap(slots_);
        size_ = 0;
        bool fresh = false;
        for (auto const& each : old) {
            if (each.deadline != nothing) of(each.user, fresh) = each;
        }
    }
};
digest by_hand(std::vector<sale> const& records, std::int64_t gap) {
    struct due {
        std::int64_t at;
        std::int64_t user;
        bool operator<(due const& other) const {  // the greatest is at the top
            return at != other.at ? at > other.at : user > other.user;
        }
    };
    digest out;
    accounts all;
    std::priority_queue<due> deadlines;
    auto newest = std::numeric_limits<std::int64_t>::min();
    auto const advance = [&](std::int64_t watermark) {
        while (!deadlines.empty() && deadlines.top().at < watermark) {
            auto const next = deadlines.top();
            deadlines.pop();
            auto* const account = all.find(next.user);
            if (account == nullptr || account->deadline < next.at) continue;
            if (account->deadline > next.at) {
                deadlines.push({account->deadline, next.user});
                continue;
            }
            out.row(account->user, 0, 1, account->cents);
            all.erase(*account);
        }
    };
    for (auto const& each : records) {
        bool fresh = false;
        auto& account = all.of(each.user, fresh);
        auto const deadline = each.at.ns() + gap;
        // A deadline that moves ahead is looked at when the old one comes; out of order, it may move back.
        if (fresh) account.cents = 0;
        if (fresh || deadline < account.deadline) deadlines.push({deadline, each.user});
        account.cents += each.cents;
        account.deadline = deadline;
        ++out.applied;
        if (each.at.ns() <= newest) continue;
        newest = each.at.ns();
        advance(newest - disorder.ns());
    }
    advance(std::numeric_limits<std::int64_t>::max());
    return out;
}

void contest(char const* name, std::size_t users, dl::duration gap) {
    auto const records = bench::make_sales(record_count, users, step, disorder);
    dl::memory_log<sale> log;
    log.append(records);
    bench::contest<digest> game{name, record_count};
    auto const floor = game.add("by hand", [&] { return by_hand(records, gap.ns()); });
    auto const pipeline = game.add("pipeline", [&] { return by_pipeline(log, gap); });
    game.run({.seconds = bench::full() ? 12.0 : 3.0, .least_rounds = 5});
    game.ratio(name, pipeline, floor, {1.3});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("process_10k", 10'000, 10_ms);
    contest("process_500k", 500'000, 500_ms);
}
