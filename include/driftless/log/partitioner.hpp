// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_PARTITIONER_HPP
#define DRIFTLESS_LOG_PARTITIONER_HPP

#include <driftless/codec/hash.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/log/partition_offset.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// Says to which of `partitions` partitions a record goes: p(record, partitions), below `partitions`.
template <class P, class T>
concept partitioner = requires(P const& p, T const& record, std::uint32_t partitions) {
    { p(record, partitions) } -> std::convertible_to<std::uint32_t>;
};

/// A log that can be written, a partition at a time.
template <class L>
concept writable_log = requires(L& log, typename L::value_type const& record, std::uint32_t p) {
    { log.partitions() } -> std::convertible_to<std::uint32_t>;
    { log.append(record, p) } -> std::convertible_to<std::uint64_t>;
};

/// The partition of a key: the same in every process, on every machine and in every release.
///
/// Complexity  O(key bytes), no allocation.
template <canonical_key K>
constexpr std::uint32_t partition_of(K const& key, std::uint32_t partitions) noexcept {
    // The low end of the hash: threads share keys by its high end, and a partition is to have keys for all of them.
    return static_cast<std::uint32_t>(canonical_hash(key) % partitions);
}

namespace detail {
template <class... Projections>
class key_partitioner {
    [[no_unique_address]] std::tuple<Projections...> projections_;

public:
    constexpr explicit key_partitioner(Projections... projections) : projections_(std::move(projections)...) {}

    template <class T>
    constexpr std::uint32_t operator()(T const& record, std::uint32_t partitions) const {
        static_assert((projects<Projections, T> && ...),
            "driftless: by_key needs members or functions of the record: write by_key(&T::member), or by_key(f) with "
            "f(T const&)");
        if constexpr ((projects<Projections, T> && ...)) {
            static_assert((canonical_key<projected_t<Projections, T>> && ...),
                "driftless: by_key needs a key with canonical bytes: an integer, an enum, a text or string, a time, a "
                "tuple or optional of such, or a struct adapted with BOOST_HANA_ADAPT_STRUCT");
            return std::apply(
                [&](Projections const&... each) {
                    if constexpr (sizeof...(Projections) == 1) return (partition_of(each(record), partitions), ...);
                    else return partition_of(std::tuple<projected_t<Projections, T>...>{each(record)...}, partitions);
                },
                projections_);
        }
    }
};

class round_robin_partitioner {
    mutable std::atomic<std::uint64_t> turn_{0};

public:
    round_robin_partitioner() = default;
    round_robin_partitioner(round_robin_partitioner const& other) noexcept
        : turn_(other.turn_.load(std::memory_order_relaxed)) {}
    round_robin_partitioner(round_robin_partitioner&& other) noexcept
        : turn_(other.turn_.load(std::memory_order_relaxed)) {}
    round_robin_partitioner& operator=(round_robin_partitioner const&) = delete;
    round_robin_partitioner& operator=(round_robin_partitioner&&) = delete;
    ~round_robin_partitioner() = default;

    template <class T>
    std::uint32_t operator()(T const&, std::uint32_t partitions) const noexcept {
        return static_cast<std::uint32_t>(turn_.fetch_add(1, std::memory_order_relaxed) % partitions);
    }
};

template <class F>
class explicit_partitioner {
    [[no_unique_address]] F number_of_;

public:
    constexpr explicit explicit_partitioner(F number_of) : number_of_(std::move(number_of)) {}

    template <class T>
    constexpr std::uint32_t operator()(T const& record, std::uint32_t partitions) const {
        auto const number = number_of_(record);
        static_assert(std::is_integral_v<decltype(number)> && !std::is_same_v<decltype(number), bool const>,
            "driftless: to_partition needs the number of a partition: a member or a function that yields an integer");
        if (std::in_range<std::uint32_t>(number) && static_cast<std::uint32_t>(number) < partitions) {
            return static_cast<std::uint32_t>(number);
        }
        throw error{error_code::invalid_argument,
            "a record is to go to partition " + std::to_string(number) + ", the log has " + std::to_string(partitions)
                + ", numbered from 0"};
    }
};
}  // namespace detail

/// Records with the same key go to the same partition: by_key(&sale::sku), by_key(f), several for a composite key.
///
/// Errors      Compile time: no such member, or a key without canonical bytes.
/// Source      partition_of(canonical key); with other numbers of partitions keys go elsewhere.
template <class... Fs>
    requires(sizeof...(Fs) > 0)
constexpr auto by_key(Fs... functions) {
    return detail::key_partitioner<decltype(detail::make_projection(functions))...>{
        detail::make_projection(std::move(functions))...};
}
/// The same, with the members named in the type: by_key<&sale::sku>().
template <auto... Members>
    requires(sizeof...(Members) > 0)
constexpr auto by_key() {
    return detail::key_partitioner<detail::member_projection<Members>...>{detail::member_projection<Members>{}...};
}

/// Partition 0, 1, ... in turn, whatever the record.
///
/// Threads     Any; between them they take turns.
inline auto round_robin() { return detail::round_robin_partitioner{}; }

/// The partition that a member or a function of the record says.
///
/// Errors      When appended: invalid_argument for a number that the log does not have; nothing is appended.
template <class F>
constexpr auto to_partition(F number_of) {
    using f = decltype(detail::make_projection(number_of));
    return detail::explicit_partitioner<f>{detail::make_projection(std::move(number_of))};
}

/// A log that finds the partition of a record by itself.
///
///     auto out = partitioned(log, by_key(&sale::sku));
///     auto const [partition, offset] = out.append(record);
///
/// Shape       Borrows the log. into(out) appends what a pipeline yields.
/// Errors      Those of the log and of the partitioner.
/// Threads     As many as append to the log, if the partitioner is a function without state or round_robin().
/// Complexity  The partitioner and an append per record; a batch costs an append per partition, and a copy.
template <writable_log Log, partitioner<typename Log::value_type> P>
class partitioned_log {
    Log* log_;
    [[no_unique_address]] P partition_of_;

public:
    using value_type = typename Log::value_type;

    partitioned_log(Log& log, P how) : log_(&log), partition_of_(std::move(how)) {}

    /// Adds a record; returns where it is.
    partition_offset append(value_type const& record) {
        std::uint32_t const p = partition_of_(record, log_->partitions());
        return {p, log_->append(record, p)};
    }
    /// Adds several, one append per partition, all in order; returns where each of them is. If the partitioner throws,
    /// nothing is appended.
    template <class Range>
        requires requires(Range const& r) { std::begin(r), std::end(r); }
    std::vector<partition_offset> append(Range const& records) {
        std::vector<std::vector<value_type>> batches(log_->partitions());
        std::vector<partition_offset> out;
        for (auto const& each : records) {
            std::uint32_t const p = partition_of_(each, log_->partitions());
            out.push_back({p, batches[p].size()});
            batches[p].push_back(each);
        }
        std::vector<std::uint64_t> first(batches.size(), 0);
        for (std::uint32_t p = 0; p < batches.size(); ++p) {
            if (!batches[p].empty()) first[p] = log_->append(batches[p], p);
        }
        for (auto& each : out) each.offset += first[each.partition];
        return out;
    }
};

/// The log with that partitioner before it.
template <writable_log Log, partitioner<typename Log::value_type> P>
auto partitioned(Log& log, P how) {
    return partitioned_log<Log, P>{log, std::move(how)};
}
}  // namespace driftless::inline v0
#endif
