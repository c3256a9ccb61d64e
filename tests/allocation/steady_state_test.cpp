// SPDX-License-Identifier: BSL-1.0
// A job that has seen all its keys, and windows come and go, takes no more memory: no operator allocates per record.
// The input repeats itself, so that whatever grows has grown before the counting begins.
#include <driftless/driftless.hpp>
#include <driftless/op/count_window.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <tuple>

namespace {
thread_local std::size_t taken = 0;  // from the heap, by this thread

void* take(std::size_t bytes) {
    ++taken;
    if (void* const at = std::malloc(bytes)) return at;
    throw std::bad_alloc{};
}
void* take(std::size_t bytes, std::align_val_t alignment) {
    ++taken;
    auto const line = static_cast<std::size_t>(alignment);
    if (void* const at = std::aligned_alloc(line, (bytes + line - 1) / line * line)) return at;
    throw std::bad_alloc{};
}
}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new[](std::size_t bytes) { return take(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return take(bytes, alignment); }
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return take(bytes, alignment); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete[](void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }

namespace allocation_test {
using namespace driftless;

struct click {
    std::int64_t id;
    std::int64_t user;
    text page;
    std::int64_t ms;
    event_time at;
};
struct pair_of_clicks {
    std::int64_t user, between;
};

/// The time on a page, told when its user has been quiet for a while.
struct until_quiet {
    struct state {
        value_state<std::int64_t> ms;
        event_timer quiet;
    };
    void on_record(state& own, click const& c, auto& context) const {
        own.ms = own.ms.value_or(0) + c.ms;
        context.set(own.quiet, c.at + duration{3'000'000'000});
    }
    void on_timer(state& own, fired_timer const&, auto& context) const {
        context.emit(*own.ms);
        own.ms.reset();
    }
};
}  // namespace allocation_test
BOOST_HANA_ADAPT_STRUCT(allocation_test::click, id, user, page, ms, at);
BOOST_HANA_ADAPT_STRUCT(allocation_test::pair_of_clicks, user, between);
BOOST_HANA_ADAPT_STRUCT(allocation_test::until_quiet::state, ms, quiet);

namespace {
using namespace driftless;
using namespace driftless::literals;
using namespace allocation_test;

constexpr std::size_t period = 4'000;  // records after which users, pages and delays come again: 40 s of them
constexpr std::size_t periods = 40;
constexpr std::size_t users = 100;

click click_at(std::size_t i) {
    static constexpr char const* pages[] = {"/", "/basket", "/a/page/whose/name/does/not/fit/into/a/small/string"};
    auto const place = i % period;
    auto const mixed = static_cast<std::size_t>(place * 2654435761u % 4093);
    auto const late = mixed % 20 == 0 ? mixed % 700 * 1'000'000 : 0;  // up to 0.7 s
    return {static_cast<std::int64_t>(i), static_cast<std::int64_t>(mixed % users), pages[mixed % 3],
        static_cast<std::int64_t>(mixed % 1000),
        event_time{static_cast<std::int64_t>(i * 10'000'000 + 1'000'000'000 - late)}};
}
void fill(memory_log<click>& log) {
    for (std::size_t i = 0; i < periods * period; ++i) log.append(click_at(i));
}

template <class Job>
void read(Job& job, std::size_t records) {
    std::size_t seen = 0;
    while (seen < records) {
        auto const some = job.poll(500);
        REQUIRE(some != 0);
        seen += some;
    }
}

struct counted {
    std::size_t rows, allocations;
};
/// What a job takes from the heap for the second half of the records.
template <class Pipeline>
counted second_half(Pipeline const& pipeline) {
    memory_log<click> log;
    fill(log);
    std::size_t rows = 0;
    job follow{stream{}, pipeline, log, to([&](auto const&) { ++rows; }, [](auto const&...) {})};
    read(follow, periods / 2 * period);
    rows = 0;
    auto const before = taken;
    read(follow, periods / 2 * period);
    return {rows, taken - before};
}

constexpr auto clicks = from<click>() | assign_time<&click::at>(bounded_disorder{1_s});
constexpr auto by_user = clicks | key_by<&click::user>();
}  // namespace

TEST_CASE("the counter counts", "[allocation]") {
    auto const before = taken;
    delete new int{1};
    CHECK(taken - before == 1);
}

TEST_CASE("records without a key pass, and nothing is taken from the heap", "[allocation]") {
    auto const seen = second_half(clicks | filter([](click const& c) { return c.ms < 900; })
        | map([](click const& c) { return c.ms * 2; }));
    CHECK(seen.rows > 60'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("tumbling windows recycle their tables", "[allocation]") {
    auto const seen = second_half(
        by_user | window(tumbling{2_s}) | aggregate(count(), sum<&click::ms>(), max<&click::ms>()));
    CHECK(seen.rows > 3'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("text keys are copied into memory that windows hand on", "[allocation]") {
    auto const seen = second_half(clicks | key_by<&click::page>() | window(tumbling{2_s}) | aggregate(count()));
    CHECK(seen.rows > 1'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("late records that correct rows take nothing", "[allocation]") {
    auto const seen = second_half(from<click>() | assign_time<&click::at>(bounded_disorder{100_ms})
        | key_by<&click::user>() | window(tumbling{2_s}, allowed_lateness{1_s})
        | aggregate(count(), sum<&click::ms>()));
    CHECK(seen.rows > 3'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("sliding windows recycle their slices", "[allocation]") {
    CHECK(second_half(by_user | window(sliding{10_s, 1_s}) | aggregate(count(), sum<&click::ms>())).allocations == 0);
    CHECK(second_half(by_user | window(sliding{10_s, 1_s}) | aggregate(max<&click::ms>())).allocations == 0);
}

TEST_CASE("sessions come and go", "[allocation]") {
    auto const seen = second_half(by_user | window(session{1_s}) | aggregate(count(), sum<&click::ms>()));
    CHECK(seen.rows > 1'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("windows of a number of records", "[allocation]") {
    auto const seen = second_half(by_user | window(count_window{10}) | aggregate(sum<&click::ms>(), unbounded_state{}));
    CHECK(seen.rows > 1'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("aggregates without a window", "[allocation]") {
    auto const seen = second_half(
        by_user | window(global{}, every(10), discarding{}) | aggregate(count(), unbounded_state{}));
    CHECK(seen.rows > 1'000);
    CHECK(seen.allocations == 0);
}

TEST_CASE("dedup forgets what it drops out of its memory", "[allocation]") {
    auto const seen = second_half(clicks | dedup<&click::id>(5_s));
    CHECK(seen.rows == periods / 2 * period);
    CHECK(seen.allocations == 0);
}

TEST_CASE("the best of a window take something for each row that is shown, not for the others", "[allocation]") {
    auto const seen = second_half(clicks | window(tumbling{2_s}) | top<&click::ms>(5));
    CHECK(seen.rows > 1'000);
    CHECK(seen.allocations <= 4 * seen.rows);
}

TEST_CASE("functions with state and timers", "[allocation]") {
    auto const seen = second_half(by_user | process<std::int64_t>(until_quiet{}, unbounded_state{}));
    CHECK(seen.allocations == 0);
}

TEST_CASE("an interval join drops what can no longer match", "[allocation]") {
    auto const side = [](auto name) {
        return from<click>(name) | assign_time<&click::at>(bounded_disorder{1_s}) | key_by<&click::user>();
    };
    auto const pairs = join(side("left"_name), side("right"_name), interval{0_s, 100_ms},
        [](click const& l, click const& r) { return pair_of_clicks{l.user, r.at.ns() - l.at.ns()}; });
    memory_log<click> left;
    memory_log<click> right;
    fill(left);
    fill(right);
    std::size_t rows = 0;
    job follow{stream{}, pairs, bind("left"_name, left), bind("right"_name, right), to([&](auto const&) { ++rows; })};
    read(follow, periods * period);
    rows = 0;
    auto const before = taken;
    read(follow, periods * period - 1'000);  // where one side has ended for now, it holds the other
    CHECK(rows > 10'000);
    CHECK(taken - before == 0);
}

TEST_CASE("rows in files are read without taking memory for each", "[allocation]") {
    testing::memory_files files;
    file_log<click> log{"clicks", {.files = &files}};
    for (std::size_t i = 0; i < periods * period; ++i) log.append(click_at(i));
    log.sync();
    std::size_t rows = 0;
    job follow{stream{}, by_user | window(tumbling{2_s}) | aggregate(count()), log, to([&](auto const&) { ++rows; })};
    read(follow, periods / 2 * period);
    auto const before = taken;
    read(follow, periods / 2 * period);
    CHECK(taken - before < periods / 2 * period / 1000);  // a block is some thousand records
}
