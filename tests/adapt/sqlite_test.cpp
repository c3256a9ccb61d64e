// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/adapt/sqlite.hpp>

#include <driftless/core/sink.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <sqlite3.h>

using namespace driftless;
using namespace driftless::literals;

namespace sqlite_test {
struct totals {
    std::int64_t orders;
    double mean;
    text best;
    event_time last;
};
struct place {
    text country;
    std::int32_t shop;
};
enum class colour : std::uint8_t {
    red,
    blue
};
struct everything {
    bool yes;
    colour of;
    std::uint64_t big;
    float small;
    std::optional<std::int32_t> maybe;
    std::optional<std::string> said;
    duration took;
    time_window over;
    place at;
    std::tuple<std::int16_t, std::string> pair;
};
struct item {
    std::int64_t value;
};
}  // namespace sqlite_test
BOOST_HANA_ADAPT_STRUCT(sqlite_test::totals, orders, mean, best, last);
BOOST_HANA_ADAPT_STRUCT(sqlite_test::place, country, shop);
BOOST_HANA_ADAPT_STRUCT(sqlite_test::everything, yes, of, big, small, maybe, said, took, over, at, pair);
BOOST_HANA_ADAPT_STRUCT(sqlite_test::item, value);
using namespace sqlite_test;

namespace {
using totals_sink = sqlite_sink<pane<text, totals>>;
using item_sink = sqlite_sink<item, sqlite_append>;
static_assert(transactional_sink<totals_sink> && delivery_of<totals_sink> == delivery::exactly_once);
static_assert(sink_for<totals_sink, text, totals> && sink_for<totals_sink, std::string, totals>);

struct database {
    test::temporary_folder folder;
    std::string path = folder.path() + "/out.db";

    /// What a query says, by another connection: columns with |, rows with a line break.
    std::string ask(std::string const& sql) const {
        sqlite3* open = nullptr;
        sqlite3_open(path.c_str(), &open);
        std::string out;
        auto const row = [](void* to, int n, char** values, char**) {
            auto& all = *static_cast<std::string*>(to);
            for (int i = 0; i < n; ++i) {
                all += (i == 0 ? "" : "|") + std::string{values[i] != nullptr ? values[i] : "NULL"};
            }
            all += '\n';
            return 0;
        };
        char* problem = nullptr;
        sqlite3_exec(open, sql.c_str(), row, &out, &problem);
        if (problem != nullptr) out += problem;
        sqlite3_free(problem);
        sqlite3_close(open);
        return out;
    }
};
sink_position from(std::uint64_t snapshot, std::uint64_t instance, std::string job = "shop") {
    return {std::move(job), snapshot, instance - 1, instance};
}
time_window hour(std::int64_t h) { return {event_time{} + h * 1_h, event_time{} + (h + 1) * 1_h}; }
pane<text, totals> row(text key, std::int64_t h, std::int64_t orders, double mean = 0.5, text best = "tea") {
    return {key, hour(h), {orders, mean, best, event_time{7}}, {}};
}
std::string shown(database const& in, std::string const& where = "1") {
    return in.ask("SELECT key, window_start / 3600000000000, orders, mean, best, last FROM totals WHERE " + where
        + " ORDER BY key, window_start");
}
template <class F>
std::string refusal(error_code code, F&& f) {
    try {
        f();
    } catch (error const& problem) {
        CHECK(problem.code() == code);
        return problem.what();
    }
    FAIL("no error");
    return {};
}
}  // namespace

TEST_CASE("a sqlite_sink shows rows when they are committed, and not before", "[adapt][sqlite]") {
    database out;
    totals_sink sink{out.path, {.table = "totals"}};
    sink.recover(from(0, 1));
    sink.write(row("a", 0, 1));
    sink.write(row("b", 0, 2, 1.25, "it's; DROP TABLE totals; --\""));
    sink.prepare(1);
    CHECK(shown(out).empty());
    sink.write(row("a", 0, 10));
    sink.prepare(2);
    sink.commit(1);
    CHECK(sink.committed() == 1);
    CHECK(sink.pending() == 1);
    CHECK(shown(out) == "a|0|1|0.5|tea|7\nb|0|2|1.25|it's; DROP TABLE totals; --\"|7\n");
    sink.commit(2);
    sink.commit(1);
    CHECK(sink.committed() == 2);
    CHECK(shown(out, "key = 'a'") == "a|0|10|0.5|tea|7\n");
    CHECK(out.ask("SELECT count(*) FROM driftless_staged") == "0\n");
    CHECK(out.ask("SELECT * FROM driftless_sinks") == "shop|totals|1|2\n");
    CHECK(out.ask("SELECT driftless_view, driftless_operator, driftless_build, driftless_epoch, driftless_sequence "
                  "FROM totals WHERE key = 'a'")
        == "shop|totals|0|2|0\n");
}

