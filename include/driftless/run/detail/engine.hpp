// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_ENGINE_HPP
#define DRIFTLESS_RUN_DETAIL_ENGINE_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/run/detail/batch_mode.hpp>
#include <driftless/run/detail/bindings.hpp>
#include <driftless/run/detail/frontier_teller.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/detail/graph_builder.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/detail/last_stage.hpp>
#include <driftless/run/detail/order_free.hpp>
#include <driftless/run/detail/partition_plan.hpp>
#include <driftless/run/detail/visitors.hpp>
#include <driftless/run/input.hpp>
#include <driftless/run/report.hpp>
#include <driftless/run/results.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// A pipeline with its inputs and sinks, ready to be fed: what batch, stream and job are made of.
template <class Mode, class P, class... Args>
class engine {
    using last = last_stage<P, Args...>;
    using sources = typename sources_of<type_list<>, P>::type;
    using args_t = std::tuple<Args...>;

    P pipeline_;
    args_t args_;
    run_services services_;
    owned_nodes nodes_;
    graph_builder<args_t> builder_{&services_, &nodes_, &args_};
    using heads_t = decltype(make_graph<Mode>(std::declval<P const&>(), std::declval<typename last::type>(),
        std::declval<graph_builder<args_t>&>()));
    heads_t heads_;
    growing_array<lane*> lanes_;
    read_limits* limits_ = nullptr;
    std::uint64_t records_ = 0;
    bool ended_ = false;  // finish() has told the watermark +inf
    std::uint32_t current_partition_[std::tuple_size_v<heads_t>] = {};  // of each input
    /// Everything goes through exact aggregates, and no tap or limit looks on.
    static constexpr bool order_unseen =
        Mode::exact && find_order_free<P, false>() && !any_operator<shows_order, P>();
    static constexpr std::size_t head_count = std::tuple_size_v<heads_t>;

    template <std::size_t I>
    using chain_t = typename std::tuple_element_t<I, heads_t>::chain_type;
    template <std::size_t I>
    using root_t = typename std::tuple_element_t<I, heads_t>::pipeline_type;
    template <std::size_t I>
    static constexpr std::size_t ordinal = index_in<sources, typename root_t<I>::op_type>::value;
    template <std::size_t I>
    static constexpr std::size_t argument = input_position<ordinal<I>, Args...>(sources{});
    template <std::size_t I>
    using input_t = input_of<std::remove_cvref_t<decltype(target_of(std::get<argument<I>>(std::declval<args_t&>())))>>;
    template <std::size_t I>
    using log_t = std::remove_cvref_t<decltype(*std::declval<input_t<I> const&>())>;
    template <std::size_t I>
    using head_time_t =
        head_time<typename root_t<I>::op_type::element, typename source_time<P, typename root_t<I>::op_type>::type>;
    template <std::size_t I>
    using lane_t = typed_lane<log_t<I>, chain_t<I>, head_time_t<I>, Mode>;
    static constexpr bool may_split = [] {
        if constexpr (head_count == 1 && Mode::threads && (order_unseen || Mode::stream)) return aggregates_first<P>;
        else return false;
    }();

    /// Lanes wait for one another where the order of the merge is not that of event time anyway.
    static constexpr bool aligns = []<std::size_t... I>(std::index_sequence<I...>) {
        static_assert(!any_operator<asks_to_align, P>() || (chain_t<I>::aligns || ...),
            "driftless: align stands where it cannot hold an input back, behind a join or in a branch of a fork: put "
            "it into the assign_time of the inputs, before them");
        return (chain_t<I>::aligns || ...) && !(head_time_t<I>::known && ...);
    }(std::make_index_sequence<head_count>{});

public:
    /// Every record is an epoch of its own.
    static constexpr bool tells_epochs = []<class... Head>(std::tuple<Head...> const*) {
        return (Head::chain_type::wants_epochs || ...);
    }(static_cast<heads_t const*>(nullptr));

