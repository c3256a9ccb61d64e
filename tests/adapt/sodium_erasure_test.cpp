// SPDX-License-Identifier: BSL-1.0
// Every byte on the disk, before and after a person is erased: logs, snapshots, the key store, the erasure log and a
// sink, in every layout and with every compression.
#include <driftless/adapt/sodium.hpp>

#include <driftless/agg/collect.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/io/latest.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/io/logged_row.hpp>
#include <driftless/io/purge_rows.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/erase_state.hpp>
#include <driftless/run/job.hpp>
#include <support/catch.hpp>
#include <support/temporary_folder.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#if __has_include(<lz4.h>)
#include <driftless/adapt/lz4.hpp>
#endif
#if __has_include(<zstd.h>)
#include <driftless/adapt/zstd.hpp>
#endif

using namespace driftless;
using namespace driftless::literals;

namespace sodium_erasure_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
    friend bool operator==(customer_id const&, customer_id const&) = default;
};
/// Of one size, for rows; the others take it as well.
struct fixed_order {
    customer_id customer;
    encrypted<customer_id, std::string, 160> email;
    std::int64_t cents = 0;
    event_time at;
};
struct order {
    customer_id customer;
    encrypted<customer_id, std::string> email;
    std::int64_t cents = 0;
    event_time at;
};
}  // namespace sodium_erasure_test
BOOST_HANA_ADAPT_STRUCT(sodium_erasure_test::customer_id, number);
BOOST_HANA_ADAPT_STRUCT(sodium_erasure_test::fixed_order, customer, email, cents, at);
BOOST_HANA_ADAPT_STRUCT(sodium_erasure_test::order, customer, email, cents, at);
using namespace sodium_erasure_test;