TEST_CASE("rows that are taken away are deleted, and may come again", "[adapt][sqlite]") {
    database out;
    totals_sink sink{out.path, {.table = "totals"}};
    sink.recover(from(0, 1));
    sink.write(row("a", 0, 1));
    sink.write(row("a", 1, 2));
    sink.write(row("b", 0, 3));
    sink.prepare(1);
    sink.commit(1);
    sink.remove(text{"a"}, hour(0));
    sink.remove(text{"b"}, hour(0));
    sink.write(row("b", 0, 4));
    sink.remove(text{"c"}, hour(0));  // was never there
    sink.write(row("d", 0, 5));
    sink.remove(text{"d"}, hour(0));
    sink.prepare(2);
    sink.commit(2);
    CHECK(shown(out) == "a|1|2|0.5|tea|7\nb|0|4|0.5|tea|7\n");
}

TEST_CASE("every kind of member comes back from its column", "[adapt][sqlite]") {
    database out;
    using row_t = pane<place, everything>;
    sqlite_options const how{
        .table = "all \"of\" it", .key_columns = {"key country", "select"}, .window_columns = "during"};
    everything const full{true, colour::blue, std::uint64_t{1} << 62U, 1.5F, -7, "x", 5_ms, hour(3), {"de", -1},
        {12, "y"}};
    everything const empty{false, colour::red, 0, std::numeric_limits<float>::quiet_NaN(), {}, {}, duration::min(),
        {}, {"", 0}, {0, std::string{"a\0b", 3}}};
    sqlite_sink<row_t> sink{out.path, how};
    sink.recover(from(0, 1));
    sink.write(row_t{{"se", 2}, hour(1), full, {}});
    sink.write(row_t{{"", 0}, {}, empty, {}});
    sink.prepare(1);
    sink.commit(1);
    std::vector<std::string> seen;
    read_sqlite<row_t>(out.path, how, [&](row_t const& each, sqlite_row_id id) {
        auto const& want = each.key.shop == 2 ? full : empty;
        seen.push_back(each.key.country.str() + std::to_string(id.index));
        CHECK(each.window == (each.key.shop == 2 ? hour(1) : time_window{}));
        CHECK(each.value.yes == want.yes);
        CHECK(each.value.of == want.of);
        CHECK(each.value.big == want.big);
        CHECK((each.value.small == want.small || (each.value.small != each.value.small && want.small != want.small)));
        CHECK(each.value.maybe == want.maybe);
        CHECK(each.value.said == want.said);
        CHECK(each.value.took == want.took);
        CHECK(each.value.over == want.over);
        CHECK(each.value.at.country == want.at.country);
        CHECK(each.value.at.shop == want.at.shop);
        CHECK(each.value.pair == want.pair);
    });
    CHECK(seen == std::vector<std::string>{"1", "se0"});

    auto beyond = full;
    beyond.big = std::uint64_t{1} << 63U;
    CHECK(refusal(error_code::overflow, [&] { sink.write(row_t{{"se", 2}, hour(1), beyond, {}}); })
              .find("9223372036854775808 does not fit")
        != std::string::npos);
}

