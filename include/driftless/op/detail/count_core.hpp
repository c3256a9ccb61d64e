// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_COUNT_CORE_HPP
#define DRIFTLESS_OP_DETAIL_COUNT_CORE_HPP

#include <driftless/core/detail/binary_heap.hpp>
#include <driftless/op/detail/aggregate_core.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// The window of a key that is being filled.
template <class Pack>
struct filling_window {
    typename Pack::state state;
    std::uint64_t before = 0;  // records of the key in the windows before
    std::uint64_t here = 0;    // and in this one
    event_time newest = event_time::min();

    filling_window() = default;
    explicit filling_window(typename Pack::state s) : state(std::move(s)) {}
    void save(auto& out) const {
        Pack::save(state, out);
        out.write(before).write(here);
        out.write(newest);
    }
    void load(auto& in) {
        Pack::load(state, in);
        in.read(before).read(here);
        in.read(newest);
    }
};

/// Aggregates by count_window: one entry per key, which is emptied when its window is full.
template <class Pack, class Key, class Windowing>
class count_core : public core_base<Pack, Key, false, false, true> {
    using base = core_base<Pack, Key, false, false, true>;
    using result_type = typename Pack::result;
    using entry = filling_window<Pack>;
    using table = keyed_table<Key, entry>;
    using base::account_;
    using base::entries_;
    using base::pack_;

    std::uint64_t size_;
    table table_;

public:
    count_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label), size_(windowing->assigner.size) {}
    count_core(count_core const& like, fresh_core_t)
        : base(like.pack_, like.max_entries_, like.account_.label), size_(like.size_) {}
    void keep_time_of(count_core const&) noexcept {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return table_.bytes(); }

    [[nodiscard]] bool looks_ahead() const noexcept { return table_.bytes() > base::fits_cache; }
    template <class Ctx>
    DRIFTLESS_FUSED void prefetch(Ctx const&, std::uint64_t hash) const noexcept {
        table_.prefetch(hash);
    }
    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        entry* in = table_.find(this->key_in(ctx), hash);
        bool const fresh = in == nullptr;
        if (fresh) [[unlikely]] {
            if (entries_ >= this->max_entries_) return account_.refuse(reason::capacity);
            ++entries_;
            in = &table_.insert(this->key_in(ctx), hash, [&] { return entry{pack_.init()}; });
        }
        try {
            pack_.add(in->state, record);
        } catch (...) {
            if (fresh) table_.erase(this->key_in(ctx), hash), --entries_;
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return;
        }
        ++account_.applied;
        if (ctx.at > in->newest) in->newest = ctx.at;
        if (++in->here == size_) [[unlikely]]
            complete(*in, this->key_in(ctx), hash, out);
    }
    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark != event_time::max()) return;
        binary_heap<unfinished, fires_first> all;
        table_.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
            if (each.here != 0) all.push({each.before, all.size(), &each, hash, key});
        });
        while (!all.empty()) {
            auto const each = all.pop();
            each.of->newest = event_time::max();
            emit(*each.of, each.key, each.hash, out);
        }
        table_ = table{};
        entries_ = 0;
    }
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    /// As in unwindowed_core: the same bytes whatever the number of shards.
    static void save(count_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(static_cast<std::uint64_t>(base::entries_in(cores, n)));
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.save_entries(out);
    }
    static void load(count_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        for (std::size_t i = 0; i < n; ++i) cores[i].table_.clear();
        load_entries<Key, entry>(in.template read<std::uint64_t>(), in, [&](std::uint64_t hash) -> auto& {
            auto& owner = cores[shard_of(hash, n)];
            ++owner.entries_;
            return owner.table_;
        });
    }

private:
    struct unfinished {
        std::uint64_t before;
        std::size_t nth;  // in canonical order of the keys
        entry* of;
        std::uint64_t hash;
        Key key;
    };
    struct fires_first {
        bool operator()(unfinished const& a, unfinished const& b) const noexcept {
            return a.before != b.before ? a.before < b.before : a.nth < b.nth;
        }
    };

    template <class Out>
    DRIFTLESS_NOINLINE void complete(entry& full, Key const& key, std::uint64_t hash, Out& out) {
        emit(full, key, hash, out);
        full.state = pack_.init();
        full.before += size_;
        full.here = 0;
        full.newest = event_time::min();
    }
    template <class Out>
    void emit(entry const& of, Key const& key, std::uint64_t hash, Out& out) {
        std::optional<result_type> row;
        try {
            row.emplace(pack_.lower(of.state));
        } catch (...) {
            out.threw(origin{});
        }
        if (!row) return;
        time_window const places{event_time{static_cast<std::int64_t>(of.before)},
            event_time{static_cast<std::int64_t>(of.before + size_)}};
        out.row(key, places, pane_info{}, hash, *row, of.newest);
    }
};
}  // namespace driftless::inline v0::detail
#endif
