// SPDX-License-Identifier: BSL-1.0
#include <driftless/file/whole_file.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {
struct point {
    std::int32_t x = 0;
    std::int64_t y = 0;
    point() = default;
    point(std::int32_t a, std::int64_t b) : x(a), y(b) {}
    friend bool operator==(point const&, point const&) = default;
};
struct named {
    driftless::text name;
    std::uint32_t count = 0;
    named() = default;
    named(driftless::text n, std::uint32_t c) : name(n), count(c) {}
    friend bool operator==(named const&, named const&) = default;
};
/// A value that cannot be written if it is odd.
struct even {
    static constexpr std::string_view schema_name = "even";
    std::uint8_t value = 0;
    void save(driftless::byte_writer& to) const {
        if (value % 2 != 0) throw driftless::error{driftless::error_code::user_function, "odd"};
        to.put_byte(value);
    }
    void load(driftless::byte_reader& from) { value = from.get_byte(); }
};
struct holder {
    even one;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(holder, one);
BOOST_HANA_ADAPT_STRUCT(point, x, y);
BOOST_HANA_ADAPT_STRUCT(named, name, count);

namespace {
using namespace driftless;
using testing::memory_files;

std::int64_t present = 0;
event_time clock_now() { return event_time{present}; }

file_log_options in(memory_files& files) {
    present = 0;
    file_log_options out;
    out.background = false;
    out.durable = on_close;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = &clock_now;
    out.id = {9, 10};
    return out;
}
}  // namespace

TEST_CASE("emplace makes a record of its arguments", "[log][file_log]") {
    memory_files files;
    file_log<point> log{"log", in(files)};
    for (std::int32_t i = 0; i < 200; ++i) CHECK(log.emplace(0, i, i * 10) == static_cast<std::uint64_t>(i));
    std::int32_t next = 0;
    for (std::uint64_t at = 0; at < 200;) {
        auto const block = log.read(0, at);
        for (auto const& each : block.records()) {
            CHECK(each == point{next, next * 10});
            ++next;
        }
        at += block.size();
    }
    CHECK(next == 200);

    memory_files more;
    file_log<named, columns> texts{"log", in(more)};
    for (std::uint32_t i = 0; i < 200; ++i) texts.emplace(0, text{"n"}, i);
    CHECK(texts.read(0, 199)[0] == named{"n", 199});
}

TEST_CASE("offset_at goes by the blocks' times, in memory, in files, and for a reader", "[log][file_log]") {
    memory_files files;
    auto options = in(files);
    options.segment_bytes = 3'000;
    {
        file_log<point> log{"log", options};
        for (std::int32_t i = 0; i < 1'000; ++i) {
            if (i % 10 == 0) {
                present = i;
                log.flush();  // ten records to a block, begun at their number
            }
            log.emplace(0, i, i);
        }
        auto const check = [](auto const& of) {
            CHECK(of.offset_at(event_time{-5}) == 0);
            CHECK(of.offset_at(event_time{0}) == 0);
            CHECK(of.offset_at(event_time{1}) == 0);
            CHECK(of.offset_at(event_time{10}) == 0);  // the block before may hold some of that very time
            CHECK(of.offset_at(event_time{11}) == 10);
            CHECK(of.offset_at(event_time{555}) == 550);
            CHECK(of.offset_at(event_time{560}) == 550);
            CHECK(of.offset_at(event_time{980}) == 970);
            CHECK(of.offset_at(event_time{1'000'000}) == 990);
        };
        check(log);
        log.flush();
        check(log);
        options.access = log_access::read;
        check(file_log<point>{"log", options});
        log.trim(0, 600);
        CHECK(log.offset_at(event_time{15}) == log.begin_offset());
        CHECK(log.offset_at(event_time{555}) <= 600);
    }
    options.access = log_access::append;
    present = 3;  // the clock was set back
    file_log<point> log{"log", options};
    log.emplace(0, 1, 1);
    CHECK(log.read(0, 1'000).append_time() == event_time{990});
    CHECK(log.offset_at(event_time{991}) == 1'000);
}

TEST_CASE("a reader of what is durable sees no more than that", "[log][file_log]") {
    memory_files files;
    file_log<point> log{"log", in(files)};
    auto options = in(files);
    options.access = log_access::read;
    file_log<point> const committed{"log", options};
    options.visible = log_visibility::durable;
    file_log<point> const durable{"log", options};
    log.emplace(0, 1, 1);
    log.flush();
    CHECK(committed.end_offset() == 1);
    CHECK(durable.end_offset() == 0);
    CHECK(durable.committed_offset() == 1);
    log.sync();
    CHECK(durable.end_offset() == 1);
    log.emplace(0, 2, 2);
    log.flush();
    CHECK(durable.end_offset() == 1);
    // Without the file that says how far the writer came, the blocks and seals tell, later.
    files.remove("log/progress");
    file_log<point> const again{"log", options};
    CHECK(again.end_offset() <= 2);
    log.close();
    CHECK(committed.end_offset() == 2);
}

TEST_CASE("a writer that was overtaken is fenced off", "[log][file_log]") {
    memory_files files;
    file_log<point> old{"log", in(files)};
    old.emplace(0, 1, 1);
    old.flush();
    files.remove("log/lock");  // as a confused operator might
    file_log<point> young{"log", in(files)};
    old.emplace(0, 2, 2);
    for (auto const attempt : {0, 1}) {
        try {
            if (attempt == 0) old.flush();
            else old.sync();
            FAIL("the old writer went on");
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::fenced);
            CHECK(std::string{problem.what()}.find("another writer has taken over") != std::string::npos);
        }
    }
    CHECK_THROWS_AS(old.close(), error);
    young.emplace(0, 3, 3);
    young.flush();
    CHECK(young.end_offset() == 2);
    CHECK(young.read(0, 1)[0] == point{3, 3});
}

TEST_CASE("the try_ twins return what the others throw", "[log][file_log]") {
    memory_files files;
    auto options = in(files);
    options.access = log_access::read;
    auto const none = file_log<point>::try_open("log", options);
    REQUIRE(!none.has_value());
    CHECK(none.error().code() == error_code::not_there);
    auto opened = file_log<point>::try_open("log", in(files));
    REQUIRE(opened.has_value());
    auto& log = **opened;
    CHECK(*log.try_append(point{1, 2}) == 0);
    CHECK(log.try_append_once(0, 0, std::vector<point>{}).error().code() == error_code::invalid_argument);
    CHECK(log.try_append_once(1, 0, std::vector<point>{{3, 4}})->offset == 1);
    CHECK(log.try_read(0, 1).value()[0] == point{3, 4});
    CHECK(*log.try_sync() == 2);
    CHECK(*log.try_trim(0, 2) == 2);
    CHECK(log.try_read(0, 1).error().code() == error_code::not_there);
    files.inject(1, testing::fault::fail);
    static_cast<void>(log.try_append(point{5, 6}));
    CHECK(log.try_sync().error().code() == error_code::io);
}

// What one thread does without a lock must give way at any moment: to other appenders, to flushes, to readers.
TEST_CASE("threads append one by one while others flush and read", "[log][file_log][threads]") {
    constexpr std::int64_t count = 30'000;
    memory_files files;
    auto options = in(files);
    options.background = true;
    options.segment_bytes = 200'000;
    options.durable = every(duration{1'000'000});
    file_log<point> log{"log", options};
    std::atomic<int> going{3};
    auto const append = [&](std::int32_t who, std::int64_t pause_every) {
        for (std::int64_t i = 0; i < count; ++i) {
            log.append(point{who, i});
            if (i % pause_every == pause_every - 1) std::this_thread::yield();
        }
        --going;
    };
    std::thread one{append, 1, 1'000};
    std::thread two{append, 2, 64};
    std::thread three{append, 3, 7};
    std::uint64_t at = 0;
    std::int64_t next[4] = {};
    std::uint64_t wrong = 0;
    for (std::uint64_t turn = 0; going > 0 || at < log.end_offset(); ++turn) {
        if (turn % 16 == 0) log.flush();
        auto const end = log.end_offset();
        while (at < end) {
            auto const block = log.read(0, at);
            for (auto const& each : block.records()) wrong += !(each.y == next[each.x]++);
            at += block.size();
        }
    }
    one.join();
    two.join();
    three.join();
    CHECK(wrong == 0);
    CHECK(at == 3 * count);
    log.close();
    options.access = log_access::read;
    file_log<point> const again{"log", options};
    CHECK(again.end_offset() == 3 * count);
    std::int64_t from[4] = {};
    for (std::uint64_t offset = 0; offset < 3 * count;) {
        auto const block = again.read(0, offset);
        for (auto const& each : block.records()) wrong += !(each.y == from[each.x]++);
        offset += block.size();
    }
    CHECK(wrong == 0);
}

TEST_CASE("index files that are missing, stale or damaged are made anew by the writer", "[log][file_log]") {
    memory_files files;
    auto options = in(files);
    options.segment_bytes = 2'000;
    {
        file_log<point> log{"log", options};
        for (std::int32_t i = 0; i < 1'000; ++i) log.emplace(0, i, i);
    }
    std::vector<std::string> indexes;
    for (auto const& each : files.list("log/p00000")) {
        if (each.name.ends_with(".index")) indexes.push_back("log/p00000/" + each.name);
    }
    REQUIRE(indexes.size() > 3);
    std::vector<std::string> good;
    for (auto const& each : indexes) good.push_back(read_whole_file(each, files).value());
    files.remove(indexes[0]);
    files.open(indexes[1], open_mode::write)->write_at(30, std::string_view{"damaged"});
    files.open(indexes[2], open_mode::write)->write_at(0, good[1]);
    {
        file_log<point> log{"log", options};
        CHECK(read_whole_file(indexes[0], files) == good[0]);  // it was seen to be missing
        for (std::uint64_t at = 0; at < log.end_offset();) at += log.read(0, at).size();
        log.sync();
        for (std::size_t i = 0; i < indexes.size() - 1; ++i) CHECK(read_whole_file(indexes[i], files) == good[i]);
    }
}

TEMPLATE_TEST_CASE("a record that cannot be written ends its batch, and the offsets before it stand", "[log][file_log]",
    packed, columns) {
    memory_files files;
    file_log<holder, TestType> log{"log", in(files)};
    std::vector<holder> const batch{{{2}}, {{4}}, {{5}}, {{6}}};
    CHECK_THROWS_AS(log.append(batch), error);
    CHECK(log.end_offset() == 2);
    CHECK(log.append(holder{{8}}) == 2);
    CHECK_THROWS_AS(log.append_once(7, 0, batch), error);
    CHECK(log.end_offset() == 5);
    CHECK(log.append_once(7, 0, std::vector<holder>{{{2}}, {{4}}, {{10}}}).added == 1);
    log.flush();
    CHECK(log.append(holder{{12}}) == 6);
    log.close();
    auto options = in(files);
    options.access = log_access::read;
    file_log<holder, TestType> const again{"log", options};
    std::vector<int> values;
    for (std::uint64_t at = 0; at < again.end_offset();) {
        auto const block = again.read(0, at);
        for (std::size_t i = 0; i < block.size(); ++i) values.push_back(block[i].one.value);
        at += block.size();
    }
    CHECK(values == std::vector<int>{2, 4, 8, 2, 4, 10, 12});
}

TEST_CASE("a damaged old segment without an index does not keep a writer from opening the log", "[log][file_log]") {
    memory_files files;
    auto options = in(files);
    options.segment_bytes = 2'000;
    {
        file_log<point> log{"log", options};
        for (std::int32_t i = 0; i < 1'000; ++i) log.emplace(0, i, i);
    }
    files.remove("log/p00000/00000000000000000000.index");
    files.open("log/p00000/00000000000000000000.segment", open_mode::write)->write_at(140, std::string_view{"damaged"});
    file_log<point> log{"log", options};
    CHECK(log.append(point{1, 1}) == 1'000);
    CHECK_THROWS_AS(log.read(0, 0).records(), error);
}
