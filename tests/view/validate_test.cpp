// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/view/validate.hpp>
#include <support/catch.hpp>

#include <driftless/agg.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/op.hpp>
#include <driftless/run/batch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace validate_test {
struct totals {
    std::int64_t cents = 0;
    double mean = 0;
    std::string note;
    friend bool operator==(totals const&, totals const&) = default;
};
struct ledger_line {
    dl::text shop;
    std::int64_t hour;
    std::int64_t cents;
};
struct sale {
    dl::text sku;
    std::int64_t cents;
    dl::event_time at;
};
}  // namespace validate_test
BOOST_HANA_ADAPT_STRUCT(validate_test::totals, cents, mean, note);
BOOST_HANA_ADAPT_STRUCT(validate_test::ledger_line, shop, hour, cents);
BOOST_HANA_ADAPT_STRUCT(validate_test::sale, sku, cents, at);

namespace {
using validate_test::totals;
using rows = dl::row_set<std::string, totals>;
using numbers = dl::row_set<std::int64_t, std::int64_t>;
using model = std::map<std::pair<dl::time_window, std::int64_t>, std::int64_t>;

dl::time_window hour(std::int64_t i) {
    return {dl::event_time{} + i * 1_h, dl::event_time{} + (i + 1) * 1_h};
}
numbers set_of(model const& of) {
    numbers out;
    for (auto const& [place, value] : of) out.add(place.second, place.first, value);
    return std::move(out).finish();
}
rows one(std::string const& key, totals const& value) {
    rows out;
    out.add(key, hour(0), value);
    return std::move(out).finish();
}
bool near(totals const& a, totals const& b, dl::tolerance const& allowed) {
    return dl::reconcile(one("k", a), one("k", b), {.allowed = allowed}).agree();
}
template <class Panes>
struct with_each_row {
    Panes& all;
    void each_row(auto const& f) const {
        for (auto const& each : all) f(each.key, each.window, each.value);
    }
};
}  // namespace

TEST_CASE("rows are the same whatever the order in which they came, and the later of two counts", "[view][validate]") {
    std::mt19937 random{7};
    std::vector<std::tuple<std::int64_t, dl::time_window, std::int64_t>> all;
    for (std::int64_t k = 0; k < 200; ++k) all.emplace_back(k % 50, hour(k / 50), k);
    numbers in_order;
    for (auto const& [k, w, v] : all) in_order.add(k, w, v);
    in_order.finish();
    for (int round = 0; round < 5; ++round) {
        std::shuffle(all.begin(), all.end(), random);
        numbers shuffled;
        for (auto const& [k, w, v] : all) shuffled.add(k, w, v);
        shuffled.finish();
        CHECK(dl::checksum_of(shuffled) == dl::checksum_of(in_order));
        REQUIRE(shuffled.size() == 200);
        for (std::size_t i = 0; i < 200; ++i) {
            CHECK(shuffled[i].key() == in_order[i].key());
            if (i != 0) CHECK(shuffled[i - 1].before(shuffled[i]));
        }
    }
    auto const before = dl::checksum_of(in_order);
    in_order.add(std::int64_t{3}, hour(1), std::int64_t{-1});
    in_order.finish();
    CHECK(in_order.size() == 200);
    CHECK(in_order.duplicates() == 1);
    CHECK(dl::checksum_of(in_order) != before);
}

TEST_CASE("a checksum sees each part of each row", "[view][validate]") {
    auto const sum = [](std::int64_t key, dl::time_window window, std::int64_t value) {
        numbers all;
        all.add(key, window, value);
        all.add(std::int64_t{100}, hour(0), std::int64_t{5});
        return dl::checksum_of(all.finish());
    };
    auto const base = sum(1, hour(0), 2);
    CHECK(sum(1, hour(0), 2) == base);
    CHECK(sum(2, hour(0), 2) != base);
    CHECK(sum(1, hour(1), 2) != base);
    CHECK(sum(1, {hour(0).start, hour(1).end}, 2) != base);
    CHECK(sum(1, hour(0), 3) != base);
    CHECK(base.rows == 2);
    CHECK(base.str().starts_with("2:"));
}

