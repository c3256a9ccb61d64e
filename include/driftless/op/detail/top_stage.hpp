// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TOP_STAGE_HPP
#define DRIFTLESS_OP_DETAIL_TOP_STAGE_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/row_groups.hpp>
#include <driftless/op/detail/top_rows.hpp>

#include <boost/hana/define_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A row and its rank, from 1: what top(n, with_row_number{}) yields. With with_ties{} rows that tie share a rank.
template <class Row>
struct ranked {
    BOOST_HANA_DEFINE_STRUCT(ranked, (std::int64_t, rank), (Row, row));
};

namespace detail {
/// Turns the list of a group's best rows into rows, and a changed list into the changes of its rows: what has gone
/// first, then what is new, the best first. A row that is the same in both is not told.
template <class By, extreme Best, class GroupKey, class OutKey, class R, bool Numbered, bool WithTies, class Next>
class top_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    using list = std::vector<R>;
    using out_t = std::conditional_t<Numbered, ranked<R>, R>;
    using measure = projected_t<By, R>;

    [[no_unique_address]] By by_;
    growing_array<R const*> gone_;
    growing_array<R const*> come_;
    std::string left_;
    std::string right_;

public:
    static constexpr bool tight = false;
    top_stage(Next next, By by) : forwarding<Next>(std::move(next)), by_(std::move(by)) {}

    template <class Ctx, class G>
    void on_record(Ctx const& ctx, pane<G, list> const& group) {
        ranks rank{*this};
        for (R const& each : group.value) {
            auto const its = rank.of(each);
            with_name(ctx, each, rank.place, [&](auto const& named) { push(named, each, its); });
        }
    }
    template <class Ctx, class G>
    void on_change(Ctx const& ctx, change<pane<G, list>> const& group) {
        static list const none{};
        list const& before = group.before != nullptr ? group.before->value : none;
        list const& after = group.after != nullptr ? group.after->value : none;
        if constexpr (Numbered) change_numbered(ctx, before, after);
        else change_rows(ctx, before, after);
    }

private:
    /// Ranks of rows that come in order.
    struct ranks {
        top_stage const& in;
        R const* last = nullptr;
        std::int64_t place = 0;
        std::int64_t rank = 0;

        std::int64_t of(R const& row) {
            ++place;
            if (!WithTies || last == nullptr || in.before(*last, row)) rank = place;
            last = &row;
            return rank;
        }
    };
    [[nodiscard]] bool before(R const& a, R const& b) const {
        return ranks_before<measure, Best>(by_(a), by_(b));
    }
    [[nodiscard]] bool same(R const& a, R const& b) {
        left_.clear();
        right_.clear();
        put_tie(left_, a);
        put_tie(right_, b);
        return left_ == right_;
    }
    template <class Ctx, class F>
    void with_name(Ctx const& ctx, [[maybe_unused]] R const& row, [[maybe_unused]] std::int64_t place, F&& f) {
        auto const with = [&](OutKey const& key) {
            f(context<OutKey>{ctx.at, &key, ctx.window, ctx.info, {}});
        };
        if constexpr (Numbered && std::is_same_v<OutKey, std::int64_t>) with(place);
        else if constexpr (Numbered) with(OutKey{*ctx.key, place});
        else if constexpr (is_pane<R>) with(row.key);
        else if constexpr (std::is_same_v<OutKey, R>) with(row);
        else if constexpr (std::is_same_v<OutKey, unkeyed>) with(unkeyed{});
        else with(*ctx.key);
    }
    template <class Ctx>
    void push(Ctx const& ctx, R const& row, [[maybe_unused]] std::int64_t rank) {
        if constexpr (Numbered) next_.on_record(ctx, out_t{rank, row});
        else next_.on_record(ctx, row);
    }

