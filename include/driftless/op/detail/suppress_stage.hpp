// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SUPPRESS_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_SUPPRESS_STAGE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/detail/nearly_sorted_queue.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/value_pool.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// What tells the rows of a changelog apart: the key, and the window where rows have one.
template <class In>
struct row_identity {
    using type = typename In::key;
    template <class Ctx>
    static type of(Ctx const& ctx) {
        if constexpr (keyed<In>) return *ctx.key;
        else return {};
    }
    static auto const* key_of(type const& row) noexcept { return &row; }
};
template <class In>
    requires In::window::carried
struct row_identity<In> {
    using type = std::tuple<typename In::key, event_time, event_time>;
    template <class Ctx>
    static type of(Ctx const& ctx) {
        if constexpr (keyed<In>) return {*ctx.key, ctx.window.start, ctx.window.end};
        else return {unkeyed{}, ctx.window.start, ctx.window.end};
    }
    static auto const* key_of(type const& row) noexcept { return &std::get<0>(row); }
};

/// Holds back how rows change, so that of several changes of a row one goes on.
///
/// Bounds      how long a row is held, and how many rows are
template <class In, class Bounds, class Next>
class suppress_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;
    using record_type = typename In::record;
    using identity = row_identity<In>;
    using identity_type = typename identity::type;

    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct nothing {};
    struct held {
        event_time first;  // of the first change that is held
        std::uint64_t place;
        std::uint32_t before;  // the row as it was when it was last handed on
        std::uint32_t after;   // the row as it is
        event_time at;
        time_window window;
        pane_info info;
        origin from;
    };
    struct turn {
        event_time first;
        std::uint64_t place;
        std::uint32_t of;
        friend bool operator<(turn const& a, turn const& b) noexcept {
            return a.first != b.first ? a.first < b.first : a.place < b.place;
        }
    };
    struct index_of {
        std::uint32_t of;
    };

    Bounds bounds_;
    keyed_table<identity_type, index_of> rows_;
    value_pool<identity_type, held> held_;
    value_pool<record_type, nothing> values_;
    nearly_sorted_queue<turn> turns_;
    std::uint64_t next_place_ = 0;
    event_time passed_on_ = event_time::min();
    account account_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;
    static constexpr bool deadline_moves = true;

    suppress_stage(Next next, Bounds bounds, operator_label label)
        : forwarding<Next>(std::move(next)), bounds_(std::move(bounds)), account_{.label = label} {}

    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        ++account_.applied;
        auto const id = identity::of(ctx);
        auto const hash = hash_of(id);
        if (auto const* const found = rows_.find(id, hash)) return update(found->of, ctx, row);
        auto const made = held_.hold(id,
            held{ctx.at, next_place_++, keep(row.before), keep(row.after), ctx.at, ctx.window, ctx.info, ctx.from});
        static_cast<void>(rows_.insert(id, hash, [&] { return index_of{made}; }));
        turns_.push(turn{ctx.at, held_.beside(made).place, made});
        if (turns_.size() <= bounds_.most()) return;
        if constexpr (Bounds::fails) {
            throw error{error_code::overflow,
                sentence({account_.label.str(), " holds back ", std::uint64_t{bounds_.most()},
                    " rows and is given another one: give max_records{n} more, hold rows for a shorter time_limit{d}, "
                    "or say emit_early{} in place of fail_when_full{}"}),
                {}, ctx.from.offset};
        } else {
            hand_on_first();
        }
    }
    void on_watermark(event_time watermark) {
        while (!turns_.empty() && bounds_.is_due(turns_.top().first, watermark)) hand_on_first();
        // What is held has its time still to come.
        auto const passed = !turns_.empty() && turns_.top().first < watermark ? turns_.top().first : watermark;
        if (passed <= passed_on_) return;
        passed_on_ = passed;
        next_.on_watermark(passed);
    }
    [[nodiscard]] event_time deadline() const {
        auto const theirs = next_.deadline();
        auto const own = next_due();
        return own < theirs ? own : theirs;
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void visit_state(auto&& visit) {
        visit("suppress", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] event_time next_due() const noexcept {
        return turns_.empty() ? event_time::max() : bounds_.due(turns_.top().first);
    }
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return rows_.bytes() + held_.bytes() + values_.bytes() + turns_.size() * sizeof(turn);
    }
    /// The rows in the order in which their turns come.
    void save_state(auto& out) {
        out.write(account_.applied).write(passed_on_).write(static_cast<std::uint64_t>(turns_.size()));
        auto rest = nearly_sorted_queue<turn>{};
        for (; !turns_.empty(); turns_.pop()) {
            auto const each = turns_.top();
            rest.push(each);
            auto const& of = held_.beside(each.of);
            if constexpr (!std::is_same_v<identity_type, unkeyed>) out.write(held_[each.of]);
            out.write(of.first).write(of.at).write(of.window).write(of.info);
            out.write(of.from.offset).write(of.from.partition).write(of.from.input);
            for (auto const side : {of.before, of.after}) {
                out.write(side != none);
                if (side != none) out.write(values_[side]);
            }
        }
        turns_ = std::move(rest);
    }
    void load_state(auto& in) {
        rows_.clear();
        held_.clear();
        values_.clear();
        turns_.clear();
        next_place_ = 0;
        in.read(account_.applied).read(passed_on_);
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            identity_type id{};
            held of{};
            if constexpr (!std::is_same_v<identity_type, unkeyed>) in.read(id);
            in.read(of.first).read(of.at).read(of.window).read(of.info);
            in.read(of.from.offset).read(of.from.partition).read(of.from.input);
            bool const drop = left_out::drops(*row_identity<In>::key_of(id));
            for (auto* const side : {&of.before, &of.after}) {
                *side = none;
                if (!in.template read<bool>()) continue;
                auto const value = in.template read<record_type>();
                if (!drop) *side = keep(&value);
            }
            if (drop) continue;
            of.place = next_place_++;
            auto const made = held_.hold(id, of);
            static_cast<void>(rows_.insert(id, hash_of(id), [&] { return index_of{made}; }));
            turns_.push(turn{of.first, of.place, made});
        }
    }

