// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_BENCH_SUPPORT_LOG_PEERS_HPP
#define DRIFTLESS_BENCH_SUPPORT_LOG_PEERS_HPP

// Other stores used as a log of 32-byte records, each in the way that its makers advise for that, none syncing. One
// that is not installed has no operator().

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#ifdef DRIFTLESS_BENCH_ROCKSDB
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#endif
#ifdef DRIFTLESS_BENCH_SQLITE
#include <sqlite3.h>
#endif
#ifdef DRIFTLESS_BENCH_LMDB
#include <lmdb.h>
#endif

namespace bench::peers {

inline void require(bool good, char const* what) {
    if (good) return;
    std::fprintf(stderr, "bench: %s\n", what);
    std::exit(1);
}

/// The write-ahead log alone: PutLogData does not go to the memtable.
template <std::size_t PerWrite>
struct rocksdb {
#ifdef DRIFTLESS_BENCH_ROCKSDB
    template <class Records>
    void operator()(std::string const& path, Records const& records) const {
        ::rocksdb::Options options;
        options.create_if_missing = true;
        ::rocksdb::DB* opened = nullptr;
        require(::rocksdb::DB::Open(options, path, &opened).ok(), "RocksDB cannot be opened");
        std::unique_ptr<::rocksdb::DB> const db{opened};
        ::rocksdb::WriteBatch batch;
        std::size_t in_batch = 0;
        auto const write = [&] {
            require(db->Write({}, &batch).ok(), "RocksDB cannot write");
            batch.Clear();
            in_batch = 0;
        };
        for (auto const& each : records) {
            batch.PutLogData({reinterpret_cast<char const*>(&each), sizeof each});
            if (++in_batch == PerWrite) write();
        }
        if (in_batch != 0) write();
    }
#endif
};

/// One transaction, a prepared statement, the offset as the key of the table.
struct sqlite {
#ifdef DRIFTLESS_BENCH_SQLITE
    template <class Records>
    void operator()(std::string const& path, Records const& records) const {
        ::sqlite3* db = nullptr;
        require(::sqlite3_open(path.c_str(), &db) == SQLITE_OK, "SQLite cannot be opened");
        auto const run = [&](char const* text) {
            require(::sqlite3_exec(db, text, nullptr, nullptr, nullptr) == SQLITE_OK, text);
        };
        run("pragma journal_mode = wal; pragma synchronous = off");
        run("create table log (offset integer primary key, record blob); begin");
        ::sqlite3_stmt* insert = nullptr;
        require(::sqlite3_prepare_v2(db, "insert into log values (?, ?)", -1, &insert, nullptr) == SQLITE_OK,
            "SQLite cannot prepare");
        std::int64_t offset = 0;
        for (auto const& each : records) {
            ::sqlite3_bind_int64(insert, 1, offset++);
            ::sqlite3_bind_blob(insert, 2, &each, sizeof each, nullptr);
            require(::sqlite3_step(insert) == SQLITE_DONE, "SQLite cannot insert");
            ::sqlite3_reset(insert);
        }
        ::sqlite3_finalize(insert);
        run("commit");
        ::sqlite3_close(db);
    }
#endif
};

/// One transaction of MDB_APPEND, integer keys, the map written to directly.
struct lmdb {
#ifdef DRIFTLESS_BENCH_LMDB
    template <class Records>
    void operator()(std::string const& path, Records const& records) const {
        std::filesystem::create_directory(path);
        ::MDB_env* env = nullptr;
        require(::mdb_env_create(&env) == 0, "LMDB cannot be opened");
        ::mdb_env_set_mapsize(env, std::size_t{1} << 28);
        require(::mdb_env_open(env, path.c_str(), MDB_NOSYNC | MDB_WRITEMAP, 0644) == 0, "LMDB cannot be opened");
        ::MDB_txn* transaction = nullptr;
        ::MDB_dbi db = 0;
        require(::mdb_txn_begin(env, nullptr, 0, &transaction) == 0, "LMDB cannot begin");
        require(::mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &db) == 0, "LMDB cannot open a table");
        std::uint64_t offset = 0;
        for (auto const& each : records) {
            ::MDB_val key{sizeof offset, &offset};
            ::MDB_val value{sizeof each, const_cast<void*>(static_cast<void const*>(&each))};
            require(::mdb_put(transaction, db, &key, &value, MDB_APPEND) == 0, "LMDB cannot put");
            ++offset;
        }
        require(::mdb_txn_commit(transaction) == 0, "LMDB cannot commit");
        ::mdb_env_close(env);
    }
#endif
};
}  // namespace bench::peers
#endif