    /// By place in the list: place i had this row, and has that one now.
    template <class Ctx>
    void change_numbered(Ctx const& ctx, list const& old, list const& now) {
        ranks old_rank{*this};
        ranks now_rank{*this};
        for (std::size_t i = 0; i < old.size() || i < now.size(); ++i) {
            auto const was = i < old.size() ? old_rank.of(old[i]) : 0;
            auto const is = i < now.size() ? now_rank.of(now[i]) : 0;
            if (was == is && same(old[i], now[i])) continue;
            auto const place = static_cast<std::int64_t>(i) + 1;
            with_name(ctx, i < now.size() ? now[i] : old[i], place, [&](auto const& named) {
                out_t before{};
                out_t after{};
                if (was != 0) before = out_t{was, old[i]};
                if (is != 0) after = out_t{is, now[i]};
                next_.on_change(named, change<out_t>{was != 0 ? &before : nullptr, is != 0 ? &after : nullptr});
            });
        }
    }
    template <class Ctx>
    void change_rows(Ctx const& ctx, list const& old, list const& now) {
        compare(old, now);
        for (R const*& row : gone_) {
            R const* const heir = is_pane<R> ? heir_of(*row) : nullptr;
            if (heir != nullptr) continue;  // told with the row that replaces it
            with_name(ctx, *row, 0, [&](auto const& named) { next_.on_change(named, change<R>{row, nullptr}); });
            row = nullptr;
        }
        for (R const* const row : come_) {
            R const* was = nullptr;
            if constexpr (is_pane<R>) was = take_forebear(*row);
            with_name(ctx, *row, 0, [&](auto const& named) { next_.on_change(named, change<R>{was, row}); });
        }
    }
    /// Which rows have gone and which are new. Both lists are in order of rank, so that only rows that rank alike are
    /// compared.
    void compare(list const& old, list const& now) {
        gone_.clear();
        come_.clear();
        std::size_t i = 0;
        std::size_t k = 0;
        while (i < old.size() && k < now.size()) {
            if (before(old[i], now[k])) {
                gone_.push_back(&old[i++]);
            } else if (before(now[k], old[i])) {
                come_.push_back(&now[k++]);
            } else if (same(old[i], now[k])) {
                ++i;
                ++k;
            } else {
                std::size_t i_end = i + 1;
                std::size_t k_end = k + 1;
                while (i_end < old.size() && !before(old[i], old[i_end])) ++i_end;
                while (k_end < now.size() && !before(now[k], now[k_end])) ++k_end;
                compare_ties(old, i, i_end, now, k, k_end);
                i = i_end;
                k = k_end;
            }
        }
        for (; i < old.size(); ++i) gone_.push_back(&old[i]);
        for (; k < now.size(); ++k) come_.push_back(&now[k]);
    }
    /// As a multiset: a row that is there three times and was there twice has come once.
    void compare_ties(list const& old, std::size_t i, std::size_t i_end, list const& now, std::size_t k,
        std::size_t k_end) {
        std::size_t const first = come_.size();
        for (; k < k_end; ++k) come_.push_back(&now[k]);
        for (; i < i_end; ++i) {
            std::size_t at = first;
            while (at < come_.size() && !same(old[i], *come_[at])) ++at;
            if (at == come_.size()) {
                gone_.push_back(&old[i]);
                continue;
            }
            for (; at + 1 < come_.size(); ++at) come_[at] = come_[at + 1];
            come_.pop_back();
        }
    }
    template <class Row>
    static bool one_row(Row const& a, Row const& b) {
        return same_key(a.key, b.key) && a.window == b.window;
    }
    R const* heir_of([[maybe_unused]] R const& row) const {
        if constexpr (is_pane<R>) {
            for (R const* const each : come_) {
                if (one_row(*each, row)) return each;
            }
        }
        return nullptr;
    }
    R const* take_forebear(R const& row) {
        for (R const*& each : gone_) {
            if (each != nullptr && one_row(*each, row)) return std::exchange(each, nullptr);
        }
        return nullptr;
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
