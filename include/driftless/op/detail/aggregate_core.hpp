// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_AGGREGATE_CORE_HPP
#define DRIFTLESS_OP_DETAIL_AGGREGATE_CORE_HPP

#include <driftless/codec/detail/shape.hpp>
#include <driftless/codec/flat.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/state/keyed_table.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

// What an aggregate keeps and when it speaks, without saying to whom: cores are driven by a
// stage, or by one worker per shard, and report to an `out` with
//   out.row(key, window, info, hash, result)                  a single pane, as a record; at its window's last instant,
//                                                             or at a time that is given behind
//   out.change(key, window, info, hash, before*, after*)      a changed row, where panes may be corrected
//   out.refused(reason, ctx, record)                          a late record, for the late output
//   out.threw(from)                                           called inside a catch block

namespace driftless::inline v0::detail {
/// The shard of a hash: shards hold ascending ranges of hashes, so that their panes, one shard after
/// the other, are in canonical order.
constexpr std::size_t shard_of(std::uint64_t hash, std::size_t shards) noexcept {
    return static_cast<std::size_t>((static_cast<uint128>(hash) * shards) >> 64);
}

/// The state of one (key, window), and what only some plans have to know of it.
///
/// Members     how many rows are in it, so that a group all of whose rows were taken back is deleted
/// Panes       how many panes it has emitted, for corrections after the on-time pane
template <class Pack, bool Members, bool Panes>
struct aggregate_entry {
    typename Pack::state state;
    // Two types: two of one type would need two addresses.
    struct no_members {};
    struct no_panes {};
    [[no_unique_address]] std::conditional_t<Members, std::uint64_t, no_members> members{};
    [[no_unique_address]] std::conditional_t<Panes, std::uint32_t, no_panes> panes{};

    static constexpr std::size_t flat_size = flat_sum<typename Pack::state,
        std::conditional_t<Members, std::uint64_t, no_members>,
        std::conditional_t<Panes, std::uint32_t, no_panes>>;

    constexpr explicit aggregate_entry(typename Pack::state s) : state(std::move(s)) {}
    constexpr aggregate_entry() = default;

    void save(auto& out) const {
        Pack::save(state, out);
        if constexpr (Members) out.write(members);
        if constexpr (Panes) out.write(panes);
    }
    void load(auto& in) {
        Pack::load(state, in);
        if constexpr (Members) members = in.template read<std::uint64_t>();
        if constexpr (Panes) panes = in.template read<std::uint32_t>();
    }
};

/// Reads a number of keys, and calls f(key, hash) for each, which reads what belongs to it.
template <class Key, class F>
void each_saved_key(auto& in, F&& f) {
    for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
        Key key{};
        if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
        f(key, hash_of(key));
    }
}

/// Says that a core is to be made like another, with nothing in it.
struct fresh_core_t {};
inline constexpr fresh_core_t fresh_core{};
/// So many cores without state, one for each worker.
template <class Core>
growing_array<Core> fresh_cores(Core const& like, std::size_t n) {
    growing_array<Core> out;
    out.reserve(n);
    while (out.size() != n) out.push_back(Core{like, fresh_core});
    return out;
}

/// Takes a row out of a state. False for one that was refused when it came, because a function threw: it is not in.
template <class Pack, class T>
bool removed_from(Pack const& pack, typename Pack::state& from, T const& row) {
    try {
        pack.remove(from, row);
        return true;
    } catch (...) {
        return false;
    }
}

/// Where the state of an aggregate is; spill_to (state/spill.hpp) is another.
struct in_tables {
    template <class Key, class State>
    using table = keyed_table<Key, State>;
    template <class Table>
    static constexpr void equip(Table&) noexcept {}
};

/// What cores share: the pack, the books, and adding or removing one row.
template <class Pack, class Key, bool FromChanges, bool Corrects, bool Exact, class Storage = in_tables>
class core_base {
protected:
    using result_type = typename Pack::result;
    using entry = aggregate_entry<Pack, FromChanges, Corrects && !Exact>;
    using table = typename Storage::template table<Key, entry>;

    /// Bytes of tables up to which looking ahead costs more than it saves.
    static constexpr std::size_t fits_cache = std::size_t{8} * 1024 * 1024;

    [[no_unique_address]] Pack pack_;
    std::uint64_t max_entries_;
    std::uint64_t entries_ = 0;
    account account_;

    constexpr core_base(Pack pack, std::uint64_t max_entries, operator_label label)
        : pack_(std::move(pack)), max_entries_(max_entries), account_{.label = label} {}

