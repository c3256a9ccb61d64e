// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_ENRICH_CALLS_HPP
#define DRIFTLESS_OP_DETAIL_ENRICH_CALLS_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/answer_source.hpp>
#include <driftless/core/call_executor.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/services.hpp>
#include <driftless/op/detail/answer_journal.hpp>
#include <driftless/op/detail/enrich_queue.hpp>
#include <driftless/op/detail/outside_call.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace driftless::inline v0::detail {
/// What enrich keeps beside the moving stages: records in their order, each with its call, and between them what is
/// said to the stages behind them.
///
/// Threads     Belongs to the thread of the job. Workers see outside_call::work() alone.
template <class In, class F, class Answer>
class enrich_calls final : public answer_source {
public:
    using call = outside_call<In, F, Answer>;
    using phase = typename call::phase;
    enum class saying : std::uint8_t {
        record,
        watermark,
        partition,
        partition_end,
        partition_idle,
        quiet,
        epoch,
        idle,
        clock,
    };
    struct entry {
        saying what = saying::record;
        bool flag = false;
        std::uint32_t partition = 0;
        std::int64_t number = 0;
        call* of = nullptr;
    };

    struct counts {
        std::uint64_t retries = 0;
        std::uint64_t timeouts = 0;
    };

private:
    F function_;
    call_rules rules_;
    call_executor_handle executor_;
    run_services* services_;
    account account_;
    counts counts_{};
    answer_journal journal_;
    typename call::returned returned_;
    growing_array<call*> all_;
    growing_array<call*> spare_;
    plain_queue<entry> queue_;
    std::size_t records_ = 0;   // of the queue
    std::size_t running_ = 0;   // calls at the executor, those given up included
    std::size_t waiting_ = 0;   // calls that are to run, now or later
    std::size_t told_ = 0;      // records whose answers are looked for when they go on
    std::size_t to_go_ = 0;     // decided: so many records may go on
    std::uint64_t taken_ = 0;   // records, since the job began
    std::uint32_t partition_ = 0;        // whose records the stages behind were told that follow
    bool behind_at_first_ = false;       // after a restore they take it that partition 0 is
    bool before_at_first_ = false;       // and so do those before, whatever the queue says
    duration next_event_ = duration::max();  // the least time at which a call is due or given up

public:
    enrich_calls(F function, call_rules rules, call_executor_handle executor, operator_label label,
        run_services* services)
        : function_(std::move(function)),
          rules_(rules),
          executor_(std::move(executor)),
          services_(services),
          account_{.label = label},
          journal_(&services->answers, name_among(label, services->asking)) {
        next = services->asking;
        services->asking = this;
    }
    enrich_calls(enrich_calls const&) = delete;
    enrich_calls& operator=(enrich_calls const&) = delete;
    /// Waits for the calls that are running.
    ~enrich_calls() {
        for (auto* const each : all_) each->give_up();
        while (running_ != 0) {
            auto const seen = executor_->finished();
            take_returned();
            if (running_ != 0) executor_->wait(seen, duration::max());
        }
        for (auto* const each : all_) delete each;
    }

    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
    /// No record may come before one has gone.
    [[nodiscard]] bool full_of_records() {
        if (records_ < rules_.concurrency) return false;
        // A replay may have to read on until the record has come that went on next.
        return !replays() || journal_.peek()->nth < taken_;
    }
    /// What is said between records piles up.
    [[nodiscard]] bool full_of_words() const noexcept { return queue_.size() - records_ >= rules_.concurrency + 64; }
    [[nodiscard]] entry& front() noexcept { return queue_.front(); }
    [[nodiscard]] bool record_in_front() noexcept { return !empty() && front().what == saying::record; }
    void pop() noexcept { queue_.pop(); }
    void told_partition(std::uint32_t partition) noexcept { partition_ = partition; }
    /// What the stages behind have to be told before anything else.
    [[nodiscard]] std::optional<std::uint32_t> untold_partition() noexcept {
        if (!std::exchange(behind_at_first_, false)) return std::nullopt;
        return partition_;
    }
    /// Something comes from the stages before: true if they take it that it is of partition 0, and it is not said.
    [[nodiscard]] bool unsaid_partition() noexcept { return std::exchange(before_at_first_, false); }

