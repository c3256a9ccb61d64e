// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_RECORD_POOL_HPP
#define DRIFTLESS_STATE_RECORD_POOL_HPP

#include <driftless/codec/arena.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// Memory for the text of records that go one by one: blocks, each free again once the last record in it has gone.
class text_blocks {
    static constexpr std::size_t full = std::size_t{32} * 1024;

    struct block {
        arena bytes;
        std::size_t filled = 0;
        std::size_t live = 0;

        char* allocate(std::size_t n) {
            filled += n;
            return bytes.allocate(n);
        }
    };
    growing_array<block> blocks_;
    growing_array<std::uint32_t> spare_;
    std::uint32_t filling_ = 0;

public:
    /// Calls f(arena) for what one record needs; the number of its block.
    template <class F>
    std::uint32_t hold(F&& f) {
        if (blocks_.empty() || blocks_[filling_].filled >= full) next_block();
        auto& into = blocks_[filling_];
        f(into);
        ++into.live;
        return filling_;
    }
    void give_back(std::uint32_t number) noexcept {
        auto& from = blocks_[number];
        if (--from.live != 0) return;
        from.bytes.reset();
        from.filled = 0;
        if (number != filling_) spare_.push_back(number);  // next_block() has made room
    }
    /// Bytes of the blocks that are in use.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (auto const& each : blocks_) sum += each.live != 0 ? each.bytes.bytes() : 0;
        return sum;
    }

private:
    DRIFTLESS_NOINLINE void next_block() {
        if (!spare_.empty()) {
            filling_ = spare_.back();
            spare_.pop_back();
            return;
        }
        auto const made = blocks_.size();
        if ((made & (made - 1)) == 0) spare_.reserve(2 * made + 1);  // so that give_back() never has to allocate
        blocks_.push_back(block{});
        filling_ = static_cast<std::uint32_t>(made);
    }
};
}  // namespace detail

/// Records of the stream In that outlive their push, with key, time and origin, each until its last use.
///
/// State       Places that are used again, at most as many as were ever taken at once. Text is copied into blocks of
///             32 KiB or so; a block is free again once all of its records have gone.
/// Errors      std::bad_alloc.
/// Complexity  hold, at and drop are O(1) and, but for growth, allocate nothing. References to records hold until the
///             next hold().
template <class In>
class record_pool {
    using key_type = typename In::key;
    using record_type = typename In::record;
    static constexpr bool holds_text = has_text<record_type> || has_text<key_type>;
    struct no_window {};
    struct no_block {};

public:
    class held {
        friend class record_pool;
        record_type record_{};
        [[no_unique_address]] key_type key_{};
        event_time at_{};
        origin from_{};
        [[no_unique_address]] std::conditional_t<In::window::carried, time_window, no_window> window_{};
        [[no_unique_address]] std::conditional_t<In::window::carried, pane_info, no_block> info_{};
        [[no_unique_address]] std::conditional_t<holds_text, std::uint32_t, no_block> block_{};
        std::uint32_t uses_ = 0;
        std::uint64_t place_ = 0;

    public:
        [[nodiscard]] record_type const& record() const noexcept { return record_; }
        [[nodiscard]] event_time at() const noexcept { return at_; }
        /// Records are numbered as they came.
        [[nodiscard]] std::uint64_t place() const noexcept { return place_; }
        /// What the record came with; borrows the key.
        [[nodiscard]] context<key_type> ctx() const noexcept {
            context<key_type> made{.at = at_, .key = &key_, .from = from_};
            if constexpr (In::window::carried) {
                made.window = window_;
                made.info = info_;
            }
            return made;
        }
    };

private:
    detail::growing_array<held> all_;
    detail::growing_array<std::size_t> spare_;
    [[no_unique_address]] std::conditional_t<holds_text, detail::text_blocks, no_block> text_;
    std::uint64_t next_place_ = 0;

public:
    record_pool() = default;

    /// Copies a record that is to be used `uses` > 0 times; where it is.
    template <class Ctx>
    std::size_t hold(Ctx const& ctx, record_type const& record, std::uint32_t uses) {
        if (spare_.empty()) add_place();
        std::size_t const index = spare_.back();
        held& to = all_[index];
        to.record_ = record;
        if constexpr (keyed<In>) to.key_ = *ctx.key;
        to.at_ = ctx.at;
        to.from_ = ctx.from;
        if constexpr (In::window::carried) {
            to.window_ = ctx.window;
            to.info_ = ctx.info;
        }
        if constexpr (holds_text) {
            to.block_ = text_.hold([&](auto& bytes) {
                rehome(to.record_, bytes);
                rehome(to.key_, bytes);
            });
        }
        to.uses_ = uses;
        to.place_ = next_place_++;
        spare_.pop_back();
        return index;
    }
    [[nodiscard]] held const& operator[](std::size_t index) const noexcept { return all_[index]; }
    /// One use less; the last one frees the place.
    void drop(std::size_t index) noexcept {
        if (--all_[index].uses_ != 0) return;
        if constexpr (holds_text) text_.give_back(all_[index].block_);
        spare_.push_back(index);
    }

    /// How many records are held.
    [[nodiscard]] std::size_t size() const noexcept { return all_.size() - spare_.size(); }
    /// Bytes of the records that are held, their text included.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = size() * sizeof(held);
        if constexpr (holds_text) sum += text_.bytes();
        return sum;
    }
    void clear() { *this = record_pool{}; }
    /// Calls f(index) for every record that is held, in no particular order.
    template <class F>
    void for_each(F&& f) const {
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (all_[i].uses_ != 0) f(i);
        }
    }

private:
    DRIFTLESS_NOINLINE void add_place() {
        auto const made = all_.size();
        if ((made & (made - 1)) == 0) spare_.reserve(2 * made + 1);  // so that drop() never has to allocate
        all_.push_back(held{});
        spare_.push_back(made);
    }
};
}  // namespace driftless::inline v0
#endif