TEST_CASE("appended rows have an event id, and removals are rows", "[adapt][sqlite]") {
    database out;
    sqlite_options const how{.table = "panes", .buffer_bytes = 1};
    sqlite_sink<pane<text, std::int64_t>, sqlite_append> sink{out.path, how};
    sink.recover(from(0, 1));
    auto const of = [](text key, std::int64_t n) { return pane<text, std::int64_t>{key, hour(0), n, {}}; };
    sink.write(of("a", 1));
    sink.write(of("a", 2));
    sink.prepare(3);
    sink.commit(3);
    sink.remove(text{"a"}, hour(0));
    sink.write(of("b", 3));
    sink.prepare(4);
    sink.commit(4);
    CHECK(out.ask("SELECT driftless_epoch, driftless_index, driftless_removed, key, value FROM panes")
        == "3|0|0|a|1\n3|1|0|a|2\n4|0|1|a|NULL\n4|1|0|b|3\n");
    std::string seen;
    read_sqlite<pane<text, std::int64_t>, sqlite_append>(
        out.path, how, [&](auto const& each) { seen += each.key.str() + std::to_string(each.value) + ' '; });
    CHECK(seen == "a1 a2 b3 ");
}

TEST_CASE("two jobs, two sinks and two views share a database and a table", "[adapt][sqlite]") {
    database out;
    totals_sink one{out.path, {.table = "totals"}};
    totals_sink two{out.path, {.table = "totals"}};
    totals_sink other{out.path, {.table = "totals", .sink = "other"}};
    one.recover(from(0, 1, "one"));
    two.recover(from(0, 1, "two"));
    other.recover(from(0, 1, "one"));
    one.write(row("a", 0, 1));
    two.write(row("a", 0, 2));
    other.write(row("a", 0, 3));
    one.prepare(1);
    two.prepare(1);
    other.prepare(1);
    two.commit(1);
    CHECK(out.ask("SELECT driftless_view, driftless_operator, orders FROM totals") == "two|totals|2\n");
    one.commit(1);
    other.commit(1);
    two.recover(from(1, 2, "two"));
    two.remove(text{"a"}, hour(0));
    two.prepare(2);
    two.commit(2);
    CHECK(out.ask("SELECT driftless_view, driftless_operator, orders FROM totals") == "one|other|3\none|totals|1\n");
}

TEST_CASE("a greater build replaces the rows of a view, and a lesser one leaves them", "[adapt][sqlite]") {
    database out;
    totals_sink fast{out.path, {.table = "totals", .sink = "t", .view = "v", .build = 1}};
    totals_sink right{out.path, {.table = "totals", .sink = "t", .view = "v", .build = 2}};
    fast.recover(from(0, 1, "stream"));
    right.recover(from(0, 1, "batch"));
    fast.write(row("a", 0, 1));
    fast.write(row("b", 0, 1));
    fast.prepare(5);
    fast.commit(5);
    right.write(row("a", 0, 100));
    right.prepare(1);
    right.commit(1);
    fast.write(row("a", 0, 2));
    fast.write(row("b", 0, 2));
    fast.prepare(6);
    fast.commit(6);
    CHECK(shown(out) == "a|0|100|0.5|tea|7\nb|0|2|0.5|tea|7\n");
    fast.remove(text{"a"}, hour(0));
    fast.prepare(7);
    fast.commit(7);
    CHECK(shown(out, "key = 'a'") == "a|0|100|0.5|tea|7\n");
}

TEST_CASE("recover commits what the snapshot holds and gives the rest up", "[adapt][sqlite]") {
    database out;
    auto const open = [&] {
        return std::make_unique<totals_sink>(out.path, sqlite_options{.table = "totals", .buffer_bytes = 1});
    };
    auto sink = open();
    sink->recover(from(0, 1));
    sink->write(row("a", 0, 1));
    sink->prepare(1);
    sink->write(row("b", 0, 2));
    sink->prepare(2);
    sink->write(row("c", 0, 3));
    sink->write(row("c", 1, 3));
    sink = open();
    sink->recover({"shop", 1, 1, 2});
    CHECK(sink->committed() == 1);
    CHECK(sink->pending() == 0);
    CHECK(shown(out) == "a|0|1|0.5|tea|7\n");
    CHECK(out.ask("SELECT count(*) FROM driftless_staged") == "0\n");
    sink->write(row("b", 0, 20));
    sink->prepare(2);
    sink = open();
    sink->recover({"shop", 1, 1, 3});  // instance 2 took no snapshot: 2 is not the one that was prepared by it
    CHECK(shown(out) == "a|0|1|0.5|tea|7\n");
    sink->write(row("b", 0, 21));
    sink->prepare(2);
    sink = open();
    sink->recover({"shop", 2, 3, 4});
    CHECK(shown(out) == "a|0|1|0.5|tea|7\nb|0|21|0.5|tea|7\n");
    CHECK(sink->committed() == 2);
}

