// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_LATE_WINDOWS_HPP
#define DRIFTLESS_RUN_LATE_WINDOWS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/pane.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Collects which windows refused late records, and reopens them: a late output, and a filter of sinks.
///
///     late_windows late;
///     run(stream{...}, p, log, bind("late"_name, late), view);
///     run(batch{}, p, log, bind("late"_name, nothing), late.reopened(view));   // their rows, from the whole log
///     late.clear();
///
/// Shape       As the sink of late_to: each (key, window) that refused something, once. reopened(sink) hands on the
///             rows of these, with timing `late`: to a sink that keeps rows by (key, window) they are the corrections.
/// Time        A window that has closed stays closed in the stream. The batch answers for it from the log as it is now.
/// State       The bytes of a key and two times for each; bounded by what is refused until clear().
/// Limits      The operator that refuses is the last one that groups, and its windows do not merge: a session that was
///             swallowed would have to be removed, and nobody here knows it.
/// Complexity  O(log n) per refused record and per row; the first of a window that is not the latest moves those behind
///             it.
class late_windows {
    using place = std::tuple<event_time, event_time, std::string>;
    std::vector<place> refused_;  // in order

    template <class Key>
    static place of(Key const& key, time_window window) {
        std::string bytes;
        append_key_bytes(bytes, key);
        return {window.end, window.start, std::move(bytes)};
    }

public:
    template <class Key, class Value>
    void write(pane<Key, Value> const& refused) {
        auto here = of(refused.key, refused.window);
        auto const at = std::lower_bound(refused_.begin(), refused_.end(), here);
        if (at == refused_.end() || *at != here) refused_.insert(at, std::move(here));
    }
    [[nodiscard]] std::size_t size() const noexcept { return refused_.size(); }
    [[nodiscard]] bool empty() const noexcept { return refused_.empty(); }
    void clear() noexcept { refused_.clear(); }
    template <class Key>
    [[nodiscard]] bool contains(Key const& key, time_window window) const {
        return std::binary_search(refused_.begin(), refused_.end(), of(key, window));
    }

    /// The sink that is given the rows of these windows and no others. Made by reopened().
    template <class Sink>
    class rows_of {
        late_windows const* windows_;
        Sink* sink_;

    public:
        using is_sink = void;
        rows_of(late_windows const& windows, Sink& sink) : windows_(&windows), sink_(&sink) {}

        template <class Key, class Value>
        void write(pane<Key, Value> const& row) {
            if (!windows_->contains(row.key, row.window)) return;
            auto corrected = row;
            corrected.info.timing = timing::late;
            sink_->write(corrected);
        }
        template <class Key>
        void remove(Key const& key, time_window window) {
            if (windows_->contains(key, window)) sink_->remove(key, window);
        }
    };
    template <class Sink>
    [[nodiscard]] rows_of<Sink> reopened(Sink& sink) const {
        return {*this, sink};
    }
};
}  // namespace driftless::inline v0
#endif
