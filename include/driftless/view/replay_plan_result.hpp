// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_REPLAY_PLAN_RESULT_HPP
#define DRIFTLESS_VIEW_REPLAY_PLAN_RESULT_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/run/properties.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// What a replay would read of a partition.
struct planned_input {
    std::string name;   ///< of the from<T>(...); empty for the only one
    std::string log;    ///< the id of the log; empty where it has none
    std::string path;   ///< empty for a log in memory
    std::uint32_t partition = 0;
    std::uint64_t begin = 0;  ///< where the partition begins
    std::uint64_t end = 0;
    std::uint64_t from = 0;   ///< where the replay begins
    double record_bytes = 0;  ///< of a record as it is stored, on average
    std::optional<std::uint64_t> pinned{};  ///< nothing at or behind it is removed while the pin lives
    std::optional<duration> span{};         ///< between the least and the greatest event time, if the log knows
    std::optional<std::uint64_t> at_time{}; ///< where what was appended at or behind replay_from::time begins
    event_time first_append = event_time::min();  ///< of the first block that is there
    std::vector<std::string> unreadable{};        ///< sentences about segments that cannot be read
    std::vector<std::uint64_t> unreadable_end{};  ///< where each of them ends

    [[nodiscard]] std::uint64_t records() const noexcept { return end > from ? end - from : 0; }
    [[nodiscard]] std::string label() const {
        return "partition " + std::to_string(partition) + (name.empty() ? "" : " of '" + name + '\'');
    }
};

/// A snapshot that a replay could begin with.
struct planned_snapshot {
    std::string folder;
    std::uint64_t number = 0;
    std::uint64_t records = 0;  ///< that it spares
    std::vector<std::uint64_t> offsets;  ///< by partition, in the order of the inputs
};

/// What plan_replay() found.
struct replay_plan {
    std::uint64_t fingerprint = 0;
    std::string logic_version;
    std::vector<planned_input> inputs;
    state_class state = state_class::stateless;
    std::uint64_t records = 0;                    ///< to read
    std::uint64_t bytes_to_read = 0;              ///< at most: a log in columns is read in part
    std::uint64_t bytes_to_write = 0;             ///< snapshots, and the rows that come with them; 0: not known
    std::optional<std::uint64_t> state_bytes{};   ///< of the newest snapshot that was found, whatever its version
    std::optional<duration> time{};               ///< nothing: there is no throttle, and no speed was given
    std::optional<planned_snapshot> snapshot{};   ///< the compatible one that has read furthest
    bool from_snapshot = false;                   ///< the replay begins with it
    std::vector<std::string> refusals;            ///< why it cannot be, each a sentence
    std::vector<std::string> notes;               ///< what to know

    [[nodiscard]] bool possible() const noexcept { return refusals.empty(); }
    explicit operator bool() const noexcept { return possible(); }
    /// Throws invalid_argument with all reasons against the replay, if there are any.
    void require() const {
        if (possible()) return;
        std::string all = "the replay cannot be: ";
        for (std::size_t i = 0; i < refusals.size(); ++i) all += (i == 0 ? "" : "; ") + refusals[i];
        throw error{error_code::invalid_argument, all};
    }
    /// For people, a fact on each line.
    [[nodiscard]] std::string str() const {
        std::string out = "replay of logic version " + logic_version + '\n';
        for (auto const& each : inputs) {
            out += "  " + each.label() + ": offsets " + std::to_string(each.from) + " to " + std::to_string(each.end)
                + ", " + std::to_string(each.records()) + " records";
            out += (each.path.empty() ? "" : ", " + each.path) + '\n';
        }
        if (from_snapshot) {
            out += "  begins with snapshot " + std::to_string(snapshot->number) + " in " + snapshot->folder
                + ", which has " + std::to_string(snapshot->records) + " records in it\n";
        }
        out += "  reads " + std::to_string(records) + " records, " + std::to_string(bytes_to_read) + " bytes at most\n";
        if (bytes_to_write != 0) out += "  writes " + std::to_string(bytes_to_write) + " bytes at most\n";
        out += "  state is " + std::string{to_string(state)};
        out += state_bytes ? ", " + std::to_string(*state_bytes) + " bytes in the newest snapshot\n" : "\n";
        out += time ? "  takes " + time_text(*time) + '\n'
                    : std::string{"  how long it takes is not known: there is no throttle, and no speed was given\n"};
        for (auto const& each : notes) out += "  note: " + each + '\n';
        for (auto const& each : refusals) out += "  refused: " + each + '\n';
        return out + (possible() ? "possible\n" : "not possible\n");
    }

private:
    /// Whole seconds, from ten on.
    static std::string time_text(duration d) {
        constexpr std::int64_t second = 1'000'000'000;
        return detail::plan_text(d.ns() < 10 * second || d == duration::max() ? d : duration{d.ns() / second * second});
    }
};
}  // namespace driftless::inline v0
#endif
