// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_SQLITE_VIEW_HPP
#define DRIFTLESS_ADAPT_SQLITE_VIEW_HPP

#include <driftless/adapt/detail/sqlite_columns.hpp>
#include <driftless/adapt/detail/sqlite_database.hpp>
#include <driftless/adapt/detail/sqlite_table.hpp>
#include <driftless/adapt/sqlite_options.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/served_at_bytes.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/view_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace driftless::inline v0 {
namespace detail {

/// A table of which each view has its rows, and the state that they are of.
template <class K, class V>
class sqlite_view_table {
    static_assert(is_sqlite_value<K> && is_sqlite_value<V> && find_sqlite_key<K>(),
        "driftless: a view in SQLite has rows of bool, integers of up to 64 bits, enums, float, double, text, "
        "event_time, duration, and reflected structs and tuples of them; optionals of these in the value alone: map "
        "the other members first");
    std::string view_;
    std::string operator_;

public:
    sqlite_options how;
    sqlite_database database;
    sqlite_table table;
    sqlite_statement state;

    sqlite_view_table(std::string path, sqlite_options options, bool to_write)
        : how(std::move(options)),
          database(std::move(path), to_write, how.busy_timeout),
          table(sqlite_table_of<pane<K, V>, sqlite_upsert>(database, how)) {
        view_ = how.view.empty() ? how.table : how.view;
        operator_ = how.sink.empty() ? how.table : how.sink;
    }
    sqlite_statement& mine(sqlite_statement& of) {
        return of.bind(1, std::string_view{view_}).bind(2, std::string_view{operator_});
    }
    [[nodiscard]] sqlite_statement made(std::string const& sql) { return sqlite_statement{database, sql}; }
    void prepare_state() { state = made("SELECT state FROM driftless_views WHERE view = ?1 AND operator = ?2"); }
    /// What the rows are of; nothing where there are none yet.
    [[nodiscard]] std::optional<served_at> shown() {
        std::optional<served_at> out;
        mine(state);
        if (state.step()) {
            byte_reader in{state.bytes(0)};
            out = read_served_at(in);
        }
        state.reset();
        return out;
    }
};
}  // namespace detail

/// Keeps a view in a table of SQLite: readers in any process and language see whole states of it, also when the process
/// that writes it has died.
///
/// Shape       A row per key and window, as sqlite_sink has them: driftless_epoch is the number of records that the job
///             had read, driftless_sequence the version of the view that wrote the row. The state that they are of
///             stands in the table driftless_views: build, epoch, watermark and published (nanoseconds).
/// State       The state that was written last, held: at most once more the size of the view, which must outlive this.
/// Errors      publish() throws those of view::snapshot; in_use when another connection holds the database for longer
///             than busy_timeout; overflow for an unsigned integer beyond 2^63-1; io, corrupt, malformed as SQLite
///             says. The table is then as it was. The constructor also mismatch, for a table of another shape.
/// Threads     Any one at a time; the job does not wait for it. Readers wait for nobody (WAL).
/// Complexity  publish() is one transaction, one sync, O(log rows) per row that has changed; the first one, and one
///             behind another writer, writes all rows anew.
template <class View>
class sqlite_view_writer {
    using K = typename View::key_type;
    using V = typename View::value_type;
    View const* of_;
    detail::sqlite_view_table<K, V> to_;
    detail::sqlite_statement insert_, remove_, remove_all_, note_;
    std::optional<typename View::snapshot_type> told_;
    std::string fields_;

public:
    /// Makes the table if it is not there. Its rows are those of options.view, by default called as the table is.
    sqlite_view_writer(View const& of, std::string path, sqlite_options options)
        : of_(&of), to_(std::move(path), std::move(options), true) {
        auto& database = to_.database;
        detail::use_sqlite_wal(database, to_.how.busy_timeout);
        database.run("PRAGMA synchronous = FULL");  // a commit is durable when it returns
        detail::sqlite_transaction all{database};
        database.run(
            "CREATE TABLE IF NOT EXISTS driftless_views (view TEXT NOT NULL, operator TEXT NOT NULL, build INTEGER NOT "
            "NULL, epoch INTEGER NOT NULL, watermark INTEGER NOT NULL, published INTEGER NOT NULL, state BLOB NOT "
            "NULL, PRIMARY KEY (view, operator)) WITHOUT ROWID");
        database.run(to_.table.create());
        to_.table.check(database);
        to_.prepare_state();
        insert_ = to_.made(to_.table.insert());
        remove_ = to_.made(to_.table.remove());
        remove_all_ = to_.made(to_.table.remove_all());
        note_ = to_.made(
            "INSERT OR REPLACE INTO driftless_views (view, operator, build, epoch, watermark, published, state) VALUES "
            "(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        all.commit();
    }
    sqlite_view_writer(sqlite_view_writer const&) = delete;
    sqlite_view_writer& operator=(sqlite_view_writer const&) = delete;

    /// Writes what the view shows now, all of it or nothing.
    ///
    /// returns     false, and nothing is written, if the table is already of that state, or of a later one of the same
    ///             build: a job that starts again from its snapshot does not take readers back.
    bool publish() {
        auto now = of_->snapshot();
        auto const& at = now.at();
        to_.database.doing("publishing a view in table '" + to_.table.name() + "'");
        detail::sqlite_transaction all{to_.database};
        auto const was = to_.shown();
        if (was && (*was == at || (was->build == at.build && was->epoch > at.epoch))) return false;
        auto const write = [&](auto const& each) {
            auto row = begin(insert_, at, each.version, each.key, each.window);
            row.put_value(each.value);
            end(insert_, to_.table.key_count() + to_.table.value_count());
        };
        if (told_ && was && *was == told_->at()) {
            now.changes_since(*told_, write, [&](K const& key, time_window const& window) {
                begin(remove_, at, at.version, key, window);
                end(remove_, to_.table.key_count());
            });
        } else {
            to_.mine(remove_all_).run();
            now.for_each(write);
        }
        note(at);
        all.commit();
        told_ = std::move(now);
        return true;
    }

private:
    detail::sqlite_fields begin(detail::sqlite_statement& to, served_at const& at, std::uint64_t version, K const& key,
        time_window const& window) {
        to_.mine(to).bind(3, at.build).bind(4, at.epoch).bind(5, version);
        fields_.clear();
        detail::sqlite_fields out{fields_};
        detail::put_sqlite_key(out, to_.database, to_.how, key, window);
        return out;
    }
    void end(detail::sqlite_statement& to, std::size_t count) {
        detail::sqlite_field_reader{fields_}.bind(to, detail::sqlite_table::first_field, count);
        to.run();
    }
    void note(served_at const& at) {
        std::string bytes;
        byte_writer out{bytes};
        detail::write_served_at(out, at);
        to_.mine(note_).bind(3, at.build).bind(4, at.epoch).bind(5, at.watermark.ns()).bind(6, at.published.ns());
        note_.bind_bytes(7, bytes).run();
    }
};

/// Reads a view that another process keeps in SQLite (sqlite_view_writer): always one whole state.
///
/// Shape       What the table held when it was opened, until refresh() finds another state. Meanwhile the write-ahead
///             log of the database cannot be cut: let it not stay without refresh() for long.
/// Errors      not_there while nothing has been published; mismatch for a table of another shape; io, in_use, corrupt
///             as SQLite says. All with the path.
/// Threads     One at a time. Readers are never in the way of the writer, or of each other.
/// Complexity  find O(log rows); size O(rows).
template <class K, class V>
class sqlite_view_reader {
    static_assert(!has_text<owned_t<V>>,
        "driftless: sqlite_view_reader gives values that outlive the row in the database: let the members of its V be "
        "std::string where the view has text");
    detail::sqlite_view_table<K, V> in_;
    detail::sqlite_statement find_, list_, count_;
    served_at at_;

public:
    sqlite_view_reader(std::string path, sqlite_options options) : in_(std::move(path), std::move(options), false) {
        in_.database.doing("opening a view in table '" + in_.table.name() + "'");
        auto known = in_.made("SELECT 1 FROM sqlite_schema WHERE name = 'driftless_views'");
        if (!known.step()) refuse_missing();
        known.reset();
        in_.prepare_state();
        static_cast<void>(refresh());
        in_.table.check(in_.database);
        find_ = in_.made(in_.table.find());
        list_ = in_.made(in_.table.list());
        count_ = in_.made(in_.table.count());
    }
    sqlite_view_reader(sqlite_view_reader const&) = delete;
    sqlite_view_reader& operator=(sqlite_view_reader const&) = delete;

