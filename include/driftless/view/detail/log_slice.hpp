// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LOG_SLICE_HPP
#define DRIFTLESS_VIEW_DETAIL_LOG_SLICE_HPP

#include <driftless/core/sink.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/log/wakeup.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The part of a log from some offsets up to others, exclusive: what lies outside is not there. Borrows the log.
template <readable_log Log>
class log_slice {
    Log const* log_;
    std::vector<std::uint64_t> from_;   // by partition; beyond its end: from the beginning
    std::vector<std::uint64_t> until_;  // by partition; beyond its end: as far as the log goes

public:
    using value_type = typename Log::value_type;

    explicit log_slice(
        Log const& log, std::vector<std::uint64_t> from = {}, std::vector<std::uint64_t> until = {})
        : log_(&log), from_(std::move(from)), until_(std::move(until)) {}

    [[nodiscard]] std::uint32_t partitions() const { return log_->partitions(); }
    [[nodiscard]] std::uint64_t begin_offset(std::uint32_t p) const {
        std::uint64_t const begin = log_->begin_offset(p);
        return p < from_.size() && from_[p] > begin ? from_[p] : begin;
    }
    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const {
        std::uint64_t const end = log_->end_offset(p);
        return p < until_.size() && until_[p] < end ? until_[p] : end;
    }
    [[nodiscard]] decltype(auto) read(std::uint32_t p, std::uint64_t from) const { return log_->read(p, from); }

    [[nodiscard]] decltype(auto) id() const
        requires requires(Log const& log) { log.id(); }
    {
        return log_->id();
    }
    void subscribe(wakeup& who) const
        requires requires(Log const& log) { log.subscribe(who); }
    {
        log_->subscribe(who);
    }
    void unsubscribe(wakeup& who) const
        requires requires(Log const& log) { log.unsubscribe(who); }
    {
        log_->unsubscribe(who);
    }
};

/// An input as it was given: a log that outlives the call, or a name bound to one.
template <class X>
struct sliced_input {
    using log = std::remove_cvref_t<X>;
    using type = log_slice<log>;
    static constexpr bool borrowed = std::is_lvalue_reference_v<X>;
    static log const& of(log const& x) { return x; }
    static type slice(log const& x, std::vector<std::uint64_t> from, std::vector<std::uint64_t> until) {
        return type{x, std::move(from), std::move(until)};
    }
};
template <class Name, class X>
struct sliced_input<bound<Name, X>> {
    using log = std::remove_cvref_t<X>;
    using type = bound<Name, log_slice<log>>;
    static constexpr bool borrowed = std::is_lvalue_reference_v<X>;
    static log const& of(bound<Name, X> const& x) { return x.target; }
    static type slice(log const& x, std::vector<std::uint64_t> from, std::vector<std::uint64_t> until) {
        return type{log_slice<log>{x, std::move(from), std::move(until)}};
    }
};
template <class Name, class X>
struct sliced_input<bound<Name, X>&> : sliced_input<bound<Name, X>> {};
template <class Name, class X>
struct sliced_input<bound<Name, X> const&> : sliced_input<bound<Name, X>> {};
}  // namespace driftless::inline v0::detail
#endif
