// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/directory_sink.hpp>

#include <driftless/file/whole_file.hpp>
#include <driftless/io/csv.hpp>
#include <driftless/io/json_lines.hpp>
#include <driftless/testing/memory_files.hpp>
#include <io/sink_conformance.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace directory_test {
using namespace driftless;
enum class colour : std::int8_t {
    red = -1,
    green = 1
};
struct place {
    text city;
    std::int32_t street;
};
struct order {
    text sku;
    place to;
    double cents;
    bool paid;
    std::optional<std::int64_t> voucher;
    colour hue;
    event_time at;
};
struct line_read {
    std::string sku;
    std::string to_city;
    std::int32_t to_street;
    double cents;
    bool paid;
    std::optional<std::int64_t> voucher;
    std::int32_t hue;
    event_time at;
};
struct totals {
    std::int64_t orders;
    std::int64_t cents;
};
}  // namespace directory_test
BOOST_HANA_ADAPT_STRUCT(directory_test::place, city, street);
BOOST_HANA_ADAPT_STRUCT(directory_test::order, sku, to, cents, paid, voucher, hue, at);
BOOST_HANA_ADAPT_STRUCT(directory_test::line_read, sku, to_city, to_street, cents, paid, voucher, hue, at);
BOOST_HANA_ADAPT_STRUCT(directory_test::totals, orders, cents);

namespace {
using namespace driftless;
using namespace sink_conformance;
using namespace directory_test;

template <class Format, std::size_t Buffer>
struct directory_subject {
    memory_files files;

    void open() {
        if (files.make_folder("out")) files.sync_folder("");
    }
    void close() {}
    auto sink(std::string name = "out") {
        return std::make_unique<directory_sink<row, Format>>(
            "out", directory_options{.name = std::move(name), .buffer_bytes = Buffer, .files = &files});
    }
    lines seen(std::string const& job = "job", std::string const& name = "out") {
        lines out;
        for (auto const& part : directory_parts("out", files)) {
            if (part.job != job || part.sink != name) continue;
            auto const bytes = read_whole_file(part.path, files).value();
            CHECK(bytes.ends_with("\n"));
            bool header = Format::extension == "csv";
            for (std::size_t from = 0; from < bytes.size();) {
                auto const end = bytes.find('\n', from);
                if (end == std::string::npos) break;
                auto const each = bytes.substr(from, end - from);
                from = end + 1;
                if (std::exchange(header, false)) CHECK(each == "key,window_start_ms,window_end_ms,value");
                else out.push_back(read(each));
            }
        }
        return out;
    }
    static std::string read(std::string const& from) {
        if (Format::extension == "csv") return from.substr(0, from.find(',')) + "=" + from.substr(from.rfind(',') + 1);
        auto const number = [&](std::string const& after) {
            auto const at = from.find(after) + after.size();
            return from.substr(at, from.find(',', at) - at);
        };
        return number("\"key\":") + "=" + number("\"value\":");
    }
    std::size_t leftovers() {
        std::size_t count = 0;
        for (auto const& each : files.list("out/.staged")) {
            // Of whoever does not know that it is dead, and dies.
            count += each.name.ends_with(".committed") || each.name.ends_with(".lock") ? 0 : 1;
        }
        return count;
    }
};
std::string bytes_of(std::string const& path, file_system& files) { return read_whole_file(path, files).value(); }
std::string message_of(auto&& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem.what();
    }
    return "nothing was thrown";
}
}  // namespace

static_assert(transactional_sink<directory_sink<row>>);
static_assert(delivery_of<directory_sink<row>> == delivery::exactly_once);

TEST_CASE("a directory sink of CSV is transactional", "[io][sink]") { all_of_it<directory_subject<csv_rows, 65536>>(); }
TEST_CASE("a directory sink that writes as it goes is transactional", "[io][sink]") {
    all_of_it<directory_subject<csv_rows, 16>>();
}
TEST_CASE("a directory sink of JSON lines is transactional", "[io][sink]") {
    all_of_it<directory_subject<json_lines, 100>>();
}

