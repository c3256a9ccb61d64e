// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/untyped_log.hpp>
#include <driftless/log/copy_log.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <log/log_conformance.hpp>
#include <log/small_log.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace driftless;
using log_conformance::reading;
using log_conformance::visit;
using testing::memory_files;

namespace untyped {
enum class colour : std::uint8_t {
    red,
    green
};
struct place {
    std::int16_t x = 0;
    double y = 0;
};
/// A member of every kind there is.
struct everything {
    bool flag = false;
    char letter = ' ';
    std::int8_t small = 0;
    std::uint64_t large = 0;
    colour paint = colour::red;
    float ratio = 0;
    event_time at;
    duration took;
    time_window during;
    std::string name;
    std::vector<std::int32_t> numbers;
    std::array<std::uint16_t, 2> both{};
    std::optional<std::string> maybe;
    std::pair<bool, std::string> mixed;
    place where;
    std::vector<place> path;
};
struct plain {
    bool flag = false;
    std::uint8_t tiny = 0;
    place where;
    std::array<std::uint16_t, 3> three{};
    time_window during;
    detail::int128 huge = 0;
};
}  // namespace untyped
BOOST_HANA_ADAPT_STRUCT(untyped::place, x, y);
BOOST_HANA_ADAPT_STRUCT(untyped::everything, flag, letter, small, large, paint, ratio, at, took, during, name, numbers,
    both, maybe, mixed, where, path);
BOOST_HANA_ADAPT_STRUCT(untyped::plain, flag, tiny, where, three, during, huge);

namespace {
untyped::everything sample() {
    untyped::everything out;
    out.flag = true;
    out.letter = '"';
    out.small = -5;
    out.large = std::numeric_limits<std::uint64_t>::max();
    out.paint = untyped::colour::green;
    out.ratio = 0.5F;
    out.at = event_time{7};
    out.took = duration{-3};
    out.during = {event_time{1}, event_time{2}};
    out.name = "caf\xc3\xa9\n\xff";
    out.numbers = {1, -2};
    out.both = {3, 4};
    out.mixed = {true, "x"};
    out.where = {-1, std::numeric_limits<double>::infinity()};
    out.path = {{1, 1.5}, {2, 2}};
    return out;
}
std::string const sample_json =
    "{\"flag\":true,\"letter\":\"\\\"\",\"small\":-5,\"large\":18446744073709551615,\"paint\":1,\"ratio\":0.5,\"at\":7,"
    "\"took\":-3,\"during\":{\"start\":1,\"end\":2},\"name\":\"caf\xc3\xa9\\u000a\\udcff\",\"numbers\":[1,-2],"
    "\"both\":[3,4],\"maybe\":null,\"mixed\":[true,\"x\"],\"where\":{\"x\":-1,\"y\":\"inf\"},"
    "\"path\":[{\"x\":1,\"y\":1.5},{\"x\":2,\"y\":2}]}";

std::string json_at(untyped_log& log, std::uint64_t offset) {
    auto const block = log.read(0, offset);
    std::string out;
    block.append_json(static_cast<std::size_t>(offset - block.first_offset()), out);
    return out;
}
template <class Record, class Layout>
std::string through_a_log(Record const& record, file_log_options options = {}) {
    memory_files files;
    options.files = &files;
    {
        file_log<Record, Layout> log{"log", options};
        log.append(record);
        log.append(record);
    }
    verify_log_options verify;
    verify.files = &files;
    verify.found = [](log_finding const& each) { UNSCOPED_INFO(each.path << ": " << each.what); };
    CHECK(verify_log("log", verify).problems == 0);
    untyped_log log{"log", files};
    return json_at(log, 1);
}

std::string expected_json(reading const& of) {
    return "{\"sensor\":" + std::to_string(of.sensor) + ",\"value\":" + std::to_string(of.value)
        + ",\"at\":" + std::to_string(of.at.ns()) + ",\"good\":" + (of.good ? "true" : "false") + "}";
}
std::string expected_json(visit const& of) {
    return "{\"page\":\"" + std::string{of.page.data(), of.page.size()} + "\",\"at\":" + std::to_string(of.at.ns())
        + ",\"agent\":\"" + of.agent + "\",\"status\":" + std::to_string(of.status) + "}";
}
/// Records [from, to) of partition p of an untyped log are what was appended.
template <class Record>
void check_json(untyped_log& log, std::uint32_t p, std::uint64_t from, std::uint64_t to) {
    for (auto at = from; at < to;) {
        auto const block = log.read(p, at);
        REQUIRE(at >= block.first_offset());
        auto const end = std::min<std::uint64_t>(to, block.first_offset() + block.size());
        REQUIRE(at < end);
        for (; at < end; ++at) {
            std::string json;
            block.append_json(static_cast<std::size_t>(at - block.first_offset()), json);
            CHECK(json == expected_json(log_conformance::make_record(static_cast<Record const*>(nullptr), at)));
        }
    }
}
}  // namespace

