// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_LATEST_HPP
#define DRIFTLESS_IO_LATEST_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/time.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/io/detail/newest_rows.hpp>
#include <driftless/io/detail/kept_row.hpp>
#include <driftless/io/logged_row.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
template <class S>
concept says_its_rows =
    requires { typename S::row_type; } && (is_pane<typename S::row_type> || is_logged_row<typename S::row_type>);

template <class S, class Row, bool Says = says_its_rows<S>>
inline constexpr bool keeps_removals = requires(S& sink, typename row_parts<Row>::key const& key) {
    sink.remove(key, time_window{});
};
template <class S, class Row>
inline constexpr bool keeps_removals<S, Row, true> = is_logged_row<typename S::row_type>;
}  // namespace detail

/// What latest(sink) makes.
template <class Sink, class Row>
class latest_sink {
    using key_type = typename detail::row_parts<Row>::key;
    using value_type = typename detail::row_parts<Row>::value;
    using rows = detail::newest_rows<key_type, value_type>;
    static constexpr bool two_phases = transactional_sink<Sink>;
    static constexpr bool removals = detail::keeps_removals<Sink, Row>;

    Sink* sink_;
    rows rows_;
    std::uint64_t sequence_ = 0;
    std::uint64_t committed_ = 0;  // where the sink does not know
    bool records_ = false;
    bool recovered_ = false;

public:
    using keeps_rows = void;
    using row_type = Row;
    static constexpr delivery delivers = delivery_of<Sink>;

    explicit latest_sink(Sink& sink) : sink_(&sink) {}

    template <class K, class V>
    void write(pane<K, V> const& row) {
        put(detail::kept_as<key_type>(row.key), row.window, {detail::kept_as<value_type>(row.value), row.info});
    }
    template <class K>
        requires removals
    void remove(K const& key, time_window window) {
        put(detail::kept_as<key_type>(key), window, {{}, {}, row_kind::removed});
    }
    /// Changes that come from a log keep their versions.
    template <class K, class V>
        requires(removals && is_logged_row<Row>)
    void write_record(logged_row<K, V> const& row) {
        records_ = true;
        require_recovered();
        if (row.kind == row_kind::retracted) return;  // the row that replaces it follows
        rows_.put(detail::kept_as<key_type>(row.key), row.window,
            {detail::kept_as<value_type>(row.value), row.info, row.kind, row.version});
    }

    void recover(sink_position const& at) {
        rows_.clear();
        sequence_ = 0;
        recovered_ = false;
        if constexpr (two_phases) sink_->recover(at);
        else committed_ = at.snapshot;
        recovered_ = true;
    }
    /// The rows go on: a sink of two phases shows them when it commits, any other has them now.
    void prepare(std::uint64_t n) {
        rows_.for_each([&](key_type const& key, time_window window, auto const& row) {
            if constexpr (is_logged_row<Row>) {
                if (records_) {
                    if constexpr (requires(Row const& all) { sink_->write_record(all); })
                        sink_->write_record(Row{key, window, row.value, row.info, row.kind, row.version});
                    return;
                }
            }
            if (row.kind == row_kind::removed) {
                if constexpr (removals) sink_->remove(key, window);
            } else {
                sink_->write(pane<key_type, value_type>{key, window, row.value, row.info});
            }
        });
        rows_.clear();
        if constexpr (two_phases) sink_->prepare(n);
    }
    void commit(std::uint64_t n) {
        if constexpr (two_phases) sink_->commit(n);
        else if (n > committed_) committed_ = n;
    }
    [[nodiscard]] std::uint64_t committed() const noexcept {
        if constexpr (two_phases) return sink_->committed();
        else return committed_;
    }
    /// Rows that wait.
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

private:
    void require_recovered() const {
        if (recovered_) return;
        throw error{error_code::stopped,
            "latest(sink) was used before recover(): run it in a job, or call recover({}) first"};
    }
    void put(key_type const& key, time_window window, detail::newest_row<value_type> row) {
        require_recovered();
        row.version.sequence = ++sequence_;
        rows_.put(key, window, std::move(row));
    }
};

/// The last version of each row in a log of changes, and what latest(log) makes: a range of panes.
template <class K, class V>
class latest_rows_in {
    detail::newest_rows<K, V> rows_;  // owns the text
    std::vector<pane<K, V>> panes_;

public:
    using value_type = pane<K, V>;

    template <class Log>
    explicit latest_rows_in(Log const& log) {
        detail::each_record(log, [&](std::uint32_t, std::uint64_t, logged_row<K, V> const& each) {
            if (each.kind == row_kind::retracted) return;
            rows_.put(each.key, each.window, {each.value, each.info, each.kind, each.version});
        });
        rows_.for_each([&](K const& key, time_window window, auto const& row) {
            if (row.kind == row_kind::written) panes_.push_back({key, window, row.value, row.info});
        });
    }
    [[nodiscard]] auto begin() const noexcept { return panes_.begin(); }
    [[nodiscard]] auto end() const noexcept { return panes_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return panes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return panes_.empty(); }
    [[nodiscard]] value_type const& operator[](std::size_t i) const noexcept { return panes_[i]; }
};

/// Resolves corrections in front of a sink that appends: of each key and window it is given the newest row of a
/// transaction, and no others: run(mode, pipeline, log, latest(sink)).
///
/// Shape       Rows, by window end, window start, canonical hash of the key. Between two snapshots a row that was
///             corrected ten times is one; a batch, and a run without snapshots, gives each row once, in its final
///             state. What is corrected behind a snapshot comes again, with the next one. Removals need a sink that
///             keeps them (of logged_row, or with remove); a row that came and went within one transaction is told as
///             removed. Rows of a log of changes (logged_row as records) keep their versions: from<logged_row<K, V>>(),
///             that log, latest(log_sink{other}) is a job that compacts as it goes.
/// Delivery    That of the sink: its type says so. One without two phases is given the rows before the manifest of the
///             snapshot is written, and may be given them again: at least once.
/// State       The rows since the last snapshot, in memory: one per key and window, and the text of all their versions.
///             Borrows the sink.
/// Errors      Those of the sink.
/// Threads     The thread that runs the job.
/// Complexity  O(1) per row, one look-up.
/// Example     examples/changes_in_a_log.cpp
template <class Row, class Sink>
[[nodiscard]] latest_sink<Sink, Row> latest(Sink& sink) {
    static_assert(is_pane<Row> || is_logged_row<Row>,
        "driftless: latest<Row>(sink) resolves rows by key and window: name Row as pane<Key, Value> or logged_row<Key, "
        "Value>");
    return latest_sink<Sink, Row>{sink};
}
template <class Sink>
    requires detail::says_its_rows<Sink>
[[nodiscard]] auto latest(Sink& sink) {
    return latest_sink<Sink, typename Sink::row_type>{sink};
}

/// Reads a log of changes: of each key and window the last row, by build and sequence, unless it was removed.
///
/// Shape       A log of logged_row<K, V> (what log_sink wrote) -> a range of pane<K, V> that owns its text, by window
///             end, window start, canonical hash of the key. What the log holds when it is called.
/// State       One row per key and window, and the text of all their versions while it reads.
/// Errors      Those of the log.
/// Complexity  O(records).
template <class Log>
    requires(is_logged_row<typename Log::value_type> && requires(Log const& log) { log.read(0U, 0U); })
[[nodiscard]] auto latest(Log const& log) {
    using parts = detail::row_parts<typename Log::value_type>;
    return latest_rows_in<typename parts::key, typename parts::value>{log};
}
}  // namespace driftless::inline v0
#endif
