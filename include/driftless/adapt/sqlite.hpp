// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_SQLITE_HPP
#define DRIFTLESS_ADAPT_SQLITE_HPP

#include <boost/hana/adapt_struct.hpp>

#include <driftless/adapt/detail/sqlite_columns.hpp>
#include <driftless/adapt/detail/sqlite_database.hpp>
#include <driftless/adapt/detail/sqlite_table.hpp>
#include <driftless/adapt/sqlite_options.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/transactional_sink.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Writes the rows of a pipeline to a table of a SQLite database, each exactly once.
///
/// Row         pane<Key, Value>, as the pipeline yields it, or with sqlite_append a reflected record. Members become
///             columns: bool, integers, enums, event_time and duration (nanoseconds) INTEGER; float and double REAL,
///             NaN as NULL; text TEXT; optionals may be NULL; parts of nested structs are called outer_inner, of tuples
///             key_1, value_2; a lone key or value `key` or `value`; the window is window_start and window_end.
/// Mode        sqlite_upsert: keyed by (view, sink, key, window) with a version (build, epoch, sequence): a lesser
///             version changes nothing. sqlite_append: keyed by (view, sink, epoch, index).
/// Delivery    exactly_once. Rows wait in memory and then, durable, in the table driftless_staged of the same database;
///             commit(n) moves what was prepared up to n in one transaction that also notes n for the job, so that
///             readers see whole snapshots, and a second commit(n) changes nothing.
/// State       buffer_bytes in memory; the database grows by what is staged, once.
/// Errors      error{invalid_argument} for names that cannot be; error{mismatch} for a table of another shape, with the
///             difference, and where recover finds the sink ahead of the snapshots; error{fenced} once a newer instance
///             of the job has recovered; error{in_use} when another connection holds the database for longer than
///             busy_timeout; io, corrupt, malformed as SQLite says. All with the path.
/// Threads     The thread that runs the job; jobs, processes and readers may share the database (it is in WAL mode).
/// Complexity  O(log rows) per row, in prepared statements; one fsync per prepare and one per commit.
/// Source      P. Bernstein, E. Newcomer, "Principles of Transaction Processing" (2009), on recoverable queues.
template <class Row, class Mode = sqlite_upsert>
class sqlite_sink {
    using parts = detail::sqlite_row_parts<Row>;
    using key_type = typename parts::key;
    using value_type = typename parts::value;
    static constexpr bool appends = std::is_same_v<Mode, sqlite_append>;
    static_assert(appends || std::is_same_v<Mode, sqlite_upsert>,
        "driftless: the second parameter of sqlite_sink is sqlite_upsert or sqlite_append");
    static_assert(appends || parts::windows,
        "driftless: sqlite_sink replaces rows by key and window, and plain records have neither: write "
        "sqlite_sink<Record, sqlite_append>, or sqlite_sink<pane<Key, Record>>");
    static_assert(detail::is_sqlite_value<key_type> && detail::is_sqlite_value<value_type>,
        "driftless: sqlite_sink writes bool, integers of up to 64 bits, enums, float, double, text, event_time, "
        "duration, optionals of these, and reflected structs and tuples of them: map the other members first");
    static_assert(appends || detail::find_sqlite_key<key_type>(),
        "driftless: sqlite_sink tells rows apart by their key, and NULL is not equal to itself: map the optional "
        "member of the key to a value first");

    sqlite_options how_;
    detail::sqlite_database database_;
    detail::sqlite_table table_;
    std::int64_t signature_;
    std::string buffer_;
    std::uint64_t index_ = 0;  // of the next row in its epoch
    std::uint64_t part_ = 0;   // of the next staged piece
    std::uint64_t prepared_ = 0;
    std::uint64_t committed_ = 0;
    sink_position at_{};
    std::string view_;
    bool recovered_ = false;
    struct statements {
        detail::sqlite_statement books, note, stage, number, staged, shown, forget, insert, remove, pending;
    } do_;

public:
    /// Opens the database, makes the tables that are missing and checks the one that is there.
    sqlite_sink(std::string path, sqlite_options how)
        : how_(std::move(how)),
          database_(std::move(path), true, how_.busy_timeout),
          table_(detail::sqlite_table_of<Row, Mode>(database_, how_)),
          signature_([this] {
              auto const text = table_.signature();
              return static_cast<std::int64_t>(xxh3_64(text.data(), text.size()));
          }()) {
        if (how_.sink.empty()) how_.sink = how_.table;
        open();
    }
    sqlite_sink(sqlite_sink const&) = delete;
    sqlite_sink& operator=(sqlite_sink const&) = delete;