TEST_CASE("rows as CSV have a column per member, and csv_reader finds them", "[io][sink]") {
    memory_files files;
    directory_sink<order> sink{"out", {.files = &files}};
    sink.recover({});
    auto const early = event_time::from_ms(12);
    sink.write_record(order{text{"a,b"}, {text{"Oslo"}, 7}, 1.5, true, std::nullopt, colour::red, early});
    auto const before = event_time::from_ms(-1);
    sink.write_record(order{text{""}, {text{"say \"x\""}, -7}, -0.25, false, 9, colour::green, before});
    sink.prepare(1);
    sink.commit(1);
    auto const parts = directory_parts("out", files);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].path == "out/_.out.000000000001.csv");
    CHECK(parts[0].job == "_");
    CHECK(parts[0].sink == "out");
    CHECK(parts[0].snapshot == 1);
    CHECK(parts[0].extension == "csv");
    auto const bytes = bytes_of(parts[0].path, files);
    CHECK(bytes
        ==
        "sku,to_city,to_street,cents,paid,voucher,hue,at_ms\n"
        "\"a,b\",Oslo,7,1.5,true,,-1,12\n"
        ",\"say \"\"x\"\"\",-7,-0.25,false,9,1,-1\n");
    csv_reader<line_read> lines{csv_input::memory(bytes, parts[0].path)};
    line_read each{};
    REQUIRE(lines.next(each));
    CHECK(each.sku == "a,b");
    CHECK(each.to_street == 7);
    CHECK(!each.voucher);
    CHECK(each.at == event_time::from_ms(12));
    REQUIRE(lines.next(each));
    CHECK(each.to_city == "say \"x\"");
    CHECK(each.voucher == 9);
    CHECK(each.hue == 1);
}

TEST_CASE("panes as CSV have key, window and value, by the names they are given", "[io][sink]") {
    memory_files files;
    auto const written = [&]<class Row>(Row const& row, csv_rows format) {
        directory_sink<Row> sink{"out", {.files = &files}, std::move(format)};
        sink.start_over("");
        sink.recover({});
        sink.write(row);
        sink.prepare(1);
        sink.commit(1);
        return bytes_of("out/_.out.000000000001.csv", files);
    };
    time_window const first{event_time::from_ms(0), event_time::from_ms(1000)};
    using pair = std::tuple<std::int64_t, duration>;
    CHECK(written(pane<text, totals>{text{"apples"}, first, {2, 30}, {}}, {})
        == "key,window_start_ms,window_end_ms,orders,cents\napples,0,1000,2,30\n");
    CHECK(written(pane<text, totals>{text{"apples"}, first, {2, 30}, {}}, {.key_columns = {"sku"}})
        == "sku,window_start_ms,window_end_ms,orders,cents\napples,0,1000,2,30\n");
    using by_two = std::pair<text, colour>;
    CHECK(written(pane<by_two, pair>{{text{"a"}, colour::red}, first, {5, duration{7'900'000}}, {}}, {})
        == "key_1,key_2,window_start_ms,window_end_ms,value_1,value_2_ms\na,-1,0,1000,5,7\n");
    CHECK(written(pane<text, std::int64_t>{text{"a"}, {}, 1, {}}, {.window_columns = false}) == "key,value\na,1\n");
    CHECK(written(pane<text, std::int64_t>{text{"a"}, {event_time::min(), event_time::max()}, 1, {}}, {})
        == "key,window_start_ms,window_end_ms,value\na,,,1\n");
    CHECK(written(pane<unkeyed, std::int64_t>{{}, first, 1, {}}, {})
        == "window_start_ms,window_end_ms,value\n0,1000,1\n");

    CHECK(message_of([&] { written(pane<text, totals>{}, {.value_columns = {"one"}}); }).find("given 1 names")
        != std::string::npos);
    CHECK(message_of([&] { written(pane<text, totals>{}, {.key_columns = {"cents"}}); }).find("two columns `cents`")
        != std::string::npos);
    CHECK(message_of([&] { written(pane<unkeyed, unkeyed>{}, {.window_columns = false}); }).find("no column")
        != std::string::npos);
}

