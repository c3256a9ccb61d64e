// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SESSION_CORE_HPP
#define DRIFTLESS_OP_DETAIL_SESSION_CORE_HPP

#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/time/session.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// One session of a key.
template <class Pack>
struct open_session {
    time_window window;
    typename Pack::state state;
    std::int32_t panes = 0;  // of its parts, the most
    bool fired = false;      // its row is out

    void save(auto& out) const {
        out.write(window);
        Pack::save(state, out);
        out.write(panes).write(fired);
    }
    void load(auto& in) {
        in.read(window);
        Pack::load(state, in);
        in.read(panes);
        in.read(fired);
    }
};
/// The sessions of a key, by time, and when the key has been promised a look.
template <class Pack>
struct key_sessions {
    std::vector<open_session<Pack>> all;
    event_time look_at = event_time::max();
};

/// Aggregates sessions: windows that each record makes for itself and that merge.
///
/// A watermark looks at the keys that have something due, which a heap of (time, hash) says: one entry per key, which may
/// be early, since a session that grows leaves it where it is. What is due is put in order by (end, start), then by key.
template <class Pack, class Key, class Windowing, bool Exact>
class session_core {
    using one = open_session<Pack>;
    using sessions = key_sessions<Pack>;
    using table = keyed_table<Key, sessions>;
    using result_type = typename Pack::result;
    struct look {
        event_time at;
        std::uint64_t hash;
        /// For a heap whose top is the least.
        friend bool operator<(look const& a, look const& b) noexcept {
            return a.at != b.at ? a.at > b.at : a.hash > b.hash;
        }
    };
    struct due_row {
        time_window window;
        std::uint64_t hash;
        Key key;
    };

