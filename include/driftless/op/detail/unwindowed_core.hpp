// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_UNWINDOWED_CORE_HPP
#define DRIFTLESS_OP_DETAIL_UNWINDOWED_CORE_HPP

#include <driftless/op/detail/aggregate_core.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace driftless::inline v0::detail {

/// Aggregates keys without windows: one table, which fires when the input ends.
template <class Pack, class Key, class Storage = in_tables>
class unwindowed_core : public core_base<Pack, Key, false, false, true, Storage> {
    using base = core_base<Pack, Key, false, false, true, Storage>;
    using base::account_;
    using base::entries_;
    using base::pack_;
    [[no_unique_address]] Storage storage_;
    typename base::table table_;

public:
    static constexpr bool fires_at_end = true;

    constexpr unwindowed_core(Pack pack, std::uint64_t max_entries, operator_label label, Storage storage = {})
        : base(std::move(pack), max_entries, label), storage_(storage) {
        storage_.equip(table_);
    }
    unwindowed_core(unwindowed_core const& like, fresh_core_t)
        : unwindowed_core(like.pack_, like.max_entries_, like.account_.label, like.storage_) {}
    void keep_time_of(unwindowed_core const&) noexcept {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return table_.bytes(); }

    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        this->add(table_, ctx, record, hash, out);
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark != event_time::max()) return;
        this->fire(table_, time_window{}, true, out);
        table_.clear();
        entries_ = 0;
    }
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    /// The state of one core, or of the cores of all shards, which hold ascending ranges of hashes:
    /// the same bytes whatever their number.
    static void save(unwindowed_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(static_cast<std::uint64_t>(base::entries_in(cores, n)));
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.save_entries(out);
    }
    static void load(unwindowed_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.clear();
        load_entries<Key, typename base::entry>(
            in.template read<std::uint64_t>(), in, [&](std::uint64_t hash) -> auto& {
                auto& owner = cores[shard_of(hash, n)];
                ++owner.entries_;
                return owner.table_;
            });
    }
};

/// Aggregates everything into one row: one state by value, which a loop keeps in registers, and
/// nothing to look up or to branch on.
template <class Pack>
class total_core {
    using result_type = typename Pack::result;

    [[no_unique_address]] Pack pack_;
    typename Pack::state state_;
    [[no_unique_address]] typename Pack::burst burst_;  // what is not in the state yet
    std::int64_t in_burst_ = 0;                         // so many records
    std::uint64_t applied_ = 0;                         // those before it
    bool ended_ = false;
    account account_;

public:
    static constexpr bool tight = Pack::adds_are_safe;
    static constexpr bool fires_at_end = true;

    constexpr total_core(Pack pack, std::uint64_t, operator_label label)
        : pack_(std::move(pack)), state_(pack_.init()), burst_(pack_.init_burst()), account_{.label = label} {}

    DRIFTLESS_FUSED void settle() {
        pack_.absorb(state_, burst_, in_burst_);
        applied_ += static_cast<std::uint64_t>(std::exchange(in_burst_, 0));
    }
    [[nodiscard]] account books() const noexcept {
        auto out = account_;
        out.applied = applied_ + static_cast<std::uint64_t>(in_burst_);
        return out;
    }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return 0; }

    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t, Out& out) {
        try {
            pack_.add(state_, burst_, record);
            ++in_burst_;
        } catch (...) {
            account_.refuse(reason::failed);
            out.threw(ctx.from);
        }
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        settle();  // rows that a window fires come without the loop of a source
        if (watermark != event_time::max() || std::exchange(ended_, true)) return;
        if (applied_ == 0) return;
        std::optional<result_type> result;
        try {
            result.emplace(pack_.lower(state_));
        } catch (...) {
            out.threw(origin{});
        }
        if (!result) return;
        out.row(unkeyed{}, time_window{}, pane_info{}, 0, *result);
    }
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    static void save(total_core* cores, std::size_t, auto& out) {
        auto& only = cores[0];
        only.settle();
        out.write(only.applied_);
        for (auto const n : only.account_.refused) out.write(n);
        Pack::save(only.state_, out);
    }
    static void load(total_core* cores, std::size_t, auto& in) {
        auto& only = cores[0];
        in.read(only.applied_);
        for (auto& n : only.account_.refused) in.read(n);
        only.state_ = only.pack_.init();
        only.burst_ = only.pack_.init_burst();
        only.in_burst_ = 0;
        Pack::load(only.state_, in);
    }
};
}  // namespace driftless::inline v0::detail
#endif