    /// The entry of a key, made if need be; null if that would be one too many.
    template <class K>
    DRIFTLESS_INLINE entry* entry_of(table& in, K const& key, std::uint64_t hash, bool& fresh) {
        entry* const found = in.find(key, hash);
        fresh = found == nullptr;
        if (!fresh) [[likely]]
            return found;
        if (entries_ >= max_entries_) [[unlikely]]
            return nullptr;
        ++entries_;
        return &in.insert(key, hash, [&] { return entry{pack_.init()}; });
    }

    /// Adds a record to its entry. A user function that throws leaves no empty entry behind.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool add(table& in, Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        bool fresh = false;
        entry* const to = entry_of(in, key_in(ctx), hash, fresh);
        if (to == nullptr) [[unlikely]] {
            account_.refuse(reason::capacity);
            return false;
        }
        try {
            pack_.add(to->state, record);
        } catch (...) {
            if (fresh) in.erase(key_in(ctx), hash), --entries_;
            account_.refuse(reason::failed);
            out.threw(ctx.from);
            return false;
        }
        ++account_.applied;
        if constexpr (FromChanges) ++to->members;
        return true;
    }

    /// Takes the old row out and puts the new one in.
    template <class Ctx, class T, class Out>
    void apply(table& in, Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        if (row.before != nullptr) {
            if (entry* const from = in.find(key_in(ctx), hash)) {
                if (removed_from(pack_, from->state, *row.before) && from->members != 0) --from->members;
            }
        }
        if (row.after != nullptr) add(in, ctx, *row.after, hash, out);
        else ++account_.applied;
    }
    /// The entry goes when its last row has gone.
    void drop_if_empty(table& in, auto const& key, std::uint64_t hash) {
        if (entry const* const left = in.find(key, hash); left != nullptr && left->members == 0) {
            if constexpr (Corrects && !Exact) {
                if (left->panes != 0) return;  // it has been seen: its pane count lives on
            }
            in.erase(key, hash);
            --entries_;
        }
    }

    static core_base& own(core_base& core) noexcept { return core; }
    static core_base const& own(core_base const& core) noexcept { return core; }
    /// The books of all shards are written as one; the first takes them back.
    template <class Core>
    static void save_books(Core const* cores, std::size_t n, auto& out) {
        account sum;
        for (std::size_t i = 0; i < n; ++i) sum.add(own(cores[i]).account_);
        out.write(sum.applied).write(sum.unassigned);
        for (auto const each : sum.refused) out.write(each);
    }
    template <class Core>
    static void load_books(Core* cores, std::size_t n, auto& in) {
        for (std::size_t i = 0; i < n; ++i) {
            own(cores[i]).account_ = account{.label = own(cores[i]).account_.label};
            own(cores[i]).entries_ = 0;
        }
        in.read(own(cores[0]).account_.applied);
        in.read(own(cores[0]).account_.unassigned);
        for (auto& each : own(cores[0]).account_.refused) in.read(each);
    }
    template <class Core>
    static std::uint64_t entries_in(Core const* cores, std::size_t n) noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += own(cores[i]).entries_;
        return sum;
    }

    template <class Ctx>
    DRIFTLESS_INLINE static constexpr auto const& key_in(Ctx const& ctx) noexcept {
        if constexpr (std::is_same_v<Key, unkeyed>) return no_key;
        else return *ctx.key;
    }
    static constexpr unkeyed no_key{};

    /// The result of an entry; nothing if it has none: no rows, or a lower() that threw.
    template <class Out>
    std::optional<result_type> lowered(auto const& of, Out& out) const {
        std::optional<result_type> result;
        if constexpr (FromChanges) {
            if (of.members == 0) return result;
        }
        try {
            result.emplace(pack_.lower(of.state));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }

    /// Emits the on-time pane of every key of a window, in canonical order.
    template <class Out>
    void fire(table& of, time_window window, bool last, Out& out) {
        of.for_each_ordered([&](auto const& key, entry& each, std::uint64_t hash) {
            auto const result = lowered(each, out);
            if (!result) return;
            if constexpr (Corrects && !Exact) ++each.panes;
            pane_info const info{timing::on_time, 0, 0, true, last};
            if constexpr (Corrects) {
                out.change(key, window, info, hash, static_cast<result_type const*>(nullptr), &*result);
            } else {
                out.row(key, window, info, hash, *result);
            }
        });
    }
};
}  // namespace driftless::inline v0::detail
#endif
