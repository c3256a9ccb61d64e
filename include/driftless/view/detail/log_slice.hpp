// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LOG_SLICE_HPP
#define DRIFTLESS_VIEW_DETAIL_LOG_SLICE_HPP

#include <driftless/core/sink.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/view/detail/log_from.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The part of a log from some offsets up to others, exclusive: what lies outside is not there. Borrows the log.
template <readable_log Log>
class log_slice : public log_from<Log> {
    std::vector<std::uint64_t> until_;  // by partition; beyond its end: as far as the log goes

public:
    explicit log_slice(Log const& log, std::vector<std::uint64_t> from = {}, std::vector<std::uint64_t> until = {})
        : log_from<Log>(log, std::move(from)), until_(std::move(until)) {}

    [[nodiscard]] std::uint64_t end_offset(std::uint32_t p) const {
        std::uint64_t const end = log_from<Log>::end_offset(p);
        return p < until_.size() && until_[p] < end ? until_[p] : end;
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
