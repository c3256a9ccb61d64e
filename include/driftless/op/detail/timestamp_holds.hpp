// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TIMESTAMP_HOLDS_HPP
#define DRIFTLESS_OP_DETAIL_TIMESTAMP_HOLDS_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>
#include <driftless/state/keyed_table.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace driftless::inline v0::detail {

/// How often each time is there, and which is the least.
class counted_times {
    std::map<event_time, std::size_t> all_;

public:
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] event_time least() const noexcept { return all_.empty() ? event_time::max() : all_.begin()->first; }
    void add(event_time at) { ++all_[at]; }
    void remove(event_time at) {
        auto const found = all_.find(at);
        if (--found->second == 0) all_.erase(found);
    }
    void clear() noexcept { all_.clear(); }
};

/// What records of one window that has not been shown since they came come to.
struct held_time {
    time_window window;
    event_time at;
};
/// Those of one key, in no particular order.
struct held_times {
    growing_array<held_time> all;

    void erase(std::size_t i) noexcept {
        all[i] = all.back();
        all.pop_back();
    }
};

/// For each key and window the time of the next pane: the watermark behind an aggregate must not pass it.
///
/// Combiner    `combine(a, b)`: the time of two records together
/// Merging     windows that meet are one
template <class Key, class Combiner, class Assigner, bool Merging>
class timestamp_holds {
    keyed_table<Key, held_times> keys_;
    counted_times times_;
    counted_times ends_;  // of the windows
    std::size_t gone_ = 0;

public:
    /// The least time that is held; +inf if none is.
    [[nodiscard]] event_time least() const noexcept { return times_.least(); }
    [[nodiscard]] event_time least_end() const noexcept { return ends_.least(); }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return keys_.size() == 0 ? 0 : keys_.bytes() + (times_.size() + ends_.size()) * 64;
    }

    void add(Key const& key, std::uint64_t hash, held_time made) {
        held_times* of = keys_.find(key, hash);
        if (of == nullptr) of = &keys_.insert(key, hash, [] { return held_times{}; });
        for (std::size_t i = 0; i < of->all.size();) {
            if (!one_window(of->all[i].window, made.window)) {
                ++i;
                continue;
            }
            auto const part = of->all[i];
            forget(part);
            of->erase(i);
            made.at = Combiner::combine(made.at, part.at);
            if (part.window.start < made.window.start) made.window.start = part.window.start;
            if (part.window.end > made.window.end) made.window.end = part.window.end;
        }
        times_.add(made.at);
        ends_.add(made.window.end);
        of->all.push_back(made);
    }
    /// Releases what a pane of `window` shows; calls f(time) for each part of it.
    template <class F>
    void take(Key const& key, std::uint64_t hash, time_window const& window, F&& f) {
        held_times* const of = keys_.find(key, hash);
        if (of == nullptr) return;
        for (std::size_t i = 0; i < of->all.size();) {
            auto const part = of->all[i];
            if (part.window.start < window.start || part.window.end > window.end) {
                ++i;
                continue;
            }
            if (!Merging && part.window != window) {
                ++i;
                continue;
            }
            f(part.at);
            forget(part);
            of->erase(i);
        }
        if (of->all.empty()) drop(key, hash);
    }
    /// Releases what windows that end at `watermark` or before have not shown.
    void release_ended(event_time watermark) {
        if (ends_.least() <= watermark) renew(watermark);
    }

    /// The times of a key by window, so that the bytes do not tell in which order they came.
    void save(auto& out) {
        out.write(static_cast<std::uint64_t>(keys_.size()));
        keys_.for_each_ordered([&](auto const& key, held_times& of, std::uint64_t) {
            if constexpr (!std::is_same_v<Key, unkeyed>) out.write(key);
            for (std::size_t i = 1; i < of.all.size(); ++i) {
                for (auto k = i; k != 0 && of.all[k].window < of.all[k - 1].window; --k)
                    std::swap(of.all[k], of.all[k - 1]);
            }
            out.write(static_cast<std::uint64_t>(of.all.size()));
            for (auto const& each : of.all) out.write(each.window).write(each.at);
        });
    }
    void load(auto& in) {
        keys_ = keyed_table<Key, held_times>{};
        times_.clear();
        ends_.clear();
        gone_ = 0;
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            Key key{};
            if constexpr (!std::is_same_v<Key, unkeyed>) in.read(key);
            auto const hash = hash_of(key);
            bool const drop = left_out::drops(key);
            for (auto spans = in.template read<std::uint64_t>(); spans != 0; --spans) {
                auto const window = in.template read<time_window>();
                auto const at = in.template read<event_time>();
                if (!drop) add(key, hash, {window, at});
            }
        }
    }

private:
    [[nodiscard]] static bool one_window(time_window const& a, time_window const& b) noexcept {
        if constexpr (Merging) return Assigner::meet(a, b);
        else return a == b;
    }
    void forget(held_time const& part) {
        times_.remove(part.at);
        ends_.remove(part.window.end);
    }
    /// A table of those whose windows go on, which alone gives the bytes of text keys back.
    void renew(event_time watermark) {
        keyed_table<Key, held_times> left;
        keys_.for_each_ordered([&](auto const& key, held_times& of, std::uint64_t hash) {
            for (std::size_t i = 0; i < of.all.size();) {
                if (of.all[i].window.end > watermark) {
                    ++i;
                    continue;
                }
                forget(of.all[i]);
                of.erase(i);
            }
            if (!of.all.empty()) static_cast<void>(left.insert(key, hash, [&] { return std::move(of); }));
        });
        keys_ = std::move(left);
        gone_ = 0;
    }
    void drop(Key const& key, std::uint64_t hash) {
        keys_.erase(key, hash);
        if (keys_.size() == 0) {
            keys_ = keyed_table<Key, held_times>{};
            gone_ = 0;
        } else if (has_text<Key> && ++gone_ > 2 * keys_.size() + 1024) {
            renew(event_time::min());
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
