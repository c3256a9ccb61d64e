// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_ENRICH_HPP
#define DRIFTLESS_OP_ENRICH_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/call_executor.hpp>
#include <driftless/core/joined.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/place.hpp>
#include <driftless/op/detail/enrich_stage.hpp>
#include <driftless/state/bound.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// How many records may be under way in an enrich: called for, or with their answers waiting for their turn.
class concurrency {
    std::size_t count_;
    detail::call_executor_handle (*start_)(std::size_t) = nullptr;

public:
    static constexpr bool is_enrich_option = true;
    template <std::integral Count>
    explicit constexpr concurrency(Count count) : count_(count < 1 ? 0 : static_cast<std::size_t>(count)) {
        if constexpr (detail::call_pool_included<Count>) start_ = &detail::call_pool_for<Count>::start;
    }
    [[nodiscard]] constexpr std::size_t count() const noexcept { return count_; }
    /// As many threads, started as they are needed; nothing where run/call_pool.hpp was not included.
    [[nodiscard]] detail::call_executor_handle start() const {
        return start_ != nullptr ? start_(count_) : detail::call_executor_handle{};
    }
};

/// A call of an enrich that takes longer is given up, and has failed. It runs on: what it yields is not looked at.
struct call_timeout {
    static constexpr bool is_enrich_option = true;
    duration after;
};

/// A call of an enrich that failed is made again: `count` times, after `pause`, twice as much, four times...
struct retries {
    static constexpr bool is_enrich_option = true;
    std::uint64_t count;
    duration pause{};
    duration longest = duration::max();  ///< no pause is longer
};

/// Lets a record of an enrich go on when its answer is there, though others wait before it.
struct unordered {
    static constexpr bool is_enrich_option = true;
};

/// Where the calls of an enrich run, in place of threads of its own. Several may share one; it has to outlive the job.
class calls_on {
    call_executor* executor_;

public:
    static constexpr bool is_enrich_option = true;
    explicit constexpr calls_on(call_executor& executor) noexcept : executor_(&executor) {}
    [[nodiscard]] detail::call_executor_handle handle() const noexcept { return {executor_, nullptr}; }
};

namespace detail {
struct own_threads {};

template <class T>
concept enrich_option = requires { requires T::is_enrich_option; };

/// What enrich yields without a function of the user's.
struct joins_answer {
    template <class T, class Answer>
    constexpr joined<T, Answer> operator()(T const& record, Answer const& answer) const {
        return {record, answer};
    }
};

template <class Record, class F>
struct answer_to {
    using type = void;
};
template <class Record, class F>
    requires std::is_invocable_v<F const&, Record const&>
struct answer_to<Record, F> {
    using type = std::remove_cvref_t<std::invoke_result_t<F const&, Record const&>>;
};
template <class Record, class F, class Combine>
struct enriched {
    using answer = typename answer_to<Record, F>::type;
    static constexpr bool answers = !std::is_void_v<answer>;
    static constexpr bool fits = [] {
        if constexpr (!answers) return false;
        else return std::is_invocable_v<Combine const&, Record const&, answer const&>;
    }();
    using type = std::remove_cvref_t<typename decltype([] {
        if constexpr (fits) return std::invoke_result<Combine const&, Record const&, answer const&>{};
        else return std::type_identity<void>{};
    }())::type>;
};
template <class T>
concept kept_by_enrich = encodable<T> && std::default_initializable<T>;
}  // namespace detail

/// Asks the outside about each record. Made by enrich().
template <class F, class Combine, class Where, bool InOrder>
struct enrich_op : operator_base<enrich_op<F, Combine, Where, InOrder>> {
    static constexpr std::string_view kind = "enrich";
    using is_stateful = void;
    static constexpr bool replayable = false;
    using asks_outside = void;
    template <class In>
    using bounded_by = max_keys;

    [[no_unique_address]] F function;
    [[no_unique_address]] Combine combine;
    concurrency at_a_time;
    call_timeout limit;
    retries again;
    [[no_unique_address]] Where where;

    constexpr enrich_op(F f, Combine c, concurrency n, call_timeout t, retries r, Where w)
        : function(std::move(f)), combine(std::move(c)), at_a_time(n), limit(t), again(r), where(w) {}

    // With other numbers it is the same operator, and takes up the same snapshot.
    constexpr void describe(auto&& parameter) const {
        if constexpr (!InOrder) parameter("unordered", true);
    }
    void validate() const {
        auto const refuse = [](char const* why) { throw error{error_code::invalid_argument, why}; };
        if (at_a_time.count() == 0) refuse("enrich needs a concurrency > 0: write enrich(f, concurrency{8})");
        if (limit.after <= duration{}) refuse("enrich needs a call_timeout > 0");
        if (again.pause < duration{} || again.longest < duration{}) refuse("enrich needs retries with pauses >= 0");
    }

