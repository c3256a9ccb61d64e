// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_AS_INSERTS_HPP
#define DRIFTLESS_OP_AS_INSERTS_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/op/detail/changing_core.hpp>

#include <string_view>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class Next>
class as_inserts_stage : public forwarding<Next> {
    using forwarding<Next>::next_;

public:
    using records_only = void;
    using forwarding<Next>::forwarding;
    static constexpr bool tight = false;

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        next_.on_change(ctx, change<T>{nullptr, &record});
    }
};
}  // namespace detail

/// Takes each record for a row that is added. Made by as_inserts().
struct as_inserts_op : operator_base<as_inserts_op> {
    static constexpr std::string_view kind = "as_inserts";
    static constexpr bool remembers = false;

    template <class In>
    static constexpr bool accepts = !changelog<In> && !In::window::assigned;
    template <class In>
    using output_t =
        stream_of<typename In::record, In::timed, typename In::key, no_window, stream_kind::changes>;
    template <class In>
    static constexpr void refuse() {
        static_assert(!changelog<In>, "driftless: as_inserts makes changes of records, and its input yields changes");
        static_assert(!In::window::assigned,
            "driftless: as_inserts knows no windows: leave window(...) out, or put it before window(...)");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const&) const {
        return detail::as_inserts_stage<Next>{std::move(next)};
    }
};

/// Takes each record for a row that is added and stays: aggregates behind it answer every record, with no window.
///
/// Shape       record stream -> changes (nothing, record), one per record, with the same key. Keys tell groups here,
///             not rows: what keeps rows by key, such as a sink, sees the last one.
/// Time        Event times and watermark stay.
/// State       None. What is aggregated behind it is bounded by nothing but its keys: max_keys{n} or unbounded_state{}.
/// Batch       Same changes.
/// Errors      Compile time: changes, windows.
/// Complexity  O(1) per record, no allocation.
/// Source      Apache Flink, dynamic tables: the conversion of an append-only stream.
/// Example     examples/bank
constexpr as_inserts_op as_inserts() { return {}; }
}  // namespace driftless::inline v0
#endif
