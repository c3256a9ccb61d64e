// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FLAT_MAP_HPP
#define DRIFTLESS_OP_FLAT_MAP_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// What a flat_map function is called with: out(row) hands one row on.
template <class Push>
struct emitter {
    Push push;
    template <class U>
    DRIFTLESS_INLINE constexpr void operator()(U const& row) const {
        push(row);
    }
};

/// Stands in for the emitter when a function is asked what it would emit.
template <class U>
struct emits_only {
    void operator()(U const&) const {}
};

template <class U, class F, class Next>
class flat_map_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    [[no_unique_address]] F function_;
    operator_label label_;
    run_services* services_;
    std::size_t since_settled_ = 0;  // one record may become any number of them

public:
    using records_only = void;
    constexpr flat_map_stage(Next next, F function, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)), function_(std::move(function)), label_(label), services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        expand(ctx, record, [&](U const& row) DRIFTLESS_INLINE_LAMBDA {
            next_.on_record(ctx, row);
            if (++since_settled_ == burst_limit) settle();
        });
    }

    constexpr void settle() {
        since_settled_ = 0;
        next_.settle();
    }

    /// Rows have no identity across a flat_map: the old row's are taken back, then the new row's added.
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        if (row.before != nullptr) {
            expand(ctx, *row.before, [&](U const& old) { next_.on_change(ctx, change<U>{&old, nullptr}); });
        }
        if (row.after != nullptr) {
            expand(ctx, *row.after, [&](U const& now) { next_.on_change(ctx, change<U>{nullptr, &now}); });
        }
    }

private:
    /// What is thrown downstream, inside out(row), has been dealt with there: only the function's own
    /// exception is this operator's failure.
    template <class Ctx, class T, class Push>
    DRIFTLESS_INLINE constexpr void expand(Ctx const& ctx, T const& record, Push push) {
        bool downstream = false;
        auto const hand_on = [&](U const& row) DRIFTLESS_INLINE_LAMBDA {
            downstream = true;
            push(row);
            downstream = false;
        };
        try {
            function_(record, emitter<decltype(hand_on)>{hand_on});
        } catch (...) {
            if (downstream) throw;
            services_->user_function_threw(label_, ctx.from);
        }
    }
};
}  // namespace detail

/// Turns each record into any number of rows of type U. Made by flat_map<U>().
template <class U, class F>
struct flat_map_op : operator_base<flat_map_op<U, F>> {
    static constexpr std::string_view kind = "flat_map";
    static constexpr bool record_by_record = true;
    using moves_rows = void;  // one row becomes several
    [[no_unique_address]] F function;

    explicit constexpr flat_map_op(F f) : function(std::move(f)) {}

    template <class In>
    static constexpr bool callable =
        std::is_invocable_v<F const&, typename In::record const&, detail::emitter<detail::emits_only<U>>>;
    /// Rows of a flat_map have no identity: a part of one does not say which row it is of.
    template <class In>
    static constexpr bool whole_rows = [] {
        if constexpr (requires { In::window::in_parts; }) return !In::window::in_parts;
        else return true;
    }();
    template <class In>
    static constexpr bool accepts = callable<In> && whole_rows<In>;
    template <class In>
    using output_t = typename In::template with_record<U>;
    template <class In>
    static constexpr void refuse() {
        static_assert(whole_rows<In>,
            "driftless: flat_map<U> cannot take panes that are discarding{}: leave that out of window(...), or "
            "aggregate behind it");
        static_assert(callable<In>,
            "driftless: flat_map<U> needs a function of the record and an emitter: give it "
            "void(T const&, auto out) and call out(row) with a U for each row");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        return detail::flat_map_stage<U, F, Next>{std::move(next), function, at.label, at.services()};
    }
};

/// Turns each record into any number of rows: `function(record, out)` calls `out(row)` for each.
///
/// Shape       stream of T -> stream of U; any number out per record, in the order of the calls. On changes
///             the rows of the old record are taken back, then those of the new one added.
/// Time        Rows have the event time of their record; watermarks pass through unchanged.
/// State       None. Rows are borrowed for the call of `out`.
/// Errors      Compile time: a function that cannot be called so. Run time: a function that throws is
///             subject to on_error; rows it had handed on stay.
/// Complexity  One call per record, one push per row; no container, no allocation.
template <class U, class F>
constexpr auto flat_map(F function) {
    return flat_map_op<U, F>{std::move(function)};
}
}  // namespace driftless::inline v0
#endif