TEST_CASE("reconcile finds what a comparison of two maps finds", "[view][validate]") {
    for (unsigned seed = 0; seed < 40; ++seed) {
        std::mt19937 random{seed};
        model a;
        model b;
        for (int i = 0; i < 300; ++i) {
            auto const place = std::pair{hour(random() % 4), static_cast<std::int64_t>(random() % 60)};
            auto const value = static_cast<std::int64_t>(random() % 1000);
            if (random() % 8 != 0) a[place] = value;
            if (random() % 8 != 0) b[place] = value + (random() % 5 == 0 ? static_cast<std::int64_t>(random() % 5) : 0);
        }
        std::uint64_t equal = 0, near = 0, different = 0, only_a = 0, only_b = 0;
        double greatest = 0;
        for (auto const& [place, value] : a) {
            auto const other = b.find(place);
            if (other == b.end()) ++only_a;
            else if (other->second == value) ++equal;
            else {
                auto const apart = std::abs(other->second - value);
                ++(apart <= 2 ? near : different);
                greatest = std::max(greatest, static_cast<double>(apart));
            }
        }
        for (auto const& [place, value] : b) only_b += a.contains(place) ? 0 : 1;
        auto const found = dl::reconcile(set_of(a), set_of(b), {.allowed = {.absolute = 2}, .samples = 4});
        INFO("seed " << seed);
        CHECK(found.equal == equal);
        CHECK(found.near == near);
        CHECK(found.different == different);
        CHECK(found.only_left == only_a);
        CHECK(found.only_right == only_b);
        CHECK(found.left_rows == a.size());
        CHECK(found.right_rows == b.size());
        CHECK(found.greatest_difference == greatest);
        CHECK(found.agree() == (different + only_a + only_b == 0));
        CHECK(found.rows() == equal + near + different + only_a + only_b);
        CHECK(found.samples.size() == std::min<std::uint64_t>(4, found.disagreeing()));
        for (auto const& each : found.samples) {
            auto const place = std::pair{each.window, static_cast<std::int64_t>(std::stoll(each.key))};
            CHECK(each.left.has_value() == a.contains(place));
            CHECK(each.right.has_value() == b.contains(place));
            if (each.left) CHECK(*each.left == std::to_string(a[place]));
            if (each.right) CHECK(*each.right == std::to_string(b[place]));
            if (each.left && each.right) CHECK(std::abs(a[place] - b[place]) > 2);
        }
        CHECK(dl::reconcile(set_of(a), set_of(a)).agree());
        CHECK((found.left == found.right) == (a == b));
    }
}

TEST_CASE("values may differ by what is tolerated, the bound included, and by no more", "[view][validate]") {
    totals const base{1000, 2.5, "x"};
    CHECK(near(base, base, {}));
    CHECK_FALSE(near(base, {1001, 2.5, "x"}, {}));
    CHECK(near(base, {1001, 2.5, "x"}, {.absolute = 1}));
    CHECK_FALSE(near(base, {1002, 2.5, "x"}, {.absolute = 1}));
    CHECK(near(base, {900, 2.5, "x"}, {.relative = 0.1}));
    CHECK_FALSE(near(base, {899, 2.5, "x"}, {.relative = 0.1}));
    CHECK_FALSE(near(base, {1000, 2.5, "y"}, {.absolute = 100, .relative = 1}));
    CHECK(near(base, {1000, 2.75, "x"}, {.absolute = 0.25}));
    CHECK_FALSE(near(base, {1001, 2.75, "x"}, {.parts = {{"mean", {.absolute = 0.25}}}}));
    CHECK(near(base, {1000, 2.75, "x"}, {.parts = {{"mean", {.absolute = 0.25}}}}));
    CHECK_FALSE(near(base, {1000, 2.75, "x"}, {.absolute = 5, .parts = {{"mean", {}}}}));
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    auto const inf = std::numeric_limits<double>::infinity();
    CHECK(near({1, nan, ""}, {1, nan, ""}, {}));
    CHECK(near({1, -0.0, ""}, {1, 0.0, ""}, {}));
    CHECK_FALSE(near({1, nan, ""}, {1, 1, ""}, {.absolute = 1e300, .relative = 1}));
    CHECK_FALSE(near({1, inf, ""}, {1, 1, ""}, {.absolute = 1e300, .relative = 1}));
    CHECK_FALSE(near({1, inf, ""}, {1, -inf, ""}, {.absolute = 1e300, .relative = 1}));
    auto const big = std::numeric_limits<std::int64_t>::max();
    CHECK_FALSE(near({big, 0, ""}, {big - 1, 0, ""}, {}));
    auto const found = dl::reconcile(one("k", base), one("k", {1000, 3.5, "x"}), {});
    REQUIRE(found.samples.size() == 1);
    CHECK(found.samples[0].what == "mean differs");
    CHECK(found.samples[0].str()
        ==
        "\"k\" in [1970-01-01T00:00:00Z, 1970-01-01T01:00:00Z): {\"cents\":1000,\"mean\":2.5,\"note\":\"x\"} against "
        "{\"cents\":1000,\"mean\":3.5,\"note\":\"x\"} (mean differs)");
}

