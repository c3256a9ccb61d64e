// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_MEET_HPP
#define DRIFTLESS_VIEW_DETAIL_MEET_HPP

#include <driftless/view/build.hpp>

#include <cstddef>
#include <cstdint>

// Two versions are compared, and readers moved from one to the other, at the same offsets.

namespace driftless::inline v0::detail {
/// A partition that both builds read: the same one of the same log, or of inputs of one name where logs have no ids.
inline bool same_partition(build_input const& a, build_input const& b) {
    if (a.partition != b.partition) return false;
    return a.log.empty() && b.log.empty() ? a.input == b.input : a.log == b.log;
}
/// How much further `a` has read what both read, in records; 0 in each partition where `same` stays true.
inline std::int64_t ahead_of(build const& a, build const& b, bool& same) {
    std::int64_t sum = 0;
    same = true;
    for (auto const& one : a.inputs) {
        for (auto const& other : b.inputs) {
            if (!same_partition(one, other)) continue;
            sum += static_cast<std::int64_t>(one.offset) - static_cast<std::int64_t>(other.offset);
            same = same && one.offset == other.offset;
        }
    }
    return sum;
}
/// Whether both have read the same; one that is compared with nothing has.
template <class Job>
bool met(Job* current, Job& candidate) {
    bool same = true;
    if (current != nullptr) static_cast<void>(ahead_of(current->about(), candidate.about(), same));
    return same;
}
/// Brings both to the same offsets, while the logs grow. A throttle may hold the new one back: then not yet.
template <class Job>
void meet(Job* current, Job& candidate, std::size_t chunk) {
    if (current == nullptr) return;
    for (int tries = 0; tries < 1000; ++tries) {
        bool same = false;
        auto const by = ahead_of(current->about(), candidate.about(), same);
        if (same) return;
        std::size_t fed = 0;
        if (by > 0) fed = candidate.poll(static_cast<std::size_t>(by));
        else if (by < 0) fed = current->poll(static_cast<std::size_t>(-by));
        else fed = current->poll(chunk) + candidate.poll(chunk);
        if (fed == 0) return;
    }
}
}  // namespace driftless::inline v0::detail
#endif
