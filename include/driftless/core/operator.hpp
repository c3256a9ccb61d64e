// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_OPERATOR_HPP
#define DRIFTLESS_CORE_OPERATOR_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/name.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

template <class Op, class Name>
struct identified;

/// What every operator description derives from: it marks the type and gives it `.id(name)`.
///
/// An operator is a description, a small literal value with
///   static constexpr std::string_view kind          its name in messages, plans and fingerprints
///   template <class In> static constexpr bool accepts
///   template <class In> using output_t              a stream_of<...>
///   template <class In> static constexpr void refuse()   the sentence, as static_asserts
///   template <class In, class Mode> constexpr auto bind(auto next, auto const& place) const
///                                                   the stage around its successor
///   static constexpr bool keeps_record              what follows sees the very records (filter, tap)
///   static constexpr bool record_by_record          what becomes of a record depends on that record alone, and its
///                                                   functions may be called by several threads at once (optional)
///   static constexpr bool remembers                 false: what becomes of a record depends on that record alone, but
///                                                   one thread at a time. Without a word of either the operator is
///                                                   taken to remember, and gets its records in the order of the merge
///   static constexpr bool sees_order                true: what it does depends on the order of records (optional)
///   static constexpr bool shows_order               true: it does not, but calls who sees them one by one (optional)
///   static constexpr bool follows_watermark         true: what it does depends on when the watermark moves; a batch
///                                                   then makes watermarks as a stream does (optional)
///   static constexpr bool replayable                false: the log alone does not decide what it says; `asks_outside`,
///                                                   a type, where that is not the clock (optional)
///   using is_stateful = void                        keeps state: its rows are counted, its books are in the report
///                                                   (optional); then
///   template <class In> static constexpr combine_class combines    how freely its state may be put together
///   template <class In> using bounded_by            max_keys or unbounded_state, where no window bounds its state
///   void describe(auto& parameter) const            parameter("name", value) for plans (optional)
///   void validate() const                           throws error on a bad parameter (optional)
template <class Self>
struct operator_base {
    using is_operator = void;
    /// Names the operator: the name survives in fingerprints, snapshots, metrics and views.
    template <class Name>
    constexpr identified<Self, Name> id(Name) const {
        return identified<Self, Name>{static_cast<Self const&>(*this)};
    }
};

/// An operator with a name of the user's: the same operator otherwise.
template <class Op, class Name>
struct identified : Op {
    using id_type = Name;
    explicit constexpr identified(Op op) : Op(std::move(op)) {}
};

/// Op can follow a stream In (In may be a record type: int, event<int>).
template <class Op, class In>
concept operator_on = Op::template accepts<stream_t<In>>;

namespace detail {
template <class T>
concept operator_description = requires { typename T::is_operator; };

template <class Op>
struct id_of {
    using type = unnamed;
};
template <class Op>
    requires requires { typename Op::id_type; }
struct id_of<Op> {
    using type = typename Op::id_type;
};

/// What messages and metrics call an operator: "filter", or "filter 'cheap'" with an id.
template <class Op>
constexpr operator_label label_of() {
    return {Op::kind, id_of<Op>::type::value};
}

/// Calls a user function under the error policy of the run: false if it threw and the record is
/// to be left out. What cannot throw costs nothing.
template <class Services, class Ctx, class F>
DRIFTLESS_INLINE constexpr bool guarded(Services const& services, operator_label label, Ctx const& ctx, F&& f) {
    if constexpr (noexcept(f())) {
        f();
        return true;
    } else {
        try {
            f();
            return true;
        } catch (...) {
            services->user_function_threw(label, ctx.from);
            return false;
        }
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
