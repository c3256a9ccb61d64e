// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_SINK_HPP
#define DRIFTLESS_CORE_SINK_HPP

#include <driftless/core/name.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/stage.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// A place for results: `write` upserts the row of (key, window), `remove` takes it away.
///
/// A pane is borrowed for the call. A sink of a pipeline that never removes (single panes, plain
/// records) needs no `remove`.
template <class S, class Key, class Value>
concept sink_for = requires(S& sink, pane<Key, Value> const& row) { sink.write(row); };

/// A callback that is not given: rows cannot be taken back that way.
struct no_remove {};

namespace detail {
/// How rows that change are shown to a sink: as its windows say (time/pane_options.hpp).
enum class encoding {
    accumulating,
    discarding,
    retracting
};
template <class Window>
inline constexpr encoding encoding_of = encoding::accumulating;
template <class Window>
    requires Window::carried
inline constexpr encoding encoding_of<Window> = [] {
    if constexpr (Window::in_parts) return encoding::discarding;
    else if constexpr (requires { requires Window::windowing::retracts; }) return encoding::retracting;
    else return encoding::accumulating;
}();
}  // namespace detail

/// What to(f) makes: a sink out of a function.
template <class Write, class Remove = no_remove, class Retract = no_remove>
struct callback_sink {
    using is_sink = void;
    [[no_unique_address]] Write on_write;
    [[no_unique_address]] Remove on_remove;
    [[no_unique_address]] Retract on_retract{};

    template <class Key, class Value>
        requires std::invocable<Write&, pane<Key, Value> const&>
    constexpr void write(pane<Key, Value> const& row) {
        on_write(row);
    }
    /// Plain records (no key, no window) are handed over as they are.
    template <class T>
        requires std::invocable<Write&, T const&>
    constexpr void write_record(T const& record) {
        on_write(record);
    }
    template <class Key>
        requires std::invocable<Remove&, Key const&, time_window>
    constexpr void remove(Key const& key, time_window window) {
        on_remove(key, window);
    }
    template <class Key, class Value>
        requires std::invocable<Retract&, pane<Key, Value> const&>
    constexpr void retract(pane<Key, Value> const& row) {
        on_retract(row);
    }
};

/// Wraps a function as a sink: f(pane const&), or f(record const&) for plain records. The second
/// function, if given, is called with (key, window) for each row that is taken back.
///
/// Delivery    At least once: after a restart a callback may be called again.
template <class Write>
constexpr auto to(Write write) {
    return callback_sink<Write>{std::move(write), {}};
}
template <class Write, class Remove>
constexpr auto to(Write write, Remove remove) {
    return callback_sink<Write, Remove>{std::move(write), std::move(remove)};
}
/// The third function is called with each pane that the next one replaces, where panes are retracting{}.
template <class Write, class Remove, class Retract>
constexpr auto to(Write write, Remove remove, Retract retract) {
    return callback_sink<Write, Remove, Retract>{std::move(write), std::move(remove), std::move(retract)};
}

/// An input, sink or side output with the name it is bound to. Made by bind().
template <class Name, class X>
struct bound {
    using is_bound = void;
    using name_type = Name;
    X target;  ///< a reference for lvalues, the object itself for temporaries
};

/// Binds an input, a sink or a side output to its name: run(batch{}, p, bind("orders"_name, log)).
template <class Name, class X>
constexpr bound<Name, X> bind(Name, X&& target) {
    return {std::forward<X>(target)};
}

namespace detail {
/// The record is itself the row of its key: what an aggregate yields.
template <class Key, class T>
inline constexpr bool is_row_of = false;
template <class Key, class Value>
inline constexpr bool is_row_of<Key, pane<Key, Value>> = true;

/// Where nothing is bound and nothing may arrive: no late output, no diverted records.
struct nowhere : terminal {
    constexpr void on_record(auto const&, auto const&) {}
};

/// The end of a pipeline: turns what arrives into panes and hands them to a sink.
template <class Sink, class In>
class sink_stage : public terminal {
    using key_type = typename In::key;
    using record_type = typename In::record;
    Sink* sink_;

public:
    /// A sink that has on_epoch(n) is told when all that it was given is epoch n.
    static constexpr bool wants_epochs = requires(Sink& sink) { sink.on_epoch(std::uint64_t{}); };

    explicit constexpr sink_stage(Sink* sink) : sink_(sink) {}
    constexpr void on_epoch(std::uint64_t epoch) {
        if constexpr (wants_epochs) sink_->on_epoch(epoch);
    }
    /// What a sink shows here is part of the snapshots of its job.
    constexpr void visit_state(auto&& visit) {
        if constexpr (requires { visit.on_sink(*sink_); }) visit.on_sink(*sink_);
        if constexpr (requires { sink_->visit_state(visit); }) sink_->visit_state(visit);
    }

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        if constexpr (is_row<T>) {
            sink_->write(record);
        } else if constexpr (std::same_as<key_type, unkeyed> && !In::window::assigned) {
            if constexpr (requires { sink_->write_record(record); }) sink_->write_record(record);
            else sink_->write(pane<unkeyed, T>{{}, ctx.window, record, ctx.info});
        } else if constexpr (std::same_as<key_type, unkeyed>) {
            sink_->write(pane<unkeyed, T>{{}, ctx.window, record, ctx.info});
        } else {
            sink_->write(pane<key_type, T>{*ctx.key, ctx.window, record, ctx.info});
        }
    }

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        if constexpr (shows == encoding::discarding) {
            if (row.part != nullptr) return on_record(ctx, *row.part);
            if (row.after != nullptr) return;  // it was left out on the way
        } else if constexpr (shows == encoding::retracting) {
            if (row.before != nullptr && row.after != nullptr) retract(ctx, *row.before);
        }
        if (row.after != nullptr) {
            on_record(ctx, *row.after);
        } else if constexpr (is_row<T>) {
            remove(row.before->key, row.before->window);
        } else if constexpr (std::same_as<key_type, unkeyed>) {
            remove(unkeyed{}, ctx.window);
        } else {
            remove(*ctx.key, ctx.window);
        }
    }

private:
    template <class T>
    static constexpr bool is_row = is_row_of<key_type, T>;
    /// A sink that keeps rows wants the last one, whatever the encoding.
    static constexpr encoding shows = [] {
        if constexpr (requires { typename Sink::keeps_rows; }) return encoding::accumulating;
        else return encoding_of<typename In::window>;
    }();

    template <class Ctx, class T>
    constexpr void retract(Ctx const& ctx, T const& old) {
        auto const take_back = [&](auto const& row) {
            static_assert(requires { sink_->retract(row); },
                "driftless: this pipeline says retracting{}: give its sink a retract(pane), or write "
                "to(on_write, on_remove, on_retract)");
            sink_->retract(row);
        };
        if constexpr (is_row<T>) take_back(old);
        else if constexpr (std::same_as<key_type, unkeyed>) take_back(pane<unkeyed, T>{{}, ctx.window, old, ctx.info});
        else take_back(pane<key_type, T>{*ctx.key, ctx.window, old, ctx.info});
    }

    constexpr void remove(key_type const& key, time_window window) {
        static_assert(requires { sink_->remove(key, window); },
            "driftless: this pipeline takes rows back (it yields changes): give its sink a "
            "remove(key, window), or write to(on_write, on_remove)");
        sink_->remove(key, window);
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
