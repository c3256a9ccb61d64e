// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_TAP_HPP
#define DRIFTLESS_OP_TAP_HPP

#include <driftless/core/operator.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class F, class Next>
class tap_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    [[no_unique_address]] F look_;
    operator_label label_;
    run_services* services_;

public:
    using records_only = void;
    constexpr tap_stage(Next next, F look, operator_label label, run_services* services)
        : looking_through<Next>(std::move(next)), look_(std::move(look)), label_(label), services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        if (look(ctx, record)) next_.on_record(ctx, record);
    }
    /// Sees what rows become; a row that goes away is not shown. One that could not be looked at goes on
    /// all the same: the change that takes it back will not be looked at either.
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        if (row.after != nullptr) look(ctx, *row.after);
        next_.on_change(ctx, row);
    }

private:
    template <class Ctx, class T>
    DRIFTLESS_INLINE constexpr bool look(Ctx const& ctx, T const& record) {
        return guarded(services_, label_, ctx,
            [&]() noexcept(std::is_nothrow_invocable_v<F const&, T const&>) { look_(record); });
    }
};
}  // namespace detail

/// Looks at the records that pass. Made by tap().
template <class F>
struct tap_op : operator_base<tap_op<F>> {
    static constexpr std::string_view kind = "tap";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    static constexpr bool shows_order = true;
    [[no_unique_address]] F look;

    explicit constexpr tap_op(F function) : look(std::move(function)) {}

    template <class In>
    static constexpr bool accepts = std::is_invocable_v<F const&, typename In::record const&>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(accepts<In>,
            "driftless: tap needs a function of the record: give it void(T const&), where T is the record "
            "named in [with In = stream_of<T, ...>]");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        return detail::tap_stage<F, Next>{std::move(next), look, at.label, at.services()};
    }
};

/// Calls `function(record)` for each record that passes, and passes it on.
///
/// Shape       stream -> the same stream. On changes it sees what each row becomes.
/// Time        Event times and watermarks pass through unchanged.
/// State       None. What the function keeps is its own affair: after a restart it may see records again.
/// Errors      Run time: a function that throws is subject to on_error.
/// Complexity  One call per record.
template <class F>
constexpr auto tap(F function) {
    return tap_op<F>{std::move(function)};
}
}  // namespace driftless::inline v0
#endif
