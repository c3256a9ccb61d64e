// SPDX-License-Identifier: BSL-1.0
// Joins of two tables against loops, and as batch and stream, under random disorder, chunking and restores.
#include <driftless/op/foreign_key_join.hpp>
#include <driftless/op/table_join.hpp>

#include <driftless/agg.hpp>
#include <driftless/op/table.hpp>
#include <equivalence/late_loops.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace equivalence;

namespace {
constexpr auto is_gone = [](sale const& s) { return s.cents % 3 == 0; };
constexpr auto rows_of(auto input, duration bound) {
    return input | assign_time<&sale::at>(bounded_disorder{bound}) | key_by<&sale::shop>()
        | driftless::table(unbounded_state{}, deleted_if(is_gone));
}
template <class Kind>
constexpr auto joined_tables(Kind kind, duration bound) {
    return join(rows_of(from<sale>("left"_name), bound), rows_of(from<sale>("right"_name), bound), kind);
}

/// The two tables in loops: what is shown of a shop is worked out anew after each row.
template <class Kind, class Made>
class by_hand {
    struct row {
        event_time at;
        std::optional<sale> what;
    };
    std::map<std::string, row> sides_[2];

    [[nodiscard]] std::optional<sale> of(std::size_t side, std::string const& shop) const {
        auto const found = sides_[side].find(shop);
        return found == sides_[side].end() ? std::nullopt : found->second.what;
    }
    [[nodiscard]] std::optional<Made> shown(std::string const& shop) const {
        auto const left = of(0, shop);
        auto const right = of(1, shop);
        if constexpr (std::is_same_v<Made, sale>) {
            if (left && right.has_value() == std::is_same_v<Kind, left_semi>) return left;
        } else if constexpr (std::is_same_v<Kind, inner>) {
            if (left && right) return Made{*left, *right};
        } else if constexpr (std::is_same_v<Kind, left_outer>) {
            if (left) return Made{*left, right};
        } else if constexpr (std::is_same_v<Kind, right_outer>) {
            if (right) return Made{left, *right};
        } else {
            if (left || right) return Made{left, right};
        }
        return std::nullopt;
    }

public:
    recorder out;

