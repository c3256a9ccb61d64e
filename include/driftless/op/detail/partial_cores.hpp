// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_PARTIAL_CORES_HPP
#define DRIFTLESS_OP_DETAIL_PARTIAL_CORES_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/op/detail/windowed_core.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Cores of one aggregate, one for each worker, to which any record may go: what they have of a (key, window) is put
/// together when the window fires. The rows, and their order, are those of a single core.
///
/// Nothing is exchanged before: each key is in as many cores as workers have met it. A window that fires is cut by
/// ranges of hashes; workers merge the tables, part by part, and the job's thread hands the rows on, part by part, in
/// order. The core of the stage is one more: it has what came from a snapshot, and what the job's thread read itself.
/// Windows that fire leave their cores first: meanwhile workers may read on.
///
/// Threads     Used by the job's thread. No worker adds records when windows leave, or when all is gathered: `flush`
///             waits for that, and `go_on` says that they may again.
/// Source      Partial aggregation: D. DeWitt, J. Gray, "Parallel Database Systems" (CACM 1992), with the merge of
///             runs that are ordered by hash.
template <class Core>
class partial_cores {
    using table = typename Core::table;
    using entry = typename Core::entry;
    using result = typename Core::result_type;
    using key_type = typename table::key_type;
    using walk = typename table::walk;

    static constexpr std::size_t part_rows = 4096;
    static constexpr std::size_t under_way = 3;  // parts a worker has to do or has done, at most

    /// A key that is computed from its hash, or one that stands in a table.
    using kept_key = std::conditional_t<integer_key<key_type>, key_type, key_type const*>;
    struct row {
        kept_key key;
        std::uint64_t hash;
        result value;
    };
    struct failure {
        std::size_t before;  // this row
        std::exception_ptr what;
    };
    /// The out of a core, for a result that is no value.
    struct catching {
        std::exception_ptr what{};
        void threw(origin) { what = std::current_exception(); }
    };
    /// A range of hashes of one window.
    struct part final : work_item {
        Core const* core = nullptr;
        growing_array<walk> walks;
        growing_array<row> rows;
        growing_array<failure> failures;
        std::exception_ptr broken{};
        std::size_t worker = 0;
        std::size_t ticket = 0;

        void work() noexcept override {
            try {
                merge(core->pack_, walks, [&](auto const& key, entry const& of, std::uint64_t hash) {
                    catching out;
                    auto made = core->lowered(of, out);
                    if (!made) return void(failures.push_back({rows.size(), out.what}));
                    if constexpr (integer_key<key_type>) rows.push_back(row{key, hash, std::move(*made)});
                    else rows.push_back(row{&key, hash, std::move(*made)});
                });
            } catch (...) {
                broken = std::current_exception();
            }
        }
    };
    using open_window = typename decltype(Core::windows_)::open_window;
    /// Windows that a core had, in order.
    struct leaving {
        growing_array<open_window*> windows;
        std::size_t told = 0;
        [[nodiscard]] open_window* first() const noexcept { return told != windows.size() ? windows[told] : nullptr; }
        [[nodiscard]] bool begins_with(time_window const& window) const noexcept {
            return first() != nullptr && first()->window == window;
        }
    };
    /// The worker that filled a large table empties it.
    struct emptying final : work_item {
        growing_array<table*> tables;
        std::size_t ticket = 0;  // 0: nobody is at it
        void work() noexcept override {
            for (auto* const each : tables) each->clear();
        }
    };