    template <class Ctx>
    void begin(Ctx const& ctx, typename In::record const& record) {
        auto& made = spare_call();
        made.of.keep(ctx, record);
        made.nth = taken_;
        queue_.push({.of = &made});
        ++taken_;
        ++records_;
        ask(made);
    }
    /// Something is said behind the records so far. What the next word of its kind makes void is left out.
    void say(entry what) {
        bool const replaces = what.what == saying::watermark || what.what == saying::clock
            || what.what == saying::partition || what.what == saying::epoch;
        if (replaces && !queue_.empty() && queue_.back().what == what.what) queue_.back() = what;
        else queue_.push(what);
    }

    /// Does what has come due: takes answers, gives up calls, begins those that wait.
    void pump() {
        take_returned();
        if (told_ != 0 && !replays()) ask_those_told();
        if (waiting_ == 0 && next_event_ == duration::max()) return;
        auto const now = executor_->now();
        if (now < next_event_ && (waiting_ == 0 || running_ >= rules_.concurrency)) return;
        next_event_ = duration::max();
        for (auto& each : queue_) {
            if (each.what == saying::record) attend(each, now);
        }
    }
    /// Waits for the record that goes on next, and takes it out; account_for() and recycle() are to follow.
    ///
    /// last        No more are going to come: a replay takes what is there.
    call& take_next(bool last) {
        while (true) {
            auto const seen = executor_->finished();
            pump();
            if (auto* const found = next_to_go(last)) return take_out(found);
            if (replays()) {
                if (!last) journal_.refuse(taken_);
                ask_those_told();
            }
            wait_for_calls(seen, duration::max());
        }
    }
    /// True if it has an answer to hand on; else its failure is told, and may be the end of the job.
    bool account_for(call& each) {
        bool const failed = each.state == phase::failed;
        bool const ends_here = failed && services_->policy.policy() == error_policy::action::fail;
        // A failure that ends the job is not for ever: the next job asks again.
        if (journal_.kept() && !each.written && !ends_here) write_down(each);
        if (failed) {
            account_.refuse(reason::failed);
            services_->failed(account_.label, each.of.came.from, each.code, each.why);
            return false;
        }
        ++account_.applied;
        return true;
    }
    void recycle(call& each) noexcept { spare_.push_back(&each); }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] run_services* services() const noexcept { return services_; }
    /// How many records may go on at this pause.
    [[nodiscard]] std::size_t may_go() {
        return decided ? std::exchange(to_go_, 0) : ready();
    }

    [[nodiscard]] bool waits() const noexcept override { return records_ != 0; }
    [[nodiscard]] std::size_t ready() override {
        pump();
        std::size_t n = 0;
        if (replays()) {
            journal_.each([&](answer_entry& each) {
                n += find_here(each.nth) != nullptr ? 1 : 0;
                return each.nth < taken_;
            });
            return n;
        }
        each_that_can_go([&](entry&) { return ++n, true; });
        return n;
    }
    void let_go(std::size_t records) noexcept override { to_go_ = records < records_ ? records : records_; }
    void wait(duration at_most) override {
        auto const seen = executor_->finished();
        pump();
        bool any = false;
        each_that_can_go([&](entry&) { return any = true, false; });
        if (!any) wait_for_calls(seen, at_most);
    }
    void wait_for_all() override {
        while (true) {
            auto const seen = executor_->finished();
            pump();
            bool all = true;
            for (auto const& each : queue_) {
                if (each.what == saying::record) all = all && (each.of->settled() || each.of->state == phase::told);
            }
            if (all) return;
            wait_for_calls(seen, duration::max());
        }
    }

    /// For visitors. A call that is under way is not part of a snapshot, its record is: it is asked for again.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    /// Of this job, since it was started.
    [[nodiscard]] counts call_counts() const noexcept { return counts_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        std::size_t sum = queue_.size() * sizeof(entry) + records_ * sizeof(call);
        for (auto const& each : queue_) sum += each.of != nullptr ? each.of->of.text.bytes() : 0;
        return sum;
    }
    void save_state(auto& out) const {
        out.write(account_.applied);
        for (auto const each : account_.refused) out.write(each);
        out.write(taken_).write(queue_.empty() ? 0 : partition_);
        journal_.save_state(out);
        out.write(static_cast<std::uint64_t>(queue_.size()));
        for (auto const& each : queue_) {
            out.write(static_cast<std::uint8_t>(each.what)).write(each.flag).write(each.partition).write(each.number);
            if (each.what == saying::record) each.of->save_state(out);
        }
    }
    void load_state(auto& in) {
        in.read(account_.applied);
        for (auto& each : account_.refused) in.read(each);
        in.read(taken_);
        in.read(partition_);
        journal_.load_state(in);
        drop_all();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            entry made{.what = static_cast<saying>(in.template read<std::uint8_t>())};
            in.read(made.flag);
            in.read(made.partition);
            in.read(made.number);
            if (made.what == saying::record) {
                made.of = &spare_call();
                made.of->load_state(in);
            }
            queue_.push(made);
            if (made.what != saying::record) continue;
            ++records_;
            if (!made.of->settled()) ask(*made.of);
        }
        behind_at_first_ = before_at_first_ = !queue_.empty();
    }

