// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_SESSION_HPP
#define DRIFTLESS_TIME_SESSION_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>

#include <string_view>
#include <type_traits>

namespace driftless::inline v0 {

/// Says that sessions that touch are one: session{30_min, touching}.
struct touching_t {};
inline constexpr touching_t touching{};

/// Windows of activity, key by key: records less than `gap` apart lie in one.
///
/// Time        A record at t opens [t, t + gap); windows that overlap merge into one. Those that only touch do not, so
///             that a record at the very end of a session starts a new one whether it comes before the session has fired
///             or after; with `touching` they do, as in Flink.
///             A record is refused iff watermark >= t + gap + allowed lateness: by its own window, before merging. So a
///             session is kept until watermark >= end + gap + allowed lateness: up to then a record can reach it.
/// Errors      A gap <= 0 is refused when the job starts (code invalid_argument).
/// Source      SEMANTICS section 5; T. Akidau et al., "The Dataflow Model" (VLDB 2015).
template <class Touching = void>
struct session {
    duration gap{};

    static constexpr std::string_view kind = "session";
    static constexpr bool merges_touching = !std::is_void_v<Touching>;
    using merges_windows = void;

    constexpr explicit session(duration g) : gap(g) {}
    constexpr session(duration g, touching_t) : gap(g) {}

    /// The window of one record.
    [[nodiscard]] constexpr time_window proto_window(event_time at) const noexcept { return {at, at + gap}; }
    /// They are one session.
    [[nodiscard]] static constexpr bool meet(time_window const& a, time_window const& b) noexcept {
        if constexpr (merges_touching) return a.start <= b.end && b.start <= a.end;
        else return a.start < b.end && b.start < a.end;
    }
    void validate() const {
        if (gap <= duration{}) {
            throw error{error_code::invalid_argument,
                detail::sentence({"session needs a gap > 0, not ", gap.ns(), " ns: write session{30_min}"})};
        }
    }
    constexpr void describe(auto&& parameter) const {
        parameter("gap", gap);
        if constexpr (merges_touching) parameter("merge", std::string_view{"touching"});
    }
    friend constexpr bool operator==(session const&, session const&) = default;
};
session(duration) -> session<>;
session(duration, touching_t) -> session<touching_t>;
}  // namespace driftless::inline v0
#endif
