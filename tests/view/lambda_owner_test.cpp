// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/lambda_coordinator.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/collect.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/distinct.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/table.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/triggered_session.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lambda_owner_test {
using namespace driftless;
struct sale {
    std::int64_t shop;
    std::int64_t id;
    std::int64_t cents;
    event_time at;
};
}  // namespace lambda_owner_test
BOOST_HANA_ADAPT_STRUCT(lambda_owner_test::sale, shop, id, cents, at);

namespace {
using namespace driftless;
using namespace driftless::literals;
using lambda_owner_test::sale;
using testing::memory_files;

event_time fake_now = event_time{} + 1000_h;
event_time fake_clock() { return fake_now; }

// What comes further behind than 10 minutes is late; the declared watermark decides that in either mode.
inline constexpr auto sales = from<sale>() | assign_time<&sale::at>(bounded_disorder{10_min}, as_declared);
inline constexpr auto once = sales | dedup<&sale::id>(2_h, allowed_lateness{20_min});
inline constexpr auto counted = aggregate(count(), sum<&sale::cents>());

inline constexpr auto hours =
    sales | key_by<&sale::shop>() | window(tumbling{1_h}, allowed_lateness{30_min}) | counted;
inline constexpr auto deduped =
    once | key_by<&sale::shop>() | window(tumbling{1_h}, allowed_lateness{30_min}) | counted;
inline constexpr auto sessions =
    sales | key_by<&sale::shop>() | window(session{20_min}, allowed_lateness{15_min}) | counted;
inline constexpr auto distinct_ids =
    sales | key_by<&sale::shop>() | window(tumbling{2_h}) | aggregate(count(), distinct<&sale::id>());
inline constexpr auto early = once | key_by<&sale::shop>()
    | window(tumbling{1_h}, at_watermark().early(every(2)), allowed_lateness{30_min}) | counted;
inline constexpr auto early_sessions = sales | key_by<&sale::shop>()
    | window(session{20_min}, at_watermark().early(every(3)), allowed_lateness{15_min}) | counted;
inline constexpr auto sliding_hours = sales | key_by<&sale::shop>() | window(sliding{1_h, 20_min}) | counted;
inline constexpr auto histogram = sales | key_by<&sale::id>() | window(tumbling{1_h}, allowed_lateness{30_min})
    | aggregate(count()) | key_by([](pane<std::int64_t, std::int64_t> const& row) { return row.value; })
    | aggregate(count(), sum([](pane<std::int64_t, std::int64_t> const& row) { return row.key; }));
inline constexpr auto best = sales | key_by<&sale::id>() | window(tumbling{1_h}, allowed_lateness{30_min})
    | aggregate(sum<&sale::cents>()) | top(2);
inline constexpr auto collected =
    sales | key_by<&sale::shop>() | window(tumbling{1_h}, allowed_lateness{30_min}) | aggregate(collect<&sale::id>());

/// Sales of three shops: some come again, some come late, and some of these too late.
sale nth(std::size_t i, std::mt19937_64& random) {
    auto at = static_cast<std::int64_t>(i) * 2 - static_cast<std::int64_t>(random() % 10);
    if (random() % 12 == 0) at -= static_cast<std::int64_t>(random() % 120);
    return {static_cast<std::int64_t>(random() % 3), static_cast<std::int64_t>(random() % (i / 3 + 4)),
        static_cast<std::int64_t>(random() % 100), event_time{} + at * 1_min};
}
template <class Key, class Value>
using rows_by_place = std::map<std::pair<Key, time_window>, Value>;

template <class Rows>
auto content(Rows const& rows) {
    using row = std::remove_cvref_t<decltype(*rows.begin())>;
    rows_by_place<decltype(row::key), decltype(row::value)> out;
    for (auto const& each : rows) REQUIRE(out.emplace(std::pair{each.key, each.window}, each.value).second);
    return out;
}

/// A coordinator, and beside it what plain jobs say after each record.
template <class P>
class world {
    using coordinator = lambda_coordinator<P, memory_log<sale>&>;
    using K = typename coordinator::key_type;
    using V = typename coordinator::value_type;
    using rows = rows_by_place<K, V>;

    P const& pipeline_;
    std::mt19937_64 random_;
    bool merges_;  // windows of one key never overlap
    memory_files files_;
    memory_log<sale> log_;
    std::vector<sale> all_;
    view<K, V> plain_rows_;
    job<stream, P, memory_log<sale>&, view<K, V>&> plain_{stream{}, pipeline_, log_, plain_rows_};
    std::vector<rows> states_{rows{}};  // by records: what a stream shows that has read so many
    std::optional<coordinator> both_;
    std::uint64_t seen_contract_ = 0;

public:
    std::uint64_t contracts = 0;
    std::uint64_t at_contract = 0;
    std::uint64_t behind = 0;
    std::uint64_t open_rows = 0;

