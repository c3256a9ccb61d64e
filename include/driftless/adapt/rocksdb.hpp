// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_ROCKSDB_HPP
#define DRIFTLESS_ADAPT_ROCKSDB_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/state/cold_store.hpp>
#include <driftless/state/spill.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace driftless::inline v0 {

/// How much memory a rocksdb_store takes: about write_buffer_bytes times two, and block_cache_bytes.
struct rocksdb_options {
    std::size_t write_buffer_bytes = std::size_t{32} << 20;
    std::size_t block_cache_bytes = std::size_t{64} << 20;
};

/// State that does not fit into memory, in a RocksDB database: for spill_to (state/spill.hpp).
///
/// State       Scratch, in a folder of its own: it begins empty and is removed when the store goes; what a process that
///             died has left is wiped by the next. Nothing in it is synced or logged. Snapshots hold all state, so that
///             no job ever trusts what it finds here.
/// Errors      error{in_use} if another store, of this process or of another, has the folder; error{invalid_argument}
///             if there is something in it that no store has made: it is left alone. io, corrupt as RocksDB says. All
///             with the path.
/// Threads     Any. RocksDB writes and compacts in two threads of its own.
/// Complexity  get: the memory of RocksDB, else one block read; a key that is not there costs a Bloom filter, 10 bits.
/// Source      P. O'Neil et al., "The Log-Structured Merge-Tree" (1996).
/// Example     examples/larger_than_memory.cpp
class rocksdb_store final : public cold_store {
    static constexpr std::string_view marker = "driftless_cold_store";

    std::string path_;
    std::unique_ptr<file> lock_;  // its file says whose the folder is
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::WriteOptions unlogged_;

public:
    /// Makes the folder unless it is there; its parent must exist.
    explicit rocksdb_store(std::string path, rocksdb_options const& how = {}) : path_(std::move(path)) {
        take_folder();
        auto const options = tuned(how);
        check(rocksdb::DestroyDB(database(), options));
        rocksdb::DB* opened = nullptr;
        check(rocksdb::DB::Open(options, database(), &opened));
        db_.reset(opened);
        unlogged_.disableWAL = true;
    }
    ~rocksdb_store() {
        try {
            static_cast<void>(db_->Close());
            db_.reset();
            static_cast<void>(rocksdb::DestroyDB(database(), {}));
            static_cast<void>(real_files().remove(marker_path()));
            static_cast<void>(real_files().remove(path_));
        } catch (...) {  // NOLINT(bugprone-empty-catch): the next store wipes what is left
        }
    }

    bool get(std::string_view key, std::string& value) override {
        auto const found = db_->Get({}, db_->DefaultColumnFamily(), slice(key), &value);
        if (found.IsNotFound()) return false;
        check(found);
        return true;
    }
    void write(cold_batch const& changes) override {
        rocksdb::WriteBatch batch;
        changes.each([&](std::string_view key, std::string_view value) { check(batch.Put(slice(key), slice(value))); },
            [&](std::string_view key) { check(batch.Delete(slice(key))); });
        check(db_->Write(unlogged_, &batch));
    }
    void scan(std::string_view prefix, cold_visitor& to) override {
        auto const end = behind(prefix);
        rocksdb::Slice const limit{end};
        rocksdb::ReadOptions once;
        once.fill_cache = false;
        if (!end.empty()) once.iterate_upper_bound = &limit;
        std::unique_ptr<rocksdb::Iterator> const at{db_->NewIterator(once)};
        for (at->Seek(slice(prefix)); at->Valid(); at->Next()) {
            to.visit({at->key().data(), at->key().size()}, {at->value().data(), at->value().size()});
        }
        check(at->status());
    }
    void erase_all(std::string_view prefix) override {
        auto const end = behind(prefix);
        rocksdb::Slice const first = slice(prefix);
        rocksdb::Slice const limit{end};
        auto* const in = db_->DefaultColumnFamily();
        check(rocksdb::DeleteFilesInRange(db_.get(), in, &first, end.empty() ? nullptr : &limit, false));
        if (!end.empty()) return check(db_->DeleteRange(unlogged_, in, first, limit));
        rocksdb::ReadOptions once;
        once.fill_cache = false;
        std::unique_ptr<rocksdb::Iterator> const at{db_->NewIterator(once)};
        for (at->Seek(first); at->Valid(); at->Next()) check(db_->Delete(unlogged_, at->key()));
        check(at->status());
    }

private:
    static rocksdb::Slice slice(std::string_view bytes) noexcept { return {bytes.data(), bytes.size()}; }
    /// The least string behind all that begin with the prefix; empty if there is none.
    static std::string behind(std::string_view prefix) {
        std::string end{prefix};
        while (!end.empty() && end.back() == '\xFF') end.pop_back();
        if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1U);
        return end;
    }
    static rocksdb::Options tuned(rocksdb_options const& how) {
        rocksdb::BlockBasedTableOptions blocks;
        blocks.block_cache = rocksdb::NewLRUCache(how.block_cache_bytes);
        blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
        rocksdb::Options options;
        options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
        options.create_if_missing = true;
        options.error_if_exists = true;
        options.write_buffer_size = how.write_buffer_bytes;
        options.max_write_buffer_number = 2;
        options.memtable_whole_key_filtering = true;
        options.memtable_prefix_bloom_size_ratio = 0.02;
        options.avoid_flush_during_shutdown = true;
        options.max_background_jobs = 2;
        options.keep_log_file_num = 1;
        options.info_log_level = rocksdb::WARN_LEVEL;
        return options;
    }

    [[nodiscard]] std::string database() const { return path_ + "/rocksdb"; }
    [[nodiscard]] std::string marker_path() const { return path_ + '/' + std::string{marker}; }
    /// Nobody's files are wiped but those of a store, and none that is in use.
    void take_folder() {
        auto& files = real_files();
        if (!files.make_folder(path_)) {
            auto const there = files.list(path_);
            bool ours = there.empty();
            for (auto const& each : there) ours = ours || each.name == marker;
            if (!ours) {
                throw error{error_code::invalid_argument,
                    "rocksdb_store wipes its folder, and there is something in this one that no store has made: name "
                    "another, or empty it",
                    path_};
            }
        }
        lock_ = files.open(marker_path(), open_mode::create);
        if (!lock_->try_lock(false)) {
            throw error{error_code::in_use, "another rocksdb_store has this folder: give each its own", path_};
        }
    }
    void check(rocksdb::Status const& said) const {
        if (said.ok()) return;
        throw error{said.IsCorruption() ? error_code::corrupt : error_code::io,
            "RocksDB says \"" + said.ToString() + '"', path_};
    }
};
}  // namespace driftless::inline v0
#endif
