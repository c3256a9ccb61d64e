// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_COLD_TIER_HPP
#define DRIFTLESS_LOG_DETAIL_COLD_TIER_HPP

#include <driftless/core/error.hpp>
#include <driftless/log/cold_store.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/recode_segment.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>
#include <driftless/log/detail/store_files.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// What a cold store holds of one partition: segments, each ending where the next one begins.
///
/// Threads     Any number read and refresh; one publishes and removes.
template <cold_store Store>
class cold_tier {
    Store& store_;
    store_files<Store>& as_files_;
    std::string prefix_;
    segment_list segments_;
    mutable std::mutex looking_;
    std::uint64_t last_ = ~std::uint64_t{0};  // base of the segment that `end_` was found in
    std::atomic<std::uint64_t> begin_{0};
    std::atomic<std::uint64_t> end_{0};

public:
    cold_tier(Store& store, store_files<Store>& as_files, log_id id, std::uint32_t p)
        : store_(store),
          as_files_(as_files),
          prefix_(partition_folder({}, p).substr(1)),
          segments_(as_files, partition_folder(store.path(), p), id, p) {}

    [[nodiscard]] std::string const& prefix() const noexcept { return prefix_; }
    [[nodiscard]] segment_list& segments() noexcept { return segments_; }
    /// begin() = end() where it holds nothing.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_.load(std::memory_order_acquire); }
    [[nodiscard]] bool empty() const {
        std::lock_guard const lock{looking_};
        return begin() == end();
    }
    [[nodiscard]] bool holds(std::uint64_t offset) const noexcept { return offset >= begin() && offset < end(); }

    /// Looks at what is in the store now.
    void refresh() {
        std::lock_guard const lock{looking_};
        for (;;) {
            segments_.refresh();
            auto const bases = segments_.bases();
            if (bases.empty()) {
                begin_ = end_.load();
                return;
            }
            if (bases.back() != last_) {
                auto const found = segments_.at_base(bases.back());
                if (!found) continue;  // removed just now
                if (!found->is_sealed() && !found->open_sealed(as_files_)) {
                    found->throw_damaged(found->end_position(), found->end_offset());
                }
                last_ = bases.back();
                end_.store(found->end_offset(), std::memory_order_release);
            }
            begin_.store(bases.front(), std::memory_order_release);
            return;
        }
    }
    /// Adds a segment, which begins where the last one ends.
    void publish(std::uint64_t base, recoded_segment const& made) {
        store_.put(name_of(base, segment_ending), made.bytes);
        store_.put(name_of(base, index_ending), made.index);
        refresh();
    }
    /// Makes the index files that a writer which died has not made any more.
    void mend() {
        std::vector<std::uint64_t> indexed;
        for (auto const& each : store_.list(prefix_)) {
            if (auto const base = base_of(each.name, index_ending)) indexed.push_back(*base);
        }
        auto const bases = segments_.bases();
        for (auto const base : bases) {
            if (std::binary_search(indexed.begin(), indexed.end(), base)) continue;
            auto const found = segments_.complete_at(base);
            if (found) store_.put(name_of(base, index_ending), found->index().encode(found->header()));
        }
        for (auto const base : indexed) {  // left behind by a removal that was cut short, or by no removal at all
            if (!std::binary_search(bases.begin(), bases.end(), base)) store_.remove(name_of(base, index_ending));
        }
    }
    /// Removes the segments that end at or before an offset, the oldest first.
    void remove_before(std::uint64_t offset) {
        auto const bases = segments_.bases();
        for (std::size_t i = 0; i < bases.size(); ++i) {
            auto const segment_end = i + 1 < bases.size() ? bases[i + 1] : end();
            if (segment_end > offset) break;
            store_.remove(name_of(bases[i], index_ending));
            store_.remove(name_of(bases[i], segment_ending));
            refresh();
        }
    }
    [[nodiscard]] std::uint64_t file_size(std::uint64_t base) const {
        auto const found = store_.open(name_of(base, segment_ending));
        return found ? found->size() : 0;
    }

private:
    [[nodiscard]] std::string name_of(std::uint64_t base, std::string_view ending) const {
        return prefix_ + "/" + segment_name(base) + std::string{ending};
    }
};
}  // namespace driftless::inline v0::detail
#endif
