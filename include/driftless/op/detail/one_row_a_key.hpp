// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ONE_ROW_A_KEY_HPP
#define DRIFTLESS_OP_DETAIL_ONE_ROW_A_KEY_HPP

#include <driftless/core/pipeline.hpp>

namespace driftless::inline v0::detail {

/// Whether a changelog has at most one row for each key (and window): an operator makes such rows (`makes_rows`: table,
/// aggregate), and none behind it gives them other keys or makes several of one (`moves_rows`: key_by, flat_map).
template <class P>
consteval bool one_row_a_key() {
    using op = typename P::op_type;
    if constexpr (requires { typename op::makes_rows; }) return true;
    else if constexpr (is_root<P> || requires { typename op::moves_rows; }) return false;
    else return one_row_a_key<typename P::prev_type>();
}
}  // namespace driftless::inline v0::detail
#endif
