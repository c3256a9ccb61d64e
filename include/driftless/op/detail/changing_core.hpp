// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_CHANGING_CORE_HPP
#define DRIFTLESS_OP_DETAIL_CHANGING_CORE_HPP

#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/touched_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// Aggregates the rows of tables: there is no window that could end, each epoch is answered by what it has changed. So
/// nobody sees a row between what one record takes out of a group and what it puts into one.
///
/// State       Per key the state of the functions, how many rows are in it, and the pane count. Between epochs nothing
///             else: what a row was before the epoch is kept until it ends.
template <class Pack, class Key>
class changing_core {
    using result_type = typename Pack::result;

    struct entry {
        typename Pack::state state;
        std::uint64_t members = 0;  // rows in it: when the last one has gone, so has its own
        event_time at = event_time::min();
        std::int32_t panes = 0;
        bool shown = false;    // its row is there: not if lower() threw
        bool touched = false;  // in this epoch

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
    using touched = touched_rows<Key, result_type>;

    [[no_unique_address]] Pack pack_;
    std::uint64_t max_entries_;
    keyed_table<Key, entry> table_;
    std::size_t empty_ = 0;  // entries without rows: they go when the epoch ends
    touched touched_;
    account account_;

public:
    static constexpr bool answers_at_once = true;

    changing_core(Pack pack, std::uint64_t max_entries, operator_label label)
        : pack_(std::move(pack)), max_entries_(max_entries), account_{.label = label} {}

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept { return table_.bytes(); }

    template <class Ctx, class T, class Out>
    void on_change(Ctx const& ctx, change<T> const& row, std::uint64_t hash, Out& out) {
        auto const& key = key_in(ctx);
        entry* of = table_.find(key, hash);
        if (of == nullptr) {
            if (row.after == nullptr) return void(++account_.applied);
            if (table_.size() - empty_ >= max_entries_) return account_.refuse(reason::capacity);
            of = &table_.insert(key, hash, [&] { return entry{pack_.init()}; });
            ++empty_;
        }
        touch(*of, key, hash);
        if (row.before != nullptr && of->members != 0 && removed_from(pack_, of->state, *row.before)) {
            if (--of->members == 0) ++empty_;
        }
        if (row.after != nullptr) add(*of, ctx, *row.after, out);
        else ++account_.applied;
        if (of->at < ctx.at) of->at = ctx.at;
    }
    /// The rows that have changed, in the order in which they were touched: where a record leaves one group and enters
    /// another, the old one comes first.
    template <class Out>
    void on_epoch(Out& out) {
        touched_.take([&](typename touched::row const& each) { show(each, out); });
    }
    /// Nothing waits for the watermark; but what comes before it goes on before it.
    template <class Out>
    void on_watermark(event_time, Out& out) {
        if (!touched_.empty()) on_epoch(out);
    }
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
        only.touched_.clear();
        only.empty_ = 0;
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

    void touch(entry& of, Key const& key, std::uint64_t hash) {
        if (of.touched) return;
        of.touched = true;
        std::optional<result_type> before;
        if (of.shown) before.emplace(pack_.lower(of.state));
        touched_.add(key, {}, hash, before);  // a result may borrow from the state, which changes now
    }
    template <class Ctx, class T, class Out>
    void add(entry& to, Ctx const& ctx, T const& record, Out& out) {
        try {
            pack_.add(to.state, record);
        } catch (...) {
            account_.refuse(reason::failed);
            return out.threw(ctx.from);
        }
        ++account_.applied;
        if (to.members++ == 0) --empty_;
    }
    template <class Out>
    void show(typename touched::row const& what, Out& out) {
        entry& of = *table_.find(what.key, what.hash);
        of.touched = false;
        auto const& before = what.before;
        auto const after = lowered(of, out);
        of.shown = after.has_value();
        if (!what.stays(after)) {
            auto const index = of.panes++;
            pane_info const info{timing::early, index, -1, index == 0, false};
            out.change(what.key, time_window{}, info, what.hash, before ? &*before : nullptr,
                after ? &*after : nullptr, static_cast<result_type const*>(nullptr), of.at);
        }
        if (of.members != 0) return;
        --empty_;
        table_.erase(what.key, what.hash);
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
