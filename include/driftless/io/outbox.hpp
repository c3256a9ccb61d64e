// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_OUTBOX_HPP
#define DRIFTLESS_IO_OUTBOX_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/compatibility.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/sink_counts.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/io/detail/delivery_book.hpp>
#include <driftless/io/detail/effect_rows.hpp>
#include <driftless/io/directory_parts.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/log/detail/system_time.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What became of a call.
enum class call_state : std::uint8_t {
    done,     ///< it worked
    again,    ///< it did not, and may later: it is made again
    refused,  ///< it never will: a dead letter
    begun,    ///< the answer comes later, by outbox::settle; without one in time it is made again
};
/// What a call says, and why.
struct call_result {
    call_state state = call_state::done;
    std::string why{};

    call_result(call_state what, std::string reason = {})  // NOLINT(google-explicit-constructor)
        : state(what), why(std::move(reason)) {}
};

/// How an outbox delivers.
struct outbox_options {
    std::string job = "job";                           ///< whose effects: the name of the job
    std::string name = "out";                          ///< and of its sink
    duration first_wait = duration{1'000'000'000};     ///< between the first attempt and the second
    std::uint32_t factor = 2;                          ///< each wait is so many times the one before
    duration longest_wait = duration{600'000'000'000};
    std::uint32_t attempts = 10;                       ///< then it is a dead letter; 0: it is tried for ever
    duration timeout = duration{30'000'000'000};       ///< for the answer of a call that has begun
    std::size_t waiting = 1000;                        ///< so many wait at most: before more are begun
    /// Each attempt is written down before it is made, too, for one more sync: a call that kills the process counts,
    /// and is a dead letter in the end.
    bool note_first = false;
    event_time (*clock)() = nullptr;                   ///< null: the system's
    file_system* files = nullptr;                      ///< null: the disk
};

/// An effect, for the call.
template <class Row>
struct effect {
    std::string_view id;         ///< the same in each attempt: what the target can tell repetitions by
    std::uint64_t number = 0;    ///< of the effects of this job and sink, from 0
    Row const& row;              ///< borrowed for the call
    std::uint32_t attempt = 1;
    event_time deadline{};       ///< until then an answer is waited for
};

/// An effect that is not tried any more.
template <class Row>
struct dead_effect {
    std::string id;
    std::uint64_t number = 0;
    Row row{};  ///< what is `text` in it points into the outbox
    std::uint32_t attempts = 0;
    std::string reason;
};

/// What deliver() did.
struct outbox_round {
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;               ///< attempts that are made again
    std::uint64_t died = 0;
    event_time next = event_time::max();    ///< when the next attempt is due, of effects that were tried
};

/// Makes the calls that an outbox_sink has recorded, each at least once, until it worked or is given up.
///
/// Shape       deliver(f) calls f(effect<Row> const&) for all that is due: those that failed before and have waited,
///             then new ones in the order of their numbers. f returns nothing (it worked), bool, call_state or
///             call_result; what it throws is `again`, with its message as the reason.
/// Delivery    At least once: a crash between a call and the note of it, or an answer that came too late, and the call
///             is made again with the same id. A target that remembers ids has each effect once. In order only with
///             `.waiting = 1`: then nothing is begun before what came first is settled. A job that begins anew over the
///             same input records its effects with the same ids, and those that were made are not made again.
/// Time        Attempt n + 1 is due first_wait * factor^(n - 1) behind attempt n, longest_wait at most, by `clock`. One
///             that has `begun` and is not settled by its deadline (exclusive) has failed.
/// State       The effects that wait, in memory and in a file that is replaced after each call that worked and at the
///             end of deliver(). Attempts that failed are counted from the last such moment. Files whose effects have
///             all been tried are removed.
/// Errors      in_use: somebody else delivers; io, corrupt, mismatch (rows of another type, effects that are missing),
///             with the path.
/// Threads     One, which need not be that of the job; nor need it be its process.
/// Complexity  A call: one read, one file written and two syncs. Of those that wait, O(waiting).
/// Source      As outbox_sink; exponential backoff: R. Metcalfe, D. Boggs, "Ethernet" (1976).
/// Example     examples/charges.cpp
template <encodable Row>
class outbox {
    struct call_counts {
        std::atomic<std::uint64_t> delivered{0}, failed{0}, again{0}, timeouts{0}, dead{0};
    };
    std::string folder_;
    outbox_options options_;
    file_system& files_;
    std::string owner_;
    detail::delivery_book book_;
    std::string id_;
    std::optional<detail::effect_reader> reader_;
    std::string reading_;            // its path
    std::vector<std::string> read_;  // paths of files that were read to their end
    std::shared_ptr<call_counts> counts_ = std::make_shared<call_counts>();

public:
    /// Opens the outbox in the folder of an outbox_sink, which need not be there yet if its parent is.
    explicit outbox(std::string folder, outbox_options options = {})
        : folder_(std::move(folder)),
          options_(std::move(options)),
          files_(options_.files != nullptr ? *options_.files : real_files()),
          owner_(checked_owner()),
          book_(files_, folder_, owner_) {}

    template <class F>
    outbox_round deliver(F&& f) {
        outbox_round out;
        bool changed = give_up_begun(out);
        auto const begin = now();
        std::vector<std::uint64_t> due;
        for (auto const& each : book_.now.waiting) {
            if (!each.begun && each.due <= begin) due.push_back(each.number);
        }
        for (auto const number : due) {
            auto* const found = waiting(number);
            if (found == nullptr) continue;  // the call before it settled this one
            attempt(*found, f, out);
            changed = true;
        }
        changed = deliver_new(f, out) || changed;
        if (changed) book_.save();
        remove_parts();
        for (auto const& each : book_.now.waiting) {
            if (each.due < out.next) out.next = each.due;
        }
        return out;
    }
    /// The answer of a call that has begun; false if nobody waits for it (it came too late, or twice).
    bool settle(std::uint64_t number, call_result const& answer) {
        auto* const found = waiting(number);
        if (found == nullptr || !found->begun || answer.state == call_state::begun) return false;
        outbox_round ignored;
        found->begun = false;
        judge(*found, answer, ignored);
        book_.save();
        return true;
    }
    /// Those that are not tried any more, by number. What is `text` in them lives until the next call of a member.
    [[nodiscard]] std::vector<dead_effect<Row>> dead_letters() const {
        std::vector<dead_effect<Row>> out;
        for (auto const& each : book_.dead) {
            out.push_back({id_of(each.number), each.number, decode<Row>(each.bytes), each.attempts, each.reason});
        }
        return out;
    }
    /// Tries a dead letter again, from the first attempt on; false if there is none of that number, or, behind a crash,
    /// deliver() has not come past it yet.
    bool retry(std::uint64_t number) { return take_dead(number, true); }
    /// Forgets a dead letter; false as retry.
    bool drop(std::uint64_t number) { return take_dead(number, false); }

    /// What became of calls since this outbox was made: `rows` worked, `errors` did not, `retries` were no first
    /// attempts. May be called from any thread.
    [[nodiscard]] sink_counts counts() const noexcept {
        sink_counts out;
        out.rows = counts_->delivered.load(std::memory_order_relaxed);
        out.errors = counts_->failed.load(std::memory_order_relaxed);
        out.retries = counts_->again.load(std::memory_order_relaxed);
        out.timeouts = counts_->timeouts.load(std::memory_order_relaxed);
        out.dead = counts_->dead.load(std::memory_order_relaxed);
        return out;
    }
    /// Effects that were tried and are not settled.
    [[nodiscard]] std::size_t waiting() const noexcept { return book_.now.waiting.size(); }
    /// Calls that worked, since the outbox was made.
    [[nodiscard]] std::uint64_t delivered() const noexcept { return book_.now.delivered; }

private:
    using unsettled = detail::unsettled_effect;

    std::string checked_owner() {
        if (options_.waiting == 0 || options_.factor == 0 || options_.first_wait < duration{}) {
            throw error{error_code::invalid_argument, "an outbox needs .waiting and .factor of 1 or more", folder_};
        }
        if (options_.job.empty()) options_.job = "_";
        detail::require_plain_name(options_.job, folder_);
        detail::require_plain_name(options_.name, folder_);
        files_.make_folder(folder_);
        return options_.job + "." + options_.name;
    }
    [[nodiscard]] event_time now() const {
        return options_.clock != nullptr ? options_.clock() : detail::system_time();
    }
    [[nodiscard]] std::string id_of(std::uint64_t number) const { return owner_ + "." + std::to_string(number); }
    [[nodiscard]] unsettled* waiting(std::uint64_t number) noexcept {
        for (auto& each : book_.now.waiting) {
            if (each.number == number) return &each;
        }
        return nullptr;
    }
    [[nodiscard]] duration wait_after(std::uint32_t attempts) const noexcept {
        auto wait = options_.first_wait.ns();
        auto const longest = options_.longest_wait.ns();
        for (std::uint32_t i = 1; i < attempts && wait < longest; ++i) {
            if (wait > longest / options_.factor) return options_.longest_wait;
            wait *= options_.factor;
        }
        return duration{wait < longest ? wait : longest};
    }

    template <class F>
    void attempt(unsettled& which, F&& f, outbox_round& out) {
        if (options_.attempts != 0 && which.attempts >= options_.attempts) {
            return die(which, "the process died with each attempt", out);
        }
        if (++which.attempts > 1) ++counts_->again;
        which.due = now() + options_.timeout;
        if (options_.note_first) book_.save();
        auto const number = which.number;
        auto const answer = call(which, f);
        auto* const still = waiting(number);  // the call may have settled others
        if (still != nullptr) judge(*still, answer, out);
    }
    template <class F>
    [[nodiscard]] call_result call(unsettled const& which, F&& f) {
        id_ = id_of(which.number);
        auto const bytes = which.bytes;  // the list of those that wait may move
        auto const row = decode<Row>(bytes);
        effect<Row> const made{id_, which.number, row, which.attempts, which.due};
        using answer_t = std::invoke_result_t<F&, effect<Row> const&>;
        try {
            if constexpr (std::is_void_v<answer_t>) {
                f(made);
                return call_state::done;
            } else if constexpr (std::same_as<answer_t, bool>) {
                return f(made) ? call_state::done : call_state::again;
            } else {
                return f(made);
            }
        } catch (std::exception const& problem) {
            return {call_state::again, problem.what()};
        }
    }
    /// `which` may be gone afterwards.
    void judge(unsettled& which, call_result const& answer, outbox_round& out) {
        switch (answer.state) {
            case call_state::done:
                ++out.delivered;
                ++counts_->delivered;
                ++book_.now.delivered;
                book_.forget(which.number);
                book_.save();
                return;
            case call_state::begun:
                which.begun = true;
                return;
            case call_state::refused:
                ++counts_->failed;
                return die(which, answer.why.empty() ? "it was refused" : answer.why, out);
            case call_state::again: return fail(which, answer.why, out);
        }
    }
    void fail(unsettled& which, std::string const& why, outbox_round& out) {
        ++counts_->failed;
        if (options_.attempts != 0 && which.attempts >= options_.attempts) return die(which, why, out);
        ++out.failed;
        which.begun = false;
        which.reason = why;
        which.due = now() + wait_after(which.attempts);
    }
    void die(unsettled& which, std::string const& why, outbox_round& out) {
        ++out.died;
        ++counts_->dead;
        auto moved = which;
        moved.begun = false;
        moved.reason = why;
        book_.dead.push_back(std::move(moved));
        book_.save_dead();
        book_.forget(which.number);
    }
    /// Those whose answer did not come.
    bool give_up_begun(outbox_round& out) {
        auto const at = now();
        std::vector<std::uint64_t> late;
        for (auto const& each : book_.now.waiting) {
            if (each.begun && each.due <= at) late.push_back(each.number);
        }
        counts_->timeouts += late.size();
        for (auto const number : late) fail(*waiting(number), "no answer in time", out);
        return !late.empty();
    }
    bool take_dead(std::uint64_t number, bool again) {
        for (std::size_t i = 0; i < book_.dead.size(); ++i) {
            // Behind a crash the progress may not have come past it, and it would be taken for a new one.
            if (book_.dead[i].number != number || number >= book_.now.next) continue;
            auto taken = std::move(book_.dead[i]);
            book_.dead.erase(book_.dead.begin() + static_cast<std::ptrdiff_t>(i));
            if (again) {
                taken.attempts = 0;
                taken.due = now();
                book_.now.waiting.push_back(std::move(taken));
                book_.save();  // in both files it is dead still
            }
            book_.save_dead();
            return true;
        }
        return false;
    }

    /// Those that nobody has tried yet. A job that began anew records its effects again, with the numbers they had.
    template <class F>
    bool deliver_new(F&& f, outbox_round& out) {
        auto& at = book_.now;
        bool changed = false;
        for (auto const& part : parts()) {
            if (!reader_ || reading_ != part.path) {
                reader_.emplace(files_, part.path, fingerprint_of_schema<Row>());
                reading_ = part.path;
            }
            for (;;) {
                if (at.waiting.size() >= options_.waiting) return changed;
                auto next = reader_->next(at.next);
                if (!next) break;
                require_next(next->number, part);
                changed = true;
                ++at.next;
                if (book_.is_dead(next->number)) continue;  // the note of it came through, that of the progress did not
                at.waiting.push_back({next->number, 0, event_time::min(), false, {}, std::move(next->bytes)});
                attempt(at.waiting.back(), f, out);
            }
            read_.push_back(std::move(reading_));
            reading_.clear();
            reader_.reset();
        }
        return changed;
    }
    void require_next(std::uint64_t number, directory_part const& part) const {
        if (number == book_.now.next) return;
        throw error{error_code::mismatch,
            "effect " + std::to_string(number) + " comes where " + std::to_string(book_.now.next)
                + " was to come: files of this outbox are missing; bring them back",
            part.path};
    }
    [[nodiscard]] std::vector<directory_part> parts() const {
        std::vector<directory_part> out;
        for (auto& each : directory_parts(folder_, files_)) {
            bool const ours = each.job == options_.job && each.sink == options_.name;
            if (ours && each.extension == detail::effect_rows::extension) out.push_back(std::move(each));
        }
        return out;
    }
    /// What has been read to its end is on the book.
    void remove_parts() {
        for (auto const& path : read_) {
            if (!files_.exists(path)) continue;
            detail::effect_reader whole{files_, path, fingerprint_of_schema<Row>()};
            if (!whole.next(book_.now.next)) files_.remove(path);  // unless another file came in its place
        }
        read_.clear();
    }
};
}  // namespace driftless::inline v0
#endif
