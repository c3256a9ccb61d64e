// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FAIL_ON_LATE_HPP
#define DRIFTLESS_OP_FAIL_ON_LATE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/op/late_to.hpp>

#include <string_view>

namespace driftless::inline v0 {

namespace detail {
/// The late output that ends the run.
class late_failure : public nowhere {
    operator_label label_;

public:
    explicit constexpr late_failure(operator_label label) : label_(label) {}

    template <class Ctx, class T>
    DRIFTLESS_NOINLINE void on_record(Ctx const& ctx, T const&) {
        throw error{error_code::expectation,
            sentence({label_.str(), " refused a record as late (partition ", std::uint64_t{ctx.from.partition},
                "), and fail_on_late() stands before it: allow more disorder or lateness, or send such records to "
                "late_to(...)"}),
            {}, ctx.from.offset};
    }
};
struct failing_late_output {
    static constexpr bool named = false;
    static constexpr auto output(auto const& at) { return late_failure{at.label}; }
};
}  // namespace detail

/// Ends the run at the first late record. Made by fail_on_late().
struct fail_on_late_op : late_to_op<detail::failing_late_output> {
    static constexpr std::string_view kind = "fail_on_late";
    constexpr void describe(auto&&) const {}

    template <class In>
    static constexpr void refuse() {
        static_assert(accepts<In>,
            "driftless: fail_on_late needs records that can be refused: put it between window(...) and the aggregate, "
            "or behind assign_time<&T::at>(...) and before sorted_by_time");
    }
};

/// Where no record may be late: the run ends at the first that the next stateful operator refuses.
///
/// Shape       stream -> the same stream.
/// Batch       Nothing is late in batch unless the pipeline is as_declared.
/// Errors      Compile time: records without event time, or that nothing refuses. Run time: code `expectation`, with
///             operator, partition and offset, whatever on_error says.
constexpr fail_on_late_op fail_on_late() { return {}; }
}  // namespace driftless::inline v0
#endif
