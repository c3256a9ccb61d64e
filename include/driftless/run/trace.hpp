// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_TRACE_HPP
#define DRIFTLESS_RUN_TRACE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/detail/quiet_replay.hpp>
#include <driftless/run/detail/traced_windows.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What an operator did with the record that is traced, or with a row that it is part of.
struct traced_step {
    enum class kind : std::uint8_t {
        reached,    ///< it came to the operator, and nothing is known but that
        applied,    ///< it went into the window
        refused,    ///< the window refused it, for `why`
        unassigned, ///< it lies in no window
        pane,       ///< a pane came out of a window it is in
        removal,    ///< a row of a window it is in was taken back
    };
    operator_label stage;
    kind what = kind::reached;
    reason why{};              ///< of a refusal
    time_window window{};      ///< of all but `reached` and `unassigned`
    pane_info info{};          ///< of a pane
    event_time watermark = event_time::min();  ///< that the operator knew

    /// One line: "aggregate 'revenue': applied in [..., ...)".
    [[nodiscard]] std::string str() const {
        constexpr char const* names[] = {"reached", "applied in ", "refused by ", "lies in no window", "pane of ",
            "removed the row of "};
        auto out = stage.str() + ": " + names[static_cast<std::size_t>(what)];
        if (what == kind::reached || what == kind::unassigned) return out;
        if (window == time_window{}) out += "all of time";
        else out += '[' + detail::plan_text(window.start) + ", " + detail::plan_text(window.end) + ')';
        if (what == kind::refused) out += ", " + std::string{to_string(why)};
        if (what == kind::pane) {
            out += ", " + std::string{to_string(info.timing)} + ", index " + std::to_string(info.index);
            if (info.last) out += ", the last";
        }
        return out += ", watermark " + detail::plan_text(watermark);
    }
};

/// What became of one record. Made by trace().
struct record_trace {
    origin record;                   ///< which one
    bool found = false;              ///< the inputs have it
    std::vector<traced_step> steps;  ///< in the order in which they happened

    [[nodiscard]] std::string str() const {
        auto out = "offset " + std::to_string(record.offset) + " of partition " + std::to_string(record.partition)
            + " of input " + std::to_string(record.input);
        if (!found) return out + ": the inputs do not have it\n";
        if (steps.empty()) out += ": reached no operator";
        out += '\n';
        for (auto const& each : steps) out += each.str() + '\n';
        return out;
    }
};

namespace detail {
/// Who is followed: the record at its place in the input, or a row that it is part of.
struct tracer {
    record_trace told;
    bool follows = false;
    [[nodiscard]] bool means(origin const& from) const noexcept {
        return follows
            || (from.offset == told.record.offset && from.partition == told.record.partition
                && from.input == told.record.input);
    }
};
/// One per operator: in which rows of it the record is.
struct traced_operator {
    tracer* all;
    operator_label label;
    event_time watermark = event_time::min();
    std::string key{};                    // encoded
    std::vector<time_window> windows{};
    bool in_any_window = false;           // it is not known beforehand which

