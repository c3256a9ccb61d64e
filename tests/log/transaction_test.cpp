// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/file_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {
/// Record `number` of what `source` sent.
struct sent {
    std::uint64_t source = 0;
    std::uint64_t number = 0;
    std::uint64_t of = 0;  // how many belong together, in all partitions
    friend bool operator==(sent const&, sent const&) = default;
};
}  // namespace
BOOST_HANA_ADAPT_STRUCT(sent, source, number, of);

namespace {
using namespace driftless;
using testing::fault;
using testing::memory_files;

event_time still() { return event_time{0}; }

file_log_options in(memory_files& files, durability durable = on_close) {
    file_log_options out;
    out.partitions = 2;
    out.background = false;
    out.durable = durable;
    out.segment_bytes = 1500;
    out.block_bytes = 1024;
    out.files = &files;
    out.clock = &still;
    out.id = {5, 6};
    return out;
}
template <class Log>
std::vector<sent> all(Log const& log, std::uint32_t p) {
    std::vector<sent> out;
    for (auto at = log.begin_offset(p); at < log.end_offset(p);) {
        auto const block = log.read(p, at);
        block.each(0, block.size(), [&](std::size_t, sent const& each) { out.push_back(each); });
        at += block.size();
    }
    return out;
}
/// Appends [0, count) of a source to a transaction, by turns to the partitions from `first` to 1.
template <class Transaction>
void fill(Transaction& into, std::uint64_t source, std::uint64_t count, std::uint32_t first = 0) {
    for (std::uint64_t i = 0; i < count; ++i) into.append({source, i, count}, first == 0 ? i % 2 : 1U);
}
file_log_options to_read(memory_files& files) {
    auto out = in(files);
    out.access = log_access::read;
    return out;
}
}  // namespace

TEMPLATE_TEST_CASE("a transaction is seen when it is committed, whole", "[log][transaction]", rows, packed, columns) {
    using log_t = file_log<sent, TestType>;
    memory_files files;
    log_t log{"log", in(files)};
    log_t const other{"log", to_read(files)};
    auto one = log.begin();
    fill(one, 1, 300, 1);  // several blocks
    log.append({9, 0, 1}, 1);
    CHECK(log.end_offset(1) == 1);
    one.commit();
    CHECK(log.end_offset(1) == 301);
    CHECK(all(log, 1)[1] == sent{1, 0, 300});
    CHECK(all(log, 1).back() == sent{1, 299, 300});
    log.flush();
    CHECK(other.end_offset(1) == 301);
    CHECK(all(other, 1) == all(log, 1));

    auto two = log.begin();
    fill(two, 2, 10);
    two.abort();
    two.commit();
    { auto const dropped = log.begin(); }
    CHECK(log.end_offset(0) == 0);
    CHECK(log.committed_offset(1) == 301);
}

TEST_CASE("a reader in another process never sees a part of a transaction", "[log][transaction]") {
    memory_files files;
    auto options = in(files);
    options.segment_bytes = 4000;
    file_log<sent> log{"log", options};
    log.append({9, 0, 1});
    log.flush();
    file_log<sent> const other{"log", to_read(files)};
    CHECK(other.end_offset() == 1);
    auto one = log.begin();
    for (std::uint64_t i = 0; i < 2000; ++i) one.append({1, i, 2000});
    one.commit();
    // Written block by block; at each stop the reader looks.
    for (std::uint64_t nth = 1;; ++nth) {
        files.inject(nth, fault::fail);
        bool done = true;
        try {
            log.flush();
        } catch (error const&) {
            done = false;
        }
        files.inject(0, fault::fail);
        auto const seen = other.end_offset();
        CHECK((seen == 1 || seen == 2001));
        if (done) break;
    }
    CHECK(all(other, 0).size() == 2001);
}

TEST_CASE("a transaction over partitions is completed when the log is opened again", "[log][transaction]") {
    memory_files files;
    std::uint64_t committed = 0;
    for (std::uint64_t nth = 1; committed < 3; ++nth) {
        memory_files fresh;
        {
            file_log<sent> log{"log", in(fresh)};
            log.append({9, 0, 1});
            log.sync();
            auto one = log.begin();
            fill(one, 1, 200);
            fresh.inject(nth, fault::cut);
            try {
                one.commit();
                ++committed;  // with no operation left to fail
            } catch (error const&) {  // NOLINT(bugprone-empty-catch)
            }
            fresh.inject(0, fault::fail);
            fresh.restart();
        }
        file_log<sent> again{"log", in(fresh)};
        auto const first = all(again, 0).size() - 1;
        auto const second = all(again, 1).size();
        CHECK(first == second);
        CHECK((first == 0 || first == 100));
        again.close();
        CHECK(fresh.list("log/transactions").empty());
    }
}

