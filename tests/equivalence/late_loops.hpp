// SPDX-License-Identifier: BSL-1.0
// Loops that judge lateness (SEMANTICS section 1), for the tests of allowed lateness and of as_declared.
#ifndef DRIFTLESS_TESTS_EQUIVALENCE_LATE_LOOPS_HPP
#define DRIFTLESS_TESTS_EQUIVALENCE_LATE_LOOPS_HPP
#include <driftless/agg.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <equivalence/generated.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace equivalence {
constexpr auto windowed(auto timed, duration lateness) {
    return timed | key_by<&sale::item>() | window(tumbling{10_s, 3_s}, allowed_lateness{lateness})
        | late_to("late"_name) | aggregate(count(), sum<&sale::cents>(), distinct<&sale::shop>());
}
inline time_window shifted_window(event_time at) {
    auto const w = window_of(at - 3_s);
    return {w.start + 3_s, w.end + 3_s};
}

struct judged {
    std::vector<placed> kept;
    std::vector<placed> refused;
};
/// Before a record is taken in, the watermark is (the newest time before it, the least over the partitions) - bound; it
/// is refused if that has reached closes(record).
template <class Closes>
judged judge_by(std::vector<placed> const& in_order, std::uint32_t partitions, duration bound, Closes closes) {
    judged out;
    std::vector<std::optional<std::int64_t>> newest(partitions);
    for (auto const& each : in_order) {
        bool reported = true;
        std::int64_t least = INT64_MAX;
        for (auto const& n : newest) {
            reported = reported && n.has_value();
            if (n) least = std::min(least, *n);
        }
        bool const late = reported && least - bound.ns() >= closes(each.record).ns();
        (late ? out.refused : out.kept).push_back(each);
        auto& mine = newest[each.partition];
        mine = mine ? std::max(*mine, each.record.at.ns()) : each.record.at.ns();
    }
    return out;
}
inline judged judge(std::vector<placed> const& in_order, std::uint32_t partitions, duration bound, duration lateness) {
    return judge_by(in_order, partitions, bound, [&](sale const& s) { return shifted_window(s.at).end + lateness; });
}

/// Count, sum, greatest and distinct shops of each window and item, by hand.
class tally {
    struct group {
        std::int64_t n = 0, sum = 0, most = INT64_MIN;
        std::set<std::string> shops;
    };
    std::map<std::pair<time_window, std::int32_t>, group> groups_;

public:
    void add(time_window const& window, sale const& s) {
        auto& g = groups_[{window, s.item}];
        ++g.n;
        g.sum += s.cents;
        g.most = std::max(g.most, s.cents);
        g.shops.insert(s.shop.str());
    }
    /// A row of each group, with the value that `of(group)` says.
    template <class Of>
    [[nodiscard]] table rows(Of of) const {
        table out;
        for (auto const& [place, g] : groups_) put(out, place.second, place.first, of(g));
        return out;
    }
    [[nodiscard]] table rows() const {
        return rows([](auto const& g) {
            return std::tuple{g.n, g.sum, static_cast<std::int64_t>(g.shops.size())};
        });
    }
};
inline table loops(std::vector<placed> const& records) {
    tally all;
    for (auto const& each : records) all.add(shifted_window(each.record.at), each.record);
    return all.rows();
}
inline std::vector<std::string> said_late(std::vector<placed> const& refused) {
    recorder late;
    for (auto const& each : refused) {
        late.write(pane<std::int32_t, sale>{each.record.item, shifted_window(each.record.at), each.record, {}});
    }
    return late.lines;
}
/// EARLY* ON_TIME? LATE*, indices without gaps.
inline void check_panes(recorder const& out) {
    for (auto const& [place, panes] : out.infos) {
        for (std::size_t i = 0; i < panes.size(); ++i) {
            auto const index = static_cast<std::int32_t>(i);
            CHECK(panes[i].index == index);
            CHECK(panes[i].non_speculative_index == index);
            CHECK(panes[i].first == (i == 0));
            if (i != 0) CHECK(panes[i].timing == timing::late);
            if (panes[i].last) CHECK(i + 1 == panes.size());
        }
    }
}
inline shape random_shape(dice& random, duration disorder) {
    return {.records = 1 + random.below(400),
        .partitions = 1 + static_cast<std::uint32_t>(random.below(3)),
        .disorder = disorder,
        .shops = 1 + random.below(9),
        .items = 1 + random.below(5)};
}
}  // namespace equivalence
#endif