    template <class In>
    using row_t = detail::enriched<typename In::record, F, Combine>;
    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (changelog<In> || !row_t<In>::fits) return false;
        else {
            using answer = typename row_t<In>::answer;
            return !has_text<answer> && detail::kept_by_enrich<answer> && detail::kept_by_enrich<typename In::record>;
        }
    }();
    template <class In>
    using output_t = typename In::template with_record<typename row_t<In>::type>;
    template <class In>
    static constexpr void refuse() {
        static_assert(!changelog<In>,
            "driftless: enrich needs records, and its input yields changes: put enrich before the aggregate");
        static_assert(row_t<In>::answers,
            "driftless: enrich needs a function of the record that returns the answer: give it A(T const&), where T is "
            "the record named in [with In = stream_of<T, ...>]");
        static_assert(!row_t<In>::answers || row_t<In>::fits,
            "driftless: enrich puts record and answer together by a function of yours that does not take them: give it "
            "U(T const&, A const&)");
        if constexpr (row_t<In>::answers) {
            using answer = typename row_t<In>::answer;
            static_assert(!has_text<answer>,
                "driftless: an answer outlives the call that found it, and a text does not: return std::string in its "
                "place");
            static_assert(detail::kept_by_enrich<answer>,
                "driftless: enrich keeps answers, and this one has no codec: write BOOST_HANA_ADAPT_STRUCT(A, "
                "members...)");
        }
        static_assert(detail::kept_by_enrich<typename In::record>,
            "driftless: enrich keeps records while they are asked about, and this one has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using answer = typename row_t<In>::answer;
        using calls = detail::enrich_calls<In, F, answer>;
        auto executor = [&] {
            if constexpr (std::same_as<Where, detail::own_threads>) return at_a_time.start();
            else return where.handle();
        }();
        detail::call_rules const rules{at_a_time.count(), limit.after, again.count, again.pause, again.longest,
            InOrder};
        auto* const made =
            at.builder.template own<calls>(function, rules, std::move(executor), at.label, at.services());
        made->meets_others = Next::meets_others;
        return detail::enrich_stage<calls, Combine, typename row_t<In>::type, Next>{std::move(next), made, combine};
    }
};

namespace detail {
template <class Wanted, class... Options>
constexpr Wanted enrich_option_or(Wanted otherwise, Options const&... options) {
    [[maybe_unused]] auto const take = [&]<class Option>(Option const& option) {
        if constexpr (std::same_as<Option, Wanted>) otherwise = option;
    };
    (take(options), ...);
    return otherwise;
}
template <class First, class... Rest>
constexpr auto first_function(First const& first, Rest const&... rest) {
    if constexpr (enrich_option<First>) return first_function(rest...);
    else return first;
}
template <class First, class... Rest>
constexpr calls_on first_executor(First const& first, Rest const&... rest) {
    if constexpr (std::same_as<First, calls_on>) return first;
    else return first_executor(rest...);
}
}  // namespace detail

/// Asks the outside about each record: a data base, a service. Many calls are under way at a time, and order is kept.
///
/// Shape       record stream of T -> record stream of joined<T, A>, where `A f(T const&)` finds the answer; or of what
///             `combine(T const&, A const&)` returns. One out per record, in the order of the records. Key, window and
///             event time stay. Options: call_timeout{d}, retries{n, pause}, calls_on(executor), unordered{}.
/// Order       That of the input. With unordered{} a record may overtake others, and watermarks up to its own time. The
///             answers that are written down stand in the order in which their records went on: a replay has it again.
/// Time        Watermarks wait for the records before them: nothing is late behind enrich that was not before it.
/// Threads     Calls run on up to `concurrency{n}` threads of the operator's own, several at a time: f has to be safe
///             for that. `combine` runs on the thread of the job.
/// State       At most n records under way; then the input waits. Part of the snapshot; a record that has no answer yet
///             is asked about again after a restore. Answers are written down where the run says so,
///             stream{.answers = answers_in(log)}: a replay reads them in place of asking.
/// Batch       The same, the answers included: batch{.answers = answers_in(log)}.
/// Errors      Compile time: changes, other functions, records or answers without codec. When the job starts:
///             concurrency < 1, a timeout <= 0, pauses < 0; answers that are not those of this input (mismatch). Run
///             time: a call that throws, or takes longer than call_timeout, is made again as `retries` says; then its
///             record is subject to on_error, in its turn.
/// Limits      The end of a job waits for the calls that are running, those given up too.
/// Complexity  One call per record; one copy of the record, and nothing allocated in steady state but by f.
/// Source      Flink, AsyncDataStream.orderedWait.
/// Example     examples/orders_in_euros.cpp
template <class F, class... Options>
constexpr auto enrich(F function, concurrency at_a_time, Options... options) {
    constexpr bool shared = (std::same_as<Options, calls_on> || ...);
    static_assert(shared || detail::call_pool_included<F>,
        "driftless: enrich calls on threads of its own: #include <driftless/run/call_pool.hpp> (or "
        "<driftless/driftless.hpp>), or say calls_on(executor)");
    static_assert((std::size_t{0} + ... + (detail::enrich_option<Options> ? 0u : 1u)) <= 1,
        "driftless: enrich takes one function that finds the answer and one that combines: leave the others out");
    auto combine = [&] {
        if constexpr ((detail::enrich_option<Options> && ...)) return detail::joins_answer{};
        else return detail::first_function(options...);
    }();
    auto const where = [&] {
        if constexpr (shared) return detail::first_executor(options...);
        else return detail::own_threads{};
    }();
    constexpr bool in_order = !(std::same_as<Options, unordered> || ...);
    return enrich_op<F, decltype(combine), std::remove_const_t<decltype(where)>, in_order>{std::move(function),
        std::move(combine), at_a_time, detail::enrich_option_or(call_timeout{duration::max()}, options...),
        detail::enrich_option_or(retries{0}, options...), where};
}
}  // namespace driftless::inline v0
#endif
