// SPDX-License-Identifier: BSL-1.0
// examples/larger_than_memory.cpp - what each visitor has spent, for more visitors than memory is meant to hold: who
// was seen last is in memory, the others are in RocksDB. The answer is that of state in memory, and so is the snapshot,
// which goes on without a store.
// needs: rocksdb
// expect: in memory at most 1000 of 15025 visitors
// expect: the same snapshot: yes
// expect: the same rows: yes
// expect: after a restart without a store, the same rows: yes
#include <driftless/adapt/rocksdb.hpp>
#include <driftless/driftless.hpp>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace dl = driftless;

struct payment {
    dl::text who;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(payment, who, cents);

template <class... Storage>
auto spent(Storage... storage) {
    return dl::from<payment>()
        | dl::key_by<&payment::who>()
        | dl::aggregate(dl::count(), dl::sum<&payment::cents>(), dl::unbounded_state{}, storage...);
}

struct rows {
    std::vector<std::string> said;
    auto sink() {
        return dl::to([this](auto const& row) {
            auto const& [count, sum] = row.value;
            said.push_back(row.key.str() + ' ' + std::to_string(count) + ' ' + std::to_string(sum));
        });
    }
};
char const* yes(bool it_is) { return it_is ? "yes" : "no"; }

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_larger_than_memory").string();
    constexpr std::int64_t count = 60'000;
    constexpr std::size_t in_memory = 1'000;
    dl::memory_log<payment> payments;
    for (std::int64_t i = 0; i < count; ++i) {
        auto const who = i % 4 == 0 ? i / 3 : i % 100;  // a hundred of them come often
        payments.append({"visitor " + std::to_string(who), i % 1000});
    }

    dl::rocksdb_store store{folder};
    rows in_rocksdb;
    rows in_ram;
    dl::job larger{dl::stream{}, spent(dl::spill_to{store, in_memory}), payments, in_rocksdb.sink()};
    dl::job smaller{dl::stream{}, spent(), payments, in_ram.sink()};
    larger.poll(count / 3);
    smaller.poll(count / 3);
    auto const snapshot = larger.snapshot();
    auto const same_snapshot = snapshot == smaller.snapshot();
    larger.drain();
    smaller.drain();

    rows after_restart;
    dl::job restarted{dl::stream{}, spent(), payments, after_restart.sink()};
    restarted.restore(snapshot);
    restarted.drain();

    std::cout << "in memory at most " << in_memory << " of " << in_ram.said.size() << " visitors\n"
              << "the same snapshot: " << yes(same_snapshot) << '\n'
              << "the same rows: " << yes(in_rocksdb.said == in_ram.said) << '\n'
              << "after a restart without a store, the same rows: " << yes(after_restart.said == in_ram.said) << '\n';
}