TEST_CASE("rows as JSON are a line each, as driftless-log prints them", "[io][sink]") {
    memory_files files;
    directory_sink<order, json_lines> records{"out", {.files = &files}};
    records.recover({});
    records.write_record(
        order{text{"a\n\"b"}, {text{"Oslo"}, 7}, 1.5, true, std::nullopt, colour::red, event_time::from_ms(12)});
    records.prepare(3);
    records.commit(3);
    CHECK(bytes_of("out/_.out.000000000003.jsonl", files)
        ==
        "{\"sku\":\"a\\u000a\\\"b\",\"to\":{\"city\":\"Oslo\",\"street\":7},\"cents\":1.5,\"paid\":true,"
        "\"voucher\":null,\"hue\":-1,\"at\":12000000}\n");
    directory_options const in_changes{.name = "changes", .build = 4, .files = &files};
    directory_sink<logged_row<text, totals>, json_lines> changes{"out", in_changes};
    changes.recover({});
    changes.write(pane<text, totals>{text{"k"}, hour(1), {1, 2}, {}});
    changes.remove(text{"k"}, hour(1));
    changes.prepare(1);
    changes.commit(1);
    auto const lines_of = bytes_of("out/_.changes.000000000001.jsonl", files);
    CHECK(lines_of.starts_with(
        "{\"key\":\"k\",\"window\":{\"start\":10,\"end\":20},\"value\":{\"orders\":1,\"cents\":2},"));
    CHECK(lines_of.find("\"kind\":0,\"version\":{\"build\":4,\"sequence\":0}}\n") != std::string::npos);
    CHECK(lines_of.find("\"kind\":1,\"version\":{\"build\":4,\"sequence\":1}}\n") != std::string::npos);
}

TEST_CASE("a directory sink of logged rows keeps removals and retractions", "[io][sink]") {
    memory_files files;
    using logged = logged_row<std::int64_t, std::int64_t>;
    directory_sink<logged> sink{"out", {.build = 5, .files = &files}, {.window_columns = false}};
    sink.recover({});
    sink.write(made(1, 10));
    sink.retract(made(1, 10));
    sink.write(made(1, 11));
    sink.prepare(1);
    sink.remove(std::int64_t{1}, hour(1));
    CHECK(sink.open_rows() == 1);
    sink.prepare(2);
    sink.commit(2);
    CHECK(bytes_of("out/_.out.000000000001.csv", files)
        == "key,value,kind,build,sequence\n1,10,written,5,0\n1,10,retracted,5,1\n1,11,written,5,2\n");
    CHECK(bytes_of("out/_.out.000000000002.csv", files) == "key,value,kind,build,sequence\n1,0,removed,5,3\n");
}

TEST_CASE("a directory sink shows what another format had prepared, under its own name", "[io][sink]") {
    memory_files files;
    {
        directory_sink<row> before{"out", {.files = &files}};
        before.recover(at(0, 0, 1));
        put(before, 1);
        before.prepare(1);
    }
    directory_sink<row, json_lines> now{"out", {.files = &files}};
    now.recover(at(1, 1, 2));
    put(now, 2);
    now.prepare(2);
    now.commit(2);
    auto const parts = directory_parts("out", files);
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].extension == "csv");
    CHECK(parts[1].extension == "jsonl");
}

TEST_CASE("a directory sink that failed says so until it recovers", "[io][sink]") {
    for (std::uint64_t nth = 1;; ++nth) {
        memory_files files;
        directory_sink<row> sink{"out", {.files = &files}};
        sink.recover(at(0, 0, 1));
        put(sink, 1);
        files.inject(nth, fault::fail);
        try {
            sink.prepare(1);
            CHECK(nth > 5);  // open, cut, write, sync, rename, sync of the folder
            break;
        } catch (error const& why) {
            CHECK(why.code() == error_code::io);
            CHECK(!why.path().empty());
        }
        CHECK_THROWS_AS(put(sink, 2), error);
        CHECK_THROWS_AS(sink.prepare(2), error);
        sink.recover(at(0, 0, 2));
        put(sink, 3);
        sink.prepare(2);
        sink.commit(2);
        CHECK(bytes_of("out/job.out.000000000002.csv", files).ends_with("\n0,0,0,3\n"));
        CHECK(directory_parts("out", files).size() == 1);
    }
}

