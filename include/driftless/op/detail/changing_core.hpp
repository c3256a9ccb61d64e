// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_CHANGING_CORE_HPP
#define DRIFTLESS_OP_DETAIL_CHANGING_CORE_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/op/detail/aggregate_core.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Aggregates the rows of tables: there is no window that could end, each change is answered at once.
template <class Pack, class Key>
class changing_core {
    using result_type = typename Pack::result;

    struct entry {
        typename Pack::state state;
        std::uint64_t members = 0;  // rows in it: when the last one has gone, so has its own
        event_time at = event_time::min();
        std::int32_t panes = 0;
        bool shown = false;  // its row is there: not if lower() threw

        explicit entry(typename Pack::state s) : state(std::move(s)) {}
        entry() = default;
        void save(auto& out) const {
            Pack::save(state, out);
            out.write(members).write(at).write(panes).write(shown);
        }
        void load(auto& in) {
            Pack::load(state, in);
            in.read(members).read(at).read(panes).read(shown);
        }
    };

    [[no_unique_address]] Pack pack_;
    std::uint64_t max_entries_;
    keyed_table<Key, entry> table_;
    account account_;
    arena old_;  // what the old result borrows

public:
    changing_core(Pack pack, std::uint64_t max_entries, operator_label label)
        : pack_(std::move(pack)), max_entries_(max_entries), account_{.label = label} {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return table_.bytes(); }

    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        auto const& key = key_in(ctx);
        entry* of = table_.find(key, hash);
        std::optional<result_type> before;
        if (of != nullptr && of->shown) {
            before.emplace(pack_.lower(of->state));
            old_.reset();
            rehome(*before, old_);  // a result may borrow from the state, which changes now
        }
        if (of != nullptr && row.before != nullptr && of->members != 0) {
            if (removed_from(pack_, of->state, *row.before)) --of->members;
        }
        if (row.after != nullptr) of = add(of, ctx, *row.after, hash, out);
        else ++account_.applied;
        if (of == nullptr) return;
        if (of->at < ctx.at) of->at = ctx.at;

        auto const after = lowered(*of, out);
        of->shown = after.has_value();
        if (before || after) {
            auto const index = of->panes++;
            pane_info const info{timing::early, index, -1, index == 0, false};
            out.change(key, time_window{}, info, hash, before ? &*before : nullptr, after ? &*after : nullptr,
                static_cast<result_type const*>(nullptr), of->at);
        }
        if (of->members == 0) table_.erase(key, hash);
    }
    template <class Out>
    void on_watermark(event_time, Out&) {}
    [[nodiscard]] event_time deadline() const noexcept { return event_time::max(); }

    static void save(changing_core* cores, std::size_t, auto& out) {
        auto& only = cores[0];
        out.write(only.account_.applied);
        for (auto const each : only.account_.refused) out.write(each);
        out.write(static_cast<std::uint64_t>(only.table_.size()));
        only.table_.save_entries(out);
    }
    static void load(changing_core* cores, std::size_t, auto& in) {
        auto& only = cores[0];
        in.read(only.account_.applied);
        for (auto& each : only.account_.refused) in.read(each);
        only.table_.clear();
        load_entries<Key, entry>(
            in.template read<std::uint64_t>(), in, [&](std::uint64_t) -> auto& { return only.table_; });
    }

private:
    template <class Ctx>
    static constexpr auto const& key_in(Ctx const& ctx) noexcept {
        if constexpr (std::is_same_v<Key, unkeyed>) return no_key;
        else return *ctx.key;
    }
    static constexpr unkeyed no_key{};

    /// Adds a row to its entry, which is made if need be; the entry as it is now, if there is one.
    template <class Ctx, class T, class Out>
    entry* add(entry* to, Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        bool const fresh = to == nullptr;
        if (fresh) {
            if (table_.size() >= max_entries_) {
                account_.refuse(reason::capacity);
                return nullptr;
            }
            to = &table_.insert(key_in(ctx), hash, [&] { return entry{pack_.init()}; });
        }
        try {
            pack_.add(to->state, record);
        } catch (...) {
            account_.refuse(reason::failed);
            if (fresh) table_.erase(key_in(ctx), hash);
            out.threw(ctx.from);
            return fresh ? nullptr : to;
        }
        ++account_.applied;
        ++to->members;
        return to;
    }
    template <class Out>
    std::optional<result_type> lowered(entry const& of, Out& out) const {
        std::optional<result_type> result;
        if (of.members == 0) return result;
        try {
            result.emplace(pack_.lower(of.state));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }
};
}  // namespace driftless::inline v0::detail
#endif