TEST_CASE("a prepared transaction waits for its decision, also over a restart", "[log][transaction]") {
    memory_files files;
    {
        file_log<sent> log{"log", in(files)};
        auto one = log.begin();
        fill(one, 1, 20);
        one.prepare("epoch-1");
        auto two = log.begin();
        fill(two, 2, 20);
        two.prepare("epoch-2");
        auto again = log.begin();
        again.append({3, 0, 1});
        CHECK_THROWS_WITH(again.prepare("epoch-1"), Catch::Contains("a transaction of this name waits already"));
        CHECK_THROWS_WITH(again.prepare("../else"), Catch::Contains("cannot be a name"));
        log.append({9, 0, 1});
        files.lose_power(0);
    }
    file_log<sent> log{"log", in(files)};
    CHECK(log.end_offset(0) == 0);
    CHECK(log.prepared() == std::vector<std::string>{"epoch-1", "epoch-2"});
    log.append({9, 1, 1});
    CHECK(log.commit_prepared("epoch-1"));
    CHECK(!log.commit_prepared("epoch-1"));
    CHECK(log.abort_prepared("epoch-2"));
    CHECK(!log.abort_prepared("epoch-2"));
    CHECK(log.prepared().empty());
    CHECK(log.end_offset(0) == 11);
    CHECK(log.end_offset(1) == 10);
    CHECK(log.durable_offset(0) == 11);
}

TEST_CASE("a damaged file of a transaction is an error, at every bit", "[log][transaction]") {
    memory_files files;
    {
        file_log<sent> log{"log", in(files)};
        auto one = log.begin();
        fill(one, 1, 4);
        one.prepare("p");
    }
    files.rename("log/transactions/p.prepared", "log/transactions/p.committed");
    auto const file = files.open("log/transactions/p.committed", open_mode::write);
    for (std::uint64_t at = 0; at < file->size(); ++at) {
        char byte = 0;
        file->read_at(at, &byte, 1);
        for (int bit = 0; bit < 8; ++bit) {
            char const flipped = static_cast<char>(byte ^ (1 << bit));
            file->write_at(at, {&flipped, 1});
            auto const opened = file_log<sent>::try_open("log", in(files));
            INFO(at << " bit " << bit);
            REQUIRE(!opened.has_value());
            CHECK(opened.error().path() == "log/transactions/p.committed");
        }
        file->write_at(at, {&byte, 1});
    }
    file_log<sent> const log{"log", in(files)};
    CHECK(log.end_offset(0) == 2);
}

