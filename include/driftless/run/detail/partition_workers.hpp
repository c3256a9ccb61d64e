// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_PARTITION_WORKERS_HPP
#define DRIFTLESS_RUN_DETAIL_PARTITION_WORKERS_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/services.hpp>
#include <driftless/op/detail/aggregate_stage.hpp>
#include <driftless/op/detail/partial_cores.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/detail/partition_reader.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The threads of a run that read the log themselves: each runs the operators before the first aggregate, and adds to a
/// core of its own. No record is handed from one thread to another. Each has partitions of its own; a batch over one
/// partition goes through it in stretches, of which each thread takes one: what is in one window lies close together in
/// most logs, so few windows are in more than one core.
///
/// The job's thread says who reads what, and how far time has come: in a batch by the statistics of the blocks, in a
/// stream record by record, in the order of the merge, of which it looks at nothing but the time. Before a window fires
/// it waits for the others; so what is in it, what is late, and which rows come out in which order is what one thread
/// would make of it.
///
/// Plan        partition_plan of the engine
/// State       A core per worker, between two polls too; a snapshot has them gathered in the core of the stage.
/// Errors      Of what several workers throw, what comes first in the order of one thread.
template <class Plan>
class partition_workers {
    using log_t = typename Plan::log;
    using chain_t = typename Plan::chain;  // of the job's thread
    using host = typename Plan::host;
    using core = typename host::core_type;
    using builder_t = typename Plan::builder;
    using last_t = aggregate_stage<core, typename host::in_type, no_shards, nowhere, nowhere>;
    using heads_t = decltype(make_chain<exact_batch<false>>(
        std::declval<typename Plan::front const&>(), std::declval<last_t>(), std::declval<builder_t&>()));
    using front_t = typename std::tuple_element_t<0, heads_t>::chain_type;
    using reader = partition_reader<log_t, front_t>;

    static constexpr std::size_t depth = 2;            // chunks that are read, or wait to be
    static constexpr std::size_t chunk_records = 32768;  // in a stream
    /// In a batch, records that a thread takes at once: windows of long ones are open, and each of short ones has to be
    /// put together.
    static constexpr std::uint64_t least_stretch = 64;
    static constexpr std::uint64_t most_stretch = 131072;
    static constexpr std::uint64_t stretches = 8;  // of a log, for each thread
    static constexpr std::size_t many_windows = 256;  // for a core to have had: then stretches become shorter
    static constexpr std::uint64_t shortest_stretch = 4096;  // but not than this

    struct range {
        std::uint32_t partition;
        std::uint64_t from;
        std::uint64_t to;
        std::uint64_t turn;  // of a stream: what has a lower one comes first
    };
    struct failure {
        std::exception_ptr what{};
        range in{};
        std::uint64_t at = 0;
    };
    static front_t make_front(typename Plan::front const& front, last_t last, builder_t& builder) {
        return std::move(std::get<0>(make_chain<exact_batch<false>>(front, std::move(last), builder)).chain);
    }
    struct alignas(64) worker {
        run_services services;
        builder_t builder;
        front_t chain;
        growing_array<reader> readers;  // by partition
        failure failed{};
        std::uint64_t records = 0;

        worker(error_policy policy, typename Plan::front const& front, core const& like, builder_t const& from,
            std::size_t partitions)
            : services{.policy = policy},
              builder(from.with(&services)),
              chain(make_front(front,
                  last_t{nowhere{}, core{like, fresh_core}, nowhere{}, &services, false}, builder)) {
            readers.reserve(partitions);
            while (readers.size() != partitions) readers.push_back(reader{});
        }
    };
    /// What one worker does of a chunk.
    struct share final : work_item {
        worker* by = nullptr;
        log_t const* log = nullptr;
        std::atomic<bool> const* stop = nullptr;
        growing_array<range> ranges;
        std::size_t ticket = 0;

        void work() noexcept override {
            for (auto const& each : ranges) {
                if (by->failed.what) return;
                auto& from = by->readers[each.partition];
                try {
                    by->records += from.feed(*log, by->chain, each.partition, each.from, each.to, *stop);
                } catch (error const& problem) {
                    by->failed = {std::current_exception(), each,
                        problem.offset() != origin::nowhere ? problem.offset() : from.reached};
                } catch (...) {
                    by->failed = {std::current_exception(), each, from.reached};
                }
            }
        }
    };
    /// Where the merge stands in a partition.
    struct position {
        reader times;
        std::size_t index = 0;  // of the next record in its block
        std::size_t size = 0;   // what is there of the block
        event_time head = event_time::min();
        std::uint64_t handed = 0;  // up to here ranges were made
        bool looked = false;
    };
    template <class F>
    struct aggregate_finder {
        F found;
        bool done = false;
        template <class T>
        void operator()(std::string_view, T& member) {
            if constexpr (requires { typename T::core_type; }) {
                if constexpr (std::is_same_v<typename T::core_type, core>) {
                    if (!std::exchange(done, true)) found(member);
                }
            }
        }
    };