private:
    std::uint32_t keep(record_type const* row) { return row == nullptr ? none : values_.hold(*row, {}); }

    template <class Ctx>
    void update(std::uint32_t index, Ctx const& ctx, change<record_type> const& row) {
        auto& of = held_.beside(index);
        if (of.at < ctx.at) of.at = ctx.at;
        of.info = ctx.info;
        of.from = ctx.from;
        if (row.after == nullptr) {
            if (of.after != none) values_.drop(of.after);
            of.after = none;
        } else if (of.after == none) {
            of.after = values_.hold(*row.after, {});
        } else {
            values_.set(of.after, *row.after);
        }
    }
    void hand_on_first() {
        auto const index = turns_.top().of;
        turns_.pop();
        auto const& of = held_.beside(index);
        auto const& id = held_[index];
        auto const* const before = of.before == none ? nullptr : &values_[of.before];
        auto const* const after = of.after == none ? nullptr : &values_[of.after];
        if (before != nullptr || after != nullptr) {
            next_.on_change(context<key_type>{of.at, identity::key_of(id), of.window, of.info, of.from},
                change<record_type>{before, after});
            if (++since_settled_ == burst_limit) settle();
        }
        rows_.erase(id, hash_of(id));
        for (auto const side : {of.before, of.after}) {
            if (side != none) values_.drop(side);
        }
        held_.drop(index);
    }
};

/// Holds the rows of windows until nothing can change them any more.
template <class In, class Next>
class final_results_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using key_type = typename In::key;
    using record_type = typename In::record;
    struct nothing {};
    struct held {
        std::uint32_t value;
        event_time at;
        pane_info info;
    };
    using table = keyed_table<key_type, held>;

    duration kept_;  // so long behind its end a window may change
    window_tables<table> windows_;
    value_pool<record_type, nothing> values_;
    event_time watermark_ = event_time::min();
    account account_;
    std::size_t since_settled_ = 0;