private:
    /// Operators are told apart by their names; where several have one, by their place, from the end of the pipeline.
    static std::string name_among(operator_label label, answer_source const* others) {
        std::uint64_t place = 0;
        for (; others != nullptr; others = others->next) ++place;
        return label.id.empty() ? sentence({label.str(), " ", place}) : label.str();
    }
    static std::uint64_t hash_of(call const& each) {
        auto const bytes = driftless::encode(each.of.record);
        return xxh3_64(bytes.data(), bytes.size());
    }

    call& spare_call() {
        if (spare_.empty()) {
            spare_.reserve(all_.size() + 1);  // so that recycle() never has to allocate
            all_.reserve(all_.size() + 1);
            all_.push_back(new call{function_, returned_});
            spare_.push_back(all_.back());
        }
        auto& made = *spare_.back();
        spare_.pop_back();
        made.clear();
        return made;
    }
    void wait_for_calls(std::uint64_t seen, duration at_most) {
        auto const left = next_event_ == duration::max() ? duration::max() : next_event_ - executor_->now();
        executor_->wait(seen, left < at_most ? left : at_most);
    }
    call& take_out(entry* at) noexcept {
        auto& taken = *at->of;
        queue_.erase(at);
        --records_;
        ++services_->answers_handed_on;
        return taken;
    }

    /// Calls f(entry) for records that have their answer, or have failed, in the order in which they may go on, until
    /// it says false. Without an order a record may overtake others, and watermarks that it is not behind.
    template <class F2>
    void each_that_can_go(F2 f) {
        auto watermark = event_time::min();
        for (auto& each : queue_) {
            if (each.what == saying::record) {
                bool const can = each.of->settled() && (rules_.in_order || each.of->of.came.at >= watermark);
                if (can ? !f(each) : rules_.in_order) return;
            } else if (each.what == saying::watermark) {
                if (watermark.ns() < each.number) watermark = event_time{each.number};
            } else if (!rules_.in_order) {
                return;
            }
        }
    }
    [[nodiscard]] entry* next_to_go(bool last) {
        if (replays()) return next_told(last);
        entry* found = nullptr;
        each_that_can_go([&](entry& each) { return found = &each, false; });
        return found;
    }
    [[nodiscard]] entry* find_here(std::uint64_t nth) noexcept {
        for (auto& each : queue_) {
            if (each.what == saying::record && each.of->nth == nth) return &each;
        }
        return nullptr;
    }
    /// Without an order the answers stand in the order in which their records went on: it is theirs again.
    [[nodiscard]] bool replays() {
        if (rules_.in_order) return false;
        while (journal_.peek() && journal_.peek()->nth < taken_ && find_here(journal_.peek()->nth) == nullptr) {
            journal_.pass();
        }
        return journal_.peek() != nullptr;
    }
    [[nodiscard]] entry* next_told(bool last) {
        entry* found = nullptr;
        journal_.each([&](answer_entry& each) {
            found = find_here(each.nth);
            if (found == nullptr) return last;
            if (each.record_hash != hash_of(*found->of)) journal_.refuse(each.nth);
            if (found->of->state == phase::told) --told_;
            take(*found->of, std::move(each));
            return false;
        });
        return found;
    }
    /// They counted on what was written down, and it has been read.
    void ask_those_told() {
        for (auto& each : queue_) {
            if (each.what != saying::record || each.of->state != phase::told) continue;
            --told_;
            ask(*each.of);
        }
    }

    /// The answer is looked for where answers are written down; else the call is made, as soon as there is room.
    void ask(call& each) {
        if (!rules_.in_order && journal_.peek() != nullptr && each.state != phase::told) {
            each.state = phase::told;
            ++told_;
            return;
        }
        if (rules_.in_order && journal_.kept()) {
            if (auto found = journal_.find(each.nth, hash_of(each))) return take(each, std::move(*found));
        }
        each.state = phase::waiting;
        each.when = duration::min();
        ++waiting_;
        if (running_ < rules_.concurrency) run(each, timed() ? executor_->now() : duration{});
    }
    void take(call& each, answer_entry&& found) {
        each.written = true;
        each.state = found.failed ? phase::failed : phase::answered;
        if (found.failed) each.fail(error_code::user_function, std::move(found.bytes));
        else {
            byte_reader in{found.bytes};
            each.answer.emplace(in.template read<Answer>());
            in.expect_end();
        }
    }
    void write_down(call& each) {
        answer_entry made{.operator_name = {},
            .nth = each.nth,
            .record_hash = hash_of(each),
            .offset = each.of.came.from.offset,
            .input = each.of.came.from.input,
            .partition = each.of.came.from.partition,
            .failed = each.state == phase::failed,
            .bytes = each.state == phase::failed ? each.why : driftless::encode(*each.answer)};
        journal_.write(made);
        each.written = true;
    }

    [[nodiscard]] bool timed() const noexcept { return rules_.timeout != duration::max(); }
    void run(call& each, duration now) {
        each.state = phase::running;
        each.when = timed() ? now + rules_.timeout : duration::max();
        if (each.when < next_event_) next_event_ = each.when;
        --waiting_;
        ++running_;
        executor_->submit(each);
    }
    void take_returned() {
        returned_.take([&](call& each) {
            --running_;
            if (each.given_up()) return recycle(each);
            if (each.answer) each.state = phase::answered;
            else failed(each, executor_->now());
        });
    }
    /// A try has failed.
    void failed(call& each, duration now) {
        if (++each.tries > rules_.retries) {
            each.state = phase::failed;
            return;
        }
        ++counts_.retries;
        each.state = phase::waiting;
        each.when = now + rules_.pause_after(each.tries);
        if (each.when < next_event_) next_event_ = each.when;
        ++waiting_;
    }
    void attend(entry& of, duration now) {
        if (of.of->state == phase::running && of.of->when <= now) give_up(of, now);
        auto& each = *of.of;
        if (each.state == phase::waiting && each.when <= now && running_ < rules_.concurrency) run(each, now);
        bool const later = each.state == phase::running || (each.state == phase::waiting && each.when > now);
        if (later && each.when < next_event_) next_event_ = each.when;
    }
    /// The call runs on, and nobody waits for it: the record goes on with another one.
    void give_up(entry& of, duration now) {
        ++counts_.timeouts;
        auto& old = *of.of;
        auto& made = spare_call();
        made.of.keep(old.of.ctx(), old.of.record);
        made.nth = old.nth;
        made.tries = old.tries;
        old.give_up();
        of.of = &made;
        bool const exact = rules_.timeout.ns() % 1'000'000 == 0;
        std::int64_t const unit = exact ? 1'000'000 : 1;
        made.fail(error_code::user_function,
            sentence({"no answer within ", rules_.timeout.ns() / unit, exact ? " ms" : " ns"}));
        failed(made, now);
    }
    void drop_all() noexcept {
        for (auto const& each : queue_) {
            if (each.what != saying::record) continue;
            if (each.of->state == phase::running) each.of->give_up();
            else recycle(*each.of);
        }
        queue_.clear();
        records_ = waiting_ = told_ = to_go_ = 0;
        next_event_ = duration::max();
    }
};
}  // namespace driftless::inline v0::detail
#endif