TEST_CASE("a record with a member of every kind is read by its schema, packed and in columns", "[log][untyped]") {
    CHECK(through_a_log<untyped::everything, packed>(sample()) == sample_json);
    CHECK(through_a_log<untyped::everything, columns>(sample()) == sample_json);
    file_log_options options;
    options.deltas = true;
    CHECK(through_a_log<untyped::everything, columns>(sample(), options) == sample_json);
}

TEST_CASE("a row is read by its schema", "[log][untyped]") {
    untyped::plain row{true, 255, {-7, 0.25}, {1, 2, 3}, {event_time{-1}, event_time{9}}, -1};
    row.huge = row.huge * std::numeric_limits<std::int64_t>::max() * 16;
    std::string const json =
        "{\"flag\":true,\"tiny\":255,\"where\":{\"x\":-7,\"y\":0.25},\"three\":[1,2,3],"
        "\"during\":{\"start\":-1,\"end\":9},\"huge\":-147573952589676412912}";
    CHECK(through_a_log<untyped::plain, rows>(row) == json);
    CHECK(through_a_log<untyped::plain, packed>(row) == json);
    CHECK(through_a_log<untyped::plain, columns>(row) == json);
}

TEST_CASE("an event has its time, a number is a record", "[log][untyped]") {
    CHECK(through_a_log<event<std::int32_t>, rows>({5, event_time{6}}) == "{\"value\":5,\"at\":6}");
    CHECK(through_a_log<event<std::string>, packed>({"a", event_time{6}}) == "{\"value\":\"a\",\"at\":6}");
    CHECK(through_a_log<std::int64_t, rows>(-4) == "-4");
    CHECK(through_a_log<std::string, packed>("x") == "\"x\"");
}

TEMPLATE_TEST_CASE("an untyped log has the records that were appended", "[log][untyped]", (file_log<reading, rows>),
    (file_log<visit, packed>), (file_log<visit, columns>)) {
    memory_files files;
    small_log::make<TestType>(files, 100, 2);
    untyped_log log{"log", files};
    REQUIRE(log.partitions() == 2);
    for (std::uint32_t p = 0; p < 2; ++p) {
        CHECK(log.begin_offset(p) == 0);
        REQUIRE(log.end_offset(p) == 100);
        check_json<typename TestType::value_type>(log, p, 0, 100);
    }
}

TEST_CASE("an untyped log sees what is written meanwhile", "[log][untyped]") {
    memory_files files;
    file_log<visit> log{"log", small_log::options_in(files)};
    untyped_log reader{"log", files};
    CHECK(reader.end_offset(0) == 0);
    for (auto const end : {std::uint64_t{1}, std::uint64_t{50}, std::uint64_t{51}, std::uint64_t{130}}) {
        log_conformance::append_some(log, log.end_offset(), end);
        log.flush();
        REQUIRE(reader.end_offset(0) == end);
        check_json<visit>(reader, 0, 0, end);
    }
}

