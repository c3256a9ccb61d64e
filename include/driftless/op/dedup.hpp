// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DEDUP_HPP
#define DRIFTLESS_OP_DEDUP_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/dedup_stage.hpp>
#include <driftless/op/expect.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/late_to.hpp>
#include <driftless/state/bound.hpp>
#include <driftless/time/window.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The whole record is its id.
struct whole_record {
    static constexpr bool members_only = true;
    template <class T>
    static constexpr bool applies = true;
    template <class T>
    DRIFTLESS_INLINE constexpr T const& operator()(T const& record) const noexcept {
        return record;
    }
};
/// What a plan says of an id: the members it reads, or nothing of the whole record.
template <class F>
struct dedup_id {
    [[no_unique_address]] F key_of;
    [[nodiscard]] constexpr F const& reads() const noexcept { return key_of; }
};
template <>
struct dedup_id<whole_record> {
    [[nodiscard]] constexpr whole_record reads() const noexcept { return {}; }
};
/// Nobody is told of the duplicates.
struct drop_duplicates {};

template <class T>
inline constexpr bool diverts = false;
template <class Name>
inline constexpr bool diverts<divert_to<Name>> = true;
template <class T>
concept dedup_bound = std::same_as<T, duration> || state_bound_option<T>;
template <class T>
concept dedup_option = std::same_as<T, allowed_lateness> || diverts<T>;

template <class... Options>
struct diverted_by {
    using type = drop_duplicates;
};
template <class First, class... Rest>
struct diverted_by<First, Rest...>
    : std::conditional_t<diverts<First>, std::type_identity<First>, diverted_by<Rest...>> {};

/// What a dedup cannot start with, in a sentence.
template <class Kept>
void validate_dedup([[maybe_unused]] Kept const& kept, allowed_lateness const& lateness) {
    lateness.validate();
    if constexpr (std::same_as<Kept, duration>) {
        if (kept > duration{}) return;
        throw error{error_code::invalid_argument,
            sentence({"dedup needs a time to live > 0, not ", kept.ns(), " ns: write dedup<&T::id>(1_h)"})};
    }
}
template <class F, class Kept, class Diverted>
constexpr void describe_dedup(auto&& parameter, Kept const& kept, allowed_lateness const& lateness) {
    if constexpr (std::same_as<F, whole_record>) parameter("id", std::string_view{"record"});
    if constexpr (std::same_as<Kept, duration>) {
        parameter("time to live", kept);
        lateness.describe(parameter);
    } else if constexpr (std::same_as<Kept, max_keys>) {
        parameter("max_keys", kept.count);
    } else {
        parameter("unbounded_state", true);
    }
    if constexpr (diverts<Diverted>) parameter("output", Diverted::output_name::value);
}
template <class F, class T>
inline constexpr bool yields_id = [] {
    if constexpr (!F::template applies<T>) return false;
    else return canonical_key<std::remove_cvref_t<std::invoke_result_t<F const&, T const&>>>;
}();
/// What every dedup asks of its input.
template <class In, class F, bool ByTime>
constexpr void refuse_dedup() {
    using record = typename In::record;
    static_assert(!changelog<In>,
        "driftless: dedup needs records, and its input yields changes: put dedup before the aggregate");
    static_assert(F::template applies<record>,
        "driftless: dedup needs a member or a function of the record: write dedup<&T::id>(1_h), or dedup(f, 1_h) "
        "with f(T const&), where T is the record named in [with In = stream_of<T, ...>]");
    if constexpr (F::template applies<record>) {
        static_assert(yields_id<F, record>,
            "driftless: dedup needs an id with canonical bytes: an integer, an enum, a text or string, a time, a "
            "tuple or optional of such, or a struct adapted with BOOST_HANA_ADAPT_STRUCT");
    }
    static_assert(timestamped<In> || !ByTime,
        "driftless: dedup remembers ids for a time, and its records have none: put assign_time<&T::at>(...) before "
        "it, or say dedup<&T::id>(max_keys{n}) or dedup<&T::id>(unbounded_state{})");
}
/// The stage of a dedup that keeps records by a policy.
template <class In, class Mode, class F, class Diverted, class Policy, class Kept, class Next, class Place>
constexpr auto bind_dedup(Policy policy, dedup_id<F> const& id_of, Kept const& kept, allowed_lateness lateness,
    Next next, Place const& at) {
    using record = typename In::record;
    using id = std::remove_cvref_t<std::invoke_result_t<F const&, record const&>>;
    constexpr bool by_time = std::same_as<Kept, duration>;
    auto late = late_output<In>(at);
    static_assert(by_time || std::same_as<decltype(late), nowhere>,
        "driftless: late_to stands before a dedup that refuses nothing as late: give dedup a time to live");
    auto removed = [&] {
        if constexpr (diverts<Diverted>) return at.template side_output<typename Diverted::output_name, In>();
        else return nowhere{};
    }();
    using memory = typename std::conditional_t<by_time,
        std::type_identity<ids_in_time<id, typename Policy::template state_in_time<record>, Mode::exact>>,
        std::type_identity<ids_for_ever<id, typename Policy::template state_for_ever<record>>>>::type;
    // A limit counts the ids of all shards; what borrows behind a record's back cannot wait for another thread; and
    // what decides on the order of reading has to have seen all that was read.
    constexpr bool may_shard = Mode::threads && !std::same_as<Kept, max_keys> && encodable<record>
        && !Next::guards_time && !Next::aligns;
    using shards = std::conditional_t<may_shard, dedup_shards<In, Policy, memory, id>, void>;
    auto made = [&] {
        if constexpr (by_time) return memory{kept, lateness.bound};
        else if constexpr (std::same_as<Kept, max_keys>) return memory{kept.count};
        else return memory{~std::uint64_t{0}};
    }();
    return dedup_stage<In, F, Policy, memory, shards, decltype(late), decltype(removed), Next>{std::move(next),
        id_of.reads(), std::move(policy), std::move(made), std::move(late), std::move(removed), at.label,
        at.services()};
}
}  // namespace detail

