// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DETAIL_PLANNER_HPP
#define DRIFTLESS_TESTING_DETAIL_PLANNER_HPP

#include <driftless/core/time.hpp>
#include <driftless/testing/detail/explorer.hpp>
#include <driftless/testing/detail/seeded.hpp>
#include <driftless/testing/steps.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing::detail {
/// What the plans of one exploration have in common.
struct plan_bounds {
    std::size_t records;
    duration disorder;       // of wild plans
    duration tame_disorder;  // that no watermark overtakes
    std::uint32_t partitions;
    bool says_watermarks;  // else the pipeline makes them
    bool asks_clock;
};

/// Draws plans: some of the records, out of order, spread over partitions, with watermarks, pauses and restores in
/// between. Half of the plans are tame: no watermark overtakes a record that is still to come.
template <class T>
class planner {
    using what = typename step<T>::what;

    std::vector<event<T>> const& given_;
    plan_bounds const& bounds_;
    seeded random_;
    bool tame_;
    std::uint32_t partitions_;
    std::size_t restores_;  // one in so many steps; 0: none
    plan<T> plan_;
    script<T> built_;  // what has been planned: refuses what cannot be
    std::vector<bool> idle_;

public:
    planner(std::vector<event<T>> const& given, plan_bounds const& bounds, std::uint64_t seed)
        : given_(given),
          bounds_(bounds),
          random_{seed},
          tame_(random_.one_in(2)),
          partitions_(static_cast<std::uint32_t>(1 + random_(bounds.partitions))),
          restores_(random_.one_in(3) ? 0 : 1 + random_(6)),
          idle_(partitions_) {}

    plan<T> make() {
        auto const arrivals = in_order_of_arrival();
        std::vector<std::uint32_t> partition(arrivals.size());
        for (auto& each : partition) each = static_cast<std::uint32_t>(random_(partitions_));
        event_time newest = event_time::min();
        event_time clock{};
        for (std::size_t i = 0; i < arrivals.size(); ++i) {
            auto const& record = given_[arrivals[i]];
            auto const p = partition[i];
            if (idle_[p]) idle_[p] = !add(active{p});
            add(from_partition<T>{p, record}, arrivals[i]);
            newest = std::max(newest, record.at);
            if (bounds_.says_watermarks && random_.one_in(3)) add_watermark(arrivals, partition, i + 1, newest);
            if (!tame_ && partitions_ > 1 && random_.one_in(12)) {
                auto const resting = static_cast<std::uint32_t>(random_(partitions_));
                if (!idle_[resting]) idle_[resting] = add(idle{resting});
            }
            if (random_.one_in(12)) add(pause_of_input{});
            if (bounds_.asks_clock && random_.one_in(4)) add(clock_at{clock = clock + some(bounds_.disorder)});
        }
        return std::move(plan_);
    }

private:
    /// In [0, most].
    duration some(duration most) {
        return duration{static_cast<std::int64_t>(random_(static_cast<std::size_t>(most.ns()) + 1))};
    }
    /// Some of the records, each delayed by some of the disorder.
    std::vector<std::size_t> in_order_of_arrival() {
        std::vector<std::size_t> chosen(given_.size());
        for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
        auto const most = std::min(bounds_.records, chosen.size());
        auto const n = most == 0 ? 0 : 1 + random_(most);
        if (random_.one_in(2)) {  // neighbours
            auto const first = random_(chosen.size() - n + 1);
            chosen = {chosen.begin() + static_cast<std::ptrdiff_t>(first),
                chosen.begin() + static_cast<std::ptrdiff_t>(first + n)};
        } else {
            for (std::size_t i = 0; i < n; ++i) std::swap(chosen[i], chosen[i + random_(chosen.size() - i)]);
            chosen.resize(n);
            std::sort(chosen.begin(), chosen.end());
        }
        auto const disorder = some(tame_ ? bounds_.tame_disorder : bounds_.disorder);
        std::vector<std::pair<event_time, std::size_t>> arrivals;
        arrivals.reserve(chosen.size());
        for (auto const each : chosen) arrivals.emplace_back(given_[each].at + some(disorder), each);
        std::sort(arrivals.begin(), arrivals.end());
        for (std::size_t i = 0; i < arrivals.size(); ++i) chosen[i] = arrivals[i].second;
        return chosen;
    }
    /// Of one partition or of all; tame ones leave what is to come in time, often just so.
    void add_watermark(std::vector<std::size_t> const& arrivals, std::vector<std::uint32_t> const& partition,
        std::size_t next, event_time newest) {
        auto const p = static_cast<std::uint32_t>(random_(partitions_));
        bool const all = partitions_ == 1 || random_.one_in(2);
        auto to = newest + some(bounds_.disorder);
        if (tame_) {
            for (std::size_t i = next; i < arrivals.size(); ++i) {
                if (all || partition[i] == p) to = std::min(to, given_[arrivals[i]].at);
            }
            if (random_.one_in(3)) to = to - some(bounds_.disorder);
        } else {
            to = newest - some(bounds_.disorder);
        }
        if (all) add(watermark{to});
        else add(watermark{to}.of(p));
    }
    /// Adds a step, if it can be, and at times a restore behind it.
    bool add(step<T> next, std::size_t given = 0) {
        try {
            built_.add(next);
        } catch (error const&) {
            return false;
        }
        plan_.push_back({std::move(next), given});
        if (restores_ != 0 && random_.one_in(restores_)) plan_.push_back({snapshot_and_restore{}, 0});
        return true;
    }
};

/// Takes away from a plan what it can do without, as long as `drifts(plan, manner)` holds.
template <class T, class Drifts>
void shrink(plan<T>& steps, other_manner& other, Drifts drifts) {
    auto const try_plan = [&](plan<T> smaller) {
        if (!drifts(smaller, other)) return false;
        steps = std::move(smaller);
        return true;
    };
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (std::size_t size = std::max<std::size_t>(steps.size() / 2, 1); size != 0; size /= 2) {
            for (std::size_t i = 0; i < steps.size();) {
                auto shorter = steps;
                auto const from = shorter.begin() + static_cast<std::ptrdiff_t>(i);
                shorter.erase(from, from + static_cast<std::ptrdiff_t>(std::min(size, steps.size() - i)));
                if (try_plan(std::move(shorter))) smaller = true;
                else i += size;
            }
        }
    }
    using what = typename step<T>::what;
    auto one_partition = steps;
    for (auto& each : one_partition) {
        if (each.what.kind == what::record) each.what.partition = 0;
        if (each.what.kind == what::watermark) each.what.partition = each.what.all;
    }
    try_plan(std::move(one_partition));
    auto const try_manner = [&](other_manner simpler) {
        bool const fewer = simpler.threads < other.threads || simpler.chunk < other.chunk;
        if (fewer && drifts(steps, simpler)) other = simpler;
    };
    try_manner({other.threads, 1});
    try_manner({std::min<std::size_t>(other.threads, 2), other.chunk});
    try_manner({1, other.chunk});
}
}  // namespace driftless::inline v0::testing::detail
#endif