    executor* threads_;
    growing_array<Core*> cores_;
    void (*flush_)(void*);
    void (*go_on_)(void*);  // may be null
    void* readers_;
    event_time next_end_ = event_time::min();  // no window ends between the watermark and this
    growing_array<part*> parts_;
    growing_array<leaving*> leaving_;    // one for each core, and one for that of the stage
    growing_array<emptying*> emptying_;  // one for each core
    growing_array<table*> due_;
    growing_array<std::size_t> bounds_;
    std::size_t submitted_ = 0;  // parts of the window that fires
    std::size_t collected_ = 0;
    std::size_t most_left_ = 0;
    std::uint64_t fires_ = 0;

public:
    /// flush(readers)   everything that was to be read is in the cores, and no worker is at them
    /// go_on(readers)   workers may be at them again; null: they wait until all is told
    partial_cores(executor* threads, void (*flush)(void*), void (*go_on)(void*), void* readers)
        : threads_(threads), flush_(flush), go_on_(go_on), readers_(readers) {
        for (std::size_t i = 0; i < threads_->workers(); ++i) emptying_.push_back(new emptying);
        for (std::size_t i = 0; i <= threads_->workers(); ++i) leaving_.push_back(new leaving);
        for (std::size_t i = 0; i < threads_->workers() * under_way; ++i) parts_.push_back(new part);
    }
    partial_cores(partial_cores const&) = delete;
    partial_cores& operator=(partial_cores const&) = delete;
    ~partial_cores() {
        for (std::size_t i = 0; i < emptying_.size(); ++i) finish(i);
        for (auto* const each : parts_) delete each;
        for (auto* const each : emptying_) delete each;
        for (auto* const each : leaving_) {
            for (auto* const window : each->windows) delete window;
            delete each;
        }
    }
    /// The core of the next worker.
    void add(Core& core) { cores_.push_back(&core); }

    /// Some window may fire at that watermark.
    [[nodiscard]] bool is_due(event_time watermark) const noexcept { return watermark >= next_end_; }
    /// Fires the windows that end at or before the watermark.
    template <class Out>
    void fire(Core& own, event_time watermark, Out& out) {
        if (watermark < own.watermark_) return;  // a promise is not taken back
        own.watermark_ = watermark;
        if (!is_due(watermark)) return;
        flush_(readers_);
        take_back(own);
        for (auto* const each : cores_) each->watermark_ = watermark;
        most_left_ = 0;
        ++fires_;
        for (std::size_t i = 0; i < leaving_.size(); ++i) {
            let_go(core(own, i), watermark, *leaving_[i]);
            if (leaving_[i]->windows.size() > most_left_) most_left_ = leaving_[i]->windows.size();
        }
        find_next_end(own);
        if (go_on_ != nullptr && !tells_in_parts()) go_on_(readers_);  // else the parts keep them at work
        while (auto const window = first_leaving()) {
            due_.clear();
            for (auto* const each : leaving_) {
                if (each->begins_with(*window)) due_.push_back(&each->first()->change());
            }
            tell(own, *window, out);
            for (std::size_t i = 0; i < leaving_.size(); ++i) {
                if (leaving_[i]->begins_with(*window)) retire(i);
            }
        }
        for (std::size_t i = 0; i < cores_.size(); ++i) {
            if (!emptying_[i]->tables.empty()) emptying_[i]->ticket = threads_->submit(i, *emptying_[i]);
        }
        if (go_on_ == nullptr) take_back(own);
    }
    /// How many windows left one core when some fired last.
    [[nodiscard]] std::size_t most_left() const noexcept { return most_left_; }
    [[nodiscard]] std::uint64_t fires() const noexcept { return fires_; }
    /// Everything is in `own` afterwards, as if all records had come to it.
    void gather(Core& own) {
        flush_(readers_);
        for (auto* const each : cores_) {
            for (; each->windows_.size() != 0; each->close_first()) {
                auto& from = each->windows_[0];
                if (auto* const into = own.windows_.change(from.window)) move_all(own, from.table, *into);
                else move_all(own, from.table, own.windows_.open(from.window, false).table);
            }
            each->forget_near();
        }
        own.forget_near();
    }
    /// What the workers had is forgotten: `own` was restored.
    void restart(Core& own) {
        for (auto* const each : leaving_) {
            for (; each->first() != nullptr; ++each->told) each->first()->table.clear();
        }
        take_back(own);
        for (auto* const each : cores_) {
            each->windows_.clear();
            each->entries_ = 0;
            each->watermark_ = own.watermark_;
            each->forget_near();
        }
        find_next_end(own);
    }
    /// The books of the workers become part of its.
    void settle(Core& own) noexcept {
        for (auto* const each : cores_) {
            own.account_.add(each->account_);
            each->account_ = account{.label = own.account_.label};
        }
    }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const* const each : cores_) sum += each->state_bytes();
        return sum;
    }
    template <class F>
    [[nodiscard]] event_time least(Core const& own, F f) const {
        auto of_all = f(own);
        for (auto const* const each : cores_) {
            if (auto const one = f(*each); one < of_all) of_all = one;
        }
        return of_all;
    }

