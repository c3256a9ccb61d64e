// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FILTER_HPP
#define DRIFTLESS_OP_FILTER_HPP

#include <driftless/core/operator.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class F, class Next>
class filter_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    [[no_unique_address]] F keep_;
    operator_label label_;
    run_services* services_;

public:
    using records_only = void;
    constexpr filter_stage(Next next, F keep, operator_label label, run_services* services)
        : looking_through<Next>(std::move(next)), keep_(std::move(keep)), label_(label), services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        if (passes(ctx, record)) next_.on_record(ctx, record);
    }

    /// A side that does not pass is absent: a row that no longer passes becomes a delete.
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        bool const before = row.before != nullptr && passes(ctx, *row.before);
        bool const after = row.after != nullptr && passes(ctx, *row.after);
        bool const part = row.part != nullptr && passes(ctx, *row.part);
        if (before || after) {
            next_.on_change(ctx,
                change<T>{before ? row.before : nullptr, after ? row.after : nullptr, part ? row.part : nullptr});
        }
    }

private:
    template <class Ctx, class T>
    DRIFTLESS_INLINE constexpr bool passes(Ctx const& ctx, T const& record) {
        bool keep = false;
        guarded(services_, label_, ctx, [&]() noexcept(std::is_nothrow_invocable_v<F const&, T const&>) {
            keep = static_cast<bool>(keep_(record));
        });
        return keep;
    }
};
}  // namespace detail

/// Keeps the records for which a predicate holds. Made by filter().
template <class F>
struct filter_op : operator_base<filter_op<F>> {
    static constexpr std::string_view kind = "filter";
    static constexpr bool record_by_record = true;
    static constexpr bool keeps_record = true;
    [[no_unique_address]] F keep;

    explicit constexpr filter_op(F predicate) : keep(std::move(predicate)) {}

    template <class In>
    static constexpr bool accepts = std::is_invocable_r_v<bool, F const&, typename In::record const&>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(accepts<In>,
            "driftless: filter needs a predicate of the record: give it bool(T const&), where T is the "
            "record named in [with In = stream_of<T, ...>]");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        return detail::filter_stage<F, Next>{std::move(next), keep, at.label, at.services()};
    }
};

/// Keeps the records for which `predicate(record)` is true.
///
/// Shape       stream -> the same stream; zero or one out per record, order kept. On changes both sides
///             are asked: a row that no longer passes becomes a delete, one that now passes an insert.
/// Time        Event times and watermarks pass through unchanged, also past records that are dropped.
/// State       None.
/// Errors      Compile time: a predicate that cannot be called with the record. Run time: a predicate that
///             throws is subject to on_error.
/// Complexity  One call per record; no allocation.
template <class F>
constexpr auto filter(F predicate) {
    return filter_op<F>{std::move(predicate)};
}
}  // namespace driftless::inline v0
#endif