TEST_CASE("parts of nested values are tolerated by their path", "[view][validate]") {
    using nested = dl::row_set<std::int64_t, std::tuple<std::vector<std::int64_t>, std::optional<totals>>>;
    auto const make = [](std::vector<std::int64_t> list, std::optional<totals> more) {
        nested out;
        out.add(std::int64_t{1}, hour(0), std::tuple{std::move(list), std::move(more)});
        return std::move(out).finish();
    };
    auto const base = make({1, 2}, totals{5, 0, ""});
    auto const agrees = [&](nested const& other, dl::tolerance const& allowed) {
        return dl::reconcile(base, other, {.allowed = allowed}).agree();
    };
    CHECK(agrees(make({1, 3}, totals{5, 0, ""}), {.parts = {{"1.1", {.absolute = 1}}}}));
    CHECK_FALSE(agrees(make({2, 2}, totals{5, 0, ""}), {.parts = {{"1.1", {.absolute = 1}}}}));
    CHECK(agrees(make({1, 2}, totals{6, 0, ""}), {.parts = {{"2.cents", {.absolute = 1}}}}));
    CHECK_FALSE(agrees(make({1, 2}, std::nullopt), {.absolute = 1e9}));
    CHECK_FALSE(agrees(make({1, 2, 3}, totals{5, 0, ""}), {.absolute = 1e9}));
}

TEST_CASE("counts compares the rows of each window", "[view][validate]") {
    model current;
    for (std::int64_t w = 0; w < 5; ++w) {
        for (std::int64_t k = 0; k < 100; ++k) current[{hour(w), k}] = 1;
    }
    auto candidate = current;
    dl::validation<std::int64_t, std::int64_t> checks;
    checks.add(dl::counts{}, "exact").add(dl::counts{.relative = 0.01}, "nearly");
    CHECK(checks.run(set_of(candidate), set_of(current)).passed());
    candidate.erase({hour(2), 7});
    auto found = checks.run(set_of(candidate), set_of(current));
    CHECK(found.find("exact")->failed());
    CHECK(found.find("nearly")->passed());
    CHECK(found.find("exact")->number("windows off") == 1);
    REQUIRE(found.find("exact")->samples.size() == 1);
    CHECK(found.find("exact")->samples[0].left == "99");
    CHECK(found.find("exact")->samples[0].window == hour(2));
    candidate.erase({hour(2), 8});
    found = checks.run(set_of(candidate), set_of(current));
    CHECK(found.find("nearly")->failed());
    CHECK(found.summary() == "failed: exact, nearly");
    // As many in all, but in another window.
    candidate = current;
    candidate.erase({hour(2), 7});
    candidate[{hour(9), 7}] = 1;
    CHECK(checks.run(set_of(candidate), set_of(current)).find("nearly")->failed());
    CHECK_THROWS_AS(checks.add(dl::counts{.relative = 1.5}), dl::error);
}

