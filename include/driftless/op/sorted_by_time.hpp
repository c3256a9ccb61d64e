// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_SORTED_BY_TIME_HPP
#define DRIFTLESS_OP_SORTED_BY_TIME_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/release_stage.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace driftless::inline v0 {

/// Hands records on in the order of their event times. Made by sorted_by_time().
struct sorted_by_time_op : operator_base<sorted_by_time_op> {
    static constexpr std::string_view kind = "sorted_by_time";
    using is_stateful = void;

    allowed_lateness lateness{};

    void validate() const { lateness.validate(); }
    constexpr void describe(auto&& parameter) const { lateness.describe(parameter); }

    template <class In>
    static constexpr bool watermark_bounds = true;
    template <class In>
    static constexpr bool accepts = timestamped<In> && !changelog<In> && encodable<typename In::record>
        && std::default_initializable<typename In::record>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(timestamped<In>,
            "driftless: sorted_by_time needs records with an event time: put assign_time<&T::at>(...) before it");
        static_assert(!changelog<In>,
            "driftless: sorted_by_time needs records, and its input yields changes: put it before the aggregate");
        static_assert(encodable<typename In::record> && std::default_initializable<typename In::record>,
            "driftless: sorted_by_time keeps records, and this one has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        auto late = detail::late_output<In>(at);
        return detail::release_stage<In, detail::wait_for_time, Mode::exact, decltype(late), Next>{
            std::move(next), {}, lateness.bound, std::move(late), at.label};
    }
};

/// Sorts: holds each record until nothing earlier is expected, and hands records on by event time.
///
/// Shape       record stream -> the same stream, in ascending order of event time; records of one time in the order
///             of the input (partitions merged by time, partition, offset). Windows and keys do not matter.
/// Time        A record at t is handed on when watermark > t + allowed lateness, and refused as late by the same
///             predicate: t < watermark - allowed lateness. The watermark goes on less the allowed lateness, so that
///             nothing is late behind it.
/// State       Every record between that watermark and the newest one, with its key and a copy of its text; part of the
///             snapshot. Not keyed, and not sharded: the order is one for all keys.
/// Batch       The same records in the same order; with the exact watermark nothing is late and lateness is left out.
/// Errors      Compile time: records without event time or codec, changes. When the job starts: a lateness < 0.
///             Run time: refusals `late`, sent to late_to.
/// Complexity  O(1) for a record that comes in order, O(log held) for others; no allocation in steady state.
/// Source      SEMANTICS section 10; case S-14.
/// Example     examples/in_order.cpp
constexpr sorted_by_time_op sorted_by_time(allowed_lateness lateness = {}) { return {{}, lateness}; }
}  // namespace driftless::inline v0
#endif
