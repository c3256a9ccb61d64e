// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_STREAM_HPP
#define DRIFTLESS_CORE_STREAM_HPP

#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace driftless::inline v0 {

/// How a stream carries its rows: as plain records, or as changes (old row, new row).
enum class stream_kind : std::uint8_t {
    records,
    changes
};

/// No window has been assigned: one window for all of time, which closes with the input.
struct no_window {
    static constexpr bool assigned = false;
    static constexpr bool carried = false;
};
/// The operator `Windowing` stands before: the next stateful operator assigns windows by it.
template <class Windowing>
struct assigned_window {
    using windowing = Windowing;
    static constexpr bool assigned = true;
    static constexpr bool carried = false;
};
/// Rows came out of a window of `Windowing` and keep it; a following aggregate regroups inside it.
///
/// InParts     panes are discarding: changes bring their `part`, and that is what a sink is shown
template <class Windowing, bool InParts = false>
struct carried_window {
    using windowing = Windowing;
    static constexpr bool in_parts = InParts;
    static constexpr bool assigned = true;
    static constexpr bool carried = true;
};

/// What an operator is told of its input and says of its output: a type, never an object.
template <class Record, bool Timed = false, class Key = unkeyed, class Window = no_window,
    stream_kind Kind = stream_kind::records>
struct stream_of {
    using record = Record;
    using key = Key;
    using window = Window;
    static constexpr bool timed = Timed;
    static constexpr stream_kind kind = Kind;

    template <class Other>
    using with_record = stream_of<Other, Timed, Key, Window, Kind>;
    template <class Other>
    using with_key = stream_of<Record, Timed, Other, Window, Kind>;
    template <class Other>
    using with_window = stream_of<Record, Timed, Key, Other, Kind>;
    using with_time = stream_of<Record, true, Key, Window, Kind>;
};

namespace detail {
template <class T>
struct as_stream {
    using type = stream_of<T>;
};
template <class T>
struct as_stream<event<T>> {
    using type = stream_of<T, true>;
};
template <class R, bool Timed, class K, class W, stream_kind Kind>
struct as_stream<stream_of<R, Timed, K, W, Kind>> {
    using type = stream_of<R, Timed, K, W, Kind>;
};
}  // namespace detail

/// The stream that T stands for: itself, or a source of T; event<T> is a source of T with event time.
template <class T>
using stream_t = typename detail::as_stream<T>::type;

/// Records of this stream have an event time.
template <class In>
concept timestamped = stream_t<In>::timed;
/// Records of this stream have a key.
template <class In>
concept keyed = !std::same_as<typename stream_t<In>::key, unkeyed>;
/// Rows of this stream are changes: (old?, new?).
template <class In>
concept changelog = stream_t<In>::kind == stream_kind::changes;

/// Where a record stands in its input.
struct origin {
    static constexpr std::uint64_t nowhere = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t offset = nowhere;
    std::uint32_t partition = 0;
    std::uint32_t input = 0;
};

/// What goes with a record through the stages: borrowed, for the duration of the push.
///
/// Stages read what they need; what nobody reads is never computed, the compiler removes it.
template <class Key = unkeyed>
struct context {
    event_time at = event_time::min();
    Key const* key = nullptr;
    time_window window{};
    pane_info info{};
    origin from{};

    template <class Other>
    [[nodiscard]] constexpr context<Other> with_key(Other const& other) const noexcept {
        return {at, &other, window, info, from};
    }
    [[nodiscard]] constexpr context with_time(event_time other) const noexcept {
        return {other, key, window, info, from};
    }
};

/// A row that changed: `before` is what it was, `after` what it is now; either may be absent (null).
///
/// part        what has come in between, where panes are discarding: for the sink alone. Null elsewhere, and where an
///             operator on the way has left it out
/// State       All are borrowed for the duration of the push.
template <class T>
struct change {
    T const* before = nullptr;
    T const* after = nullptr;
    T const* part = nullptr;
};
}  // namespace driftless::inline v0
#endif