TEST_CASE("an invariant is asked of every row, and what it throws counts against the row", "[view][validate]") {
    rows candidate;
    for (int i = 0; i < 20; ++i) candidate.add("k" + std::to_string(i), hour(i % 3), totals{i - 2, 0, ""});
    candidate.finish();
    dl::validation<std::string, totals> checks{3};
    checks.invariant("revenue >= 0", [](totals const& each) { return each.cents >= 0; })
        .invariant("known keys", [](std::string const& key, dl::time_window, totals const&) { return key != "k7"; })
        .invariant("windows end after they start",
            [](std::string const&, dl::time_window window, totals const&) { return window.start < window.end; })
        .invariant("throws", [](totals const& each) -> bool {
            if (each.cents == 4) throw std::runtime_error{"four"};
            return true;
        });
    auto const found = checks.run(candidate);
    CHECK_FALSE(found.passed());
    CHECK(found.verdicts[0].failed());
    CHECK(found.verdicts[0].number("violations") == 2);
    CHECK(found.verdicts[0].number("rows") == 20);
    CHECK(found.verdicts[0].samples.size() == 2);
    CHECK(found.verdicts[1].failed());
    CHECK(found.verdicts[1].samples[0].key == "\"k7\"");
    CHECK(found.verdicts[2].passed());
    CHECK(found.verdicts[3].samples[0].what == "the predicate threw: four");
    CHECK(found.summary() == "failed: revenue >= 0, known keys, throws");
}

TEST_CASE("only_changes lets rows differ in the windows that were named and nowhere else", "[view][validate]") {
    model current;
    for (std::int64_t w = 0; w < 48; ++w) {
        for (std::int64_t k = 0; k < 10; ++k) current[{hour(w), k}] = k;
    }
    dl::time_window const first_day{dl::event_time{}, dl::event_time{} + 1_d};
    dl::validation<std::int64_t, std::int64_t> checks;
    checks.add(dl::only_changes{{first_day}, {.absolute = 1}});
    auto const verdict_of = [&](model const& candidate) {
        return checks.run(set_of(candidate), set_of(current)).verdicts[0];
    };
    auto candidate = current;
    candidate[{hour(0), 3}] = 99;     // inside
    candidate.erase({hour(23), 4});   // inside, up to the end of the day
    candidate[{hour(23), 777}] = 1;   // inside
    candidate[{hour(24), 5}] = 6;     // outside, tolerated
    auto found = verdict_of(candidate);
    CHECK(found.passed());
    CHECK(found.number("changed inside") == 3);
    candidate[{hour(24), 5}] = 7;
    CHECK(verdict_of(candidate).failed());
    CHECK(verdict_of(candidate).samples.at(0).window == hour(24));
    candidate = current;
    candidate.erase({hour(47), 0});
    CHECK(verdict_of(candidate).failed());
    candidate = current;
    candidate[{{hour(23).start, hour(24).end}, 0}] = 0;  // half of it lies outside
    CHECK(verdict_of(candidate).failed());
    CHECK(verdict_of(current).passed());
}

TEST_CASE("difference compares the same keys on both sides in every stratum, and estimates the share",
    "[view][validate]") {
    model current;
    for (std::int64_t k = 0; k < 4000; ++k) {
        for (std::int64_t w = 0; w < 2; ++w) current[{hour(w), k}] = 1000;
    }
    auto candidate = current;
    std::uint64_t changed = 0;
    std::mt19937 random{3};
    for (auto& [place, value] : candidate) {
        if (random() % 10 != 0) continue;
        value += 50;
        ++changed;
    }
    auto const truly = static_cast<double>(changed) / static_cast<double>(current.size());
    auto const run = [&](dl::difference what, model const& of) {
        dl::validation<std::int64_t, std::int64_t> checks;
        checks.add(std::move(what));
        return checks.run(set_of(of), set_of(current)).verdicts[0];
    };
    auto const all = run({.most = 0.5, .strata = 64, .per_stratum = 0}, candidate);
    CHECK(all.number("compared") == 8000);
    CHECK(all.number("different") == static_cast<double>(changed));
    CHECK(*all.number("estimated share") == Approx(truly));
    CHECK(all.passed());
    CHECK(run({.most = truly - 0.001, .per_stratum = 0}, candidate).failed());
    auto const sampled = run({.most = 0.5, .strata = 16, .per_stratum = 20}, candidate);
    CHECK(sampled.number("compared") == 16 * 20 * 2);
    CHECK(std::abs(*sampled.number("estimated share") - truly) < 0.05);
    CHECK(sampled == run({.most = 0.5, .strata = 16, .per_stratum = 20}, candidate));
    CHECK(run({.allowed = {.relative = 0.05}, .strata = 16, .per_stratum = 20}, candidate).passed());
    CHECK(run({.allowed = {.relative = 0.04}, .strata = 16, .per_stratum = 20}, candidate).failed());
    CHECK(run({}, current).passed());
    CHECK(run({.strata = 1, .per_stratum = 0}, current).number("compared") == 8000);
    // Keys that one side lacks take part.
    auto fewer = current;
    for (std::int64_t k = 0; k < 4000; k += 2) fewer.erase({hour(0), k});
    auto const missing = run({.most = 0.1, .strata = 16, .per_stratum = 20}, fewer);
    CHECK(missing.failed());
    CHECK(std::abs(*missing.number("estimated share") - 0.25) < 0.06);
    CHECK_THROWS_AS(run({.strata = 0}, current), dl::error);
    CHECK_THROWS_AS(run({.most = -0.1}, current), dl::error);
}

