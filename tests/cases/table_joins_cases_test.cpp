// SPDX-License-Identifier: BSL-1.0
// not precompiled
// Cases about joins of streams with tables, and of tables with tables.
#include <cases/changelog.hpp>
#include <driftless/op/as_of_join.hpp>
#include <driftless/op/foreign_key_join.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/table_join.hpp>
#include <driftless/run/batch.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;
using changelog::check;
using changelog::lines;
using changelog::row;
using changelog::wm;

namespace {
using script = std::vector<changelog::move>;
changelog::move l(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 0); }
changelog::move r(std::string key, std::string value, std::int64_t at) { return changelog::put(key, value, at, 1); }

/// The greatest time so far as the watermark behind each row: Kafka's stream time.
script in_stream_time(script const& rows) {
    script out;
    event_time newest = event_time::min();
    for (auto const& each : rows) {
        out.push_back(each);
        newest = std::max(newest, each.record->at);
        out.push_back(testing::watermark{newest});
    }
    return out;
}
/// What each row brought, and the watermark behind it.
template <class P>
void check_in_stream_time(P const& pipeline, script const& rows, lines const& expected) {
    auto const moves = in_stream_time(rows);
    auto const once = changelog::play_once(pipeline, moves, false, 1).brought;
    lines brought;
    for (std::size_t i = 0; i < once.size(); i += 2)
        brought.push_back(once[i] + (once[i].empty() || once[i + 1].empty() ? "" : " ") + once[i + 1]);
    CHECK(brought == expected);
    CHECK(changelog::play_once(pipeline, moves, true, 3).brought == once);
}

constexpr auto both = [](row const& a, row const& b) { return a.value + "+" + b.value; };
constexpr auto left_and = [](row const& a, row const* b) { return a.value + "+" + (b != nullptr ? b->value : "null"); };
constexpr auto rows_within(std::int64_t length) {
    return changelog::right | table(history{duration{length}}, unbounded_state{}, deleted_if(changelog::gone));
}
constexpr auto stream = changelog::left | filter([](row const& a) { return !a.value.empty(); });

/// One key, both sides: T2-04 and T2-05.
script const one_key{l("k", "", 1), r("k", "", 2), l("k", "A", 3), r("k", "a", 4), l("k", "B", 5), r("k", "b", 6),
    l("k", "", 7), r("k", "", 8), l("k", "C", 9), r("k", "c", 10), r("k", "", 11), l("k", "", 12), r("k", "", 13),
    r("k", "d", 7), l("k", "D", 6), l("k", "", 2), r("k", "", 3), r("k", "e", 14), l("k", "E", 15), l("k", "", 10),
    r("k", "", 9), l("k", "F", 4), r("k", "f", 3)};
constexpr auto left_rows = changelog::left | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto right_rows = changelog::right | table(unbounded_state{}, deleted_if(changelog::gone));
constexpr auto either = [](row const* a, row const* b) {
    return (a != nullptr ? a->value : "null") + "+" + (b != nullptr ? b->value : "null");
};
}  // namespace

