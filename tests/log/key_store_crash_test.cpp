// SPDX-License-Identifier: BSL-1.0
// A key store that loses its process, its power or single calls at every call of the file layer.
#include <driftless/log/key_store.hpp>

#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/toy_cipher.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace driftless;

namespace key_store_crash_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
};
using field = encrypted<customer_id, std::string>;
}  // namespace key_store_crash_test
BOOST_HANA_ADAPT_STRUCT(key_store_crash_test::customer_id, number);
using namespace key_store_crash_test;

namespace {
/// What a program has been told.
struct told {
    std::vector<std::pair<std::uint64_t, field>> sealed;  // values handed out: their keys are durable
    std::vector<std::uint64_t> erased;                    // erase() has returned
    std::uint64_t maybe = 0;                              // it was called
    std::vector<std::uint64_t> purged;                    // so has apply_erasures()
    std::vector<std::string> wrapped;                     // the bytes of the file while the key was in it
    char master = 'm';
    bool rewrapping = false;
};

erasure_log_options log_options(testing::memory_files& files) {
    erasure_log_options out;
    out.files = &files;
    out.clock = [] { return event_time{1'000}; };
    out.id = {1, 2};
    return out;
}
std::string text_of(std::uint64_t n) { return "person number " + std::to_string(n); }

/// Seals for four subjects, erases two, rewraps in between. Throws where a fault strikes.
void live(testing::memory_files& files, told& said) {
    erasure_log erasures{"erasures", log_options(files)};
    toy::store keys{"keys", toy::master(), erasures, {.files = &files}};
    auto const seal = [&](std::uint64_t n) {
        field out;
        keys.seal(out, {n}, text_of(n));
        said.sealed.emplace_back(n, out);
    };
    auto const erase = [&](std::uint64_t n) {
        said.maybe = n;
        erasures.erase(subject_id::of(customer_id{n}));
        said.erased.push_back(n);
        keys.apply_erasures();
        said.purged.push_back(n);
    };
    seal(1);
    seal(2);
    erase(1);
    seal(3);
    said.rewrapping = true;
    keys.rewrap(toy::master('n'));
    said.rewrapping = false;
    said.master = 'n';
    seal(4);
    erase(3);
}
bool contains(std::vector<std::uint64_t> const& all, std::uint64_t n) {
    return std::find(all.begin(), all.end(), n) != all.end();
}
void check(testing::memory_files& files, told const& said) {
    erasure_log erasures{"erasures", log_options(files)};
    auto master = said.master;
    if (said.rewrapping && !toy::store::opens("keys", toy::master(master), files)) master = 'n';
    toy::store keys{"keys", toy::master(master), erasures, {.files = &files}};
    for (auto const& [n, value] : said.sealed) {
        auto const now = keys.open(value, {n});
        if (contains(said.erased, n)) CHECK(now.is_erased());
        else if (n == said.maybe) CHECK((now.is_erased() || now.value() == text_of(n)));
        else CHECK(now.value() == text_of(n));
    }
    // The file has no entry of whoever is erased, nor has what a crash has left beside it.
    for (std::uint64_t n = 1; n <= 4; ++n) {
        if (!erasures.is_erased(subject_id::of(customer_id{n}))) continue;
        auto const subject = subject_id::of(customer_id{n}).bytes();
        for (auto const& each : files.list("keys")) {
            auto const bytes = read_whole_file("keys/" + each.name, files);
            CHECK(bytes->find(subject) == std::string::npos);
        }
    }
    CHECK(!files.exists("keys/keys.new"));
    field again;  // and it goes on
    keys.seal(again, {9}, "nine");
    CHECK(*keys.open(again, {9}) == "nine");
}
std::uint64_t operations_of_a_life() {
    testing::memory_files files;
    told said;
    live(files, said);
    check(files, said);
    return files.operations();
}
}  // namespace

TEST_CASE("a crash of a key store at any call loses no key and brings none back", "[log][key_store][crash]") {
    auto const all = operations_of_a_life();
    CHECK(all > 60);
    for (auto const what : {testing::fault::cut, testing::fault::after}) {
        for (std::uint64_t nth = 1; nth <= all; ++nth) {
            for (std::uint64_t const seed : {std::uint64_t{0}, std::uint64_t{1}, nth * 7919}) {
                CAPTURE(static_cast<int>(what), nth, seed);
                testing::memory_files files;
                told said;
                files.inject(nth, what);
                try {
                    live(files, said);
                } catch (error const& problem) {
                    CHECK(problem.code() == error_code::io);
                }
                files.inject(0, what);
                if (seed == 1) files.restart();
                else files.lose_power(seed);
                check(files, said);
            }
        }
    }
}

TEST_CASE("a call of a key store that fails leaves a store that opens", "[log][key_store][crash]") {
    auto const all = operations_of_a_life();
    for (std::uint64_t nth = 1; nth <= all; ++nth) {
        CAPTURE(nth);
        testing::memory_files files;
        told said;
        files.inject(nth, testing::fault::fail);
        try {
            live(files, said);
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::io);
        }
        files.inject(0, testing::fault::fail);
        check(files, said);
    }
}
