// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_PLACE_HPP
#define DRIFTLESS_CORE_PLACE_HPP

#include <driftless/core/pipeline.hpp>
#include <driftless/core/services.hpp>

namespace driftless::inline v0 {

/// Where an operator stands when its stage is made: what came before it, and what the job lends.
///
/// State       Borrowed; a stage keeps `services` (stable for the life of the job), never the place.
template <class Upstream, class Builder>
struct place {
    Upstream const& upstream;  ///< the pipeline before this operator
    Builder& builder;
    operator_label label;  ///< this operator's name in messages

    /// The job's services: error policy, threads.
    [[nodiscard]] DRIFTLESS_INLINE run_services* services() const { return builder.services(); }
    /// The terminal of the sink that is bound to a name, for side outputs of stream In.
    template <class Name, class In>
    [[nodiscard]] auto side_output() const {
        return builder.template side_output<Name, In>();
    }
};

namespace detail {
/// The nearest operator upstream with `Trait<Op>`, or null: how an aggregate finds its window.
template <template <class> class Trait, class P>
constexpr auto const* nearest(P const& upstream) {
    using op = typename P::op_type;
    if constexpr (Trait<op>::value) {
        return &upstream.op;
    } else if constexpr (is_root<P>) {
        if constexpr (requires { upstream.op.first_input(); }) {
            return nearest<Trait>(upstream.op.first_input());
        } else {
            return static_cast<void const*>(nullptr);
        }
    } else {
        return nearest<Trait>(upstream.prev);
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