/// Lets the first record of each id pass. Made by dedup().
///
/// Kept        how long an id is remembered: a duration, max_keys or unbounded_state
template <class F, class Kept, class Diverted>
struct dedup_op : operator_base<dedup_op<F, Kept, Diverted>>, detail::dedup_id<F> {
    static constexpr std::string_view kind = "dedup";
    using is_stateful = void;
    static constexpr bool keeps_record = true;
    static constexpr bool by_time = std::same_as<Kept, duration>;
    template <class In>
    using bounded_by = Kept;

    [[no_unique_address]] Kept kept;
    allowed_lateness lateness{};

    constexpr dedup_op(detail::dedup_id<F> id, Kept bound, allowed_lateness late)
        : detail::dedup_id<F>(std::move(id)), kept(bound), lateness(late) {}

    void validate() const { detail::validate_dedup(kept, lateness); }
    constexpr void describe(auto&& parameter) const {
        detail::describe_dedup<F, Kept, Diverted>(parameter, kept, lateness);
    }

    template <class In>
    static constexpr bool accepts =
        !changelog<In> && detail::yields_id<F, typename In::record> && (timestamped<In> || !by_time);
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        detail::refuse_dedup<In, F, by_time>();
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        return detail::bind_dedup<In, Mode, F, Diverted>(
            detail::keep_first{}, *this, kept, lateness, std::move(next), at);
    }
};

