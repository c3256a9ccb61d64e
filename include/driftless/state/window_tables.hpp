// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_WINDOW_TABLES_HPP
#define DRIFTLESS_STATE_WINDOW_TABLES_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// Window-major state: one table per open window, in the order in which windows fire.
///
/// A watermark fires windows, never keys: a window is taken off the front, its table emitted and
/// recycled. Windows that have fired but still take late records stand before those that have not.
///
/// State       One table per open window, and recycled ones kept for the windows to come (at most as many
///             as were ever open or taken at once).
/// Complexity  find and open are O(log windows), and O(1) for the newest window.
template <class Table>
class window_tables {
public:
    struct open_window {
        time_window window;
        std::uint64_t written = 0;  // the snapshot whose attempt wrote it as it is now; 0: changed since
        Table table;

        /// What changes the table comes this way: the next snapshot writes it again.
        Table& change() noexcept {
            written = 0;
            return table;
        }
    };
    /// What open_window::written says of state that a snapshot gave: whichever is the newest when it is asked has it.
    static constexpr std::uint64_t as_restored = 1;

    window_tables() = default;
    window_tables(window_tables&& other) noexcept { swap(other); }
    window_tables& operator=(window_tables&& other) noexcept {
        window_tables moved{std::move(other)};
        swap(moved);
        return *this;
    }
    window_tables(window_tables const&) = delete;
    window_tables& operator=(window_tables const&) = delete;
    ~window_tables() {
        clear();
        for (auto const& kind : spare_) {
            for (auto* const spare : kind) delete spare;
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return open_.size() - first_; }
    /// How many of the open windows have fired; they come first.
    [[nodiscard]] std::size_t fired() const noexcept { return fired_; }
    [[nodiscard]] open_window& operator[](std::size_t i) const noexcept { return *open_[first_ + i]; }
    /// Bytes reserved by the tables of open windows; recycled ones are not counted.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < size(); ++i) sum += (*this)[i].table.bytes();
        return sum;
    }

    /// The index of a window, or size() if it is not open.
    [[nodiscard]] std::size_t find(time_window const& window) const noexcept {
        auto const at = lower_bound(window);
        return at < size() && (*this)[at].window == window ? at : size();
    }
    /// The table of a window, or null if it is not open.
    [[nodiscard]] Table* table_of(time_window const& window) const noexcept {
        auto const at = find(window);
        return at == size() ? nullptr : &(*this)[at].table;
    }
    /// The same, to be changed.
    [[nodiscard]] Table* change(time_window const& window) const noexcept {
        auto const at = find(window);
        return at == size() ? nullptr : &(*this)[at].change();
    }
    /// All that is open stands in a snapshot.
    void set_restored() const noexcept {
        for (std::size_t i = 0; i < size(); ++i) (*this)[i].written = as_restored;
    }
    /// Opens a window that is not open. `late` says that its end has passed already: it counts as fired.
    open_window& open(time_window const& window, bool late) {
        open_window* fresh = nullptr;
        if constexpr (requires(Table& table) { table.make_room_like(table); }) {
            // Of many, the first is as full as the others will become.
            bool const crowded = size() > 2 && size() * open_[first_]->table.bytes() > held_by_cache;
            fresh = take_spare(crowded);
            fresh->table.pack_densely(crowded);
            if (size() != 0 && !late) fresh->table.make_room_like((crowded ? open_[first_] : open_.back())->table);
        } else {
            fresh = take_spare(false);
        }
        fresh->window = window;
        fresh->written = 0;
        auto const at = first_ + lower_bound(window);
        open_.push_back(fresh);
        for (auto i = open_.size() - 1; i > at; --i) open_[i] = open_[i - 1];
        open_[at] = fresh;
        if (late) ++fired_;
        return *fresh;
    }
    /// The first window that has not fired has now: it stays open for late records.
    void mark_fired() noexcept { ++fired_; }
    /// Takes the first window away and keeps its table for another.
    void close_first() {
        auto* const done = take_first();
        done->table.clear();
        give_back(done);
    }
    /// The same in steps: the window is the caller's meanwhile, who empties its table, on any thread.
    [[nodiscard]] open_window* take_first() noexcept {
        auto* const out = open_[first_++];
        if (fired_ != 0) --fired_;
        ++taken_;
        if (first_ == open_.size() || (first_ > 64 && first_ > size())) {
            auto const left = size();
            for (std::size_t i = 0; i < left; ++i) open_[i] = open_[first_ + i];
            while (open_.size() != left) open_.pop_back();
            first_ = 0;
        }
        return out;
    }
    void give_back(open_window* done) noexcept {
        --taken_;
        spare_[kind_of(done->table)].push_back(done);
    }
    void clear() noexcept {
        for (std::size_t i = 0; i < size(); ++i) delete &(*this)[i];
        open_.clear();
        first_ = 0;
        fired_ = 0;
    }

private:
    static constexpr std::size_t held_by_cache = std::size_t{4} << 20;