    void note(traced_step::kind what, time_window window = {}, reason why = {}, pane_info info = {}) {
        all->told.steps.push_back({label, what, why, window, info, watermark});
    }
    template <class Ctx>
    static std::string key_of(Ctx const& ctx) {
        std::string out;
        if constexpr (!std::is_same_v<Ctx, context<unkeyed>>) {
            using key = std::remove_cvref_t<decltype(*ctx.key)>;
            if constexpr (encodable<key>) byte_writer{out}.write(*ctx.key);
        }
        return out;
    }
    template <class Ctx>
    [[nodiscard]] bool has(Ctx const& ctx) const {
        if (windows.empty() && !in_any_window) return false;
        bool in = in_any_window;
        for (auto const& each : windows) in = in || covers_window(ctx.window, each);
        return in && key_of(ctx) == key;
    }
};

/// Behind an operator: rows of windows that the record is in.
template <class Next>
class trace_after : public looking_through<Next> {
    using looking_through<Next>::next_;
    traced_operator* of_;

public:
    trace_after(Next next, traced_operator* of) : looking_through<Next>(std::move(next)), of_(of) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        bool const mine = of_->has(ctx);
        if (mine) of_->note(traced_step::kind::pane, ctx.window, {}, ctx.info);
        hand_on(mine, [&] { next_.on_record(ctx, record); });
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        bool const mine = of_->has(ctx);
        if (mine) {
            of_->note(row.after != nullptr ? traced_step::kind::pane : traced_step::kind::removal, ctx.window, {},
                ctx.info);
        }
        hand_on(mine, [&] { next_.on_change(ctx, row); });
    }

private:
    template <class F>
    void hand_on(bool mine, F f) {
        bool const followed = std::exchange(of_->all->follows, mine);
        f();
        of_->all->follows = followed;
    }
};

/// Before an operator: the record, or a row that it is part of, comes to it.
///
/// Stateful    it keeps books of what it took and refused
template <class In, bool Stateful, class Windowing, class Next>
class trace_before : public looking_through<Next> {
    using looking_through<Next>::next_;
    traced_operator* of_;
    Windowing const* windowing_;

public:
    trace_before(Next next, traced_operator* of, Windowing const* windowing)
        : looking_through<Next>(std::move(next)), of_(of), windowing_(windowing) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        come(ctx, record, [&] { next_.on_record(ctx, record); });
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        come(ctx, row.after != nullptr ? *row.after : *row.before, [&] { next_.on_change(ctx, row); });
    }
    void on_watermark(event_time watermark) {
        of_->watermark = watermark;
        next_.on_watermark(watermark);
    }
    void visit_state(auto&& visit) {
        visit("trace", *of_);
        next_.visit_state(visit);
    }

