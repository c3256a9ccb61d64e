// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Cases about tables and their versions.
#include <cases/changelog.hpp>
#include <driftless/agg.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/suppress.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/state/versioned_table.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace driftless;

namespace {
using store = versioned_table<std::string, std::string>;

event_time at(std::int64_t t) { return event_time{t}; }
std::string shown(event_time t) { return t == event_time::max() ? "inf" : std::to_string(t.ns()); }
std::string shown(row_version<std::string> const& v) {
    return v ? *v.value + "[" + shown(v.from) + "," + shown(v.to) + ")" : "none";
}

/// A step on a store, and what it says; restored from its own bytes before each step if asked to.
using step = std::function<std::string(store&)>;
step put(std::int64_t t, std::string value, std::string key = "k") {
    return [=](store& in) {
        auto const to = in.put(key, at(t), value);
        return to ? shown(*to) : "refused";
    };
}
step del(std::int64_t t, std::string key = "k") {
    return [=](store& in) {
        auto const to = in.erase(key, at(t));
        return to ? shown(*to) : "refused";
    };
}
step as_of(std::int64_t t, std::string key = "k") {
    return [=](store& in) { return shown(in.as_of(key, at(t))); };
}
step latest(std::string key = "k") {
    return [=](store& in) { return shown(in.latest(key)); };
}
std::string check(store made, std::vector<step> const& steps, std::vector<std::string> const& expected) {
    REQUIRE(steps.size() == expected.size());
    for (bool const restoring : {false, true}) {
        store in{std::move(made)};
        std::vector<std::string> said;
        for (auto const& each : steps) {
            if (restoring) {
                std::string bytes;
                byte_writer out{bytes};
                in.save(out);
                byte_reader back{bytes};
                in.load(back);
                back.expect_end();
                std::string again;
                byte_writer out_again{again};
                in.save(out_again);
                CHECK(again == bytes);
            }
            said.push_back(each(in));
        }
        CHECK(said == expected);
        auto const refused = std::to_string(in.expired());
        if (restoring) return refused;
        in.clear();
        made = std::move(in);
    }
    return {};
}
std::string check(std::vector<step> const& steps, std::vector<std::string> const& expected) {
    return check(store{duration{300'000}}, steps, expected);
}
}  // namespace

TEST_CASE("K-15 an older version that is put ends where the next one begins", "[cases][tables]") {
    check({put(10, "v"), put(8, "v2"), put(9, "v1"), put(6, "v4"), latest(), as_of(10), as_of(9), as_of(8), as_of(7),
              as_of(5)},
        {"inf", "10", "10", "8", "v[10,inf)", "v[10,inf)", "v1[9,10)", "v2[8,9)", "v4[6,8)", "none"});
}

TEST_CASE("K-17 a version older than the history is refused and counted", "[cases][tables]") {
    CHECK(check({put(300'010, "v"), put(10, "v", "k1"), put(9, "v", "k2"), latest("k1"), latest("k2")},
              {"inf", "inf", "refused", "v[10,inf)", "none"})
        == "1");
}

TEST_CASE("T2-21 older deletions split what was valid", "[cases][tables]") {
    check({put(10, "v"), del(8), del(9), del(6), put(5, "v5"), put(7, "v3"), del(4), latest(), as_of(10), as_of(9),
              as_of(8), as_of(7), as_of(6), as_of(5), as_of(4)},
        {"inf", "10", "10", "8", "6", "8", "5", "v[10,inf)", "v[10,inf)", "none", "none", "v3[7,8)", "none", "v5[5,6)",
            "none"});
}

TEST_CASE("T2-22 a version at the time of another takes its place", "[cases][tables]") {
    std::vector<step> steps;
    for (auto const& each : {put(10, "x"), put(10, "b"), del(10), del(10), put(10, "b")}) {
        steps.push_back(each);
        steps.push_back(latest());
        steps.push_back(as_of(10));
        steps.push_back(as_of(9));
    }
    check(steps,
        {"inf", "x[10,inf)", "x[10,inf)", "none", "inf", "b[10,inf)", "b[10,inf)", "none", "inf", "none", "none",
            "none", "inf", "none", "none", "none", "inf", "b[10,inf)", "b[10,inf)", "none"});
}

TEST_CASE("T2-24 what is older than the history is not read, unless the latest version is as old", "[cases][tables]") {
    check({put(0, "old"), put(99'990, "v"), as_of(99'989), put(399'989, "x", "other"), as_of(99'989),
              put(399'990, "x", "other"), as_of(99'989), as_of(99'990)},
        {"inf", "inf", "old[0,99990)", "inf", "old[0,99990)", "inf", "none", "v[99990,inf)"});
    check({put(1, "v"), put(1, "x", "o"), put(300'012, "y", "o"), as_of(10), as_of(10, "o")},
        {"inf", "inf", "inf", "v[1,inf)", "none"});
}

namespace tables_cases {
/// What was added and taken away, as text.
struct written {
    static constexpr std::string_view kind = "written";
    static constexpr combine_class combines = combine_class::sequential;
    std::string init(type_of<changelog::row>) const { return "0"; }
    std::string lift(changelog::row const& r) const { return "+" + r.value; }
    void combine(std::string& into, std::string const& later) const { into += later; }
    void remove(std::string& from, changelog::row const& r) const { from += "-" + r.value; }
    std::string lower(std::string const& of) const { return of; }
};
}  // namespace tables_cases
using tables_cases::written;

namespace {
constexpr auto all_rows = changelog::rows | table(unbounded_state{}, deleted_if(changelog::gone));
}  // namespace

TEST_CASE("T2-17 the old row is taken away before the new one is added", "[cases][tables]") {
    using changelog::put;
    auto const pipe = all_rows | key_by<&changelog::row::key>() | aggregate(written{}, unbounded_state{});
    // Kafka, unversioned, takes B7 for newer than B4: it comes later.
    changelog::check(pipe,
        {put("A", "1", 10), put("B", "2", 15), put("A", "3", 20), put("B", "4", 18), put("C", "5", 5),
            put("D", "6", 25), put("B", "7", 15), put("C", "8", 10)},
        {"A=0+1@10", "B=0+2@15", "A=0+1-1+3@20", "B=0+2-2+4@18", "C=0+5@5", "D=0+6@25", "", "C=0+5-5+8@10"});
}

TEST_CASE("T2-18 a row whose group changes leaves the old one first; what is older changes nothing",
    "[cases][tables]") {
    using changelog::del;
    using changelog::put;
    auto const pipe = all_rows | key_by<&changelog::row::value>() | aggregate(written{}, unbounded_state{});
    // Kafka keeps a group whose rows have all gone, as 0+1-1 and 0+2-2; here it is deleted with its last row.
    changelog::check(pipe,
        {put("A", "1", 10), del("A", 15), put("A", "1", 12), put("B", "2", 20), put("B", "4", 23), put("B", "7", 22)},
        {"1=0+1@10", "1 del@15", "", "2=0+2@20", "2 del@23 4=0+4@23", ""});
}

TEST_CASE("K-06 of more counts than are held back the oldest goes on, as it is", "[cases][tables][suppress]") {
    using changelog::put;
    auto const pipe = all_rows | key_by<&changelog::row::value>() | aggregate(count(), unbounded_state{})
        | suppress(max_records{1}, emit_early{});
    // Kafka shows v1:0@1, a count of nothing: here that group has come and gone while it was held.
    changelog::check(pipe, {put("k1", "v1", 0), put("k1", "v2", 1), put("k2", "v1", 2), put("k3", "x", 3)},
        {"", "", "v2=1@1", "v1=1@2"});
}

TEST_CASE("E-06 final results come at the end of their window and its grace", "[cases][tables][suppress]") {
    using changelog::put;
    using changelog::wm;
    // W = stream time: the greatest time so far.
    auto const finals = [](duration grace) {
        return changelog::rows | window(tumbling{duration{100}}, allowed_lateness{grace}) | aggregate(count())
            | suppress(final_results{});
    };
    changelog::check(finals(duration{1}),
        {put("a", "", 99), wm(99), put("b", "", 100), wm(100), put("b", "", 101), wm(101)},
        {"", "", "", "", "", "a=1@99"});
    changelog::check(finals(duration{0}), {put("a", "", 99), wm(99), put("b", "", 100), wm(100)},
        {"", "", "", "a=1@99"});
    auto const by_default = changelog::rows | window(tumbling{duration{100}}) | aggregate(count());
    changelog::check(by_default, {put("a", "", 99), wm(99), put("b", "", 100), wm(100)}, {"", "", "", "a=1@99"});
}

TEST_CASE("E-08 limits of what is held back", "[cases][tables][suppress]") {
    using changelog::put;
    using changelog::wm;
    changelog::check(all_rows | suppress(time_limit{duration{1}}), {put("k", "v", 0), wm(0), put("tick", "", 1), wm(1)},
        {"", "", "", "k=v@0"});
    auto const long_time = time_limit{duration{100 * 86'400'000'000'000}};
    changelog::check(all_rows | suppress(long_time, max_records{1}, emit_early{}), {put("k", "v", 5), put("x", "v", 6)},
        {"", "k=v@5"});
    std::vector<event<changelog::row>> const log{
        {{0, "k", "v"}, event_time{5}}, {{0, "x", "v"}, event_time{6}}};
    CHECK_THROWS_AS(
        driftless::run(batch{}, all_rows | suppress(long_time, max_records{1}, fail_when_full{}), log), error);
}