    engine(P const& pipeline, results_of<output_of<P>>* rows, error_policy policy, executor* threads, Args&&... args)
        : pipeline_(pipeline),
          args_(std::forward<Args>(args)...),
          services_{.policy = policy,
              .threads = tells_epochs ? nullptr : threads,
              .partials = may_read_in_parts(policy, threads)},
          heads_(make_graph<Mode>(pipeline_, last::make(args_, rows), builder_)) {
        open_lanes(std::make_index_sequence<head_count>{});
        if constexpr (splits) {
            if (!services_.partials) return;
            using front = typename plan_t::front;
            auto* const input = nodes_.template make<typename plan_t::input>(target_of(std::get<argument<0>>(args_)));
            workers_ = nodes_.template make<partition_workers<plan_t>>(threads, **input, std::get<0>(heads_).chain,
                part_of<front>(pipeline_), services_, builder_, lanes_, records_);
        }
    }
    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    /// Batch: everything the inputs hold now, then the end.
    ///
    /// look        called between two runs of records
    template <class Look>
    void run_to_end(Look const& look) {
        for (auto* const each : lanes_) each->extend();
        if constexpr (Mode::exact) {
            for (auto* const each : lanes_) each->plan();
            while (feed_exact()) look();
            if constexpr (splits) {
                if (workers_ != nullptr) {
                    auto const complete = workers_->complete_to(event_time::max());
                    if (complete != event_time::max()) announce(*lanes_[0], complete);
                    workers_->throw_first();
                }
            }
        } else {
            while (feed_some(absent, true) != 0) look();
        }
        finish();
    }
    /// Stream: what the inputs hold now, at most `budget` records; how many were read. `cut` says that
    /// each partition ends where extend() found it last; else one without records holds the others.
    std::size_t poll(std::size_t budget, bool cut) {
        if (!cut) extend();
        auto const fed = feed(budget, cut);
        pause();
        return fed;
    }
    /// All that was read comes through, and sinks that serve readers are told how far that is.
    void pause() {
        each_chain([](auto& chain) { chain.on_chunk(); });
        tell_frontier();
    }
    /// Processing time, and all that it changes: no record may follow for long.
    void on_clock(event_time now) {
        each_chain([&](auto& chain) { chain.on_clock(now); });
        if constexpr (tells_epochs) each_chain([&](auto& chain) { chain.on_epoch(records_); });
    }
    /// The records of a poll.
    std::size_t feed(std::size_t budget, bool cut) {
        if constexpr (splits && Mode::stream) {
            if (workers_ != nullptr && limits_ == nullptr && budget >= worth_handing_over && is_much_to_read()) {
                auto const all = workers_->feed(budget, cut, current_partition_[lanes_[0]->input]);
                records_ += all;
                return all;
            }
        }
        std::size_t fed = 0;
        while (fed < budget) {
            auto const some = feed_some(budget - fed, cut);
            if (some == 0) break;
            fed += some;
        }
        return fed;
    }
    /// Polls of so many records keep all threads at work.
    [[nodiscard]] std::size_t enough_for_a_poll(std::size_t of_one_thread) const noexcept {
        if constexpr (splits) {
            if (workers_ != nullptr) return 8 * of_one_thread;
        }
        return of_one_thread;
    }
    /// From now on polls read no more than that allows.
    void limit(read_limits& by) noexcept { limits_ = &by; }
    /// The last poll ended because of it.
    [[nodiscard]] bool held_back() const noexcept { return limits_ != nullptr && limits_->holds(); }
    /// Lanes that are idle end where they stand until somebody says that they are active.
    void extend() {
        for (auto* const each : lanes_) {
            if (!each->idle) each->extend();
        }
    }

    /// The end of all inputs: the watermark +inf fires what is open.
    void finish() {
        each_chain([](auto& chain) { chain.on_watermark(event_time::max()); });
        each_chain([](auto& chain) { chain.on_end(); });
        ended_ = true;
        tell_frontier(true);
    }

    [[nodiscard]] report make_report() {
        report out;
        fill(out);
        return out;
    }
    /// The same into one that was used before: its memory is used again.
    void fill(report& out) {
        if constexpr (splits) {
            if (!Mode::stream && workers_ != nullptr) workers_->collect();  // they are at work between two polls
        }
        out.records = records_;
        out.failures = services_.failures.refusals();
        out.state_bytes = 0;
        out.watermarks.clear();
        fill_partitions(out);
        fill_sinks(out);
        out.failed.clear();
        for (auto const& each : services_.failed_as.all()) out.failed.push_back({each.label, each.code, each.records});
        std::size_t stages = 0;
        std::size_t first = 0;
        each_chain([&](auto& chain) {
            std::size_t count = 0;
            auto const input = lanes_[first]->input;
            while (first + count < lanes_.size() && lanes_[first + count]->input == input) ++count;
            report_visitor visit{out, stages, out.partitions[first].input, out.partitions.data() + first, count};
            chain.visit_state(visit);
            if constexpr (Mode::exact) {
                auto const at = ended_ ? event_time::max() : lanes_[first]->announced;
                out.watermarks.push_back({out.partitions[first].input, at, at});
            }
            first += count;
        });
        out.stages.resize(stages);
    }
    void fill_sinks(report& out) {
        out.sinks.clear();
        std::apply([&](auto const&... arg) { (fill_sink(arg, out), ...); }, args_);
    }
    /// Asks the inputs to wake somebody up when they grow; false if one of them may grow without.
    template <class Wakeup>
    bool subscribe(Wakeup& who) {
        bool all = true;
        each_input([&](auto const& log) {
            if constexpr (!requires { log.subscribe(who); }) all = false;
            else if constexpr (std::is_void_v<decltype(log.subscribe(who))>) log.subscribe(who);
            else all = log.subscribe(who) && all;
        });
        return all;
    }
    template <class Wakeup>
    void unsubscribe(Wakeup& who) {
        each_input([&](auto const& log) {
            if constexpr (requires { log.unsubscribe(who); }) log.unsubscribe(who);
        });
    }