    executor* threads_;
    log_t const& log_;
    chain_t& chain_;
    run_services& services_;
    growing_array<lane*> const& lanes_;
    std::uint64_t& records_;  // of a batch: all that were read
    core* own_ = nullptr;
    growing_array<std::unique_ptr<worker>> workers_;
    growing_array<std::unique_ptr<share>> shares_;  // depth times as many
    growing_array<position> positions_;
    partial_cores<core> partials_;
    bool merging_ = false;
    std::size_t filling_ = 0;
    std::atomic<bool> stop_{false};
    failure const* failed_ = nullptr;  // of a batch: the first, once it was collected
    std::uint64_t seen_ = 0;     // fires, when the stretch was chosen
    std::uint64_t longest_ = 0;  // stretch; 0: it is not known yet how many records there are
    std::uint64_t stretch_ = 0;
    std::uint64_t taken_ = 0;  // since the last flush
    std::uint64_t last_round_ = 0;  // before it
    std::size_t ahead_ = 0;  // that read_ahead() took and nobody has heard of

public:
    partition_workers(executor* threads, log_t const& log, chain_t& chain, typename Plan::front const& front,
        run_services& services, builder_t const& builder, growing_array<lane*> const& lanes, std::uint64_t& records)
        : threads_(threads),
          log_(log),
          chain_(chain),
          services_(services),
          lanes_(lanes),
          records_(records),
          partials_(threads, &flush_from, Plan::streams ? nullptr : &read_ahead_from, this) {
        first_aggregate(chain_, [&](auto& stage) {
            if constexpr (std::remove_reference_t<decltype(stage)>::takes_partials) {
                stage.set_partials(&partials_);
                own_ = &stage.core();
            }
        });
        for (std::size_t i = 0; i < threads_->workers(); ++i) {
            workers_.push_back(std::make_unique<worker>(services.policy, front, *own_, builder, log.partitions()));
            first_aggregate(workers_.back()->chain, [&](auto& stage) { partials_.add(stage.core()); });
        }
        for (std::size_t i = 0; i < depth * workers_.size(); ++i) {
            shares_.push_back(std::make_unique<share>());
            shares_.back()->by = workers_[i % workers_.size()].get();
            shares_.back()->log = &log_;
            shares_.back()->stop = &stop_;
        }
        positions_.reserve(lanes_.size());
        while (positions_.size() != lanes_.size()) positions_.push_back(position{});
    }
    partition_workers(partition_workers const&) = delete;
    partition_workers& operator=(partition_workers const&) = delete;
    ~partition_workers() { stop(); }

    /// Batch: hands out the next records; says how many offsets that were.
    std::size_t take() {
        if (ahead_ != 0) return std::exchange(ahead_, 0);
        return take_some();
    }
    /// Batch: how far windows may fire: to `watermark`, or, where a worker has failed, as far as one thread would have
    /// come before that: throw_first() is for behind that.
    event_time complete_to(event_time watermark) {
        if (partials_.is_due(watermark)) collect();
        if (failed_ == nullptr) return watermark;
        auto const complete = least_from(*failed_);
        return complete < watermark ? complete : watermark;
    }
    /// What a worker threw, as far as it was collected, where one thread would have told no more than that.
    void throw_first(event_time told = event_time::max()) const {
        if (failed_ != nullptr && least_from(*failed_) <= told) std::rethrow_exception(failed_->what);
    }
    /// Everything that was taken is in the cores.
    void flush() {
        collect();
        throw_first();
    }
    /// The same, and what a worker threw is kept for later.
    void collect() {
        submit();
        wait();
        if (taken_ != 0) last_round_ = std::exchange(taken_, 0);
        for (auto const& each : workers_) {
            services_.failures.add(each->services.failures);
            services_.failed_as.add(each->services.failed_as);
            each->services.failed_as.clear();
            for (auto* const of : lanes_) of->records += std::exchange(each->readers[of->partition].records, 0);
            each->services.failures = account{.label = services_.failures.label};
            if constexpr (!Plan::streams) records_ += std::exchange(each->records, 0);
        }
        partials_.settle(*own_);
        failed_ = first_failure();
    }
    /// Nobody reads on: the run has failed elsewhere.
    void stop() {
        stop_.store(true, std::memory_order_relaxed);
        wait();
    }

