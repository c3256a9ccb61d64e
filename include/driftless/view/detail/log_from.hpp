// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LOG_FROM_HPP
#define DRIFTLESS_VIEW_DETAIL_LOG_FROM_HPP

#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// A log that begins later, or ends earlier: what is before these offsets, or behind those, is not there. Borrows the
/// log.
template <readable_log Log>
class log_from {
    Log const* log_;
    std::vector<std::uint64_t> from_;   // by partition; beyond its end: from the beginning
    std::vector<std::uint64_t> until_;  // by partition; beyond its end: to the end

public:
    using value_type = typename Log::value_type;

    explicit log_from(
        Log const& log, std::vector<std::uint64_t> from = {}, std::vector<std::uint64_t> until = {})
        : log_(&log), from_(std::move(from)), until_(std::move(until)) {}

    [[nodiscard]] std::uint32_t partitions() const { return log_->partitions(); }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p) const {
        std::uint64_t const begin = log_->begin_offset(p);
        return p < from_.size() && from_[p] > begin ? from_[p] : begin;
    }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const { return before_end(log_->end_offset(p), p); }
    [[nodiscard]] decltype(auto) read(std::uint32_t p, std::uint64_t from) const { return log_->read(p, from); }

    [[nodiscard]] std::uint64_t durable_offset(std::uint32_t p) const
        requires requires(Log const& log) { log.durable_offset(p); }
    {
        return before_end(log_->durable_offset(p), p);
    }
    [[nodiscard]] decltype(auto) durable() const
        requires requires(Log const& log) { log.durable(); }
    {
        return log_->durable();
    }
    [[nodiscard]] decltype(auto) id() const
        requires requires(Log const& log) { log.id(); }
    {
        return log_->id();
    }
    [[nodiscard]] decltype(auto) path() const
        requires requires(Log const& log) { log.path(); }
    {
        return log_->path();
    }
    decltype(auto) subscribe(wakeup& who) const
        requires requires(Log const& log) { log.subscribe(who); }
    {
        return log_->subscribe(who);
    }
    void unsubscribe(wakeup& who) const
        requires requires(Log const& log) { log.unsubscribe(who); }
    {
        log_->unsubscribe(who);
    }

private:
    [[nodiscard]] std::uint64_t before_end(std::uint64_t end, std::uint32_t p) const {
        return p < until_.size() && until_[p] < end ? until_[p] : end;
    }
};
}  // namespace driftless::inline v0::detail
#endif
