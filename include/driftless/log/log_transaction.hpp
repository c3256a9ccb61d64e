// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_LOG_TRANSACTION_HPP
#define DRIFTLESS_LOG_LOG_TRANSACTION_HPP

#include <driftless/log/detail/log_partition.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
template <class, class, class>
class log_transactions;  // log/detail/log_transactions.hpp
}

/// Records that become visible together, or not at all, in one partition of a file_log or several: log.begin().
///
/// State       Its records in memory until it is committed, or given up; gone if it is neither. Several partitions,
///             and prepare(), take a file beside them; such a transaction is durable when commit() or prepare()
///             returns, others as the log's options say.
/// Errors      Those of append. commit() that threw may be called again, and adds nothing twice. One over several
///             partitions that is not called again may have been decided: then whoever opens the log completes it.
/// Threads     One at a time; any number of transactions.
/// Complexity  append as that of the log; commit O(blocks), of several partitions O(bytes).
template <class T, class Layout, class Log>
class log_transaction {
    using owner = detail::log_transactions<T, Layout, Log>;

    owner* of_;
    std::uint64_t number_;
    std::vector<typename detail::log_partition<T, Layout>::transaction_blocks> blocks_;  // by partition
    bool staged_ = false;                 // there may be a file of it
    std::optional<std::uint32_t> taken_;  // a partition has all of it

    friend owner;
    log_transaction(owner& of, std::uint64_t number, std::uint32_t partitions)
        : of_(&of), number_(number), blocks_(partitions) {}

public:
    void append(T const& record, std::uint32_t p = 0) { of_->partition_of(p).add_to(blocks_[p], record); }
    /// Visible in this process when it returns, to others when they are written.
    void commit() { of_->commit(*this); }
    /// Durable, but not visible: log.commit_prepared(name) makes it so, also after a restart. Ends the transaction.
    ///
    /// Errors      invalid_argument for the name, or if one of this name waits already; io.
    void prepare(std::string const& name) {
        of_->prepare(*this, name);
        abort();
    }
    /// Forgets its records.
    void abort() noexcept {
        for (auto& each : blocks_) each.clear();
    }
};
}  // namespace driftless::inline v0
#endif