TEST_CASE("T2-01 and T2-02 a table joined with another, as either changes", "[cases][joins][tables]") {
    script rows;
    lines expected;
    auto const add = [&](changelog::move const& each, std::string brought = "") {
        rows.push_back(each);
        expected.push_back(std::move(brought));
    };
    auto const all = [&](auto side, std::string const& value, std::vector<std::int64_t> const& times, lines brought) {
        for (std::size_t k = 0; k < times.size(); ++k) {
            auto const n = std::to_string(k);
            add(side(n, value.empty() ? "" : value + n, times[k]), brought[k]);
        }
    };
    add(l("0", "X0", 5), "0=X0+null@5");
    add(l("1", "X1", 6), "1=X1+null@6");
    add(r("0", "Y0", 0), "0=X0+Y0@5");
    add(r("1", "Y1", 10), "1=X1+Y1@10");
    all(l, "XX", {7, 7, 7, 7}, {"0=XX0+Y0@7", "1=XX1+Y1@10", "2=XX2+null@7", "3=XX3+null@7"});
    // T2-02. Versioned: what is older than the row of its key changes nothing, so 1:YY1@5, all XXX@6 and 1:del@7.
    all(r, "YY", {0, 5, 10, 15}, {"0=XX0+YY0@7", "", "2=XX2+YY2@10", "3=XX3+YY3@15"});
    all(l, "XXX", {6, 6, 6, 6}, {"", "", "", ""});
    add(r("0", "", 5), "0=XX0+null@7");
    add(r("1", "", 7));
    all(l, "XXXX", {13, 13, 13, 13}, {"0=XXXX0+null@13", "1=XXXX1+Y1@13", "2=XXXX2+YY2@13", "3=XXXX3+YY3@15"});
    all(l, "", {0, 42, 5, 20}, {"", "1 del@42", "", "3 del@20"});
    check(join(left_rows, right_rows, left_outer{}, left_and), rows, expected);
}

TEST_CASE("T2-04 an outer join of tables, with rows out of order", "[cases][joins][tables]") {
    check(join(left_rows, right_rows, full_outer{}, either), one_key,
        {"", "", "k=A+null@3", "k=A+a@4", "k=B+a@5", "k=B+b@6", "k=null+b@7", "k del@8", "k=C+null@9", "k=C+c@10",
            "k=C+null@11", "k del@12", "", "", "", "", "", "k=null+e@14", "k=E+e@15", "", "", "", ""});
}

TEST_CASE("T2-05 a stream reads a table as of its own times", "[cases][joins][tables]") {
    // As Kafka does, without waiting.
    check_in_stream_time(
        join(stream, rows_within(100), as_of{}, left_outer{}, after_grace{}, left_and), one_key,
        {"", "", "k=A+null@3", "", "k=B+a@5", "", "", "", "k=C+null@9", "", "", "", "", "", "k=D+b@6", "", "", "",
            "k=E+e@15", "", "", "k=F+a@4", ""});
    // Ours waits for the table. Where every row of the table is taken, f@3 takes the place of what was deleted at 3.
    auto all = one_key;
    all.push_back(changelog::end());
    lines nothing(one_key.size());
    nothing.push_back("k=A+f@3 k=F+a@4 k=B+a@5 k=D+b@6 k=C+null@9 k=E+e@15");
    auto const ours = join(stream, rows_within(0), as_of{}, left_outer{}, left_and);
    check(ours, all, nothing);
    // Where it is late, nothing was there at 3; so are D@6 and F@4.
    auto in_time = in_stream_time(one_key);
    in_time.push_back(changelog::end());
    auto const out = changelog::play_once(ours, in_time, false, 1);
    std::string brought;
    for (auto const& each : out.brought) brought += each.empty() ? "" : each + " ";
    CHECK(brought == "k=A+null@3 k=B+a@5 k=C+null@9 k=E+e@15 ");
    CHECK(out.report.refused(reason::late) == 6);
}

TEST_CASE("T2-06 a stream record waits for its grace, an older one does not", "[cases][joins][tables]") {
    script rows;
    lines expected;
    auto const add = [&](changelog::move const& each, std::string brought = "") {
        rows.push_back(each);
        expected.push_back(std::move(brought));
    };
    for (int k = 0; k < 4; ++k) add(r(std::to_string(k), "Y" + std::to_string(k), 0));
    add(l("0", "X0", 0));
    add(l("1", "X1", 1));
    add(l("2", "X2", 2), "0=X0+Y0@0");
    add(l("3", "X3", 3), "1=X1+Y1@1");
    for (int k = 0; k < 4; ++k) add(r(std::to_string(k), "YY" + std::to_string(k), 0));
    add(l("0", "X0", 0), "0=X0+YY0@0");
    add(l("1", "X1", 1), "1=X1+YY1@1");
    add(l("2", "X2", 2));
    add(l("3", "X3", 3));
    add(l("5", "test", 7), "2=X2+YY2@2 2=X2+YY2@2 3=X3+YY3@3 3=X3+YY3@3");
    for (int k = 0; k < 4; ++k) add(r(std::to_string(k), "YYY" + std::to_string(k), 0));
    check_in_stream_time(join(stream, rows_within(100), as_of{}, after_grace{duration{2}}, both), rows, expected);
}