namespace {
namespace fs = std::filesystem;

std::string email_of(std::uint64_t n) { return "person." + std::to_string(n) + "@plaintext.example.org"; }
constexpr std::uint64_t erased_number = 0x0123456789abcdef;
std::uint64_t number_of(int i) { return i % 5 == 2 ? erased_number : static_cast<std::uint64_t>(i % 5); }

std::string content_of(fs::path const& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
/// The files that hold those bytes.
std::vector<std::string> holding(std::string const& folder, std::string const& needle) {
    std::vector<std::string> out;
    for (auto const& each : fs::recursive_directory_iterator{folder}) {
        if (each.is_regular_file() && content_of(each.path()).find(needle) != std::string::npos)
            out.push_back(each.path().string());
    }
    return out;
}
/// The keys in a key store, as they are and as they are wrapped, by subject.
struct raw_key {
    std::string subject;
    std::string plain;
    std::string wrapped;
};
std::vector<raw_key> keys_in(std::string const& path, sodium_key const& master) {
    auto const bytes = content_of(path);
    auto const file = driftless::detail::key_file::read(bytes, path, sodium_cipher::name, sodium_cipher::nonce_size,
        sodium_cipher::key_size + sodium_cipher::tag_size);
    std::vector<raw_key> out;
    for (auto const& each : file.entries) {
        std::string beside = "driftless key " + to_string(file.header.store);
        byte_writer{beside}.put_fixed64(each.id);
        byte_writer{beside}.put_fixed64(each.generation);
        beside += each.subject;
        std::string plain(sodium_cipher::key_size, '\0');
        REQUIRE(sodium_cipher::open(plain.data(), each.sealed, beside, each.nonce.data(), master.data()));
        out.push_back({each.subject, plain, each.sealed});
    }
    return out;
}

/// Writes, runs a job that keeps orders and totals by customer, erases one customer; looks at every byte before, in
/// between and behind it.
template <class Order, class Layout>
void erases_every_byte(compression by, bool deltas) {
    CAPTURE(static_cast<int>(by), deltas);
    test::temporary_folder const folder;
    auto const at = [&](char const* name) { return folder.path() + "/" + name; };
    auto const master = sodium_key::make();
    erasure_log erasures{at("erasures")};
    sodium_key_store keys{at("keys"), master, erasures};
    file_log_options how;
    how.compressed = by;
    how.deltas = deltas;
    how.block_bytes = 4096;
    how.segment_bytes = 16384;
    how.durable = every_batch;
    how.background = false;
    file_log<Order, Layout> log{at("orders"), how};
    auto const fill = [&](int from, int to) {
        std::vector<Order> batch;
        for (int i = from; i < to; ++i) {
            if (erasures.is_erased(subject_id::of(customer_id{number_of(i)}))) continue;
            Order o{{number_of(i)}, {}, i, event_time{i * 1'000'000'000L}};
            keys.seal(o, &Order::email, email_of(number_of(i)));
            batch.push_back(o);
        }
        log.append(batch);
    };
    auto const pipeline = from<Order>() | assign_time<&Order::at>(bounded_disorder{0_s})
        | key_by<&Order::customer>() | window(tumbling{50_s})
        | aggregate(sum<&Order::cents>(), collect<&Order::email>());
    using row = logged_row<customer_id, std::tuple<std::int64_t, std::vector<decltype(Order::email)>>>;
    file_log<row> totals{at("totals"), {.durable = every_batch, .background = false}};
    stream mode;
    auto const snapshots = at("snapshots");
    mode.snapshots = snapshots;
    mode.snapshot_options.every = {};
    mode.snapshot_options.keep = 3;

    auto const victim = email_of(erased_number);
    fill(0, 150);
    std::vector<raw_key> before;
    std::string old_keys;
    {
        log_sink sink{totals};
        job running{mode, pipeline, log, sink};
        running.poll();
        running.save_snapshot();
        fill(150, 200);
        running.poll();
        running.save_snapshot();

        before = keys_in(at("keys/keys"), master);
        old_keys = content_of(at("keys/keys"));
        REQUIRE(before.size() == 5);
        for (std::uint64_t n : {std::uint64_t{0}, std::uint64_t{1}, erased_number})
            CHECK(holding(folder.path(), email_of(n)).empty());
        for (auto const& each : before) {
            CHECK(holding(folder.path(), each.plain).empty());
            CHECK(holding(folder.path(), each.wrapped).size() == 1);  // so it would be found
        }
        std::size_t read = 0;
        for (auto offset = log.begin_offset(); offset < log.end_offset();) {
            auto const block = log.read(0, offset);
            for (std::size_t i = 0; i < block.size(); ++i, ++offset) {
                Order const o = block[i];
                CHECK(*keys.open(o, &Order::email) == email_of(o.customer.number));
                read += o.customer.number == erased_number ? 1U : 0U;
            }
        }
        CHECK(read == 40);

        job_state_place state{running, snapshots};
        sink_place shown{sink, [&] { return latest(totals); }, [&] { running.save_snapshot(); }};
        auto const report = eraser{erasures, keys}
                                .add("state", "totals", state)
                                .add("sink", "totals", shown)
                                .add_log("orders", log, &Order::email)
                                .erase(customer_id{erased_number});
        CAPTURE(report.text());
        CHECK(report.complete());
        CHECK(report.keys == 1);
        CHECK(report.places.at(0).removed > 0);
        CHECK(report.places.at(1).removed > 0);
        REQUIRE(report.unreadable.size() == 1);
        CHECK(report.unreadable[0].records == 40);
        fill(200, 300);
        running.drain();
    }
    for (auto const& each : before) {
        CHECK(holding(folder.path(), each.plain).empty());
        CHECK(holding(folder.path(), each.wrapped).empty());  // those of the others are wrapped anew
    }
    CHECK(holding(folder.path(), victim).empty());
    std::string id;
    byte_writer{id}.put_fixed64(erased_number);
    CHECK(holding(snapshots, id).empty());
    CHECK(holding(snapshots, encode(erased_number)).empty());
    for (auto const& each : latest(totals)) CHECK(each.key.number != erased_number);
    std::size_t erased = 0;
    for (auto offset = log.begin_offset(); offset < log.end_offset();) {
        auto const block = log.read(0, offset);
        for (std::size_t i = 0; i < block.size(); ++i, ++offset) {
            Order const o = block[i];
            auto const opened = keys.open(o, &Order::email);
            if (o.customer.number == erased_number) erased += opened.is_erased() ? 1U : 0U;
            else CHECK(*opened == email_of(o.customer.number));
        }
    }
    CHECK(erased == 40);
    // The needle would be found where somebody had written it.
    std::ofstream{at("canary")} << "x" << victim << before[0].plain;
    CHECK(holding(folder.path(), victim).size() == 1);
    CHECK(holding(folder.path(), before[0].plain).size() == 1);
    CHECK(old_keys.find(before[0].wrapped) != std::string::npos);
}
std::vector<compression> compressions() {
    std::vector<compression> out{compression::none};
#if __has_include(<lz4.h>)
    out.push_back(compression::lz4);
#endif
#if __has_include(<zstd.h>)
    out.push_back(compression::zstd);
#endif
    return out;
}
}  // namespace

TEST_CASE("no byte of an erased person is on the disk: rows", "[adapt][sodium][erasure]") {
    for (auto const by : compressions()) erases_every_byte<fixed_order, rows>(by, false);
}
TEST_CASE("no byte of an erased person is on the disk: packed", "[adapt][sodium][erasure]") {
    for (auto const by : compressions()) erases_every_byte<order, packed>(by, false);
}
TEST_CASE("no byte of an erased person is on the disk: columns", "[adapt][sodium][erasure]") {
    for (auto const by : compressions()) {
        erases_every_byte<order, columns>(by, true);
        erases_every_byte<fixed_order, columns>(by, false);
    }
}