TEST_CASE("a directory sink whose commit failed commits when it is told again", "[io][sink]") {
    auto const how = GENERATE(fault::fail, fault::after);  // not done, or done and not said
    for (std::uint64_t nth = 1;; ++nth) {
        memory_files files;
        directory_sink<row> sink{"out", {.files = &files}};
        sink.recover(at(0, 0, 1));
        put(sink, 1);
        sink.prepare(1);
        put(sink, 2);
        sink.prepare(2);
        files.inject(nth, how);
        bool failed = false;
        try {
            sink.commit(2);
        } catch (error const& why) {
            CHECK(why.code() == error_code::io);
            failed = true;
        }
        files.inject(0, fault::fail);
        files.restart();  // the disk is back; the sink has not been told
        put(sink, 3);
        sink.commit(2);
        CHECK(directory_parts("out", files).size() == 2);
        sink.prepare(3);
        sink.commit(3);
        files.lose_power(0);
        CHECK(directory_parts("out", files).size() == 3);
        if (!failed) break;
        CHECK(nth < 20);
    }
}

TEST_CASE("two directory sinks of one name are refused, and one that has replaced another is not", "[io][sink]") {
    memory_files files;
    directory_options const options{.files = &files};
    directory_sink<row> one{"out", options};
    directory_sink<row> two{"out", options};
    directory_sink<row> other{"out", {.name = "late", .files = &files}};
    one.recover(at(0, 0, 1));
    other.recover(at(0, 0, 1));
    one.recover(at(0, 0, 1));
    try {
        two.recover(at(0, 0, 1));
        FAIL("it was taken");
    } catch (error const& why) {
        CHECK(why.code() == error_code::in_use);
    }
    CHECK_THROWS_AS(put(two, 1), error);
    two.recover(at(0, 0, 2));  // the older does not know yet
    put(two, 1);
    two.prepare(1);
    two.commit(1);
    CHECK(files.exists("out/.staged/job.out.2.lock"));
    CHECK_FALSE(files.exists("out/.staged/job.out.1.lock"));
    CHECK(files.exists("out/.staged/job.late.1.lock"));
}

TEST_CASE("a directory sink that starts over leaves other sinks alone", "[io][sink]") {
    memory_files files;
    auto const open = [&](std::string name) {
        return directory_sink<row>{"out", {.name = std::move(name), .files = &files}};
    };
    for (std::string const job : {"job", "job.1"}) {
        for (auto const* const name : {"out", "late"}) {
            auto sink = open(name);
            sink.recover(at(0, 0, 1, job));
            put(sink, 1);
            sink.prepare(1);
            sink.commit(1);
        }
    }
    auto sink = open("out");
    CHECK_THROWS_AS(sink.recover(at(0, 0, 2)), error);
    sink.start_over();
    CHECK_THROWS_AS(put(sink, 5), error);
    sink.recover(at(0, 0, 2));
    CHECK(directory_parts("out", files).size() == 3);
    CHECK(open("late").committed() == 0);
}

TEST_CASE("a directory sink holds no more rows than its buffer", "[io][sink]") {
    memory_files files;
    directory_sink<row> sink{"out", {.buffer_bytes = 100, .files = &files}};
    sink.recover(at(0, 0, 1));
    for (std::int64_t i = 0; i < 1000; ++i) put(sink, i);
    auto const open = files.open("out/.staged/job.out.1.open.csv", open_mode::read);
    REQUIRE(open);
    auto const written = static_cast<std::size_t>(open->size());
    sink.prepare(1);
    sink.commit(1);
    auto const all = bytes_of("out/job.out.000000000001.csv", files).size();
    CHECK(written > all - 200);
}

TEST_CASE("a directory sink works on the disk", "[io][sink]") {
    test::temporary_folder const folder;
    auto const path = folder.path() + "/out";
    {
        directory_sink<row> sink{path};
        sink.recover(at(0, 0, 1));
        for (std::int64_t i = 0; i < 10000; ++i) put(sink, i);
        sink.prepare(1);
        CHECK(directory_parts(path).empty());
        sink.commit(1);
        put(sink, 1);
        sink.prepare(2);
    }
    directory_sink<row> sink{path};
    sink.recover(at(2, 1, 2));
    auto const parts = directory_parts(path);
    REQUIRE(parts.size() == 2);
    auto const bytes = read_whole_file(parts[0].path).value();
    CHECK(std::count(bytes.begin(), bytes.end(), '\n') == 10001);
    CHECK_THROWS_AS((directory_sink<row>{path + "/missing/out"}.recover({})), error);
}
