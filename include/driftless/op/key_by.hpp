// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_KEY_BY_HPP
#define DRIFTLESS_OP_KEY_BY_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>

#include <concepts>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
template <class... Projections>
class key_function {
    [[no_unique_address]] std::tuple<Projections...> projections_;

public:
    constexpr key_function() = default;
    [[nodiscard]] constexpr auto const& projections() const noexcept { return projections_; }
    explicit constexpr key_function(Projections... projections) : projections_(std::move(projections)...) {}

    /// One projection yields what it yields (a reference to a member stays one), several a tuple.
    template <class T>
    DRIFTLESS_INLINE constexpr decltype(auto) operator()(T const& record) const
        noexcept(sizeof...(Projections) == 1 && (std::is_nothrow_invocable_v<Projections const&, T const&> && ...)) {
        if constexpr (sizeof...(Projections) == 1) {
            return std::get<0>(projections_)(record);
        } else {
            return std::apply(
                [&](Projections const&... each) { return std::tuple<projected_t<Projections, T>...>{each(record)...}; },
                projections_);
        }
    }
    /// Reads members named in the type, and nothing else.
    static constexpr bool members_only = (names_member<Projections> && ...);
    template <class T>
    static constexpr bool applies = (projects<Projections, T> && ...);
};

template <class F, class Next>
class key_by_stage : public forwarding<Next> {
    using forwarding<Next>::next_;
    [[no_unique_address]] F key_of_;
    operator_label label_;
    run_services* services_;

public:
    using records_only = void;
    constexpr key_by_stage(Next next, F key_of, operator_label label, run_services* services)
        : forwarding<Next>(std::move(next)), key_of_(std::move(key_of)), label_(label), services_(services) {}

    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_record(Ctx const& ctx, T const& record) {
        with_key(ctx, record, [&](auto const& keyed) DRIFTLESS_INLINE_LAMBDA { next_.on_record(keyed, record); });
    }

    /// Members are read ahead; a function is called once per record.
    static constexpr bool can_look_ahead = Next::can_look_ahead && F::members_only;
    [[nodiscard]] bool looks_ahead() const { return next_.looks_ahead(); }
    template <class Ctx, class T>
    DRIFTLESS_FUSED void prefetch(Ctx const& ctx, T const& record) const {
        if constexpr (can_look_ahead) {
            auto const& key = key_of_(record);
            next_.prefetch(ctx.with_key(key), record);
        }
    }

    /// A row whose key changes leaves the old key before it joins the new one.
    template <class Ctx, class T>
    DRIFTLESS_FUSED constexpr void on_change(Ctx const& ctx, change<T> const& row) {
        if (row.before == nullptr) {
            with_key(ctx, *row.after, [&](auto const& keyed) { next_.on_change(keyed, row); });
        } else if (row.after == nullptr) {
            with_key(ctx, *row.before, [&](auto const& keyed) { next_.on_change(keyed, row); });
        } else {
            // A side whose key function throws is absent.
            bool left = false;
            with_key(ctx, *row.before, [&](auto const& before) {
                left = true;
                bool joined = false;
                with_key(ctx, *row.after, [&](auto const& after) {
                    joined = true;
                    if (same_key(*before.key, *after.key)) return next_.on_change(after, row);
                    next_.on_change(before, change<T>{row.before, nullptr});
                    next_.on_change(after, change<T>{nullptr, row.after, row.part});
                });
                if (!joined) next_.on_change(before, change<T>{row.before, nullptr});
            });
            if (!left) {
                with_key(ctx, *row.after, [&](auto const& after) {
                    next_.on_change(after, change<T>{nullptr, row.after, row.part});
                });
            }
        }
    }

private:
    template <class Ctx, class T, class Push>
    DRIFTLESS_INLINE constexpr void with_key(Ctx const& ctx, T const& record, Push push) {
        using yielded = decltype(key_of_(record));
        if constexpr (std::is_lvalue_reference_v<yielded> && noexcept(key_of_(record))) {
            push(ctx.with_key(key_of_(record)));
        } else if constexpr (std::is_lvalue_reference_v<yielded>) {
            std::remove_reference_t<yielded>* key = nullptr;
            if (guarded(services_, label_, ctx, [&] { key = &key_of_(record); })) push(ctx.with_key(*key));
        } else {
            bool known = false;
            auto const key = [&]() -> std::optional<std::remove_cvref_t<yielded>> {
                std::optional<std::remove_cvref_t<yielded>> out;
                known = guarded(services_, label_, ctx, [&] { out.emplace(key_of_(record)); });
                return out;
            }();
            if (known) push(ctx.with_key(*key));
        }
    }
};
}  // namespace detail

/// Gives each record a key. Made by key_by().
template <class F>
struct key_by_op : operator_base<key_by_op<F>> {
    static constexpr std::string_view kind = "key_by";
    static constexpr bool record_by_record = true;
    static constexpr bool keeps_record = true;
    using moves_rows = void;  // several rows may get one key
    [[no_unique_address]] F key_of;

    constexpr explicit key_by_op(F key_function) : key_of(std::move(key_function)) {}

    template <class T>
    static constexpr bool yields_key = [] {
        if constexpr (F::template applies<T>) {
            return canonical_key<std::remove_cvref_t<std::invoke_result_t<F const&, T const&>>>;
        } else {
            return false;
        }
    }();
    template <class In>
    static constexpr bool accepts = yields_key<typename In::record>;
    template <class In>
    using output_t = typename In::template with_key<
        std::remove_cvref_t<std::invoke_result_t<F const&, typename In::record const&>>>;
    template <class In>
    static constexpr void refuse() {
        using record = typename In::record;
        static_assert(F::template applies<record>,
            "driftless: key_by needs a member or a function of the record: write key_by<&T::member>(), or "
            "key_by(f) with f(T const&), where T is the record named in [with In = stream_of<T, ...>]");
        if constexpr (F::template applies<record>) {
            static_assert(yields_key<record>,
                "driftless: key_by needs a key with canonical bytes: an integer, an enum, a text or string, a "
                "time, a tuple or optional of such, or a struct adapted with BOOST_HANA_ADAPT_STRUCT");
        }
    }
    template <class In, class Mode, class Next>
    constexpr auto bind(Next next, auto const& at) const {
        return detail::key_by_stage<F, Next>{std::move(next), key_of, at.label, at.services()};
    }
};

/// Gives each record the key that is in its member, or the tuple of several members.
///
/// Shape       stream -> the same stream, keyed; one out per record. Several members or functions yield a
///             std::tuple key. On changes a row whose key changes leaves the old key, then joins the new.
/// Time        Unchanged.
/// State       None: the key is borrowed; stateful operators copy it once per (key, window).
/// Errors      Compile time: no such member, or a key without canonical bytes. Run time: a key function
///             that throws is subject to on_error.
/// Complexity  One projection per record. Members named in the type are the fast form.
/// Source      Canonical bytes and hash: codec/key_bytes.hpp, codec/hash.hpp.
template <auto... Members>
    requires(sizeof...(Members) > 0)
constexpr auto key_by() {
    using f = detail::key_function<detail::member_projection<Members>...>;
    return key_by_op<f>{f{}};
}
template <class... Fs>
    requires(sizeof...(Fs) > 0)
constexpr auto key_by(Fs... functions) {
    using f = detail::key_function<decltype(detail::make_projection(functions))...>;
    return key_by_op<f>{f{detail::make_projection(std::move(functions))...}};
}
}  // namespace driftless::inline v0
#endif
