// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_OUTSIDE_CALL_HPP
#define DRIFTLESS_OP_DETAIL_OUTSIDE_CALL_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/core/time.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace driftless::inline v0::detail {
/// A record with all it came with, as bytes of its own.
template <class In>
struct kept_record {
    typename In::record record{};
    typename In::key key{};
    context<> came{};  // without the key, which stands beside it
    arena text{};

    template <class Ctx>
    void keep(Ctx const& ctx, typename In::record const& from) {
        text.reset();
        came = context<>{.at = ctx.at, .window = ctx.window, .info = ctx.info, .from = ctx.from};
        record = from;
        rehome(record, text);
        if constexpr (keyed<In>) {
            key = *ctx.key;
            rehome(key, text);
        }
    }
    [[nodiscard]] context<typename In::key> ctx() const noexcept { return came.with_key(key); }
};

/// One call to the outside, for a record of its own: what the caller still has may go away meanwhile.
///
/// Threads     work() is run by a worker; everything else belongs to the job. The worker gives the call back by the
///             list, which is its last touch.
template <class In, class F, class Answer>
class outside_call final : public work_item {
public:
    enum class phase : std::uint8_t {
        waiting,   // for its turn, or for the pause before another try
        told,      // its answer has been written down, and is read when it goes on
        running,
        answered,
        failed
    };
    /// Calls that have returned. Any thread adds, one takes them all.
    class returned {
        std::atomic<outside_call*> first_{nullptr};

    public:
        void add(outside_call& call) noexcept {
            auto* before = first_.load(std::memory_order_relaxed);
            do {
                call.next_ = before;
            } while (!first_.compare_exchange_weak(before, &call, std::memory_order_release));
        }
        /// Calls f(call) for each.
        template <class Taker>
        void take(Taker&& f) {
            if (first_.load(std::memory_order_relaxed) == nullptr) return;
            auto* each = first_.exchange(nullptr, std::memory_order_acquire);
            while (each != nullptr) f(*std::exchange(each, each->next_));
        }
    };

    kept_record<In> of;
    std::uint64_t nth = 0;
    std::uint64_t tries = 0;
    duration when{};  // waiting: when it is to run; running: when it is given up
    phase state = phase::waiting;
    bool written = false;  // its answer is in the journal
    std::optional<Answer> answer{};
    std::string why{};
    error_code code = error_code::none;

    outside_call(F const& function, returned& back) : function_(&function), back_(&back) {}

    [[nodiscard]] bool settled() const noexcept { return state == phase::answered || state == phase::failed; }
    void clear() noexcept {
        tries = 0;
        state = phase::waiting;
        written = false;
        answer.reset();
        why.clear();
        code = error_code::none;
        given_up_.store(false, std::memory_order_relaxed);
    }
    void fail(error_code with, std::string because) {
        code = with;
        why = std::move(because);
    }
    /// Nobody waits for it any more. If it has not begun, it will not.
    void give_up() noexcept { given_up_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool given_up() const noexcept { return given_up_.load(std::memory_order_relaxed); }

    /// What failed by itself is tried again after a restore, unless that is written down.
    void save_state(auto& out) const {
        out.write(nth).write(of.came.at).write(of.came.window).write(of.came.info);
        out.write(of.came.from.offset).write(of.came.from.partition).write(of.came.from.input);
        if constexpr (keyed<In>) out.write(of.key);
        out.write(of.record);
        bool const known = state == phase::answered || (state == phase::failed && written);
        out.write(known);
        if (!known) return;
        out.write(written).write(state == phase::failed);
        if (state == phase::failed) out.write(why);
        else out.write(*answer);
    }
    /// Into one that is clear.
    void load_state(auto& in) {
        context<typename In::key> ctx;
        typename In::key key{};
        ctx.key = &key;
        in.read(nth);
        in.read(ctx.at);
        in.read(ctx.window);
        in.read(ctx.info);
        in.read(ctx.from.offset);
        in.read(ctx.from.partition);
        in.read(ctx.from.input);
        if constexpr (keyed<In>) in.read(key);
        auto const record = in.template read<typename In::record>();
        of.keep(ctx, record);
        if (!in.template read<bool>()) return;
        in.read(written);
        if (in.template read<bool>()) {
            state = phase::failed;
            fail(error_code::user_function, in.template read<std::string>());
        } else {
            state = phase::answered;
            answer.emplace(in.template read<Answer>());
        }
    }

    void work() noexcept override {
        if (!given_up()) {
            try {
                call();
            } catch (...) {  // no memory for the message
                code = error_code::user_function;
            }
        }
        back_->add(*this);
    }

private:
    F const* function_;
    returned* back_;
    outside_call* next_ = nullptr;
    std::atomic<bool> given_up_{false};

    void call() {
        try {
            answer.emplace((*function_)(std::as_const(of.record)));
        } catch (error const& problem) {
            fail(problem.code(), problem.what());
        } catch (std::exception const& problem) {
            fail(error_code::user_function, problem.what());
        } catch (...) {
            fail(error_code::user_function, "an exception that is not a std::exception");
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