namespace {
/// Appends in every way there is; what returned is durable. Returns how many steps returned.
void append_in_every_way(memory_files& files, std::uint64_t& done, std::uint64_t steps) {
    file_log<sent> log{"log", in(files, every_batch)};
    for (; done < steps; ++done) {
        auto const source = done / 5 + 1;
        switch (done % 5) {
            case 0: {
                std::vector<sent> batch;
                for (std::uint64_t i = 0; i < 4; ++i) batch.push_back({1000, source * 4 + i, 1});
                log.append_once(77, source * 4, batch, 1);
                break;
            }
            case 1: {
                auto both = log.begin();
                fill(both, 2000 + source, 60);
                both.commit();
                break;
            }
            case 2: {
                auto one = log.begin();
                fill(one, 3000 + source, 70, 1);
                one.commit();
                break;
            }
            case 3: {
                auto later = log.begin();
                fill(later, 4000 + source, 10);
                auto const name = "p" + std::to_string(source);
                if (!log.commit_prepared(name)) {
                    later.prepare(name);
                    log.commit_prepared(name);
                }
                break;
            }
            default:
                log.trim(0, log.end_offset(0) / 3);
        }
    }
    log.close();
}
/// Every record of the producer once, in order; every transaction whole, perhaps twice where its commit was not
/// answered.
template <class Log>
void check_everything(Log const& log, std::uint64_t done) {
    std::map<std::uint64_t, std::uint64_t> found;
    std::uint64_t next = 4;
    auto const begun = log.begin_offset(0);
    for (std::uint32_t p = 0; p < 2; ++p) {
        for (auto const& each : all(log, p)) {
            if (each.source == 1000) CHECK(each.number == next++);
            else ++found[each.source];
        }
    }
    for (std::uint64_t step = 0; step < done; ++step) {
        auto const source = step / 5 + 1;
        if (step % 5 == 0) CHECK(next >= source * 4 + 4);
        if (step % 5 == 2) CHECK((found[3000 + source] >= 70 && found[3000 + source] % 70 == 0));
        if (begun != 0) continue;  // trimmed: the counts of partition 0 are not whole any more
        if (step % 5 == 1) CHECK((found[2000 + source] >= 60 && found[2000 + source] % 60 == 0));
        if (step % 5 == 3) CHECK(found[4000 + source] % 10 == 0);
    }
    if (begun == 0) {
        for (auto const& [source, count] : found) {
            INFO(source);
            if (source > 4000) CHECK(count % 10 == 0);
            else if (source > 3000) CHECK(count % 70 == 0);
            else CHECK(count % 60 == 0);
        }
    }
}
/// False once no operation was left to go wrong.
bool survives(std::uint64_t nth, fault what, bool power, std::uint64_t seed, std::uint64_t steps) {
    memory_files files;
    std::uint64_t done = 0;
    bool failed = false;
    files.inject(nth, what);
    try {
        append_in_every_way(files, done, steps);
    } catch (error const&) {
        failed = true;
    }
    if (!failed && files.operations() < nth) return false;
    files.inject(0, what);
    if (power) files.lose_power(seed);
    else files.restart();
    INFO("operation " << nth << ", fault " << static_cast<int>(what) << ", power " << power << ", seed " << seed);
    INFO("steps done " << done);
    {
        file_log<sent> const log{"log", in(files)};
        check_everything(log, done);
    }
    // The client goes on with the step that was not answered.
    append_in_every_way(files, done, steps + 5);
    file_log<sent> const log{"log", to_read(files)};
    check_everything(log, done);
    return true;
}
}  // namespace

TEST_CASE("once and all or nothing hold after any operation has failed", "[log][transaction][fault]") {
    std::uint64_t const steps = test::slow() ? 25 : 10;
    std::uint64_t const seeds = test::slow() ? 16 : 2;
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (std::uint64_t seed = 0; seed <= seeds; ++seed) {
            std::uint64_t nth = 1;
            while (survives(nth, what, seed != 0, seed - 1, steps)) ++nth;
            CHECK(nth > 100);
        }
    }
}

TEST_CASE("a decision that failed is made by asking again, once", "[log][transaction]") {
    std::uint64_t failed = 0;
    for (std::uint64_t nth = 1; nth < 120; ++nth) {
        memory_files files;
        file_log<sent> log{"log", in(files)};
        auto one = log.begin();
        fill(one, 1, 200);
        one.prepare("p");
        auto both = log.begin();
        fill(both, 2, 200);
        files.inject(nth, fault::fail);
        auto const insist = [&](auto&& ask) {
            for (int i = 0; i < 3; ++i) {
                try {
                    return ask();
                } catch (error const& problem) {
                    ++failed;
                    if (problem.code() == error_code::stopped) return;  // a sync has failed: to be opened anew
                }
            }
        };
        insist([&] { log.commit_prepared("p"); });
        insist([&] { both.commit(); });
        files.inject(0, fault::fail);
        try {
            log.close();
        } catch (error const&) {  // NOLINT(bugprone-empty-catch)
        }
        files.restart();
        file_log<sent> const again{"log", in(files)};
        INFO("operation " << nth);
        CHECK(again.end_offset(0) + again.end_offset(1) == 400);
        CHECK(again.prepared().empty());
    }
    CHECK(failed > 10);
}

TEST_CASE("the name of a transaction is no path", "[log][transaction]") {
    memory_files files;
    file_log<sent> log{"log", in(files)};
    CHECK_THROWS_WITH(log.commit_prepared("../else"), Catch::Contains("cannot be a name"));
    CHECK_THROWS_WITH(log.abort_prepared("../else"), Catch::Contains("cannot be a name"));
}