    /// Some sink takes part in snapshots.
    static constexpr bool has_transactional_sinks =
        (transactional_sink<std::remove_cvref_t<decltype(target_of(std::declval<Args&>()))>> || ...);
    template <class F>
    void each_transactional_sink(F&& f) {
        std::apply(
            [&](auto&... arg) {
                auto const one = [&](auto& target) {
                    if constexpr (transactional_sink<std::remove_cvref_t<decltype(target)>>) f(target);
                };
                (one(target_of(arg)), ...);
            },
            args_);
    }
    /// Without snapshots a run is one transaction: from the beginning of the inputs to their end.
    void begin_transaction([[maybe_unused]] std::string_view job_name) {
        each_transactional_sink(
            [&](auto& sink) { sink.recover(driftless::sink_position{std::string{job_name}, 0, 0, 1}); });
    }
    void commit_transaction() {
        each_transactional_sink([](auto& sink) { sink.prepare(1); });
        each_transactional_sink([](auto& sink) { sink.commit(1); });
    }
    /// f(name, log) for each input, in the order of the lanes.
    template <class F>
    void each_named_input(F&& f) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (f(std::string_view{root_t<I>::op_type::name_type::value},
                 *input_t<I>{target_of(std::get<argument<I>>(args_))}),
                ...);
        }(std::make_index_sequence<head_count>{});
    }

    /// Shows all state of the stages to a visitor.
    void visit_state(auto&& visit) {
        each_chain([&](auto& chain) { chain.visit_state(visit); });
    }
    template <class F>
    void each_chain(F&& f) {
        if constexpr (head_count == 1) f(std::get<0>(heads_).chain);
        else std::apply([&](auto&... head) { (f(head.chain), ...); }, heads_);
    }
    [[nodiscard]] run_services& services() noexcept { return services_; }
    [[nodiscard]] P const& pipeline() const noexcept { return pipeline_; }
    [[nodiscard]] growing_array<lane*> const& lanes() const noexcept { return lanes_; }
    [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
    [[nodiscard]] std::uint64_t failures() const noexcept { return services_.failures.refusals(); }
    /// After a restore: where reading goes on.
    void resume(std::uint64_t records, std::uint64_t failures) {
        records_ = records;
        services_.failures = account{.label = services_.failures.label};
        services_.failures.refuse(reason::failed, failures);
        for (auto& each : current_partition_) each = 0;
        tell_frontier();
    }

private:
    void fill_partitions(report& out) {
        static constexpr auto names = []<class... Source>(type_list<Source...>) {
            return std::array<std::string_view, sizeof...(Source)>{Source::name_type::value...};
        }(sources{});
        out.partitions.clear();
        for (auto const* const each : lanes_) {
            partition_report of{names[each->input], each->partition, each->records, each->next, each->end};
            of.idle = each->idle;
            out.partitions.push_back(of);
        }
    }
    template <class Arg>
    static void fill_sink(Arg const& arg, report& out) {
        auto const& target = target_of(arg);
        if constexpr (counting_sink<std::remove_cvref_t<decltype(target)>>) {
            if constexpr (requires { Arg::name_type::value; })
                out.sinks.push_back({Arg::name_type::value, target.counts()});
            else out.sinks.push_back({{}, target.counts()});
        }
    }
    void tell_frontier(bool ended = false) {
        if constexpr ((follows_frontier<std::remove_cvref_t<decltype(target_of(std::declval<Args&>()))>> || ...)) {
            frontier_teller const now{*this, ended};
            std::apply([&](auto&... arg) { (now.tell(target_of(arg)), ...); }, args_);
        }
    }
    /// The partitions of the input may be read by threads of their own.
    using plan_t =
        partition_plan<may_split && argument<0> != absent, Mode, P, chain_t<0>, head_time_t<0>, args_t, argument<0>>;
    static constexpr bool splits = plan_t::possible && !tells_epochs && !aligns;
    struct no_workers {};
    using workers_t = typename std::conditional_t<splits, std::type_identity<partition_workers<plan_t>>,
        std::type_identity<no_workers>>::type;
    workers_t* workers_ = nullptr;
    /// Below so many records in a poll, threads would wait for one another.
    static constexpr std::size_t worth_handing_over = 4096;

    [[nodiscard]] bool may_read_in_parts([[maybe_unused]] error_policy policy, [[maybe_unused]] executor* threads) {
        if constexpr (splits) {
            // The order in which records fail is visible, too, where each is told.
            if (threads == nullptr || policy.policy() == error_policy::action::dead_letter) return false;
            // In a stream of one partition there is nothing to share: its order says what is late.
            return Mode::exact || (*typename plan_t::input{target_of(std::get<argument<0>>(args_))}).partitions() > 1;
        } else {
            return false;
        }
    }
    [[nodiscard]] bool is_much_to_read() const noexcept {
        std::uint64_t sum = 0;
        for (auto const* const each : lanes_) sum += each->end - each->next;
        return sum >= worth_handing_over;
    }
    template <std::size_t... I>
    void open_lanes(std::index_sequence<I...>) {
        (open_input<I>(), ...);
    }
    template <std::size_t I>
    void open_input() {
        static_assert(argument<I> != absent,
            "driftless: an input of the pipeline is missing: pass a log, or a contiguous range, for each from<T>");
        if constexpr (argument<I> != absent) {
            using element = typename root_t<I>::op_type::element;
            using given = std::remove_cvref_t<decltype(target_of(std::get<argument<I>>(args_)))>;
            static_assert(input_for<given, element>,
                "driftless: an input does not hold the record of its from<T>: pass a log or a contiguous range "
                "of that type");
            if constexpr (input_for<given, element>) {
                auto* const input = nodes_.template make<input_t<I>>(target_of(std::get<argument<I>>(args_)));
                auto& chain = std::get<I>(heads_).chain;
                auto const partitions = (**input).partitions();
                for (std::uint32_t p = 0; p < partitions; ++p) {
                    lanes_.push_back(
                        nodes_.template make<lane_t<I>>(**input, chain, static_cast<std::uint32_t>(ordinal<I>), p));
                    lanes_.back()->number = lanes_.size() - 1;
                }
                // All partitions are there before the first record: each holds the watermark until it reports.
                for (std::uint32_t p = partitions; p-- > 0;) chain.on_partition(p);
            }
        }
    }

    template <class F>
    void each_input(F&& f) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (f(*input_t<I>{target_of(std::get<argument<I>>(args_))}), ...);
        }(std::make_index_sequence<head_count>{});
    }
    /// The lane whose head comes first and the one that comes next; null where there is none, or where
    /// an open partition without records holds the merge.
    std::pair<lane*, lane*> first_two(bool cut) {
        lane* first = nullptr;
        lane* second = nullptr;
        [[maybe_unused]] event_time slowest{};
        if constexpr (aligns) {
            for (auto* const each : lanes_) {
                if (each->has_record() && !each->looked) each->look();  // or finds that there is none
            }
            slowest = least_reached(nullptr);
        }
        for (auto* const each : lanes_) {
            if (each->has_record() && !each->looked) each->look();
            if (!each->has_record()) {
                if (!cut && !each->idle) return {nullptr, nullptr};
                continue;
            }
            if constexpr (aligns) {
                if (is_ahead(*each, slowest)) continue;
            }
            if (first == nullptr || each->before(*first)) second = std::exchange(first, each);
            else if (second == nullptr || each->before(*second)) second = each;
        }
        return {first, second};
    }
    /// How far the slowest of the lanes that align has got, but for one; +inf where there is no other. Lanes without
    /// records do not count: they are idle or have ended, or the merge waits for them anyway.
    [[nodiscard]] event_time least_reached(lane const* but) const {
        auto least = event_time::max();
        for (auto const* const each : lanes_) {
            if (each == but || !each->aligns() || !each->has_record()) continue;
            if (auto const there = each->reached(); there < least) least = there;
        }
        return least;
    }
    /// It is not read until the slowest has come nearer. The slowest itself never waits.
    [[nodiscard]] static bool is_ahead(lane const& each, event_time slowest) {
        return each.aligns() && each.reached() > slowest + each.max_drift();
    }
    /// From where on a run of records of this lane changes who waits: it does itself, or one that waited goes on.
    [[nodiscard]] event_time aligned_until(lane const& of) const {
        if (!of.aligns()) return event_time::max();
        auto const others = least_reached(&of);
        auto until = others + of.max_drift();
        auto const slowest = of.reached() < others ? of.reached() : others;
        for (auto const* const each : lanes_) {
            if (each == &of || !each->has_record() || !is_ahead(*each, slowest)) continue;
            if (auto const wakes = each->reached() - each->max_drift() - duration{1}; wakes < until) until = wakes;
        }
        return until;
    }
    /// Pushes a run of records of one lane.
    std::size_t feed_some(std::size_t budget, bool cut) {
        if constexpr (tells_epochs) {
            auto const fed = feed_run(budget < 1 ? budget : 1, cut);
            if (fed != 0) each_chain([&](auto& chain) { chain.on_epoch(records_); });
            return fed;
        } else {
            return feed_run(budget, cut);
        }
    }
    std::size_t feed_run(std::size_t budget, bool cut) {
        if (lanes_.size() == 1 && !tells_epochs) {
            auto& only = *lanes_[0];
            if (only.has_record() && limits_ != nullptr) budget = limits_->allowed(only, budget);
            std::size_t fed = 0;
            if (budget == 1) fed = only.feed(event_time::max(), false, 1);  // spares moving the stages
            else if (only.has_record() && budget != 0) fed = only.feed_block(budget);
            if (limits_ != nullptr) limits_->paid(only, fed);
            only.records += fed;
            records_ += fed;
            return fed;
        }
        auto const [first, second] = first_two(cut);
        if (first == nullptr) return 0;
        if (limits_ != nullptr) {
            budget = limits_->allowed(*first, budget);
            if (budget == 0) return 0;
        }
        enter(*first);
        bool const limit_first = second != nullptr
            && (second->input < first->input
                || (second->input == first->input && second->partition < first->partition));
        auto const limit = second != nullptr ? second->head : event_time::max();
        if constexpr (aligns) first->stop_at = aligned_until(*first);
        auto const fed = first->feed(limit, limit_first, budget);
        if (limits_ != nullptr) limits_->paid(*first, fed);
        first->records += fed;
        records_ += fed;
        return fed;
    }
    /// Exact mode: first the watermark that the statistics allow, then a run of records.
    bool feed_exact() {
        for (std::size_t i = 0; i < lanes_.size();) {
            auto least = event_time::max();
            auto& one = *lanes_[i];
            for (; i < lanes_.size() && lanes_[i]->input == one.input; ++i) {
                auto const to_come = lanes_[i]->coming();
                if (to_come < least) least = to_come;
            }
            if (least > one.announced && least != event_time::max()) announce(one, least);  // finish() says the end
        }
        if constexpr (order_unseen && !tells_epochs) {
            bool const letters = services_.policy.policy() == error_policy::action::dead_letter;
            if ((lanes_.size() > 1 || workers_ != nullptr) && !letters) return feed_earliest_block() != 0;
        }
        return feed_some(absent, true) != 0;
    }
    void announce(lane& of, event_time watermark) {
        of.announced = watermark;
        if constexpr (splits) {
            if (workers_ != nullptr) {
                try {
                    of.on_watermark(workers_->complete_to(watermark));
                } catch (...) {
                    workers_->stop();
                    throw;
                }
                return workers_->throw_first(watermark);
            }
        }
        of.on_watermark(watermark);
    }
    /// Where nobody can see the order, whole blocks: of the lane with the least time to come.
    std::size_t feed_earliest_block() {
        if constexpr (splits) {
            if (workers_ != nullptr) return workers_->take();  // they count the records
        }
        lane* earliest = nullptr;
        for (auto* const each : lanes_) {
            if (!each->has_record()) continue;
            if (earliest == nullptr || each->least_to_come() < earliest->least_to_come()) earliest = each;
        }
        if (earliest == nullptr) return 0;
        enter(*earliest);
        auto const fed = earliest->feed_block(absent);
        earliest->records += fed;
        records_ += fed;
        if (fed == 0 && !earliest->has_record()) return feed_earliest_block();  // its last offsets have no records
        return fed;
    }
    void enter(lane& to) {
        auto& current = current_partition_[to.input];
        if (current == to.partition) return;
        current = to.partition;
        to.on_partition();
    }
};
}  // namespace driftless::inline v0::detail
#endif
