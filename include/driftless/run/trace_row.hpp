// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_TRACE_ROW_HPP
#define DRIFTLESS_RUN_TRACE_ROW_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/core/time.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/detail/quiet_replay.hpp>
#include <driftless/run/detail/traced_windows.hpp>
#include <driftless/run/results.hpp>
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

/// A record that has a part in a row, or was refused one. Made by trace_row().
struct row_record {
    enum class kind : std::uint8_t {
        in_time,  ///< its window had not closed
        late,     ///< its window had closed, and took it all the same (allowed lateness)
        refused,  ///< the operator refused it, for `why`
    };
    origin from;           ///< input, partition and offset
    event_time at;         ///< its event time
    kind what = kind::in_time;
    reason why{};          ///< of a refusal
    operator_label stage;  ///< that took or refused it
    event_time watermark = event_time::min();  ///< that the operator knew

    /// One line: "partition 0, offset 4711: ..., late".
    [[nodiscard]] std::string str() const {
        std::string out;
        if (from.input != 0) out += "input " + std::to_string(from.input) + ", ";
        out += "partition " + std::to_string(from.partition) + ", offset " + std::to_string(from.offset) + ": "
            + detail::plan_text(at);
        if (what == kind::late) out += ", late";
        if (what == kind::refused) out.append(", refused as ").append(to_string(why));
        return out;
    }
};

namespace detail {
/// All that is asked of one replay.
struct row_tracer {
    std::string key;  // encoded
    time_window window;
    std::vector<row_record> found;
};
/// One per operator.
struct row_watched {
    row_tracer* all = nullptr;
    operator_label label;
    event_time watermark = event_time::min();
};

/// Before a stateful operator with a key: notes the records of one key and window.
template <class In, class Windowing, class Next>
class row_trace_before : public looking_through<Next> {
    using looking_through<Next>::next_;
    row_watched* of_;
    Windowing const* windowing_;

public:
    row_trace_before(Next next, row_watched* of, Windowing const* windowing)
        : looking_through<Next>(std::move(next)), of_(of), windowing_(windowing) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        if (ctx.from.offset == origin::nowhere || !is_key(ctx)) return next_.on_record(ctx, record);
        auto const windows = traced_windows<In>(windowing_, ctx, record);
        auto const mine = std::find_if(windows.begin(), windows.end(),
            [&](time_window const& each) { return covers_window(of_->all->window, each); });
        if (!windows.empty() && mine == windows.end()) return next_.on_record(ctx, record);
        account const before = next_.books();
        auto const watermark = of_->watermark;
        next_.on_record(ctx, record);
        auto const place = static_cast<std::uint64_t>(mine - windows.begin());
        note(ctx, windows.empty() ? time_window{} : *mine, place, watermark,
            before, next_.books());
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
    template <class Ctx>
    [[nodiscard]] bool is_key(Ctx const& ctx) const {
        std::string key;
        byte_writer{key}.write(*ctx.key);
        return key == of_->all->key;
    }
    /// Of several windows, those that close first are refused first.
    template <class Ctx>
    void note(Ctx const& ctx, time_window window, std::uint64_t place, event_time watermark, account const& before,
        account const& after) {
        row_record out{ctx.from, ctx.at, row_record::kind::in_time, {}, of_->label, watermark};
        if (window.end <= watermark) out.what = row_record::kind::late;
        std::uint64_t refused = 0;
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const why = static_cast<reason>(i);
            refused += after.refusals(why) - before.refusals(why);
            if (refused <= place) continue;
            out.what = row_record::kind::refused;
            out.why = why;
            break;
        }
        of_->all->found.push_back(out);
    }
};

/// A mode in which every stateful operator with a key is watched.
template <class Mode>
struct row_traced_mode : Mode {
    using watches = void;

    template <class P, class Next, class Builder>
    static auto watched(P const& p, Next next, Builder& builder) {
        using op = typename P::op_type;
        using in = stream_t<output_of<typename P::prev_type>>;
        auto stage = p.op.template bind<typename P::input_t, row_traced_mode>(
            std::move(next), place<typename P::prev_type, Builder>{p.prev, builder, label_of<op>()});
        using stage_t = decltype(stage);
        constexpr bool keeps_books = requires(stage_t const& each) { each.books(); };
        constexpr bool asked = requires { typename op::is_stateful; } && keeps_books && keyed<in> && !changelog<in>;
        if constexpr (asked && encodable<typename in::key>) {
            auto* const of = builder.template own<row_watched>(row_watched{nullptr, label_of<op>()});
            auto const* const windowing = with_type(windowing_of(p.prev));
            using windowing_t = std::remove_cvref_t<decltype(*windowing)>;
            return row_trace_before<in, windowing_t, stage_t>{std::move(stage), of, windowing};
        } else {
            return stage;
        }
    }
};
struct row_tracer_setter {
    row_tracer* all;
    template <class T>
    void operator()(std::string_view, T& member) const {
        if constexpr (std::is_same_v<T, row_watched>) member.all = all;
    }
};
}  // namespace detail

/// Reads the inputs again, once, and says which records have a part in one row, in the order in which they came, and
/// which were refused one.
///
/// mode, args  As in trace(stream{}, ...)
/// key         of the row; records are found at stateful operators with such a key
/// window      of the row; none for a row without a window
/// Time        Replay is deterministic: what is said here is what happened.
/// Limits      Behind a second grouping rows have no offsets: found is what the first operator with that key was given.
/// Errors      Those of run().
/// Complexity  That of a run over the inputs on one thread.
template <class Key, pipeline P, class... Args>
    requires(!is_ill_formed<P>)
[[nodiscard]] std::vector<row_record> trace_row(
    stream const& mode, P const& p, Key const& key, time_window window, Args&&... args) {
    using run_mode_t = detail::row_traced_mode<run_mode<false, true, false>>;
    using engine_t = detail::engine<run_mode_t, P, Args...>;
    results_of<output_of<P>> rows;
    engine_t run{p, &rows, mode.on_error, nullptr, std::forward<Args>(args)...};
    run.services().answers = mode.answers;
    detail::row_tracer all;
    byte_writer{all.key}.write(key);
    all.window = window;
    run.visit_state(detail::row_tracer_setter{&all});
    run.extend();
    detail::replay_quietly<P>(run, mode);
    return std::move(all.found);
}
}  // namespace driftless::inline v0
#endif