TEST_CASE("snapshots older than the table are refused, until the sink starts over", "[adapt][sqlite]") {
    database out;
    totals_sink sink{out.path, {.table = "totals"}};
    sink.recover(from(0, 1));
    sink.write(row("a", 0, 1));
    sink.prepare(7);
    sink.commit(7);
    auto const said = refusal(error_code::mismatch, [&] { sink.recover(from(6, 2)); });
    CHECK(said.find("has committed snapshot 7 of job 'shop', and the job starts at snapshot 6") != std::string::npos);
    CHECK(said.find(out.path) != std::string::npos);
    CHECK(refusal(error_code::invalid_argument, [&] { sink.write(row("a", 0, 1)); }).find("recover")
        != std::string::npos);
    sink.start_over("shop");
    CHECK(shown(out).empty());
    sink.recover(from(0, 2));
    sink.write(row("a", 0, 1));
    sink.prepare(1);
    sink.commit(1);
    CHECK(shown(out) == "a|0|1|0.5|tea|7\n");
}

TEST_CASE("an older instance of a job is fenced at whatever it does next", "[adapt][sqlite]") {
    database out;
    sqlite_options const how{.table = "totals"};
    totals_sink old{out.path, how};
    old.recover(from(0, 1));
    old.write(row("a", 0, 1));
    old.prepare(1);
    totals_sink young{out.path, how};
    young.recover({"shop", 1, 1, 2});
    CHECK(refusal(error_code::fenced, [&] { old.commit(1); }).find("instance 2 of job 'shop'") != std::string::npos);
    old.write(row("a", 0, 2));
    refusal(error_code::fenced, [&] { old.prepare(2); });
    refusal(error_code::fenced, [&] { old.recover({"shop", 1, 1, 1}); });
    CHECK(shown(out) == "a|0|1|0.5|tea|7\n");
}

TEST_CASE("a table of another shape is refused with the difference", "[adapt][sqlite]") {
    database out;
    out.ask(
        "CREATE TABLE totals (driftless_view TEXT, driftless_operator TEXT, KEY varchar(10), window_start INT, "
        "window_end BIGINT, orders TEXT, mean REAL NOT NULL, best, extra INT NOT NULL, driftless_build INTEGER, "
        "driftless_epoch INTEGER, driftless_sequence INTEGER, PRIMARY KEY (driftless_view, key))");
    auto const said = refusal(error_code::mismatch, [&] { totals_sink{out.path, {.table = "totals"}}; });
    CHECK(said.find("column 'orders': INTEGER in the rows, TEXT in the table\n") != std::string::npos);
    CHECK(said.find("column 'mean': may be NULL in the rows, NOT NULL in the table\n") != std::string::npos);
    CHECK(said.find("column 'best': TEXT in the rows, of no type in the table\n") != std::string::npos);
    CHECK(said.find("column 'last': the rows have one (INTEGER), the table has not\n") != std::string::npos);
    CHECK(said.find("column 'extra': NOT NULL without a default in the table, not in the rows\n") != std::string::npos);
    CHECK(said.find("primary key: (driftless_view, driftless_operator, key, window_start, window_end) for the rows, "
                    "(driftless_view, KEY) in the table")
        != std::string::npos);
    CHECK(said.find("'window_start'") == std::string::npos);

    out.ask("CREATE VIEW seen AS SELECT 1");
    CHECK(refusal(error_code::mismatch, [&] { totals_sink{out.path, {.table = "seen"}}; }).find("'seen' is a view")
        != std::string::npos);
}

