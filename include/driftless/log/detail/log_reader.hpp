// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_DETAIL_LOG_READER_HPP
#define DRIFTLESS_LOG_DETAIL_LOG_READER_HPP

#include <driftless/core/error.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/core/time.hpp>
#include <driftless/log/detail/progress.hpp>
#include <driftless/log/detail/recovery.hpp>
#include <driftless/log/detail/segment.hpp>
#include <driftless/log/detail/segment_list.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace driftless::inline v0::detail {

/// One partition of a log that somebody else may be writing.
///
/// Threads     Any number.
class log_reader {
    segment_list segments_;
    progress const& newest_;
    std::uint32_t partition_;
    std::mutex looking_;
    std::shared_ptr<segment> last_;

public:
    log_reader(file_system& files, std::string folder, progress const& newest, log_id id, std::uint32_t partition)
        : segments_(files, std::move(folder), id, partition), newest_(newest), partition_(partition) {
        segments_.refresh();
        // What a writer would refuse is refused here; what it would cut is not looked at.
        auto const plan = plan_recovery(segments_, files);
        for (auto const base : plan.remove) segments_.forget(base);
        last_ = plan.active;
    }
    [[nodiscard]] segment_list& segments() noexcept { return segments_; }
    [[nodiscard]] std::uint64_t begin_offset() {
        segments_.refresh();
        auto const bases = segments_.bases();
        return bases.empty() ? 0 : bases.front();
    }
    /// Looks whether there is more.
    [[nodiscard]] std::uint64_t end_offset() {
        std::lock_guard const lock{looking_};
        for (;;) {
            if (last_ && (!last_->is_sealed() || last_->was_reopened())) last_->scan(true);
            auto const end = last_ ? last_->end_offset() : 0;
            if (last_ && !last_->is_sealed()) return end;
            segments_.refresh();
            auto const bases = segments_.bases();
            if (bases.empty()) return end;
            auto next = segments_.at_base(last_ ? end : bases.front());
            if (!next && bases.back() > end && bases.front() > end) {  // the one behind the last one was removed
                next = segments_.at_base(bases.front());
            }
            if (!next || next == last_) return end;
            last_ = std::move(next);
        }
    }
    /// What the writer says; it may have come a little further.
    [[nodiscard]] std::uint64_t durable_offset() {
        auto const end = end_offset();
        std::lock_guard const lock{looking_};
        auto const claimed = last_ ? last_->durable_claim() : 0;
        return std::min(end, std::max(claimed, newest_.durable(partition_).value_or(0)));
    }
    [[nodiscard]] std::uint64_t offset_at(event_time time) {
        static_cast<void>(end_offset());
        return segments_.offset_at(time);
    }
    [[nodiscard]] stored_block read(std::uint64_t offset) { return segments_.read(offset); }
};
}  // namespace driftless::inline v0::detail
#endif