    /// Stream: as the engine's feed; `current` is the partition whose record came last.
    std::size_t feed(std::size_t budget, bool cut, std::uint32_t& current) {
        for (auto* const each : lanes_) {
            position_of(*each).handed = each->next;
            position_of(*each).looked = false;
        }
        merging_ = true;
        std::size_t fed = 0;
        try {
            fed = merge(budget, cut, current);
        } catch (...) {
            flush();  // what fails in a worker stands before this
            throw;
        }
        flush();
        merging_ = false;
        return fed;
    }

private:
    template <class Chain, class F>
    static void first_aggregate(Chain& chain, F const& f) {
        chain.visit_state(aggregate_finder<F>{f});
    }
    [[nodiscard]] position& position_of(lane const& of) noexcept { return positions_[of.number]; }

    // --- a batch ---------------------------------------------------------------------------------------------------

    std::size_t take_some() {
        lane* earliest = nullptr;
        for (auto* const each : lanes_) {
            if (!each->has_record()) continue;
            if (earliest == nullptr || each->coming() < earliest->coming()) earliest = each;
        }
        if (earliest == nullptr) return 0;
        auto& of = *earliest;
        auto const from = of.next;
        of.looked = false;
        if (lanes_.size() > 1) {
            static_cast<void>(of.coming());  // finds the end of the block
            of.next = of.least_until > from ? of.least_until : of.end;
            add(of.partition % workers_.size(), of, from, of.next);
        } else {
            adapt_stretch();
            for (std::size_t i = 0; i < workers_.size() && of.has_record(); ++i) {
                auto const first = of.next;
                of.next = of.end - first < stretch_ ? of.end : first + stretch_;
                add(i, of, first, of.next);
            }
        }
        taken_ += of.next - from;
        return static_cast<std::size_t>(of.next - from);
    }
    void adapt_stretch() noexcept {
        if (longest_ == 0) {
            auto const out = (lanes_[0]->end - lanes_[0]->next) / (stretches * workers_.size());
            longest_ = out < least_stretch ? least_stretch : out > most_stretch ? most_stretch
                                                                                : out;
            stretch_ = longest_;
        } else if (seen_ != partials_.fires()) {
            seen_ = partials_.fires();
            auto const least = longest_ < shortest_stretch ? longest_ : shortest_stretch;
            auto const left = partials_.most_left();
            if (left > many_windows) stretch_ = stretch_ / 2 < least ? least : stretch_ / 2;
            else if (left < many_windows / 4) stretch_ = stretch_ * 2 > longest_ ? longest_ : stretch_ * 2;
        }
    }
    /// While rows are handed on, the workers read as much as they did last.
    void read_ahead() {
        if (failed_ != nullptr) return;
        auto const most = workers_.size() * (lanes_.size() == 1 ? stretch_ : most_stretch);
        while (ahead_ < last_round_ && ahead_ < most) {
            auto const some = take_some();
            if (some == 0) break;
            ahead_ += some;
        }
        submit();
    }
    static void flush_from(void* self) {
        auto& readers = *static_cast<partition_workers*>(self);
        if constexpr (Plan::streams) readers.flush();
        else readers.collect();  // see complete_to()
    }
    static void read_ahead_from(void* self) {
        if constexpr (!Plan::streams) static_cast<partition_workers*>(self)->read_ahead();
    }

    // --- the merge -------------------------------------------------------------------------------------------------

