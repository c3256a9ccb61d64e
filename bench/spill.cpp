// SPDX-License-Identifier: BSL-1.0
// bench/spill.cpp - sums per key over state of 1M keys of which memory holds 150,000 and RocksDB the rest: updates of
// 10,000 and 100,000 hot keys through a process function that spills, against a Get and a Put of RocksDB per update,
// both without a log and with the same caches and filters. Then with one update in a hundred of any key.
#include <driftless/driftless.hpp>
#ifdef DRIFTLESS_WITH_ROCKSDB
#include <driftless/adapt/rocksdb.hpp>
#endif

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>
#include <support/scratch_folder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace dl = driftless;

#ifndef DRIFTLESS_WITH_ROCKSDB
int main() {
    bench::print_circumstances();
    for (auto const* const name : {"spill_hot_10k", "spill_hot_100k"}) bench::skipped(name, "RocksDB is not installed");
}
#else

namespace spending {
struct sum_up {
    struct state {
        dl::value_state<std::int64_t> cents;
    };
    void on_record(state& own, bench::sale const& s, auto& context) const {
        own.cents = own.cents.value_or(0) + s.cents;
        context.emit(*own.cents);
    }
};
}  // namespace spending
BOOST_HANA_ADAPT_STRUCT(spending::sum_up::state, cents);

namespace {
using bench::digest;
using bench::sale;
constexpr std::size_t key_count = 1'000'000;
constexpr std::size_t in_memory = 150'000;
constexpr std::size_t per_run = 200'000;
constexpr std::size_t most_runs = 14;

std::int64_t user(std::uint64_t nth) {
    bench::random scatter{nth};
    return static_cast<std::int64_t>(scatter());
}
/// All keys once; then, run by run, hot ones and one in `one_in` of any (0: none).
std::vector<sale> make_updates(std::uint64_t hot, std::uint64_t one_in) {
    bench::random draw{11};
    std::vector<sale> out;
    out.reserve(key_count + most_runs * per_run);
    for (std::uint64_t i = 0; i < key_count; ++i) out.push_back({user(i), 1, {}});
    for (std::size_t i = 0; i < most_runs * per_run; ++i) {
        auto const any = one_in != 0 && draw.below(one_in) == 0;
        out.push_back({user(draw.below(any ? key_count : hot)), static_cast<std::int64_t>(draw.below(10'000)), {}});
    }
    return out;
}

/// Get, add, Put: the loop that one writes without a cache.
class by_update {
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::WriteOptions unlogged_;
    std::string value_;

public:
    explicit by_update(std::string const& path) {
        rocksdb::BlockBasedTableOptions blocks;
        dl::rocksdb_options const like;
        blocks.block_cache = rocksdb::NewLRUCache(like.block_cache_bytes);
        blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
        rocksdb::Options options;
        options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
        options.create_if_missing = true;
        options.write_buffer_size = like.write_buffer_bytes;
        rocksdb::DB* opened = nullptr;
        require(rocksdb::DB::Open(options, path, &opened));
        db_.reset(opened);
        unlogged_.disableWAL = true;
    }
    std::int64_t add(sale const& one) {
        rocksdb::Slice const key{reinterpret_cast<char const*>(&one.user), sizeof one.user};
        std::int64_t sum = 0;
        auto const found = db_->Get({}, db_->DefaultColumnFamily(), key, &value_);
        if (found.ok()) std::memcpy(&sum, value_.data(), sizeof sum);
        else if (!found.IsNotFound()) require(found);
        sum += one.cents;
        require(db_->Put(unlogged_, key, {reinterpret_cast<char const*>(&sum), sizeof sum}));
        return sum;
    }

private:
    static void require(rocksdb::Status const& said) {
        if (said.ok()) return;
        std::fprintf(stderr, "bench: %s\n", said.ToString().c_str());
        std::exit(1);
    }
};

/// The keys are there before the clock runs; then each run takes the next updates.
void contest(char const* name, std::uint64_t hot, std::uint64_t one_in) {
    auto const updates = make_updates(hot, one_in);
    bench::scratch_folder const folder;

    dl::memory_log<sale> log;
    log.append(updates);
    dl::rocksdb_store store{folder.fresh("cold")};
    digest rows;
    std::vector<digest> spilled;  // by run: state goes on, so that no run answers as the one before
    std::vector<digest> updated;
    auto sink = dl::to([&](dl::pane<std::int64_t, std::int64_t> const& row) { rows.row(row.key, 0, 1, row.value); });
    dl::job spilling{dl::stream{},
        dl::from<sale>() | dl::key_by<&sale::user>()
            | dl::process<std::int64_t>(spending::sum_up{}, dl::unbounded_state{}, dl::spill_to{store, in_memory}),
        log, sink};
    auto const spill = [&](std::size_t records) {
        rows = {};
        while (records != 0) records -= spilling.poll(records);
        spilled.push_back(rows);
        return rows.rows;
    };

    by_update peer{folder.fresh("peer")};
    std::size_t at = 0;
    auto const update = [&](std::size_t records) {
        digest out;
        for (; records != 0; --records, ++at) out.row(updates[at].user, 0, 1, peer.add(updates[at]));
        updated.push_back(out);
        return out.rows;
    };

    spill(key_count);
    update(key_count);
    bench::contest<std::uint64_t> game{name, per_run};
    auto const slow = game.add("Get + Put", [&] { return update(per_run); });
    auto const fast = game.add("spilling", [&] { return spill(per_run); });
    game.run({.seconds = 4.0, .least_rounds = 5, .most_rounds = most_runs - 4});
    if (one_in == 0) game.ratio(name, slow, fast, {50, true});
    else game.info(name, slow, fast);
    bool same = true;
    for (std::size_t i = 0; i < spilled.size() && i < updated.size(); ++i) same = same && spilled[i] == updated[i];
    if (same) return;
    std::fprintf(stderr, "bench: %s: the sums do not agree\n", name);
    std::exit(1);
}
}  // namespace

int main() {
    bench::print_circumstances();
    contest("spill_hot_10k", 10'000, 0);
    contest("spill_hot_100k", 100'000, 0);
    contest("spill_hot_100k_and_1_percent", 100'000, 100);
}
#endif
