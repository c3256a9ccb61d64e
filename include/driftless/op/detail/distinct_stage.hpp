// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_DISTINCT_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_DISTINCT_STAGE_HPP

#include <driftless/agg/detail/multiset.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Hands on the first record of each value in a key and window; over changes a value comes with its first row, and goes
/// with its last.
///
/// Of          what makes a record distinct
/// Windowing   of the window(...) upstream; void without one
/// OutKey      what names the rows that are handed on, where they are changes
template <class In, class Of, class Windowing, class OutKey, bool Exact, class Late, class Next>
class distinct_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;
    using record_type = typename In::record;
    using value_type = projected_t<Of, record_type>;
    static constexpr bool windowed = !std::is_void_v<Windowing>;
    static constexpr bool by_element = [] {
        if constexpr (!windowed || In::window::carried || Exact) return false;
        else return Windowing::template has<element_level>;
    }();

    struct entry {
        multiset<value_type> values;

        void save(auto& out) const { values.save(out); }
        void load(auto& in) { values.load(in); }
    };
    using table = keyed_table<key_type, entry>;
    struct nothing {};

    [[no_unique_address]] Of of_;
    [[no_unique_address]] std::conditional_t<windowed, Windowing, nothing> windowing_;
    duration kept_behind_end_;
    [[no_unique_address]] Late late_;
    run_services* services_;
    event_time watermark_ = event_time::min();
    window_tables<table> windows_;
    account account_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;

    template <class W>
    distinct_stage(Next next, Of of, W const* windowing, duration kept_behind_end, Late late, operator_label label,
        run_services* services)
        : forwarding<Next>(std::move(next)),
          of_(std::move(of)),
          windowing_(windowing_from(windowing)),
          kept_behind_end_(Exact ? duration{} : kept_behind_end),
          late_(std::move(late)),
          services_(services),
          account_{.label = label} {}

    template <class Ctx>
    void on_record(Ctx const& ctx, record_type const& record) {
        each_window_of(ctx, [&](time_window const& window) {
            table* const in = table_for(window, ctx, record);
            if (in != nullptr && change(*in, ctx, record, 1)) next_.on_record(moved(ctx, window), record);
        });
    }
    template <class Ctx>
    void on_change(Ctx const& ctx, driftless::change<record_type> const& row) {
        each_window_of(ctx, [&](time_window const& window) {
            table* const in = table_for(window, ctx, row.after != nullptr ? *row.after : *row.before);
            if (in == nullptr) return;
            if (row.before != nullptr && row.after != nullptr && same_key(*row.before, *row.after)) {
                ++account_.applied;
                return;
            }
            if (row.before != nullptr && change(*in, ctx, *row.before, -1)) tell(ctx, window, {row.before, nullptr});
            if (row.after == nullptr) ++account_.applied;
            else if (change(*in, ctx, *row.after, 1)) tell(ctx, window, {nullptr, row.after});
        });
    }
    void on_watermark(event_time watermark) {
        if (watermark >= watermark_) {  // a promise is not taken back
            watermark_ = watermark;
            while (windows_.size() != 0 && windows_[0].window.end + kept_behind_end_ <= watermark)
                windows_.close_first();
        }
        next_.on_watermark(watermark);
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    [[nodiscard]] event_time deadline() const {
        auto const theirs = next_.deadline();
        auto const own = own_deadline();
        return own < theirs ? own : theirs;
    }
    void visit_state(auto&& visit) {
        visit("distinct", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes(); }
    void save_state(auto& out) const {
        out.write(account_.applied).write(account_.unassigned);
        for (auto const each : account_.refused) out.write(each);
        out.write(watermark_);
        save_windows(1, [this](std::size_t) -> auto const& { return windows_; }, out);
    }
    void load_state(auto& in) {
        in.read(account_.applied).read(account_.unassigned);
        for (auto& each : account_.refused) in.read(each);
        in.read(watermark_);
        windows_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            auto& into = windows_.open(window, false).table;
            load_entries<key_type, entry>(
                in.template read<std::uint64_t>(), in, [&](std::uint64_t) -> auto& { return into; });
        }
        windows_.set_restored();
    }

private:
    template <class W>
    static auto windowing_from([[maybe_unused]] W const* windowing) {
        if constexpr (windowed) return *windowing;
        else return nothing{};
    }
    template <class Ctx, class F>
    void each_window_of(Ctx const& ctx, F&& f) {
        if constexpr (!windowed) f(time_window{});
        else if constexpr (In::window::carried) f(ctx.window);
        else if (each_window(windowing_.assigner, ctx.at, f) == 0) ++account_.unassigned;
    }
    template <class Ctx>
    table* table_for(time_window const& window, Ctx const& ctx, record_type const& record) {
        if constexpr (windowed && !Exact) {
            if (watermark_ >= window.end + kept_behind_end_ || (by_element && ctx.at < watermark_)) {
                account_.refuse_late(watermark_ - ctx.at);
                late_.on_record(moved(ctx, window), record);
                return nullptr;
            }
        }
        table* const there = windows_.change(window);
        return there != nullptr ? there : &windows_.open(window, false).table;
    }
    /// Counts a record; true if its value has come into being, or ceased to be.
    template <class Ctx>
    bool change(table& in, Ctx const& ctx, record_type const& record, std::int64_t by) {
        bool shows = false;
        bool const known = guarded(services_, account_.label, ctx, [&] {
            decltype(auto) value = of_(record);
            auto const hash = hash_of(key_in(ctx));
            entry* at = in.find(key_in(ctx), hash);
            if (at == nullptr) at = &in.insert(key_in(ctx), hash, [] { return entry{}; });
            auto const before = at->values.size();
            at->values.change(value, by);
            shows = at->values.size() != before;
        });
        if (by < 0) return shows;
        if (known) ++account_.applied;
        else account_.refuse(reason::failed);
        if (shows && ++since_settled_ == burst_limit) settle();
        return shows;
    }
    template <class Ctx>
    static decltype(auto) key_in(Ctx const& ctx) noexcept {
        if constexpr (std::is_same_v<key_type, unkeyed>) return unkeyed{};
        else return (*ctx.key);
    }
    template <class Ctx>
    static Ctx moved(Ctx ctx, time_window const& window) noexcept {
        if constexpr (windowed) ctx.window = window;
        return ctx;
    }
    template <class Ctx>
    void tell(Ctx const& ctx, time_window const& window, driftless::change<record_type> const& row) {
        record_type const& shown = row.after != nullptr ? *row.after : *row.before;
        OutKey const* name = nullptr;
        if constexpr (is_pane<record_type>) name = &shown.key;
        else name = &shown;
        auto ctx_of_row = context<OutKey>{ctx.at, name, ctx.window, ctx.info, ctx.from};
        if constexpr (windowed) ctx_of_row.window = window;
        next_.on_change(ctx_of_row, row);
    }
    /// The next watermark at which a window closes, or the answer to "is it late" changes.
    [[nodiscard]] event_time own_deadline() const {
        auto next = windows_.size() != 0 ? windows_[0].window.end + kept_behind_end_ : event_time::max();
        if constexpr (windowed && !Exact && !In::window::carried) {
            if (by_element || watermark_ == event_time::min()) return event_time::min();
            if (watermark_ == event_time::max()) return next;
            auto const close = first_end_after(windowing_.assigner, watermark_ - kept_behind_end_) + kept_behind_end_;
            if (close < next) next = close;
        }
        return next;
    }
};
}  // namespace driftless::inline v0::detail
#endif
