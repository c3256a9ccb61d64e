// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_MAP_HPP
#define DRIFTLESS_OP_MAP_HPP

#include <driftless/core/operator.hpp>

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class F, class Next>
class map_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    [[no_unique_address]] F function_;
    operator_label label_;
    run_services* services_;

    template <class T>
    using result_t = std::remove_cvref_t<std::invoke_result_t<F const&, T const&>>;

public:
    using records_only = void;
    constexpr map_stage(Next next, F function, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)), function_(std::move(function)), label_(label), services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        if constexpr (std::is_nothrow_invocable_v<F const&, T const&>) {
            next_.on_record(ctx, function_(record));
        } else {
            // The result leaves the guarded block before it is pushed: what throws further down
            // is not this function's failure.
            std::optional<result_t<T>> result;
            if (guarded(services_, label_, ctx, [&] { result.emplace(function_(record)); })) {
                next_.on_record(ctx, *result);
            }
        }
    }

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        std::optional<result_t<T>> before;
        std::optional<result_t<T>> after;
        // A side that cannot be mapped is absent, as it was, or will be, when it is the other side.
        guarded(services_, label_, ctx, [&] {
            if (row.before != nullptr) before.emplace(function_(*row.before));
        });
        guarded(services_, label_, ctx, [&] {
            if (row.after != nullptr) after.emplace(function_(*row.after));
        });
        std::optional<result_t<T>> part;
        guarded(services_, label_, ctx, [&] {
            if (row.part != nullptr) part.emplace(function_(*row.part));
        });
        if (before || after) {
            next_.on_change(ctx,
                change<result_t<T>>{
                    before ? &*before : nullptr, after ? &*after : nullptr, part ? &*part : nullptr});
        }
    }
};
}  // namespace detail

/// Turns each record into another. Made by map().
template <class F>
struct map_op : operator_base<map_op<F>> {
    static constexpr std::string_view kind = "map";
    static constexpr bool record_by_record = true;
    [[no_unique_address]] F function;

    explicit constexpr map_op(F f) : function(std::move(f)) {}

    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (std::is_invocable_v<F const&, typename In::record const&>) {
            return !std::is_void_v<std::invoke_result_t<F const&, typename In::record const&>>;
        } else {
            return false;
        }
    }();
    template <class In>
    using output_t = typename In::template with_record<
        std::remove_cvref_t<std::invoke_result_t<F const&, typename In::record const&>>>;
    template <class In>
    static constexpr void refuse() {
        static_assert(accepts<In>,
            "driftless: map needs a function of the record that returns a value: give it U(T const&), where "
            "T is the record named in [with In = stream_of<T, ...>]");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        return detail::map_stage<F, Next>{std::move(next), function, at.label, at.services()};
    }
};

/// Turns each record into `function(record)`.
///
/// Shape       stream of T -> the same stream of U; one out per record, order kept. Key and window stay.
///             On changes the function is applied to both sides.
/// Time        Event times and watermarks pass through unchanged.
/// State       None. The function must not return a `text` into its own locals: the record it returns
///             is borrowed by what follows, what its `text` points to must be the input's or static.
/// Errors      Compile time: a function that cannot be called with the record, or returns nothing. Run
///             time: a function that throws is subject to on_error.
/// Complexity  One call per record; no allocation of its own.
template <class F>
constexpr auto map(F function) {
    return map_op<F>{std::move(function)};
}
}  // namespace driftless::inline v0
#endif
