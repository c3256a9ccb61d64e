// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_GROUP_CORE_HPP
#define DRIFTLESS_OP_DETAIL_GROUP_CORE_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema_evolution.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/join_ports.hpp>
#include <driftless/state/keyed_table.hpp>
#include <driftless/state/window_tables.hpp>
#include <driftless/time/window.hpp>
#include <driftless/time/window_policies.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// The rows of one side and one window: those of a key are chained in the order in which they came.
template <class T>
class chained_rows {
    struct link {
        T record;
        std::uint32_t next;
    };
    growing_array<link> all_;

public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    struct chain {
        std::uint32_t first = none;
        std::uint32_t last = none;
        std::uint32_t size = 0;
    };

    void append(chain& to, T const& record, arena& bytes) {
        all_.push_back({record, none});
        rehome(all_.back().record, bytes);
        auto const index = static_cast<std::uint32_t>(all_.size() - 1);
        if (to.size++ == 0) to.first = index;
        else all_[to.last].next = index;
        to.last = index;
    }
    template <class F>
    void for_each(chain const& of, F&& f) const {
        for (auto i = of.first; i != none; i = all_[i].next) f(all_[i].record);
    }
    void clear() noexcept { all_.clear(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return all_.size() * sizeof(link); }
};

/// What both inputs have put into one window, by key.
template <class Key, class L, class R>
class window_group {
public:
    struct entry {
        typename chained_rows<L>::chain left;
        typename chained_rows<R>::chain right;
    };

private:
    keyed_table<Key, entry> keys_;
    chained_rows<L> left_;
    chained_rows<R> right_;
    arena text_;

public:
    template <std::size_t I, class T>
    void add(Key const& key, std::uint64_t hash, T const& record) {
        auto* to = keys_.find(key, hash);
        if (to == nullptr) to = &keys_.insert(key, hash, [] { return entry{}; });
        if constexpr (I == 0) left_.append(to->left, record, text_);
        else right_.append(to->right, record, text_);
    }
    /// Calls f(key, hash, entry) in canonical order.
    template <class F>
    void for_each(F&& f) {
        keys_.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) { f(key, hash, each); });
    }
    [[nodiscard]] chained_rows<L> const& left() const noexcept { return left_; }
    [[nodiscard]] chained_rows<R> const& right() const noexcept { return right_; }

    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return keys_.bytes() + left_.bytes() + right_.bytes() + text_.bytes();
    }
    void clear() noexcept {
        keys_.clear();
        left_.clear();
        right_.clear();
        text_.reset();
    }
    void save_entries(auto& out) {
        for_each([&](auto const& key, std::uint64_t, entry const& each) {
            out.write(key);
            auto const row = [&](auto const& record) { out.write(record); };
            out.write(static_cast<std::uint64_t>(each.left.size));
            left_.for_each(each.left, row);
            out.write(static_cast<std::uint64_t>(each.right.size));
            right_.for_each(each.right, row);
        });
    }
};

/// Gathers what both inputs put into a window, and yields rows when it closes.
///
/// Rule    what comes of one key: output_type, and fire(key, left, right, say), which calls say(make) for each row
/// State   the rows of all windows that are open: until both watermarks have reached the end + allowed lateness
template <class Left, class Right, class Windowing, class Rule, bool Exact>
class group_core {
    using key_type = typename Left::key;
    using left_type = typename Left::record;
    using right_type = typename Right::record;
    using group = window_group<key_type, left_type, right_type>;
    using entry = typename group::entry;
    template <std::size_t I>
    using record_t = std::conditional_t<I == 0, left_type, right_type>;

    static constexpr bool carried = Left::window::carried;
    static constexpr bool several = !carried && assigns_several<typename Windowing::assigner_type>;
    static constexpr bool by_element = !carried && !Exact && Windowing::template has<element_level>;

    [[no_unique_address]] Rule rule_;
    Windowing windowing_;
    duration lateness_;
    input_watermarks marks_;
    window_tables<group> windows_;
    time_window near_window_{event_time::max(), event_time::min()};
    group* near_ = nullptr;
    account account_;

public:
    static constexpr bool evolves_state = evolves<left_type> && evolves<right_type>;
    using output_type = typename Rule::output_type;

    group_core(Rule rule, Windowing const& windowing, operator_label label)
        : rule_(std::move(rule)),
          windowing_(windowing),
          lateness_(Exact ? duration{} : windowing.lateness()),
          account_{.label = label} {}

