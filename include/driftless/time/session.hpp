// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TIME_SESSION_HPP
#define DRIFTLESS_TIME_SESSION_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/time.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Says that sessions which only touch are one: session{30_min, touching}.
struct touching_t {};
inline constexpr touching_t touching{};

namespace detail {
/// One gap for all records.
struct fixed_gap {
    duration gap{};

    template <class T>
    static constexpr bool fits = true;
    template <class T>
    [[nodiscard]] DRIFTLESS_INLINE constexpr duration of(T const&) const noexcept {
        return gap;
    }
    [[nodiscard]] constexpr duration longest() const noexcept { return gap; }
    constexpr void lengthen(duration by) noexcept { gap = gap + by; }
    constexpr void describe(auto&& parameter) const { parameter("gap", gap); }
    friend constexpr bool operator==(fixed_gap, fixed_gap) = default;
};

/// A gap that each record brings, up to a longest one.
template <class Projection>
struct record_gap {
    [[no_unique_address]] Projection projection;
    duration limit{};
    duration longer{};  // than what the record says

    template <class T>
    static constexpr bool fits = [] {
        if constexpr (projects<Projection, T>) return std::is_same_v<projected_t<Projection, T>, duration>;
        else return false;
    }();
    template <class T>
    [[nodiscard]] constexpr duration of(T const& record) const {
        duration const gap = projection(record);
        if (gap > duration{} && gap <= limit) [[likely]]
            return gap + longer;
        throw error{error_code::invalid_argument,
            sentence({"a session gap of ", gap.ns(), " ns is not between 1 ns and the longest one, ", limit.ns(),
                " ns: write session(gap, longest) with a longer one, or filter such records out"})};
    }
    [[nodiscard]] constexpr duration longest() const noexcept { return limit + longer; }
    constexpr void lengthen(duration by) noexcept { longer = longer + by; }
    constexpr void describe(auto&& parameter) const {
        parameter("longest gap", limit);
        if (longer != duration{}) parameter("longer by", longer);
    }
};
}  // namespace detail

/// Windows of activity: records of a key that lie less than a gap apart share one.
///
/// Shape       session{30_min}: one gap. session(&T::gap, 2_h), session(f, 2_h): each record brings its own gap, a
///             duration, at most the longest one named there.
/// Time        A record at t spans [t, t + gap); spans that overlap are one session, from the first start to the last
///             end. Strictly: |t2 - t1| < gap; records exactly one gap apart are two sessions, or one with
///             session{30_min, touching}.
/// State       The longest gap bounds how long a session is kept: until watermark >= end + longest gap + allowed
///             lateness no record that is accepted can still reach it.
/// Errors      A gap <= 0 is refused when the job starts (invalid_argument). A record whose own gap is not in
///             (0, longest] fails like one whose function throws: on_error.
/// Source      SEMANTICS section 5; T. Akidau et al., "The Dataflow Model" (VLDB 2015).
template <class Gap = detail::fixed_gap, bool Touching = false>
class session {
    [[no_unique_address]] Gap gap_;

    template <class G, bool T>
    friend class session;
    explicit constexpr session(Gap gap) : gap_(std::move(gap)) {}

public:
    static constexpr std::string_view kind = "session";
    static constexpr bool merges_touching = Touching;
    using merges_windows = void;

    explicit constexpr session(duration gap)
        requires std::is_same_v<Gap, detail::fixed_gap>
        : gap_{gap} {}
    constexpr session(duration gap, touching_t)
        requires std::is_same_v<Gap, detail::fixed_gap>
        : gap_{gap} {}
    template <class F>
    constexpr session(F gap, duration longest)
        requires std::is_same_v<Gap, detail::record_gap<decltype(detail::make_projection(gap))>>
        : gap_{detail::make_projection(std::move(gap)), longest} {}
    template <class F>
    constexpr session(F gap, duration longest, touching_t)
        requires std::is_same_v<Gap, detail::record_gap<decltype(detail::make_projection(gap))>>
        : gap_{detail::make_projection(std::move(gap)), longest} {}

    /// The same sessions, where those that touch are one.
    [[nodiscard]] constexpr auto joining_touching() const { return session<Gap, true>{gap_}; }
    /// The same sessions with a longer gap.
    [[nodiscard]] constexpr session lengthened(duration by) const {
        auto gap = gap_;
        gap.lengthen(by);
        return session{gap};
    }

    /// The gap can be had of records T.
    template <class T>
    static constexpr bool fits = Gap::template fits<T>;

    /// What one record spans by itself.
    template <class T>
    [[nodiscard]] DRIFTLESS_INLINE constexpr time_window proto_window(event_time at, T const& record) const {
        return {at, at + gap_.of(record)};
    }
    /// Two spans that belong to one session.
    [[nodiscard]] DRIFTLESS_INLINE static constexpr bool meet(time_window const& a, time_window const& b) noexcept {
        if constexpr (Touching) return a.start <= b.end && b.start <= a.end;
        else return a.start < b.end && b.start < a.end;
    }
    /// A session is out of reach once the watermark is so far behind its end, where nothing is allowed to be late.
    [[nodiscard]] constexpr duration reach() const noexcept { return gap_.longest(); }
    /// The same where no record is behind the watermark: one at the very end still touches.
    [[nodiscard]] static constexpr duration exact_reach() noexcept { return duration{Touching ? 1 : 0}; }

    void validate() const {
        if (gap_.longest() > duration{}) return;
        throw error{error_code::invalid_argument,
            detail::sentence({"session needs a gap > 0, not ", gap_.longest().ns(), " ns: write session{30_min}"})};
    }
    constexpr void describe(auto&& parameter) const {
        gap_.describe(parameter);
        if constexpr (Touching) parameter("touching", "joined");
    }
    friend constexpr bool operator==(session const&, session const&)
        requires std::is_same_v<Gap, detail::fixed_gap>
    = default;
};
session(duration) -> session<detail::fixed_gap, false>;
session(duration, touching_t) -> session<detail::fixed_gap, true>;
template <class F>
session(F, duration) -> session<detail::record_gap<decltype(detail::make_projection(std::declval<F>()))>, false>;
template <class F>
session(F, duration, touching_t)
    -> session<detail::record_gap<decltype(detail::make_projection(std::declval<F>()))>, true>;
}  // namespace driftless::inline v0
#endif