TEST_CASE("a candidate is reconciled with a source of truth, of the same rows or of sums of them", "[view][validate]") {
    model candidate;
    for (std::int64_t w = 0; w < 24; ++w) candidate[{hour(w), 1}] = 10;
    dl::time_window const day{dl::event_time{}, dl::event_time{} + 1_d};
    auto const by_day = [&](numbers const& of) {
        model sums;
        for (std::size_t i = 0; i < of.size(); ++i) sums[{day, of[i].key()}] += of[i].value();
        return set_of(sums);
    };
    auto const run = [&](std::int64_t day_total, model const& hours) {
        dl::validation<std::int64_t, std::int64_t> checks;
        checks.agrees_with("hours", set_of(hours)).agrees_with("days", set_of({{{day, 1}, day_total}}), by_day);
        return checks.run(set_of(candidate));
    };
    CHECK(run(240, candidate).passed());
    CHECK(run(241, candidate).find("days")->failed());
    CHECK(run(240, candidate).find("hours")->number("equal") == 24);
    auto less = candidate;
    less.erase({hour(3), 1});
    auto const found = run(240, less);
    CHECK(found.find("hours")->failed());
    CHECK(found.find("hours")->number("too many") == 1);
    // Nothing against nothing is no proof.
    dl::validation<std::int64_t, std::int64_t> checks;
    checks.agrees_with("empty", numbers{});
    CHECK_FALSE(checks.run(numbers{}).passed());
    // Nor is a ledger that says one thing twice.
    numbers twice;
    twice.add(std::int64_t{1}, day, std::int64_t{3});
    twice.add(std::int64_t{1}, day, std::int64_t{240});
    dl::validation<std::int64_t, std::int64_t> again;
    again.agrees_with("days", std::move(twice).finish(), by_day);
    CHECK(again.run(set_of(candidate)).verdicts[0].number("duplicates") == 1);
    CHECK_FALSE(again.run(set_of(candidate)).passed());
}

TEST_CASE("a CSV file and a log of records are sources of truth", "[view][validate]") {
    using validate_test::ledger_line;
    auto const ledger = dl::rows_of<std::string, std::int64_t>([](auto const& row) {
        dl::csv_reader<ledger_line> lines{dl::csv_input::memory("shop,hour,cents\na,0,30\nb,0,5\na,1,7\n"),
            {.strict = true}};
        for (ledger_line each{}; lines.next(each);) row(each.shop, hour(each.hour), each.cents);
    });
    CHECK(ledger.size() == 3);
    dl::memory_log<ledger_line> log;
    for (std::int64_t cents : {10, 20}) log.append({"a", 0, cents});
    log.append({"b", 0, 5});
    log.append({"a", 1, 7});
    // A plain loop over the records, as an auditor would write it.
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> sums;
    dl::read_offsets(log, 0, {}, [&](ledger_line const& each) {
        sums[{std::string{std::string_view{each.shop}}, each.hour}] += each.cents;
    });
    auto const summed = dl::rows_of<std::string, std::int64_t>([&](auto const& row) {
        for (auto const& [at, cents] : sums) row(at.first, hour(at.second), cents);
    });
    dl::validation<std::string, std::int64_t> checks;
    checks.agrees_with("ledger", ledger);
    CHECK(checks.run(summed).passed());
    sums[{"b", 0}] = 6;
    auto const off = dl::rows_of<std::string, std::int64_t>([&](auto const& row) {
        for (auto const& [at, cents] : sums) row(at.first, hour(at.second), cents);
    });
    CHECK(checks.run(off).verdicts[0].samples.at(0).key == "\"b\"");
}