    [[no_unique_address]] Pack pack_;
    Windowing windowing_;
    duration kept_;  // a session stays so long behind its end
    std::uint64_t max_entries_;
    std::uint64_t entries_ = 0;
    event_time watermark_ = event_time::min();
    table keys_;
    std::uint64_t gone_ = 0;  // keys that were taken out of it
    std::vector<look> looks_;  // a heap
    account account_;

public:
    constexpr session_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : pack_(std::move(pack)),
          windowing_(*windowing),
          kept_(windowing->kept_behind_end()),
          max_entries_(max_entries),
          account_{.label = label} {}
    session_core(session_core const& like, fresh_core_t)
        : session_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    void keep_time_of(session_core const& other) noexcept { watermark_ = other.watermark_; }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return keys_.bytes() + entries_ * sizeof(one) + looks_.capacity() * sizeof(look);
    }

    template <class Ctx, class T, class Out>
    void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const own = windowing_.assigner.proto_window(ctx.at);
        if constexpr (!Exact) {
            if (watermark_ >= own.end + windowing_.lateness()) {
                account_.refuse(reason::late);
                auto refused = ctx;
                refused.window = own;
                return out.refused(reason::late, refused, record);
            }
        }
        auto const& key = key_in(ctx);
        sessions* of = keys_.find(key, hash);
        auto [first, last] = of != nullptr ? meeting(*of, own) : std::pair<std::size_t, std::size_t>{0, 0};
        if (first == last && entries_ >= max_entries_) return account_.refuse(reason::capacity);

        // What may throw comes first, on a copy: a record is in its session, or nowhere and nothing has merged.
        one merged{own, pack_.init()};
        try {
            if (first != last) merged.state = of->all[first].state;
            for (auto i = first + 1; i < last; ++i) pack_.combine(merged.state, of->all[i].state);
            pack_.add(merged.state, record);
        } catch (...) {
            account_.refuse(reason::failed);
            return out.threw(ctx.from);
        }
        if (of == nullptr) of = &keys_.insert(key, hash, [] { return sessions{}; });
        ++account_.applied;
        std::optional<result_type> before;
        for (auto i = first; i < last; ++i) {
            auto const& part = of->all[i];
            if (part.window.start < merged.window.start) merged.window.start = part.window.start;
            if (merged.window.end < part.window.end) merged.window.end = part.window.end;
            merged.panes = std::max(merged.panes, part.panes);
        }
        bool const same = last - first == 1 && of->all[first].window == merged.window;
        merged.fired = same && of->all[first].fired;
        [[maybe_unused]] arena bytes;
        if (merged.fired) {
            before = lowered(of->all[first].state, out);
            if (before) rehome(*before, bytes);  // a result may borrow from the state, which goes now
        } else {
            take_back(key, *of, first, last, hash, out);
        }
        put(*of, first, last, std::move(merged));
        auto& now = of->all[first];
        if (now.window.end <= watermark_) show(key, now, hash, timing::late, before, false, out);
        promise_look(*of, now.fired ? now.window.end + kept_ : now.window.end, hash);
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark <= watermark_) return;  // a promise is not taken back
        watermark_ = watermark;
        std::vector<due_row> due;
        std::vector<std::uint64_t> seen;
        while (!looks_.empty() && looks_.front().at <= watermark) {
            auto const next = looks_.front();
            std::pop_heap(looks_.begin(), looks_.end());
            looks_.pop_back();
            each_key(next.hash, [&](Key const& key, sessions& of) {
                if (of.look_at != next.at) return;  // it has been promised an earlier one, and got it
                of.look_at = event_time::max();
                for (auto const& each : of.all) {
                    if (!each.fired && each.window.end <= watermark) due.push_back({each.window, next.hash, key});
                }
                seen.push_back(next.hash);
            });
        }
        std::sort(due.begin(), due.end(), in_order);
        for (auto const& each : due) {
            auto& of = *keys_.find(each.key, each.hash);
            for (auto& session : of.all) {
                if (session.window != each.window || session.fired) continue;
                bool const last = Exact || watermark >= session.window.end + kept_;
                show(each.key, session, each.hash, timing::on_time, std::nullopt, last, out);
            }
        }
        due.clear();
        for (auto const hash : seen) collect(hash);
        if (keys_.empty()) std::vector<look>{}.swap(looks_);
        if (gone_ > 64 + 2 * keys_.size() || keys_.empty()) give_back();
    }
    [[nodiscard]] event_time deadline() const noexcept {
        // Each move of the watermark changes which records are late.
        if constexpr (!Exact) return watermark_;
        else return looks_.empty() ? event_time::max() : looks_.front().at;
    }

    /// As in unwindowed_core: the same bytes whatever the number of shards.
    static void save(session_core* cores, std::size_t n, auto& out) {
        account sum;
        std::uint64_t keys = 0;
        for (std::size_t i = 0; i < n; ++i) {
            sum.add(cores[i].account_);
            keys += cores[i].keys_.size();
        }
        out.write(sum.applied);
        for (auto const each : sum.refused) out.write(each);
        out.write(cores[0].watermark_).write(keys);
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].keys_.for_each_ordered([&](auto const& key, sessions const& of, std::uint64_t) {
                if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
                out.write(static_cast<std::uint64_t>(of.all.size()));
                for (auto const& each : of.all) each.save(out);
            });
        }
    }
    static void load(session_core* cores, std::size_t n, auto& in) {
        account sum{.label = cores[0].account_.label};
        in.read(sum.applied);
        for (auto& each : sum.refused) in.read(each);
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            auto& core = cores[i];
            core.account_ = i == 0 ? sum : account{.label = sum.label};
            core.entries_ = 0;
            core.watermark_ = watermark;
            core.keys_ = table{};
            core.looks_.clear();
        }
        for (auto keys = in.template read<std::uint64_t>(); keys != 0; --keys) {
            Key key{};
            if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
            auto const hash = hash_of(key);
            auto& owner = cores[shard_of(hash, n)];
            sessions of;
            for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
                of.all.push_back({{}, owner.pack_.init()});
                of.all.back().load(in);
                ++owner.entries_;
            }
            auto& there = owner.keys_.insert(key, hash, [&] { return std::move(of); });
            owner.promise_next(there, hash);
        }
    }