    /// Adds or replaces a row.
    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        static_assert(
            std::same_as<owned_t<Key>, owned_t<key_type>> && std::same_as<owned_t<Value>, owned_t<value_type>>,
            "driftless: sqlite_sink<Row> is given other rows than its Row says: name the key and value types that the "
            "pipeline yields, as in sqlite_sink<pane<text, totals>>");
        auto fields = begin_row(false);
        detail::put_sqlite_key(fields, database_, how_, row.key, row.window);
        fields.put_value(row.value);
        end_row();
    }
    /// Takes the row of a key and window away.
    template <class Key>
        requires std::same_as<owned_t<Key>, owned_t<key_type>> && parts::windows
    void remove(Key const& key, time_window window) {
        auto fields = begin_row(true);
        detail::put_sqlite_key(fields, database_, how_, key, window);
        if constexpr (appends) {
            for (auto left = table_.value_count(); left != 0; --left) fields.put_null();
        }
        end_row();
    }
    /// Appends a plain record.
    template <class T>
        requires(!parts::windows && std::same_as<owned_t<T>, owned_t<value_type>>)
    void write_record(T const& record) {
        begin_row(false).put_value(record);
        end_row();
    }

    /// See transactional_sink.
    void recover(sink_position const& at) {
        buffer_.clear();
        index_ = part_ = prepared_ = 0;
        at_ = at;
        view_ = how_.view.empty() ? at.job : how_.view;
        recovered_ = false;
        database_.doing("recovering job '" + at.job + "' from snapshot " + std::to_string(at.snapshot));
        detail::sqlite_transaction all{database_};
        auto const [instance, committed] = read_books();
        if (instance > at.instance) fence(instance);
        if (committed > at.snapshot) {
            database_.refuse(error_code::mismatch,
                "sqlite_sink: table '" + how_.table + "' has committed snapshot " + std::to_string(committed)
                    + " of job '" + at.job + "', and the job starts at snapshot " + std::to_string(at.snapshot)
                    + ": its snapshots are older than the table; restore them, or say start_over(job)");
        }
        auto const moved = move_up_to(at.taken_by, at.snapshot);
        do_.forget.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).run();
        auto const now = moved > committed ? moved : committed;
        write_books(now);
        all.commit();
        committed_ = now;
        recovered_ = true;
    }
    void prepare(std::uint64_t n) {
        require_recovered();
        if (n <= prepared_ || n <= committed_) {
            database_.refuse(error_code::invalid_argument,
                "sqlite_sink: prepare(" + std::to_string(n) + ") behind " + std::to_string(prepared_)
                    + ": the numbers of snapshots grow");
        }
        database_.doing("preparing snapshot " + std::to_string(n));
        detail::sqlite_transaction all{database_};
        require_unfenced();
        do_.number.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, at_.instance);
        do_.number.bind(4, n).run();
        stage(n);
        all.commit();
        staged();
        prepared_ = n;
        index_ = 0;
    }
    void commit(std::uint64_t n) {
        require_recovered();
        if (n <= committed_) return;
        database_.doing("committing snapshot " + std::to_string(n));
        detail::sqlite_transaction all{database_};
        require_unfenced();
        static_cast<void>(move_up_to(at_.instance, n));
        write_books(n);
        all.commit();
        committed_ = n;
    }
    [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }

    /// How many transactions are prepared and not committed.
    [[nodiscard]] std::uint64_t pending() {
        do_.pending.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, at_.instance);
        auto const count = do_.pending.step() ? do_.pending.number(0) : 0;
        do_.pending.reset();
        return count;
    }
    /// Deletes the rows that this sink wrote for a job, and what it knows of it: for a job whose snapshots are gone and
    /// that starts at the beginning. Before recover.
    void start_over(std::string const& job) {
        database_.doing("starting job '" + job + "' over");
        auto const view = how_.view.empty() ? job : how_.view;
        detail::sqlite_transaction all{database_};
        detail::sqlite_statement{database_, table_.remove_all()}
            .bind(1, std::string_view{view})
            .bind(2, std::string_view{how_.sink})
            .run();
        for (auto const* const books : {"driftless_sinks", "driftless_staged"}) {
            detail::sqlite_statement{database_, std::string{"DELETE FROM "} + books + " WHERE job = ?1 AND sink = ?2"}
                .bind(1, std::string_view{job})
                .bind(2, std::string_view{how_.sink})
                .run();
        }
        all.commit();
        recovered_ = false;
    }

