// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_AUDIT_ENTRY_HPP
#define DRIFTLESS_VIEW_AUDIT_ENTRY_HPP

#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace driftless::inline v0 {

/// What an entry of an audit log tells of.
enum class audit_kind : std::uint8_t {
    plan,       ///< a replay was planned: a dry run
    deploy,     ///< a version was started beside the current one
    validate,   ///< validators compared it
    cut_over,   ///< readers were moved to it
    roll_back,  ///< readers were moved back
    stop,       ///< a guard, or somebody, stopped it
    retire,     ///< it was deleted
    certify,    ///< it was pinned against retention
    release,    ///< ... and is no longer
    erase,      ///< a subject was erased
    note,       ///< anything else
    correct,    ///< a correction of the current version was started beside it
};
/// How many kinds there are.
inline constexpr std::size_t audit_kind_count = 12;

constexpr std::string_view to_string(audit_kind kind) noexcept {
    constexpr std::string_view names[audit_kind_count] = {"plan", "deploy", "validate", "cut_over", "roll_back", "stop",
        "retire", "certify", "release", "erase", "note", "correct"};
    return names[static_cast<std::size_t>(kind)];
}
/// The kind of that name, if there is one.
constexpr std::optional<audit_kind> audit_kind_of(std::string_view name) noexcept {
    for (std::size_t i = 0; i < audit_kind_count; ++i) {
        if (to_string(static_cast<audit_kind>(i)) == name) return static_cast<audit_kind>(i);
    }
    return std::nullopt;
}

/// An entry of an audit log: who did what to which version, when, why, and what came of it.
struct audit_entry {
    std::uint64_t number = 0;  ///< from 1
    event_time at{};           ///< by the clock of the log; not before that of the entry before it
    audit_kind kind = audit_kind::note;
    std::string version;
    std::string who;
    std::string why;
    std::string verdict;         ///< "passed", "refused: ...": as whoever wrote it says
    std::uint64_t checksum = 0;  ///< of the entry, seeded with that of the one before

    friend bool operator==(audit_entry const&, audit_entry const&) = default;

    /// One line, for people.
    [[nodiscard]] std::string str() const {
        auto out = std::to_string(number) + "  " + detail::plan_text(at) + "  ";
        out += to_string(kind);
        if (!version.empty()) out += ' ' + version;
        if (!who.empty()) out += " by " + who;
        if (!why.empty()) out += ": " + why;
        if (!verdict.empty()) out += " (" + verdict + ')';
        return out;
    }
};

/// How far an audit log goes: what to write down elsewhere, to find out later that all of it was replaced.
struct audit_head {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;     ///< of the file of lines
    std::uint64_t checksum = 0;  ///< of the last entry

    friend bool operator==(audit_head const&, audit_head const&) = default;
};
}  // namespace driftless::inline v0
#endif
