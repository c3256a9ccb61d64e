// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_EVOLVING_STATE_HPP
#define DRIFTLESS_CODEC_DETAIL_EVOLVING_STATE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/state_schemas.hpp>
#include <driftless/codec/evolution.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/core/error.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// Whether `name` is that of T, or of a version before it.
template <class T>
bool is_version_of(std::string const& name) {
    using versions = record_versions<T>;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ((name == name_of_type<typename versions::template type<I>>()) || ...);
    }(std::make_index_sequence<versions::size>{});
}

/// What reads the values of T in a state, by the schema that was noted; null where that is the one of T. Where no name
/// fits, T was the only one.
template <class T>
std::shared_ptr<record_reader<T>> reader_of_state(std::vector<state_type> const& types) {
    state_type const* found = types.size() == 1 ? &types[0] : nullptr;
    for (auto const& each : types) {
        if (is_version_of<T>(each.name)) found = &each;
    }
    if (found == nullptr) {
        std::string all;
        for (auto const& each : types) (all += all.empty() ? "" : ", ") += each.name;
        throw error{error_code::mismatch,
            "the state of a snapshot holds no " + name_of_type<T>() + (all.empty() ? "" : ", but " + all)
                + ": keep the name of the type, or name its older versions in schema_history"};
    }
    if (found->schema == schema_of<T>()) return nullptr;
    try {
        return std::make_shared<record_reader<T>>(found->schema);
    } catch (error const& problem) {
        if (problem.code() != error_code::mismatch) throw;
        throw error{error_code::mismatch,
            "the state of a snapshot holds " + found->name + " as it was: " + std::string{problem.what()}};
    }
}

template <class T>
void write_evolving(byte_writer& writer, T const& value) {
    state_schemas::value const whole;
    if (auto* const state = whole.of()) state->template note<T>([] { return schema_of<T>(); });
    write_built_in(writer, value);
}
template <class T>
void read_evolving(byte_reader& reader, T& value) {
    state_schemas::value const whole;
    if (auto* const state = whole.of()) {
        if (auto* const old = state->template reader<T, record_reader<T>>(&reader_of_state<T>))
            return old->read(reader, value);
    }
    read_built_in(reader, value);
}
}  // namespace driftless::inline v0::detail
#endif