private:
    void open() {
        database_.doing("opening it");
        detail::use_sqlite_wal(database_, how_.busy_timeout);
        database_.run("PRAGMA synchronous = FULL");  // a commit is durable when it returns
        detail::sqlite_transaction all{database_};
        database_.run(
            "CREATE TABLE IF NOT EXISTS driftless_sinks (job TEXT NOT NULL, sink TEXT NOT NULL, instance INTEGER NOT "
            "NULL, committed INTEGER NOT NULL, PRIMARY KEY (job, sink)) WITHOUT ROWID");
        // n is 0 for what is written and not prepared; rows: see sqlite_fields.
        database_.run(
            "CREATE TABLE IF NOT EXISTS driftless_staged (job TEXT NOT NULL, sink TEXT NOT NULL, instance INTEGER NOT "
            "NULL, part INTEGER NOT NULL, n INTEGER NOT NULL, shape INTEGER NOT NULL, rows BLOB NOT NULL, "
            "UNIQUE (job, sink, instance, part))");
        database_.run(table_.create());
        table_.check(database_);
        auto const make = [&](std::string const& sql) { return detail::sqlite_statement{database_, sql}; };
        std::string const mine = " WHERE job = ?1 AND sink = ?2";
        do_.books = make("SELECT instance, committed FROM driftless_sinks" + mine);
        do_.note = make(
            "INSERT INTO driftless_sinks (job, sink, instance, committed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT "
            "(job, sink) DO UPDATE SET instance = excluded.instance, committed = excluded.committed");
        do_.stage = make(
            "INSERT INTO driftless_staged (job, sink, instance, part, n, shape, rows) VALUES (?1, ?2, ?3, ?4, "
            "?5, ?6, ?7)");
        do_.number = make("UPDATE driftless_staged SET n = ?4" + mine + " AND instance = ?3 AND n = 0");
        do_.staged = make("SELECT n, shape, rows FROM driftless_staged" + mine
            + " AND instance = ?3 AND n BETWEEN 1 AND ?4 ORDER BY part");
        do_.shown = make("DELETE FROM driftless_staged" + mine + " AND instance = ?3 AND n BETWEEN 1 AND ?4");
        do_.forget = make("DELETE FROM driftless_staged" + mine);
        do_.pending = make("SELECT count(DISTINCT n) FROM driftless_staged" + mine + " AND instance = ?3 AND n > 0");
        do_.insert = make(table_.insert());
        if (!appends) do_.remove = make(table_.remove());
        all.commit();
    }
    struct booked {
        std::uint64_t instance = 0;
        std::uint64_t committed = 0;
    };
    [[nodiscard]] booked read_books() {
        do_.books.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink});
        booked out;
        if (do_.books.step()) out = {do_.books.number(0), do_.books.number(1)};
        do_.books.reset();
        return out;
    }
    void write_books(std::uint64_t committed) {
        do_.note.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, at_.instance);
        do_.note.bind(4, committed).run();
    }
    [[noreturn]] void fence(std::uint64_t instance) {
        database_.refuse(error_code::fenced,
            "sqlite_sink: instance " + std::to_string(instance) + " of job '" + at_.job + "' writes table '"
                + how_.table + "' now, and this is instance " + std::to_string(at_.instance));
    }
    void require_unfenced() {
        if (auto const now = read_books().instance; now != at_.instance) fence(now);
    }
    void require_recovered() const {
        if (recovered_) return;
        database_.refuse(error_code::invalid_argument,
            "sqlite_sink: nobody has said where its job starts: run it with stream{.snapshots = \"folder\"}, or call "
            "recover(position) first");
    }
    // A row that waits: 1 where it is taken away, its index, and the fields of key, window and value.
    detail::sqlite_fields begin_row(bool removed) {
        require_recovered();
        if (buffer_.size() >= how_.buffer_bytes) flush();
        detail::sqlite_fields fields{buffer_};
        fields.put_integer(removed ? 1 : 0);
        fields.put_integer(static_cast<std::int64_t>(index_));
        return fields;
    }
    void end_row() noexcept { ++index_; }
    void flush() {
        database_.doing("staging rows");
        detail::sqlite_transaction all{database_};
        require_unfenced();
        stage(0);
        all.commit();
        staged();
    }
    void stage(std::uint64_t n) {
        do_.stage.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, at_.instance);
        do_.stage.bind(4, part_).bind(5, n).bind(6, signature_).bind_bytes(7, buffer_).run();
    }
    void staged() noexcept {
        buffer_.clear();
        ++part_;
    }
    /// Shows what an instance has prepared up to n; the greatest number among it.
    std::uint64_t move_up_to(std::uint64_t instance, std::uint64_t n) {
        std::uint64_t greatest = 0;
        do_.staged.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, instance).bind(4, n);
        while (do_.staged.step()) {
            greatest = do_.staged.number(0);
            if (do_.staged.integer(1) != signature_) {
                database_.refuse(error_code::mismatch,
                    "sqlite_sink: rows of snapshot " + std::to_string(greatest) + " were staged for another shape of '"
                        + how_.table + "': let the program that wrote them commit them first");
            }
            show(greatest, do_.staged.bytes(2));
        }
        do_.shown.bind(1, std::string_view{at_.job}).bind(2, std::string_view{how_.sink}).bind(3, instance);
        do_.shown.bind(4, n).run();
        return greatest;
    }
    void show(std::uint64_t epoch, std::string_view rows) {
        detail::sqlite_field_reader in{rows};
        while (!in.empty()) {
            auto const removed = in.integer();
            auto const index = in.integer();
            bool const deletes = removed != 0 && !appends;
            auto& to = deletes ? do_.remove : do_.insert;
            to.bind(1, std::string_view{view_}).bind(2, std::string_view{how_.sink});
            if constexpr (appends) {
                to.bind(3, epoch).bind(4, index);
                if (parts::windows) to.bind(5, removed);
            } else {
                to.bind(3, how_.build).bind(4, epoch).bind(5, index);
            }
            in.bind(to, detail::sqlite_table::first_field, table_.key_count() + (deletes ? 0 : table_.value_count()));
            to.run();
        }
    }
};