private:
    template <class F>
    void each_core(Core& own, F f) {
        f(own);
        for (auto* const each : cores_) f(*each);
    }
    /// The core of the stage is number 0.
    [[nodiscard]] Core& core(Core& own, std::size_t number) const noexcept {
        return number == 0 ? own : *cores_[number - 1];
    }
    /// The windows that end at or before the watermark are no longer in their core.
    static void let_go(Core& core, event_time watermark, leaving& to) {
        auto& windows = core.windows_;
        while (windows.size() != 0 && windows[0].window.end <= watermark) {
            core.entries_ -= windows[0].table.size();
            to.windows.push_back(&windows[0]);
            static_cast<void>(windows.take_first());
        }
        core.forget_near();
    }
    /// The tables of windows that were told are there for windows to come.
    void take_back(Core& own) {
        for (std::size_t i = 0; i < emptying_.size(); ++i) finish(i);
        for (std::size_t i = 0; i < leaving_.size(); ++i) {
            auto& from = *leaving_[i];
            for (std::size_t k = 0; k < from.told; ++k) core(own, i).windows_.give_back(from.windows[k]);
            auto const left = from.windows.size() - from.told;  // some are where a sink has thrown
            for (std::size_t k = 0; k < left; ++k) from.windows[k] = from.windows[from.told + k];
            while (from.windows.size() != left) from.windows.pop_back();
            from.told = 0;
        }
    }
    void finish(std::size_t core) {
        auto& last = *emptying_[core];
        if (last.ticket != 0) threads_->wait(core, last.ticket);
        else last.work();
        last.tables.clear();
        last.ticket = 0;
    }
    [[nodiscard]] std::optional<time_window> first_leaving() const {
        std::optional<time_window> first;
        for (auto const* const each : leaving_) {
            if (each->first() != nullptr && (!first || each->first()->window < *first)) first = each->first()->window;
        }
        return first;
    }
    /// The first window that leaves is so large that workers make its rows.
    [[nodiscard]] bool tells_in_parts() const {
        auto const window = first_leaving();
        std::size_t size = 0;
        for (auto const* const each : leaving_) {
            if (window && each->begins_with(*window)) size += each->first()->table.size();
        }
        return size > 2 * part_rows;
    }
    /// The first window of a core was told.
    void retire(std::size_t number) {
        constexpr std::size_t large = std::size_t{1} << 18;
        auto& from = *leaving_[number];
        auto& told = from.first()->table;
        if (number == 0 || told.bytes() < large) told.clear();
        else emptying_[number - 1]->tables.push_back(&told);
        ++from.told;
    }
    void find_next_end(Core const& own) {
        next_end_ = own.watermark_;
        if (!next_end_.is_infinite()) next_end_ = first_end_after(own.windowing_.assigner, next_end_);
    }

    /// Adds what `from` has to `into`.
    static void move_all(Core& own, table& from, table& into) {
        from.for_each_ordered([&](auto const& key, entry& part, std::uint64_t hash) {
            if (auto* const there = into.find(key, hash)) return own.pack_.combine(there->state, part.state);
            static_cast<void>(into.insert(key, hash, [&] { return std::move(part); }));
            ++own.entries_;
        });
    }
    /// Calls f(key, entry, hash) for each key of the walks, in order, with what all of them have of it.
    template <class Pack, class F>
    static void merge(Pack const& pack, growing_array<walk>& walks, F&& f) {
        auto const take = [&](walk& from) {
            f(from.key(), from.state(), from.hash());
            from.next();
        };
        if (walks.size() == 2) {  // the usual case, without a search
            auto& a = walks[0];
            auto& b = walks[1];
            while (!a.done() && !b.done()) {
                if (a.hash() == b.hash()) [[unlikely]] {
                    if (same_key(a.key(), b.key())) {
                        pack.combine(a.state().state, b.state().state);
                        b.next();
                    } else {
                        take(a.before(b) ? a : b);
                        continue;
                    }
                    take(a);
                } else {
                    take(a.hash() < b.hash() ? a : b);
                }
            }
        }
        for (;;) {
            walk* first = nullptr;
            for (auto& each : walks) {
                if (!each.done() && (first == nullptr || each.before(*first))) first = &each;
            }
            if (first == nullptr) return;
            for (auto& each : walks) {
                if (&each == first || each.done() || each.hash() != first->hash()) continue;
                if (!same_key(each.key(), first->key())) continue;
                pack.combine(first->state().state, each.state().state);
                each.next();
            }
            take(*first);
        }
    }

    template <class Out>
    static void tell_row(
        auto const& key, time_window const& window, std::uint64_t hash, result const& value, Out& out) {
        pane_info const info{timing::on_time, 0, 0, true, true};
        if constexpr (Core::corrects_rows) {
            out.change(key, window, info, hash, static_cast<result const*>(nullptr), &value);
        } else {
            out.row(key, window, info, hash, value);
        }
    }
    template <class Out>
    void tell(Core& own, time_window const& window, Out& out) {
        std::size_t size = 0;
        bool aside = false;
        for (auto* const each : due_) {
            size += each->size();
            aside = aside || each->stands_aside();
        }
        if (aside) {  // one key in 2^64
            for (std::size_t i = 1; i < due_.size(); ++i) move_all(own, *due_[i], *due_[0]);
            return due_[0]->for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
                if (auto const value = own.lowered(each, out)) tell_row(key, window, hash, *value, out);
            });
        }
        if (size > 2 * part_rows) return tell_in_parts(own, window, size / part_rows, out);
        growing_array<walk> walks;
        for (auto* const each : due_) walks.push_back(walk{*each, 0, each->last_place()});
        merge(own.pack_, walks, [&](auto const& key, entry const& each, std::uint64_t hash) {
            if (auto const value = own.lowered(each, out)) tell_row(key, window, hash, *value, out);
        });
    }
    template <class Out>
    void tell_in_parts(Core& own, time_window const& window, std::size_t count, Out& out) {
        bounds_.clear();
        for (auto* const each : due_) {
            auto const step = ~std::uint64_t{0} / count;
            bounds_.push_back(0);
            for (std::size_t i = 1; i < count; ++i) bounds_.push_back(each->first_place(i * step));
            bounds_.push_back(each->last_place());
        }
        submitted_ = collected_ = 0;
        struct waits {  // parts read the tables: none is under way any more when a sink throws
            partial_cores& of;
            ~waits() {
                while (of.collected_ != of.submitted_) of.wait_for(*of.parts_[of.collected_++ % of.parts_.size()]);
            }
        } const to_the_end{*this};
        while (collected_ != count) {
            while (submitted_ != count && submitted_ - collected_ < parts_.size()) submit_part(own, submitted_, count);
            auto& done = *parts_[collected_ % parts_.size()];
            wait_for(done);
            ++collected_;
            if (done.broken) std::rethrow_exception(done.broken);
            hand_on(done, window, out);
        }
    }
    void submit_part(Core& own, std::size_t number, std::size_t count) {
        auto& next = *parts_[number % parts_.size()];
        next.core = &own;
        next.walks.clear();
        next.rows.clear();
        next.failures.clear();
        for (std::size_t i = 0; i < due_.size(); ++i) {
            auto const at = i * (count + 1) + number;
            next.walks.push_back(walk{*due_[i], bounds_[at], bounds_[at + 1]});
        }
        next.worker = number % threads_->workers();
        next.ticket = threads_->submit(next.worker, next);
        ++submitted_;
    }
    void wait_for(part const& one) { threads_->wait(one.worker, one.ticket); }
    template <class Out>
    static void hand_on(part& from, time_window const& window, Out& out) {
        auto failed = from.failures.begin();
        for (std::size_t i = 0;; ++i) {
            for (; failed != from.failures.end() && failed->before == i; ++failed) {
                try {
                    std::rethrow_exception(failed->what);
                } catch (...) {
                    out.threw(origin{});
                }
            }
            if (i == from.rows.size()) return;
            auto const& each = from.rows[i];
            if constexpr (integer_key<key_type>) tell_row(each.key, window, each.hash, each.value, out);
            else tell_row(*each.key, window, each.hash, each.value, out);
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