namespace detail {
template <class F, dedup_bound Kept, dedup_option... Options>
constexpr auto make_dedup(dedup_id<F> id, Kept kept, Options... options) {
    static_assert((0 + ... + (std::same_as<Options, allowed_lateness> ? 1 : 0)) <= 1
            && (0 + ... + (diverts<Options> ? 1 : 0)) <= 1,
        "driftless: dedup has an option twice: leave one of them out");
    static_assert(std::same_as<Kept, duration> || !(std::same_as<Options, allowed_lateness> || ...),
        "driftless: dedup without a time to live refuses nothing as late: leave allowed_lateness{} out");
    allowed_lateness lateness{};
    [[maybe_unused]] auto const take = [&]<class Option>(Option const& option) {
        if constexpr (std::same_as<Option, allowed_lateness>) lateness = option;
    };
    (take(options), ...);
    return dedup_op<F, Kept, typename diverted_by<Options...>::type>{std::move(id), kept, lateness};
}
}  // namespace detail

/// Lets the first record of each id pass and removes its duplicates.
///
/// Shape       record stream -> the same stream without duplicates, in its order; windows and keys do not matter. The
///             id is a member, the tuple of several, what a function yields, or the whole record:
///             `dedup<&T::id>(1_h)`, `dedup(f, 1_h)`, `dedup(1_h)`. With divert_to{"name"_name} duplicates go to that
///             output.
/// Time        A record is a duplicate iff one with its id has passed whose event time is less than the time to live
///             away, before or after: |dt| < ttl. Which of two passes is decided by their order in the log (in merged
///             inputs, by the order of the merge), never by what the watermark or the pace was. A record is refused as
///             late iff watermark > at + allowed lateness; watermarks pass through unchanged, so that with
///             allowed_lateness{} what follows should allow for as much.
/// State       The ids that can still have duplicates: an id is remembered until watermark >= at + ttl + allowed
///             lateness, its memory comes back within another ttl. Without a time to live, which needs no event time:
///             unbounded_state{}, or max_keys{n}, which refuses new ids beyond n as `capacity`. Part of the snapshot.
/// Threads     In shards by the canonical hash of the id, in the order of one thread; with max_keys{n}, or where the
///             record has no codec, on the job's thread.
/// Batch       The same records; with the exact watermark nothing is late.
/// Errors      Compile time: no such member, an id without canonical bytes, changes. When the job starts: a time to
///             live <= 0. Run time: refusals `duplicate`, `late` (sent to late_to), `capacity`; a function that throws
///             is subject to on_error.
/// Complexity  O(1): up to three look-ups per record, mostly two, in tables that are dropped whole.
/// Source      SEMANTICS section 10a; Flink, RowTimeDeduplicateFunction.
/// Example     examples/fraud_alert.cpp
template <auto... Members, detail::dedup_bound Kept, detail::dedup_option... Options>
    requires(sizeof...(Members) > 0)
constexpr auto dedup(Kept kept, Options... options) {
    using f = detail::key_function<detail::member_projection<Members>...>;
    return detail::make_dedup(detail::dedup_id<f>{}, kept, options...);
}
template <detail::dedup_bound Kept, detail::dedup_option... Options>
constexpr auto dedup(Kept kept, Options... options) {
    return detail::make_dedup(detail::dedup_id<detail::whole_record>{}, kept, options...);
}
template <class F, detail::dedup_bound Kept, detail::dedup_option... Options>
    requires(!detail::dedup_bound<F>)
constexpr auto dedup(F id, Kept kept, Options... options) {
    using f = detail::key_function<decltype(detail::make_projection(id))>;
    return detail::make_dedup(detail::dedup_id<f>{f{detail::make_projection(std::move(id))}}, kept, options...);
}
/// How long ids are remembered has to be said.
template <auto... Members>
constexpr auto dedup() {
    static_assert(sizeof...(Members) > 1'000'000,
        "driftless: dedup remembers ids: say for how long, dedup<&T::id>(1_h), or dedup<&T::id>(max_keys{n}) or "
        "dedup<&T::id>(unbounded_state{})");
}
}  // namespace driftless::inline v0
#endif