    group_core(group_core const& like, fresh_core_t)
        : rule_(like.rule_.fresh()),
          windowing_(like.windowing_),
          lateness_(like.lateness_),
          account_{.label = like.account_.label} {}
    void keep_time_of(group_core const& other) noexcept { marks_ = other.marks_; }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return windows_.bytes(); }
    [[nodiscard]] duration held_back() const noexcept { return lateness_; }

    template <std::size_t I, class Ctx, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, record_t<I> const& record, std::uint64_t hash, Out& out) {
        if constexpr (!several && !by_element) {
            bool const near = carried ? ctx.window == near_window_ : near_window_.contains(ctx.at);
            if (near && (Exact || marks_.of[I] < closes(near_window_))) [[likely]] {
                ++account_.applied;
                near_->template add<I>(*ctx.key, hash, record);
                return;
            }
        }
        far_record<I>(ctx, record, hash, out);
    }

    /// True if the watermark of both has grown.
    template <class Out>
    bool on_watermarks(input_watermarks const& now, Out& out) {
        bool const grown = now.both > marks_.both;
        marks_ = now;
        while (windows_.size() != 0 && closes(windows_[0].window) <= marks_.both) {
            forget_near();
            fire(windows_[0], out);
            windows_.close_first();
        }
        return grown;
    }
    /// The next watermark of an input at which a window may close, or refuse what comes.
    [[nodiscard]] event_time deadline(std::size_t input) const noexcept {
        auto const own = marks_.of[input];
        if (carried || by_element || own.is_infinite()) return event_time::min();
        return first_end_after(windowing_.assigner, own - lateness_) + lateness_;
    }

    /// The state of n cores, which hold ascending ranges of hashes: the same bytes whatever their number.
    static void save(group_core* cores, std::size_t n, auto& out) {
        account sum;
        for (std::size_t i = 0; i < n; ++i) sum.add(cores[i].account_);
        out.write(sum.applied).write(sum.unassigned);
        for (auto const each : sum.refused) out.write(each);
        out.write(cores[0].marks_.of[0]).write(cores[0].marks_.of[1]).write(cores[0].marks_.both);
        save_windows(n, [cores](std::size_t i) -> auto const& { return cores[i].windows_; }, out);
        for (std::size_t i = 0; i < n; ++i) cores[i].forget_near();  // the next record says which windows change
    }
    static void load(group_core* cores, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].windows_.clear();
            cores[i].forget_near();
            cores[i].account_ = account{.label = cores[i].account_.label};
        }
        in.read(cores[0].account_.applied).read(cores[0].account_.unassigned);
        for (auto& each : cores[0].account_.refused) in.read(each);
        input_watermarks marks;
        in.read(marks.of[0]).read(marks.of[1]).read(marks.both);
        for (std::size_t i = 0; i < n; ++i) cores[i].marks_ = marks;
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const window = in.template read<time_window>();
            for (auto keys = in.template read<std::uint64_t>(); keys != 0; --keys) {
                key_type key{};
                in.read(key);
                if (left_out::drops(key)) {
                    skip_rows<0>(in);
                    skip_rows<1>(in);
                    continue;
                }
                auto const hash = hash_of(key);
                auto& into = cores[shard_of(hash, n)].group_of(window);
                load_rows<0>(into, key, hash, in);
                load_rows<1>(into, key, hash, in);
            }
        }
        for (std::size_t i = 0; i < n; ++i) cores[i].windows_.set_restored();
    }

private:
    [[nodiscard]] event_time closes(time_window const& window) const noexcept { return window.end + lateness_; }
    void forget_near() noexcept {
        near_ = nullptr;
        near_window_ = {event_time::max(), event_time::min()};
    }
    group& group_of(time_window const& window) {
        auto const at = windows_.find(window);
        return at != windows_.size() ? windows_[at].change() : windows_.open(window, false).table;
    }
    template <std::size_t I>
    static void skip_rows(auto& in) {
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left)
            static_cast<void>(in.template read<record_t<I>>());
    }
    template <std::size_t I>
    static void load_rows(group& into, key_type const& key, std::uint64_t hash, auto& in) {
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            into.template add<I>(key, hash, in.template read<record_t<I>>());
        }
    }

    template <std::size_t I, class Ctx, class Out>
    DRIFTLESS_NOINLINE void far_record(Ctx const& ctx, record_t<I> const& record, std::uint64_t hash, Out& out) {
        auto const into = [&](time_window const& window) {
            if constexpr (!Exact) {
                if (marks_.of[I] >= closes(window) || (by_element && ctx.at < marks_.of[I])) {
                    account_.refuse_late(marks_.of[I] - ctx.at);
                    auto refused = ctx;
                    refused.window = window;  // the one that refused it
                    out.template refused<I>(refused, record);
                    return;
                }
            }
            ++account_.applied;
            auto& found = group_of(window);
            found.template add<I>(*ctx.key, hash, record);
            near_ = &found;
            near_window_ = window;
        };
        if constexpr (carried) into(ctx.window);
        else if (each_window(windowing_.assigner, ctx.at, into) == 0) ++account_.unassigned;
    }
    template <class Out>
    void fire(typename window_tables<group>::open_window& due, Out& out) {
        due.table.for_each([&](key_type const& key, std::uint64_t hash, entry const& each) {
            context<key_type> const ctx{
                .at = due.window.max_timestamp(), .key = &key, .window = due.window, .info = {}};
            rule_.fire(key, due.table.left(), each.left, due.table.right(), each.right, [&](auto const& make) {
                if constexpr (noexcept(make())) {
                    out.row(ctx, hash, make());
                } else {
                    std::optional<output_type> made;
                    try {
                        made.emplace(make());
                    } catch (...) {
                        out.threw(ctx.from);
                        return;
                    }
                    out.row(ctx, hash, *made);
                }
            });
        });
    }
};
}  // namespace driftless::inline v0::detail
#endif
