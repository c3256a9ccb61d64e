// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_ADAPT_RANGE_V3_HPP
#define DRIFTLESS_ADAPT_RANGE_V3_HPP

#include <driftless/io/into.hpp>
#include <driftless/run/input.hpp>

#include <range/v3/range/concepts.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/range/traits.hpp>

#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Any range as the input of a job: run(batch{}, p, from_range(view)).
///
/// Shape       The elements of a range-v3 or standard range, in its order, as records. The range is read once,
///             when this is called: a view is evaluated here, each of its functions once per element.
/// State       Owns the elements. A contiguous range of records needs none of this: pass it to run as it is.
/// Complexity  One pass, one copy per element.
template <ranges::input_range Range>
[[nodiscard]] auto from_range(Range&& range) {
    return std::forward<Range>(range) | ranges::to<std::vector<ranges::range_value_t<Range>>>();
}
}  // namespace driftless::inline v0
#endif