    /// Takes up what has been published since; true if there was something.
    bool refresh() {
        if (sqlite3_get_autocommit(in_.database.get()) == 0) in_.database.run("COMMIT");
        in_.database.run("BEGIN");
        auto now = in_.shown();  // from here on the state stays the same
        if (!now) refuse_missing();
        auto const before = std::exchange(at_, std::move(*now));
        return !(before == at_);
    }
    [[nodiscard]] served_at const& at() const noexcept { return at_; }
    [[nodiscard]] std::size_t size() {
        in_.mine(count_).step();
        auto const out = static_cast<std::size_t>(count_.number(0));
        count_.reset();
        return out;
    }
    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] std::optional<owned_t<V>> find(K2 const& asked, time_window window = {}) {
        std::string fields;
        detail::sqlite_fields to{fields};
        detail::put_sqlite_key(to, in_.database, in_.how, detail::as_key<K>(asked), window);
        in_.mine(find_);
        detail::sqlite_field_reader{fields}.bind(find_, detail::sqlite_table::first_field, in_.table.key_count());
        std::optional<owned_t<V>> out;
        if (find_.step()) {
            V value{};
            int column = 0;
            detail::read_sqlite_value(find_, column, value);
            out.emplace(to_owned(value));
        }
        find_.reset();
        return out;
    }
    /// Calls f(key, window, value) for each row, by key and window as SQLite orders them. Text is borrowed for the
    /// call.
    template <class F>
    void for_each(F&& f) {
        in_.mine(list_);
        reset_at_end const end{list_};
        while (list_.step()) {
            pane<K, V> row{};
            int column = 0;
            detail::read_sqlite_value(list_, column, row.key);
            if (!in_.how.window_columns.empty()) detail::read_sqlite_value(list_, column, row.window);
            detail::read_sqlite_value(list_, column, row.value);
            f(std::as_const(row.key), std::as_const(row.window), std::as_const(row.value));
        }
    }

private:
    struct reset_at_end {
        detail::sqlite_statement& of;
        ~reset_at_end() { of.reset(); }
    };
    [[noreturn]] void refuse_missing() const {
        in_.database.refuse(error_code::not_there,
            "no view has been published in table '" + in_.table.name()
                + "' yet: let its process call sqlite_view_writer::publish");
    }
};
}  // namespace driftless::inline v0
#endif
