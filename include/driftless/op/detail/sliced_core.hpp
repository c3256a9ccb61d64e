// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SLICED_CORE_HPP
#define DRIFTLESS_OP_DETAIL_SLICED_CORE_HPP

#include <driftless/codec/detail/left_out.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/op/detail/slice_columns.hpp>
#include <driftless/op/detail/slice_grid.hpp>
#include <driftless/op/detail/sliding_totals.hpp>
#include <driftless/state/window_tables.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// One slice: the states of the records in it, by row.
template <class Key, class Cell>
struct slice_of_rows {
    std::int64_t number = 0;
    row_column<Cell> cells;
    row_directory<Key>* keys = nullptr;

    [[nodiscard]] std::size_t bytes() const noexcept { return cells.bytes(); }
    void clear() noexcept { cells.clear(); }
    [[nodiscard]] std::uint64_t size() const noexcept {
        std::uint64_t out = 0;
        for (std::size_t row = 0; row < keys->size(); ++row) out += !cells[row].empty() ? 1 : 0;
        return out;
    }
    void save_entries(auto& out) const {
        for (auto const& each : keys->ordered()) {
            auto const& cell = cells[each.row];
            if (cell.empty()) continue;
            if constexpr (!std::is_same_v<Key, unkeyed>) out.write(each.key);
            out.write(cell);
        }
    }
};

/// Aggregates by sliding windows where nothing is corrected: a record goes into one slice, however many windows it lies
/// in, and a window that fires is the total of its slices. What is kept is what windowed_core would keep, or less: no
/// more than one state per key and open window.
///
/// Pack        exact, so that it may be taken in parts; its state can be copied as bytes
/// Exact       the watermark is exact: nothing is late
template <class Pack, class Key, class Windowing, bool Exact>
class sliced_core : public core_base<Pack, Key, false, false, Exact> {
    using base = core_base<Pack, Key, false, false, Exact>;
    using result_type = typename Pack::result;
    using cell = slice_cell<Pack>;
    using slice = slice_of_rows<Key, cell>;
    using base::account_;
    using base::pack_;

    /// The fast path: the slices none of whose windows has closed and that the next snapshot writes, one after the
    /// other from a period's start at low_. Which one a time lies in takes two multiplications and no branch that
    /// disorder could mislead.
    struct near_slice {
        cell* cells;  // null: not open, or not to be changed without a word
        std::uint64_t windows;
    };
    static constexpr std::size_t most_near = 1024;

    Windowing windowing_;
    slice_grid grid_;
    event_time watermark_ = event_time::min();
    std::int64_t open_from_;  // the first window that has not closed
    window_tables<slice> slices_;
    directory_owner<Key> keys_;  // at a fixed address: slices know it
    sliding_totals<Pack, cell> totals_;
    std::int64_t fired_ = 0;  // windows since rows of keys that are gone were looked for

    growing_array<near_slice> near_;
    event_time low_ = event_time::max();
    std::uint64_t span_ = 0;
    std::uint64_t inverse_ = 0;  // of the period, times 2^64

public:
    sliced_core(Pack pack, Windowing const* windowing, std::uint64_t max_entries, operator_label label)
        : base(std::move(pack), max_entries, label),
          windowing_(*windowing),
          grid_(windowing->assigner),
          open_from_(grid_.first_open(watermark_)),
          totals_(grid_),
          inverse_(~std::uint64_t{0} / static_cast<std::uint64_t>(grid_.period())) {}
    sliced_core(sliced_core const& like, fresh_core_t)
        : sliced_core(like.pack_, &like.windowing_, like.max_entries_, like.account_.label) {}
    sliced_core(sliced_core&&) = default;
    sliced_core& operator=(sliced_core&&) = delete;
    ~sliced_core() = default;
    void keep_time_of(sliced_core const& other) noexcept { pass(other.watermark_); }