    world(P const& pipeline, std::uint64_t seed, bool merges)
        : pipeline_(pipeline), random_(seed), merges_(merges) {
        start();
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            switch (random_() % 8) {
                case 0:
                case 1:
                case 2: append(random_() % 12); break;
                case 3: both_->poll(random_() % 20); break;
                case 4: both_->poll(); break;
                case 5: both_->request_batch(); break;
                case 6:
                    if (random_() % 3 == 0) REQUIRE(both_->run_batch());
                    break;
                default:
                    if (random_() % 6 == 0) restart();
            }
            look();
        }
        REQUIRE(both_->run_batch());
        look();
        auto const told = both_->report();
        REQUIRE(told.batch_failures == 0);
        REQUIRE(told.overlap_disagreeing == 0);
    }

private:
    void start() {
        both_.emplace("both",
            lambda_options{
                .records = 60, .chunk = 17, .logic_version = "1", .files = &files_, .clock = &fake_clock},
            pipeline_, log_);
    }
    void restart() {
        auto const before = both_->view().ready() ? both_->view().contract().number : 0;
        both_.reset();
        if (random_() % 2 == 0) files_.lose_power(random_());
        start();
        REQUIRE((both_->view().ready() ? both_->view().contract().number : 0) == before);
    }
    void append(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            all_.push_back(nth(all_.size(), random_));
            log_.append(all_.back());
            plain_.poll(1);
            states_.push_back(content(plain_rows_.snapshot().rows()));
        }
    }
    /// A record that were in two sessions of its key would be counted twice.
    static void require_disjoint(rows const& told, rows const& open) {
        for (auto const& [at, row] : open) {
            for (auto const* const all : {&told, &open}) {
                for (auto const& [other, ignored] : *all) {
                    if (other.first != at.first || other == at) continue;
                    REQUIRE((other.second.end <= at.second.start || at.second.end <= other.second.start));
                }
            }
        }
    }
    [[nodiscard]] rows batch_over(std::uint64_t n) const {
        std::vector<sale> const prefix(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(n));
        return content(driftless::run(batch{}, pipeline_, prefix));
    }
    void look() {
        if (!both_->view().ready()) return;
        auto const now = both_->view().snapshot();
        auto const& contract = now.contract();
        REQUIRE(contract.number >= seen_contract_);
        if (contract.number != seen_contract_) ++contracts;
        seen_contract_ = contract.number;
        REQUIRE(contract.inputs.at(0).offset == contract.records);
        rows told;
        rows open;
        now.for_each([&](auto const& row) {
            auto& into = row.layer == lambda_layer::open && !now.at_contract() ? open : told;
            REQUIRE(into.emplace(std::pair{row.key, row.window}, row.value).second);
            auto const answer = both_->view().find(row.key, row.window);
            REQUIRE(answer.has_value());
            REQUIRE(*answer == row.value);
            REQUIRE(answer.layer() == row.layer);
            REQUIRE(*now.find(row.key, row.window) == row.value);
        });
        if (now.at_contract()) {
            ++at_contract;
            REQUIRE(told == batch_over(contract.records));
        } else {
            ++behind;
            auto const& stream_says = states_.at(now.speed().epoch);
            REQUIRE(told == stream_says);
            for (auto const& [at, row] : stream_says) {
                auto const answer = both_->view().find(at.first, at.second);
                REQUIRE(answer.has_value());
                REQUIRE(*answer == row);
            }
            if (merges_) require_disjoint(told, open);
            if (open.empty()) return;
            // Rows of open windows: those of the batch, and of windows that have told nothing yet.
            open_rows += open.size();
            auto const batch_says = batch_over(contract.records);
            for (auto const& [at, row] : open) {
                REQUIRE(!stream_says.contains(at));
                REQUIRE(batch_says.at(at) == row);
                REQUIRE(at.second.end > now.speed().watermark);
            }
        }
    }
};

template <class P>
void play(P const& pipeline, bool shows_open, bool merges = false) {
    std::uint64_t contracts = 0;
    std::uint64_t at_contract = 0;
    std::uint64_t behind = 0;
    std::uint64_t open = 0;
    std::uint64_t const seeds = test::slow() ? 60 : 6;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        world one{pipeline, seed, merges};
        one.run(120);
        contracts += one.contracts;
        at_contract += one.at_contract;
        behind += one.behind;
        open += one.open_rows;
    }
    CHECK(contracts > 5 * seeds);
    CHECK(at_contract > 10 * seeds);
    CHECK(behind > 10 * seeds);
    CHECK((open != 0) == shows_open);
}
}  // namespace

