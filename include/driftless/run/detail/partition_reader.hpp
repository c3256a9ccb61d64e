// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_PARTITION_READER_HPP
#define DRIFTLESS_RUN_DETAIL_PARTITION_READER_HPP

#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/run/detail/lane.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Pushes ranges of one partition into a chain that somebody else also pushes into, one after the other.
template <class Log, class Chain>
class partition_reader {
    using block = std::remove_cvref_t<decltype(std::declval<Log const&>().read(0u, std::uint64_t{}))>;
    std::optional<block> block_;
    std::uint64_t begin_ = 0;

public:
    std::uint64_t records = 0;  ///< that feed() has pushed since somebody asked
    std::uint64_t reached = 0;  ///< the offset up to which it has

    /// Makes the first record from `next` on readable, and moves `next` to it; `index` is its place in current(). False
    /// if there is none before `end`: what was there was removed by compaction.
    bool load(Log const& log, std::uint32_t partition, std::uint64_t& next, std::uint64_t end, std::size_t& index) {
        if (block_ && next >= begin_) {
            if (is_sparse()) {
                index = records_below(*block_, begin_, next);
                if (index < block_->size()) return (next = offset(index)) < end;
            } else {
                index = static_cast<std::size_t>(next - begin_);
                if (index < block_->size()) return true;
                if constexpr (requires { block_->grow(end); }) {
                    block_->grow(end - begin_);
                    if (index < block_->size()) return true;
                }
            }
        }
        block_.emplace(log.read(partition, next));
        if constexpr (may_be_sparse<block>) next = block_->offset(0);
        begin_ = next;
        index = 0;
        return next < end;
    }
    [[nodiscard]] block const& current() const noexcept { return *block_; }
    [[nodiscard]] std::uint64_t offset(std::size_t index) const { return offset_in(*block_, begin_, index); }

    /// Returns how many records there were. Ends early when it is told to stop.
    std::uint64_t feed(Log const& log, Chain& chain, std::uint32_t partition, std::uint64_t from, std::uint64_t end,
        std::atomic<bool> const& stop) {
        std::uint64_t fed = 0;
        std::size_t first = 0;
        for (reached = from; from < end && !stop.load(std::memory_order_relaxed); reached = from) {
            if (!load(log, partition, from, end, first)) break;
            auto to = records_below(*block_, begin_, end);
            if (to - first > burst_limit) to = first + burst_limit;
            bool ahead = false;
            if constexpr (Chain::can_look_ahead) ahead = chain.looks_ahead();
            local_copy<Chain> local{chain};
            if (is_sparse()) {
                for (auto i = first; i < to; ++i)
                    push(local.chain, context<>{.from = {offset(i), partition, 0}}, (*block_)[i]);
            } else {
                block_->each(
                    first, to, pushes<Chain, block>{local.chain, begin_, partition, 0, *block_, to - 1, ahead});
            }
            local.chain.settle();
            fed += to - first;
            from = to == block_->size() ? next_behind(*block_, begin_) : offset(to - 1) + 1;
        }
        records += fed;
        return fed;
    }

private:
    [[nodiscard]] bool is_sparse() const {
        if constexpr (may_be_sparse<block>) return block_->is_sparse();
        else return false;
    }
};
}  // namespace driftless::inline v0::detail
#endif