TEST_CASE("a table that somebody made by hand may have more columns", "[adapt][sqlite]") {
    database out;
    out.ask(
        "CREATE TABLE items (note TEXT DEFAULT 'n', driftless_view TEXT, driftless_operator TEXT, driftless_epoch INT, "
        "driftless_index INT, Value INTEGER, PRIMARY KEY (driftless_index, driftless_epoch, driftless_view, "
        "driftless_operator))");
    item_sink sink{out.path, {.table = "items"}};
    sink.recover(from(0, 1));
    sink.write_record(item{5});
    sink.prepare(1);
    sink.commit(1);
    CHECK(out.ask("SELECT value, note FROM items") == "5|n\n");
}

TEST_CASE("names that cannot be are refused", "[adapt][sqlite]") {
    database out;
    auto const says = [&](sqlite_options how, std::string const& part) {
        auto const said = refusal(error_code::invalid_argument, [&] { totals_sink{out.path, std::move(how)}; });
        INFO(said);
        CHECK(said.find(part) != std::string::npos);
    };
    says({}, "'' cannot be the name of a table");
    says({.table = "sqlite_master"}, "'sqlite_master' cannot be");
    says({.table = "Driftless_staged"}, "'Driftless_staged' cannot be");
    says({.table = "t", .key_columns = {"Orders"}}, "two columns of table 't' are called 'orders'");
    says({.table = "t", .key_columns = {"a", "b"}}, ".key_columns names 2 columns, and the key has 1");
    says({.table = "t", .value_columns = {"a", "b", "c", std::string{"d\0", 2}}}, "zero byte");
}

TEST_CASE("rows of windows are not written where there is no column for them", "[adapt][sqlite]") {
    database out;
    sqlite_sink<pane<text, std::int64_t>> sink{out.path, {.table = "t", .window_columns = ""}};
    sink.recover(from(0, 1));
    sink.write(pane<text, std::int64_t>{"a", {}, 1, {}});
    refusal(error_code::invalid_argument, [&] { sink.write(pane<text, std::int64_t>{"a", hour(1), 1, {}}); });
    sink.recover(from(0, 1));
    sink.write(pane<text, std::int64_t>{"a", {}, 2, {}});
    sink.prepare(1);
    sink.commit(1);
    CHECK(out.ask("SELECT key, value FROM t") == "a|2\n");
}

TEST_CASE("readers do not hold a sink up, and a writer does so no longer than busy_timeout", "[adapt][sqlite]") {
    database out;
    item_sink sink{out.path, {.table = "items", .busy_timeout = 50_ms}};
    sink.recover(from(0, 1));
    sink.write_record(item{1});
    sink.prepare(1);

    sqlite3* other = nullptr;
    sqlite3_open(out.path.c_str(), &other);
    sqlite3_exec(other, "BEGIN; SELECT count(*) FROM items", nullptr, nullptr, nullptr);  // holds its view of the table
    sink.commit(1);
    CHECK(out.ask("SELECT value FROM items") == "1\n");
    sqlite3_exec(other, "COMMIT; BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    sink.write_record(item{2});
    auto const said = refusal(error_code::in_use, [&] { sink.prepare(2); });
    CHECK(said.find("SQLite says \"database is locked\" (code 5) while preparing snapshot 2") != std::string::npos);
    CHECK(said.find(out.path) != std::string::npos);
    CHECK(refusal(error_code::in_use, [&] { item_sink{out.path, {.table = "items", .busy_timeout = 50_ms}}; })
              .find("busy_timeout")
        != std::string::npos);
    sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_close(other);

    // What it could not prepare is still there.
    sink.prepare(2);
    sink.commit(2);
    CHECK(out.ask("SELECT value FROM items") == "1\n2\n");
}

TEST_CASE("what is no database, and what cannot be opened, is said with its path", "[adapt][sqlite]") {
    database out;
    CHECK(refusal(error_code::io, [&] { item_sink{out.folder.path() + "/no/such.db", {.table = "items"}}; })
              .find("/no/such.db")
        != std::string::npos);
    {
        auto* const file = std::fopen(out.path.c_str(), "w");
        std::fputs("this is a text of more than a few bytes, which nobody would take for a database", file);
        std::fclose(file);
    }
    CHECK(refusal(error_code::corrupt, [&] { item_sink{out.path, {.table = "items"}}; }).find("not a database")
        != std::string::npos);
}