private:
    static constexpr bool keeps_books = requires(Next const& next) { next.books(); };

    template <class Ctx, class T, class F>
    void come(Ctx const& ctx, T const& record, F f) {
        if (!of_->all->means(ctx.from)) return f();
        if constexpr (Stateful && keeps_books) {
            apply(ctx, record, f);
        } else {
            of_->note(traced_step::kind::reached);
            bool const followed = std::exchange(of_->all->follows, true);  // what it makes of the record is the record
            f();
            of_->all->follows = followed;
        }
    }
    /// The books say what was refused; of several windows, those that close first are late.
    template <class Ctx, class T, class F>
    void apply(Ctx const& ctx, T const& record, F f) {
        auto windows = traced_windows<In>(windowing_, ctx, record);
        auto const first = of_->all->told.steps.size();
        of_->key = traced_operator::key_of(ctx);
        of_->windows.insert(of_->windows.end(), windows.begin(), windows.end());
        account const before = next_.books();
        auto const watermark = of_->watermark;
        bool const followed = std::exchange(of_->all->follows, false);
        f();
        of_->all->follows = followed;
        account const after = next_.books();
        std::vector<traced_step> own;
        auto const add = [&](traced_step::kind what, time_window window, reason why = {}) {
            own.push_back({of_->label, what, why, window, {}, watermark});
        };
        std::size_t next = 0;
        auto const window = [&] { return next < windows.size() ? windows[next++] : time_window{}; };
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            for (auto n = after.refusals(why) - before.refusals(why); n != 0; --n) {
                add(traced_step::kind::refused, window(), why);
                if (next != 0) forget(windows[next - 1]);
            }
        }
        for (auto n = after.applied - before.applied; n != 0; --n) add(traced_step::kind::applied, window());
        if (after.unassigned != before.unassigned) add(traced_step::kind::unassigned, {});
        // It went in before what came out because of it.
        auto& steps = of_->all->told.steps;
        steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(first), own.begin(), own.end());
        for (auto const& each : own) {
            if (windows.empty() && each.what == traced_step::kind::applied) of_->in_any_window = true;
        }
    }
    void forget(time_window const& window) {
        for (auto i = of_->windows.size(); i-- > 0;) {
            if (of_->windows[i] != window) continue;
            of_->windows.erase(of_->windows.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
    }
};

/// A mode in which every operator is watched, before and behind.
template <class Mode>
struct traced_mode : Mode {
    using watches = void;

    template <class P, class Next, class Builder>
    static auto watched(P const& p, Next next, Builder& builder) {
        using op = typename P::op_type;
        using in = stream_t<output_of<typename P::prev_type>>;
        constexpr bool stateful = requires { typename op::is_stateful; };
        auto* const of = builder.template own<traced_operator>(traced_operator{nullptr, label_of<op>()});
        auto const* const windowing = with_type(windowing_of(p.prev));
        using windowing_t = std::remove_cvref_t<decltype(*windowing)>;
        auto behind = [&] {
            if constexpr (stateful) return trace_after<Next>{std::move(next), of};
            else return std::move(next);
        }();
        auto stage = p.op.template bind<typename P::input_t, traced_mode>(
            std::move(behind), place<typename P::prev_type, Builder>{p.prev, builder, label_of<op>()});
        return trace_before<in, stateful, windowing_t, decltype(stage)>{std::move(stage), of, windowing};
    }
};
struct tracer_setter {
    tracer* all;
    template <class T>
    void operator()(std::string_view, T& member) const {
        if constexpr (std::is_same_v<T, traced_operator>) member.all = all;
    }
};

template <class Mode, class P, class... Args>
record_trace trace_in(auto const& mode, P const& p, origin record, Args&&... args) {
    results_of<output_of<P>> rows;
    using engine_t = engine<traced_mode<Mode>, P, Args...>;
    engine_t run{p, &rows, mode.on_error, nullptr, std::forward<Args>(args)...};
    run.services().answers = mode.answers;
    tracer all;
    all.told.record = record;
    run.visit_state(tracer_setter{&all});
    run.extend();
    for (auto const* const each : run.lanes()) {
        if (each->input != record.input || each->partition != record.partition) continue;
        all.told.found = record.offset >= each->next && record.offset < each->end;
    }
    if constexpr (!Mode::stream) {
        run.run_to_end([] {});
    } else {
        replay_quietly<P>(run, mode);
        if (mode.until == until::drained) run.finish();
    }
    return std::move(all.told);
}
}  // namespace detail

/// Reads the inputs again and says what became of one record: which operators it reached, which windows it went into,
/// which panes it is in, and who refused it and why.
///
/// mode        stream{}: as a stream has it that has read what the inputs hold now (`until = drained`: and ended).
///             batch{}: as a batch has it
/// record      by input (from 0, as in the pipeline), partition and offset
/// args        As in run(), without the sink: side outputs are written to
/// Time        Replay is deterministic: what is said here is what happened. Where the clock or idle inputs had a say,
///             give the journal of the job: stream{.journal = journal_in(log)}.
/// Limits      Behind a fan-in the record is followed by its place in its input. Of `sliding_per_record` and
///             `count_window` the windows are those of the panes that came out.
/// Errors      Those of run(). A record that the inputs do not have is not `found`.
/// Complexity  That of a run over the inputs on one thread.
template <pipeline P, class... Args>
    requires(!is_ill_formed<P>)
[[nodiscard]] record_trace trace(stream const& mode, P const& p, origin record, Args&&... args) {
    return detail::trace_in<run_mode<false, true, false>>(mode, p, record, std::forward<Args>(args)...);
}
template <class Threads, pipeline P, class... Args>
    requires(!is_ill_formed<P>)
[[nodiscard]] record_trace trace(batch<Threads> const& mode, P const& p, origin record, Args&&... args) {
    return detail::trace_in<detail::batch_mode<P, false>>(mode, p, record, std::forward<Args>(args)...);
}
}  // namespace driftless::inline v0
#endif
