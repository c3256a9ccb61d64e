// SPDX-License-Identifier: BSL-1.0
// bench/as_of_join.cpp - each record with the row that a table had at its time: two logs of 500,000 records, one in
// twenty up to 5 s out of order, as a stream and in batch, against a flat table of sorted versions and a heap of
// waiting records by hand.
#include <driftless/log/memory_log.hpp>
#include <driftless/op/as_of_join.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/sales.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::digest;
using bench::sale;
constexpr auto disorder = 5_s;
constexpr std::size_t record_count = 500'000;  // of each side

struct pair_of_sales {
    std::int64_t user;
    std::int64_t apart;
    std::int64_t cents;
};
template <class Name>
constexpr auto sales(Name name) {
    return dl::from<sale>(name) | dl::assign_time<&sale::at>(dl::bounded_disorder{disorder})
        | dl::key_by<&sale::user>();
}
constexpr auto rows = sales("right"_name) | dl::table(dl::unbounded_state{});
constexpr auto priced = dl::join(sales("left"_name), rows, dl::as_of{},
    [](sale const& l, sale const& r) noexcept {
        return pair_of_sales{l.user, l.at.ns() - r.at.ns(), l.cents - r.cents};
    });

template <class Mode>
digest by_pipeline(Mode mode, dl::memory_log<sale> const& left, dl::memory_log<sale> const& right) {
    digest out;
    auto const report = dl::run(mode, priced, dl::bind("left"_name, left), dl::bind("right"_name, right),
        dl::to([&](auto const& row) { out.row(row.value.user, row.value.apart, 1, row.value.cents); }));
    out.applied = report.stages[0].applied;
    out.late = report.stages[0].refusals(dl::reason::late);
    return out;
}

/// The versions of each key by time, those that nobody can ask for dropped when the key comes up; records wait in a
/// heap until both sides are past their time. The watermark of a side is its newest time less the bound.
class by_hand {
    struct slot {
        std::int64_t key = 0;
        bool used = false;
        std::size_t first = 0;
        std::vector<sale> versions;
    };
    struct waiting {
        sale record;
        std::uint64_t place;
    };
    static constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    static bool later(waiting const& a, waiting const& b) {
        return a.record.at != b.record.at ? b.record.at < a.record.at : b.place < a.place;
    }
    std::vector<slot> slots_;
    std::vector<waiting> heap_;
    std::int64_t watermark_[2] = {least, least};
    std::int64_t both_ = least;
    std::uint64_t place_ = 0;

public:
    digest out;

    explicit by_hand(std::size_t keys) {
        std::size_t size = 16;
        while (size < 2 * keys) size *= 2;
        slots_.resize(size);
    }
    template <int Side>
    void add(sale const& record) {
        auto const at = record.at.ns();
        if (at < watermark_[Side]) {
            ++out.late;
            return;
        }
        ++out.applied;
        if constexpr (Side == 0) {
            heap_.push_back({record, place_++});
            std::push_heap(heap_.begin(), heap_.end(), later);
        } else {
            put(record);
        }
        if (auto const to = at - disorder.ns(); to > watermark_[Side]) {
            watermark_[Side] = to;
            release(std::min(watermark_[0], watermark_[1]));
        }
    }
    void finish() { release(std::numeric_limits<std::int64_t>::max()); }

private:
    void put(sale const& record) {
        slot& of = slot_of(record.user);
        auto& all = of.versions;
        while (of.first + 1 < all.size() && all[of.first + 1].at.ns() <= both_) ++of.first;
        if (of.first > 16 && of.first > all.size() / 2) {
            all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(of.first));
            of.first = 0;
        }
        all.push_back(record);
        auto i = all.size() - 1;
        for (; i > of.first && record.at < all[i - 1].at; --i) all[i] = all[i - 1];
        all[i] = record;
    }
    void release(std::int64_t both) {
        if (both <= both_) return;
        both_ = both;
        while (!heap_.empty() && heap_.front().record.at.ns() < both) {
            std::pop_heap(heap_.begin(), heap_.end(), later);
            auto const& record = heap_.back().record;
            slot const& of = slot_of(record.user);
            for (auto i = of.versions.size(); i > of.first; --i) {
                auto const& row = of.versions[i - 1];
                if (record.at < row.at) continue;
                out.row(record.user, record.at.ns() - row.at.ns(), 1, record.cents - row.cents);
                break;
            }
            heap_.pop_back();
        }
    }
    slot& slot_of(std::int64_t key) {
        auto x = static_cast<std::uint64_t>(key);
        x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15u;
        auto const mask = slots_.size() - 1;
        for (auto i = static_cast<std::size_t>(x >> 20) & mask;; i = (i + 1) & mask) {
            if (slots_[i].used && slots_[i].key == key) return slots_[i];
            if (slots_[i].used) continue;
            slots_[i].key = key;
            slots_[i].used = true;
            return slots_[i];
        }
    }
};

void contest(std::string const& name, std::size_t keys) {
    auto const left = bench::make_sales(record_count, keys, 1_ms, disorder);
    auto right = bench::make_sales(record_count, keys, 1_ms, disorder);
    for (std::size_t i = 0; i + 1 < right.size(); ++i) right[i].user = right[(i * 7919 + 13) % right.size()].user;
    for (auto& each : right) each.at = each.at + 500_us;
    dl::memory_log<sale> left_log;
    dl::memory_log<sale> right_log;
    left_log.append(left);
    right_log.append(right);
    bench::contest<digest> game{name, 2 * record_count};
    auto const floor = game.add("by hand", [&] {
        by_hand join{keys};
        for (std::size_t l = 0, r = 0; l < left.size() || r < right.size();) {
            if (r == right.size() || (l < left.size() && left[l].at <= right[r].at)) join.add<0>(left[l++]);
            else join.add<1>(right[r++]);
        }
        join.finish();
        return join.out;
    });
    auto const stream =
        game.add("stream", [&] { return by_pipeline(dl::stream{.until = dl::drained}, left_log, right_log); });
    auto const batch = game.add("batch", [&] { return by_pipeline(dl::batch{}, left_log, right_log); });
    game.run({.seconds = bench::full() ? 15.0 : 3.0, .least_rounds = 5});
    game.ratio(name + "_stream", stream, floor, {1.5});
    game.ratio(name + "_batch", batch, floor, {1.5});
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("as_of_join_some_keys", 1'000);
    contest("as_of_join_many_keys", 100'000);
}