/// Calls f(row), or f(row, sqlite_row_id), for each row of a table that a sqlite_sink wrote: for tests and for reports.
/// Rows come by view, sink, key and window, or by view, sink, epoch and index; those of one view where .view says so.
/// The text of a row is borrowed for the call. With sqlite_append the rows that tell of removals need the second form.
template <class Row, class Mode = sqlite_upsert, class F>
void read_sqlite(std::string path, sqlite_options const& how, F&& f) {
    using parts = detail::sqlite_row_parts<Row>;
    detail::sqlite_database in{std::move(path), false, how.busy_timeout};
    auto const table = detail::sqlite_table_of<Row, Mode>(in, how);
    in.doing("reading table '" + how.table + "'");
    detail::sqlite_statement each{in, table.select()};
    each.bind(1, std::string_view{how.view});
    while (each.step()) {
        sqlite_row_id const id{each.number(0), each.number(1), each.integer(2) != 0};
        Row row{};
        int at = 3;
        if constexpr (parts::windows) {
            detail::read_sqlite_value(each, at, row.key);
            if (!how.window_columns.empty()) detail::read_sqlite_value(each, at, row.window);
            detail::read_sqlite_value(each, at, row.value);
        } else {
            detail::read_sqlite_value(each, at, row);
        }
        if constexpr (requires { f(std::as_const(row), id); }) f(std::as_const(row), id);
        else if (!id.removed) f(std::as_const(row));
    }
}
}  // namespace driftless::inline v0
#endif
