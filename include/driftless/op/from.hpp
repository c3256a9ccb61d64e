// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FROM_HPP
#define DRIFTLESS_OP_FROM_HPP

#include <driftless/core/name.hpp>
#include <driftless/core/pipeline.hpp>

#include <string_view>

namespace driftless::inline v0 {

/// Where a pipeline begins: an input of records of type T. Made by from().
template <class T, class Name = unnamed>
struct source : operator_base<source<T, Name>> {
    static constexpr std::string_view kind = "from";
    using element = T;  ///< what the log holds
    using name_type = Name;
    using output = stream_t<T>;

    constexpr void describe(auto&& parameter) const {
        if constexpr (Name::named) parameter("name", Name::value);
    }
};

/// Begins a pipeline over an input of records T, named where there are several.
///
/// Shape       -> record stream of T. `from<event<T>>` yields T with the event time of the envelope.
/// Time        Plain records have none until assign_time.
/// Batch       Same type: what the input is bound to (a log, a vector, any contiguous range) and how it
///             is read is said to `run`.
/// Example     examples/count_events.cpp
template <class T>
constexpr auto from() {
    return root_link<source<T>>{};
}
template <class T, class Name>
constexpr auto from(Name) {
    return root_link<source<T, Name>>{};
}
}  // namespace driftless::inline v0
#endif
