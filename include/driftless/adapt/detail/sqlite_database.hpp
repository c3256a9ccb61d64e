// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_DETAIL_SQLITE_DATABASE_HPP
#define DRIFTLESS_ADAPT_DETAIL_SQLITE_DATABASE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

// A connection, its statements and its transactions, and what SQLite says as driftless::error.

namespace driftless::inline v0::detail {

/// An identifier in quotes, so that no name is a keyword or ends the statement.
inline std::string sqlite_quoted(std::string_view name) {
    std::string out = "\"";
    for (char const c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out += '"';
}

class sqlite_database;

/// A prepared statement: bound, stepped, and reset when it is done with.
class sqlite_statement {
    sqlite_database* of_ = nullptr;
    struct finalize {
        void operator()(sqlite3_stmt* made) const noexcept { sqlite3_finalize(made); }
    };
    std::unique_ptr<sqlite3_stmt, finalize> made_;

public:
    sqlite_statement() = default;
    sqlite_statement(sqlite_database& of, std::string const& sql);

    sqlite_statement& bind(int at, std::int64_t value) {
        return check(sqlite3_bind_int64(made_.get(), at, value));
    }
    sqlite_statement& bind(int at, std::uint64_t value) { return bind(at, static_cast<std::int64_t>(value)); }
    sqlite_statement& bind(int at, double value) { return check(sqlite3_bind_double(made_.get(), at, value)); }
    sqlite_statement& bind_null(int at) { return check(sqlite3_bind_null(made_.get(), at)); }
    /// The bytes are borrowed until the statement is reset.
    sqlite_statement& bind(int at, std::string_view bytes) {
        return check(sqlite3_bind_text64(made_.get(), at, bytes.data() != nullptr ? bytes.data() : "", bytes.size(),
            SQLITE_STATIC, SQLITE_UTF8));
    }
    sqlite_statement& bind_bytes(int at, std::string_view bytes) {
        return check(sqlite3_bind_blob64(
            made_.get(), at, bytes.data() != nullptr ? bytes.data() : "", bytes.size(), SQLITE_STATIC));
    }
    /// True for a row, false at the end, behind which the statement is reset.
    bool step();
    /// Runs to the end; rows are not looked at.
    void run() {
        while (step()) {}
    }
    void reset() noexcept { sqlite3_reset(made_.get()); }

    [[nodiscard]] int columns() const noexcept { return sqlite3_column_count(made_.get()); }
    /// SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL.
    [[nodiscard]] int type(int at) const noexcept { return sqlite3_column_type(made_.get(), at); }
    [[nodiscard]] bool is_null(int at) const noexcept {
        return sqlite3_column_type(made_.get(), at) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int at) const noexcept { return sqlite3_column_int64(made_.get(), at); }
    [[nodiscard]] std::uint64_t number(int at) const noexcept { return static_cast<std::uint64_t>(integer(at)); }
    [[nodiscard]] double real(int at) const noexcept { return sqlite3_column_double(made_.get(), at); }
    /// Borrowed until the next step or reset, as bytes() are.
    [[nodiscard]] std::string_view text_at(int at) const noexcept {
        auto const* const data = reinterpret_cast<char const*>(sqlite3_column_text(made_.get(), at));
        return {data, data != nullptr ? static_cast<std::size_t>(sqlite3_column_bytes(made_.get(), at)) : 0};
    }
    [[nodiscard]] std::string_view bytes(int at) const noexcept {
        auto const* const data = static_cast<char const*>(sqlite3_column_blob(made_.get(), at));
        return {data, data != nullptr ? static_cast<std::size_t>(sqlite3_column_bytes(made_.get(), at)) : 0};
    }

private:
    sqlite_statement& check(int code);
};

/// An open database file.
class sqlite_database {
    std::string path_;
    struct close {
        void operator()(sqlite3* open) const noexcept { sqlite3_close_v2(open); }
    };
    std::unique_ptr<sqlite3, close> open_;
    std::string doing_;  // what a message says that we were about

public:
    sqlite_database(std::string path, bool to_write, duration busy) : path_(std::move(path)) {
        sqlite3* made = nullptr;
        int const flags = to_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
        int const code = sqlite3_open_v2(path_.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
        open_.reset(made);
        doing_ = "opening it";
        if (code != SQLITE_OK) fail(code);
        sqlite3_extended_result_codes(made, 1);
        auto const ms = busy.ns() / 1'000'000;
        sqlite3_busy_timeout(made, ms > INT_MAX ? INT_MAX : static_cast<int>(ms));
    }
    [[nodiscard]] sqlite3* get() const noexcept { return open_.get(); }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    void doing(std::string what) { doing_ = std::move(what); }

    void run(std::string const& sql) { sqlite_statement{*this, sql}.run(); }

    /// Throws what SQLite says.
    [[noreturn]] void fail(int code) const {
        auto const* const said = open_ != nullptr ? sqlite3_errmsg(open_.get()) : sqlite3_errstr(code);
        std::string sentence = "SQLite says \"" + std::string{said} + "\" (code " + std::to_string(code) + ") while "
            + doing_;
        auto what = error_code::io;
        switch (code & 0xFF) {
            case SQLITE_BUSY:
            case SQLITE_LOCKED:
                what = error_code::in_use;
                sentence += ": another connection has kept it locked for longer than busy_timeout";
                break;
            case SQLITE_CORRUPT:
            case SQLITE_NOTADB: what = error_code::corrupt; break;
            case SQLITE_CONSTRAINT:
            case SQLITE_MISMATCH:
            case SQLITE_TOOBIG: what = error_code::malformed; break;
            default: break;
        }
        throw error{what, sentence, path_};
    }
    [[noreturn]] void refuse(error_code code, std::string const& sentence) const { throw error{code, sentence, path_}; }
};

inline sqlite_statement::sqlite_statement(sqlite_database& of, std::string const& sql) : of_(&of) {
    sqlite3_stmt* made = nullptr;
    int const code = sqlite3_prepare_v3(
        of.get(), sql.c_str(), static_cast<int>(sql.size() + 1), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    made_.reset(made);
    if (code != SQLITE_OK) of.fail(code);
}
inline sqlite_statement& sqlite_statement::check(int code) {
    if (code != SQLITE_OK) of_->fail(code);
    return *this;
}
inline bool sqlite_statement::step() {
    int const code = sqlite3_step(made_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) {
        try {
            of_->fail(code);
        } catch (...) {
            reset();  // behind the message, which it would change
            throw;
        }
    }
    reset();
    return false;
}

/// Turns the write-ahead log on, so that readers and the writer do not wait for one another.
inline void use_sqlite_wal(sqlite_database& in, duration busy) {
    sqlite_statement mode{in, "PRAGMA journal_mode"};
    bool const on = mode.step() && mode.text_at(0) == "wal";
    mode.reset();
    // This one change asks no busy handler.
    constexpr int pause_ms = 10;
    for (auto left = busy.ns() / 1'000'000; !on; left -= pause_ms) {
        try {
            return in.run("PRAGMA journal_mode = WAL");
        } catch (error const& problem) {
            if (problem.code() != error_code::in_use || left <= 0) throw;
        }
        sqlite3_sleep(pause_ms);
    }
}

/// A transaction that writes from its first statement on: it waits for its turn there, and never later. Rolled back
/// where it is left without commit().
class sqlite_transaction {
    sqlite_database* in_;

public:
    explicit sqlite_transaction(sqlite_database& in) : in_(&in) { in.run("BEGIN IMMEDIATE"); }
    sqlite_transaction(sqlite_transaction const&) = delete;
    sqlite_transaction& operator=(sqlite_transaction const&) = delete;
    ~sqlite_transaction() {
        if (in_ != nullptr) sqlite3_exec(in_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    void commit() {
        in_->run("COMMIT");
        in_ = nullptr;
    }
};
}  // namespace driftless::inline v0::detail
#endif