public:
    static constexpr bool tight = false;
    static constexpr bool deadline_moves = true;

    final_results_stage(Next next, duration kept, operator_label label)
        : forwarding<Next>(std::move(next)), kept_(kept), account_{.label = label} {}

    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        ++account_.applied;
        auto const hash = hash_in(ctx);
        auto* rows = windows_.table_of(ctx.window);
        auto* const found = rows == nullptr ? nullptr : rows->find(key_in(ctx), hash);
        if (row.after == nullptr) {
            if (found == nullptr) return;
            values_.drop(found->value);
            rows->erase(key_in(ctx), hash);
        } else if (found != nullptr) {
            values_.set(found->value, *row.after);
            found->at = ctx.at;
            found->info = ctx.info;
        } else {
            if (rows == nullptr) rows = &windows_.open(ctx.window, false).table;
            auto const value = values_.hold(*row.after, {});
            static_cast<void>(rows->insert(key_in(ctx), hash, [&] { return held{value, ctx.at, ctx.info}; }));
        }
    }
    void on_watermark(event_time watermark) {
        if (watermark < watermark_) return;  // a promise is not taken back
        watermark_ = watermark;
        for (; windows_.size() != 0 && windows_[0].window.end + kept_ <= watermark; windows_.close_first()) {
            auto const window = windows_[0].window;
            windows_[0].table.for_each_ordered([&](auto const& key, held const& of, std::uint64_t) {
                release(key, window, of);
            });
        }
        next_.on_watermark(watermark - kept_);
    }
    [[nodiscard]] event_time deadline() const {
        auto const theirs = next_.deadline();
        auto const own = next_due();
        return own < theirs + kept_ ? own : theirs + kept_;
    }
    void settle() {
        since_settled_ = 0;
        next_.settle();
    }
    void visit_state(auto&& visit) {
        visit("suppress", *this);
        next_.visit_state(visit);
    }

    /// For visitors.
    [[nodiscard]] event_time next_due() const noexcept {
        return windows_.size() == 0 ? event_time::max() : windows_[0].window.end + kept_;
    }
    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes() + values_.bytes(); }
    void save_state(auto& out) {
        out.write(account_.applied).write(watermark_).write(static_cast<std::uint64_t>(values_.size()));
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            windows_[i].table.for_each_ordered([&](auto const& key, held const& of, std::uint64_t) {
                out.write(windows_[i].window);
                if constexpr (keyed<In>) out.write(key);
                out.write(of.at).write(of.info).write(values_[of.value]);
            });
        }
    }
    void load_state(auto& in) {
        windows_.clear();
        values_.clear();
        in.read(account_.applied).read(watermark_);
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            key_type key{};
            if constexpr (keyed<In>) in.read(key);
            held of{};
            in.read(of.at).read(of.info);
            auto const value = in.template read<record_type>();
            if (left_out::drops(key)) continue;
            of.value = values_.hold(value, {});
            auto* const there = windows_.table_of(window);
            auto& rows = there != nullptr ? *there : windows_.open(window, false).table;
            static_cast<void>(rows.insert(key, hash_of(key), [&] { return of; }));
        }
    }

private:
    template <class Ctx>
    static std::uint64_t hash_in(Ctx const& ctx) noexcept {
        return hash_of(key_in(ctx));
    }
    template <class Ctx>
    static constexpr auto const& key_in(Ctx const& ctx) noexcept {
        if constexpr (keyed<In>) return *ctx.key;
        else return no_key;
    }
    static constexpr unkeyed no_key{};

    void release(key_type const& key, time_window const& window, held const& of) {
        auto info = of.info;
        info.last = true;
        context<key_type> const ctx{of.at, &key, window, info, {}};
        if constexpr (is_row_of<key_type, record_type>) {
            auto row = values_[of.value];
            row.info = info;
            next_.on_record(ctx, row);
        } else {
            next_.on_record(ctx, values_[of.value]);
        }
        values_.drop(of.value);
        if (++since_settled_ == burst_limit) settle();
    }
};
}  // namespace driftless::inline v0::detail
#endif