TEST_CASE("T2-08 a grace needs a table with a history as long", "[cases][joins][tables]") {
    std::vector<event<row>> const nothing;
    auto const run_with = [&](auto const& rows, duration grace) {
        return driftless::try_run(batch{}, join(stream, rows, as_of{}, after_grace{grace}, both), nothing).has_value();
    };
    auto const minute = duration{60'000'000'000};
    auto const plain = changelog::right | table(unbounded_state{});
    auto const five = changelog::right | table(history{minute * 5}, unbounded_state{});
    // A filter behind a table deletes the rows that do not pass.
    auto const filtered = deleted_if([](row const& each) { return each.value == "no"; });
    CHECK_FALSE(run_with(plain, minute * 6));
    CHECK_FALSE(run_with(five, minute * 6));
    CHECK_FALSE(run_with(changelog::right | table(unbounded_state{}, filtered), duration{6'000'000}));
    CHECK(run_with(changelog::right | table(history{minute * 5}, unbounded_state{}, filtered), duration{6'000'000}));
}

TEST_CASE("T2-09 rows of the table that change bring nothing", "[cases][joins][tables]") {
    auto const pipe = join(stream, rows_within(100), as_of{}, after_grace{}, both);
    check_in_stream_time(pipe,
        {l("0", "X0", 1), l("1", "X1", 2), r("0", "Y0", 3), r("1", "Y1", 3), l("0", "X0", 4), l("1", "X1", 4),
            l("2", "X2", 4), l("3", "X3", 4)},
        {"", "", "", "", "0=X0+Y0@4", "1=X1+Y1@4", "", ""});
    script rows;
    lines expected;
    for (int k = 0; k < 4; ++k) rows.push_back(r(std::to_string(k), "Y" + std::to_string(k), 0));
    expected.resize(4);
    for (int k = 0; k < 4; ++k) {
        auto const n = std::to_string(k);
        rows.push_back(l(n, "X" + n, 1));
        expected.push_back(n + "=X" + n + "+Y" + n + "@1");
    }
    for (int k = 0; k < 2; ++k) rows.push_back(r(std::to_string(k), "", 2));
    for (int k = 0; k < 4; ++k) rows.push_back(l(std::to_string(k), "XX" + std::to_string(k), 3));
    for (auto const* const each : {"", "", "", "", "2=XX2+Y2@3", "3=XX3+Y3@3"}) expected.emplace_back(each);
    check_in_stream_time(pipe, rows, expected);
}

TEST_CASE("T2-26 a record is joined when both watermarks are past it", "[cases][joins][tables]") {
    // WMi n of both sides is exclusive n + 1; of two that differ the lesser one counts.
    script const moves{wm(2), l("k1", "1a1", 1), r("k1", "1a2", 2), wm(3), l("k1", "1a1", 1), l("k1", "1a3", 3),
        r("k2", "2a4", 4), wm(6), l("k2", "2a3", 6), r("k2", "2a5", 7), wm(9), l("k2", "5a11", 9), l("k2", "5a12", 11),
        r("k2", "", 9), r("k2", "2a6", 10), wm(14)};
    // As in the test, 1a1@1 comes before its watermark; there that is not asked.
    auto on_time = moves;
    on_time[0] = wm(1);
    // Ours refuses the late left row, which Flink joins at the next watermark.
    auto const inner_join = join(stream, rows_within(0), as_of{}, both);
    auto const out = check(inner_join, on_time,
        {"", "", "", "", "", "", "", "k1=1a3+1a2@3", "", "", "k2=2a3+2a4@6", "", "", "", "", "k2=5a12+2a6@11"});
    CHECK(out.report.refused(reason::late) == 1);
    check(join(stream, rows_within(0), as_of{}, left_outer{}, left_and), on_time,
        {"", "", "", "k1=1a1+null@1", "", "", "", "k1=1a3+1a2@3", "", "", "k2=2a3+2a4@6", "", "", "", "",
            "k2=5a11+null@9 k2=5a12+2a6@11"});
}

namespace {
/// Left rows refer to right ones by their value, "r1" or "r1 something"; shown as (what they say, the right value).
constexpr auto refers = foreign_key([](row const& a) { return a.value.substr(0, 2); });
constexpr auto by_reference = [](auto... kind) { return join(left_rows, right_rows, refers, kind..., left_and); };
constexpr auto inner_by_reference = join(left_rows, right_rows, refers, both);
}  // namespace

TEST_CASE("T2-11 rows joined by a foreign key, from the left", "[cases][joins][tables]") {
    script const moves{r("r1", "one", 0), r("r2", "two", 1), r("r3", "three", 2), l("a", "r1", 3), l("b", "r2", 4),
        l("c", "r1", 5), l("a", "", 6)};
    lines const expected{"", "", "", "a=r1+one@3", "b=r2+two@4", "c=r1+one@5", "a del@6"};
    check(inner_by_reference, moves, expected);
    check(by_reference(left_outer{}), moves, expected);
}

TEST_CASE("T2-12 rows joined by a foreign key, from the right", "[cases][joins][tables]") {
    script const moves{l("a", "r1", 0), l("b", "r2", 1), l("c", "r1", 2), r("r1", "one", 3), r("r2", "two", 4),
        r("r3", "three", 5), r("r1", "", 6)};
    check(inner_by_reference, moves, {"", "", "", "a=r1+one@3 c=r1+one@3", "b=r2+two@4", "", "a del@6 c del@6"});
    check(by_reference(left_outer{}), moves,
        {"a=r1+null@0", "b=r2+null@1", "c=r1+null@2", "a=r1+one@3 c=r1+one@3", "b=r2+two@4", "",
            "a=r1+null@6 c=r1+null@6"});
}

TEST_CASE("T2-14 a row that refers to another one does not hear of the old one", "[cases][joins][tables]") {
    check(inner_by_reference,
        {r("r1", "p", 0), r("r2", "q", 1), l("a", "r1", 2), l("a", "r2", 3), r("r1", "p'", 4)},
        {"", "", "a=r1+p@2", "a=r2+q@3", ""});
}

TEST_CASE("T2-16 rows out of order change nothing", "[cases][joins][tables]") {
    check(inner_by_reference,
        {r("r1", "v", 4), l("a", "r1", 3), l("b", "r1", 5), l("b", "", 6), l("a", "r1'", 2), l("b", "r1'", 2),
            l("a", "", 2), l("a", "r1''", 8), l("b", "r1''", 8), r("r1", "o", 1), r("r1", "", 1), r("r1", "n", 6)},
        {"", "a=r1+v@4", "b=r1+v@5", "b del@6", "", "", "", "a=r1''+v@8", "b=r1''+v@8", "", "",
            "a=r1''+n@8 b=r1''+n@8"});
}

TEST_CASE("T2-31 the last values of both sides, as they come", "[cases][tables]") {
    // Bytewax: last/running of L 1, R 2,3. A window comes out once; rows that are shown as they change are tables.
    auto const last = [](auto const& side) { return side | table(unbounded_state{}); };
    auto const running = join(last(changelog::left), last(changelog::right), left_outer{}, left_and);
    check(running, {l("k", "1", 0), r("k", "2", 1), r("k", "3", 2)}, {"k=1+null@0", "k=1+2@1", "k=1+3@2"});
}
