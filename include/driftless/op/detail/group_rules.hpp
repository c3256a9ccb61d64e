// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_GROUP_RULES_HPP
#define DRIFTLESS_OP_DETAIL_GROUP_RULES_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/joined.hpp>
#include <driftless/op/detail/join_kinds.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// What comes of the rows that both inputs have put into one window under one key.

namespace driftless::inline v0::detail {
/// The pairs of both sides, left ones first, each side in the order in which it came.
template <class Kind, class F, class L, class R>
class pair_rule {
    using projection = join_projection<Kind, F, L, R>;
    [[no_unique_address]] projection project_;

public:
    using output_type = typename projection::type;
    explicit pair_rule(F function) : project_{std::move(function)} {}
    [[nodiscard]] pair_rule fresh() const { return *this; }

    template <class Key, class Lefts, class LeftChain, class Rights, class RightChain, class Say>
    void fire(Key const& key, Lefts const& lefts, LeftChain const& left, Rights const& rights, RightChain const& right,
        Say const& say) const {
        bool const null = is_null_key(key);
        bool const left_alone = null || right.size == 0;
        lefts.for_each(left, [&](L const& l) {
            if constexpr (yields_left<Kind>) {
                if (left_alone == Kind::alone[0]) say_row(say, &l, nullptr);
            } else if (left_alone) {
                if constexpr (Kind::alone[0]) say_row(say, &l, nullptr);
            } else {
                rights.for_each(right, [&](R const& r) { say_row(say, &l, &r); });
            }
        });
        if constexpr (Kind::alone[1]) {
            if (null || left.size == 0) rights.for_each(right, [&](R const& r) { say_row(say, nullptr, &r); });
        }
    }

private:
    template <class Say>
    void say_row(Say const& say, L const* left, R const* right) const {
        say([&]() noexcept(projection::safe) { return project_(left, right); });
    }
};

/// One row with all that is there.
template <class F, class L, class R>
class group_rule {
    [[no_unique_address]] F function_;
    growing_array<L> left_;  // the rows of one key, one behind the other
    growing_array<R> right_;
    static constexpr bool plain = std::is_same_v<F, as_joined>;

public:
    static constexpr bool fits = [] {
        if constexpr (plain) return true;
        else return std::is_invocable_v<F const&, std::span<L const>, std::span<R const>>;
    }();
    using output_type = std::remove_cvref_t<typename decltype([] {
        if constexpr (plain) return std::type_identity<joined<std::vector<L>, std::vector<R>>>{};
        else if constexpr (fits) return std::invoke_result<F const&, std::span<L const>, std::span<R const>>{};
        else return std::type_identity<void>{};
    }())::type>;

    explicit group_rule(F function) : function_(std::move(function)) {}
    [[nodiscard]] group_rule fresh() const { return group_rule{function_}; }

    template <class Key, class Lefts, class LeftChain, class Rights, class RightChain, class Say>
    void fire(Key const&, Lefts const& lefts, LeftChain const& left, Rights const& rights, RightChain const& right,
        Say const& say) {
        left_.clear();
        right_.clear();
        lefts.for_each(left, [&](L const& l) { left_.push_back(l); });
        rights.for_each(right, [&](R const& r) { right_.push_back(r); });
        say([&] {
            if constexpr (plain) return output_type{{left_.begin(), left_.end()}, {right_.begin(), right_.end()}};
            else
                return function_(
                    std::span<L const>{left_.begin(), left_.size()}, std::span<R const>{right_.begin(), right_.size()});
        });
    }
};
}  // namespace driftless::inline v0::detail
#endif
