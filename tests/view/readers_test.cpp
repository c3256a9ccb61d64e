// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/detail/readers.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/log/memory_log.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/job.hpp>
#include <driftless/view/indexed_by.hpp>
#include <driftless/view/read_together.hpp>
#include <driftless/view/view.hpp>
#include <driftless/view/view_file.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace view_readers_test {
using namespace driftless;
struct entry {
    std::int64_t cents;
    std::string note;
};
struct transfer {
    std::int64_t account;
    std::int64_t cents;
};
}  // namespace view_readers_test
BOOST_HANA_ADAPT_STRUCT(view_readers_test::entry, cents, note);
BOOST_HANA_ADAPT_STRUCT(view_readers_test::transfer, account, cents);

namespace {
using namespace driftless;
using view_readers_test::entry;
using view_readers_test::transfer;
constexpr std::int64_t keys = 200;

template <class View>
void show(View& of, std::uint64_t epoch) {
    of.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
}  // namespace

TEST_CASE("readers of the past, of an index, of two views and of files see whole states", "[view][threads]") {
    // In epoch e the key k has e if k % 5 == e % 5; all others keep what they had. Both views say the same.
    using indexed = view<std::int64_t, entry, indexed_by<&entry::cents>>;
    indexed one{{.name = "one", .history = {.keep = duration::max(), .versions = 20}}};
    view<std::int64_t, std::int64_t> other{{.name = "other"}};
    auto const value_in = [](std::int64_t key, std::uint64_t epoch) {
        while (epoch > 0 && epoch % 5 != static_cast<std::uint64_t>(key) % 5) --epoch;
        return static_cast<std::int64_t>(epoch);
    };
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    auto const check = [&](bool good) {
        if (!good) ++wrong;
    };
    auto const reads_all = [&](auto const& shown) {
        std::size_t count = 0;
        shown.for_each([&](auto const& each) {
            ++count;
            std::int64_t cents = 0;
            if constexpr (requires { each.value.cents; }) {
                cents = each.value.cents;
                check(each.value.note == std::to_string(cents));
            } else {
                cents = each.value;
            }
            check(cents == value_in(each.key, shown.at().epoch));
        });
        check(count == (shown.at().epoch < 5 ? shown.at().epoch * keys / 5 : keys));
    };
    testing::memory_files files;
    files.make_folder("out");
    constexpr int turns = 60;
    std::vector<std::thread> readers;
    readers.emplace_back([&] {  // the past
        std::mt19937_64 random{1};
        for (int i = 0; i < turns || !done.load(); ++i) {
            auto const newest = one.at().version;
            auto const back = random() % 25;
            if (newest <= back) continue;
            try {
                auto const then = one.as_of(view_version{newest - back});
                check(then.at().version == newest - back);
                reads_all(then);
            } catch (error const& problem) {
                check(problem.code() == error_code::not_there);
            }
            if (i > 50000) break;
        }
    });
    readers.emplace_back([&] {  // changes, and the index
        std::map<std::int64_t, std::int64_t> copy;
        auto subscription = one.subscribe();
        for (int i = 0; i < turns || !done.load(); ++i) {
            if (auto const told = subscription.next()) {
                for (auto const& each : told->written) copy[each.key] = each.value.cents;
                for (auto const& [key, cents] : copy) check(cents == value_in(key, told->at().epoch));
            }
            auto const now = one.snapshot();
            auto const newest = static_cast<std::int64_t>(now.at().epoch);
            if (newest > 0) check(now.where<&entry::cents>(newest).size() == keys / 5);
            if (i > 50000) break;
        }
    });
    readers.emplace_back([&] {  // both
        for (int i = 0; i < turns || !done.load(); ++i) {
            auto const both = try_read_together(one, other);
            if (both) {
                auto const& [a, b] = *both;
                check(a.at().epoch == b.at().epoch);
                reads_all(a);
                reads_all(b);
            }
            if (i > 50000) break;
        }
    });
    readers.emplace_back([&] {  // files
        for (int i = 0; i < turns || !done.load(); ++i) {
            auto const now = other.snapshot();
            if (now.empty()) continue;
            publish_file(now, "out", "other", files);
            view_reader<std::int64_t, std::int64_t> const in{"out", "other", files};
            in.for_each([&](auto const& each) { check(each.value == value_in(each.key, in.at().epoch)); });
            check(in.at().epoch >= now.at().epoch);
            if (i > 50000) break;
        }
    });
    for (std::uint64_t epoch = 1; epoch <= 300; ++epoch) {
        for (auto key = static_cast<std::int64_t>(epoch % 5); key < keys; key += 5) {
            auto const cents = static_cast<std::int64_t>(epoch);
            one.write(pane<std::int64_t, entry>{key, {}, {cents, std::to_string(cents)}, {}});
            other.write(pane<std::int64_t, std::int64_t>{key, {}, cents, {}});
        }
        show(one, epoch);
        show(other, epoch);
        if (epoch % 8 == 0) std::this_thread::yield();
    }
    done = true;
    for (auto& each : readers) each.join();
    CHECK(wrong == 0);
    one.collect();
    CHECK(one.kept_versions() <= 20);
}

TEST_CASE("C-01 whatever a reader sees of a view of balances, their sum is 0", "[view][threads]") {
    // A transfer is two records, one behind the other: an epoch that ends between them would not balance.
    memory_log<transfer> log;
    for (std::int64_t i = 0; i < 20000; ++i) {
        log.append({i % 10, -1});
        log.append({(i + 1) % 10, 1});
    }
    auto const balances = from<transfer>()
        | key_by<&transfer::account>()
        | as_inserts()
        | aggregate(sum<&transfer::cents>(), unbounded_state{});
    view<std::int64_t, std::int64_t> shown;
    job running{stream{}, balances, log, shown};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread reader{[&] {
        for (int i = 0; i < 100 || !done.load(); ++i) {
            auto const now = shown.snapshot();
            std::int64_t sum = 0;
            now.for_each([&](auto const& each) { sum += each.value; });
            if (sum != 0) ++wrong;
        }
    }};
    std::mt19937_64 random{3};
    while (running.poll(2 * (1 + random() % 200)) != 0) {}
    done = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(shown.at().epoch == 40000);
    CHECK(*shown.find(0) == 0);
}