    detail::growing_array<open_window*> open_;  // from first_ on, ordered by (end, start)
    detail::growing_array<open_window*> spare_[2];  // those of dense tables are the second
    std::size_t first_ = 0;
    std::size_t fired_ = 0;
    std::size_t taken_ = 0;

    [[nodiscard]] std::size_t lower_bound(time_window const& window) const noexcept {
        std::size_t low = 0;
        std::size_t high = size();
        if (high != 0 && (*this)[high - 1].window < window) return high;
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            if ((*this)[middle].window < window) low = middle + 1;
            else high = middle;
        }
        return low;
    }
    static std::size_t kind_of([[maybe_unused]] Table const& of) noexcept {
        if constexpr (requires { of.is_dense(); }) return of.is_dense() ? 1 : 0;
        else return 0;
    }
    /// One of the other kind would have to give its room back first.
    open_window* take_spare(bool dense) {
        std::size_t const wanted = dense ? 1 : 0;
        auto& those = spare_[spare_[wanted].empty() ? 1 - wanted : wanted];
        if (those.empty()) {
            for (auto& kind : spare_) kind.reserve(open_.size() + taken_ + 1);  // give_back never has to allocate
            return new open_window{};
        }
        auto* const spare = those.back();
        those.pop_back();
        return spare;
    }
    void swap(window_tables& other) noexcept {
        open_.swap(other.open_);
        spare_[0].swap(other.spare_[0]);
        spare_[1].swap(other.spare_[1]);
        std::swap(first_, other.first_);
        std::swap(fired_, other.fired_);
        std::swap(taken_, other.taken_);
    }
};

namespace detail {
/// What a part of a snapshot that holds a window is called.
inline std::string part_name(time_window const& window) {
    return std::to_string(window.start.ns()) + " " + std::to_string(window.end.ns());
}
/// Something that knows parts (run/detail/state_writer.hpp): what has not changed since a snapshot is not written
/// again.
template <class Out>
concept keeps_parts = requires(Out& out) { out.number(); };

/// Windows with fewer entries than this are not worth a part of their own, where an entry is small.
template <class Table>
constexpr std::size_t least_in_part = [] {
    if constexpr (requires { requires std::is_trivially_copyable_v<typename Table::state_type>; }) return 16;
    else return 1;
}();

/// Writes all windows of n shards, which hold ascending ranges of hashes: the same bytes whatever their number. Behind
/// it no window may be changed but through open_window::change.
///
/// windows_of  from the number of a shard to its window_tables
template <class WindowsOf>
void save_windows(std::size_t n, WindowsOf const& windows_of, auto& out) {
    growing_array<time_window> all;  // in order
    for (std::size_t i = 0; i < n; ++i) {
        auto const& windows = windows_of(i);
        for (std::size_t w = 0; w < windows.size(); ++w) {
            auto const& window = windows[w].window;
            std::size_t at = all.size();
            while (at != 0 && window < all[at - 1]) --at;
            if (at != 0 && all[at - 1] == window) continue;
            all.push_back(window);
            for (auto k = all.size() - 1; k > at; --k) all[k] = all[k - 1];
            all[at] = window;
        }
    }
    out.write(static_cast<std::uint64_t>(all.size()));
    for (auto const& window : all) {
        std::uint64_t size = 0;
        auto const each_shard = [&](auto const& f) {
            for (std::size_t i = 0; i < n; ++i) {
                auto const& windows = windows_of(i);
                if (auto const at = windows.find(window); at != windows.size()) f(windows[at]);
            }
        };
        each_shard([&](auto const& in) { size += in.table.size(); });
        auto const write = [&] {
            out.write(window);
            out.write(size);
            each_shard([&](auto& in) { in.table.save_entries(out); });
        };
        if constexpr (keeps_parts<std::remove_reference_t<decltype(out)>>) {
            using table = std::remove_reference_t<decltype(windows_of(0)[0].table)>;
            if (size >= least_in_part<table>) {
                bool changed = false;
                each_shard([&](auto const& in) { changed = changed || !out.has(in.written); });
                bool const written = out.part(part_name(window), changed, write);
                if (written) each_shard([&](auto& in) { in.written = out.number(); });
                continue;
            }
        }
        write();
    }
}
}  // namespace detail
}  // namespace driftless::inline v0
#endif
