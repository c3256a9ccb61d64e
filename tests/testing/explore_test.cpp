// SPDX-License-Identifier: BSL-1.0
#include <driftless/testing/explore.hpp>

#include <driftless/testing/script.hpp>
#include <testing/explored.hpp>

#include <string_view>

using namespace explore_test;
using namespace driftless::literals;

namespace explore_test {
/// The middle of two numbers, taken as if the order did not matter.
struct middle {
    static constexpr std::string_view kind = "middle";
    static constexpr combine_class combines = combine_class::exact;
    std::int64_t lift(sale const& of) const { return of.cents; }
    void combine(std::int64_t& a, std::int64_t b) const { a = (a + b) / 2; }
    std::int64_t lower(std::int64_t state) const { return state; }
};
/// Adds up record by record; what is combined loses one.
struct leaky {
    static constexpr std::string_view kind = "leaky";
    static constexpr combine_class combines = combine_class::exact;
    std::int64_t init() const { return 0; }
    std::int64_t lift(sale const& of) const { return of.cents; }
    void add(std::int64_t& to, sale const& of) const { to += of.cents; }
    void combine(std::int64_t& a, std::int64_t b) const { a += b == 0 ? 0 : b - 1; }
    std::int64_t lower(std::int64_t state) const { return state; }
};
/// Adds up, and forgets a part when it is saved.
struct forgetful {
    static constexpr std::string_view kind = "forgetful";
    static constexpr combine_class combines = combine_class::exact;
    struct state {
        std::int64_t sum = 0;
        void save(byte_writer& out) const { out.write(sum & ~std::int64_t{1}); }
        void load(byte_reader& in) { sum = in.read<std::int64_t>(); }
    };
    state init() const { return {}; }
    state lift(sale const& of) const { return {of.cents}; }
    void combine(state& a, state const& b) const { a.sum += b.sum; }
    std::int64_t lower(state const& of) const { return of.sum; }
};
/// Sessions that are forgotten as soon as they have fired, although a record may still reach them.
struct hasty {
    static constexpr std::string_view kind = "hasty";
    static constexpr bool merges_touching = false;
    using merges_windows = void;
    duration gap{};
    template <class T>
    static constexpr bool fits = true;
    template <class T>
    [[nodiscard]] time_window proto_window(event_time t, T const&) const {
        return {t, t + gap};
    }
    [[nodiscard]] static bool meet(time_window const& a, time_window const& b) {
        return a.start < b.end && b.start < a.end;
    }
    [[nodiscard]] duration reach() const { return {}; }
    [[nodiscard]] static duration exact_reach() { return {}; }
    void validate() const {}
    void describe(auto&& parameter) const { parameter("gap", gap); }
};
}  // namespace explore_test

TEST_CASE("explore lets the pipeline make the watermark where it assigns the time", "[testing][explore]") {
    constexpr auto timed = from<sale>() | assign_time<&sale::at>(bounded_disorder{4_s}) | key_by<&sale::item>();
    std::size_t late = 0;
    auto count_late = to([&](auto const&) { ++late; });
    auto const windowed = window(tumbling{10_s}, allowed_lateness{3_s});
    check_sound(explore(timed | windowed | late_to("late"_name) | aggregate(count()), sales(), {},
        bind("late"_name, count_late)));
    CHECK(late != 0);
    check_found(explore(timed | windowed | aggregate(middle{}), sales()), drift::from_batch, 4);
    constexpr auto as_said = from<event<sale>>() | assign_time(bounded_disorder{4_s}, as_declared);
    check_sound(explore(as_said | windowed | aggregate(count()), events()));
}

TEST_CASE("explore finds a combine whose order shows", "[testing][explore]") {
    auto const found = explore(by_item | window(tumbling{10_s}) | aggregate(middle{}), events());
    check_found(found, drift::from_batch, 4);  // three records and the end
    CHECK(found.sentence.find("event{explore_test::sale{") != std::string::npos);
}

TEST_CASE("explore finds a combine that is another one than add", "[testing][explore]") {
    auto const pipeline = by_item | window(session{3_s}) | aggregate(leaky{});
    auto const found = explore(pipeline, events());
    check_found(found, drift::from_batch, 5);  // two sessions, and the record that joins them
    // Only where sessions are put together: tumbling windows add.
    check_sound(explore(by_item | window(tumbling{3_s}) | aggregate(leaky{}), events()));
}

TEST_CASE("explore finds a function that keeps state between calls", "[testing][explore]") {
    static std::int64_t calls = 0;
    auto const pipeline = by_item | map([](sale const& of) { return of.cents + ++calls % 5; }) | window(tumbling{10_s})
        | aggregate(sum());
    check_found(explore(pipeline, events()), drift::between_two_runs, 2);
}

TEST_CASE("explore finds windows that are collected too early", "[testing][explore]") {
    auto const pipeline = by_item | window(hasty{3_s}) | aggregate(count());
    auto const found = explore(pipeline, events());
    check_found(found, drift::from_batch, 5);
    CHECK(found.sentence.find("watermark(at(") != std::string::npos);
    // The script shows it by itself.
    auto const streamed = testing::play_script(pipeline, found.script);
    std::vector<event<sale>> log;
    for (auto const& each : found.script.steps()) {
        if (each.record) log.push_back(*each.record);
    }
    CHECK(streamed.panes.size() - streamed.removed.size() != run(batch{}, pipeline, log).size());
    check_sound(explore(by_item | window(session{3_s}) | aggregate(count()), events()));
}

TEST_CASE("explore finds a state that a restore changes", "[testing][explore]") {
    auto const found = explore(by_item | window(tumbling{10_s}) | aggregate(forgetful{}), events());
    check_found(found, drift::between_manners, 3);
    CHECK(found.threads == 1);
    CHECK(found.chunk == 1);
    CHECK(found.sentence.find("snapshot_and_restore{}") != std::string::npos);
}

TEST_CASE("explore takes records from a function, and finds the same for the same seed", "[testing][explore]") {
    auto const made = [](std::uint64_t seed) {
        std::vector<event<sale>> out;
        for (std::uint64_t i = 0; i < 20; ++i) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            auto const time = at(duration{static_cast<std::int64_t>(seed >> 40) * 1000});
            out.push_back({sale{static_cast<std::int32_t>(seed >> 62), static_cast<std::int64_t>(i), time}, time});
        }
        return out;
    };
    auto const pipeline = by_item | window(tumbling{5_s}) | aggregate(middle{});
    auto const one = explore(pipeline, made, {.seed = 7});
    check_found(one, drift::from_batch, 4);
    CHECK(explore(pipeline, made, {.seed = 7}).sentence == one.sentence);
    CHECK(explore(pipeline, made, {.scripts = 1, .seed = one.seed}).sentence == one.sentence);
    CHECK(explore(pipeline, std::vector<event<sale>>{}, {.scripts = 3}).ok);
}