    [[nodiscard]] account const& books() const noexcept { return account_; }
    [[nodiscard]] operator_label label() const noexcept { return account_.label; }
    [[nodiscard]] std::size_t state_bytes() const noexcept {
        return slices_.bytes() + keys_->bytes() + totals_.bytes();
    }
    [[nodiscard]] event_time watermark() const noexcept { return watermark_; }

    [[nodiscard]] bool looks_ahead() const noexcept { return keys_->table_bytes() > base::fits_cache / 4; }
    template <class Ctx>
    DRIFTLESS_FUSED void prefetch(Ctx const&, std::uint64_t hash) const noexcept {
        keys_->prefetch(hash);
    }

    /// The slice of a record, if it is at hand.
    template <class Ctx>
    DRIFTLESS_INLINE near_slice const* near(Ctx const& ctx) const noexcept {
        auto const past = past_low(ctx);
        if (past >= span_) return nullptr;
        auto const& in = near_[near_place(past)];
        return in.cells != nullptr ? &in : nullptr;
    }
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE void near_record(
        near_slice const& in, Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const* const row = keys_->find(this->key_in(ctx), hash);
        if (row == nullptr) [[unlikely]]
            return far_record(ctx, record, hash, out);
        auto& to = in.cells[*row];
        if (!add_to(to, ctx, record, in.windows, out)) return;
        to.count_one();
        account_.applied += in.windows;
    }
    template <class Ctx, class T, class Out>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        if (auto const* const in = near(ctx)) [[likely]]
            near_record(*in, ctx, record, hash, out);
        else far_record(ctx, record, hash, out);
    }

    template <class Out>
    void on_watermark(event_time watermark, Out& out) {
        if (watermark < watermark_) return;  // a promise is not taken back
        watermark_ = watermark;
        auto const open_from = grid_.first_open(watermark);
        if (open_from == open_from_) return;
        while (slices_.size() != 0) {
            auto const first = grid_.first_with(slices_[0].table.number);
            auto const due = first > open_from_ ? first : open_from_;
            if (due >= open_from) break;
            totals_.move_to(pack_, grid_.begin_of(due), grid_.end_of(due), slices_, keys_->size(), neutral());
            fire(due, out);
            open_from_ = due + 1;
            settle();
        }
        open_from_ = open_from;
        settle();
        come_near();
    }

    /// The next watermark at which a window fires, or the answer to "is it late" changes.
    [[nodiscard]] event_time next_due() const noexcept {
        if (slices_.size() == 0) return event_time::max();
        auto const first = grid_.first_with(slices_[0].table.number);
        return grid_.window(first > open_from_ ? first : open_from_).end;
    }
    [[nodiscard]] event_time deadline() const noexcept {
        if constexpr (Exact) {
            return next_due();
        } else {
            if (watermark_.is_infinite()) return watermark_;
            return grid_.window(open_from_).end;
        }
    }

    /// As in unwindowed_core: the same bytes whatever the number of shards.
    static void save(sliced_core* cores, std::size_t n, auto& out) {
        base::save_books(cores, n, out);
        out.write(cores[0].watermark_);
        save_windows(n, [cores](std::size_t i) -> auto const& { return cores[i].slices_; }, out);
        for (std::size_t i = 0; i < n; ++i) cores[i].come_near();  // the next record says which slices change
    }
    static void load(sliced_core* cores, std::size_t n, auto& in) {
        base::load_books(cores, n, in);
        auto const watermark = in.template read<event_time>();
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].slices_.clear();
            cores[i].keys_->clear();
            cores[i].totals_ = sliding_totals<Pack, cell>{cores[i].grid_};
            cores[i].pass(watermark);
        }
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            auto const span = in.template read<time_window>();
            each_saved_key<Key>(in, [&](Key const& key, std::uint64_t hash) {
                auto& owner = cores[shard_of(hash, n)];
                if (left_out::drops(key)) {
                    auto gone = owner.neutral();
                    in.read(gone);
                    return;
                }
                auto& to = owner.slice_for(owner.grid_.slice_at(span.start));
                in.read(to.cells[owner.row_for(key, hash)]);
            });
        }
        for (std::size_t i = 0; i < n; ++i) {
            cores[i].slices_.set_restored();
            cores[i].settle();
            cores[i].come_near();
        }
    }