TEMPLATE_TEST_CASE("a copy has the records of a range, at their offsets, and is intact", "[log][copy]",
    (file_log<reading, rows>), (file_log<visit, packed>), (file_log<visit, columns>)) {
    memory_files files;
    small_log::make<TestType>(files, 120, 2);
    for (auto const& [from, to] : {std::pair<std::uint64_t, std::uint64_t>{0, ~std::uint64_t{0}}, {0, 1}, {13, 90},
             {50, 51}, {119, 500}, {120, 130}, {30, 20}}) {
        INFO(from << " to " << to);
        copy_log_options options{from, to, {3, 4}, &files};
        auto const path = "copy" + std::to_string(from) + "_" + std::to_string(to);
        auto const end = std::max(from, std::min<std::uint64_t>(to, 120));
        CHECK(copy_log("log", path, options) == 2 * (end - from));
        verify_log_options verify;
        verify.files = &files;
        verify.found = [](log_finding const& each) { UNSCOPED_INFO(each.path << ": " << each.what); };
        auto const found = verify_log(path, verify);
        CHECK(found.problems == 0);
        CHECK(found.notes == 0);
        CHECK(found.records == 2 * (end - from));
        auto opening = small_log::reading_from(files);
        TestType const copy{path, opening};
        CHECK((copy.id() == log_id{3, 4}));
        if (from >= end) continue;
        CHECK(copy.begin_offset(1) == from);
        CHECK(copy.end_offset(1) == end);
        log_conformance::check_some(copy, from, end, 0, 1);
        untyped_log untyped{path, files};
        check_json<typename TestType::value_type>(untyped, 0, from, end);
    }
}

TEST_CASE("a copy goes on where it ends", "[log][copy]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 120);
    copy_log("log", "copy", {20, 70, {3, 4}, &files});
    file_log<reading> log{"copy", small_log::options_in(files)};
    CHECK(log.begin_offset() == 20);
    REQUIRE(log.end_offset() == 70);
    log_conformance::append_some(log, 70, 90);
    log.sync();
    log_conformance::check_some(log, 20, 90, 0);
}

TEST_CASE("a copy is whole or not there, whatever fails", "[log][copy]") {
    for (auto const what : {testing::fault::fail, testing::fault::cut, testing::fault::after}) {
        std::uint64_t nth = 1;
        for (bool more = true; more; ++nth) {
            memory_files files;
            small_log::make<file_log<reading>>(files, 60, 2);
            INFO("operation " << nth);
            files.inject(nth, what);
            bool failed = false;
            try {
                copy_log("log", "copy", {0, 50, {3, 4}, &files});
            } catch (error const& why) {
                failed = true;
                CHECK(why.code() == error_code::io);
            }
            files.inject(0, what);
            more = failed;
            files.restart();
            verify_log_options verify;
            verify.files = &files;
            if (files.exists("copy/identity")) {
                CHECK(verify_log("copy", verify).problems == 0);
                continue;
            }
            CHECK_THROWS_AS(verify_log("copy", verify), error);
            if (files.exists("copy")) {
                CHECK_THROWS_AS((file_log<reading>{"copy", small_log::reading_from(files)}), error);
            }
            copy_log("log", "copy", {0, 50, {3, 4}, &files});
            auto const found = verify_log("copy", verify);
            CHECK(found.problems == 0);
            CHECK(found.notes == 0);
        }
        CHECK(nth > 20);
    }
}

TEST_CASE("a copy goes into a folder of its own", "[log][copy]") {
    memory_files files;
    small_log::make<file_log<reading>>(files, 60);
    CHECK_THROWS_WITH(copy_log("log", "log", {0, 50, {}, &files}), Catch::Contains("there is a log already"));
    CHECK_THROWS_WITH(copy_log("log", "other", {0, 50, {1, 2}, &files}), Catch::Contains("an id of its own"));
    files.make_folder("full");
    small_log::set_bytes(files, "full/letter", "x");
    CHECK_THROWS_WITH(copy_log("log", "full", {0, 50, {}, &files}), Catch::Contains("the folder is not empty"));
    CHECK(small_log::bytes_of(files, "full/letter") == "x");
    CHECK_THROWS_WITH(copy_log("nowhere", "other", {0, 50, {}, &files}), Catch::Contains("no log to read"));
    CHECK(!files.exists("other"));
}