private:
    /// The sessions that a window meets: [first, last). They stand by time and do not meet each other.
    std::pair<std::size_t, std::size_t> meeting(sessions const& of, time_window const& window) const {
        std::size_t first = 0;
        while (first < of.all.size() && !Windowing::assigner_type::meet(of.all[first].window, window)
            && of.all[first].window.start < window.start) {
            ++first;
        }
        auto last = first;
        while (last < of.all.size() && Windowing::assigner_type::meet(of.all[last].window, window)) ++last;
        return {first, last};
    }
    /// Puts the merged session in place of its parts.
    void put(sessions& of, std::size_t first, std::size_t last, one merged) {
        auto const at = of.all.begin() + static_cast<std::ptrdiff_t>(first);
        if (first == last) {
            ++entries_;
            of.all.insert(at, std::move(merged));
            return;
        }
        *at = std::move(merged);
        of.all.erase(at + 1, of.all.begin() + static_cast<std::ptrdiff_t>(last));
        entries_ -= last - first - 1;
    }
    /// Deletes the rows of sessions that are swallowed.
    template <class K, class Out>
    void take_back(K const& key, sessions const& of, std::size_t first, std::size_t last, std::uint64_t hash, Out& out) {
        for (auto i = first; i < last; ++i) {
            auto const& part = of.all[i];
            if (!part.fired) continue;
            auto const row = lowered(part.state, out);
            if (!row) continue;
            pane_info const info{timing::late, part.panes, part.panes, false, true};
            out.change(key, part.window, info, hash, &*row, static_cast<result_type const*>(nullptr));
        }
    }
    template <class K, class Out>
    void show(K const& key, one& session, std::uint64_t hash, timing when, std::optional<result_type> const& before,
        bool last, Out& out) {
        session.fired = true;
        auto const after = lowered(session.state, out);
        if (!before && !after) return;
        pane_info const info{when, session.panes, session.panes, session.panes == 0, last};
        ++session.panes;
        out.change(key, session.window, info, hash, before ? &*before : nullptr, after ? &*after : nullptr);
    }
    /// Forgets the sessions of keys that no record can reach any more.
    void collect(std::uint64_t hash) {
        std::vector<Key> empty;
        each_key(hash, [&](Key const& key, sessions& of) {
            entries_ -= std::erase_if(of.all, [&](one const& each) {
                return each.fired && (Exact || each.window.end + kept_ <= watermark_);
            });
            if (of.all.empty()) empty.push_back(key);
            else promise_next(of, hash);
        });
        for (auto const& key : empty) keys_.erase(key, hash);
        gone_ += empty.size();
    }
    /// What keys that have gone have left behind: their texts, and a table that is too large.
    void give_back() {
        table fresh;
        if (!keys_.empty()) {
            keys_.for_each_ordered([&](auto const& key, sessions& of, std::uint64_t hash) {
                static_cast<void>(fresh.insert(key, hash, [&] { return std::move(of); }));
            });
        }
        keys_ = std::move(fresh);
        gone_ = 0;
    }
    void promise_next(sessions& of, std::uint64_t hash) {
        for (auto const& each : of.all) {
            promise_look(of, each.fired ? each.window.end + kept_ : each.window.end, hash);
        }
    }
    void promise_look(sessions& of, event_time at, std::uint64_t hash) {
        if (at >= of.look_at) return;
        of.look_at = at;
        looks_.push_back({at, hash});
        std::push_heap(looks_.begin(), looks_.end());
    }
    template <class F>
    void each_key(std::uint64_t hash, F&& f) {
        if constexpr (std::is_same_v<Key, unkeyed>) {
            if (auto* const of = keys_.find(unkeyed{}, 0)) f(unkeyed{}, *of);
        } else {
            keys_.for_each_with(hash, f);
        }
    }
    static bool in_order(due_row const& a, due_row const& b) {
        if (a.window != b.window) return a.window < b.window;
        if (a.hash != b.hash) return a.hash < b.hash;
        if constexpr (std::is_same_v<Key, unkeyed>) {
            return false;
        } else {
            std::string left;
            std::string right;
            append_key_bytes(left, a.key);
            append_key_bytes(right, b.key);
            return left < right;
        }
    }
    template <class Out>
    std::optional<result_type> lowered(typename Pack::state const& of, Out& out) const {
        std::optional<result_type> result;
        try {
            result.emplace(pack_.lower(of));
        } catch (...) {
            out.threw(origin{});
        }
        return result;
    }
    template <class Ctx>
    static constexpr auto const& key_in(Ctx const& ctx) noexcept {
        if constexpr (std::is_same_v<Key, unkeyed>) return no_key;
        else return *ctx.key;
    }
    static constexpr unkeyed no_key{};
};
}  // namespace driftless::inline v0::detail
#endif