private:
    [[nodiscard]] cell neutral() const { return cell{pack_.init()}; }
    void pass(event_time watermark) noexcept {
        watermark_ = watermark;
        open_from_ = grid_.first_open(watermark);
    }
    /// The first slice none of whose windows has closed.
    [[nodiscard]] std::int64_t first_whole() const noexcept {
        return grid_.end_of(saturating_subtract(open_from_, 1));
    }
    template <class Ctx>
    DRIFTLESS_INLINE std::uint64_t past_low(Ctx const& ctx) const noexcept {
        return static_cast<std::uint64_t>(ctx.at.ns()) - static_cast<std::uint64_t>(low_.ns());
    }
    DRIFTLESS_INLINE std::size_t near_place(std::uint64_t past_low) const noexcept {
        auto const period = static_cast<std::uint64_t>(grid_.period());
        // Rounded down, and the inverse is too: at most one too few.
        auto in = static_cast<std::uint64_t>((static_cast<uint128>(past_low) * inverse_) >> 64);
        auto left = past_low - in * period;
        auto const one_more = std::uint64_t{left >= period};
        in += one_more;
        if (grid_.cut() == 0) return in;
        left -= one_more * period;
        return 2 * in + (left >= static_cast<std::uint64_t>(grid_.cut()) ? 1 : 0);
    }

    /// False if the pack threw, which leaves the state as it was: every window refuses the record.
    template <class Ctx, class T, class Out>
    DRIFTLESS_INLINE bool add_to(cell& to, Ctx const& ctx, T const& record, std::uint64_t windows, Out& out) {
        if constexpr (Pack::adds_are_safe) {
            pack_.add(to.state, record);
            return true;
        } else {
            try {
                pack_.add(to.state, record);
                return true;
            } catch (...) {
                for (; windows != 0; --windows) {
                    account_.refuse(reason::failed);
                    out.threw(ctx.from);
                }
                return false;
            }
        }
    }

    template <class Ctx, class T, class Out>
    DRIFTLESS_NOINLINE void far_record(Ctx const& ctx, T const& record, std::uint64_t hash, Out& out) {
        auto const number = grid_.slice_at(ctx.at);
        auto first = grid_.first_with(number);
        auto const last = grid_.last_with(number);
        if (first > last) {
            ++account_.unassigned;
            return;
        }
        if constexpr (!Exact) {
            for (; first <= last && first < open_from_; ++first) {
                account_.refuse_late(watermark_ - ctx.at);
                auto refused = ctx;
                refused.window = grid_.window(first);  // the one that refused it
                out.refused(reason::late, refused, record);
            }
            if (first > last) return;
        }
        auto const windows = static_cast<std::uint64_t>(last - first) + 1;
        cell one = neutral();
        if (!add_to(one, ctx, record, windows, out)) return;
        one.count_one();
        auto const row = row_for(this->key_in(ctx), hash);
        auto const slices = slices_.size();
        auto& to = slice_for(number).cells[row];
        to.combine(pack_, one);
        account_.applied += windows;
        totals_.add_late(pack_, number, row, one, keys_->room(), neutral());
        if (slices_.size() != slices) come_near();
    }

    /// The slice of a number, opened if need be.
    slice& slice_for(std::int64_t number) {
        auto const span = grid_.span_of_slice(number);
        if (auto const at = slices_.find(span); at != slices_.size()) {
            bool const was_far = slices_[at].written != 0;
            auto& there = slices_[at].change();
            if (was_far) come_near();
            return there;
        }
        slice& made = slices_.open(span, false).table;
        made.number = number;
        made.keys = keys_.get();
        made.cells.fill(keys_->room(), neutral());
        return made;
    }
    /// The row of a key, made if need be.
    template <class K>
    std::uint32_t row_for(K const& key, std::uint64_t hash) {
        if (auto const* const row = keys_->find(key, hash)) return *row;
        if (keys_->full()) renumber([](std::uint32_t) { return true; });
        return keys_->add(key, hash);
    }
    template <class Lives>
    void renumber(Lives const& lives) {
        auto const old_rows = keys_->renumber(lives);
        for (std::size_t i = 0; i < slices_.size(); ++i) {
            slices_[i].table.cells.renumber(old_rows, keys_->room(), neutral());
        }
        totals_.renumber(old_rows, keys_->room(), neutral());
        come_near();
    }
    /// Gives back the rows of keys that are in no slice any more.
    void drop_keys_that_are_gone() {
        renumber([this](std::uint32_t row) {
            for (std::size_t i = 0; i < slices_.size(); ++i) {
                if (!slices_[i].table.cells[row].empty()) return true;
            }
            return false;
        });
    }

    template <class Out>
    void fire(std::int64_t number, Out& out) {
        auto const window = grid_.window(number);
        pane_info const info{timing::on_time, 0, 0, true, true};
        cell scratch = neutral();
        std::size_t gone = 0;
        auto const& places = keys_->ordered();
        for (auto const& each : places) {
            auto const& total = totals_.of(pack_, each.row, scratch);
            if (total.empty()) {
                ++gone;
                continue;
            }
            auto const result = this->lowered(total, out);
            if (result) out.row(each.key, window, info, each.hash, *result);
        }
        // Looking for them costs as much as firing all windows of a block.
        if (++fired_ >= grid_.block() && gone > 16 && gone > places.size() / 2) {
            fired_ = 0;
            drop_keys_that_are_gone();
        }
    }
    /// Takes out what no open window has.
    void settle() {
        auto const from = grid_.begin_of(open_from_);
        auto const to = first_whole();
        if (slices_.size() != 0) {
            totals_.move_to(pack_, from, to > from ? to : from, slices_, keys_->size(), neutral());
        }
        while (slices_.size() != 0 && slices_[0].table.number < from) slices_.close_first();
        if (slices_.size() == 0) {
            keys_->clear();
            totals_.clear();
        }
    }

    /// Finds the fast path anew: after a watermark, and where columns came or moved.
    void come_near() {
        span_ = 0;
        std::size_t first = slices_.size();  // from the back: there are few
        while (first != 0 && slices_[first - 1].table.number >= first_whole()) --first;
        if (first == slices_.size()) return;
        auto const per = grid_.slices_per_period();
        auto base_slice = slices_[first].table.number;
        if (per == 2 && base_slice % 2 != 0) --base_slice;
        auto const newest = slices_[slices_.size() - 1].table.number;
        auto room = std::uint64_t{8};
        while (room < most_near && room <= 2 * static_cast<std::uint64_t>(newest - base_slice)) room *= 2;
        auto const low = grid_.start_of_slice(base_slice);
        auto const high = grid_.start_of_slice(base_slice + static_cast<std::int64_t>(room));
        if (low.is_infinite() || high.is_infinite()) return;  // at the edge of time
        near_.clear();
        near_.reserve(room);
        for (std::uint64_t i = 0; i < room; ++i) near_.push_back(near_slice{nullptr, 0});
        for (auto i = first; i < slices_.size(); ++i) {
            auto& each = slices_[i].table;
            auto const at = static_cast<std::uint64_t>(each.number - base_slice);
            if (at >= room) break;
            if (slices_[i].written == 0) near_[at] = {each.cells.data(), grid_.windows_with(each.number)};
        }
        low_ = low;
        span_ = static_cast<std::uint64_t>(high.ns()) - static_cast<std::uint64_t>(low.ns());
    }
};
}  // namespace driftless::inline v0::detail
#endif