    /// Hands records to the workers as the merge passes them; how many there were.
    std::size_t merge(std::size_t budget, bool cut, std::uint32_t& current) {
        std::size_t fed = 0;
        std::size_t chunk = 0;
        while (fed < budget) {
            auto const [first, second] = first_two(cut);
            if (first == nullptr) break;
            if (current != first->partition) {
                current = first->partition;
                chain_.on_partition(current);
            }
            auto const room = budget - fed < chunk_records - chunk ? budget - fed : chunk_records - chunk;
            auto const n = pass(*first, second, room);
            fed += n;
            chunk += n;
            if (chunk == chunk_records) {
                submit();
                chunk = 0;
            }
        }
        return fed;
    }
    /// False if no record before the end is left.
    bool look(lane& at) {
        auto& here = position_of(at);
        here.looked = here.times.load(log_, at.partition, at.next, at.end, here.index);
        if (!here.looked) return false;
        here.size = here.times.current().size();
        here.head = Plan::head_time::of(here.times.current()[here.index]);
        return true;
    }
    /// As engine::first_two.
    std::pair<lane*, lane*> first_two(bool cut) {
        lane* first = nullptr;
        lane* second = nullptr;
        for (auto* const each : lanes_) {
            if (each->has_record() && !position_of(*each).looked) look(*each);
            if (!each->has_record()) {
                if (!cut && !each->idle) return {nullptr, nullptr};
                continue;
            }
            if (first == nullptr || before(*each, *first)) second = std::exchange(first, each);
            else if (second == nullptr || before(*each, *second)) second = each;
        }
        return {first, second};
    }
    bool before(lane const& a, lane const& b) noexcept {
        auto const left = position_of(a).head;
        auto const right = position_of(b).head;
        return left != right ? left < right : a.partition < b.partition;
    }
    /// Records of one partition that come before those of all others: a worker gets them, here they tell the time.
    std::size_t pass(lane& of, lane const* other, std::size_t room) {
        auto& here = position_of(of);
        auto const limit = other != nullptr ? position_of(*other).head : event_time::max();
        bool const limit_first = other != nullptr && other->partition < of.partition;
        auto const left = of.end - of.next;
        if (room > left) room = static_cast<std::size_t>(left);
        std::size_t passed = 0;
        of.looked = false;
        do {  // it comes first: it has a record
            auto const& record = here.times.current()[here.index];
            ++of.next;
            ++passed;
            if constexpr (is_event<typename log_t::value_type>) chain_.leave_record(record.at, record.value);
            else chain_.leave_record(event_time::min(), record);
            here.looked = of.next < of.end;
            if (!here.looked) break;
            if (++here.index < here.size) [[likely]] {
                of.next = here.times.offset(here.index);
                here.looked = of.next < of.end;
                if (!here.looked) break;
                here.head = Plan::head_time::of(here.times.current()[here.index]);
            } else if (!look(of)) {
                break;
            }
        } while (passed < room && (limit > here.head || (!limit_first && limit == here.head)));
        return passed;
    }

    // --- the hand-over ---------------------------------------------------------------------------------------------

    [[nodiscard]] share& share_of(std::size_t chunk, std::size_t by) noexcept {
        return *shares_[chunk % depth * workers_.size() + by];
    }
    void add(std::size_t by, lane const& of, std::uint64_t from, std::uint64_t to) {
        if (from == to) return;
        share_of(filling_, by).ranges.push_back({of.partition, from, to, filling_});
    }
    void submit() {
        if (merging_) {  // else the job's thread reads by itself
            for (auto* const each : lanes_) {
                auto& handed = position_of(*each).handed;
                add(each->partition % workers_.size(), *each, handed, each->next);
                handed = each->next;
            }
        }
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            auto& full = share_of(filling_, i);
            if (!full.ranges.empty()) full.ticket = threads_->submit(i, full);
        }
        ++filling_;
        wait_for(filling_);
    }
    /// The shares of a chunk are done, and empty.
    void wait_for(std::size_t chunk) {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            auto& done = share_of(chunk, i);
            if (done.ranges.empty()) continue;
            threads_->wait(i, done.ticket);
            done.ranges.clear();
        }
    }
    void wait() {
        for (std::size_t i = 0; i < depth; ++i) wait_for(filling_ + i);
    }

    // --- errors ----------------------------------------------------------------------------------------------------

    [[nodiscard]] failure const* first_failure() {
        failure const* first = nullptr;
        for (auto const& each : workers_) {
            if (each->failed.what && (first == nullptr || comes_before(each->failed, *first))) first = &each->failed;
        }
        return first;
    }
    bool comes_before(failure const& a, failure const& b) {
        if constexpr (Plan::streams) {
            if (a.in.turn != b.in.turn) return a.in.turn < b.in.turn;
            auto const left = latest(a);
            auto const right = latest(b);
            if (left != right) return left < right;
            return a.in.partition < b.in.partition;
        } else {
            auto const left = least_from(a);
            auto const right = least_from(b);
            if (left != right) return left < right;
            return a.in.partition != b.in.partition ? a.in.partition < b.in.partition : a.at < b.at;
        }
    }
    /// The watermark of a batch when one thread comes to the block.
    [[nodiscard]] event_time least_from(failure const& of) const {
        for (auto const* const each : lanes_) {
            if (each->partition == of.in.partition) return each->least_from(of.at);
        }
        return event_time::min();
    }
    /// Partitions that are merged by their heads take turns by the greatest head so far.
    event_time latest(failure const& of) {
        auto greatest = event_time::min();
        reader times;
        std::size_t i = 0;
        for (auto at = of.in.from; at <= of.at && times.load(log_, of.in.partition, at, of.at + 1, i); ++at) {
            auto const head = Plan::head_time::of(times.current()[i]);
            if (head > greatest) greatest = head;
        }
        return greatest;
    }
};
}  // namespace driftless::inline v0::detail
#endif