    void take(placed const& each) {
        auto const& s = each.record;
        auto const shop = s.shop.str();
        auto const before = shown(shop);
        auto& side = sides_[each.partition];
        auto const found = side.find(shop);
        if (found != side.end() && s.at < found->second.at) return;
        bool const was = of(each.partition, shop).has_value();
        side[shop] = {s.at, is_gone(s) ? std::nullopt : std::optional{s}};
        if (!was && is_gone(s)) return;
        auto const after = shown(shop);
        if (std::is_same_v<Made, sale> && each.partition == 1 && before.has_value() == after.has_value()) return;
        if (after) out.write(pane<text, Made>{s.shop, {}, *after, {}});
        else if (before) out.remove(s.shop, time_window{});
    }
};

template <class P>
outcome stream_two(P const& pipeline, std::vector<placed> const& records, pace how) {
    using log_t = memory_log<sale>;
    using left_t = bound<name<"left">, log_t&>;
    using right_t = bound<name<"right">, log_t&>;
    outcome result;
    log_t logs[2];
    std::optional<job<stream, P, left_t, right_t, recorder&>> running;
    auto const start = [&](int threads) {
        running.emplace(stream{.threads = threads}, pipeline, left_t{logs[0]}, right_t{logs[1]}, result.out);
    };
    result.report = drive(
        running, start, [&](std::size_t i) { logs[records[i].partition].append(records[i].record); }, records.size(),
        how);
    return result;
}

template <class Kind>
void check_kind(Kind kind, dice& random, std::uint64_t seed) {
    auto const bound = duration{random.between(0, 4) * 1'000'000'000};
    auto of = random_shape(random, bound);
    of.partitions = 2;
    auto const records = random_records(random, of);
    auto const pipeline = joined_tables(kind, bound);
    by_hand<Kind, typename output_of<decltype(pipeline)>::record> expected;
    for (auto const& each : merged(records, 2)) expected.take(each);

    auto const once = stream_two(pipeline, records, {.seed = calm});
    CHECK_SAME(once.out.lines, expected.out.lines);
    CHECK(once.report.refused(reason::late) == 0);
    auto const other = stream_two(pipeline, records, {.seed = seed});
    CHECK_SAME(other.out.lines, once.out.lines);

    memory_log<sale> logs[2];
    for (auto const& each : records) logs[each.partition].append(each.record);
    recorder batched;
    run(batch{.threads = 1 + static_cast<int>(seed % 3)}, pipeline, bind("right"_name, logs[1]),
        bind("left"_name, logs[0]), batched);
    CHECK_SAME(batched.lines, once.out.lines);
    CHECK_SAME(table_of(run(batch{}, pipeline, bind("left"_name, logs[0]), bind("right"_name, logs[1]))),
        expected.out.rows);
}
}  // namespace

TEST_CASE("a join of tables = loops = batch = stream, in six kinds", "[equivalence][oracle][join][table]") {
    for_seeds(40, [](std::uint64_t seed) {
        dice random{seed};
        check_kind(inner{}, random, seed);
        check_kind(left_outer{}, random, seed);
        check_kind(right_outer{}, random, seed);
        check_kind(full_outer{}, random, seed);
        check_kind(left_semi{}, random, seed);
        check_kind(left_anti{}, random, seed);
    });
}

namespace {
/// Sales of items refer to shops by name.
constexpr auto by_reference(duration bound) {
    auto const items = from<sale>("left"_name) | assign_time<&sale::at>(bounded_disorder{bound})
        | key_by<&sale::item>() | driftless::table(unbounded_state{}, deleted_if(is_gone));
    return join(items, rows_of(from<sale>("right"_name), bound), foreign_key<&sale::shop>(), left_outer{});
}
/// What there is in the end, from scratch: the latest row of each key, and of what it refers to.
equivalence::table referring_by_hand(std::vector<placed> const& all) {
    std::map<std::int32_t, sale> items;
    std::map<std::string, sale> shops;
    for (auto const& [side, s] : all) {
        auto const put_latest = [&](auto& rows, auto const& key) {
            auto const found = rows.find(key);
            if (found == rows.end() || found->second.at <= s.at) rows[key] = s;
        };
        if (side == 0) put_latest(items, s.item);
        else put_latest(shops, s.shop.str());
    }
    equivalence::table out;
    for (auto const& [item, s] : items) {
        if (is_gone(s)) continue;
        auto const found = shops.find(s.shop.str());
        bool const there = found != shops.end() && !is_gone(found->second);
        put(out, item, time_window{},
            joined<sale, std::optional<sale>>{s, there ? std::optional{found->second} : std::nullopt});
    }
    return out;
}
}  // namespace

TEST_CASE("a join by foreign key = loops = batch = stream, however it is run", "[equivalence][oracle][join][table]") {
    for_seeds(60, [](std::uint64_t seed) {
        dice random{seed};
        auto const bound = duration{random.between(0, 4) * 1'000'000'000};
        auto of = random_shape(random, bound);
        of.partitions = 2;
        of.items = 1 + random.below(30);
        auto const records = random_records(random, of);
        auto const expected = referring_by_hand(merged(records, 2));
        auto const once = stream_two(by_reference(bound), records, {.seed = calm});
        CHECK_SAME(once.out.rows, expected);
        auto const other = stream_two(by_reference(bound), records, {.seed = seed});
        CHECK_SAME(other.out.lines, once.out.lines);
        memory_log<sale> logs[2];
        for (auto const& each : records) logs[each.partition].append(each.record);
        recorder batched;
        run(batch{}, by_reference(bound), bind("right"_name, logs[1]), bind("left"_name, logs[0]), batched);
        CHECK_SAME(batched.lines, once.out.lines);
    });
}
