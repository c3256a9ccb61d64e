// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_EXPECT_HPP
#define DRIFTLESS_OP_EXPECT_HPP

#include <driftless/core/operator.hpp>
#include <driftless/core/sink.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// What expect() does with a record that violates its predicate: counts it and passes it on.
struct count_violations {
    static constexpr std::string_view action = "count";
};
/// ... takes it out of the stream and hands it to the side output `Name`.
template <class Name>
struct divert_to {
    static constexpr std::string_view action = "divert";
    using output_name = Name;
    explicit constexpr divert_to(Name) {}
};
/// ... treats it as a failure: on_error decides (default: the run stops).
struct fail_on_violation {
    static constexpr std::string_view action = "fail";
};

namespace detail {
template <class Name, class Action, class F, class Diverted, class Next>
class expect_stage : public looking_through<Next> {
    using looking_through<Next>::next_;
    [[no_unique_address]] F holds_;
    [[no_unique_address]] Diverted diverted_;
    account account_;
    run_services* services_;

public:
    constexpr expect_stage(Next next, F holds, Diverted diverted, run_services* services)
        : looking_through<Next>(std::move(next)),
          holds_(std::move(holds)),
          diverted_(std::move(diverted)),
          account_{.label = {"expect", Name::value}},
          services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        bool holds = false;
        if (!guarded(services_, account_.label, ctx, [&] { holds = static_cast<bool>(holds_(record)); })) {
            return account_.refuse(reason::failed);
        }
        if (holds || violated(ctx, record)) {
            ++account_.applied;
            next_.on_record(ctx, record);
        }
    }
    constexpr void visit_state(auto&& visit) {
        visit("account", account_);
        next_.visit_state(visit);
    }

private:
    /// True if the record is to be passed on all the same.
    template <class Ctx, class T>
    DRIFTLESS_NOINLINE constexpr bool violated(Ctx const& ctx, T const& record) {
        if constexpr (std::same_as<Action, count_violations>) {
            ++account_.violations;
            return true;
        } else if constexpr (std::same_as<Action, fail_on_violation>) {
            services_->failed(account_.label, ctx.from, error_code::expectation, "the record violates it");
            account_.refuse(reason::violated);
            return false;
        } else {
            account_.refuse(reason::violated);
            diverted_.on_record(ctx, record);
            return false;
        }
    }
};
}  // namespace detail

/// Checks what the user expects of the records. Made by expect().
template <class Name, class F, class Action>
struct expect_op : operator_base<expect_op<Name, F, Action>> {
    static constexpr std::string_view kind = "expect";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    static constexpr bool shows_order = true;
    using side_output = Action;
    [[no_unique_address]] F holds;

    constexpr explicit expect_op(F predicate) : holds(std::move(predicate)) {}

    constexpr void describe(auto&& parameter) const {
        parameter("name", Name::value);
        parameter("violation", Action::action);
        if constexpr (requires { typename Action::output_name; }) parameter("output", Action::output_name::value);
    }
    template <class In>
    static constexpr bool accepts =
        std::is_invocable_r_v<bool, F const&, typename In::record const&> && !changelog<In>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        static_assert(!changelog<In>,
            "driftless: expect needs records, and its input yields changes: put expect before the aggregate");
        static_assert(std::is_invocable_r_v<bool, F const&, typename In::record const&>,
            "driftless: expect needs a predicate of the record: give it bool(T const&), where T is the "
            "record named in [with In = stream_of<T, ...>]");
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        if constexpr (requires { typename Action::output_name; }) {
            auto diverted = at.template side_output<typename Action::output_name, In>();
            return detail::expect_stage<Name, Action, F, decltype(diverted), Next>{std::move(next), holds,
                std::move(diverted), at.services()};
        } else {
            return detail::expect_stage<Name, Action, F, detail::nowhere, Next>{std::move(next), holds, {},
                at.services()};
        }
    }
};

/// Checks that `predicate(record)` holds, under a name, and counts, diverts or fails where it does not.
///
/// Shape       record stream -> the same stream; with divert_to and fail without the violating records.
/// Time        Event times and watermarks pass through unchanged.
/// State       One account: applied, refused (violated), violations seen.
/// Errors      fail_on_violation{}: the policy on_error decides, code `expectation`.
/// Complexity  One call and one count per record.
template <class Name, class F, class Action = count_violations>
constexpr auto expect(Name, F predicate, Action = {}) {
    return expect_op<Name, F, Action>{std::move(predicate)};
}
}  // namespace driftless::inline v0
#endif
