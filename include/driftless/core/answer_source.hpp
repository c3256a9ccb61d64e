// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_ANSWER_SOURCE_HPP
#define DRIFTLESS_CORE_ANSWER_SOURCE_HPP

#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace driftless::inline v0 {

/// An answer from outside, and whose it is: what a replay is told instead of asking again.
struct answer_entry {
    std::string operator_name;      ///< who asked
    std::uint64_t nth = 0;          ///< the record was the nth that this operator took, from 0
    std::uint64_t record_hash = 0;  ///< XXH3-64 of the encoded record
    std::uint64_t offset = 0;       ///< where the record stands in its input, if it comes from there
    std::uint32_t input = 0;
    std::uint32_t partition = 0;
    bool failed = false;
    std::string bytes;              ///< the encoded answer; why there was none, if it failed

    friend bool operator==(answer_entry const&, answer_entry const&) = default;
};

/// Where a run keeps the answers of its enrich operators, type erased. Made by answers_in().
struct answers_ref {
    void* log = nullptr;
    void (*append)(void*, answer_entry const&) = nullptr;
    std::uint64_t (*size)(void const*) = nullptr;
    answer_entry (*read)(void const*, std::uint64_t) = nullptr;
    void (*sync)(void*) = nullptr;  ///< makes what was appended durable
};

/// An operator that waits for answers from outside, as the job sees it.
class answer_source {
public:
    answer_source() = default;
    answer_source(answer_source const&) = delete;
    answer_source& operator=(answer_source const&) = delete;

    answer_source* next = nullptr;
    bool meets_others = false;  ///< what goes on comes together with another input further down
    bool decided = false;       ///< answers go on when the job says so (let_go), not as they come

    /// Some record has not been handed on yet.
    [[nodiscard]] virtual bool waits() const noexcept = 0;
    /// How many records could go on now, in order.
    [[nodiscard]] virtual std::size_t ready() = 0;
    /// So many records go on at the next pause, and it waits for their answers.
    virtual void let_go(std::size_t records) noexcept = 0;
    /// Blocks until something has changed for a record, or `at_most` has passed.
    virtual void wait(duration at_most) = 0;
    /// Blocks until every record has its answer, or has failed.
    virtual void wait_for_all() = 0;

protected:
    ~answer_source() = default;
};
}  // namespace driftless::inline v0
#endif
