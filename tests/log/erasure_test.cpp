// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/log/erasure.hpp>  // first: proves that the header stands alone

#include <driftless/log/compact_by_key.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/toy_cipher.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace driftless;

namespace erasure_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
    friend auto operator<=>(customer_id const&, customer_id const&) = default;
};
struct order {
    customer_id customer;
    encrypted<customer_id, std::string> email;
    std::int64_t cents = 0;
};
/// The simplest view.
struct table {
    std::map<customer_id, std::int64_t> rows;
    int calls = 0;
    int failures = 0;
    std::uint64_t purge(erased_subjects const& who) {
        ++calls;
        if (failures > 0 && failures-- > 0) throw error{error_code::io, "the disk is full"};
        return std::erase_if(rows, [&](auto const& row) { return who.contains(row.first); });
    }
};
erasure_log_options options_in(testing::memory_files& files) {
    erasure_log_options out;
    out.files = &files;
    out.clock = [] { return event_time{1'000}; };
    out.id = {1, 2};
    return out;
}
}  // namespace erasure_test
BOOST_HANA_ADAPT_STRUCT(erasure_test::customer_id, number);
BOOST_HANA_ADAPT_STRUCT(erasure_test::order, customer, email, cents);
using namespace erasure_test;

static_assert(purgeable<table>);
static_assert(!purgeable<int>);

TEST_CASE("an erasure destroys the key, purges what was added and says what is left", "[log][erasure]") {
    testing::memory_files files;
    erasure_log erasures{"erasures", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    memory_log<order> log{2};
    table view{{{{7}, 10}, {{8}, 20}}};
    table empty;
    for (std::uint64_t i = 0; i < 6; ++i) {
        order o{{7 + i % 2}, {}, 5};
        if (i != 4) keys.seal(o, &order::email, "somebody@example.org");
        log.append(o, i < 5 ? 0U : 1U);
    }
    eraser all{erasures, keys};
    all.add("view", "totals", view).add("sink", "mails", empty).add_log("orders", log, &order::email);
    auto const report = all.erase(customer_id{7}, "asked for on the phone");
    CHECK(report.complete());
    CHECK(report.number == 1);
    CHECK(report.keys == 1);
    CHECK(report.at == event_time{1'000});
    REQUIRE(report.unreadable.size() == 1);
    CHECK(report.unreadable[0] == unreadable_values{"orders", 0, 0, 2, 2});  // that at offset 4 was empty
    CHECK(view.rows.size() == 1);
    CHECK(report.text()
        ==
        "erasure 1 of customer 0000000000000007: 1 key destroyed\n"
        "  view totals: 1 removed\n"
        "  sink mails: 0 removed\n"
        "  log orders partition 0: 2 values cannot be read any more, offsets 0 to 2\n"
        "  complete\n");
    // Once more, and the other one: its value in partition 1 too.
    CHECK(all.erase(customer_id{7}).number == 1);
    auto const second = all.erase(customer_id{8});
    CHECK(second.number == 2);
    REQUIRE(second.unreadable.size() == 2);
    CHECK(second.unreadable[1] == unreadable_values{"orders", 1, 5 - 5, 0, 1});
    CHECK(view.rows.empty());
    // What the log keeps for who looks later.
    auto const& kept = erasures.log();
    CHECK(kept.read(0, 0)[0].text == "asked for on the phone");
    CHECK(kept.read(0, 0)[0].kind == erasure_kind::erased);
    CHECK(kept.read(0, 1)[0].kind == erasure_kind::purged);
    CHECK(kept.read(0, 1)[0].text == "view totals");
    CHECK(kept.read(0, 1)[0].removed == 1);
}

TEST_CASE("what is unreadable in a log that was compacted by key is counted once, at its offsets", "[log][erasure]") {
    testing::memory_files files;
    erasure_log erasures{"erasures", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    file_log_options options;
    options.files = &files;
    options.segment_bytes = 1;  // a segment for every flush
    file_log<order, packed> log{"orders", options};
    for (auto const& numbers : {std::vector<std::uint64_t>{7, 8, 7, 8, 9, 7}, {8}, {9}}) {
        for (auto const number : numbers) {
            order o{{number}, {}, 5};
            keys.seal(o, &order::email, "somebody@example.org");
            log.append(o);
        }
        log.flush();
    }
    compact_by_key(log, [](order const& o) { return o.customer; });
    eraser all{erasures, keys};
    all.add_log("orders", log, &order::email);
    auto const report = all.erase(customer_id{7});
    REQUIRE(report.unreadable.size() == 1);
    CHECK(report.unreadable[0] == unreadable_values{"orders", 0, 5, 5, 1});
    CHECK(all.erase(customer_id{9}).unreadable.at(0) == unreadable_values{"orders", 0, 4, 7, 2});
}

TEST_CASE("a place that fails is told, and purged by the next start", "[log][erasure]") {
    testing::memory_files files;
    table view{{{{7}, 10}}};
    table other{{{{7}, 10}}};
    {
        erasure_log erasures{"erasures", options_in(files)};
        toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
        view.failures = 1;
        auto const report = eraser{erasures, keys}.add("view", "a", view).add("view", "b", other).erase(customer_id{7});
        CHECK(!report.complete());
        CHECK(report.text().find("view a: 0 removed, NOT DONE (driftless: the disk is full)") != std::string::npos);
        CHECK(other.rows.empty());
    }
    erasure_log erasures{"erasures", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    eraser all{erasures, keys};
    all.add("view", "a", view).add("view", "b", other);
    auto const report = all.resume();
    CHECK(report.complete());
    REQUIRE(report.places.size() == 1);
    CHECK(report.places[0].name == "a");
    CHECK(view.rows.empty());
    CHECK(other.calls == 1);
    CHECK(all.resume().places.empty());
    // A place that comes later, or comes back from a backup, is purged of all that was erased before.
    table late{{{{7}, 10}, {{8}, 20}}};
    CHECK(all.add("view", "late", late).resume().places.at(0).removed == 1);
    late.rows[{7}] = 10;
    CHECK(all.resume().places.empty());
    CHECK(all.purge_again().places.size() == 3);
    CHECK(late.rows.size() == 1);
}

TEST_CASE("a place that throws what it likes is told, and the others are purged", "[log][erasure]") {
    testing::memory_files files;
    erasure_log erasures{"erasures", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    table view{{{{7}, 10}}};
    struct {
        bool away = true;
        std::uint64_t purge(erased_subjects const&) const {
            if (away) throw std::runtime_error{"the server is away"};
            return 1;
        }
    } server;
    eraser all{erasures, keys};
    all.add("sink", "server", server).add("view", "v", view);
    auto const report = all.erase(customer_id{7});
    CHECK(!report.complete());
    CHECK(report.text().find("sink server: 0 removed, NOT DONE (the server is away)") != std::string::npos);
    CHECK(view.rows.empty());
    server.away = false;
    CHECK(all.resume().complete());
}

TEST_CASE("a place that is not whole is purged again by every start", "[log][erasure]") {
    testing::memory_files files;
    erasure_log erasures{"erasures", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    struct {
        bool whole = false;
        purged purge(erased_subjects const& who) const {
            purged out{who.size()};
            out.whole = whole;
            if (!whole) out.note = "the old rows are still there";
            return out;
        }
    } place;
    eraser all{erasures, keys};
    all.add("sink", "rows", place);
    auto const report = all.erase(customer_id{7});
    CHECK(!report.complete());
    CHECK(report.text().find("sink rows: 1 removed, NOT DONE (the old rows are still there)") != std::string::npos);
    CHECK(!all.resume().complete());
    place.whole = true;
    CHECK(all.resume().complete());
    CHECK(all.resume().places.empty());
}

TEST_CASE("an erasure whose record failed is decided once when it is asked for again", "[log][erasure]") {
    for (std::uint64_t nth = 1; nth <= 6; ++nth) {
        CAPTURE(nth);
        testing::memory_files files;
        erasure_log erasures{"erasures", options_in(files)};
        auto const seven = subject_id::of(customer_id{7});
        files.inject(nth, testing::fault::fail);
        std::uint64_t number = 0;
        for (int tries = 0; number == 0 && tries < 3; ++tries) {
            try {
                number = erasures.erase(seven);
            } catch (error const&) {  // the disk, or a log that has to be opened anew
                CHECK(tries < 2);
                if (tries == 1) break;
            }
        }
        files.inject(0, testing::fault::fail);
        if (number == 0) continue;
        CHECK(number == 1);
        CHECK(erasures.generation(seven) == 1);
        CHECK(erasures.log().end_offset() == 1);
    }
}

TEST_CASE("an eraser needs the erasure log of its key store", "[log][erasure]") {
    testing::memory_files files;
    erasure_log erasures{"erasures", options_in(files)};
    erasure_log others{"others", options_in(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    CHECK_THROWS_AS((eraser{others, keys}), error);
}

TEST_CASE("an erasure that crashes at any call is whole after the next start", "[log][erasure][crash]") {
    std::uint64_t all = 0;
    auto const attempt = [&](std::uint64_t nth, testing::fault what, std::uint64_t seed) {
        testing::memory_files files;
        table view{{{{7}, 10}, {{8}, 20}}};
        order seven{{7}, {}, 0};
        order eight{{8}, {}, 0};
        bool decided = false;
        {
            erasure_log erasures{"erasures", options_in(files)};
            toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
            keys.seal(seven, &order::email, "seven");
            keys.seal(eight, &order::email, "eight");
            auto const before = files.operations();
            files.inject(nth, what);
            try {
                eraser who{erasures, keys};
                who.add("view", "v", view);
                decided = who.erase(customer_id{7}).number == 1;
            } catch (error const& problem) {
                CHECK(problem.code() == error_code::io);
            }
            all = files.operations() - before;
        }
        files.inject(0, what);
        if (seed == 0) files.restart();
        else files.lose_power(seed);
        erasure_log erasures{"erasures", options_in(files)};
        toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
        eraser who{erasures, keys};
        who.add("view", "v", view);
        CHECK(who.resume().complete());
        auto const erased = keys.open(seven, &order::email).is_erased();
        if (decided) CHECK(erased);
        if (erased) CHECK(view.rows.size() == 1);
        else CHECK(keys.open(seven, &order::email).value() == "seven");
        CHECK(keys.open(eight, &order::email).value() == "eight");
        CHECK(who.erase(customer_id{7}).complete());
        CHECK(keys.open(seven, &order::email).is_erased());
        CHECK(view.rows.size() == 1);
    };
    attempt(0, testing::fault::fail, 0);
    auto const calls = all;
    CHECK(calls > 8);
    for (std::uint64_t nth = 1; nth <= calls; ++nth) {
        for (auto const what : {testing::fault::fail, testing::fault::cut, testing::fault::after}) {
            CAPTURE(nth, static_cast<int>(what));
            attempt(nth, what, 0);
            attempt(nth, what, nth * 17 + 3);
        }
    }
}
