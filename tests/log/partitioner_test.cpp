// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/partitioner.hpp>
#include <support/catch.hpp>

#include <driftless/driftless.hpp>
#include <driftless/testing/memory_files.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace driftless;
using namespace driftless::literals;

namespace partitioner_test {
struct sale {
    std::string sku;
    std::int32_t shop = 0;
    std::int64_t cents = 0;
    friend bool operator==(sale const&, sale const&) = default;
};
}  // namespace partitioner_test
BOOST_HANA_ADAPT_STRUCT(partitioner_test::sale, sku, shop, cents);
using partitioner_test::sale;

namespace {
sale make_sale(std::uint64_t i) {
    return {"sku-" + std::to_string(i % 101), static_cast<std::int32_t>(i % 7), static_cast<std::int64_t>(i)};
}
/// By shop and count: whatever the log does with them, as plain numbers.
template <class Log, class P>
void check_against_plain_loops(Log& log, P how) {
    auto out = partitioned(log, how);
    std::vector<std::vector<sale>> expected(log.partitions());
    auto const note = [&](sale const& record, partition_offset at) {
        REQUIRE(at.partition < log.partitions());
        CHECK(at.partition == how(record, log.partitions()));
        CHECK(at.offset == expected[at.partition].size());
        expected[at.partition].push_back(record);
    };
    for (std::uint64_t i = 0; i < 500; ++i) note(make_sale(i), out.append(make_sale(i)));
    std::vector<sale> batch;
    for (std::uint64_t i = 500; i < 1'000; ++i) batch.push_back(make_sale(i));
    auto const where = out.append(batch);
    REQUIRE(where.size() == batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) note(batch[i], where[i]);
    CHECK(out.append(std::vector<sale>{}).empty());

    for (std::uint32_t p = 0; p < log.partitions(); ++p) {
        REQUIRE(log.end_offset(p) == expected[p].size());
        std::vector<sale> there;
        for (std::uint64_t at = 0; at < log.end_offset(p);) {
            auto const block = log.read(p, at);
            block.each(0, block.size(), [&](std::size_t, sale const& each) { there.push_back(each); });
            at += block.size();
        }
        CHECK((there == expected[p]));
    }
}
}  // namespace

TEST_CASE("a partition that the log does not have is refused, and nothing is appended", "[log][partitioner]") {
    memory_log<sale> log{3};
    auto out = partitioned(log, to_partition(&sale::shop));
    for (auto const shop : {-1, 3, 1'000'000}) {
        try {
            out.append(sale{"a", shop, 1});
            FAIL("appended to partition " << shop);
        } catch (error const& problem) {
            CHECK(problem.code() == error_code::invalid_argument);
            CHECK(std::string{problem.what()}.find("partition " + std::to_string(shop)) != std::string::npos);
        }
        std::vector<sale> const batch{{"a", 0, 1}, {"b", shop, 1}};
        CHECK_THROWS_AS(out.append(batch), error);
    }
    auto wide = partitioned(log, to_partition([](sale const& one) { return one.cents; }));
    CHECK_THROWS_AS(wide.append(sale{"a", 0, std::int64_t{1} << 32}), error);
    for (std::uint32_t p = 0; p < 3; ++p) CHECK(log.end_offset(p) == 0);
    CHECK(out.append(sale{"a", 2, 1}) == partition_offset{2, 0});
    CHECK(wide.append(sale{"a", 0, 1}) == partition_offset{1, 0});
}

TEST_CASE("the partition of a key is this, for good", "[log][partitioner]") {
    // Never right to go red: records of a key would lie in two partitions.
    CHECK(partition_of(std::int32_t{0}, 12) == 0);
    CHECK(partition_of(std::int32_t{1}, 12) == 0x5692161d100b05e5U % 12);
    CHECK(partition_of(std::int64_t{-1}, 12) == 0xb4d055fcf2cbbd7bU % 12);
    CHECK(partition_of(text{}, 12) == 0x2d06800538d394c2U % 12);
    std::vector<std::uint32_t> numbers;
    std::vector<std::uint32_t> texts;
    std::vector<std::uint32_t> pairs;
    for (int i = 1; i <= 12; ++i) {
        numbers.push_back(partition_of(i, 12));
        texts.push_back(partition_of("sku-" + std::to_string(i), 12));
        pairs.push_back(partition_of(std::tuple{i, text{"a"}}, 7));
    }
    CHECK(numbers == std::vector<std::uint32_t>{1, 10, 8, 8, 0, 4, 4, 4, 3, 5, 5, 4});
    CHECK(texts == std::vector<std::uint32_t>{7, 2, 0, 3, 2, 6, 2, 4, 8, 5, 0, 8});
    CHECK(pairs == std::vector<std::uint32_t>{1, 5, 6, 1, 5, 6, 2, 3, 6, 6, 2, 3});
}

TEST_CASE("keys that are equal go together, whatever type they are held in", "[log][partitioner]") {
    for (std::uint32_t n = 1; n < 70; ++n) {
        for (std::uint64_t i = 0; i < 50; ++i) {
            auto const one = make_sale(i);
            CHECK(by_key(&sale::sku)(one, n) == partition_of(text{one.sku}, n));
            CHECK(by_key<&sale::sku>()(one, n) == partition_of(one.sku, n));
            auto const widened = by_key([](sale const& each) { return std::int64_t{each.shop}; });
            CHECK(widened(one, n) == partition_of(one.shop, n));
            CHECK(by_key(&sale::shop, &sale::sku)(one, n) == partition_of(std::tuple{one.shop, text{one.sku}}, n));
            CHECK(by_key(&sale::sku)(one, n) < n);
        }
    }
}

TEST_CASE("keys spread evenly over partitions, and those of one over the threads that share it",
    "[log][partitioner]") {
    for (std::uint32_t const n : {2U, 3U, 8U, 12U, 64U}) {
        std::vector<std::size_t> numbers(n);
        std::vector<std::size_t> texts(n);
        std::set<std::uint64_t> sixteenths;  // of the range of hashes, where the first partition has keys
        auto const keys = std::size_t{2'000} * n;
        for (std::size_t i = 0; i < keys; ++i) {
            ++numbers[partition_of(i, n)];
            ++texts[partition_of("customer " + std::to_string(i), n)];
            if (partition_of(i, n) == 0) sixteenths.insert(canonical_hash(i) >> 60);
        }
        // 2000 each; 5 standard deviations of a binomial are 224.
        for (auto const& counts : {numbers, texts}) {
            CHECK(*std::min_element(counts.begin(), counts.end()) > 1'776);
            CHECK(*std::max_element(counts.begin(), counts.end()) < 2'224);
        }
        CHECK(sixteenths.size() == 16);
    }
}

TEST_CASE("round robin deals records out in turn, between threads as well", "[log][partitioner]") {
    memory_log<int> log{3};
    auto out = partitioned(log, round_robin());
    for (std::uint32_t i = 0; i < 7; ++i) CHECK(out.append(static_cast<int>(i)) == partition_offset{i % 3, i / 3});
    CHECK(out.append(std::vector{7, 8})[1] == partition_offset{2, 2});
    std::thread other{[&] {
        for (int i = 0; i < 3'000; ++i) out.append(i);
    }};
    for (int i = 0; i < 3'000; ++i) out.append(i);
    other.join();
    for (std::uint32_t p = 0; p < 3; ++p) CHECK(log.end_offset(p) == 2'003);
}

TEST_CASE("every record lies where it is said to be, in memory and in files", "[log][partitioner]") {
    memory_log<sale> rows_in_memory{5};
    check_against_plain_loops(rows_in_memory, by_key(&sale::sku));
    memory_log<sale, columns> columns_in_memory{7};
    check_against_plain_loops(columns_in_memory, to_partition(&sale::shop));
    testing::memory_files files;
    file_log<sale> packed_in_files{"a", {.partitions = 5, .background = false, .files = &files}};
    check_against_plain_loops(packed_in_files, by_key(&sale::sku, &sale::shop));
    file_log<sale, columns> columns_in_files{"b", {.partitions = 4, .background = false, .files = &files}};
    check_against_plain_loops(columns_in_files, by_key<&sale::shop>());
}

TEST_CASE("what a pipeline yields goes into the partitions of its keys", "[log][partitioner]") {
    memory_log<sale> log;
    for (std::uint64_t i = 0; i < 300; ++i) log.append(make_sale(i));
    memory_log<sale> by_shop{4};
    auto out = partitioned(by_shop, by_key(&sale::shop));
    auto const cheap = from<sale>() | filter([](sale const& one) { return one.cents < 200; });
    run(batch{}, cheap, log, into(out));
    std::uint64_t sum = 0;
    for (std::uint32_t p = 0; p < 4; ++p) {
        sum += by_shop.end_offset(p);
        for (std::uint64_t at = 0; at < by_shop.end_offset(p); ++at) {
            CHECK(partition_of(by_shop.read(p, at)[0].shop, 4) == p);
        }
    }
    CHECK(sum == 200);
}