TEST_CASE("what compares with a current version is skipped where there is none, and says so", "[view][validate]") {
    dl::validation<std::int64_t, std::int64_t> checks;
    checks.add(dl::counts{}).add(dl::same_checksum{}).add(dl::difference{}).add(dl::only_changes{});
    checks.invariant("positive", [](std::int64_t value) { return value > 0; });
    auto const found = checks.run(set_of({{{hour(0), 1}, 2}}));
    CHECK(found.passed());
    CHECK(found.summary() == "1 check passed, 4 skipped");
    CHECK(found.str().find("counts: skipped, there is no current version to compare with") != std::string::npos);
    auto const other = checks.run(set_of({{{hour(0), 1}, 2}}), set_of({{{hour(0), 1}, 3}}));
    CHECK(other.find("checksum")->failed());
    CHECK(other.find("checksum")->samples.size() == 1);
    CHECK(checks.run(set_of({{{hour(0), 1}, 2}}), set_of({{{hour(0), 1}, 2}})).passed());
}

TEST_CASE("verdicts are data: they are encoded, and shown as JSON", "[view][validate]") {
    dl::validation<std::int64_t, std::int64_t> checks;
    checks.invariant("positive", [](std::int64_t value) { return value > 0; });
    auto const found = checks.run(set_of({{{hour(0), 1}, -2}}));
    CHECK(dl::decode<dl::validation_report>(dl::encode(found)) == found);
    CHECK(found.json().find("\"name\":\"positive\"") != std::string::npos);
    CHECK(found.json().find("\"violations\"") != std::string::npos);
    CHECK(found.str()
        ==
        "positive: FAILED, it does not hold for 1 row of 1 [rows 1, violations 1]\n"
        "  1 in [1970-01-01T00:00:00Z, 1970-01-01T01:00:00Z): -2 (does not hold)\n"
        "failed: positive\n");
}

TEST_CASE("runs of two pipelines are compared as they come", "[view][validate]") {
    using validate_test::sale;
    dl::memory_log<sale> log;
    for (int i = 0; i < 500; ++i) {
        std::string const sku = "sku" + std::to_string(i % 7);
        log.append({dl::text{sku}, i, dl::event_time{} + i * 1_min});
    }
    auto const hours = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s})
        | dl::key_by<&sale::sku>() | dl::window(dl::tumbling{1_h}) | dl::aggregate(dl::sum<&sale::cents>());
    auto const other = dl::from<sale>() | dl::assign_time<&sale::at>(dl::bounded_disorder{0_s})
        | dl::filter([](sale const& s) { return s.cents != 123; }) | dl::key_by<&sale::sku>()
        | dl::window(dl::tumbling{1_h}) | dl::aggregate(dl::sum<&sale::cents>());
    auto const a = dl::run(dl::batch{}, hours, log);
    auto const b = dl::run(dl::batch{}, other, log);
    CHECK(dl::reconcile(a, a).agree());
    auto const found = dl::reconcile(a, b);
    CHECK(found.different == 1);
    CHECK(found.greatest_difference == 123);
    REQUIRE(found.samples.size() == 1);
    CHECK(found.samples[0].key == "\"sku4\"");
    CHECK(found.samples[0].window == hour(2));
    // What is called with each row, in whatever form.
    auto const called = dl::rows_of<std::string, std::int64_t>([&](auto const& f) {
        for (auto const& each : a) f(dl::text{each.key}, each.window, each.value);
    });
    CHECK(dl::checksum_of(called) == dl::checksum_of(dl::rows_of(a)));
    struct with_for_each : with_each_row<decltype(a)> {
        void for_each(std::function<void(std::string const&, dl::time_window, std::int64_t)> const& f) const {
            this->each_row(f);
        }
    };
    dl::validation<std::string, std::int64_t> checks;
    checks.add(dl::same_checksum{});
    dl::validation_report report;
    auto const validator = checks.as_validator(&report);
    with_for_each const whole{{a}};
    CHECK(validator(&whole, whole, 0).empty());
    CHECK(report.summary() == "1 check passed");
    auto const by_member = dl::rows_of<std::string, std::int64_t>(with_each_row<decltype(a)>{a});
    CHECK(dl::checksum_of(by_member) == dl::checksum_of(called));
}
