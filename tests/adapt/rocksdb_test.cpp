// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/rocksdb.hpp>

#include <driftless/core/text.hpp>
#include <state/spilled_jobs.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>

using namespace driftless;
using namespace spilled_jobs;
namespace fs = std::filesystem;

namespace {
/// Small, so that a test goes through files, their filters and compactions, too.
constexpr rocksdb_options small{
    .write_buffer_bytes = std::size_t{64} << 10, .block_cache_bytes = std::size_t{64} << 10};

error error_of(auto const& f) {
    try {
        f();
    } catch (error const& problem) {
        return problem;
    }
    return {};
}
void put(cold_store& into, std::string const& key, std::string const& value) {
    cold_batch one;
    one.put(key, value);
    into.write(one);
}
}  // namespace

TEST_CASE("a rocksdb_store keeps what it is given", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    rocksdb_store store{folder.path() + "/cold", small};
    spill_conformance::keeps_bytes(store);
}
TEST_CASE("a rocksdb_store keeps more than its memory", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    rocksdb_store store{folder.path() + "/cold", small};
    auto const value_of = [](int i) { return std::string(200, static_cast<char>('a' + i % 26)) + std::to_string(i); };
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) put(store, std::to_string(i), value_of(i));
    std::string value;
    bool same = true;
    for (int i = 0; i < count; i += 7) same = same && store.get(std::to_string(i), value) && value == value_of(i);
    CHECK(same);
    CHECK_FALSE(store.get("nobody", value));
    std::size_t tables = 0;
    for (auto const& each : fs::recursive_directory_iterator{folder.path()}) {
        tables += each.path().extension() == ".sst";
    }
    CHECK(tables > 0);
    CHECK(spill_conformance::all_in(store).size() == count);
    store.erase_all("1");
    CHECK(spill_conformance::all_in(store).size() == count - 11'111);
    CHECK_FALSE(store.get("1", value));
    CHECK(store.get("2", value));
}
TEMPLATE_TEST_CASE("entries in a rocksdb_store are those in memory, to the byte", "[adapt][rocksdb]", std::int64_t,
    text, (std::tuple<std::int64_t, text>)) {
    test::temporary_folder folder;
    rocksdb_store store{folder.path() + "/cold", small};
    spill_conformance::same_as_in_memory<TestType>(store);
    spill_conformance::tables_share(store);
}
TEST_CASE("operators that spill into a rocksdb_store give the rows and snapshots of those in memory",
    "[adapt][rocksdb]") {
    test::temporary_folder folder;
    rocksdb_store store{folder.path() + "/cold", small};
    same_rows_and_snapshots(store, visits);
    same_rows_and_snapshots(store, totals);
    snapshots_go_over(store, visits);
    snapshots_go_over(store, totals);
}

TEST_CASE("a rocksdb_store begins empty, whatever was left in its folder", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    auto const path = folder.path() + "/cold";
    {
        rocksdb_store store{path, small};
        for (int i = 0; i < 2000; ++i) put(store, std::to_string(i), std::string(100, 'x'));
        fs::copy(path, folder.path() + "/left", fs::copy_options::recursive);  // as a crash leaves it
    }
    CHECK_FALSE(fs::exists(path));  // who goes in peace cleans up
    fs::rename(folder.path() + "/left", path);
    REQUIRE(fs::exists(path + "/rocksdb/CURRENT"));
    rocksdb_store store{path};
    std::string value;
    CHECK_FALSE(store.get("1", value));
    CHECK(spill_conformance::all_in(store).empty());
}
TEST_CASE("a rocksdb_store leaves the files of others alone", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    auto const path = folder.path() + "/cold";
    fs::create_directories(path + "/rocksdb");
    std::ofstream{path + "/rocksdb/precious"} << "mine";
    auto const problem = error_of([&] { rocksdb_store store{path}; });
    CHECK(problem.code() == error_code::invalid_argument);
    CHECK(problem.path() == path);
    CHECK(fs::exists(path + "/rocksdb/precious"));
    fs::remove_all(path);
    fs::create_directory(path);  // an empty one is taken
    rocksdb_store{path};
}
TEST_CASE("two rocksdb_stores do not share a folder", "[adapt][rocksdb]") {
    test::temporary_folder folder;
    auto const path = folder.path() + "/cold";
    rocksdb_store first{path};
    put(first, "a", "1");
    auto const problem = error_of([&] { rocksdb_store second{path}; });
    CHECK(problem.code() == error_code::in_use);
    std::string value;
    CHECK(first.get("a", value));
    CHECK(error_of([&] { rocksdb_store nowhere{path + "/no/such"}; }).code() == error_code::io);
}