TEST_CASE("every record has one owner while T moves: tumbling windows with late data", "[view][lambda][property]") {
    play(hours, true);
}
TEST_CASE("every record has one owner while T moves: dedup before T and behind it", "[view][lambda][property]") {
    play(deduped, true);
}
TEST_CASE("every record has one owner while T moves: sessions over T", "[view][lambda][property]") {
    play(sessions, true, true);
}
TEST_CASE("every record has one owner while T moves: distinct over T", "[view][lambda][property]") {
    play(distinct_ids, true);
}
TEST_CASE("every record has one owner while T moves: early panes", "[view][lambda][property]") { play(early, true); }
TEST_CASE("every record has one owner while T moves: sessions with early panes", "[view][lambda][property]") {
    // One that grows has another window: the row of the open one would stay beside it.
    play(early_sessions, false, true);
}
TEST_CASE("every record has one owner while T moves: sliding windows", "[view][lambda][property]") {
    play(sliding_hours, true);
}
TEST_CASE("every record has one owner while T moves: an aggregate over corrected rows", "[view][lambda][property]") {
    play(histogram, true);
}
TEST_CASE("every record has one owner while T moves: the best of a window", "[view][lambda][property]") {
    play(best, true);
}
TEST_CASE("every record has one owner while T moves: records in log order", "[view][lambda][property]") {
    play(collected, true);
}

namespace {
/// Two partitions, in which nothing is late: T is a vector, and each partition is at its own place.
template <class P>
void play_partitions(P const& pipeline) {
    std::size_t checked = 0;
    std::size_t uneven = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        memory_files files;
        memory_log<sale> log{2};
        std::vector<sale> parts[2];
        using coordinator = lambda_coordinator<P, memory_log<sale>&>;
        std::optional<coordinator> both;
        auto const start = [&] {
            both.emplace("both",
                lambda_options{
                    .records = 50, .chunk = 11, .logic_version = "1", .files = &files, .clock = &fake_clock},
                pipeline, log);
        };
        auto const append = [&](sale const& one, std::uint32_t p) {
            parts[p].push_back(one);
            log.append(one, p);
        };
        start();
        std::size_t made = 0;
        for (int step = 0; step < 150; ++step) {
            switch (random() % 5) {
                case 0:
                case 1:
                    for (auto n = random() % 10; n != 0; --n, ++made) {
                        auto const at = static_cast<std::int64_t>(made) * 2 - static_cast<std::int64_t>(random() % 8);
                        auto const id = static_cast<std::int64_t>(random() % (made / 3 + 4));
                        append({static_cast<std::int64_t>(random() % 3), id,
                                   static_cast<std::int64_t>(random() % 100), event_time{} + at * 1_min},
                            static_cast<std::uint32_t>(random() % 3 == 0));
                    }
                    break;
                case 2: both->poll(random() % 20); break;
                case 3: both->poll(); break;
                default:
                    if (random() % 10 != 0) break;
                    both.reset();
                    start();
            }
            if (!both->view().ready()) continue;
            auto const now = both->view().snapshot();
            if (!now.at_contract()) continue;
            ++checked;
            auto const& inputs = now.contract().inputs;
            memory_log<sale> prefix{2};
            for (std::uint32_t p = 0; p < 2; ++p) {
                for (std::uint64_t i = 0; i < inputs[p].offset; ++i) prefix.append(parts[p][i], p);
            }
            if (inputs[0].offset != parts[0].size() || inputs[1].offset != parts[1].size()) ++uneven;
            REQUIRE(content(now.rows()) == content(driftless::run(batch{}, pipeline, prefix)));
        }
        // Days later: all windows are closed, and the speed layer has told them.
        for (std::uint32_t p = 0; p < 2; ++p) append({9, 0, 0, event_time{} + 1000_h}, p);
        while (both->poll() != 0) {}
        auto told = content(both->view().snapshot().rows());
        auto truth = content(driftless::run(batch{}, pipeline, log));
        std::erase_if(told, [](auto const& row) { return row.first.first == 9; });
        std::erase_if(truth, [](auto const& row) { return row.first.first == 9; });
        REQUIRE(told == truth);
        REQUIRE(both->report().overlap_disagreeing == 0);
    }
    CHECK(checked > 20);
    CHECK(uneven > 5);
}
}  // namespace

TEST_CASE("every record has one owner while T moves: several partitions", "[view][lambda][property]") {
    constexpr auto in_time = from<sale>() | assign_time<&sale::at>(bounded_disorder{10_min});
    play_partitions(in_time | key_by<&sale::shop>() | window(tumbling{1_h}) | counted);
    auto const once_each = in_time | dedup<&sale::id>(2_h);
    play_partitions(once_each | key_by<&sale::shop>() | window(tumbling{1_h}) | aggregate(count()));
    play_partitions(in_time | key_by<&sale::shop>() | window(session{20_min}) | counted);
}
