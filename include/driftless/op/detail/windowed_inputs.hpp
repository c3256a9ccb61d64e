// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_WINDOWED_INPUTS_HPP
#define DRIFTLESS_OP_DETAIL_WINDOWED_INPUTS_HPP

#include <driftless/op/detail/group_core.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/op/detail/record_join_stage.hpp>
#include <driftless/op/window.hpp>

#include <utility>

namespace driftless::inline v0::detail {
/// Two inputs in the same windows, which an operator gathers until they close.
template <class Left, class Right>
struct windowed_inputs : two_inputs<Left, Right> {
    using base = two_inputs<Left, Right>;
    using windowing = typename base::left_stream::window::windowing;
    using is_stateful = void;
    static constexpr bool watermark_bounds = true;

    constexpr windowed_inputs(Left left, Right right) : base{{std::move(left), std::move(right)}} {}

protected:
    template <class Mode, class Next, class Rule, class Place>
    constexpr auto bind_group(Next next, Rule rule, Place const& at) const {
        using core =
            group_core<typename base::left_stream, typename base::right_stream, windowing, Rule, Mode::exact>;
        auto late_left = this->template late_output_of<0>(at);
        auto late_right = this->template late_output_of<1>(at);
        return make_record_join<Mode, typename base::left_stream, typename base::right_stream>(std::move(next),
            core{std::move(rule), *windowing_of(this->first_input()), at.label}, std::move(late_left),
            std::move(late_right), at.services());
    }
};
}  // namespace driftless::inline v0::detail
#endif
